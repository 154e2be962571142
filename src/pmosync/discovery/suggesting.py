"""Suggests a mapping from what a site offers: each line says why, and what fits nothing stands in a comment.

The suggestion loads and passes the check against the same catalog; a field whose name is shared, and an option whose
name says nothing, are left for a person: nothing is guessed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from pmosync.contract import Capabilities, Catalog, Connector, FieldInfo, SubjectKind
from pmosync.discovery import options, words
from pmosync.discovery.subject import CATEGORY, Subject, commented, said, text, unique
from pmosync.mapping.grammar import folded
from pmosync.mapping.resolving import places, readable
from pmosync.model import Field, Type

_WIDTH = 110
_MOST_PROJECTS, _MOST_NAMED = 200, 40
"""On one line, and with a line each."""


def discover(site: str, connector: Connector) -> str:
    """The text of a mapping for this site, ready to be read over by a person."""
    return suggest(site, connector.describe(), connector.capabilities)


def suggest(site: str, catalog: Catalog, capabilities: Capabilities) -> str:
    """The same from a catalog that was read before."""
    task, project = Subject(catalog, "task"), Subject(catalog, "project")
    lines = [
        f"# What the fields of {site} mean, suggested by pmosync from what the site offers. Read it over:",
        "# `pmosync mapping check` tells what does not fit.",
        f"site: {site}",
        "",
        *_scope(catalog, capabilities),
        *_read(task, capabilities),
        "",
        *_section(
            "project",
            [*_plain(project, words.PROJECT), *options.health(project), *_of_projects(project, capabilities)],
        ),
        "",
        *_section("task", [*_plain(task, words.TASK), *options.of_tasks(task), *_of_tasks(task, capabilities)]),
        "",
        *_links(task, catalog),
        "",
        *_write(capabilities),
        "",
        *_unused(task, project),
    ]
    return "\n".join(lines) + "\n"


def _scope(catalog: Catalog, capabilities: Capabilities) -> Iterator[str]:
    yield "# Which projects are looked at. Nothing here: every project that the account sees."
    yield "scope: {}"
    yield from _listed("portfolios", [(one.id, one.name) for one in catalog.portfolios])
    open_projects = [project for project in catalog.projects if not project.archived]
    if all(project.key == project.id for project in open_projects):
        yield from _listed("projects", [(project.id, project.name) for project in open_projects])
    else:
        yield f"#  projects: [{', '.join(text(project.key) for project in open_projects[:_MOST_PROJECTS])}]"
    if capabilities.query:
        yield '#  query: "the tool\'s own filter"'


def _listed(what: str, found: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What goes by numbers, with names for the person who chooses."""
    if found:
        yield f"#  {what}:"
    for number, name in found[:_MOST_NAMED]:
        yield commented(f"#    - {text(number)}", said(name))
    if len(found) > _MOST_NAMED:
        yield f"#    # and {len(found) - _MOST_NAMED} more, which `pmosync discover --json` lists"


def _section(name: str, lines: Sequence[str]) -> Iterator[str]:
    if any(not line.lstrip().startswith("#") for line in lines):
        yield f"{name}:"
    else:
        yield f"# {name}: nothing that could be suggested"
    yield from lines


def _plain(subject: Subject, wanted: Mapping[str, words.Groups]) -> Iterator[str]:
    keys = subject.keys
    for key, groups in wanted.items():
        kinds = readable(keys[key]) if keys[key].type is not Type.TEXT else ("text", "choice")
        found, ambiguous = _fields(subject, groups, kinds)
        if key == "estimate" and not found:
            durations = [info for info in subject.fields if info.custom and info.kind == "duration"]
            found = durations if len(durations) == 1 else []
        if ambiguous:
            yield f"  # {key}: {ambiguous}"
        elif not found:
            yield f"  # {key}: no field of the site is called like it ({keys[key].meaning})"
        else:
            refs = [subject.ref(info) for info in found]
            value = refs[0] if len(refs) == 1 else f"[{', '.join(refs)}]"
            why = ", ".join(f"{said(info.name)} ({info.kind})" for info in found)
            yield commented(f"  {key}: {value}", why)
        if key == "estimate":
            yield from _points(subject, found)


def _of_projects(project: Subject, capabilities: Capabilities) -> Iterator[str]:
    """What few tools hold of a project, and what the register holds where no tool does."""
    yield from _held(project, capabilities, words.PROJECT_MORE, "")
    yield from options.phase(project)
    yield from _held(project, capabilities, words.PROJECT_GOVERNED, "; the register can say it")


def _held(
    subject: Subject, capabilities: Capabilities, wanted: Mapping[str, words.Groups], else_said: str
) -> Iterator[str]:
    """What costs requests of its own stands in a comment."""
    missing: list[str] = []
    for key, groups in wanted.items():
        model = subject.keys[key]
        found, ambiguous = _fields(subject, groups, _saying(model))
        if ambiguous:
            yield f"  # {key}: {ambiguous}"
            continue
        if not found:
            missing.append(key)
            continue
        line, why = f"{key}: {subject.ref(found[0])}", f"{said(found[0].name)} ({found[0].kind})"
        if model.read in capabilities.reads:
            yield commented(f"  # {line}", f"{why}, with read: [{model.read}]")
        else:
            yield commented(f"  {line}", why)
    if missing:
        told = f"{', '.join(missing)}: no field of the site is called like it{else_said}"
        yield from textwrap.wrap(told, _WIDTH, initial_indent="  # ", subsequent_indent="  # ")


def _saying(model: Field) -> tuple[str, ...]:
    """Kinds of fields that surely say it: a yes is no address, and a number is nobody's name."""
    if model.type is not Type.TEXT:
        return readable(model)
    return ("text",) if model.name.endswith("_url") else ("text", "choice", "person", "list")


