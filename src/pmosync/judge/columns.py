"""How the names of the model become columns of the store, for the compiler of the predicate language."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, and_, func, true

from pmosync.earned import DAILY
from pmosync.judge.baseline import BASELINE
from pmosync.judge.flow import FLOW
from pmosync.judge.governance import GOVERNANCE
from pmosync.judge.network import NETWORK
from pmosync.model import BIT, FIELDS, Subject
from pmosync.store.people import SUBJECT_TABLES, human, human_fact
from pmosync.store.tables import project, project_earned, project_fact, site, task, task_fact

_FACTS: Mapping[Subject, Table] = {"task": task_fact, "project": project_fact, "person": human_fact}
"""Of all others the facts stand beside what they are about."""


class SubjectColumns:
    """The columns of one kind of subject. `everywhere` are the fields that every project offers: no need to ask."""

    def __init__(self, subject: Subject, everywhere: Collection[str] = ()) -> None:
        self.subject = subject
        self.everywhere = frozenset(everywhere)
        self.today: ColumnElement[int] = site.c.today
        self.own = SUBJECT_TABLES[subject]
        self.facts = _FACTS.get(subject, self.own)

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
        rows = self.own.join(site, site.c.name == self.own.c.site)
        if self.subject == "project":
            rows = rows.outerjoin(project_fact, project_fact.c.project_id == project.c.id)
            return rows.outerjoin(project_earned, project_earned.c.project_id == project.c.id)
        if self.subject == "person":
            return rows.join(human_fact, human_fact.c.human_id == human.c.id)
        return rows

    def column(self, name: str) -> ColumnElement[Any]:
        """The value of a field or fact."""
        if name == "workdays_late":
            return site.c.today_w - task_fact.c.due_w
        if name in NETWORK:
            return NETWORK[name]()
        if name in FLOW.get(self.subject, {}):
            return FLOW[self.subject][name]()
        if name in BASELINE:
            return BASELINE[name]()
        if name in DAILY:
            return DAILY[name]()
        if name == "project_has_epics":
            return project.c.has_epics
        if name in GOVERNANCE:
            return GOVERNANCE[name]()
        if name in self.own.c:
            return self.own.c[name]
        if self.subject == "project" and name in ("tasks", "open_tasks"):
            return func.coalesce(self.facts.c[name], 0)
        if self.subject == "project" and name in project_earned.c:
            return project_earned.c[name]
        return self.facts.c[name]

    def day(self, name: str) -> ColumnElement[int]:
        """The local day of an instant."""
        return self.own.c[name.removesuffix("_at") + "_day"]

    def provided(self, name: str) -> ColumnElement[bool] | None:
        """Whether the project, or the people file, offers the field; None when it always does."""
        source = FIELDS[self.subject][name].source
        if name in self.everywhere or source in ("fact", "core"):
            return None
        if source == "people":
            return self.own.c.listed == 1
        mask = project.c.task_offered if self.subject == "task" else project.c.offered
        return mask.op("&")(BIT[self.subject][name]) != 0

    def observed(self, fields: Collection[str]) -> ColumnElement[bool]:
        """Whether everything that these fields were read from is observed."""
        companions = {found for name in fields if (found := FIELDS[self.subject][name].observed)}
        own = [self.own.c.observed == 1] if "observed" in self.own.c else [true()]
        return and_(*own, *(self._seen(name) == 1 for name in sorted(companions)))

    def _seen(self, name: str) -> ColumnElement[int]:
        """Whether what a fact was read from is observed; of what there is nothing to read, it is."""
        if name in site.c:
            return site.c[name]
        return func.coalesce(project_earned.c[name], 1) if name in project_earned.c else self.facts.c[name]
