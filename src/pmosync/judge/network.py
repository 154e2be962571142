"""What the day makes of the network, as expressions over the tables of facts, which never contain today.

`yesterday_w` is the position of the day before: open work can be finished today at the earliest. The earliest finish of
a task is what its plan says, or what is left of its chain, counted from now, if that is later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, case, cast, func, select

from pmosync.model import HIGH_FLOAT_D
from pmosync.network import CLOSED
from pmosync.store.tables import project, project_fact, site, task, task_fact, task_project


def _later(planned: ColumnElement[Any], least: ColumnElement[Any]) -> ColumnElement[Any]:
    """The later one of a planned finish and of what is left, counted from now; unknown when one of them is."""
    return case((planned >= site.c.yesterday_w + least, planned), else_=site.c.yesterday_w + least)


def _early(facts: Any) -> ColumnElement[Any]:
    return _later(facts.c.finish_w, facts.c.least_w)


def _end(facts: Any) -> ColumnElement[Any]:
    return _later(facts.c.end_w, facts.c.end_least_w)


def _float_to_due(facts: Any) -> ColumnElement[Any]:
    """Total float against the due dates behind it; unknown where there are none."""
    return case((facts.c.after_w.is_not(None), facts.c.late_w - _early(facts)))


def _total_float(facts: Any) -> ColumnElement[Any]:
    return func.coalesce(_float_to_due(facts), _end(facts) - facts.c.after_w - _early(facts))


def _is_critical() -> ColumnElement[Any]:
    reaches = _early(task_fact) + task_fact.c.after_w >= _end(task_fact)
    return case((reaches, 1), (~reaches, 0))


def _of_project(value: Callable[[Any], ColumnElement[Any]]) -> ColumnElement[Any]:
    """One number about the open pieces of work of a project; the day is that of the project."""
    facts = task_fact.alias("piece")
    return (
        select(value(facts))
        .select_from(task_project.join(facts, facts.c.task_id == task_project.c.task_id))
        .where(task_project.c.project_id == project.c.id, facts.c.is_work == 1)
        .correlate(project, site)
        .scalar_subquery()
    )


def _high_share(facts: Any) -> ColumnElement[Any]:
    left = _total_float(facts)
    return func.avg(case((left > HIGH_FLOAT_D, 1.0), (left <= HIGH_FLOAT_D, 0.0)))


def _negative(facts: Any) -> ColumnElement[Any]:
    left = _float_to_due(facts)
    return func.sum(case((left < 0, 1), (left >= 0, 0)))


def _cpli() -> ColumnElement[Any]:
    """(length + float) / length, where both are counted to the end: the time to the due date over the length."""
    length = _end(project_fact) - site.c.yesterday_w
    return case((length > 0, cast(project_fact.c.due_w - site.c.yesterday_w, Float) / length))


def _milestone_gap() -> ColumnElement[Any]:
    """The longest time ahead without a milestone, up to the end of the project; what is overdue lies behind."""
    milestone = task.alias("milestone")
    due, today = milestone.c.due_on, site.c.today
    ahead = (
        select(due.label("due"), (due - func.coalesce(func.lag(due).over(order_by=due), today)).label("gap"))
        .select_from(task_project.join(milestone, milestone.c.id == task_project.c.task_id))
        .where(
            task_project.c.project_id == project.c.id,
            milestone.c.type == "milestone",
            func.coalesce(milestone.c.status, "").not_in(CLOSED),
            due > today,
        )
        .correlate(project, site)
        .subquery("ahead")
    )
    longest = func.max(ahead.c.gap)
    rest = project.c.due_on - func.coalesce(func.max(ahead.c.due), today)
    value = case((rest > func.coalesce(longest, 0), rest), else_=longest)
    return select(value).select_from(ahead).correlate(project, site).scalar_subquery()


NETWORK: Mapping[str, Callable[[], ColumnElement[Any]]] = {
    "total_float": lambda: _total_float(task_fact),
    "is_critical": _is_critical,
    "high_float_share": lambda: _of_project(_high_share),
    "negative_float_tasks": lambda: _of_project(_negative),
    "cpli": _cpli,
    "longest_milestone_gap_d": _milestone_gap,
}
"""Facts of tasks and projects that depend on the day, by name."""
