"""Renders an issue as Jira answers it: the asked fields only, links and parents as they are now, text per API version.

It keeps the promise that a field that a loaded issue does not have is absent from every answer, never invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Response

from ..answers import json_answer
from ..call import Call
from ..state import State, from_json
from . import access, issues, planning, text
from .tables import SITE, stamp, things

TEXT_FIELDS = frozenset({"description", "environment"})
NOT_NAVIGABLE = frozenset({"comment", "attachment", "worklog", "timetracking"})
EMBEDDED = ("summary", "status", "priority", "issuetype")
GATEWAY = "sandbox.gateway"
"""What the environment of a request that came by the gateway holds: the part of the path before `/rest/`."""
_SITE = SITE.encode()
_DEFAULT_API = _SITE + b"/rest/api/3/"


@dataclass(frozen=True)
class Asked:
    """What a caller wants to see of issues."""

    fields: Sequence[str]
    properties: Sequence[str] = ()
    expand: Sequence[str] = ()

    @property
    def id_only(self) -> bool:
        """Whether nothing but ids is asked."""
        return set(self.fields) <= {"id"} and not self.properties and not self.expand

    @property
    def light(self) -> bool:
        """Whether pages may be long: only ids and keys are asked."""
        return set(self.fields) <= {"id", "key"} and not self.properties and not self.expand


@dataclass(frozen=True)
class Scope:
    """What rendering needs to know of the site, read once per request."""

    custom: dict[str, list[str] | None]
    link_types: dict[str, dict[str, Any]]
    long_texts: frozenset[str]
    planned: frozenset[str]
    """Fields that refer to versions or sprints."""
    version_2: bool
    state: State = field(repr=False)
    archived: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Since when which issues are archived."""
    account_id: str | None = None
    """Who asks; None sees what is restricted to a circle as well."""


def scope_of(call: Call) -> Scope:
    """Read the site's fields and link types for one request."""
    custom: dict[str, list[str] | None] = {}
    long_texts, planned = set(TEXT_FIELDS), set(planning.VERSION_FIELDS)
    for row in call.state.rows("SELECT id, document, projects FROM jira_field WHERE id LIKE 'customfield%'"):
        custom[row["id"]] = from_json(row["projects"])
        kind = from_json(row["document"])["schema"]["custom"]
        if kind.endswith(":textarea"):
            long_texts.add(row["id"])
        elif kind == planning.SPRINT_TYPE:
            planned.add(row["id"])
    link_types = {one["id"]: one for one in things(call.state, "issueLinkType")}
    archived = {row["issue_id"]: row for row in call.state.rows("SELECT * FROM jira_archived")}
    return Scope(
        custom, link_types, frozenset(long_texts), frozenset(planned), is_version_2(call), call.state, archived,
        call.user.get("id"),
    )  # fmt: skip


def is_version_2(call: Call) -> bool:
    """Whether the call came by the second version of the API, where text is plain."""
    return call.request.path.startswith(("/rest/api/2/", "/rest/api/latest/"))


def address(call: Call, path: str) -> str:
    """The whole address of a resource, for a header: `path` is that of version 3 of the API."""
    found = path.replace("/rest/api/3/", "/rest/api/2/") if is_version_2(call) else path
    return call.request.host_url.rstrip("/") + str(call.request.environ.get(GATEWAY, "")) + found


def answer(call: Call, body: Any, status: int = 200) -> Response:
    """A JSON answer with the site's address, and the caller's API version, in every link."""
    found = json_answer(body, status)
    data = found.get_data()
    base = call.request.host_url.rstrip("/").encode()
    if is_version_2(call):
        data = data.replace(_DEFAULT_API, _SITE + b"/rest/api/2/")
    gateway = str(call.request.environ.get(GATEWAY, "")).encode()
    data = data.replace(_SITE + b"/rest/", base + gateway + b"/rest/")
    found.set_data(data.replace(_SITE, base))
    return found


