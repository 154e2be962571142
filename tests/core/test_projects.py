"""What is known of projects over a whole cycle: promised time, budgets, goals, and where several containers tell it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, inspect, select, text

from pmosync.contract import Choice, Duration, Person, Reference
from pmosync.register import Container, Register, RegisteredProject
from pmosync.standards import Standard, load_packs
from pmosync.store.tables import allocation, blind, event, finding, project, project_fact, record, worklog
from pmosync.workdays import day_number
from tests.core.memory import World

STANDARD = """
  - id: {id}
    title: It is about {id}
    subject: project
    severity: high
    when: {when}
    why: Others rely on it.
    fix: Say how it stands.
    serves: monitoring
    phase: any
    examples: {{fail: [{{{fail}}}], pass: [{{{good}}}]}}
"""
STANDARDS = (
    ("OWN1", "reported_on < today() - 14d", "reported_on: 2026-11-01", "reported_on: 2026-11-19"),
    ("OWN2", "has_brief = FALSE", "has_brief: false", "has_brief: true"),
    ("OWN3", "goals = 0", "goals: 0", "goals: 1"),
    ("OWN4", "budget_used_h > budget_h", "budget_used_h: 9, budget_h: 8", "budget_used_h: 8, budget_h: 8"),
    ("OWN5", "budget_used_cost / budget_cost > 1.1", "budget_used_cost: 12, budget_cost: 10",
     "budget_used_cost: 11, budget_cost: 10"),
    ("OWN6", "allocated_people = 0", "allocated_people: 0", "allocated_people: 1"),
    ("OWN7", "allocated_until_on < today()", "allocated_until_on: 2026-11-19", "allocated_until_on: 2026-11-20"),
    ("OWN8", "team IS EMPTY AND template ~ 'draft'", "template: a Draft", "team: Web, template: a draft"),
)  # fmt: skip
FIELDS = (
    "reported_health: {{field: status, values: {{green: [green], red: [red]}}}}, reported_on: status_on, team: team, "
    "template: template, has_brief: brief, goals: goals, budget_h: budget_time, budget_used_h: budget_time_used, "
    "budget_cost: budget_cost, budget_used_cost: budget_cost_used"
)
ALL = "history, worklogs, budgets, allocations, goals"


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Standard, ...]:
    path = tmp_path_factory.mktemp("packs") / "own.yaml"
    told = [STANDARD.format(id=one, when=when, fail=fail, good=good) for one, when, fail, good in STANDARDS]
    path.write_text("pack: own\ntoday: 2026-11-20\nstandards:" + "".join(told))
    return load_packs([str(path)], path.parent)


@pytest.fixture
def world(world: World, own: tuple[Standard, ...]) -> World:
    """A PMO that reads everything about its one project; somebody works on it until the end of the year."""
    world.standards = own
    world.reads = ALL
    world.mapping = world.mapping.replace("title: name, lead: lead", f"title: name, lead: lead, {FIELDS}")
    for number in list(world.tool.tasks)[3:]:
        del world.tool.tasks[number]
    world.tool.promise("a1", "p1", "ana", day(11, 1), day(12, 31), share=0.5)
    return world


def row(world: World, uid: str = "acme/p1") -> Any:
    with world.store.reading() as connection:
        told = select(project, project_fact).join(project_fact, project_fact.c.project_id == project.c.id)
        return connection.execute(told.where(project.c.uid == uid)).one()


def failing(world: World) -> set[str]:
    with world.store.reading() as connection:
        here = finding.c.subject == "project", finding.c.state.in_(("new", "open"))
        return set(connection.scalars(select(finding.c.standard).where(*here)))


def blind_in(world: World) -> set[str]:
    with world.store.reading() as connection:
        return set(connection.scalars(select(blind.c.standard)))


def last_event(world: World) -> tuple[str, str, str]:
    with world.store.reading() as connection:
        rows = connection.execute(select(event.c.standard, event.c.now, event.c.causes).order_by(event.c.id)).all()
        return tuple(rows[-1])


def table(world: World, one: Table) -> list[tuple[Any, ...]]:
    columns = [column for column in one.c if column.name not in ("seq", "id", "project_id")]
    with world.store.reading() as connection:
        return sorted((tuple(found) for found in connection.execute(select(*columns))), key=repr)


# --- promised time ----------------------------------------------------------------------------------------------------


def test_promised_time_tells_how_many_people_and_until_when(world: World) -> None:
    world.tool.promise("a2", "p1", "ana", day(12, 1), day(12, 5), weekly=Duration(36_000))
    world.tool.promise("a3", "p1", "bob", day(9, 1), day(9, 30))
    world.tool.promise("a4", "p1", None, day(9, 1), dt.date(2027, 1, 31))
    world.tool.promise("a5", "elsewhere", "eve", day(9, 1), dt.date(2028, 1, 31))
    world.run()
    told = row(world)
    assert (told.allocated_people, told.allocated_until_on) == (2, day_number(dt.date(2027, 1, 31)))
    with world.store.reading() as connection:
        rows = connection.execute(select(allocation).order_by(allocation.c.id)).all()
    assert [(one.project, one.person, one.share, one.weekly_s) for one in rows[:2]] == [
        ("p1", "ana", 0.5, None),
        ("p1", "ana", None, 36_000),
    ]
    assert (rows[0].start_on, rows[0].end_on) == (day_number(day(11, 1)), day_number(day(12, 31)))
    assert failing(world) == set()


def test_an_allocation_that_says_not_for_what_or_when_is_no_allocation(world: World) -> None:
    for name, broken in (("a2", {"end_on": None}), ("a3", {"project": None}), ("a4", {"start_on": world.now})):
        world.tool.promise(name, "p1", "bob", day(9, 1), day(9, 30))
        world.tool.allocations[name]["values"] |= broken
    world.run()
    assert row(world).allocated_people == 1


def test_a_changed_a_moved_and_a_removed_allocation_are_noticed_and_are_the_data(world: World) -> None:
    world.tool.projects["p2"] = {"name": "Two", "lead": None}
    world.run()
    assert failing(world) == {"OWN6"}, "nobody works on the second one, which has no task either"
    world.tool.promise("a1", "p1", "ana", day(11, 1), day(11, 19))
    seq = row(world).seq
    world.run()
    assert last_event(world) == ("OWN7", "new", "data")
    assert row(world).seq == seq + 1
    world.tool.promise("a1", "p2", "ana", day(11, 1), day(12, 31))
    world.run()
    assert (row(world).allocated_people, row(world, "acme/p2").allocated_people) == (0, 1)
    del world.tool.allocations["a1"]
    world.run(full=True)
    assert row(world, "acme/p2").allocated_people == 0
    assert last_event(world) == ("OWN6", "new", "data")


def test_promised_time_ends_by_time_alone(world: World) -> None:
    world.run()
    world.now += dt.timedelta(days=42)
    world.run()
    assert last_event(world) == ("OWN7", "new", "time")


def test_promised_time_that_cannot_be_read_freezes_what_uses_it_and_nothing_else(world: World) -> None:
    world.tool.promise("a1", "p1", "ana", day(11, 1), day(11, 19))
    world.tool.projects["p1"]["brief"] = True
    world.run(full=True)
    assert failing(world) == {"OWN7"}
    world.tool.hidden.add("allocations")
    del world.tool.allocations["a1"]
    world.tool.projects["p1"]["brief"] = False
    pulled = world.run(full=True).sites["acme"].pulled
    assert pulled is not None
    assert pulled.unobserved == {"allocations": "the time promised answers 403; ask for access"}
    assert failing(world) == {"OWN7", "OWN2"}
    world.tool.hidden.clear()
    world.run(full=True)
    assert failing(world) == {"OWN6", "OWN2"}
    world.tool.hidden.add("allocations")
    world.run(full=True)
    world.reads = "budgets, goals"
    pulled = world.run(full=True).sites["acme"].pulled
    assert pulled is not None
    assert pulled.unobserved == {}, "nobody asks for it any more"
    assert failing(world) == {"OWN2"}
    assert {"OWN6", "OWN7"} <= blind_in(world)
    assert (row(world).allocated_people, table(world, allocation)) == (None, [])


PROMISES = st.lists(
    st.tuples(
        st.sampled_from(["a1", "a2", "a3"]),
        st.sampled_from(["p1", "p2", "p3", ""]),
        st.sampled_from(["ana", "bob", None]),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@given(PROMISES, st.sampled_from([(), ("p1", "p2"), ("p2", "p3")]))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_sync_makes_of_promises_a_reconcile_and_a_rebuilt_store_make_as_well(
    world: World, promises: list[tuple[str, str, str | None, int]], joined: tuple[str, ...]
) -> None:
    world.rebuild()
    world.tool.allocations.clear()
    for number in ("p2", "p3"):
        world.tool.projects[number] = {"name": number, "lead": None}
    one = RegisteredProject("one", tuple(Container("acme", number) for number in joined))
    world.register = Register((one,) if joined else (), repr(joined))
    world.run(full=True, write=False)
    for name, number, who, days in promises:
        if number:
            world.tool.promise(name, number, who, day(10, 1), day(10, 1) + dt.timedelta(days=days))
    world.run(write=False)
    derived = (allocation, project, project_fact)
    synced = [table(world, one) for one in derived]
    world.run(full=True, write=False)
    assert [table(world, one) for one in derived] == synced
    held = [entry["values"] for entry in world.tool.allocations.values()]
    for uid, numbers in {"one": joined, **{f"acme/{n}": (n,) for n in ("p1", "p2", "p3") if n not in joined}}.items():
        mine = [values for values in held if values["project"].id in numbers]
        if numbers:
            told = row(world, uid)
            assert told.allocated_people == len({values["person"] for values in mine} - {None})
            last = max((values["end_on"] for values in mine), default=None)
            assert told.allocated_until_on == (None if last is None else day_number(last))


# --- what projects tell -----------------------------------------------------------------------------------------------


def test_everything_that_a_project_tells_is_read_and_judged(world: World) -> None:
    world.tool.projects["p1"] |= {
        "status": Choice("r", "red"),
        "status_on": day(11, 1),
        "team": Choice("7", "Web"),
        "template": Choice("8", "Draft of 2025"),
        "brief": False,
        "goals": (Choice("1", "Faster", "green"), Choice("2", "Cheaper")),
        "budget_time": Duration(36_000),
        "budget_time_used": Duration(39_600),
        "budget_cost": 1000.0,
        "budget_cost_used": 1101.0,
    }
    world.run()
    told = row(world)
    assert (told.reported_health, told.reported_on, told.team) == ("red", day_number(day(11, 1)), "Web")
    assert (told.template, told.has_brief, told.goals) == ("Draft of 2025", 0, 2.0)
    assert (told.budget_h, told.budget_used_h) == (10.0, 11.0)
    assert (told.budget_cost, told.budget_used_cost) == (1000.0, 1101.0)
    assert failing(world) == {"OWN1", "OWN2", "OWN4", "OWN5"}
    world.tool.projects["p1"] |= {
        "team": None, "goals": (), "budget_time": None, "budget_cost_used": None, "status_on": day(11, 19),
    }  # fmt: skip
    world.run()
    assert (row(world).goals, row(world).budget_h) == (0.0, None)
    assert failing(world) == {"OWN2", "OWN3", "OWN8"}, "on an empty field there is no answer"


def test_what_a_project_does_not_offer_makes_standards_blind(world: World) -> None:
    world.run()
    assert blind_in(world) == {"OWN1", "OWN2", "OWN3", "OWN4", "OWN5", "OWN8"}
    assert failing(world) == set()


def test_of_several_containers_a_report_and_a_budget_are_never_mixed(world: World) -> None:
    world.tool.projects = {
        "p1": {"name": "One", "lead": None, "status_on": day(11, 2), "budget_time_used": Duration(3600.0),
               "brief": None},
        "p2": {"name": "Two", "lead": Person("ana"), "status": Choice("g", "green"), "status_on": day(11, 3),
               "budget_time": Duration(7200.0), "brief": True, "budget_cost": 5.0},
        "p3": {"name": "Three", "status": Choice("r", "red"), "status_on": day(11, 4), "budget_cost": 6.0,
               "budget_cost_used": 7.0, "budget_time": Duration(1.0), "budget_time_used": Duration(1.0), "goals": ()},
    }  # fmt: skip
    joined = RegisteredProject("one", tuple(Container("acme", number) for number in ("p1", "p2", "p3")))
    world.register = Register((joined,), "joined")
    world.run()
    told = row(world, "one")
    assert (told.title, told.lead, told.has_brief, told.goals) == ("One", "ana", 1, 0.0)
    assert (told.reported_health, told.reported_on) == ("green", day_number(day(11, 3)))
    assert (told.budget_h, told.budget_used_h, told.budget_cost, told.budget_used_cost) == (2.0, None, 5.0, None)


def test_a_report_that_the_register_gives_has_no_day(world: World) -> None:
    world.tool.projects["p1"] |= {"status": Choice("r", "red"), "status_on": day(10, 1)}
    world.run()
    assert failing(world) == {"OWN1"}
    entry = RegisteredProject("one", (Container("acme", "p1"),), reported_health="green")
    world.register = Register((entry,), "register")
    world.run()
    told = row(world, "one")
    assert (told.reported_health, told.reported_on) == ("green", None)
    assert "OWN1" in blind_in(world)
    assert failing(world) == set()


def test_a_newly_mapped_field_of_projects_is_pulled(world: World) -> None:
    plain = world.mapping.replace(f", {FIELDS}", "")
    mapped, world.mapping = world.mapping, plain
    world.run(full=True)
    assert world.setup().sites[0].mapping.asked().count("team of projects") == 0
    world.mapping = mapped
    world.tool.version += 1
    del world.tool.tasks["100"]
    world.run()
    with world.store.reading() as connection:
        assert connection.scalar(select(record.c.gone).where(record.c.rid == "100")) == 1, "it was pulled whole"


# --- booked time, and the store ---------------------------------------------------------------------------------------


def test_booked_time_of_which_the_tool_tells_the_day_alone_is_read(world: World) -> None:
    world.tool.log("w1", "100", 2, day(11, 9))
    world.tool.log("w2", "100", 1, dt.datetime(2026, 11, 9, 23, 30, tzinfo=dt.UTC))
    world.run()
    assert [(one[3] is None, one[4]) for one in world_rows(world, worklog)] == [
        (True, day_number(day(11, 9))),
        (False, day_number(day(11, 10))),
    ]


def world_rows(world: World, one: Table) -> list[Any]:
    names = ("site", "task", "person", "at", "day", "seconds")
    with world.store.reading() as connection:
        return list(connection.execute(select(*(one.c[name] for name in names)).order_by(one.c.id)))


def test_a_store_of_version_three_is_brought_up_to_date_and_used(world: World) -> None:
    told, world.mapping = world.mapping, world.mapping.replace(f", {FIELDS}", "")
    world.reads = "worklogs"
    world.tool.log("w1", "100", 2, dt.datetime(2026, 11, 9, 9, tzinfo=dt.UTC))
    world.run(full=True)
    booked = world_rows(world, worklog)
    added = {
        "site": ["allocations_observed"],
        "project": ["reported_on", "team", "template", "has_brief", "goals", "budget_h", "budget_used_h",
                    "budget_cost", "budget_used_cost"],
        "project_fact": ["allocated_people", "allocated_until_on", "allocations_observed"],
        "mark": ["wrote_on", "later_on", "later"],
    }  # fmt: skip
    with world.store.begin() as connection:
        for name, columns in added.items():
            for column in columns:
                connection.execute(text(f"ALTER TABLE {name} DROP COLUMN {column}"))
        connection.execute(text("DROP TABLE allocation"))
        connection.execute(text("ALTER TABLE worklog DROP COLUMN at"))
        connection.execute(text("ALTER TABLE worklog ADD COLUMN at BIGINT NOT NULL DEFAULT 0"))
        connection.execute(text("UPDATE meta SET value = '3' WHERE key = 'schema'"))
    world.store.close()
    world.open()
    with world.store.reading() as connection:
        assert "allocation" in inspect(connection).get_table_names()
    assert world.run().plan.changes == []
    assert world_rows(world, worklog) == booked
    world.reads, world.mapping = ALL, told
    world.tool.projects["p1"]["goals"] = ()
    world.tool.log("w2", "100", 1, day(11, 10))
    world.run()
    assert failing(world) == {"OWN3"}
    assert (row(world).allocated_people, len(world_rows(world, worklog))) == (1, 2)
    assert world.tool.allocations["a1"]["values"]["project"] == Reference("project", "p1")
