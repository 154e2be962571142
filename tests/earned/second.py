"""Earned value and earned schedule a second time: day by day and task by task, with nothing of the product."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

ONE = dt.timedelta(days=1)


@dataclass(frozen=True)
class Task:
    """One line of a baseline, and how its task stands."""

    start_on: dt.date | None
    due_on: dt.date | None
    hours: float
    done: float | None
    """The share that is done; None: nobody can tell."""
    booked_h: float = 0.0


@dataclass(frozen=True)
class Answers:
    """What is known of a project; None is unknown."""

    bac: float
    pv: float | None
    ev: float | None
    ac: float | None
    es_weeks: float | None = None
    passed_weeks: float | None = None
    begin_on: dt.date = dt.date.min
    days: int = 0

    def finish(self) -> dt.date | None:
        """The forecast finish: so many days from the first one."""
        if not self.es_weeks or not self.passed_weeks:
            return None
        return self.begin_on + ONE * (math.ceil(round(self.days / (self.es_weeks / self.passed_weeks), 3)) - 1)

    def facts(self) -> dict[str, float | None]:
        """Everything that follows, each formula as a textbook writes it."""
        known = [self.bac, self.pv, self.ev, self.ac]
        bac, pv, ev, ac = (math.nan if one is None else one for one in known)
        cpi, spi = over(ev, ac), over(ev, pv)
        eacs = [over(bac, cpi), ac + bac - ev, ac + over(bac - ev, cpi * spi)]
        told = {
            "bac": bac,
            "pv": pv,
            "ev": ev,
            "ac": ac,
            "sv": ev - pv,
            "cv": ev - ac,
            "spi": spi,
            "cpi": cpi,
            "eac": eacs[0],
            "eac_low": math.nan if any(map(math.isnan, eacs)) else min(eacs),
            "eac_high": math.nan if any(map(math.isnan, eacs)) else max(eacs),
            "etc": eacs[0] - ac,
            "vac": bac - eacs[0],
            "vac_share": over(bac - eacs[0], bac),
            "tcpi_bac": over(bac - ev, bac - ac) if bac - ac > 1e-6 else math.nan,
        }
        es, passed = (math.nan if one is None else one for one in (self.es_weeks, self.passed_weeks))
        told |= {"es_weeks": es, "sv_t_weeks": es - passed, "spi_t": over(es, passed)}
        return {name: None if math.isnan(value) else value for name, value in told.items()}


def over(part: float, whole: float) -> float:
    """A part over a whole; nothing is known of a part of nothing."""
    return part / whole if whole else math.nan


@functools.cache
def worked(begin: dt.date, end: dt.date, off: tuple[dt.date, ...]) -> int:
    """Working days from one day to another, both counted."""
    days = (begin + ONE * n for n in range((end - begin).days + 1))
    return sum(day.weekday() < 5 and day not in off for day in days)


def planned(task: Task, day: dt.date, project_due_on: dt.date | None, off: tuple[dt.date, ...]) -> float | None:
    """What of a task was planned up to the end of a day."""
    due = task.due_on or project_due_on
    if due is None:
        return None
    begin = task.start_on if task.start_on is not None and task.start_on <= due else due
    length = worked(begin, due, off)
    if length == 0:  # planned for free days alone: it counts with the working day before them
        last = due
        while worked(last, last, off) == 0:
            last -= ONE
        return task.hours if day >= last else 0.0
    return task.hours * min(1.0, worked(begin, min(day, due), off) / length) if day >= begin else 0.0


def answers(
    tasks: Sequence[Task],
    today: dt.date,
    project_due_on: dt.date | None,
    off: tuple[dt.date, ...],
    all_done_on: dt.date,
) -> Answers:
    """The state of a project in the morning of a day.

    Args:
        all_done_on: the day of the last finish, which ends the time once all is done.
    """

    def total(day: dt.date) -> float | None:
        each = [planned(task, day, project_due_on, off) for task in tasks]
        return None if None in each else round(sum(one for one in each if one is not None), 6)

    bac = sum(task.hours for task in tasks)
    known = all(task.done is not None for task in tasks)
    ev = sum(task.hours * (task.done or 0.0) for task in tasks) if known else None
    booked = sum(task.booked_h for task in tasks)
    unbooked = sum(task.hours * (task.done or 0.0) for task in tasks if not task.booked_h)
    ac = booked if known and booked and unbooked <= 0.05 * (ev or 0.0) + 1e-6 else None
    pv = total(today - ONE)
    if pv is None or ev is None:
        return Answers(bac, pv, ev, ac)
    dues = [task.due_on or project_due_on for task in tasks]
    ends = [due for due in dues if due is not None]
    begins = [min(task.start_on or due, due) for task, due in zip(tasks, ends, strict=True)]
    begin, end = min(begins), max(ends)
    finished = ev >= bac - 1e-6
    passed = (all_done_on - begin).days + 1 if finished else (today - begin).days
    weeks = [begin - ONE]
    while weeks[-1] < end:
        weeks.append(min(weeks[-1] + 7 * ONE, end))
    levels = [0.0, *(total(day) or 0.0 for day in weeks[1:-1]), bac]
    if finished:
        es_d = float((end - begin).days + 1)
    else:
        c = max(n for n, level in enumerate(levels) if level <= ev + 1e-9)
        part = (ev - levels[c]) / (levels[c + 1] - levels[c])
        es_d = (weeks[c] - weeks[0]).days + part * (weeks[c + 1] - weeks[c]).days
    return Answers(bac, pv, ev, ac, es_d / 7, passed / 7 if passed > 0 else None, begin, (end - begin).days + 1)
