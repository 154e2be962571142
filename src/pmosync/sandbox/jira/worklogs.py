"""Serves the time people log on issues, and the two feeds that tell which worklogs were changed and deleted.

It keeps the promise that logging time is an edit of the issue, with a new date and a history, and that the feeds leave
out the last minute, as Jira's do.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, edit, issues, log, past, render, switches, text
from .access import refusal
from .tables import SITE, milliseconds, stamp
from .values import seconds_of

IDS = 1000
FEED_PAGE = 1000
HELD_BACK_MS = 60_000
PAGE = 5000
EMBEDDED = 20


def rules(state: State) -> list[Rule]:
    """The worklogs' part of the API."""
    one = "/rest/api/3/issue/{issueIdOrKey}/worklog"
    return [
        (("GET",), one, _of_issue),
        (("POST",), one, _add),
        (("GET",), f"{one}/{{id}}", _get),
        (("PUT",), f"{one}/{{id}}", _edit),
        (("DELETE",), f"{one}/{{id}}", _delete),
        (("GET",), "/rest/api/3/worklog/updated", _updated),
        (("GET",), "/rest/api/3/worklog/deleted", _deleted),
        (("POST",), "/rest/api/3/worklog/list", _list),
    ]


# -- as they are shown ------------------------------------------------------------------------------------------------


def embedded(state: State, issue_id: int, version_2: bool) -> dict[str, Any]:
    """The first worklogs of an issue, as its field shows them."""
    rows = _rows(state, issue_id)
    shown = [document(state, row, version_2) for row in rows[:EMBEDDED]]
    return {"startAt": 0, "maxResults": EMBEDDED, "total": len(rows), "worklogs": shown}


def document(state: State, row: dict[str, Any], version_2: bool, expand: str = "") -> dict[str, Any]:
    """A worklog as answered."""
    comment, visibility = from_json(row["comment"]), from_json(row["visibility"])
    found = {
        "self": f"{SITE}/rest/api/3/issue/{row['issue_id']}/worklog/{row['id']}",
        "author": render.user_reference(state, row["author"]),
        "updateAuthor": render.user_reference(state, row["editor"]),
        "created": stamp(row["created_ms"]), "updated": stamp(row["updated_ms"]), "started": stamp(row["started_ms"]),
        "timeSpent": render.duration(row["seconds"]), "timeSpentSeconds": row["seconds"], "id": str(row["id"]),
        "issueId": str(row["issue_id"]),
    }  # fmt: skip
    found |= {} if comment is None else {"comment": render.shown_text(comment, version_2)}
    found |= {"visibility": visibility} if visibility else {}
    return found | ({"properties": from_json(row["properties"])} if "properties" in expand else {})


def _rows(state: State, issue_id: int) -> list[dict[str, Any]]:
    return state.rows("SELECT * FROM jira_worklog WHERE issue_id = ? ORDER BY created_ms, id", (issue_id,))


def _in_circle(call: Call, issue: dict[str, Any], row: dict[str, Any]) -> bool:
    return access.in_circle(call.state, call.user["id"], issue["project_id"], from_json(row["visibility"]))


def _of_issue(call: Call) -> Response:
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    given = (call.query.get("startAt", "0"), call.query.get("maxResults", str(PAGE)))
    if not all(number.isdigit() for number in given):
        raise Refused(404, refusal("startAt and maxResults must be whole numbers."))
    start, size = int(given[0]), min(PAGE, int(given[1]))
    after, before = int(call.query.get("startedAfter", 0)), int(call.query.get("startedBefore", 2**62))
    rows = [row for row in _rows(call.state, issue["id"]) if after <= row["started_ms"] < before]
    rows = [
        row
        for row in rows
        if access.in_circle(call.state, call.user["id"], issue["project_id"], from_json(row["visibility"]))
    ]
    expand, old = call.query.get("expand", ""), render.is_version_2(call)
    shown = [document(call.state, row, old, expand) for row in rows[start : start + size]]
    return render.answer(call, {"startAt": start, "maxResults": size, "total": len(rows), "worklogs": shown})


