"""What is ours in the whole state of both tools, named so that two worlds can be compared, and what is not.

Numbers and instants that the tools give are left out or told by name: the key of a status issue, the gid of a field.
Nothing is folded into one: what stands twice is told twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.acceptance.office import State
from tests.acceptance.people import MADE
from tests.acceptance.settled import LABELS, PROPERTY, as_told, without_ours

Marks = dict[tuple[str, ...], Any]
Row = dict[str, Any]
GIVEN = {"created_ms", "updated_ms", "created_at", "completed_at", "modified_at", "position", "number", "key", "id"}
"""Columns whose values the tools give when something is made or moved."""
PAGE = ("summary", "description", "labels", "issuetype", "status", "assignee")


def marks(state: State) -> tuple[Marks, list[tuple[str, ...]]]:
    """Everything of ours, and the names of what stands more than once."""
    found: Marks = {}
    twice = []
    for name, value in (*_in_jira(state), *_in_asana(state)):
        if name in found:
            twice.append(name)
        found[name] = value
    return found, twice


def _in_jira(state: State) -> Iterator[tuple[tuple[str, ...], Any]]:
    own = {row["entity_id"]: row["value"]["id"] for row in state["jira_property"] if row["key"] == "pmosync.status"}
    names: dict[int, str] = {row["id"]: _name(row["id"], row["fields"]["summary"]) for row in state["jira_issue"]}
    names |= {number: f"status of {rollup}" for number, rollup in own.items()}
    for row in state["jira_property"]:
        if row["key"].startswith(PROPERTY):
            on = names[row["entity_id"]] if row["entity"] == "issue" else f"project {row['entity_id']}"
            yield ("property", on, row["key"]), row["value"]
    for row in state["jira_issue"]:
        for label in row["fields"]["labels"]:
            if label in LABELS:
                yield ("label", names[row["id"]]), label
        if row["id"] in own:
            yield ("page", names[row["id"]]), {name: row["fields"][name] for name in PAGE}
    for row in state["jira_remote_link"]:
        if (row["global_id"] or "").startswith(PROPERTY):
            yield ("link", names[row["issue_id"]]), row["document"]["object"]


def _in_asana(state: State) -> Iterator[tuple[tuple[str, ...], Any]]:
    fields = {row["gid"]: row["name"] for row in state["asana_field"] if row["name"].startswith("PMO ")}
    options = {row["gid"]: row["name"] for row in state["asana_option"]}
    names: dict[str, str] = {row["gid"]: _name(row["gid"], row["name"]) for row in state["asana_task"]}
    for row in state["asana_field"]:
        if row["gid"] in fields:
            yield ("field", row["name"]), {name: value for name, value in row.items() if name != "gid"}
    for row in state["asana_option"]:
        if row["field"] in fields:
            yield ("option", fields[row["field"]], row["name"]), row["color"]
    for row in state["asana_setting"]:
        if row["field"] in fields:
            yield ("setting", row["parent"], fields[row["field"]]), row["is_important"]
    for row in state["asana_value"]:
        if row["field"] in fields:
            value = str(row["value"]).strip('"')
            yield ("value", names.get(row["item"], str(row["item"])), fields[row["field"]]), options.get(value, value)


def _name(number: Any, title: Any) -> str:
    """How an item is called in every world."""
    return str(title if str(title).startswith(MADE) else number)


def people_made(state: State) -> State:
    """The work of people alone, without the numbers and instants that the tools give."""
    own = {row["entity_id"]: row["value"]["id"] for row in state["jira_property"] if row["key"] == "pmosync.status"}
    rest = without_ours(as_told(state))
    for row in rest["jira_comment"]:
        row["issue_id"] = own.get(row["issue_id"], row["issue_id"])
    return {table: [_bare(row) for row in rows] for table, rows in rest.items()}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items() if name not in GIVEN}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value
