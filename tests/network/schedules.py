"""Reads real schedules (Primavera XER, Microsoft Project XML) into open work and finish-to-start links, for tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from pmosync.network import Work
from pmosync.workdays import day_number, workdays

CALENDAR = workdays(range(7))
"""The schedules are from several countries with several weeks: every day counts, for both computations alike."""
MSPDI = "{http://schemas.microsoft.com/project}"


class Schedule:
    """Open tasks as a mapping would read them, and their links; `resources` tells who has somebody assigned."""

    def __init__(self) -> None:
        self.works: dict[int, Work] = {}
        self.milestones: set[int] = set()
        self.links: list[tuple[int, int]] = []
        self.closed: set[int] = set()

    def add(self, number: int, start_on: dt.date, due_on: dt.date, *, milestone: bool, started: bool) -> None:
        finish, begin = CALENDAR.at(day_number(due_on)), CALENDAR.at(day_number(start_on) - 1)
        self.works[number] = Work(finish, 0 if milestone or started else finish - begin)
        if milestone:
            self.milestones.add(number)

    def bounded(self, due: int) -> Mapping[int, Work]:
        """The same work in a project with a due date."""
        return {number: Work(work.finish, work.length, due) for number, work in self.works.items()}

    @property
    def last(self) -> int:
        return max(work.finish for work in self.works.values() if work.finish is not None)


def read(path: Path) -> Schedule:
    return _xer(path) if path.suffix == ".xer" else _mspdi(path)


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text[:10])


def _xer(path: Path) -> Schedule:
    schedule = Schedule()
    for table, row in _rows(path):
        if table == "TASK" and row["task_type"] not in ("TT_WBS", "TT_LOE"):
            number = int(row["task_id"])
            if row["status_code"] == "TK_Complete":
                schedule.closed.add(number)
                continue
            schedule.add(
                number,
                _day(row["target_start_date"]),
                _day(row["target_end_date"]),
                milestone=row["task_type"] in ("TT_Mile", "TT_FinMile"),
                started=row["status_code"] == "TK_Active",
            )
        if table == "TASKPRED" and row["pred_type"] == "PR_FS":
            schedule.links.append((int(row["pred_task_id"]), int(row["task_id"])))
    return schedule


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    table, names = "", []
    for line in path.read_text("cp1252").splitlines():
        mark, *cells = line.split("\t")
        if mark == "%T":
            table = cells[0]
        elif mark == "%F":
            names = cells
        elif mark == "%R":
            yield table, dict(zip(names, cells, strict=False))


def _mspdi(path: Path) -> Schedule:
    schedule = Schedule()
    for task in ElementTree.parse(path).iter(f"{MSPDI}Task"):
        told = {child.tag.removeprefix(MSPDI): child.text or "" for child in task}
        if told.get("IsNull") == "1" or told.get("Summary") == "1" or not told.get("Start"):
            continue
        number = int(told["UID"])
        if told.get("PercentComplete") == "100":
            schedule.closed.add(number)
        else:
            started = told.get("PercentComplete", "0") != "0"
            milestone = told.get("Milestone") == "1"
            schedule.add(number, _day(told["Start"]), _day(told["Finish"]), milestone=milestone, started=started)
        for link in task.iter(f"{MSPDI}PredecessorLink"):
            if link.findtext(f"{MSPDI}Type") == "1":
                schedule.links.append((int(link.findtext(f"{MSPDI}PredecessorUID") or 0), number))
    return schedule
