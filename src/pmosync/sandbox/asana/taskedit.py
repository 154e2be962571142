"""Which properties of an Asana task a client may write, and what each must look like.

A request is checked whole before anything is stored: it is applied as sent or refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from pmosync.sandbox.asana import access, customtypes, edits, events, fields, markup, notifications, tables
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.asana.tables import Row
from pmosync.sandbox.call import Call

SUBTYPES = ("default_task", "milestone", "approval", "custom")
APPROVALS = ("pending", "approved", "rejected", "changes_requested")
# Accepted and without an effect here.
IGNORED = frozenset({"workspace", "liked", "hearted", "assignee_status", "assignee_section", "external", "gid"})


def change_task(call: Call, task: Row, given: Row) -> None:
    """Apply what a client sent to a task that is there."""
    values = given.pop("custom_fields", None)
    differing = {k: v for k, v in new_columns(call, task, given).items() if v != task[k]}
    tables.update(call.state, "task", task["gid"], differing)
    for name, tell in TELLING.items():
        if name in differing:
            edits.task_changed(call, task["gid"], name, task[name], differing[name])
            tell(call, task, differing)
    changed = bool(differing)
    if values is not None:
        offered = fields.offered_to_task(call.state, task["gid"])
        changed |= edits.write_values(call, "task", task["gid"], values, offered)
    if changed:
        edits.touch(call.state, task["gid"])


def new_columns(call: Call, task: Row, given: Row) -> Row:
    """The columns of the task after the request."""
    out: Row = {}
    # a type comes before its status
    for name, value in sorted(given.items(), key=lambda one: one[0] != "custom_type"):
        if name in IGNORED:
            continue
        if name not in WRITERS:
            raise bad(f"{name}: Cannot write this property")
        out |= WRITERS[name](call, {**task, **out}, value)
    _check_dates({**task, **out}, given)
    return out


def _check_dates(task: Row, given: Row) -> None:
    if (given.get("due_on") and given.get("due_at")) or (given.get("start_on") and given.get("start_at")):
        raise bad("You may only provide one of due_on or due_at, and one of start_on or start_at.")
    starts = given.get("start_on") or given.get("start_at")
    if starts and not (given.get("due_on") or given.get("due_at")):
        raise bad("start_on: You must specify due_on or due_at when setting start_on or start_at.")
    if starts and task["resource_subtype"] == "milestone":
        raise bad("start_on: Milestones cannot have a start date.")
    if task["start_on"] and not task["due_on"]:
        raise bad("start_on: A task cannot have a start date without a due date.")
    if task["start_on"] and task["start_on"] > task["due_on"]:
        raise bad("start_on: The start date must not be after the due date.")


def _text(name: str) -> Callable[[Call, Row, Any], Row]:
    def write(call: Call, task: Row, value: Any) -> Row:
        if not isinstance(value, str):
            raise bad(f"{name}: Not a string: {value}")
        return {name: value}

    return write


def _html_notes(call: Call, task: Row, value: Any) -> Row:
    return {"notes": markup.check(value, "task", call.state)}


def _completed(call: Call, task: Row, value: Any) -> Row:
    if not isinstance(value, bool):
        raise bad(f"completed: Not a boolean: {value}")
    if bool(task["completed"]) == value:
        return {}
    approval = {"approval_status": "approved" if value else "pending"} if task["approval_status"] else {}
    return {**_completion(call, value), **approval, **customtypes.told_by_tick(call, task, value)}


def _completion(call: Call, value: bool) -> Row:
    if not value:
        return {"completed": 0, "completed_at": None, "completed_by": None}
    return {"completed": 1, "completed_at": tables.now(call.state), "completed_by": access.me(call)}


def _approval(call: Call, task: Row, value: Any) -> Row:
    if value not in APPROVALS:
        raise bad(f"approval_status: {value} is not one of {', '.join(APPROVALS)}")
    if task["resource_subtype"] != "approval":
        raise bad("approval_status: This task is not an approval.")
    if value == task["approval_status"]:
        return {}
    return {"approval_status": value, **_completion(call, value != "pending")}


def _assignee(call: Call, task: Row, value: Any) -> Row:
    if value in (None, "null", ""):
        return {"assignee": None}
    return {"assignee": access.see_user(call, str(value), "assignee")["gid"]}


def day(name: str, value: Any) -> str | None:
    """A date as Asana takes it, or the refusal."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise bad(f"{name}: Not a valid date: {value}") from error


