"""What projects are governed by: the register, tolerances, classes, gates and waivers, over whole cycles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from pmosync import gates
from pmosync.contract import Person
from pmosync.judge.columns import SubjectColumns
from pmosync.register import (
    Container,
    Gate,
    GateTold,
    ProjectClass,
    Register,
    RegisteredProject,
    Tolerances,
    Totals,
)
from pmosync.standards import Standard, load_packs
from pmosync.store.tables import blind, finding, project
from pmosync.workdays import date_of
from tests.core.memory import World, waiver_row

GOVERNED = ("GOV604", "GOV606", "GOV607", "GOV608", "GOV610", "GOV611", "GOV612", "GOV613", "PRT902", "PRT905")
G1 = Gate("G1", "Charter agreed", "initiation", "planning", ("GOV603",), ("charter_url",))
G2 = Gate("G2", "Plan approved", "planning", "execution", ("DAT101", "SCH204", "GOV6"), ("plan",), decides="the board")
MAPPED = """  decision:
    - field: resolution
      values: {{approved: [Approved], rejected: [Rejected]}}
  phase: [{{field: priority, values: {{execution: [High]}}}}, {{default: planning}}]
"""
"""High priority stands for work of the execution here: this tool has no field of its own for it."""


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


def entry(number: str = "p1", **told: Any) -> RegisteredProject:
    return RegisteredProject(number, (Container("acme", number),), **told)


def register(*entries: RegisteredProject, **more: Any) -> Register:
    return Register(entries, repr((entries, more)), **more)


@pytest.fixture(scope="module")
def governed() -> tuple[Standard, ...]:
    return tuple(one for one in load_packs(["full"], Path()) if one.id in (*GOVERNED, "GOV603", "DAT101", "SCH204"))


@pytest.fixture
def world(make_world: Callable[..., World], governed: tuple[Standard, ...]) -> World:
    """A project of ten tasks, in a tool that knows gates and exceptions, decisions and the phase of work."""
    made = make_world(standards=governed, slots="property", rollups="rollup, page", reads="history")
    made.mapping = made.mapping.replace("risk: [Risk]", "risk: [Risk], gate: [Gate], exception: [Exception]")
    made.mapping = made.mapping.replace(
        "  priority: priority\n", f"  priority: priority\n{MAPPED}  updated_at: updated\n"
    )
    for number in range(100, 110):
        made.tool.put(str(number), start=day(11, 30), at=dt.datetime(2026, 11, 19, 9, tzinfo=dt.UTC))
    return made


def found(world: World) -> set[str]:
    """The standards that projects break."""
    rows = select(finding.c.standard).where(finding.c.subject == "project", finding.c.state.in_(("new", "open")))
    with world.store.reading() as connection:
        return set(connection.scalars(rows)) & set(GOVERNED)


def fact(world: World, *names: str) -> list[Any]:
    columns = SubjectColumns("project")
    with world.store.reading() as connection:
        rows = select(*(columns.column(name) for name in names)).select_from(columns.source())
        return list(connection.execute(rows.where(project.c.key == "p1")).one())


def before(world: World, *names: str) -> list[Any]:
    """What is told of each gate, in order."""
    with world.store.reading() as connection:
        rows = gates.rows(connection, world.register, world.standards)
    return [[one[name] for name in names] if len(names) > 1 else one[names[0]] for one in rows]


def told(world: World) -> dict[str, Any]:
    """What is written on the project about its next gate."""
    (text,) = [text for slot, text in world.tool.marks.items() if slot.subject == "project"]
    return orjson.loads(text)["measures"].get("gate")  # type: ignore[no-any-return]


# --- what the register says -------------------------------------------------------------------------------------------


def test_what_a_class_makes_mandatory_is_missing_until_somebody_says_it(world: World) -> None:
    classes = (ProjectClass("large", ("lead", "sponsor", "team")), ProjectClass("default", ("lead",)))
    world.register = register(entry(project_class="Large"), classes=classes)
    world.run()
    assert fact(world, "missing_mandatory_fields", "missing_mandatory") == [1, "sponsor"], "the tool has no team"
    assert "GOV604" in found(world)
    world.register = register(entry(project_class="large", sponsor="Hanna"), classes=classes)
    world.run()
    assert fact(world, "missing_mandatory_fields", "missing_mandatory") == [None, None], "nobody can say about the team"
    world.register = register(entry(), classes=classes)
    world.run()
    assert fact(world, "missing_mandatory_fields") == [0]
    world.register = register(entry())
    world.run()
    with world.store.reading() as connection:
        asked = set(connection.scalars(select(blind.c.standard)))
    assert {"GOV607", "GOV608", "GOV610", "GOV611", "GOV612", "PRT902"} <= asked, "nobody keeps what they ask"


def test_the_register_is_asked_before_the_tool_and_the_tool_where_the_register_says_nothing(world: World) -> None:
    world.mapping = world.mapping.replace(
        "lead: lead", "lead: lead, strategic_goal: team, sponsor: template, spent: budget_cost"
    )
    world.tool.projects["p1"] |= {"team": None, "template": None, "budget_cost": 12.0}
    world.register = register(entry(sponsor="Hanna", funded=100.0))
    world.run()
    assert fact(world, "sponsor", "strategic_goal", "funded", "spent") == ["Hanna", None, 100.0, 12.0]
    world.tool.projects["p1"] |= {"team": "Fewer branches", "template": "Jan"}
    world.run(full=True)
    assert fact(world, "sponsor", "strategic_goal") == ["Hanna", "Fewer branches"]


def test_a_closed_project_a_red_one_and_a_score_are_asked_for_what_the_pmo_keeps(world: World) -> None:
    world.mapping = world.mapping.replace("lead: lead", "lead: lead, reported_health: status")
    world.tool.projects["p1"] |= {"status": "red"}
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("bob")}
    kept = entry("p2", lessons_url="l", closure_url="c", benefits_owner="b", path_to_green="more people",
                 priority_score=3.0, priority_scored_on=day(11, 1))  # fmt: skip
    world.register = register(entry(phase="closed"), kept)
    world.run()
    assert found(world) == {"GOV610"}
    world.register = register(entry(phase="execution", priority_score=1.0, priority_scored_on=day(8, 1)), kept)
    world.run()
    assert found(world) == {"GOV612", "PRT902"}
    world.register = register(
        entry(phase="execution", path_to_green="fewer things", priority_score=1.0, priority_scored_on=day(11, 1)), kept
    )
    world.run()
    assert found(world) == set()


# --- health, tolerances, exceptions, activity -------------------------------------------------------------------------


def test_reports_are_compared_with_the_health_that_people_are_shown(world: World) -> None:
    world.mapping = world.mapping.replace("lead: lead", "lead: lead, reported_health: status")
    world.tool.projects["p1"] |= {"status": "green"}
    world.register = register(entry(baseline=Totals(day(12, 11), 10)))
    outcome = world.run()
    shown = [one.health.colour for one in outcome.rollups if one.level == "project"]
    assert [*fact(world, "computed_health"), found(world)] == [*shown, set()] == ["green", set()]
    for number in range(100, 102):
        world.tool.put(str(number), due=day(11, 23))
    world.run()
    assert found(world) == set()
    world.now += dt.timedelta(days=5)
    outcome = world.run()
    assert [one.health.colour for one in outcome.rollups if one.level == "project"] == fact(world, "computed_health")
    assert fact(world, "computed_health") == ["red"], "only the day changed"
    assert found(world) == {"GOV606"}


def test_a_tolerance_that_is_exceeded_needs_an_exception(world: World) -> None:
    own = {"baseline": Totals(day(12, 11), 10, 10.0), "tolerances": Tolerances(5, 0.1, 0.1)}
    world.register = register(entry(**own))
    world.run()
    assert fact(world, "tolerance_breaches", "breached") == [0, None]
    world.tool.put("100", due=day(12, 21))
    world.tool.put("111", start=day(11, 30))
    world.run()
    assert fact(world, "tolerance_breaches") == [1]
    assert fact(world, "breached") == ["time: open work ends 6 working days after the planned end, 5 agreed"]
    assert found(world) == {"GOV611"}
    world.tool.put("112", start=day(11, 30))
    world.run()
    assert fact(world, "tolerance_breaches") == [3]
    world.tool.put("120", type="Exception", name="More time is needed", status="Doing")
    world.run()
    assert found(world) == set()
    world.tool.put("120", status="Done", done=day(11, 20))
    world.run()
    assert found(world) == {"GOV611"}
    world.register = register(entry(**own, exception_url="https://acme.example/exception"))
    world.run()
    assert found(world) == set()
    world.register = register(entry(tolerances=Tolerances(scope_share=0.1)))
    world.run()
    assert fact(world, "tolerance_breaches") == [None], "without a baseline nobody can say"


def test_a_project_that_nobody_touches_is_not_kept_in_the_tool(world: World) -> None:
    for number in range(100, 110):
        world.tool.put(str(number), at=dt.datetime(2026, 10, 21, 9, tzinfo=dt.UTC))
    world.run()
    assert [date_of(fact(world, "last_activity_on")[0]), found(world)] == [day(10, 21), set()]
    world.now += dt.timedelta(days=1)
    world.run()
    assert found(world) == {"PRT905"}
    world.tool.put("103", at=world.now, name="Somebody was here")
    world.run()
    assert found(world) == set()


def test_a_waiver_is_told_on_every_project_that_it_reaches_before_it_ends(world: World) -> None:
    late = {"until": waiver_row()["until"] + 60}
    ways = (
        waiver_row(),
        waiver_row(covers="project", key="p1"),
        waiver_row(covers="portfolio", key="organisation", site=""),
        waiver_row(covers="where", site="", key="", predicate="title ~ 'part 103'"),
        waiver_row(covers="where", site="", key="", predicate="tasks > 3", about="project"),
    )
    for one in ways:
        far = waiver_row(waiver="W-2", key="T-101", **late)
        world.tool.put("1")
        world.waivers = [one, far]
        world.run()
        assert (date_of(fact(world, "next_waiver_ends_on")[0]), found(world)) == (day(11, 30), {"GOV613"}), one
        world.waivers = [far]
        world.run()
        assert found(world) == set()
    world.waivers = [waiver_row(covers="where", site="", key="", predicate="title ~ 'nothing like it'")]
    world.run()
    assert fact(world, "next_waiver_ends_on") == [None]


# --- gates ------------------------------------------------------------------------------------------------------------


def test_work_ahead_of_a_gate_and_a_phase_without_a_decision_are_found(world: World) -> None:
    world.register = register(entry(phase="planning", phase_due_on=day(11, 19)), gates=(G1, G2))
    world.run()
    assert found(world) == {"GOV608"}
    world.tool.put("100", priority="High", status="Doing", at=world.now)
    world.run()
    assert fact(world, "execution_tasks_started", "gate_approved_for") == [1, None]
    assert found(world) == {"GOV607", "GOV608"}
    decided = {"G1": GateTold(None, "approved", day(9, 1), "Hanna")}
    world.register = register(entry(phase="planning", phase_due_on=day(11, 19), gates=decided), gates=(G1, G2))
    world.run()
    assert found(world) == {"GOV607", "GOV608"}
    world.tool.put("90", type="Gate", name="Review G2", status="Done", done=day(11, 20), resolution="Approved")
    world.run()
    assert fact(world, "gate_approved_for", "gate_decision_on")[0] == "execution"
    assert found(world) == set()
    world.tool.put("90", resolution="Rejected")
    world.run()
    assert found(world) == {"GOV607"}, "it was decided, and not so"


def test_what_is_missing_for_a_gate_is_written_on_the_project_and_goes_away(world: World) -> None:
    world.register = register(entry(phase="planning"), gates=(G1, replace(G2, standards=("DAT101", "SCH204"))))
    world.tool.put("100", assignee=None)
    world.tool.put("101", assignee=None)
    world.tool.put("102", start=None)
    world.run(full=True)
    wanted = [
        "DAT101 Open work has no owner: 2 found",
        "SCH204 Starts after it is due: 1 cannot be judged",
        "No link to the plan",
    ]
    assert told(world) == {
        "id": "G2",
        "title": "Plan approved",
        "state": "missing",
        "decides": "the board",
        "missing": wanted,
    }
    assert before(world, "gate", "state", "next") == [["G1", "missing", False], ["G2", "missing", True]]
    assert before(world, "findings")[1] == {"DAT101": ["T-100", "T-101"]}
    assert world.run(full=True).plan.changes == []
    world.rebuild()
    assert world.run(full=True).plan.changes == []
    world.waivers = [waiver_row(standard="DAT101", key="T-100")]
    links = {"G2": GateTold(evidence={"plan": "https://acme.example/plan"})}
    world.register = register(entry(phase="planning", gates=links), gates=world.register.gates)
    world.tool.put("102", start=day(11, 30))
    world.run(full=True)
    assert told(world)["missing"] == ["DAT101 Open work has no owner: 1 found"], "what is waived is not missing"
    world.tool.put("101", assignee=Person("bob"))
    world.run(full=True)
    assert (told(world)["state"], told(world)["missing"]) == ("ready", [])
    world.register = register(entry(phase="planning"))
    world.run(full=True)
    assert told(world) is None


def test_an_ordinary_run_writes_what_is_missing_when_it_changes_and_only_then(world: World) -> None:
    gate = replace(G2, standards=("DAT101",))
    world.rollups = "rollup, page"
    own = {"acme": "place"}
    world.register = register(entry(phase="planning"), gates=(gate,), home=own)
    world.tool.put("100", assignee=None)
    world.tool.put("101", assignee=None)
    world.run(full=True)

    def lines() -> list[str]:
        (page,) = [
            text for slot, text in world.tool.marks.items() if slot.name == "page" and slot.id.startswith("project/")
        ]
        return [line for line in page.splitlines() if "DAT101 Open work" in line]

    for number in range(100, 104):
        world.tool.put(str(number), status="Done", done=day(11, 20)) if number > 101 else None
    assert [line for line in world.run().plan.changes if line.subject != "task"] == [], "only counts moved"
    world.tool.put("101", assignee=Person("bob"))
    wrote = {line.slot for line in world.run().plan.changes if line.subject != "task"}
    assert wrote == {"rollup", "page"}
    assert told(world)["missing"][0] == "DAT101 Open work has no owner: 1 found"
    assert lines() == ["- DAT101 Open work has no owner: 1 found."]
    links = {"G2": GateTold(evidence={"plan": "https://acme.example/plan"})}
    world.register = register(entry(phase="planning", gates=links), gates=(gate,), home=own)
    world.tool.put("100", assignee=Person("bob"))
    world.run()
    assert (told(world)["state"], told(world)["missing"], lines()) == ("ready", [], [])
    world.tool.put("90", type="Gate", name="Review G2", status="Done", done=day(11, 20), resolution="Approved")
    world.run()
    assert told(world) is None
    assert world.run().plan.changes == []


def test_a_decision_of_somebody_who_does_not_decide_the_gate_counts_for_nothing_and_is_told(world: World) -> None:
    gate = replace(G2, standards=(), evidence=(), deciders=("director",), accounts=("acme/bob",))
    world.register = register(entry(phase="planning"), gates=(gate,))
    world.tool.put("90", type="Gate", name="G2", assignee=Person("bob"), at=world.now)
    world.tool.put("90", resolution="Approved", status="Done", done=day(11, 20), at=world.now)
    world.run()
    assert before(world, "decision", "decided_by", "state", "missing") == [
        [None, None, "missing", ["Approved by ana, who does not decide this gate"]]
    ], "the history says who moved it"
    assert fact(world, "gate_approved_for", "gate_decision_on") == [None, None]
    world.tool.put("91", type="Gate", name="G2 again", assignee=Person("bob"), resolution="Rejected", done=day(11, 2))
    world.run()
    assert before(world, "decision", "decided_by", "record", "missing") == [["rejected", "bob", "acme/T-91", []]]
    world.tool.put("91", assignee=None)
    del world.tool.tasks["90"]
    world.run(full=True)
    assert before(world, "decision", "missing") == [[None, ["Rejected and nobody knows by whom"]]]
    world.register = register(entry(phase="planning"), gates=(replace(gate, deciders=()),))
    world.run()
    assert before(world, "decision") == ["rejected"]


def test_what_cannot_be_judged_at_all_is_missing_and_says_so(world: World) -> None:
    world.mapping = world.mapping.replace("  assignee: assignee\n", "")
    world.register = register(entry(), gates=(replace(G2, standards=("DAT101",), evidence=()),))
    world.run()
    assert before(world, "missing") == [
        ["DAT101 Open work has no owner: cannot be judged here, what it needs is not provided"]
    ]


def test_what_is_missing_stays_as_it_was_told_while_the_project_cannot_be_read(world: World) -> None:
    world.register = register(entry(phase="planning"), gates=(replace(G2, standards=("DAT101",)),))
    world.tool.put("100", assignee=None)
    world.run(full=True)
    wrote = told(world)
    world.tool.hidden = {"p1"}
    world.tool.put("100", assignee=Person("bob"))
    world.run(full=True)
    assert (told(world), before(world, "observed")) == (wrote, [False])


def test_a_decision_is_read_from_the_record_that_is_named_or_the_latest_that_is_about_the_gate(world: World) -> None:
    read = ("decision", "decided_by", "decided_on", "record")
    world.register = register(entry(), gates=(G1, G2))
    moved = dt.datetime(2026, 11, 9, 9, tzinfo=dt.UTC)
    world.tool.put(
        "90", type="Gate", name="plan  APPROVED", assignee=Person("bob"), resolution="Rejected", done=day(11, 2)
    )
    world.tool.put("91", type="Gate", name="G2: second look", assignee=Person("bob"), done=day(11, 9))
    world.tool.put("92", type="Gate", name="G22 is something else", resolution="Approved", done=day(11, 12))
    world.tool.put("93", name="Prepare G2", resolution="Approved", done=day(11, 12))
    world.run()
    assert before(world, *read)[1] == ["rejected", "bob", "2026-11-02", "acme/T-90"]
    world.tool.put("91", resolution="Approved", at=moved)
    world.run()
    assert before(world, *read)[1] == ["approved", "ana", "2026-11-09", "acme/T-91"], "who moved it, by its history"
    named = {"G2": GateTold(Container("acme", "T-93"))}
    world.register = register(entry(gates=named), gates=(G1, G2))
    world.run()
    assert before(world, *read)[1] == ["approved", "ana", "2026-11-12", "acme/T-93"]
    world.register = register(entry(gates={"G2": GateTold(Container("acme", "T-7"))}), gates=(G1, G2))
    world.run()
    assert before(world, *read)[1] == [None, None, None, "acme/T-7"]
    del world.tool.tasks["91"]
    world.register = register(entry(), gates=(G1, G2))
    world.run(full=True)
    assert before(world, *read)[1] == ["rejected", "bob", "2026-11-02", "acme/T-90"]


def test_a_gate_is_for_the_classes_that_it_names_and_the_next_one_is_not_behind_the_phase(world: World) -> None:
    both = (replace(G1, classes=("Large",)), G2)
    world.register = register(entry(), gates=both)
    world.run()
    assert before(world, "gate") == ["G2"]
    world.register = register(entry(project_class="large", phase="execution"), gates=both)
    world.run(full=True)
    assert before(world, "gate", "next") == [["G1", False], ["G2", False]]
    assert told(world) is None
    world.register = register(entry(project_class="large"), gates=both)
    world.run(full=True)
    assert told(world)["id"] == "G1"
    assert "lead" not in str(told(world))
