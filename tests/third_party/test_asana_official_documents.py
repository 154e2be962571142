"""All that our connector says to Asana, and all that the sandbox answers, is judged by the vendor's own document."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pmosync.contract import Change, Choice, Slot, canonical
from pmosync.http.endpoints import Table
from pmosync_asana.endpoints import ENDPOINTS

from .asana_desk import API, Desk, a_desk, apart
from .conftest import SHARED
from .judging import Exchange, Finding, Judge

pytestmark = pytest.mark.shared

TEXT = "SCH201 <Overdue> & late, since 2026-02-20\nGuidance: https://pmo.example/SCH201.html?a=1&b=2"
PAGE = "PMO status: Move is amber\n# Why\nThree tasks are late & nobody says why.\n# Figures\n- 12 open"
MEASURES = canonical(
    {"compliance": 0.85, "findings": 4, "health": "amber", "late": 1, "open": 3, "progress": 0.4, "reason": "Late",
     "worst": "high"}
)  # fmt: skip
MANY = 105
READERS = ("getItemsForPortfolio", "getPortfolio", "getProject", "getProjects", "updatePortfolio", "updateProject")
CUSTOM = (
    "custom_fields.asana_created_field", "custom_fields.format", "custom_fields.people_value.gid",
    "custom_fields.people_value.name", "custom_fields.resource_subtype",
)  # fmt: skip
UPDATE = ("current_status_update.author.name", "current_status_update.created_at", "current_status_update.status_type")
PLAIN_ELSEWHERE = {("getItemsForPortfolio", "resource_type")} | {
    (operation, path) for operation in ("getProjects", "getItemsForPortfolio") for path in (*UPDATE, "owner.name")
}
"""Fields of an owner, a status update and an item, which the document has where it describes those."""
AS_OF_TASKS = {(operation, path) for operation in READERS for path in CUSTOM}
"""Parts of the values of custom fields that only the lists of tasks have; the values of projects and portfolios are
described in the same words."""
FARTHER = {("getTask", "memberships.project.archived")} | {
    (operation, f"{up}memberships.project.{name}")
    for operation, names in (("getTasks", ("gid",)), ("getTask", ("archived", "gid")))
    for up in ("parent." * level for level in range(1, 6))
    for name in names
}
"""Fields of a task's parents and of their projects, which the document has as gid and name alone. Where an answer does
not have them, the parents are read one by one, and a project counts as not archived."""
ANY_VALUE = "declares every value as a text, and describes texts, numbers, objects and lists; null clears a field"
OTHERWISE = {
    ("createCustomField", "undeclared_property", "body/data/default_access_level"):
        "has it in the answer alone, and does not say there that it is only for reading",
    ("updatePortfolio", "request_schema", "body/data/custom_fields/*"): ANY_VALUE,
    ("updateProject", "request_schema", "body/data/custom_fields/*"): ANY_VALUE,
    ("updateTask", "request_schema", "body/data/custom_fields/*"): ANY_VALUE,
}  # fmt: skip
"""What else we say otherwise than the document, and what it does there."""
NEVER = {"GET /workspaces/{workspace_gid}/tasks/search", "GET /projects/{project_gid}/task_counts"}
"""Named for the limits of their own that they have, and never asked."""


def explained() -> set[Finding]:
    """All that we say otherwise."""
    paths = PLAIN_ELSEWHERE | AS_OF_TASKS | FARTHER
    return {(operation, "parameter_schema", f"query/opt_fields/{path}") for operation, path in paths} | set(OTHERWISE)


# --- the document ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document(specproxy: Any) -> Any:
    """The vendor's document, with what Asana enforces and it does not say."""
    rules = json.loads((SHARED / "tools/specproxy/rules/asana.json").read_text())
    return specproxy.Spec(with_gids(specproxy.load_document(SHARED / "specs/asana_oas.json.gz")), rules=rules)


def with_gids(document: dict[str, Any]) -> dict[str, Any]:
    """The `gid` of whatever may be asked for may be: the document says that it always comes, and lists it nowhere."""
    for path in document["paths"].values():
        for operation in path.values():
            for one in operation.get("parameters", ()) if isinstance(operation, dict) else ():
                if one.get("name") == "opt_fields":
                    names = one["schema"]["items"]["enum"]
                    names += [f"{name}.gid" for name in names]
    return document


def judged(desk: Desk, document: Any) -> Judge:
    """Reads along from now on."""
    judge = Judge({API: document}, apart, most=25)
    desk.asana.session.hooks["response"].append(judge)
    return judge


def unsaid(judge: Judge) -> set[str]:
    """The calls that the connector has and did not make, alone or in a batch."""
    table = Table(ENDPOINTS)
    made = {table.find(method, path.removeprefix(API)).name for method, path in judge.paths}
    return {one.name for one in ENDPOINTS} - made


# --- what is said ---------------------------------------------------------------------------------------------------