def moment(name: str, value: Any) -> str | None:
    """An instant as Asana takes it, in this server's form."""
    if value is None:
        return None
    try:
        given = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise bad(f"{name}: Not a valid date-time: {value}") from error
    return tables.instant(given if given.tzinfo else given.replace(tzinfo=UTC))


def _date(which: str) -> Callable[[Call, Row, Any], Row]:
    return lambda call, task, value: {f"{which}_on": day(f"{which}_on", value), f"{which}_at": None}


def _date_time(which: str) -> Callable[[Call, Row, Any], Row]:
    def write(call: Call, task: Row, value: Any) -> Row:
        at = moment(f"{which}_at", value)
        return {f"{which}_at": at, f"{which}_on": at[:10] if at else None}

    return write


def _subtype(call: Call, task: Row, value: Any) -> Row:
    if value not in SUBTYPES:
        raise bad(f"resource_subtype: {value} is not one of {', '.join(SUBTYPES)}")
    if value == "custom":
        # what makes a task one of a custom type is the type
        return {}
    return {
        "resource_subtype": value, "approval_status": "pending" if value == "approval" else None,
        "custom_type": None, "custom_type_status_option": None,
    }  # fmt: skip


def _status(call: Call, task: Row, value: Any) -> Row:
    gid, complete = customtypes.in_status(call, task, value)
    moved = {} if bool(task["completed"]) == complete else _completion(call, complete)
    return {"custom_type_status_option": gid, **moved}


WRITERS: dict[str, Callable[[Call, Row, Any], Row]] = {
    "name": _text("name"),
    "notes": _text("notes"),
    "html_notes": _html_notes,
    "completed": _completed,
    "approval_status": _approval,
    "assignee": _assignee,
    "due_on": _date("due"),
    "due_at": _date_time("due"),
    "start_on": _date("start"),
    "start_at": _date_time("start"),
    "resource_subtype": _subtype,
    "custom_type": customtypes.typed,
    "custom_type_status_option": _status,
}


def _tell_name(call: Call, task: Row, new: Row) -> None:
    text = f'changed the name to "{new["name"]}"'
    edits.add_story(call, task["gid"], "name_changed", text, old_name=task["name"], new_name=new["name"])


def _tell_notes(call: Call, task: Row, new: Row) -> None:
    edits.add_story(call, task["gid"], "notes_changed", "changed the description")


def _tell_completed(call: Call, task: Row, new: Row) -> None:
    done = bool(new["completed"])
    subtype, text = ("marked_complete", "completed this task") if done else ("marked_incomplete", "reopened this task")
    edits.add_story(call, task["gid"], subtype, text)
    edits.tell_followers(call, task["gid"], "completed", text)


def _tell_assignee(call: Call, task: Row, new: Row) -> None:
    person = new["assignee"]
    if person is None:
        was = events.named(call.state, "user", task["assignee"])
        edits.add_story(call, task["gid"], "unassigned", f"unassigned from {was.get('name')}", assignee=was)
        return
    tables.follow(call.state, task["gid"], (person,))
    found = events.named(call.state, "user", person)
    edits.add_story(call, task["gid"], "assigned", f"assigned to {found.get('name')}", assignee=found)
    notifications.tell(call, [person], task["gid"], "assigned", "assigned to you")


