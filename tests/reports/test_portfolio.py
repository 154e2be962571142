"""What stands beside the figures: whose age, what was not observed and whom that touches, which standards fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from pmosync import rollup
from pmosync.errors import Misconfigured
from pmosync.register import Group, Register
from pmosync.reports import portfolio
from pmosync.reports.portfolio import Entry, Report
from pmosync.rollup import Rollup
from pmosync.standards import load_packs
from pmosync.store import Store
from pmosync.store.tables import (
    blind,
    container,
    finding,
    project,
    record,
    scope,
    site,
    task,
    task_project,
)
from pmosync.workdays import workdays

STANDARDS = load_packs(["starter"], Path())
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
MINUTE = 60 * 1_000_000
AT = int(NOW.timestamp()) * 1_000_000
REGISTER = Register((), "", (Group("program", "cards", "Cards"),))
JIRA, ASANA = "acme-jira", "acme-asana"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """Two programs' worth of projects: `pay` in Jira and Asana, `plat` in Jira, `brand` in Asana alone."""
    store = Store(tmp_path / "pmosync.db")
    with store.begin() as made:
        made.execute(site.insert(), [
            {"name": JIRA, "pulled_at": AT - 12 * MINUTE, "today": 20779},
            {"name": ASANA, "pulled_at": AT - 90 * MINUTE, "today": 20779},
            {"name": "new-jira", "pulled_at": None, "today": 20779},
        ])  # fmt: skip
        add_project(made, 1, "pay", [(JIRA, "10001"), (ASANA, "1201")], program="cards")
        add_project(made, 2, "plat", [(JIRA, "10002")], program="cards")
        add_project(made, 3, "brand", [(ASANA, "1202")])
        yield made
    store.close()


def add_project(
    made: Connection, number: int, uid: str, places: list[tuple[str, str]], program: str | None = None
) -> None:
    """A project and its containers."""
    made.execute(project.insert().values(
        id=number, uid=uid, site=places[0][0], key=uid.upper(), url=f"https://acme.example/{uid}",
        title=f"The {uid} project", program=program, portfolio="organisation",
    ))  # fmt: skip
    for position, (name, rid) in enumerate(places):
        at = number * 10 + position
        made.execute(record.insert().values(
            id=at, site=name, kind="project", rid=rid, key=uid.upper(), url="", version="", hash="", body="{}"
        ))  # fmt: skip
        made.execute(container.insert().values(record_id=at, project_id=number, site=name, rid=rid))


def add_task(made: Connection, number: int, projects: list[int], *standards: str, state: str = "open") -> None:
    """A task in these projects that fails these standards."""
    made.execute(task.insert().values(id=number, site=JIRA, rid=str(number), key=f"K-{number}", url="", status="todo"))
    made.execute(task_project.insert(), [{"task_id": number, "project_id": one} for one in projects])
    for standard in standards:
        made.execute(finding.insert().values(
            subject="task", subject_id=number, standard=standard, site=JIRA, state=state, since=20770
        ))  # fmt: skip


def tree(connection: Connection) -> list[Rollup]:
    severities = {one.id: one.severity for one in STANDARDS}
    return rollup.tree(connection, severities, REGISTER, "Acme", workdays(range(5)))


def told(connection: Connection, rollups: list[Rollup] | None = None, **options: str) -> dict[str, Entry]:
    return {one.rollup.id: one for one in report(connection, rollups, **options).entries}


def report(connection: Connection, rollups: list[Rollup] | None = None, **options: str) -> Report:
    return portfolio.report(
        connection,
        rollups or tree(connection),
        STANDARDS,
        organisation="Acme",
        zone=ZoneInfo("Europe/Berlin"),
        now=NOW,
        **options,
    )


def unobserved(connection: Connection, name: str, part: str) -> set[str]:
    """The rollups that a scope touches which is not observed."""
    connection.execute(scope.insert().values(site=name, scope=part, observed=0, why="it may not be read"))
    made = report(connection)
    touched = {one.rollup.id for one in made.entries if [each.scope for each in one.unobserved] == [part]}
    assert {one.rollup.id for one in made.entries if one.missing} == touched
    assert len(made.unobserved) == bool(touched)
    return touched


ALL = {"portfolio/organisation", "program/cards", "project/pay", "project/plat", "project/brand"}


# --- age --------------------------------------------------------------------------------------------------------------


def test_the_age_of_a_rollup_is_that_of_the_oldest_site_its_projects_live_in(connection: Connection) -> None:
    read_at = {name: one.read_at for name, one in told(connection).items()}
    old, young = NOW - dt.timedelta(minutes=90), NOW - dt.timedelta(minutes=12)
    assert read_at == {**dict.fromkeys(ALL, old), "project/plat": young}
    assert read_at["project/plat"].utcoffset() == dt.timedelta(hours=1)  # type: ignore[union-attr]


def test_a_rollup_with_a_site_that_was_never_read_has_no_age(connection: Connection) -> None:
    add_project(connection, 4, "later", [(JIRA, "10004"), ("new-jira", "7")])
    entries = told(connection)
    assert entries["project/later"].read_at is None
    assert entries["portfolio/organisation"].read_at is None
    assert entries["program/cards"].read_at is not None


# --- what was not observed --------------------------------------------------------------------------------------------


