"""Load and capacity come out as when every hour is laid on its day by hand, and the same in full and in part."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from pmosync.contract import Duration, Person
from pmosync.people import Person as Listed
from pmosync.people import Staff
from pmosync.store.people import (
    absence,
    account,
    human,
    human_fact,
    person_month,
    person_week,
    portfolio,
    role_month,
)
from pmosync.store.tables import project_fact, task, task_fact
from pmosync.workdays import date_of
from tests.core.memory import World

DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 11, 20)
MONDAY = dt.date(2026, 11, 16)
MAPPING_READS = "worklogs, allocations"


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


def days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    while first <= last:
        yield first
        first += DAY


def weeks(world: World, name: str, *columns: str) -> dict[dt.date, Any]:
    """The weeks of whoever is called so."""
    rows = select(person_week).join(human, human.c.id == person_week.c.human_id).where(human.c.title == name)
    with world.store.reading() as connection:
        found = connection.execute(rows).all()
    return {date_of(row.week_on): tuple(getattr(row, name) for name in columns) for row in found}


class ByHand:
    """The load of everybody, hour by hour and day by day, without any running count."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.off = set(world.holidays)
        self.listed = {name: one for one in world.staff.persons for name in one.accounts.values()}

    def works(self, one: dt.date) -> bool:
        return one.weekday() < 5 and one not in self.off

    def pieces(self) -> Iterator[tuple[str, dict[str, Any], float]]:
        tasks = self.world.tool.tasks
        parents = {held["parent"] for held in tasks.values()}
        for number, held in tasks.items():
            booked = sum(one["spent"].seconds for one in self.world.tool.worklogs.values() if one["task"] == number)
            if held["assignee"] and held["status"] not in ("Done", "Dropped") and number not in parents:
                spent = max(held["spent"].seconds if held["spent"] else 0, booked)
                left = max(0.0, held["estimate"].seconds - spent) if held["estimate"] and held["due"] else -1.0
                yield held["assignee"].id, held, left / 3600

    def spread(self) -> dict[tuple[str, dt.date], float]:
        """What is left, on each day of everybody."""
        found: dict[tuple[str, dt.date], float] = defaultdict(float)
        for who, held, left in self.pieces():
            if left <= 0:
                continue
            first, last = max(held["start"] or MONDAY, MONDAY), held["due"]
            if last < MONDAY:
                first, last = MONDAY, MONDAY + 6 * DAY
            on = [one for one in days(min(first, last), last) if self.works(one)] or [last]
            for one in on:
                found[who, one] += left / len(on)
        return found

    def capacity(self, who: str, first: dt.date, last: dt.date) -> float | None:
        listed = self.listed.get(who)
        hours = self.world.staff.hours_per_week
        if listed and listed.hours_per_week is not None:
            hours = listed.hours_per_week
        away = listed.absences if listed else ()
        there = [one for one in days(first, last) if self.works(one) and not any(a <= one <= b for a, b in away)]
        return None if hours is None else len(there) * hours / self.world.staff.days_per_week

    def week(self, who: str, monday: dt.date) -> tuple[Any, ...]:
        spread = self.spread()
        pieces = [left for name, _, left in self.pieces() if name == who]
        known = not pieces or any(left >= 0 for left in pieces)
        hours = sum(spread[who, one] for one in days(monday, monday + 6 * DAY))
        return (hours if known else None), self.capacity(who, monday, monday + 6 * DAY)


def everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """All that the load tables hold."""
    tables = (human, account, absence, human_fact, person_week, person_month, role_month, portfolio, project_fact)
    with world.store.reading() as connection:
        found = {table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables}
        away = select(task.c.rid, task_fact.c.owner_absent_d).join(task, task.c.id == task_fact.c.task_id)
        return found | {"away": sorted(map(repr, connection.execute(away)))}  # type: ignore[return-value]