def _tell_due(call: Call, task: Row, new: Row) -> None:
    text = f"changed the due date to {new['due_on']}" if new["due_on"] else "removed the due date"
    edits.add_story(call, task["gid"], "due_date_changed", text, **_dates(task, new))
    edits.tell_followers(call, task["gid"], "due_date", "due date changed")


def _tell_due_time(call: Call, task: Row, new: Row) -> None:
    """Of another time on the same day; another day is told of with its time."""
    if "due_on" not in new:
        _tell_due(call, task, {"due_on": task["due_on"], **new})


def _tell_start(call: Call, task: Row, new: Row) -> None:
    """Of a start that moved alone; one that moves with the due date is told of there."""
    if "due_on" in new:
        return
    text = f"changed the start date to {new['start_on']}" if new["start_on"] else "removed the start date"
    edits.add_story(call, task["gid"], "start_date_changed", text, **_dates(task, new))


def _dates(task: Row, new: Row) -> Row:
    """The dates before and after, as stories have them."""
    return {
        name: edits.dates(due=row["due_on"], due_at=row["due_at"], start_on=row["start_on"])
        for name, row in (("old_dates", task), ("new_dates", {**task, **new}))
    }


def _tell_subtype(call: Call, task: Row, new: Row) -> None:
    kinds = {"old_resource_subtype": task["resource_subtype"], "new_resource_subtype": new["resource_subtype"]}
    text = f"made this task a {new['resource_subtype']}"
    edits.add_story(call, task["gid"], "resource_subtype_changed", text, **kinds)


def _tell_approval(call: Call, task: Row, new: Row) -> None:
    if "resource_subtype" in new:
        return
    statuses = {"old_approval_status": task["approval_status"], "new_approval_status": new["approval_status"]}
    text = f"changed the approval status to {new['approval_status']}"
    edits.add_story(call, task["gid"], "approval_status_changed", text, **statuses)


def _tell_type(call: Call, task: Row, new: Row) -> None:
    """There is no story that a client could know by its kind; listeners hear of it."""


TELLING: dict[str, Callable[[Call, Row, Row], None]] = {
    "name": _tell_name,
    "notes": _tell_notes,
    "completed": _tell_completed,
    "assignee": _tell_assignee,
    "due_on": _tell_due,
    "due_at": _tell_due_time,
    "start_on": _tell_start,
    "approval_status": _tell_approval,
    "resource_subtype": _tell_subtype,
    "custom_type": _tell_type,
    "custom_type_status_option": _tell_type,
}


def tell_created(call: Call, task: str, parent: str | None) -> None:
    """The events, stories and notifications of a task that has just been made."""
    state = call.state
    if parent:
        tell_parent(call, task, None, parent)
    else:
        edits.task_event(call, task, "added")
    for gid in tables.projects_of(state, task, inherited=False):
        project = events.named(state, "project", gid)
        edits.task_event(call, task, "added", parent=project)
        edits.add_story(call, task, "added_to_project", f"added this task to {project.get('name')}", project=project)
    person = tables.scalar(state, "SELECT assignee FROM asana_task WHERE gid = ?", task)
    if person:
        found = events.named(state, "user", person)
        edits.add_story(call, task, "assigned", f"assigned to {found.get('name')}", assignee=found)
        notifications.tell(call, [person], task, "assigned", "assigned to you")


def tell_parent(call: Call, task: str, before: str | None, after: str | None) -> None:
    """The events and stories of a task that became a subtask, was moved to another task or stands by itself again."""
    for gid, action, words in ((before, "removed", "from"), (after, "added", "to")):
        if gid:
            resource, parent = (events.named(call.state, "task", one) for one in (task, gid))
            heard_by = [task, *events.scopes(call.state, gid)]
            events.record(call.state, access.me(call), resource, action, heard_by, parent=parent)
            told = f"{action} this task {words} {parent.get('name')}"
            edits.add_story(call, task, f"{action}_{words}_task", told, task=parent)