def everything(desk: Desk) -> None:
    """Every call that the connector makes: reading, writing each slot once and in batches, taking everything back."""
    desk.asana.connector.describe()
    _people_work(desk)
    desk.prepare()
    desk.pull(full=True)
    stands = _written(desk)
    _in_batches(desk)
    _meanwhile(desk)
    desk.pull()
    section = desk.asana.of("task")[desk.gids["tasks"][3]].values["section"]
    assert section == Choice(desk.gids["todo"], "To be done")
    desk.wait(hours=7)
    desk.pull()
    desk.wait(days=8)
    desk.push(_updates(desk, "red", before="amber"))
    by_portfolio = replace(desk.scope, projects=(), portfolios=(desk.gids["portfolio"],))
    assert {batch.state for batch in desk.asana.pull(by_portfolio, full=True)} == {"complete"}
    desk.pull(full=True)
    readings = list(desk.asana.connector.read([one.slot for one in stands]))
    assert [(one.slot, one.why) for one in readings if one.value is None] == []
    _put_right(desk)
    _gone(desk)
    desk.push([replace(one, before=one.after, after=None) for one in stands])
    desk.asana.connector.release(desk.scope)


def _people_work(desk: Desk) -> None:
    """What leaves stories, and an update of a person."""
    gids, first = desk.gids, f"/tasks/{desk.gids['tasks'][0]}"
    desk.site.write("PUT", first, "ann", due_on="2026-03-20", custom_fields={gids["stage"]: gids["stages"]["Doing"]})
    desk.site.write("PUT", first, "ann", assignee=None)
    desk.site.write("POST", f"/sections/{gids['doing']}/addTask", "ann", task=gids["tasks"][0])
    desk.site.write("POST", f"{first}/addDependencies", "ann", dependencies=[gids["tasks"][1]])
    desk.site.write("POST", "/status_updates", "ann", parent=gids["project"], status_type="on_hold", text="Waits")


def _updates(desk: Desk, health: str, before: str = "") -> list[Change]:
    """Our updates of a project and of the portfolio."""
    gids = desk.gids

    def told(one: str) -> str | None:
        lines = ["3 of 12 tasks are <late> & nobody says why."]
        return canonical({"health": one, "title": f"Move is {one}", "lines": lines}) if one else None

    slots = (
        Slot("project", gids["project"], "status_update"),
        Slot("project", gids["second"], "status_update"),
        Slot("rollup", gids["portfolio"], "portfolio_update"),
    )
    return [Change(slot, told(before), told(health), gids["project"]) for slot in slots]


def _written(desk: Desk) -> list[Change]:
    """Every slot, set and changed; gives what stands there in the end."""
    gids = desk.gids
    one, other, *_ = gids["tasks"]

    def marks(task: str, word: str, **before: str) -> list[Change]:
        after = {"field": word, "text_field": f"{TEXT}\n{word}", "comment": f"{TEXT}\n{word}", "tag": word}
        return [
            Change(Slot("task", task, slot), before.get(slot), mark, gids["project"]) for slot, mark in after.items()
        ]

    first = [*marks(one, "high"), *marks(other, "low")]
    desk.push(first)
    there = {change.slot.name: str(change.after) for change in first[:4]}
    rollups = [
        Change(Slot("project", gids["project"], "fields"), None, MEASURES, gids["project"]),
        Change(Slot("project", gids["second"], "fields"), None, MEASURES, gids["second"]),
        Change(Slot("rollup", gids["portfolio"], "portfolio_fields"), None, MEASURES, gids["portfolio"]),
        Change(Slot("project", gids["project"], "brief"), None, PAGE, gids["project"]),
        Change(Slot("project", gids["second"], "brief"), None, PAGE, gids["second"]),
    ]
    desk.push(rollups)
    desk.push([replace(rollups[-1], before=PAGE, after=PAGE.replace("12 open", "11 open"))])
    edited = marks(one, "critical", **there)
    desk.push(edited)
    desk.push(_updates(desk, "amber"))
    rollups[-1] = replace(rollups[-1], after=PAGE.replace("12 open", "11 open"))
    return [*edited, *first[4:], *rollups, *_updates(desk, "red")]


def _in_batches(desk: Desk) -> None:
    """Many flags."""
    for slot, word in (("field", "medium"), ("text_field", TEXT), ("comment", TEXT), ("tag", "medium")):
        changes = [Change(Slot("task", task, slot), None, word, desk.gids["second"]) for task in desk.gids["many"][:12]]
        desk.push(changes)


def _meanwhile(desk: Desk) -> None:
    """Somebody edits, comments, commands, books time, deletes, and renames a section."""
    gids, (one, other, third, *_) = desk.gids, desk.gids["tasks"]
    desk.site.write("PUT", f"/tasks/{other}", "ann", name="Another")
    desk.site.write("PUT", f"/tasks/{gids['grandchild']}", "ann", name="A deep one")
    desk.site.write("POST", f"/tasks/{one}/stories", "ann", text="/pmo waive SCH201 until 2026-12-31: agreed")
    desk.site.write("POST", f"/tasks/{one}/time_tracking_entries", "ann", duration_minutes=30, entered_on="2026-03-02")
    desk.site.write("DELETE", f"/tasks/{third}", "ann")
    desk.site.write("PUT", f"/sections/{gids['todo']}", "ann", name="To be done")
    desk.wait(minutes=10)


