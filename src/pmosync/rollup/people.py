"""The findings about people, as they count in projects: how many, and of which standard, never about whom.

A person counts in every project in which they have open work, once for each standard, however many weeks it is about.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, case, func, select, union

from pmosync.store.people import account, person_week
from pmosync.store.tables import finding, project, task, task_project


def people_findings() -> Select[Any]:
    """One row for each project (`number`, `program`, `portfolio`), standard, state (`open` or `waived`) and person."""
    state = case((finding.c.state == "waived", "waived"), else_="open").label("state")
    of_weeks = select(person_week.c.human_id, finding.c.standard, state).join(
        finding, and_(finding.c.subject == "person_week", finding.c.subject_id == person_week.c.id)
    )
    of_persons = select(finding.c.subject_id.label("human_id"), finding.c.standard, state)
    of_persons = of_persons.where(finding.c.subject == "person")
    active = finding.c.state != "resolved"
    found = union(of_weeks.where(active), of_persons.where(active)).subquery("found")
    still_open = func.coalesce(task.c.status, "").not_in(("done", "cancelled"))
    return (
        select(
            project.c.id.label("number"),
            project.c.program,
            project.c.portfolio,
            found.c.standard,
            found.c.state,
            found.c.human_id,
        )
        .select_from(found)
        .join(account, account.c.human_id == found.c.human_id)
        .join(task, and_(task.c.site == account.c.site, task.c.assignee == account.c.rid, still_open))
        .join(task_project, task_project.c.task_id == task.c.id)
        .join(project, project.c.id == task_project.c.project_id)
        .distinct()
    )