def issue(scope: Scope, row: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """An issue as answered."""
    if asked.id_only and asked.fields:
        return {"id": str(row["id"])}
    found: dict[str, Any] = {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": str(row["id"]),
        "self": f"{SITE}/rest/api/3/issue/{row['id']}",
        "key": row["key"],
    }
    if set(asked.fields) - {"id", "key"}:
        found["fields"] = chosen(whole(scope, row, asked.fields), asked.fields)
    if asked.properties:
        found["properties"] = _as_searched(scope, row, asked.properties)
    if "changelog" in asked.expand:
        histories = list(reversed(changelog(scope.state, row["id"])))
        shown = histories[:40]
        found["changelog"] = {"startAt": 0, "maxResults": len(shown), "total": len(histories), "histories": shown}
    return found


def transitions(state: State) -> list[dict[str, Any]]:
    """The moves that an issue can make: this site's one workflow lets each go from any status to any."""
    return [
        {
            "id": str(number), "name": status["name"], "to": status, "hasScreen": False, "isGlobal": True,
            "isInitial": False, "isAvailable": True, "isConditional": False, "looped": False,
        }
        for number, status in enumerate(things(state, "status"), 11)
    ]  # fmt: skip


def whole(scope: Scope, row: dict[str, Any], wanted: Iterable[str] = ("*all",)) -> issues.Fields:
    """All fields of an issue that it has, as they are now."""
    found = issues.fields_of(row)
    names = set(wanted)
    everything = any(name.startswith(("*", "-")) for name in names)
    for name in scope.long_texts & (found.keys() if everything else found.keys() & names):
        found[name] = shown_text(found[name], scope.version_2)
    if everything or "issuelinks" in names:
        links = _links(scope, row["id"])
        if links:
            found["issuelinks"] = [*found.get("issuelinks", []), *links]
    if ("worklog" in names or everything) and ("worklog" in found or not row["loaded"]):
        from .worklogs import embedded as worklogs

        found["worklog"] = worklogs(scope.state, row["id"], scope.version_2)
    archived = scope.archived.get(row["id"])
    if archived and (everything or names & {"archiveddate", "archivedby"}):
        found["archiveddate"] = stamp(archived["at_ms"])
        found["archivedby"] = user_reference(scope.state, archived["actor"])
    if not row["loaded"]:
        _complete(scope, row, found, names, everything)
    return found


def shown_text(value: Any, version_2: bool) -> Any:
    """A long text as this version of the API shows it."""
    if version_2:
        return text.text_of(value) if text.is_document(value) else value
    return text.document_of(value) if isinstance(value, str) else value


def chosen(fields: issues.Fields, wanted: Sequence[str]) -> issues.Fields:
    """The fields a caller asked for: names, `*all`, `*navigable`, and `-name` to leave one out."""
    left_out = {name[1:] for name in wanted if name.startswith("-")}
    named = [name for name in wanted if not name.startswith("-")] or ["*navigable"]
    if "*all" in named:
        return {name: value for name, value in fields.items() if name not in left_out}
    if "*navigable" not in named:
        return {name: fields[name] for name in named if name in fields and name not in left_out}
    keep = (fields.keys() - NOT_NAVIGABLE) | set(named)
    return {name: value for name, value in fields.items() if name in keep and name not in left_out}


def properties(state: State, issue_id: int, keys: Sequence[str]) -> dict[str, Any]:
    """The asked properties of an issue, or all of them for `*all`."""
    rows = state.rows("SELECT key, value FROM jira_property WHERE entity = 'issue' AND entity_id = ?", (issue_id,))
    return {row["key"]: from_json(row["value"]) for row in rows if row["key"] in keys or "*all" in keys}


def _as_searched(scope: Scope, row: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The properties of an issue's row, which may be one that a late index has."""
    if not row.get("old_properties"):
        return properties(scope.state, row["id"], keys)
    found = from_json(row["old_properties"])
    return {key: value for key, value in found.items() if key in keys or "*all" in keys}


def user_reference(state: State, account_id: str) -> dict[str, Any]:
    """A user as embedded in comments and changelogs."""
    row = state.row("SELECT document FROM jira_user WHERE account_id = ?", (account_id,))
    if row is None:
        return {"accountId": account_id, "displayName": account_id, "active": False}
    found: dict[str, Any] = from_json(row["document"])
    return found


def changelog(state: State, issue_id: int) -> list[dict[str, Any]]:
    """An issue's history, oldest first."""
    return [history for _, history in timed_changelog(state, issue_id)]


def timed_changelog(state: State, issue_id: int) -> list[tuple[int, dict[str, Any]]]:
    """An issue's history, oldest first, each entry with its instant in milliseconds."""
    found = []
    authors: dict[str, dict[str, Any]] = {}
    sql = "SELECT * FROM jira_history WHERE issue_id = ? ORDER BY created_ms, id"
    for row in state.rows(sql, (issue_id,)):
        if row["author"] not in authors:
            authors[row["author"]] = user_reference(state, row["author"])
        one = {
            "id": str(row["id"]), "author": authors[row["author"]], "created": stamp(row["created_ms"]),
            "items": from_json(row["items"]),
        }  # fmt: skip
        if row["metadata"]:
            one["historyMetadata"] = from_json(row["metadata"])
        found.append((row["created_ms"], one))
    return found


def embedded(state: State, row: dict[str, Any]) -> dict[str, Any]:
    """An issue as another one's parent, subtask or link shows it."""
    fields = issues.fields_of(row)
    return {
        "id": str(row["id"]),
        "key": row["key"],
        "self": f"{SITE}/rest/api/3/issue/{row['id']}",
        "fields": {name: fields[name] for name in EMBEDDED if fields.get(name) is not None},
    }


def _complete(scope: Scope, row: dict[str, Any], found: issues.Fields, names: set[str], everything: bool) -> None:
    """Add what a generated issue says about others, and null for every field of its project that is empty."""
    project_key = row["key"].rpartition("-")[0]
    for name, projects in scope.custom.items():
        if projects is None or project_key in projects:
            found.setdefault(name, None)
    for name in scope.planned & (found.keys() if everything else found.keys() & names):
        if found[name]:
            found[name] = planning.show(scope.state, name, found[name])
    if row["parent_id"] is not None and (everything or "parent" in names):
        parent = scope.state.row("SELECT * FROM jira_issue WHERE id = ?", (row["parent_id"],))
        if parent:
            found["parent"] = embedded(scope.state, parent)
    if everything or "subtasks" in names:
        children = scope.state.rows("SELECT * FROM jira_issue WHERE parent_id = ? ORDER BY id", (row["id"],))
        shown = [embedded(scope.state, child) for child in children]
        found["subtasks"] = [one for one in shown if one["fields"]["issuetype"]["subtask"]]
    if everything or "timetracking" in names:
        found["timetracking"] = _time_tracking(found)
    if everything or "comment" in names:
        from .talk import comments_page

        found["comment"] = comments_page(scope.state, row["id"], 0, 20, scope.version_2, scope.account_id)
    if everything or "watches" in names:
        count = scope.state.tuples("SELECT count(*) FROM jira_watcher WHERE issue_id = ?", (row["id"],))[0][0]
        address = f"{SITE}/rest/api/3/issue/{row['key']}/watchers"
        found["watches"] = {"self": address, "watchCount": count, "isWatching": False}


def _time_tracking(fields: issues.Fields) -> dict[str, Any]:
    names = {
        "originalEstimate": "timeoriginalestimate",
        "remainingEstimate": "timeestimate",
        "timeSpent": "timespent",
    }
    found: dict[str, Any] = {}
    for name, source in names.items():
        if fields.get(source) is not None:
            found[name] = duration(fields[source])
            found[f"{name}Seconds"] = fields[source]
    return found


def duration(seconds: int) -> str:
    """Seconds as Jira writes them: weeks of 5 days, days of 8 hours."""
    parts = []
    for unit, length in (("w", 144000), ("d", 28800), ("h", 3600), ("m", 60)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0m"


def _links(scope: Scope, issue_id: int) -> list[dict[str, Any]]:
    """The links of an issue: its other end is `outwardIssue` where this one is the inward one, and the reverse."""
    sql = "SELECT * FROM jira_link WHERE inward_id = :id OR outward_id = :id ORDER BY id"
    found = []
    for link in scope.state.rows(sql, {"id": issue_id}):
        outward = link["inward_id"] == issue_id
        other = link["outward_id"] if outward else link["inward_id"]
        row = scope.state.row("SELECT * FROM jira_issue WHERE id = ?", (other,))
        if row and (scope.account_id is None or access.sees(scope.state, scope.account_id, row)):
            end = "outwardIssue" if outward else "inwardIssue"
            address = f"{SITE}/rest/api/3/issueLink/{link['id']}"
            kind = scope.link_types[link["type_id"]]
            found.append({"id": str(link["id"]), "self": address, "type": kind, end: embedded(scope.state, row)})
    return found