def _points(subject: Subject, found: Sequence[FieldInfo]) -> Iterator[str]:
    """What the teams' boards estimate with, where that is a number of its own."""
    taken = {info.id for info in found}
    for info in subject.fields:
        if info.id in subject.catalog.estimated_with and info.id not in taken and info.kind == "number":
            named = f"{said(info.name)} ({info.id})"
            yield f"  #  The boards estimate with {named}: points are no hours, so they are left out."


def _fields(subject: Subject, groups: words.Groups, kinds: Sequence[str]) -> tuple[list[FieldInfo], str]:
    """The fields of the first group that the site has; or why a person has to choose."""
    for group in groups:
        found: list[FieldInfo] = []
        for name in group:
            named = subject.called(name, kinds)
            if len(named) > 1:
                return [], f"{len(named)} fields are called {said(name)}: {', '.join(info.id for info in named)}"
            found += named
        if found:
            return found, ""
    return [], ""


def _of_tasks(task: Subject, capabilities: Capabilities) -> Iterator[str]:
    """What few tools hold of a task; what costs something in every run stands in a comment."""
    yield from _held(task, capabilities, words.TASK_MORE, "")
    texts = [info for name in words.DESCRIPTION for info in task.called(name, ("text",)) if not info.custom]
    if texts:
        why = "only its length is asked about, but the whole text is read and stored"
        yield commented(f"  # description: {task.ref(texts[0])}", f"{said(texts[0].name)} ({texts[0].kind}): {why}")
    sprints = task.called(words.SPRINT, ("choice",))
    if len(sprints) == 1:
        values = ", ".join(f"{outcome}: {CATEGORY}{each}" for outcome, each in words.SPRINT_CATEGORIES.items())
        yield "  # sprint_state:                          # asks for the open sprints, at most once an hour"
        yield f"  #   - {{field: {task.ref(sprints[0])}, values: {{{values}}}}}"


# --- links and places -----------------------------------------------------------------------------------------------


def _links(task: Subject, catalog: Catalog) -> Iterator[str]:
    types = [
        each
        for each in catalog.link_types
        if {folded(each.name), folded(each.category or "")} & set(words.PREDECESSOR_LINKS)
    ]
    yield "# Which links mean that one task must be finished before the other may start."
    if dependencies := task.called("dependencies", ("list",)):
        yield f"links: {{blocks: {task.ref(dependencies[0])}}}"
    elif task.called("issuelinks", ("list",)) and len(types) == 1:
        task.used.add("issuelinks")
        shared = sum(folded(each.name) == folded(types[0].name) for each in catalog.link_types) > 1
        name = types[0].id if shared else types[0].name
        yield f"links: {{blocks: {{type: {text(name)}, direction: outward}}}}"
    else:
        yield "links: {}"
        if catalog.link_types:
            names = ", ".join(f"{said(each.name)} ({each.id})" for each in catalog.link_types)
            yield f"# link types of the site: {names}"


def _read(task: Subject, capabilities: Capabilities) -> Iterator[str]:
    """What else the connector can read, in a comment: it costs requests, so a person decides."""
    if capabilities.reads:
        yield ""
        yield "# What happened to work: when its status, dates or owner moved, what is booked on it. Each of these"
        yield "# costs some more requests in every run, and many in the first. Standards about it are blind without."
        if {"budgets", "allocations", "goals"} & set(capabilities.reads):
            yield "# The same holds for the budgets of projects, the time of people promised to them, and their goals."
        yield f"# read: [{', '.join(capabilities.reads)}]"
    changed = [info for name in words.UPDATED for info in task.called(name, ("instant",))]
    if "history" in capabilities.reads and changed:
        yield f"# With the history, `updated_at: {task.ref(changed[0])}` below task tells when others changed it last."


def _write(capabilities: Capabilities) -> Iterator[str]:
    yield "# Where pmosync writes its flags and rollups. mail: never writes only what mails nobody."
    yield "write:"
    links = [slot.name for slot in capabilities.slots if slot.form == "link"]
    asked_for = [slot.name for slot in capabilities.slots if slot.opt_in]
    unasked = {*links, *asked_for}
    subjects: tuple[SubjectKind, ...] = ("task", "project")
    for subject in subjects:
        yield f"  {subject}: [{', '.join(name for name in places(capabilities, subject) if name not in unasked)}]"
    yield "  mail: never"
    if asked_for:
        yield f"# Written only when named here; the connector's page says what each needs: {', '.join(asked_for)}"
    for name in links:
        yield f"# When `guidance` is configured, add {name}: it leads to the page of the standard."


def _unused(task: Subject, project: Subject) -> Iterator[str]:
    """What else the site offers, for the person who reads the suggestion over."""
    for subject in (task, project):
        parts = _parts(subject)
        inside = {part.id for several in parts.values() for part in several}
        rest = [info for info in subject.fields if info.id not in subject.used | inside]
        if rest:
            yield f"# Other fields of {subject.subject}s:"
        for info in rest:
            told = [said(option.name) for option in unique(info.options)[:20]]
            told += [f"{part.id} ({part.kind})" for part in parts.get(info.id, ())]
            yield f"#   {said(info.name)} ({info.id}), {info.kind}" + (f": {', '.join(told)}" if told else "")


def _parts(subject: Subject) -> dict[str, list[FieldInfo]]:
    """What can be read out of other fields, by the id of the whole: `fixVersions.latest` is told with `fixVersions`."""
    ids = {info.id for info in subject.fields}
    found: dict[str, list[FieldInfo]] = {}
    for info in subject.fields:
        whole, dot, _ = info.id.partition(".")
        if dot and whole in ids:
            found.setdefault(whole, []).append(info)
    return found
