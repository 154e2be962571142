"""Writes the bodies of webhooks: the events as Jira tells them, with texts plain and addresses of version 2.

It keeps the promise that a body shows the site as it was when the call that caused it had ended, in the shape of the
site's own kind, Cloud or Data Center.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from ...call import Call
from ...state import from_json
from .. import issues, log, planning, render, seed, talk, versions, worklogs
from ..agile import AGILE
from ..datacenter.door import is_on
from ..datacenter.shapes import Shapes
from ..datacenter.view import View
from ..tables import SITE, milliseconds, thing
from .events import Event
from .tables import Row

BRIEF = ("summary", "issuetype", "project", "assignee", "priority", "status")
LEFT_OUT = frozenset({"comment", "worklog"})
AT_THE_START = ("description", "duedate", "labels", "assignee", "priority", "reporter", "status", "summary")


class Payloads:
    """Writes the bodies of one call's events."""

    def __init__(self, call: Call) -> None:
        builder = EnvironBuilder(path="/rest/api/2/webhook", base_url=call.request.host_url)
        self._call = replace(call, request=Request(builder.get_environ()), user={})
        self._state = call.state
        self.data_center = is_on(call.state)
        self._scope = render.scope_of(self._call)
        self._view = View(self._call) if self.data_center else None
        self._shapes = Shapes(call.state) if self.data_center else None
        self._now = milliseconds(call.state.now())

    def body(self, event: Event, matched: list[int] | None = None) -> bytes:
        """A whole body; `matched` are the ids of an app's webhooks that it answers."""
        found = self._shaped({"timestamp": self._now, "webhookEvent": event.name} | self._about(event))
        if event.name.startswith("issue_property"):
            # a property's value is nobody's to change
            kept = {} if event.name.endswith("deleted") else {"value": from_json(event.row["value"])}
            found["property"] = {"key": event.row["key"]} | kept
        found |= {"bulkOperationMetaData": event.bulk} if event.bulk and not self.data_center else {}
        found |= {"matchedWebhookIds": matched} if matched is not None else {}
        return render.answer(self._call, found).get_data()

    def _shaped(self, found: Row) -> Row:
        shaped: Row = self._shapes.of(found) if self._shapes else found
        return shaped

    def _about(self, event: Event) -> Row:
        family = event.name.removeprefix("jira:").partition("_")[0]
        if event.name.startswith("issue_property"):
            return {"issue": self._issue(event.issue or {}, brief=True)}
        writers = {
            "issue": self._of_issue, "comment": self._comment, "worklog": self._worklog, "issuelink": self._link,
            "sprint": self._sprint, "version": self._version, "project": self._project,
        }  # fmt: skip
        return writers[family](event)

    # -- issues ---------------------------------------------------------------------------------------------------

    def _of_issue(self, event: Event) -> Row:
        found: Row = {"issue_event_type_name": event.type_name} if event.type_name else {}
        user = seed.user_document(self._state, event.user_id)
        found |= {"user": user} if user else {}
        found["issue"] = self._issue(event.issue or {})
        if event.name == "jira:issue_created":
            found["changelog"] = {"id": str(event.row["id"]), "items": self._first_items(event.issue or {})}
        elif "items" in event.row:
            found["changelog"] = {"id": str(event.row["id"]), "items": self._items(event)}
        elif "body" in event.row:
            found["comment"] = talk.document(self._state, event.row, True)
        return found

    def _issue(self, row: Row, *, brief: bool = False) -> Row:
        wanted = BRIEF if brief else ("*all",)
        renderer = self._view.issue if self._view else lambda one, asked: render.issue(self._scope, one, asked)
        found: Row = renderer(row, render.Asked(wanted))
        found.pop("expand", None)
        found["fields"] = {name: value for name, value in found["fields"].items() if name not in LEFT_OUT}
        return found

    def _items(self, event: Event) -> list[Row]:
        if self._view is None:
            items: list[Row] = from_json(event.row["items"])
            return items
        asked = render.Asked(("id",), (), ("changelog",))
        histories = self._view.issue(event.issue or {}, asked)["changelog"]["histories"]
        return next((one["items"] for one in histories if one["id"] == str(event.row["id"])), [])

    def _first_items(self, row: Row) -> list[Row]:
        """What a new issue began with, told as moves from nothing."""
        fields = issues.fields_of(row)
        found = [
            item
            for name in AT_THE_START
            if fields.get(name)
            for item in log.moved(self._state, name, None, fields[name])
        ]
        return (
            [{key: value for key, value in one.items() if key != "fieldId"} for one in found] if self._view else found
        )

    # -- what belongs to issues -----------------------------------------------------------------------------------

    def _comment(self, event: Event) -> Row:
        found: Row = {"comment": talk.document(self._state, event.row, True)}
        # Data Center names the issue only in the comment's address
        return found if self.data_center else found | {"issue": self._issue(event.issue or {}, brief=True)}

    def _worklog(self, event: Event) -> Row:
        return {"worklog": worklogs.document(self._state, event.row, True)}

    def _link(self, event: Event) -> Row:
        kind = thing(self._state, "issueLinkType", event.row["type_id"]) or {}
        shown = {
            "id": int(kind.get("id", 0)), "name": kind.get("name"), "outwardName": kind.get("outward"),
            "inwardName": kind.get("inward"), "isSubTaskLinkType": False, "isSystemLinkType": False,
        }  # fmt: skip
        link = {
            "id": event.row["id"], "sourceIssueId": event.row["inward_id"],
            "destinationIssueId": event.row["outward_id"], "issueLinkType": shown, "systemLink": False,
        }  # fmt: skip
        return {"issueLink": link}

    # -- versions, sprints, projects ------------------------------------------------------------------------------

    def _version(self, event: Event) -> Row:
        return {"version": versions.document(self._call, event.row)}

    def _sprint(self, event: Event) -> Row:
        found = {"sprint": _sprint(event.row)}
        return found | ({"oldValue": _sprint(event.before)} if event.name == "sprint_updated" else {})

    def _project(self, event: Event) -> Row:
        document = from_json(event.row["document"])
        project = {
            "self": f"{SITE}/rest/api/3/project/{event.row['id']}", "id": event.row["id"], "key": event.row["key"],
            "name": event.row["name"], "avatarUrls": document.get("avatarUrls", {}),
            "projectLead": document.get("lead"), "assigneeType": "admin.assignee.type.unassigned",
        }  # fmt: skip
        return {"project": project}


def _sprint(row: Row) -> Row:
    found: dict[str, Any] = planning.embedded_sprint(row)
    found["originBoardId"] = found.pop("boardId")
    return found | {"self": f"{SITE}{AGILE}/sprint/{row['id']}"}
