"""A look ahead finds what a run on that day finds if nothing changes until then, and leaves nothing behind."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import Connection, select

from pmosync.contract import Person
from pmosync.errors import Misconfigured
from pmosync.reports.ahead import ahead
from pmosync.store.tables import event, finding, site, verdict
from pmosync.workdays import day_number
from tests.core.memory import World, waiver_row

pytestmark = pytest.mark.slow

TODAY = dt.date(2026, 11, 20)


def findings(connection: Connection) -> list[Any]:
    """Everything that is said of findings, with what happened to them and the verdicts that they come from."""
    named = [column for column in event.c if column.name != "id"]
    asked = select(finding), select(*named), select(verdict), select(site.c.name, site.c.today, site.c.today_w)
    return [sorted(map(str, connection.execute(one))) for one in asked]


def busy(world: World) -> None:
    """Work that falls due one day after the other, some of it waived, some of it wrong already."""
    for number in range(100, 120):
        world.tool.put(str(number), due=TODAY + dt.timedelta(days=number - 105), priority="High")
    world.tool.put("121", assignee=None, status="Doing")
    world.tool.put("122", start=TODAY + dt.timedelta(days=4))
    for number, last in (("101", 2), ("103", 40), ("108", 5)):
        world.waivers.append(waiver_row(key=f"T-{number}", until=day_number(TODAY) + last))
    world.waivers.append(waiver_row(covers="where", predicate="due_on < today ( ) - 9d", until=day_number(TODAY) + 5))


@pytest.mark.parametrize("days", [0, 1, 3, 7, 30])
def test_it_is_what_a_run_on_that_day_finds_when_nothing_changes(world: World, days: int) -> None:
    busy(world)
    world.run()
    with world.store.reading() as connection:
        before = findings(connection)
    setup = world.setup()
    with ahead(
        world.store,
        setup.standards,
        setup.waivers,
        setup.workdays,
        TODAY + dt.timedelta(days=days),
        setup.modes,
        setup.ladder,
    ) as seen:
        connection, outcome = seen
        told = findings(connection)
    with world.store.reading() as connection:
        assert findings(connection) == before
    world.now += dt.timedelta(days=days)
    settled = world.run().settled
    with world.store.reading() as connection:
        assert findings(connection) == told
    assert outcome.settled == settled
    assert (settled.new > 0) == (days > 1), "the first day is a Saturday"


def test_it_holds_where_a_site_was_not_observed_and_runs_go_on_afterwards(world: World) -> None:
    busy(world)
    world.run()
    world.tool.hidden.add("p1")
    world.run(full=True)
    setup = world.setup()
    with ahead(
        world.store,
        setup.standards,
        setup.waivers,
        setup.workdays,
        TODAY + dt.timedelta(days=7),
        setup.modes,
        setup.ladder,
    ) as seen:
        assert seen[1].settled.new == 0
    world.tool.hidden.clear()
    world.tool.put("121", assignee=Person("ana"))
    assert world.run(full=True).settled.resolved == 2


def test_another_calendar_counts_in_a_look_ahead(world: World) -> None:
    busy(world)
    world.run()
    world.holidays = tuple(TODAY + dt.timedelta(days=n) for n in range(1, 8))
    setup = world.setup()
    with ahead(
        world.store,
        setup.standards,
        setup.waivers,
        setup.workdays,
        TODAY + dt.timedelta(days=7),
        setup.modes,
        setup.ladder,
    ) as seen:
        told = findings(seen[0])
    world.now += dt.timedelta(days=7)
    world.run()
    with world.store.reading() as connection:
        assert findings(connection)[0] == told[0]


@pytest.mark.parametrize(("day", "said"), [("2026-11-19", "is that of 2026-11-20"), ("2050-01-01", "to 2049-12-31")])
def test_a_day_that_cannot_be_judged_is_refused(world: World, day: str, said: str) -> None:
    world.run()
    setup = world.setup()
    with (
        pytest.raises(Misconfigured, match=said),
        ahead(world.store, setup.standards, (), setup.workdays, dt.date.fromisoformat(day), setup.modes, setup.ladder),
    ):
        pass


def test_without_a_run_there_is_nothing_to_look_at(world: World) -> None:
    setup = world.setup()
    with (
        pytest.raises(Misconfigured, match="nothing was judged yet"),
        ahead(world.store, setup.standards, (), setup.workdays, TODAY, setup.modes, setup.ladder),
    ):
        pass
