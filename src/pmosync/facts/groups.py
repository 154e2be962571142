"""Compute what stands above persons and projects: the months of a role, and portfolios."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    Float,
    Select,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from pmosync.store.people import human, period, person_month, portfolio, role, role_month
from pmosync.store.tables import project, project_fact, touched

EACH = 10_000
"""More than there are weeks or months: a person's week has the number of the person times this, and the week's."""
HOURS_TO = 4
"""Decimals of hours: sums must not differ by the order in which they are added up."""


@cache
def role_statements(everything: bool) -> tuple[Executable, ...]:
    """Add the months up of all people who work as the same: of all roles, or of those of touched persons."""
    new = select(human.c.role).where(human.c.role.is_not(None), human.c.role.not_in(select(role.c.name))).distinct()
    moved = select(human.c.role).where(human.c.role.is_not(None))
    if not everything:
        here = select(touched.c.subject_id).where(touched.c.subject == "person")
        moved = moved.where(human.c.id.in_(here))
    forgotten = delete(role_month).where(true() if everything else role_month.c.role.in_(moved))
    month = person_month
    rows = (
        select(
            (role.c.id * EACH + month.c.no).label("id"),
            func.min(human.c.site).label("site"),
            role.c.name.label("key"),
            role.c.name.concat(", ").concat(period.c.label).label("title"),
            month.c.month_on.label("month_on"),
            role.c.name.label("role"),
            func.count().label("people"),
            hours(func.sum(month.c.allocated_h)).label("demand_h"),
            hours(func.sum(month.c.requested_h)).label("requested_h"),
            case((func.count() == func.count(month.c.capacity_h), hours(func.sum(month.c.capacity_h)))).label(
                "capacity_h"
            ),
            func.min(month.c.work_observed).label("work_observed"),
        )
        .select_from(month)
        .join(human, human.c.id == month.c.human_id)
        .join(role, role.c.name == month.c.role)
        .join(period, and_(period.c.kind == "month", period.c.no == month.c.no))
        .where(month.c.role.in_(moved))
        .group_by(role.c.id, role.c.name, month.c.no, month.c.month_on, period.c.label)
    )
    return role.insert().from_select(["name"], new), forgotten, filled(role_month, rows)


def filled(table: Table, rows: Select[Any]) -> Executable:
    """Put these rows into a table, each column into the one of its name."""
    return table.insert().from_select([column.name for column in rows.selected_columns], rows)


def add_up_portfolios(connection: Connection) -> None:
    """Portfolios are few, and so are their projects: all are added up in every pass, and those that differ touched."""
    known = case((project.c.reported_health == "red", 1.0), (project.c.reported_health.is_not(None), 0.0))
    ranked = func.sum(project_fact.c.ranked_tasks)
    rows = connection.execute(
        select(
            project.c.portfolio.label("key"),
            project.c.portfolio.label("title"),
            func.min(project.c.site).label("site"),
            func.count().label("projects"),
            func.sum(project_fact.c.open_tasks).label("open_tasks"),
            (cast(func.sum(project_fact.c.top_tasks), Float) / func.nullif(ranked, 0)).label("top_priority_share"),
            cast(func.avg(known), Float).label("reported_red_share"),
            func.min(project.c.observed).label("projects_observed"),
        )
        .join(project_fact, project_fact.c.project_id == project.c.id)
        .group_by(project.c.portfolio)
    )
    now = {row.key: dict(row._mapping) for row in rows}
    before = {row.key: row for row in connection.execute(select(portfolio))}
    gone = [before[key].id for key in before.keys() - now.keys()]
    connection.execute(delete(portfolio).where(portfolio.c.id.in_(gone)))
    for key, row in now.items():
        if key not in before:
            connection.execute(portfolio.insert(), row)
        elif any(getattr(before[key], name) != value for name, value in row.items()):
            connection.execute(update(portfolio).where(portfolio.c.key == key).values(**row))
        else:
            continue
        number = connection.scalar(select(portfolio.c.id).where(portfolio.c.key == key))
        seen = insert(touched).values(subject="portfolio", subject_id=number, data=1)
        connection.execute(seen.on_conflict_do_nothing())


def hours(value: Any) -> Any:
    """Hours as they are kept."""
    return func.round(value, HOURS_TO)
