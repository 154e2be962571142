"""Every line says why: each test changes exactly one thing and expects exactly that one cause."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from pmosync import marks
from pmosync.contract import Person, Slot
from pmosync.cycle import Outcome
from pmosync.marks import flags
from pmosync.standards import parse_predicate
from pmosync.store.tables import event
from pmosync.workdays import day_number
from tests.core.memory import World, waiver_row


def causes(outcome: Outcome, slot: str = "label") -> dict[str, str]:
    return {line.key: line.causes for line in outcome.plan.changes if line.slot == slot}


def told(world: World) -> list[tuple[str, str, str]]:
    with world.store.reading() as connection:
        rows = connection.execute(select(event.c.standard, event.c.now, event.c.causes).order_by(event.c.id))
        return [tuple(row) for row in rows]


def late(world: World, **fields: Any) -> None:
    world.tool.put("1", due=dt.date(2026, 11, 2), **fields)


def test_a_changed_record_is_the_data(world: World) -> None:
    world.run()
    late(world)
    assert causes(world.run()) == {"T-1": "data"}
    assert told(world) == [("SCH201", "new", "data")]


def test_a_changed_neighbour_is_the_data(world: World) -> None:
    world.tool.put("1", status="Done", done=dt.date(2026, 11, 1), resolution="Fixed")
    world.tool.put("2", parent="1", status="Done", done=dt.date(2026, 11, 1), resolution="Fixed")
    world.run()
    world.tool.put("2", status="Open", done=None, resolution=None)
    assert causes(world.run()) == {"T-1": "data"}
    assert told(world)[-1] == ("FLW508", "new", "data")


def test_a_changed_standard_is_the_standard(world: World) -> None:
    late(world)
    world.run()
    sharper = next(one for one in world.standards if one.id == "SCH201")
    grace = replace(sharper.params["grace"], default=30.0)
    predicate = parse_predicate(sharper.when.text, sharper.subject, {"grace": grace.constant})
    world.replace_standard("SCH201", params={"grace": grace}, when=predicate)
    assert causes(world.run()) == {"T-1": "standard"}
    assert told(world)[-1] == ("SCH201", "resolved", "standard")


def test_a_standard_that_was_taken_out_is_the_standard(world: World) -> None:
    late(world)
    world.run()
    world.standards = tuple(one for one in world.standards if one.id != "SCH201")
    assert causes(world.run()) == {"T-1": "standard"}


def test_other_words_of_a_standard_are_the_standard(world: World) -> None:
    late(world)
    world.run()
    world.replace_standard("SCH201", fix="Do it now.")
    assert causes(world.run(), "property") == {"T-1": "standard"}


def test_a_changed_mapping_is_the_mapping(world: World) -> None:
    world.tool.put("1", status="Parked")
    world.run()
    world.mapping = world.mapping.replace("[Waiting]", "[Waiting, Parked]")
    assert causes(world.run()) == {"T-1": "mapping"}
    assert told(world)[-1] == ("DAT108", "resolved", "mapping")


def test_a_waiver_is_the_waiver_when_it_begins_and_when_it_lapses(world: World) -> None:
    late(world)
    world.run()
    world.waivers = [waiver_row(until=day_number(dt.date(2026, 11, 22)))]
    assert causes(world.run()) == {"T-1": "waiver"}
    assert world.tool.marks.get(Slot("task", "1", "label")) is None
    world.now += dt.timedelta(days=2)
    assert causes(world.run()) == {}, "the last day is included"
    world.now += dt.timedelta(days=1)
    assert causes(world.run()) == {"T-1": "waiver"}
    assert told(world)[-1] == ("SCH201", "open", "waiver")


def test_the_calendar_is_the_calendar(world: World) -> None:
    world.tool.put("1", due=dt.date(2026, 11, 19))
    world.run()
    assert [row[0] for row in told(world)] == ["SCH201"]
    world.holidays = (dt.date(2026, 11, 20),)
    assert causes(world.run()) == {"T-1": "calendar"}


def test_a_new_day_is_time(world: World) -> None:
    world.tool.put("1", due=dt.date(2026, 11, 20))
    world.run()
    assert told(world) == []
    world.now += dt.timedelta(days=3)
    assert causes(world.run()) == {"T-1": "time"}
    assert told(world)[-1] == ("SCH201", "new", "time")


def test_what_left_the_scope_left_the_scope(world: World) -> None:
    late(world)
    world.run(full=True)
    del world.tool.tasks["1"]
    assert causes(world.run(full=True)) == {"T-1": "left the scope"}
    assert told(world)[-1] == ("SCH201", "resolved", "left the scope")


def test_an_edited_mark_was_edited_by_somebody(world: World) -> None:
    late(world)
    world.run()
    world.tool.marks[Slot("task", "1", "label")] = "low"
    outcome = world.run(full=True)
    assert causes(outcome) == {"T-1": "edited by somebody"}
    assert world.tool.marks[Slot("task", "1", "label")] == "high"


def test_a_new_format_of_marks_is_pmosync_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    late(world)
    world.run()
    for module in (marks, flags):
        monkeypatch.setattr(module, "FORMAT", marks.FORMAT + 1)
    assert causes(world.run(), "property") == {"T-1": "pmosync"}


def test_another_address_of_the_guidance_pages_is_another_wording_of_the_standard(world: World) -> None:
    world.slots = "property, label, link"
    late(world)
    world.run()
    assert Slot("task", "1", "link") not in world.tool.marks, "nothing is published, so there is nothing to link to"
    world.guidance = "https://pmo.acme.example/standards/"
    outcome = world.run()
    assert causes(outcome, "property") == {"T-1": "standard"}
    assert causes(outcome, "link") == {"T-1": "data"}, "it is written for the first time, because of the finding"
    world.guidance = "https://pmo.acme.example/rules/"
    outcome = world.run()
    assert causes(outcome, "property") == causes(outcome, "link") == {"T-1": "standard"}
    assert causes(outcome, "label") == {}
    assert "https://pmo.acme.example/rules/SCH201.html" in str(world.tool.marks[Slot("task", "1", "link")])
    assert causes(world.run(full=True), "link") == {}
    world.rebuild()
    world.run(full=True)
    assert world.tool.writes == [], "what stands there is known again without the store"


def test_an_emptied_value_resolves_the_finding_and_says_that_it_cannot_be_judged(world: World) -> None:
    late(world)
    world.run()
    world.tool.put("1", due=None, type="Sub")
    world.run()
    standard, now, why = told(world)[-1]
    assert (standard, now) == ("SCH201", "resolved")
    assert why.startswith("data; cannot be judged: due_on")


def test_the_rollup_names_time_when_only_the_day_is_new(world: World) -> None:
    world.tool.put("1", due=dt.date(2026, 11, 20))
    world.run(full=True)
    world.now += dt.timedelta(days=3)
    assert causes(world.run(full=True), "rollup") == {"p1": "time"}


def test_a_project_without_a_lead_is_data(world: World) -> None:
    world.run(full=True)
    world.tool.projects["p1"]["lead"] = None
    outcome = world.run(full=True)
    assert causes(outcome, "rollup") == {"p1": "data"}
    world.tool.projects["p1"]["lead"] = Person("bob")
    world.run(full=True)
    assert told(world)[-1] == ("GOV603", "resolved", "data")
