"""What is asked of persons, their weeks, roles and portfolios: judged like all else, and never written to a tool."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pmosync import reports
from pmosync.contract import Duration, Person
from pmosync.judge.asking import differences
from pmosync.people import Person as Listed
from pmosync.people import Staff
from pmosync.reports import Wanted
from pmosync.standards import Standard, load_packs
from pmosync.store.people import human
from pmosync.store.tables import event, finding, mark, verdict
from pmosync.workdays import date_of
from tests.core.memory import World, waiver_row

ASKED = tuple(
    one
    for one in load_packs(["full"], Path())
    if one.id in ("RES401", "RES402", "RES403", "RES408", "PRT904", "PRT907")
)
ANA = Listed("ana@acme.example", "viewer", {"acme": "ana"}, "developer", 40.0, (), dt.date(2026, 11, 20))
WEEK_H = 40 * 3600.0


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Ana carries on six things at once, and has more to do this week and this month than they have hours."""
    made = make_world(standards=ASKED, staff=Staff((ANA,), 40.0))
    for number in range(1, 7):
        made.tool.put(str(number), status="Doing", due=day(11, 20), estimate=Duration(WEEK_H / 5), priority="High")
    made.tool.put("7", assignee=Person("bob"))
    made.tool.put("8", start=day(11, 23), due=day(11, 30), estimate=Duration(WEEK_H))
    return made


def found(world: World, *states: str) -> set[tuple[str, str, Any]]:
    """Standard, state, and whom or what it is about."""
    by_id = {one.id: one for one in world.standards}
    wanted = Wanted(states=states or ("new", "open", "waived"), persons=True)
    with world.store.reading() as connection:
        rows = reports.items(connection, list(by_id.values()), world.setup().workdays, world.ladder, wanted)
        return {(row["standard"], row["state"], row["title"]) for row in rows}


def causes(world: World, standard: str) -> list[str]:
    with world.store.reading() as connection:
        return list(connection.scalars(select(event.c.causes).where(event.c.standard == standard).order_by(event.c.id)))


def test_persons_weeks_roles_and_portfolios_are_judged_and_nothing_of_it_is_written(world: World) -> None:
    for number in range(1, 7):
        world.tool.put(str(number), priority="Critical")
    outcome = world.run()
    assert found(world) == {
        ("RES402", "new", "ana"),
        ("RES401", "new", "ana, week of 2026-11-16"),
        ("RES403", "new", "developer, 2026-11"),
        ("PRT904", "new", "organisation"),
    }
    (pay,) = [one for one in outcome.rollups if one.level == "project"]
    (top,) = [one for one in outcome.rollups if one.level == "portfolio"]
    assert pay.figures.findings == top.figures.findings == {"high": 1, "medium": 1}
    assert pay.figures.compliance == 1.0
    written = "".join(str(change.after) for change in world.tool.writes)
    assert '"findings":{"high":1,"medium":1}' in written
    assert not any(word in written for word in ("ana", "RES4", "developer", "Too much", "PRT"))
    assert {change.slot.subject for change in world.tool.writes} == {"project"}
    world.run()
    assert world.tool.writes == []


def test_findings_about_persons_are_counted_and_shown_only_to_those_who_ask_for_them(world: World) -> None:
    world.run()
    with world.store.reading() as connection:
        counted = reports.by_standard(connection, ASKED, Wanted())
        shown = list(reports.items(connection, ASKED, world.setup().workdays, world.ladder, Wanted()))
        told = list(reports.items(connection, ASKED, world.setup().workdays, world.ladder, Wanted(persons=True)))
        apart = list(differences(connection, ASKED, (), first=3))
    assert {(row["id"], row["findings"]) for row in counted} == {("RES401", 1), ("RES402", 1), ("RES403", 1)}
    assert {row["standard"] for row in shown} == {"RES403"}
    (week,) = [row for row in told if row["standard"] == "RES401"]
    assert (week["key"], week["subject"], week["project"]) == ("ana@acme.example", "person_week", None)
    assert week["evidence"] == {"allocated_h": 48.0, "capacity_h": 40.0, "promised_h": None, "week_on": "2026-11-16"}
    assert {(one.one.id, one.vanish, len(one.first_vanish)) for one in apart if one.vanish} == {
        ("RES401", 1, 0),
        ("RES402", 1, 0),
        ("RES403", 1, 1),
    }


def test_each_finding_comes_and_goes_with_its_one_cause(world: World) -> None:
    world.run()
    world.tool.put("1", status="Done")
    world.run()
    assert causes(world, "RES402") == ["data", "data"]
    assert found(world, "new", "open") == {("RES403", "open", "developer, 2026-11")}
    world.now += dt.timedelta(days=1)
    world.run()
    assert ("PRT907", "new", "ana") in found(world)
    assert causes(world, "PRT907") == ["time"]
    world.now += dt.timedelta(days=2)  # the Monday: all of it is overdue, and to be done in this week
    world.tool.put("9", due=day(11, 20), estimate=Duration(WEEK_H))
    world.run()
    assert ("RES401", "new", "ana, week of 2026-11-23") in found(world)
    world.now += dt.timedelta(days=7)
    world.run()
    assert [one for one in causes(world, "RES401")[-2:] if one != "time"] == []
    assert {title for standard, _, title in found(world, "new", "open") if standard == "RES401"} == {
        "ana, week of 2026-11-30"
    }


