"""Fills the Jira site with a real export: a directory with one original JSON file per issue, packed or not.

It keeps the promise that nothing is invented: a field an issue of the export does not have is absent from every answer.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from .jira import issues, log, past, seed
from .jira.tables import CUSTOM_TYPES, FIELDS, SITE, add_thing, milliseconds_of
from .state import State, as_json

BOT = ("pmo-bot", "PMO bot", "pmo-bot@acme.example", "sandbox-jira-token")
LEAD = ("project-lead", "Project lead", "project-lead@acme.example", "person-1")
KINDS = {"status": "status", "issuetype": "issuetype", "priority": "priority", "resolution": "resolution"}
PEOPLE = ("assignee", "reporter", "creator")
COMMENT_LENGTH = 200
# Addresses of the site the export came from: they would point away from this one.
DROPPED = frozenset({"self", "avatarUrls"})


class BadExport(Exception):
    """An export cannot be served; the text says which file, what is wrong, and what to do."""


@dataclass
class _Export:
    """What one export has named so far."""

    state: State
    directory: Path
    projects: set[int] = field(default_factory=set)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[tuple[str, str, str], str] = field(default_factory=dict)
    link_types: set[str] = field(default_factory=set)
    fields: dict[str, dict[str, Any] | None] = field(default_factory=dict)


def load(state: State, directory: Path) -> int:
    """Add an export's issues, and what they name, to the site; returns how many issues."""
    seed.prepare(state, standard=False)
    _add_accounts(state)
    export = _Export(state, directory)
    count = 0
    for name, data in _files(directory):
        try:
            document = orjson.loads(data)
            _add_issue(export, document)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise BadExport(
                f"{directory}: {name} is no issue of a Jira export ({type(error).__name__}: {error}); remove it, or "
                "name a directory whose JSON files each hold one issue with id, key and fields"
            ) from error
        count += 1
    if not count:
        raise BadExport(f"{directory}: holds no issues; name a directory with a *.tar.xz of JSON files, or JSON files")
    for account_id, user in export.users.items():
        _add_user(state, account_id, user)
    _add_fields(export)
    return count


def _files(directory: Path) -> Iterator[tuple[str, bytes]]:
    """The issue files, streamed: from the packed exports when there are any, else those lying there or in `raw/`."""
    packed = sorted(directory.glob("*.tar.xz"))
    for path in packed:
        with tarfile.open(path, "r|xz") as archive:
            for member in archive:
                opened = archive.extractfile(member) if member.isfile() else None
                if opened:
                    yield member.name, opened.read()
    if not packed:
        for path in sorted([*directory.glob("*.json"), *directory.glob("raw/*.json")]):
            if path.name != "PROFILE.json":
                yield path.name, path.read_bytes()


def _add_accounts(state: State) -> None:
    for account_id, name, email, token in (BOT, LEAD):
        if not state.row("SELECT 1 FROM jira_user WHERE account_id = ?", (account_id,)):
            seed.add_user(state, account_id, name, email)
        if state.account("jira", token) is None:
            seed.add_token(state, account_id, token)


def _add_issue(export: _Export, document: dict[str, Any]) -> None:
    fields = _without_addresses(document["fields"])
    issue_id, key = int(document["id"]), str(document["key"])
    if issues.find(export.state, str(issue_id)) or issues.find(export.state, key):
        raise ValueError(f"issue {key} (id {issue_id}) is already there")
    _add_project(export, fields["project"])
    for name in PEOPLE:
        _see_person(export, fields.get(name))
    _settle_things(export, fields)
    for link in fields.get("issuelinks") or []:
        _see_link(export, link)
    for other in [fields.get("parent"), *(fields.get("subtasks") or [])]:
        _settle_things(export, (other or {}).get("fields") or {})
    if "comment" in fields:
        fields["comment"] = _shortened(export, fields["comment"])
    for name, value in fields.items():
        if export.fields.get(name) is None:
            export.fields[name] = _guess(value)
    issues.insert(export.state, issue_id, key, int(fields["project"]["id"]), fields, loaded=True)
    for worklog in (fields.get("worklog") or {}).get("worklogs") or []:
        _add_worklog(export, issue_id, worklog)
    for history in (document.get("changelog") or {}).get("histories") or []:
        _add_history(export, issue_id, history)


def _add_worklog(export: _Export, issue_id: int, worklog: dict[str, Any]) -> None:
    """A worklog of the export; one that says when it began but not when it was entered was entered then."""
    _see_person(export, worklog.get("author"))
    author = issues.account_id_of(worklog.get("author")) or LEAD[0]
    started = milliseconds_of(worklog.get("started") or worklog.get("created")) or 0
    comment = worklog.get("comment")
    number = past.insert_worklog(
        export.state, issue_id, author, int(worklog["timeSpentSeconds"]), started,
        milliseconds_of(worklog.get("created")) or started,
        comment[:COMMENT_LENGTH] if isinstance(comment, str) else comment, worklog.get("visibility"),
        number=int(worklog["id"]),
    )  # fmt: skip
    updated = milliseconds_of(worklog.get("updated"))
    if updated:
        export.state.db.execute("UPDATE jira_worklog SET updated_ms = ? WHERE id = ?", (updated, number))


