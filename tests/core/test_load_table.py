"""The table of the weeks ahead: added up without a name, one by one only for those who ask for persons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select

from pmosync.contract import Duration, Person
from pmosync.people import Person as Listed
from pmosync.people import Staff
from pmosync.reports import words
from pmosync.reports.load import Load, Total, load
from pmosync.store.tables import project
from tests.core.memory import World

MONDAY = dt.date(2026, 11, 16)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Ana has 50 hours this week and works 40; Bob has 10 and nobody knows how long he works; Cleo is free."""
    world = make_world()
    staff = (("ana", 40.0), ("bob", None), ("cleo", 20.0))
    world.staff = Staff(
        tuple(Listed(f"{name}@a.example", "viewer", {"acme": name}, hours_per_week=h) for name, h in staff)
    )
    world.tool.people = {"ana": True, "bob": True, "cleo": True}
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("bob")}
    friday = MONDAY + dt.timedelta(days=4)
    world.tool.put("1", estimate=Duration(180_000.0), start=MONDAY, due=friday)
    world.tool.put("2", estimate=Duration(36_000.0), start=MONDAY, due=friday, assignee=Person("bob"), project="p2")
    world.run()
    return world


def of(world: World, *keys: str, persons: bool = False) -> Load:
    with world.store.reading() as connection:
        numbers = set(connection.scalars(select(project.c.id).where(project.c.key.in_(keys)))) if keys else None
        found = load(connection, numbers, persons=persons)
    assert found is not None
    return found


def test_everybody_is_added_up_as_far_as_both_hours_are_known_and_nobody_is_named(world: World) -> None:
    found = of(world)
    assert (found.people, found.persons, len(found.weeks)) == (3, None, 12)
    assert found.totals[:2] == (
        Total(MONDAY, 2, 1, 50.0, 60.0), Total(MONDAY + dt.timedelta(days=7), 2, 0, 0.0, 60.0),
    )  # fmt: skip
    assert words.load_rows(found)[0] == ("everybody", ["50/60", *["0/60"] * 11])
    assert words.load_rows(found)[1][1][:2] == ["1 of 2", "0 of 2"]
    assert words.load_known(found).endswith("of 2 of 3 people; of the others one of the two is not known")
    assert not any(name in str(found.document()) for name in ("ana", "bob", "cleo"))


def test_persons_are_told_to_those_who_ask_and_only_those_who_work_in_what_is_reported(world: World) -> None:
    rows = dict(words.load_rows(of(world, persons=True)))
    assert {name: cells[0] for name, cells in rows.items() if "@" in name or name in ("ana", "bob", "cleo")} == {
        "ana": "▲ 50/40", "bob": "10/–", "cleo": "0/20",
    }  # fmt: skip
    one = of(world, "p2", persons=True)
    assert one.persons is not None
    assert [person.name for person in one.persons] == ["bob"]
    assert (one.people, one.totals[0]) == (1, Total(MONDAY, 0, 0, None, None))
    assert words.load_rows(one)[0][1][0] == "–"
    week = one.document()["persons"][0]["weeks"][0]
    assert week["week_on"] == "2026-11-16"
    assert (week["allocated_h"], week["capacity_h"]) == (10.0, None)
