"""Tells what a workspace offers: its fields with their options, its projects, and who we are there.

It keeps the promise that our own fields are not offered to a mapping: nothing that we wrote is evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from pmosync.contract import Catalog, Choice, FieldInfo, Person, ProjectInfo, SubjectKind
from pmosync.errors import Refused

from .api import PAGE, Api, Asked, many
from .decode import fields, option, person, type_status
from .own.places import place_of, subtype
from .pulling.portfolios import portfolios

Json = dict[str, Any]
Kind = Literal[
    "text", "number", "duration", "date", "instant", "yes/no", "choice", "person", "reference", "list", "other"
]

_FIELD = "gid|name|type|resource_subtype|representation_type|asana_created_field"
DEFINITION = fields(f"({_FIELD}),enum_options.(gid|name|enabled)").replace("gid,", "", 1)
LISTED = fields(
    "name,archived,permalink_url,owner.name,team.name,created_from_template.name,"
    f"custom_field_settings.custom_field.({_FIELD}),custom_field_settings.custom_field.enum_options.(gid|name|enabled),"
    f"custom_fields.({_FIELD}),custom_fields.enum_options.(gid|name|enabled)"
)
ARCHIVED = "name,archived,permalink_url,owner.name"
"""Of archived projects nothing is offered; but a mapping may name one that it named before it was archived."""
TYPES = fields("name,status_options.(name|completion_state|enabled)")

STATUS_TYPES = ("on_track", "at_risk", "off_track", "on_hold", "complete", "dropped")
"""What a status update may say of a project."""


def _choices(*names: str) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)


BUILT_IN = (
    FieldInfo("name", "Name", "text"),
    FieldInfo("assignee", "Assignee", "person"),
    FieldInfo("start_on", "Start date", "date"),
    FieldInfo("start_at", "Start time", "instant"),
    FieldInfo("due_on", "Due date", "date"),
    FieldInfo("due_at", "Due time", "instant"),
    FieldInfo("completed", "Completed", "yes/no"),
    FieldInfo("completed_at", "Completed at", "instant"),
    FieldInfo("created_at", "Created at", "instant"),
    FieldInfo("created_by", "Created by", "person"),
    FieldInfo("updated", "Last change by others", "instant"),
    FieldInfo("parent", "Parent task", "reference"),
    FieldInfo("section", "Section", "choice"),
    FieldInfo("resource_subtype", "Type", "choice", _choices("default_task", "milestone", "approval", "custom")),
    FieldInfo("custom_type", "Custom type", "choice"),
    FieldInfo("custom_type_status", "Status of the custom type", "choice"),
    FieldInfo(
        "approval_status", "Approval", "choice", _choices("pending", "approved", "rejected", "changes_requested")
    ),
    FieldInfo("dependencies", "Waiting for", "list"),
    FieldInfo("dependents", "Blocking", "list"),
    FieldInfo("tags", "Tags", "list"),
    FieldInfo("actual_time_minutes", "Actual time", "duration"),
    FieldInfo("notes", "Description", "text"),
    FieldInfo("name", "Name", "text", subject="project"),
    FieldInfo("owner", "Owner", "person", subject="project"),
    FieldInfo("start_on", "Start date", "date", subject="project"),
    FieldInfo("due_on", "Due date", "date", subject="project"),
    FieldInfo("archived", "Archived", "yes/no", subject="project"),
    FieldInfo("completed", "Completed", "yes/no", subject="project"),
    FieldInfo("status", "Status", "choice", _choices(*STATUS_TYPES), subject="project"),
    FieldInfo("status_on", "Status date", "date", subject="project"),
    FieldInfo("status_by", "Status by", "person", subject="project"),
    FieldInfo("status_title", "Status title", "text", subject="project"),
    FieldInfo("created_at", "Created at", "instant", subject="project"),
    FieldInfo("team", "Team", "choice", subject="project"),
    FieldInfo("template", "Template", "choice", subject="project"),
    FieldInfo("brief", "Has a brief", "yes/no", subject="project"),
    FieldInfo("budget_time", "Time budget", "duration", subject="project"),
    FieldInfo("budget_time_used", "Time budget: used", "duration", subject="project"),
    FieldInfo("budget_time_estimated", "Time budget: estimated", "duration", subject="project"),
    FieldInfo("budget_cost", "Cost budget", "number", subject="project"),
    FieldInfo("budget_cost_used", "Cost budget: used", "number", subject="project"),
    FieldInfo("budget_cost_estimated", "Cost budget: estimated", "number", subject="project"),
    FieldInfo("goals", "Goals", "list", subject="project"),
)
"""What every workspace offers. Budgets and goals come where the mapping reads them and the plan has them."""

KINDS: Mapping[str, Kind] = {
    "text": "text",
    "number": "number",
    "enum": "choice",
    "multi_enum": "list",
    "date": "date",
    "people": "list",
    "custom_id": "text",
    "reference": "text",
}


def describe(api: Api) -> Catalog:
    """The catalogue of a workspace; reads only."""
    me, workspace = api.me()
    account = Person(me["gid"], me.get("name", ""), me.get("email"), active=True)
    listed = api.pages(api.projects.get_projects, workspace=workspace, archived="false", opt_fields=LISTED)
    archived = api.pages(api.projects.get_projects, workspace=workspace, archived="true", opt_fields=ARCHIVED)
    gids = [item["gid"] for item in listed]
    types = list(_types(api, gids))
    options: Mapping[tuple[SubjectKind, str], tuple[Choice, ...]] = {
        ("task", "section"): tuple(_sections(api, gids)),
        ("task", "custom_type"): _each_once(option(found) for found in types),
        ("task", "custom_type_status"): _each_once(_statuses(types)),
        ("project", "team"): _chosen(listed, "team"),
        ("project", "template"): _chosen(listed, "created_from_template"),
    }
    built_in = [replace(info, options=options.get((info.subject, info.id), info.options)) for info in BUILT_IN]
    return Catalog(
        account,
        (*built_in, *_custom(api, workspace, listed)),
        tuple(_project(item) for item in (*listed, *archived)),
        (Choice("dependency", "dependency", "blocks"),),
        None,
        "Asana",
        portfolios=tuple(option(found) for found in portfolios(api, workspace)),
    )


def _project(item: Json) -> ProjectInfo:
    gid, url = item["gid"], item.get("permalink_url") or ""
    return ProjectInfo(gid, gid, item.get("name", ""), url, person(item.get("owner")), bool(item.get("archived")))


def _chosen(listed: Iterable[Json], name: str) -> tuple[Choice, ...]:
    """What projects have in a field that Asana lists no options of."""
    return _each_once(option(item[name]) for item in listed if item.get(name))


def _each_once(options: Iterable[Choice]) -> tuple[Choice, ...]:
    return tuple({found.id: found for found in options}.values())


def _types(api: Api, projects: Sequence[str]) -> Iterator[Json]:
    """The custom types of every project; the first one is asked alone, for the plan may have none."""
    for some in (projects[:1], projects[1:]):
        asked = [Asked("/custom_types", TYPES, PAGE, {"project": gid}) for gid in some]
        for question, body in zip(asked, api.each(asked), strict=True):
            if isinstance(body, Refused):
                if body.status == 402:
                    return
                continue
            yield from api.to_its_end(question, body)


def _statuses(types: Iterable[Json]) -> Iterator[Choice]:
    """The statuses that tasks of custom types can be given."""
    for found in types:
        for status in found.get("status_options") or ():
            chosen = type_status(status)
            if chosen and status.get("enabled") is not False:
                yield chosen


def _sections(api: Api, projects: Sequence[str]) -> Iterator[Choice]:
    """The sections of every project; one that we may not read offers none."""
    asked = [Asked(f"/projects/{gid}/sections", "name", PAGE) for gid in projects]
    for gid, body in zip(projects, api.each(asked), strict=True):
        if isinstance(body, Refused):
            continue
        whole = many(body)
        if body.get("next_page"):
            whole = api.pages(api.sections.get_sections_for_project, gid, opt_fields="name")
        yield from (option(section) for section in whole)


def _custom(api: Api, workspace: str, listed: Iterable[Json]) -> Iterator[FieldInfo]:
    """Custom fields of tasks, with the projects that offer them, and those of projects."""
    tasks: dict[str, Json] = {}
    projects: dict[str, Json] = {}
    offered: dict[str, list[str]] = {}
    for item in listed:
        for setting in item.get("custom_field_settings") or ():
            entry = setting["custom_field"]
            tasks[entry["gid"]] = entry
            offered.setdefault(entry["gid"], []).append(item["gid"])
        for entry in item.get("custom_fields") or ():
            projects[entry["gid"]] = entry
    for entry in _of_workspace(api, workspace):
        tasks.setdefault(entry["gid"], entry)
    for gid, entry in tasks.items():
        if not _ours(entry):
            yield _info(entry, "task", tuple(offered.get(gid, ())))
    for entry in projects.values():
        if not _ours(entry):
            yield _info(entry, "project", ())


def _of_workspace(api: Api, workspace: str) -> list[Json]:
    """Every custom field of the workspace; a plan without custom fields has none."""
    try:
        return api.pages(api.fields.get_custom_fields_for_workspace, workspace, opt_fields=DEFINITION)
    except Refused:
        return []


def _ours(entry: Json) -> bool:
    return any(place_of(entry, subject, {}) for subject in get_args(SubjectKind))


def _info(entry: Json, subject: SubjectKind, projects: tuple[str, ...]) -> FieldInfo:
    options = tuple(option(o) for o in entry.get("enum_options") or () if o.get("enabled") is not False)
    return FieldInfo(entry["gid"], entry.get("name", ""), _kind(entry), options, projects, subject, custom=True)


def _kind(entry: Json) -> Kind:
    if entry.get("asana_created_field") == "estimated_time":
        return "duration"
    for name in (entry.get("representation_type"), subtype(entry)):
        if name in KINDS:
            return KINDS[str(name)]
    return "other"
