"""What is told about waivers: how many findings each waives, which end soon, which ended, which waive nothing.

All of it is asked with the expression that judging uses; what is counted is what the last run found.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, or_, select, union_all

from pmosync.ladder import FAILING
from pmosync.model import Subject
from pmosync.store.people import SUBJECT_TABLES
from pmosync.store.tables import finding, project, site, task, waiver
from pmosync.waiving import announced, covers, in_force
from pmosync.workdays import date_of

ACTIVE = (*FAILING, "waived")

Row = dict[str, Any]


def uses(connection: Connection) -> dict[str, int]:
    """How many findings each waiver of the last run waives, by id; two may waive the same one."""
    return _counted(connection, in_force(site.c.today))


def ending(connection: Connection, day: int) -> list[Row]:
    """The waivers that end soon or ended lately, and those that hold and waive nothing; the next to end first.

    Beside each stands how many findings come back with its end, or came.

    Args:
        day: the organisation's, of the one who asks.
    """
    used = uses(connection)
    back = and_(waiver.c.until < site.c.today, finding.c.waived_until.is_(None))
    decided = _counted(connection, or_(finding.c.waived_until == waiver.c.until, back))
    rows = connection.execute(select(waiver, announced(literal(day)).label("state")).order_by(waiver.c.until))
    found = []
    for row in rows:
        state = row.state or ("unused" if used[row.waiver] == 0 and row.approved_on <= day <= row.until else "")
        if state:
            found.append(
                {
                    "id": row.waiver,
                    "standard": row.standard,
                    "scope": row.scope,
                    "until": date_of(row.until).isoformat(),
                    "state": state,
                    "findings": decided[row.waiver],
                    "approved_by": row.approved_by,
                    "reason": row.reason,
                }
            )
    return found


def told(row: Row) -> str:
    """One waiver that is announced, in a sentence."""
    about, findings = f"waiver {row['id']} ({row['standard']}, {row['scope']})", row["findings"]
    many = f"{findings} finding{'' if findings == 1 else 's'}"
    match row["state"]:
        case "ends":
            return f"{about} ends on {row['until']}: {many} will be back"
        case "ended":
            return f"{about} ended on {row['until']}: {many} {'is' if findings == 1 else 'are'} back"
        case _:
            return f"{about} holds until {row['until']} and waives nothing"


def _counted(connection: Connection, holds: ColumnElement[bool]) -> dict[str, int]:
    """The active findings that each waiver covers, by its id."""
    found = dict.fromkeys(connection.scalars(select(waiver.c.waiver)), 0)
    every = union_all(*(_covered(subject, holds) for subject in SUBJECT_TABLES)).subquery()
    counts: Select[Any] = select(every.c.waiver, func.count()).group_by(every.c.waiver)
    found.update((name, number) for name, number in connection.execute(counts))
    return found


def _covered(subject: Subject, holds: ColumnElement[bool]) -> Select[Any]:
    """The waivers of active findings about one kind of subject, each as often as it covers one."""
    own = SUBJECT_TABLES[subject]
    rows = finding.join(own, and_(finding.c.subject == subject, finding.c.subject_id == own.c.id))
    rows = rows.join(site, site.c.name == own.c.site)
    if subject == "task":
        rows = rows.outerjoin(project, project.c.id == task.c.project_id)
    rows = rows.join(waiver, and_(covers(subject, finding.c.standard), holds))
    return select(waiver.c.waiver).select_from(rows).where(finding.c.state.in_(ACTIVE))
