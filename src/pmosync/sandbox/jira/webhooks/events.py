"""Turns what a call changed into the events that Jira has for it, in the order they happened.

It keeps the promise that one edit is one event, however many columns it wrote, and that what a bulk operation or a
deletion entails is marked as the secondary flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...state import State, from_json
from .. import issues
from .capture import Change
from .tables import Row

MOVING = ("ENQUEUED", "RUNNING")
MERGED = ("jira_version", "jira_sprint", "jira_project", "jira_comment", "jira_worklog")
NAMES = {"INSERT": "created", "UPDATE": "updated", "DELETE": "deleted"}
ASIDE = {"archived": ("project_archived", "project_restored_archived"),
         "deleted": ("project_soft_deleted", "project_restored_deleted")}  # fmt: skip
TYPES = {"assignee": "issue_assigned", "status": "issue_generic", "Key": "issue_moved", "timespent": "issue_worklogged",
         "WorklogId": "issue_worklog_updated"}  # fmt: skip
COMMENTED = {"comment_created": "issue_commented", "comment_updated": "issue_comment_edited",
             "comment_deleted": "issue_comment_deleted"}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened: to an issue, or to what `row` is."""

    name: str
    row: Row
    before: Row = field(default_factory=dict)
    issue: Row | None = None
    type_name: str | None = None
    """Jira's finer name of what happened to an issue."""
    user_id: str | None = None
    secondary: bool = False
    bulk: dict[str, Any] | None = None
    """What is told of the bulk operation that caused it."""


def events_of(state: State, changes: Sequence[Change], *, caller: str, data_center: bool) -> list[Event]:
    """The events of one call's changes; `caller` is the account that made it."""
    builder = _Builder(state, changes, caller, data_center=data_center)
    for change in _merged(changes):
        builder.take(change)
    return builder.found


def gone(changes: Iterable[Change]) -> dict[int, Row]:
    """The issues that were deleted, as they were."""
    return {one.old["id"]: one.old for one in changes if one.source == "jira_issue" and one.verb == "DELETE"}


def _merged(changes: Sequence[Change]) -> list[Change]:
    """The changes with several updates of one row as one, at the place of the first."""
    found: list[Change] = []
    places: dict[tuple[str, Any], int] = {}
    for change in changes:
        name = (change.source, change.row.get("id"))
        if change.source in MERGED and change.verb == "UPDATE" and name in places:
            found[places[name]] = replace(found[places[name]], new=change.new)
            continue
        if change.source in MERGED:
            places[name] = len(found)
        found.append(change)
    return found


class _Builder:
    def __init__(self, state: State, changes: Sequence[Change], caller: str, *, data_center: bool) -> None:
        self.found: list[Event] = []
        self._state = state
        self._data_center = data_center
        self._gone = gone(changes)
        self._bulk_from = 0
        self._caller = caller
        self._takers = {
            "jira_issue": self._issue, "jira_history": self._history, "jira_comment": self._comment,
            "jira_worklog": self._worklog, "jira_link": self._link, "jira_property": self._property,
            "jira_version": self._version, "jira_sprint": self._sprint, "jira_project": self._project,
            "jira_project_state": self._project_state, "jira_task": self._task,
        }  # fmt: skip

    def take(self, change: Change) -> None:
        self._takers[change.source](change)

    def _add(self, name: str, change: Change, **more: Any) -> None:
        self.found.append(Event(name, change.row, change.old if change.verb == "UPDATE" else {}, **more))

    def _issue_of(self, number: int) -> Row | None:
        return self._gone.get(number) or issues.find(self._state, str(number))

    # -- issues and what belongs to them --------------------------------------------------------------------------

    def _issue(self, change: Change) -> None:
        number = change.row["id"]
        if change.verb == "INSERT":
            issue = self._issue_of(number)
            if issue and number not in self._gone:
                user = issues.account_id_of(issues.fields_of(issue).get("creator"))
                self._add("jira:issue_created", change, issue=issue, type_name="issue_created", user_id=user)
            return
        entailed = change.old["parent_id"] in self._gone
        self._add("jira:issue_deleted", change, issue=change.old, user_id=self._caller, secondary=entailed)

    def _history(self, change: Change) -> None:
        issue = self._issue_of(change.new["issue_id"])
        if issue and issue["id"] not in self._gone:
            names = [item["field"] for item in from_json(change.new["items"])]
            kind = next((TYPES[name] for name in names if name in TYPES), "issue_updated")
            self._add("jira:issue_updated", change, issue=issue, type_name=kind, user_id=change.new["author"])

    def _of_issue(self, entity: str, change: Change) -> str | None:
        """Add the event of a comment or worklog; gives its name, unless it went with its issue."""
        issue = self._issue_of(change.row["issue_id"])
        went = change.row["issue_id"] in self._gone
        name = f"{entity}_{NAMES[change.verb]}"
        if issue:
            self._add(name, change, issue=issue, secondary=went)
        return None if went else name

    def _comment(self, change: Change) -> None:
        only_properties = change.verb == "UPDATE" and change.old["updated_ms"] == change.new["updated_ms"]
        if only_properties and change.old["body"] == change.new["body"]:
            return
        name = self._of_issue("comment", change)
        if name and self._data_center:
            issue = self._issue_of(change.row["issue_id"])
            author = self._caller if change.verb == "DELETE" else change.row["editor"] or change.row["author"]
            self._add("jira:issue_updated", change, issue=issue, type_name=COMMENTED[name], user_id=author)

    def _worklog(self, change: Change) -> None:
        self._of_issue("worklog", change)

    def _link(self, change: Change) -> None:
        went = {change.row["inward_id"], change.row["outward_id"]} & self._gone.keys()
        self._add(f"issuelink_{NAMES[change.verb]}", change, secondary=bool(went))

    def _property(self, change: Change) -> None:
        number = change.row["entity_id"]
        issue = self._issue_of(number) if change.row["entity"] == "issue" and number not in self._gone else None
        if issue:
            name = "issue_property_deleted" if change.verb == "DELETE" else "issue_property_set"
            self._add(name, change, issue=issue)

    # -- versions, sprints, projects ------------------------------------------------------------------------------

    def _version(self, change: Change) -> None:
        name = NAMES[change.verb]
        if change.verb == "UPDATE" and change.old["released"] != change.new["released"]:
            name = "released" if change.new["released"] else "unreleased"
        self._add(f"jira:version_{name}", change)

    def _sprint(self, change: Change) -> None:
        name = NAMES[change.verb]
        if change.verb == "UPDATE" and change.old["state"] != change.new["state"]:
            name = {"active": "started", "closed": "closed"}.get(change.new["state"], name)
        self._add(f"sprint_{name}", change)

    def _project(self, change: Change) -> None:
        self._add(f"project_{NAMES[change.verb]}", change)

    def _project_state(self, change: Change) -> None:
        project = self._state.row("SELECT * FROM jira_project WHERE id = ?", (change.row["project_id"],))
        names = ASIDE.get(change.row["status"])
        if project and names:
            self.found.append(Event(names[change.verb == "DELETE"], project))

    # -- bulk operations ------------------------------------------------------------------------------------------

    def _task(self, change: Change) -> None:
        """A task that ended did what was found since the last one that did."""
        document = from_json(change.new["document"])
        was = from_json(change.old["document"])["status"] if change.old else "ENQUEUED"
        if was in MOVING and document["status"] not in MOVING:
            told = {"sendMail": not document["given"].get("quiet", True)}
            for place in range(self._bulk_from, len(self.found)):
                self.found[place] = replace(self.found[place], secondary=True, bulk=told)
            self._bulk_from = len(self.found)
