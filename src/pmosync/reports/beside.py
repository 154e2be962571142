"""What the store knows beside the figures: how old they are, what was not observed, and which standards fail.

A place that could not be read is told of everything that it touches, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, false, func, or_, select, true, union_all

from pmosync.model import severity_rank
from pmosync.reports.rows import ACTIVE
from pmosync.rollup import Rollup, people_findings
from pmosync.standards import Standard
from pmosync.store.tables import blind, container, finding, project, record, scope, site, task, task_project
from pmosync.waiving import disputed

_ALL = true()
IN_A_PROJECT = "project:"
"""How scopes begin that hold what is in one project of a tool."""


@dataclass(frozen=True, slots=True)
class Failing:
    """One standard with active findings; `url` is empty where its guidance is not published."""

    id: str
    title: str
    severity: str
    findings: int
    url: str
    disputed: int = 0
    """How many of them somebody disputes."""


@dataclass(frozen=True, slots=True)
class Unobserved:
    """What could not be read when it was looked at last; an empty scope is the whole site."""

    site: str
    scope: str
    title: str
    """What people call the scope; empty for the whole site."""
    why: str


@dataclass(frozen=True, slots=True)
class Blind:
    """Fields that are not provided in a project, and the standards that can say nothing there without them."""

    fields: str
    standards: tuple[str, ...]


@dataclass(slots=True)
class Known:
    """What is read once for all rollups; projects by their number in the store."""

    by_id: Mapping[str, Standard]
    guidance: str
    projects: dict[int, Any] = field(default_factory=dict)
    sites: dict[int, set[str]] = field(default_factory=dict)
    read_at: dict[str, int | None] = field(default_factory=dict)
    unobserved: list[Unobserved] = field(default_factory=list)
    inside: dict[tuple[str, str], int] = field(default_factory=dict)
    """The project that a project of a tool counts in, by site and scope."""
    blind: dict[int, list[Blind]] = field(default_factory=dict)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    disputed: dict[int, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: Connection, standards: Sequence[Standard], guidance: str) -> Known:
        known = cls({one.id: one for one in standards}, guidance)
        known.projects = {row.id: row for row in connection.execute(select(project))}
        known.read_at = {row.name: row.pulled_at for row in connection.execute(select(site.c.name, site.c.pulled_at))}
        titles = known._places(connection)
        known.unobserved = _unobserved(connection, titles)
        known.blind = _blind(connection)
        for number, standard, count in connection.execute(_counts_by_project()):
            known.counts.setdefault(number, {})[standard] = count
        for number, standard, count in connection.execute(_counts_by_project(_disputed())):
            known.disputed.setdefault(number, {})[standard] = count
        return known

    def _places(self, connection: Connection) -> dict[tuple[str, str], str]:
        """Fill in which sites projects live in; returns what people call each scope."""
        rows = connection.execute(
            select(container.c.site, container.c.rid, container.c.project_id, record.c.key).join(
                record, record.c.id == container.c.record_id
            )
        )
        titles = {}
        for name, rid, number, key in rows:
            if number in self.projects:
                self.sites.setdefault(number, set()).add(name)
                self.inside[name, f"{IN_A_PROJECT}{rid}"] = number
                title = self.projects[number].title or key
                titles[name, f"{IN_A_PROJECT}{rid}"] = title if title == key or key == rid else f"{title} ({key})"
        return titles

    def touching(self, one: Rollup) -> Iterable[Unobserved]:
        """What was not observed of what this rollup is made of.

        A place that no known project lives in could belong to any portfolio, so it is told of all of them.
        """
        numbers = set(one.numbers)
        sites = {name for number in numbers for name in self.sites.get(number, ())}
        settled = {name for names in self.sites.values() for name in names}
        for part in self.unobserved:
            if part.scope.startswith(IN_A_PROJECT):
                number = self.inside.get((part.site, part.scope))
                touched = number in numbers if number is not None else one.level == "portfolio"
            else:
                touched = part.site in sites or (part.site not in settled and one.level == "portfolio")
            if touched:
                yield part

    def failing(self, connection: Connection, one: Rollup) -> list[Failing]:
        """The standards that fail in it, the worst first."""
        if one.level == "project":
            counts, against = (held.get(one.numbers[0], {}) for held in (self.counts, self.disputed))
        else:
            counts, against = (
                {row[0]: row[1] for row in connection.execute(_counts_over(one.numbers, only))}
                for only in (_ALL, _disputed())
            )
        found = [
            Failing(
                known.id, known.title, known.severity, counts[known.id], self._page(known), against.get(known.id, 0)
            )
            for known in self.by_id.values()
            if known.id in counts
        ]
        return sorted(found, key=lambda each: (-severity_rank(each.severity), -each.findings, each.id))

    def _page(self, standard: Standard) -> str:
        return self.guidance + standard.page if self.guidance else ""


def _unobserved(connection: Connection, titles: Mapping[tuple[str, str], str]) -> list[Unobserved]:
    whole = select(site.c.name, site.c.trouble).where(func.coalesce(site.c.trouble, "") != "").order_by(site.c.name)
    parts = select(scope.c.site, scope.c.scope, scope.c.why).where(scope.c.observed == 0)
    parts = parts.order_by(scope.c.site, scope.c.scope)
    found = [Unobserved(name, "", "", why) for name, why in connection.execute(whole)]
    for name, part, why in connection.execute(parts):
        title = titles.get((name, part), part.replace(IN_A_PROJECT, "project ", 1))
        found.append(Unobserved(name, part, title, why))
    return found


def _blind(connection: Connection) -> dict[int, list[Blind]]:
    rows = connection.execute(
        select(blind.c.project_id, blind.c.fields, blind.c.standard).order_by(blind.c.fields, blind.c.standard)
    )
    grouped: dict[tuple[int, str], list[str]] = {}
    for number, fields, standard in rows:
        grouped.setdefault((number, fields), []).append(standard)
    found: dict[int, list[Blind]] = {}
    for (number, fields), standards in grouped.items():
        found.setdefault(number, []).append(Blind(fields, tuple(standards)))
    return found


def _disputed() -> ColumnElement[bool]:
    """Whether somebody disputes a finding."""
    of_tasks = select(task.c.id).where(task.c.id == finding.c.subject_id, disputed("task", finding.c.standard))
    of_projects = select(project.c.id).where(
        project.c.id == finding.c.subject_id, disputed("project", finding.c.standard)
    )
    return or_(
        (finding.c.subject == "task") & exists(of_tasks.correlate(finding)),
        (finding.c.subject == "project") & exists(of_projects.correlate(finding)),
    )


def _of_people(only: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether findings about people are among these: nobody disputes them in a tool."""
    return true() if only is _ALL else false()