def staff(chance: random.Random, names: list[str]) -> Staff:
    persons = []
    for name in names[:-1]:
        first = MONDAY + chance.randrange(-10, 80) * DAY
        away = ((first, first + chance.randrange(0, 20) * DAY),)
        hours = chance.choice([None, 20.0, 32.5])
        role = chance.choice(["developer", "tester"])
        persons.append(Listed(f"{name}@acme.example", "viewer", {"acme": name}, role, hours, away))
    return Staff(tuple(persons), 40.0)


def put_any(world: World, chance: random.Random, number: str, names: list[str]) -> None:
    """A task of any kind, with any dates around the present week."""
    due = chance.choice([None, MONDAY + chance.randrange(-30, 120) * DAY])
    start = chance.choice([None, MONDAY + chance.randrange(-40, 90) * DAY])
    hours = chance.choice([None, 0.0, 8.0, 37.0, 120.5])
    spent = chance.choice([None, None, 3.0, 50.0])
    world.tool.put(
        number,
        assignee=chance.choice([None, *(Person(name) for name in names)]),
        start=start,
        due=due,
        estimate=None if hours is None else Duration(hours * 3600),
        spent=None if spent is None else Duration(spent * 3600),
        status=chance.choice(["Open", "Doing", "Waiting", "Done", "Dropped"]),
        parent=chance.choice([None, None, None, "1"]) if number != "1" else None,
        priority=chance.choice(["Critical", "High", None]),
    )


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_work_in_random_calendars_is_the_load_that_is_laid_out_day_by_day(
    make_world: Callable[..., World], seed: int
) -> None:
    chance = random.Random(seed)
    names = ["ana", "bob", "cem", "dot"]
    free = tuple(sorted({MONDAY + chance.randrange(0, 100) * DAY for _ in range(12)}))
    world = make_world(staff=staff(chance, names), holidays=free, reads=MAPPING_READS)
    world.tool.people = dict.fromkeys(names, True)
    for number in range(1, 60):
        put_any(world, chance, str(number), names)
    for name in range(6):
        world.tool.log(f"w{name}", str(chance.randrange(1, 60)), chance.choice([1.0, 90.0]), day(11, 2))
    world.run(full=True)
    hand = ByHand(world)
    held = {who for who in names if any(one["assignee"] == Person(who) for one in world.tool.tasks.values())}
    for who in held:
        told = weeks(world, who, "allocated_h", "capacity_h")
        expected = {MONDAY + 7 * ahead * DAY: hand.week(who, MONDAY + 7 * ahead * DAY) for ahead in range(12)}
        assert told.keys() == expected.keys()
        for monday, pair in told.items():
            assert pair == pytest.approx(expected[monday], abs=1e-3), (who, monday)
    check_roles(world, hand)


def check_roles(world: World, hand: ByHand) -> None:
    """The months of each role are those of its people, laid out by hand."""
    spread = hand.spread()
    with world.store.reading() as connection:
        rows = connection.execute(select(role_month)).all()
    assert {row.role for row in rows} == {one.works_as for one in world.staff.persons}
    for row in rows:
        month = date_of(row.month_on)
        first = max(month, MONDAY)
        last = (month + 31 * DAY).replace(day=1) - DAY
        theirs = [who for who, one in hand.listed.items() if one.works_as == row.role]
        told = {who: [left for name, _, left in hand.pieces() if name == who] for who in theirs}
        known = [who for who, pieces in told.items() if not pieces or max(pieces) >= 0]
        demand = sum(spread[who, one] for who in known for one in days(first, last))
        capacity = sum(hand.capacity(who, first, last) or 0.0 for who in theirs)
        assert row.demand_h == (pytest.approx(demand, abs=1e-3) if known else None), row.key
        assert (row.people, row.capacity_h) == (len(theirs), pytest.approx(capacity, abs=1e-3))