def _seen(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    sql = "SELECT * FROM jira_worklog WHERE issue_id = ? AND id = ?"
    row = call.state.row(sql, (issue["id"], call.args["id"]))
    if row is None or not access.in_circle(
        call.state, call.user["id"], issue["project_id"], from_json(row["visibility"])
    ):
        raise Refused(404, refusal(f"Cannot find worklog with id: '{call.args['id']}'."))
    return issue, row


def _get(call: Call) -> Response:
    _, row = _seen(call)
    old = render.is_version_2(call)
    return render.answer(call, document(call.state, row, old, call.query.get("expand", "")))


# -- as they are written ----------------------------------------------------------------------------------------------


def _given(call: Call, new: bool) -> dict[str, Any]:
    """What a request says of a worklog, checked."""
    given = call.body if isinstance(call.body, dict) else {}
    found: dict[str, Any] = {}
    if "timeSpentSeconds" in given or "timeSpent" in given:
        seconds = given.get("timeSpentSeconds", seconds_of(str(given.get("timeSpent"))))
        if not isinstance(seconds, int) or seconds < 60:
            raise Refused(400, refusal(timeLogged="You must specify a valid time spent, of a minute or more."))
        found["seconds"] = seconds
    elif new:
        raise Refused(400, refusal(timeLogged="You must indicate the time spent working."))
    if given.get("started"):
        try:
            found["started_ms"] = milliseconds(datetime.fromisoformat(str(given["started"])).astimezone(UTC))
        except ValueError:
            raise Refused(400, refusal(started="The date has to be like 2021-01-17T12:34:00.000+0000.")) from None
    elif new:
        found["started_ms"] = milliseconds(call.state.now())
    if given.get("comment") is not None:
        fits = isinstance(given["comment"], str) if render.is_version_2(call) else text.is_document(given["comment"])
        if not fits:
            raise Refused(400, refusal(comment="Comment body is not valid!"))
        found["comment"] = given["comment"]
    return found | {name: given[name] for name in ("visibility", "properties") if given.get(name)}


def _estimate(call: Call, fields: issues.Fields, verb: str, sign: int) -> int | None:
    """The remaining estimate a request asks for: None when it follows from the time spent."""
    way = call.query.get("adjustEstimate", "auto")
    if way == "leave":
        return int(fields.get("timeestimate") or 0)
    if way not in ("new", "manual") or (way == "manual" and not verb):
        return None
    name = "newEstimate" if way == "new" else verb
    seconds = seconds_of(call.query.get(name, ""))
    if seconds is None:
        raise Refused(400, refusal(adjustEstimate=f"You must specify a valid {name}."))
    return seconds if way == "new" else max(0, int(fields.get("timeestimate") or 0) + sign * seconds)


def _log(
    call: Call, issue: dict[str, Any], seconds: int, estimate: int | None, items: list[log.Item] | None = None
) -> None:
    """Change the issue as logging this much more (or less) does."""
    before = issues.fields_of(issue)
    fields = before | (past.spent(before, seconds, estimate) if seconds or estimate is not None else {})
    quiet = call.query.get("notifyUsers") == "false"
    if not edit.write_back(call, issue, before, fields, None, quiet=quiet, more=items or []):
        edit.touch(call, issue["id"])


def _add(call: Call) -> Response:
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    if not access.may(call.state, call.user["id"], issue["project_id"], "WORK_ON_ISSUES"):
        raise Refused(400, refusal("You do not have the permission to associate a worklog to this issue."))
    most = int(switches.get(call.state, "worklogs_per_issue"))
    if most and len(_rows(call.state, issue["id"])) >= most:
        raise Refused(413, refusal("The maximum number of worklogs for this issue has been reached."))
    found, now = _given(call, new=True), milliseconds(call.state.now())
    estimate = _estimate(call, issues.fields_of(issue), "reduceBy", -1)
    number = past.insert_worklog(
        call.state, issue["id"], call.user["id"], found["seconds"], found["started_ms"], now, found.get("comment"),
        found.get("visibility"), found.get("properties"),
    )  # fmt: skip
    _log(call, issue, found["seconds"], estimate)
    call.state.changed("jira", call.user["name"], issue["key"], "worklog", None, found["seconds"])
    row = call.state.row("SELECT * FROM jira_worklog WHERE id = ?", (number,)) or {}
    return render.answer(call, document(call.state, row, render.is_version_2(call), "properties"), 201)


def _own(call: Call, verb: str) -> tuple[dict[str, Any], dict[str, Any]]:
    issue, row = _seen(call)
    whose = "OWN" if row["author"] == call.user["id"] else "ALL"
    allowed = [f"{verb}_{whose}_WORKLOGS", f"{verb}_ALL_WORKLOGS"]
    if not any(access.may(call.state, call.user["id"], issue["project_id"], one) for one in allowed):
        raise Refused(400, refusal("You do not have the permission to change this worklog."))
    return issue, row


def _edit(call: Call) -> Response:
    issue, row = _own(call, "EDIT")
    found = _given(call, new=False)
    estimate = _estimate(call, issues.fields_of(issue), "", 0)
    as_text = {name: as_json(found[name]) for name in ("comment", "visibility", "properties") if name in found}
    changed = row | found | as_text | {"updated_ms": milliseconds(call.state.now()), "editor": call.user["id"]}
    call.state.db.execute(
        "UPDATE jira_worklog SET editor = :editor, updated_ms = :updated_ms, started_ms = :started_ms, "
        "seconds = :seconds, comment = :comment, visibility = :visibility, properties = :properties WHERE id = :id",
        changed,
    )
    number = str(row["id"])
    items = [log.plain("WorklogId", (number, number), (number, number))]
    _log(call, issue, changed["seconds"] - row["seconds"], estimate, items)
    call.state.changed("jira", call.user["name"], issue["key"], "worklog", row["seconds"], changed["seconds"])
    return render.answer(call, document(call.state, changed, render.is_version_2(call), "properties"))


def _delete(call: Call) -> Response:
    issue, row = _own(call, "DELETE")
    estimate = _estimate(call, issues.fields_of(issue), "increaseBy", 1)
    call.state.db.execute("DELETE FROM jira_worklog WHERE id = ?", (row["id"],))
    call.state.db.execute("INSERT INTO jira_worklog_gone VALUES (?, ?)", (row["id"], milliseconds(call.state.now())))
    number = str(row["id"])
    _log(call, issue, -row["seconds"], estimate, [log.plain("WorklogId", (number, number), (None, None))])
    call.state.changed("jira", call.user["name"], issue["key"], "worklog", row["seconds"], None)
    return empty_answer()


# -- the feeds --------------------------------------------------------------------------------------------------------


def _updated(call: Call) -> Response:
    sql = "SELECT id, updated_ms AS at, issue_id, visibility, properties FROM jira_worklog"
    sql += " WHERE updated_ms > ? AND updated_ms <= ? ORDER BY at, id"
    return _feed(call, call.state.rows(sql, _window(call)), "updated")


def _deleted(call: Call) -> Response:
    sql = "SELECT id, at_ms AS at FROM jira_worklog_gone WHERE at_ms > ? AND at_ms <= ? ORDER BY at, id"
    return _feed(call, call.state.rows(sql, _window(call)), "deleted")


def _window(call: Call) -> tuple[int, int]:
    since = call.query.get("since", "0")
    if not since.lstrip("-").isdigit():
        raise Refused(404, refusal("since must be a number of milliseconds."))
    return int(since), milliseconds(call.state.now()) - HELD_BACK_MS


def _feed(call: Call, rows: list[dict[str, Any]], name: str) -> Response:
    """A page of a feed, oldest first: one that is full ends before the worklogs of an instant it cannot hold whole."""
    seen = list(islice((row for row in rows if _may_see(call, row)), FEED_PAGE + 1))
    page = seen[:FEED_PAGE]
    if len(seen) > FEED_PAGE:
        page = [row for row in page if row["at"] != seen[FEED_PAGE]["at"]] or page
    since, _ = _window(call)
    until = page[-1]["at"] if page else since
    expand = "properties" in call.query.get("expand", "")
    values = [
        {
            "worklogId": row["id"], "updatedTime": row["at"],
            "properties": from_json(row["properties"]) if expand and "properties" in row else [],
        }
        for row in page
    ]  # fmt: skip
    address = f"{SITE}/rest/api/3/worklog/{name}?since="
    body = {
        "values": values, "since": since, "until": until, "self": f"{address}{since}", "nextPage": f"{address}{until}",
        "lastPage": len(page) == len(seen),
    }  # fmt: skip
    return render.answer(call, body)


def _may_see(call: Call, row: dict[str, Any]) -> bool:
    """Whether an account may know of a worklog; that one was deleted everybody may know."""
    if "issue_id" not in row:
        return True
    issue = access.visible_issue(call, str(row["issue_id"]))
    return issue is not None and access.in_circle(
        call.state, call.user["id"], issue["project_id"], from_json(row["visibility"])
    )


def _list(call: Call) -> Response:
    ids = (call.body if isinstance(call.body, dict) else {}).get("ids") or []
    if not 0 < len(ids) <= IDS:
        raise Refused(400, refusal(f"Between 1 and {IDS} worklog ids can be given."))
    sql = f"SELECT * FROM jira_worklog WHERE id IN ({', '.join('?' * len(ids))}) ORDER BY id"
    rows = [row for row in call.state.rows(sql, tuple(ids)) if _may_see(call, row)]
    expand, old = call.query.get("expand", ""), render.is_version_2(call)
    return render.answer(call, [document(call.state, row, old, expand) for row in rows])
