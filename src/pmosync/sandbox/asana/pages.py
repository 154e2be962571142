"""The pages on which a team sees its Asana project and task, with whatever was written on them.

A page shows what the tool would show: names, dates, fields as pills, the feed. Everything written by people is escaped.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import page
from pmosync.sandbox.asana import fields, tables
from pmosync.sandbox.asana.problems import unknown
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.call import Call, Rule
from pmosync.sandbox.state import State, from_json

FEED = 200


def project_page(call: Call) -> Response:
    state = call.state
    project = tables.get(state, "project", call.args["project_gid"])
    if project is None:
        raise unknown("project", call.args["project_gid"])
    sections = rows(state, "SELECT * FROM asana_section WHERE project = ? ORDER BY position", project["gid"])
    placed = rows(
        state,
        "SELECT t.*, p.section FROM asana_placement p JOIN asana_task t ON t.gid = p.task"
        " WHERE p.project = ? AND t.trashed = 0 ORDER BY p.position",
        project["gid"],
    )
    offered = _offered(state, project["gid"])
    lines = {section["gid"]: [] for section in sections}  # type: dict[str, list[Row]]
    for task in placed:
        lines[task["section"]].append(_line(state, task, offered))
    return page(
        "asana_project.html",
        project=project,
        owner=_name(state, project["owner"]),
        fields=_pills(state, project["gid"], fields.offered_to_project(state, project["gid"])),
        columns=[field["name"] for field in offered],
        sections=[{**section, "tasks": lines[section["gid"]]} for section in sections],
        history=_history(state, project["gid"]),
    )


def _offered(state: State, project: str) -> list[Row]:
    sql = "SELECT field FROM asana_setting WHERE parent = ? ORDER BY position"
    found = [fields.definition(state, setting["field"]) for setting in rows(state, sql, project)]
    # The flag stands beside the title, where a team that sorts its columns would put it.
    return sorted(found, key=lambda field: not field["name"].startswith("PMO"))


def _line(state: State, task: Row, offered: list[Row]) -> Row:
    held = {pill["gid"]: pill for pill in _pills(state, task["gid"], [field["gid"] for field in offered])}
    subtasks = scalar(state, "SELECT count(*) FROM asana_task WHERE parent = ? AND trashed = 0", task["gid"])
    return {
        **task,
        "person": _name(state, task["assignee"]),
        "cells": [held.get(field["gid"]) for field in offered],
        "tags": _tags(state, task["gid"]),
        "subtasks": subtasks,
    }


def task_page(call: Call) -> Response:
    state = call.state
    task = tables.get(state, "task", call.args["task_gid"])
    if task is None or task["trashed"]:
        raise unknown("task", call.args["task_gid"])
    gid = task["gid"]
    return page(
        "asana_task.html",
        task=task,
        person=_name(state, task["assignee"]),
        parent=_short(state, task["parent"]),
        places=_places(state, gid),
        fields=_pills(state, gid, fields.offered_to_task(state, gid)),
        tags=_tags(state, gid),
        waits_for=_tied(state, "SELECT depends_on AS gid FROM asana_dependency WHERE task = ?", gid),
        blocks=_tied(state, "SELECT task AS gid FROM asana_dependency WHERE depends_on = ?", gid),
        subtasks=_tied(state, "SELECT gid FROM asana_task WHERE parent = ? AND trashed = 0 ORDER BY position", gid),
        stories=rows(
            state,
            "SELECT s.*, u.name AS person FROM asana_story s LEFT JOIN asana_user u ON u.gid = s.created_by"
            " WHERE s.task = ? ORDER BY s.created_at, s.gid",
            gid,
        ),
        followers=_followers(state, gid),
        history=_history(state, gid),
    )


def _name(state: State, gid: str | None) -> Row | None:
    found = tables.get(state, "user", gid) if gid else None
    if found is None:
        return None
    initials = "".join(part[0] for part in str(found["name"]).split()[:2])
    return {"name": found["name"], "initials": initials, "active": bool(found["active"])}


def _pills(state: State, item: str, offered: list[str]) -> list[Row]:
    """The custom fields that have a value, and the colour of the option."""

    def define(gid: str) -> Row:
        return fields.definition(state, gid)

    return [
        {
            "gid": entry["gid"],
            "name": entry["name"],
            "text": _shown(entry),
            "color": (entry.get("enum_value") or {}).get("color"),
            "enabled": entry["enabled"],
        }
        for entry in fields.entries(state, item, offered, define)
        if entry["display_value"] is not None
    ]


def _shown(entry: Row) -> str:
    """As the page shows a value: a duration, which is minutes, in hours."""
    if entry.get("format") == "duration":
        return f"{entry['number_value'] / 60:g} h"
    return str(entry["display_value"])


def _tags(state: State, task: str) -> list[Row]:
    sql = "SELECT t.* FROM asana_tagging g JOIN asana_tag t ON t.gid = g.tag WHERE g.task = ? ORDER BY t.name"
    return rows(state, sql, task)


def _places(state: State, task: str) -> list[Row]:
    return rows(
        state,
        "SELECT p.gid, p.name, s.name AS section FROM asana_placement a JOIN asana_project p ON p.gid = a.project"
        " JOIN asana_section s ON s.gid = a.section WHERE a.task = ? ORDER BY a.rowid",
        task,
    )


def _short(state: State, gid: str | None) -> Row | None:
    """Another task, with the project under which its page stands."""
    task = tables.get(state, "task", gid) if gid else None
    if task is None or task["trashed"]:
        return None
    projects = tables.projects_of(state, task["gid"], inherited=True)
    return {**task, "project": projects[0] if projects else "0", "person": _name(state, task["assignee"])}


def _tied(state: State, sql: str, gid: str) -> list[Row]:
    found = [_short(state, other["gid"]) for other in rows(state, sql, gid)]
    return [task for task in found if task]


def _followers(state: State, task: str) -> list[Any]:
    sql = "SELECT u.name FROM asana_follower f JOIN asana_user u ON u.gid = f.user WHERE f.item = ? ORDER BY u.name"
    return [person["name"] for person in rows(state, sql, task)]


def _history(state: State, item: str) -> list[Row]:
    sql = "SELECT * FROM change WHERE tool = 'asana' AND item = ? ORDER BY id DESC LIMIT ?"
    found = rows(state, sql, item, FEED)
    return [{**change, **{side: _readable(state, change[side]) for side in ("before", "after")}} for change in found]


def _readable(state: State, text: str | None) -> str:
    value = from_json(text)
    if value is None:
        return "nothing"
    person = tables.get(state, "user", value) if isinstance(value, str) else None
    return str(person["name"] if person else value)


RULES: list[Rule] = [
    (("GET",), "/0/{project_gid}", project_page),
    (("GET",), "/0/{project_gid}/{task_gid}", task_page),
]
