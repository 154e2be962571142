"""A store of any size, filled by SQL: tasks in projects of two hundred, as a PMO of ten years would have them.

Two tasks in three are closed, the others are spread around today; of each ten projects one tool tells less than the
others. Values are drawn by a fixed rule from the number of the task, so that each run judges the same. What is not
named here has the default of its column, so that the store may grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import text

from pmosync import facts
from pmosync.model import BIT, HEALTHS, PHASES
from pmosync.model.words import PRIORITIES, STATUSES
from pmosync.store import Store, upsert
from pmosync.store.tables import site
from pmosync.workdays import workdays

TODAY = 20_777
PER_PROJECT = 200
PEOPLE = 4_000
DAY_US = 86_400_000_000
POORER = ("priority",)
"""Fields of a task that every tenth project does not have."""


def _any(salt: int, among: int) -> str:
    """A number below `among` that looks like chance."""
    return f"((((i + {salt * 1_000_003}) * 2654435761) >> 13) % {among})"


def _one(salt: int, words: tuple[str, ...], empty: int = 0) -> str:
    """One of the words; so many in a hundred have none."""
    cases = " ".join(f"WHEN {at} THEN '{word}'" for at, word in enumerate(words))
    chosen = f"CASE {_any(salt, len(words))} {cases} END"
    return f"CASE WHEN {_any(salt + 500, 100)} >= {empty} THEN {chosen} END" if empty else chosen


def fill(store: Store, tasks: int, linked: int) -> None:
    """Fill an empty store; of each hundred tasks so many wait for the one before them."""
    with store.begin() as connection:
        facts.keep_calendar(connection, workdays(range(5)))
        days = {"today": TODAY, "today_w": facts.working_day(connection, TODAY)}
        days["yesterday_w"] = facts.working_day(connection, TODAY - 1)
        upsert(connection, site, [{"name": "big", **days}])
        for statement in (_people(), _projects(tasks // PER_PROJECT), _tasks(tasks), *_links(tasks, linked)):
            connection.execute(text(statement))


def _numbers(count: int) -> str:
    return f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"


def _insert(table: str, count: int, values: Mapping[str, str], where: str = "1") -> str:
    """One row a number, each column by an expression over `i`."""
    columns = ", ".join(f'"{name}"' for name in values)
    return f"INSERT INTO {table} ({columns}) {_numbers(count)} SELECT {', '.join(values.values())} FROM n WHERE {where}"


def _people() -> str:
    active = f"{_any(1, 50)} > 0"
    return _insert(
        "person", PEOPLE, {"id": "i", "site": "'big'", "rid": "'u' || i", "name": "'P' || i", "active": active}
    )


def _projects(count: int) -> str:
    every = {subject: sum(bits.values()) for subject, bits in BIT.items()}
    less = every["task"] - sum(BIT["task"][name] for name in POORER)
    values = {
        "id": "i",
        "uid": "'big/' || i",
        "site": "'big'",
        "key": "'P' || i",
        "url": "''",
        "title": "'Project ' || i",
        "lead": f"CASE WHEN {_any(2, 20)} THEN 'u1' END",
        "start_on": str(TODAY - 300),
        "due_on": f"{TODAY} - 60 + {_any(3, 400)}",
        "phase": _one(4, PHASES, 30),
        "sponsor": f"CASE WHEN {_any(5, 20)} THEN 'Sam' END",
        "charter_url": f"CASE WHEN {_any(6, 10)} THEN 'https://pmo.example/c' END",
        "reported_health": _one(7, HEALTHS, 30),
        "reported_on": f"{TODAY} - {_any(8, 60)}",
        "program": "'p' || (i % 40)",
        "portfolio": "'f' || (i % 4)",
        "team": "'Blue'",
        "goals": _any(9, 4),
        "budget_h": "1000.0",
        "budget_used_h": f"{_any(10, 1100)} * 1.0",
        "offered": str(every["project"]),
        "task_offered": f"CASE WHEN i % 10 THEN {every['task']} ELSE {less} END",
    }
    return _insert("project", count, values)


def _tasks(count: int) -> str:
    every = sum(BIT["task"].values())
    less = every - sum(BIT["task"][name] for name in POORER)
    project = f"(i / {PER_PROJECT} % {max(1, count // PER_PROJECT)} + 1)"
    rich = f"{project} % 10 > 0"
    ended, open_now = _one(21, ("done", "done", "done", "cancelled")), _one(22, STATUSES[:3], 1)
    status = f"CASE WHEN {_any(20, 3)} THEN {ended} ELSE {open_now} END"
    started = f"({TODAY} - 40 - {_any(23, 3000)} / (1 + 20 * ({_any(20, 3)} = 0)))"
    values = {
        "id": "i",
        "site": "'big'",
        "rid": "'t' || i",
        "key": "'T-' || i",
        "url": "''",
        "project_id": project,
        "title": f"CASE WHEN {_any(24, 50)} THEN 'Build part ' || i ELSE 'TBD ' || i END",
        "status": status,
        "type": _one(25, ("task", "task", "task", "subtask", "epic", "milestone", "request", "risk"), 1),
        "priority": f"CASE WHEN {rich} THEN {_one(26, PRIORITIES, 5)} END",
        "assignee": f"CASE WHEN {_any(27, 20)} THEN 'u' || (1 + {_any(28, PEOPLE)}) END",
        "start_on": f"CASE WHEN {rich} AND {_any(29, 10)} THEN {started} + {_any(30, 90)} END",
        "due_on": f"CASE WHEN {_any(31, 8)} THEN {started} + 30 + {_any(32, 90)} END",
        "done_on": f"CASE WHEN {_any(33, 30)} AND {_any(20, 3)} THEN {started} + {_any(34, 100)} END",
        "created_at": f"{started} * {DAY_US}",
        "created_day": started,
        "estimate_h": f"CASE WHEN {rich} AND {_any(35, 10)} THEN {_any(36, 900)} / 10.0 END",
        "spent_h": f"{_any(37, 900)} / 10.0",
        "resolution": f"CASE WHEN {_any(20, 3)} AND {_any(38, 30)} THEN 'Fixed' END",
        "parent": f"CASE WHEN {_any(39, 3)} = 0 AND i > 50 THEN 't' || (i - 1 - {_any(40, 40)}) END",
        "status_mapped": f"{_any(41, 100)} > 0",
        "updated_at": f"({started} + {_any(42, 40)}) * {DAY_US}",
        "updated_day": f"{started} + {_any(42, 40)}",
        "status_since_at": f"CASE WHEN {rich} THEN ({started} + {_any(43, 60)}) * {DAY_US} END",
        "status_since_day": f"CASE WHEN {rich} THEN {started} + {_any(43, 60)} END",
        "due_moves": f"{_any(44, 30)} / 9",
        "reopenings": f"{_any(45, 20)} / 8",
        "offered": f"CASE WHEN {rich} THEN {every} ELSE {less} END",
    }
    return _insert("task", count, values)


def _links(count: int, linked: int) -> Iterator[str]:
    yield _insert(
        "task_project",
        count,
        {"task_id": "i", "project_id": f"(i / {PER_PROJECT} % {max(1, count // PER_PROJECT)} + 1)"},
    )
    if linked:
        ends = {"owner_id": "i", "site": "'big'", "pred": "'t' || (i - 1)", "succ": "'t' || i"}
        yield _insert("link", count, ends, f"i > 1 AND i % 100 < {linked}")