def test_absences_of_the_people_file_are_data_and_make_the_week_and_the_task_fail(world: World) -> None:
    world.tool.tasks.clear()
    world.tool.put("1", start=day(12, 7), due=day(12, 11), estimate=Duration(WEEK_H))
    world.run()
    assert found(world) == set()
    away = Listed(ANA.email, "viewer", ANA.accounts, ANA.works_as, 40.0, ((day(12, 9), day(12, 11)),))
    world.staff = Staff((away,), 40.0)
    world.run()
    assert found(world) == {
        ("RES401", "new", "ana, week of 2026-12-07"),
        ("RES408", "new", "Deliver part 1"),
    }
    assert causes(world, "RES401") == causes(world, "RES408") == ["data"]


@pytest.mark.parametrize(
    ("row", "standards"),
    [
        ({"covers": "subject", "key": "ana"}, {"RES401", "RES402"}),
        ({"covers": "subject", "key": "Ana@acme.example", "site": "other"}, {"RES401", "RES402"}),
        ({"covers": "subject", "key": "bob"}, set()),
        ({"covers": "subject", "key": "developer"}, {"RES403"}),
        (
            {"covers": "where", "about": "person_week", "predicate": "capacity_h >= 40", "key": "", "site": ""},
            {"RES401"},
        ),
        ({"covers": "where", "about": "person", "predicate": "wip > 6", "key": "", "site": ""}, set()),
        ({"covers": "project", "key": "p1"}, set()),
    ],
)
def test_a_waiver_covers_a_person_by_account_or_mail_a_role_by_its_name_or_what_its_predicate_is_true_of(
    world: World, row: dict[str, Any], standards: set[str]
) -> None:
    world.waivers = [waiver_row(standard="RES", **row)]
    world.run()
    assert {standard for standard, state, _ in found(world) if state == "waived"} == standards
    with world.store.reading() as connection:
        assert reports.uses(connection) == {"W-1": len(standards)}


def test_accounts_of_one_mail_are_one_person_and_the_people_file_joins_others(make_world: Callable[..., World]) -> None:
    world = make_world(standards=ASKED)
    world.tool.people = {"ana": True, "ana2": False, "ana3": False, "x": False}
    world.tool.emails = {"ana": "Ana@acme.example", "ana2": "ana@acme.example"}
    for number, who in enumerate(("ana", "ana", "ana2", "ana2", "ana3", "ana3")):
        world.tool.put(str(number), status="Doing", assignee=Person(who))
    world.run()
    assert found(world) == set()
    world.staff = Staff((Listed("ana@acme.example", "viewer", {"acme": "ana3"}),))
    world.run()
    assert found(world) == {("RES402", "new", "ana")}
    with world.store.reading() as connection:
        rows = connection.execute(select(human.c.key, human.c.active).order_by(human.c.key)).all()
    assert rows == [("acme/x", 0), ("ana@acme.example", 1)]


def test_what_cannot_be_observed_of_a_persons_work_freezes_what_is_said_of_them(world: World) -> None:
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("ana")}
    world.tool.put("9", project="p2", status="Doing")
    world.run()
    before = found(world)
    assert ("RES402", "new", "ana") in before
    world.tool.hidden.add("p2")
    for number in range(1, 6):
        world.tool.put(str(number), status="Done")
    world.run(full=True)
    assert {(standard, title) for standard, _, title in found(world)} == {(one, title) for one, _, title in before}
    world.tool.hidden.clear()
    world.run(full=True)
    assert found(world, "new", "open") == set()


def test_work_that_is_not_planned_and_people_of_whom_nobody_knows_are_unknown_and_never_failing(
    make_world: Callable[..., World],
) -> None:
    world = make_world(standards=ASKED)
    for number in range(3):
        world.tool.put(str(number), estimate=Duration(WEEK_H * 9), due=day(11, 20))
    world.run()
    assert found(world) == set()
    with world.store.reading() as connection:
        assert connection.scalar(select(verdict.c.mask_0).where(verdict.c.subject == "person_week")) is not None
        assert connection.execute(select(finding)).all() == []


def test_a_store_that_was_deleted_finds_the_same_persons_again_and_writes_nothing(world: World) -> None:
    world.run()
    before = found(world)
    world.rebuild()
    world.run(full=True)
    assert found(world) == before
    assert world.tool.writes == []
    with world.store.reading() as connection:
        since = connection.scalars(select(finding.c.since).where(finding.c.subject == "person")).all()
        assert {date_of(one) for one in since} == {day(11, 20)}
        assert set(connection.scalars(select(mark.c.subject))) <= {"project", "task"}


def test_the_standards_of_persons_are_those_of_the_catalogue() -> None:
    asked: dict[str, Standard] = {one.id: one for one in ASKED}
    assert {name: (one.subject, one.severity, one.pack) for name, one in asked.items()} == {
        "RES401": ("person_week", "high", "starter"),
        "RES402": ("person", "medium", "standard"),
        "RES403": ("role_month", "medium", "standard"),
        "RES408": ("task", "medium", "full"),
        "PRT904": ("portfolio", "medium", "full"),
        "PRT907": ("person", "info", "full"),
    }