def _put_right(desk: Desk) -> None:
    """One of our options was switched off, another's field was deleted."""
    pins = desk.scope.pins
    desk.site.write("PUT", f"/enum_options/{pins['task.field.option.info']}", "bot", enabled=False)
    desk.site.write("DELETE", f"/custom_fields/{pins['project.fields.open']}", "bot")
    desk.prepare()


def _gone(desk: Desk) -> None:
    """What became of tasks."""
    gids = desk.gids
    asked = [gids["tasks"][2], gids["tasks"][1], "99"]
    found = desk.asana.connector.whereabouts(desk.scope, asked)
    assert found == {gids["tasks"][2]: "hidden", gids["tasks"][1]: "there", "99": "hidden"}


def test_all_that_we_say_to_asana_is_in_its_document(document: Any) -> None:
    with a_desk(many=MANY) as desk:
        judge = judged(desk, document)
        everything(desk)
        assert judge.wire == desk.asana.session.calls.total(), "a call was not judged"
    assert judge.wrong == explained()
    assert judge.answered == set(), judge.words
    assert unsaid(judge) == NEVER


@pytest.mark.slow
@pytest.mark.parametrize("plan", [{"service_account": "yes"}, {"premium": "no"}])
def test_what_we_say_to_a_workspace_with_more_and_with_less_is_in_the_document(
    document: Any, plan: dict[str, str]
) -> None:
    with a_desk() as desk:
        desk.site.control("POST", "switches", {"asana": plan})
        lacks = [] if "premium" not in plan else ["allocations"]
        judge = judged(desk, document)
        desk.asana.connector.describe()
        desk.prepare()
        desk.pull(full=True, without=[*lacks, "rollups", "worklogs"] if lacks else [])
        desk.site.write("PUT", f"/tasks/{desk.gids['child']}", "ann", name="Another")
        desk.wait(hours=2)
        desk.pull(without=lacks)
        desk.asana.connector.release(desk.scope)
    assert judge.wrong <= explained()
    assert judge.answered == set(), judge.words


def test_each_action_of_a_batch_is_judged_as_if_it_were_a_call(document: Any) -> None:
    actions = [
        {"relative_path": "/tasks/1", "method": "get", "options": {"fields": ["name", "is_rendered_as_seperator"]}},
        {"relative_path": "/tasks/1", "method": "put", "data": {"due_on": "tomorrow"}},
        {"relative_path": "/tasks", "method": "get", "data": {"project": "1"}, "options": {"limit": 500}},
    ]
    results = [{"status_code": 200, "headers": {}, "body": {"data": {"gid": gid}}} for gid in (1, "1")]
    results.append({"status_code": 200, "headers": {}, "body": {"data": {"gid": "1"}}})
    heads = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    sent, got = (json.dumps({"data": one}).encode() for one in ({"actions": actions}, results))
    judge = Judge({API: document}, apart)
    for call in apart(Exchange("POST", f"{API}/batch", heads, sent, 200, {"Content-Type": "application/json"}, got)):
        judge.judge(call)
    assert judge.asked == {"createBatchRequest": 1, "getTask": 1, "updateTask": 1, "getTasks": 1}
    assert {(name, where) for name, _, where in judge.wrong} == {
        ("getTask", "query/opt_fields/is_rendered_as_seperator"),
        ("updateTask", "body/data/due_on"),
        ("getTasks", "query/limit"),
    }
    assert {(name, where) for name, _, where in judge.answered} == {
        ("getTask", "body/data/gid"),
        ("getTasks", "body/data"),
    }


def test_the_fields_that_the_documents_lists_leave_out_are_in_it_elsewhere(document: Any) -> None:
    assert declared(document, "getProject", "owner.name")
    assert declared(document, "getItemsForPortfolio", "resource_type")
    assert [path for path in UPDATE if not declared(document, "getStatus", path.partition(".")[2])] == []
    assert {path.removesuffix(".gid") for path in CUSTOM} <= set(listed(document, "getTasks"))
    assert {one for one in FARTHER if declared(document, *one) and not one[1].endswith("gid")} == set()


def operation(document: Any, name: str) -> dict[str, Any]:
    """One operation."""
    every = [one for item in document.doc["paths"].values() for one in item.values() if isinstance(one, dict)]
    (found,) = [one for one in every if one.get("operationId") == name]
    return found


def listed(document: Any, name: str) -> list[str]:
    """The fields that a call may be asked for."""
    (one,) = [one for one in operation(document, name)["parameters"] if one.get("name") == "opt_fields"]
    return list(one["schema"]["items"]["enum"])


def declared(document: Any, name: str, path: str) -> bool:
    """Whether the schema of a call's answer has a field."""
    answer = document.deref(operation(document, name)["responses"]["200"])
    at = answer["content"]["application/json"]["schema"]
    for part in ("data", *path.removesuffix(".gid").split(".")):
        properties, _ = document.shape(at)
        if part not in properties:
            return False
        at = document.deref(properties[part])
        at = at["items"] if at.get("type") == "array" else at
    return True