def _add_history(export: _Export, issue_id: int, history: dict[str, Any]) -> None:
    _see_person(export, history.get("author"))
    author = issues.account_id_of(history.get("author")) or LEAD[0]
    created = milliseconds_of(history["created"]) or 0
    log.add(export.state, issue_id, author, created, history["items"], history.get("historyMetadata"))


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_addresses(one) for name, one in value.items() if name not in DROPPED}
    if isinstance(value, list):
        return [_without_addresses(one) for one in value]
    return value


def _add_project(export: _Export, project: dict[str, Any]) -> None:
    number = int(project["id"])
    if number in export.projects:
        return
    export.projects.add(number)
    if export.state.row("SELECT 1 FROM jira_project WHERE id = ? OR key = ?", (number, project["key"])):
        raise ValueError(f"project {project['key']} (id {number}) is already there")
    category = (project.get("projectCategory") or {}).get("name")
    seed.add_project(export.state, project["key"], project["name"], LEAD[0], category=category, project_id=number)
    seed.set_role(export.state, project["key"], BOT[0], "admin")


def _see_person(export: _Export, user: dict[str, Any] | None) -> None:
    """Remember a person; an export of a Data Center site has names, which serve as account ids."""
    account_id = issues.account_id_of(user)
    if user is None or account_id is None:
        return
    user["accountId"] = account_id
    export.users.setdefault(account_id, user)


def _settle_things(export: _Export, fields: issues.Fields) -> None:
    """Add the statuses, types, ... that an issue names. Two exports may use one id for different things."""
    for name, kind in KINDS.items():
        value = fields.get(name)
        if value and "id" in value:
            value["id"] = _thing_id(export, kind, value)


def _thing_id(export: _Export, kind: str, value: dict[str, Any]) -> str:
    known = (kind, str(value["id"]), value["name"])
    if known not in export.ids:
        export.ids[known] = _add_thing(export.state, kind, value)
    return export.ids[known]


def _add_thing(state: State, kind: str, value: dict[str, Any]) -> str:
    rows = state.rows("SELECT id, name FROM jira_thing WHERE kind = ?", (kind,))
    taken = {row["id"]: row["name"] for row in rows}
    thing_id = str(value["id"])
    if taken.get(thing_id, value["name"]) != value["name"]:
        thing_id = next(
            str(number) for number in range(20000, 30000) if taken.get(str(number)) in (None, value["name"])
        )
    document = {"self": f"{SITE}/rest/api/3/{kind}/{thing_id}"} | value | {"id": thing_id}
    add_thing(state, kind, thing_id, value["name"], document)
    return thing_id


def _see_link(export: _Export, link: dict[str, Any]) -> None:
    kind = link.get("type")
    if kind and "id" in kind:
        kind["id"] = _thing_id(export, "issueLinkType", kind)
    for end in ("inwardIssue", "outwardIssue"):
        _settle_things(export, (link.get(end) or {}).get("fields") or {})


def _shortened(export: _Export, page: dict[str, Any]) -> dict[str, Any]:
    """A page of comments whose texts keep their beginnings: whole, they are a third of an export."""
    comments = []
    for comment in page.get("comments", []):
        for name in ("author", "updateAuthor"):
            _see_person(export, comment.get(name))
        body = comment.get("body")
        comments.append(comment | ({"body": body[:COMMENT_LENGTH]} if isinstance(body, str) else {}))
    return page | {"comments": comments}


def _add_user(state: State, account_id: str, user: dict[str, Any]) -> None:
    if state.row("SELECT 1 FROM jira_user WHERE account_id = ?", (account_id,)):
        return
    kept = ("displayName", "active", "timeZone", "emailAddress", "name", "key")
    document: dict[str, Any] = {
        "self": f"{SITE}/rest/api/3/user?accountId={account_id}", "accountId": account_id, "accountType": "atlassian",
        "active": True,
    }  # fmt: skip
    document |= {name: user[name] for name in kept if name in user}
    state.db.execute(
        "INSERT INTO jira_user (account_id, admin, document) VALUES (?, 0, ?)", (account_id, as_json(document))
    )


def _add_fields(export: _Export) -> None:
    """Describe the fields that were met; an export does not name its custom fields, so their ids are their names."""
    known = {row[0] for row in FIELDS} | {row["id"] for row in export.state.rows("SELECT id FROM jira_field")}
    for name, schema in sorted(export.fields.items()):
        if name in known:
            continue
        found = schema or {"type": "any"}
        if name.startswith("customfield_"):
            seed.add_field(export.state, name, name, found)
            continue
        document = {
            "id": name, "key": name, "name": name, "custom": False, "orderable": False, "navigable": True,
            "searchable": False, "clauseNames": [name], "schema": found | {"system": name},
        }  # fmt: skip
        export.state.db.execute(
            "INSERT INTO jira_field (id, name, document) VALUES (?, ?, ?)", (name, name, as_json(document))
        )


def _guess(value: Any) -> dict[str, Any] | None:
    """The schema a value has; None while it says nothing."""
    if value is None or value == []:
        return None
    if isinstance(value, list):
        return {"type": "array", "items": "string" if isinstance(value[0], str) else "json"} | _custom("any")
    if isinstance(value, bool):
        return {"type": "any"}
    if isinstance(value, int | float):
        return {"type": "number"}
    if isinstance(value, str):
        return {"type": "string"}
    return {"type": "option"} if "value" in value else {"type": "user"} if "displayName" in value else {"type": "any"}


def _custom(kind: str) -> dict[str, str]:
    return {"custom": CUSTOM_TYPES[kind]}