def _counts_by_project(only: ColumnElement[bool] = _ALL) -> Any:
    """Active findings by project and standard, those of its tasks and its own."""
    of_tasks = (
        select(task_project.c.project_id.label("number"), finding.c.standard)
        .join(finding, finding.c.subject_id == task_project.c.task_id)
        .where(finding.c.subject == "task", finding.c.state.in_(ACTIVE), only)
    )
    of_projects = select(finding.c.subject_id, finding.c.standard).where(
        finding.c.subject == "project", finding.c.state.in_(ACTIVE), only
    )
    about = people_findings().subquery()
    of_people = select(about.c.number, about.c.standard).where(about.c.state.in_(ACTIVE), _of_people(only))
    both = union_all(of_tasks, of_projects, of_people).subquery()
    return select(both.c.number, both.c.standard, func.count()).group_by(both.c.number, both.c.standard)


def _counts_over(numbers: Sequence[int], only: ColumnElement[bool]) -> Any:
    """Active findings by standard over several projects; a task that is in two of them counts once."""
    here = select(task_project.c.task_id).where(task_project.c.project_id.in_(numbers))
    of_tasks = (finding.c.subject == "task") & finding.c.subject_id.in_(here)
    of_projects = (finding.c.subject == "project") & finding.c.subject_id.in_(numbers)
    about = people_findings().subquery()
    people = select(about.c.standard, about.c.human_id)
    of_people = (
        people.where(about.c.state.in_(ACTIVE), about.c.number.in_(numbers), _of_people(only)).distinct().subquery()
    )
    every = union_all(
        select(finding.c.standard).where(finding.c.state.in_(ACTIVE), of_tasks | of_projects, only),
        select(of_people.c.standard),
    ).subquery()
    return select(every.c.standard, func.count()).group_by(every.c.standard)