def test_a_project_that_could_not_be_read_touches_what_it_is_in_and_nothing_else(connection: Connection) -> None:
    touched = unobserved(connection, JIRA, "project:10002")
    assert touched == {"portfolio/organisation", "program/cards", "project/plat"}
    (one,) = report(connection).unobserved
    assert (one.title, one.why) == ("The plat project (PLAT)", "it may not be read")


def test_one_container_of_a_project_touches_the_whole_project(connection: Connection) -> None:
    assert unobserved(connection, ASANA, "project:1201") == {"portfolio/organisation", "program/cards", "project/pay"}


def test_a_scope_that_is_no_project_touches_everything_of_its_site(connection: Connection) -> None:
    assert unobserved(connection, ASANA, "people") == ALL - {"project/plat"}


@pytest.mark.parametrize(("name", "part"), [(JIRA, "project:99999"), ("new-jira", "people")])
def test_what_belongs_to_no_known_project_is_told_at_the_top_alone(
    connection: Connection, name: str, part: str
) -> None:
    assert unobserved(connection, name, part) == {"portfolio/organisation"}


def test_a_site_in_trouble_touches_everything_that_lives_in_it(connection: Connection) -> None:
    connection.execute(site.update().where(site.c.name == ASANA).values(trouble="it does not answer"))
    entries = told(connection)
    assert {name for name, one in entries.items() if one.missing == (ASANA,)} == ALL - {"project/plat"}
    assert entries["project/plat"].missing == ()


def test_a_report_of_one_project_tells_only_what_touches_it(connection: Connection) -> None:
    connection.execute(site.update().where(site.c.name == ASANA).values(trouble="it does not answer"))
    alone = portfolio.narrowed(connection, tree(connection), "project", "plat")
    assert report(connection, alone).unobserved == ()
    assert [one.rollup.id for one in report(connection, alone).heads] == ["project/plat"]


# --- standards --------------------------------------------------------------------------------------------------------


def test_the_standards_that_fail_are_counted_by_project_and_over_all_each_task_once(connection: Connection) -> None:
    add_task(connection, 101, [1, 2], "SCH201", "DAT101")
    add_task(connection, 102, [2], "SCH201")
    add_task(connection, 103, [2], "SCH202", state="waived")
    connection.execute(finding.insert().values(
        subject="project", subject_id=2, standard="GOV603", site=JIRA, state="new", since=20770
    ))  # fmt: skip
    entries = told(connection, guidance="https://pmo.example/s/")

    def counts(name: str) -> list[tuple[str, int]]:
        return [(one.id, one.findings) for one in entries[name].standards]

    assert counts("project/pay") == [("SCH201", 1), ("DAT101", 1)]
    assert counts("project/plat") == [("GOV603", 1), ("SCH201", 2), ("DAT101", 1)]
    assert counts("portfolio/organisation") == [("GOV603", 1), ("SCH201", 2), ("DAT101", 1)]
    assert counts("project/brand") == []
    assert entries["project/pay"].standards[0].url == "https://pmo.example/s/SCH201.html"
    assert told(connection)["project/pay"].standards[0].url == ""


def test_no_more_than_five_standards_are_told_and_the_rest_is_counted(connection: Connection) -> None:
    ids = sorted(one.id for one in STANDARDS if one.subject == "task")[:7]
    add_task(connection, 101, [3], *ids)
    one = told(connection)["project/brand"]
    assert (len(one.standards), one.failing) == (5, 7)


def test_what_cannot_be_judged_is_told_with_the_field_that_is_missing(connection: Connection) -> None:
    connection.execute(blind.insert(), [
        {"project_id": 2, "standard": "SCH201", "fields": "due_on"},
        {"project_id": 2, "standard": "SCH202", "fields": "due_on"},
    ])  # fmt: skip
    (one,) = told(connection)["project/plat"].blind
    assert (one.fields, one.standards) == ("due_on", ("SCH201", "SCH202"))
    assert told(connection)["portfolio/organisation"].blind == ()


# --- a part of it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "word", "found"),
    [
        ("program", "cards", {"program/cards", "project/pay", "project/plat"}),
        ("program", "Cards", {"program/cards", "project/pay", "project/plat"}),
        ("portfolio", "Acme", ALL),
        ("project", "BRAND", {"project/brand"}),
        ("project", "The brand project", {"project/brand"}),
    ],
)
def test_a_part_is_named_by_id_title_or_key(connection: Connection, level: str, word: str, found: set[str]) -> None:
    assert {one.id for one in portfolio.narrowed(connection, tree(connection), level, word)} == found


def test_a_name_that_nothing_has_is_refused_with_the_one_that_was_meant(connection: Connection) -> None:
    with pytest.raises(Misconfigured, match=r"--program: there is no program 'card'(.|\n)*(Cards|cards)"):
        portfolio.narrowed(connection, tree(connection), "program", "card")
    with pytest.raises(Misconfigured, match=r"--project: there is no project 'zzz'(.|\n)*brand, pay, plat"):
        portfolio.narrowed(connection, tree(connection), "project", "zzz")


def test_a_name_that_two_have_is_refused_with_their_ids(connection: Connection) -> None:
    add_project(connection, 4, "pay2", [(JIRA, "10004")])
    connection.execute(project.update().where(project.c.id == 4).values(title="The pay project"))
    with pytest.raises(Misconfigured, match=r"several are called 'The pay project'(.|\n)*pay, pay2"):
        portfolio.narrowed(connection, tree(connection), "project", "The pay project")
