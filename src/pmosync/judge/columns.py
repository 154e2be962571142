"""How the names of the model become columns of the store, for the compiler of the predicate language."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, func

from pmosync.judge.baseline import BASELINE
from pmosync.judge.flow import FLOW
from pmosync.judge.network import NETWORK
from pmosync.model import BIT, FIELDS, Subject
from pmosync.store.tables import project, project_fact, site, task, task_fact


class SubjectColumns:
    """The columns of one kind of subject. `everywhere` are the fields that every project offers: no need to ask."""

    def __init__(self, subject: Subject, everywhere: Collection[str] = ()) -> None:
        self.subject = subject
        self.everywhere = frozenset(everywhere)
        self.today: ColumnElement[int] = site.c.today
        self.own = task if subject == "task" else project
        self.facts = task_fact if subject == "task" else project_fact

    @property
    def id(self) -> ColumnElement[int]:
        """The subject's number in the store."""
        return self.own.c.id

    def source(self) -> FromClause:
        """The tables that the columns come from, one row a subject."""
        if self.subject == "task":
            return (
                task.join(task_fact, task_fact.c.task_id == task.c.id)
                .join(site, site.c.name == task.c.site)
                .outerjoin(project, project.c.id == task.c.project_id)
            )
        return project.join(site, site.c.name == project.c.site).outerjoin(
            project_fact, project_fact.c.project_id == project.c.id
        )

    def column(self, name: str) -> ColumnElement[Any]:
        """The value of a field or fact."""
        if name == "workdays_late":
            return site.c.today_w - task_fact.c.due_w
        if name in NETWORK:
            return NETWORK[name]()
        if name in FLOW[self.subject]:
            return FLOW[self.subject][name]()
        if name in BASELINE:
            return BASELINE[name]()
        if name == "project_has_epics":
            return project.c.has_epics
        if name in self.own.c:
            return self.own.c[name]
        if self.subject == "project" and name in ("tasks", "open_tasks"):
            return func.coalesce(self.facts.c[name], 0)
        return self.facts.c[name]

    def day(self, name: str) -> ColumnElement[int]:
        """The local day of an instant."""
        return self.own.c[name.removesuffix("_at") + "_day"]

    def provided(self, name: str) -> ColumnElement[bool] | None:
        """Whether the project offers the field; None when it always does."""
        if name in self.everywhere or FIELDS[self.subject][name].source in ("fact", "core"):
            return None
        mask = project.c.task_offered if self.subject == "task" else project.c.offered
        return mask.op("&")(BIT[self.subject][name]) != 0

    def observed(self, fields: Collection[str]) -> ColumnElement[bool]:
        """Whether everything that these fields were read from is observed."""
        companions = {found for name in fields if (found := FIELDS[self.subject][name].observed)}
        checks = [self.own.c.observed == 1]
        checks += [(site.c[name] if name in site.c else self.facts.c[name]) == 1 for name in sorted(companions)]
        return and_(*checks)