@pytest.mark.parametrize("seed", SEEDS)
def test_changes_one_after_the_other_leave_what_a_full_derivation_leaves(
    make_world: Callable[..., World], seed: int
) -> None:
    chance = random.Random(100 + seed)
    names = ["ana", "bob", "cem"]
    world = make_world(staff=staff(chance, names), reads=MAPPING_READS)
    world.tool.people = dict.fromkeys(names, True)
    for number in range(1, 25):
        put_any(world, chance, str(number), names)
    world.run(full=True)
    for _ in range(2 if seed == 0 else 8):
        for _ in range(chance.randrange(2, 5)):
            match chance.randrange(4):
                case 0:
                    world.tool.log(f"w{chance.randrange(3)}", str(chance.randrange(1, 25)), 7.0, day(11, 2))
                case 1:
                    who, last = chance.choice(names), MONDAY + chance.randrange(1, 60) * DAY
                    world.tool.promise(f"a{chance.randrange(3)}", "p1", who, MONDAY, last, share=0.5)
                case 2 if chance.random() < 0.5:
                    world.staff = staff(chance, names)
                case _:
                    put_any(world, chance, str(chance.randrange(1, 27)), names)
        world.run()
        partly = everything(world)
        world.run(full=True)
        assert partly == everything(world)


def test_work_is_spread_over_the_days_it_has_left_and_what_is_overdue_is_for_this_week(world: World) -> None:
    world.tool.tasks.clear()
    world.tool.put("1", start=day(11, 2), due=day(11, 27), estimate=Duration(40 * 3600.0))
    world.tool.put("2", start=day(10, 1), due=day(10, 30), estimate=Duration(10 * 3600.0), spent=Duration(4 * 3600.0))
    world.tool.put("3", due=day(12, 6), start=day(12, 5), estimate=Duration(3 * 3600.0))
    world.tool.put("4", due=day(12, 1), estimate=Duration(8 * 3600.0), type="Task", status="Done")
    world.run()
    told = {monday: hours for monday, (hours,) in weeks(world, "ana", "allocated_h").items() if hours}
    assert told == {MONDAY: 20.0 + 6.0, day(11, 23): 20.0, day(11, 30): 3.0}


def test_hours_are_unknown_where_no_work_is_estimated_and_capacity_where_nobody_says_how_long_they_work(
    world: World,
) -> None:
    world.tool.tasks.clear()
    world.tool.put("1", estimate=None)
    world.tool.put("2", assignee=Person("bob"))
    world.run()
    assert set(weeks(world, "ana", "allocated_h", "capacity_h").values()) == {(None, None)}
    assert weeks(world, "bob", "allocated_h")[MONDAY] == (0.25,)
    world.staff = Staff((), 40.0)
    world.run()
    assert set(weeks(world, "bob", "capacity_h").values()) == {(40.0,)}


def test_the_weeks_move_on_with_the_calendar_and_keep_their_numbers(world: World) -> None:
    world.run()
    first = weeks(world, "ana", "id")
    world.now += dt.timedelta(days=7)
    world.run()
    after = weeks(world, "ana", "id")
    assert sorted(after) == [monday + 7 * DAY for monday in sorted(first)]
    assert {monday: number for monday, number in after.items() if monday in first} == {
        monday: number for monday, number in first.items() if monday in after
    }


def test_the_absence_of_an_owner_counts_the_working_days_of_a_task_that_it_takes(world: World) -> None:
    away = ((day(12, 3), day(12, 8)), (day(12, 10), day(12, 10)))
    world.staff = Staff((Listed("ana@acme.example", "viewer", {"acme": "ana"}, absences=away),))
    world.holidays = (day(12, 7),)
    for number, start, due, who in (
        ("1", day(12, 1), day(12, 4), "ana"),  # Thursday and Friday
        ("2", day(12, 7), day(12, 31), "ana"),  # the Tuesday and the Thursday; Monday is free anyway
        ("3", day(12, 14), day(12, 18), "ana"),
        ("4", None, day(12, 4), "ana"),
        ("5", day(12, 1), day(12, 4), "bob"),
    ):
        world.tool.put(number, start=start, due=due, assignee=Person(who))
    world.run()
    rows = select(task.c.rid, task_fact.c.owner_absent_d).join(task, task.c.id == task_fact.c.task_id)
    with world.store.reading() as connection:
        told = {rid: found for rid, found in connection.execute(rows) if int(rid) < 10}
    assert told == {"1": 2, "2": 2, "3": 0, "4": None, "5": None}
