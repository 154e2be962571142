"""Roll up: what is said of a project, a program and a portfolio as a whole, whichever tools their tasks live in.

Every figure is counted in one place (`figures`), judged in one place (`health`), and put into the tree of the register
here; marks, reports and JSON only show it. A task in several projects counts once in each of them, and once in their
program. Nothing here contains the time of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from pmosync.contract import Level
from pmosync.register import ORGANISATION, Register
from pmosync.rollup.earned import together
from pmosync.rollup.figures import Figures, count, earned, plans
from pmosync.rollup.health import DIMENSIONS, Dimension, Health, of_members, of_project, worst_colour
from pmosync.rollup.keeping import keep_health
from pmosync.rollup.people import people_findings
from pmosync.store.tables import project
from pmosync.workdays import Workdays

__all__ = [
    "DIMENSIONS",
    "LEVELS",
    "Dimension",
    "Figures",
    "Health",
    "Rollup",
    "count",
    "keep_health",
    "people_findings",
    "tree",
]

LEVELS: tuple[Level, ...] = ("portfolio", "program", "project")
"""Highest first."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """What is said of one project, program or portfolio."""

    id: str
    """`project/pay`, `program/cards`, `portfolio/organisation`."""
    level: Level
    title: str
    parent: str | None
    members: tuple[str, ...]
    """Ids one level down: programs and the projects without one; a project has none."""
    numbers: tuple[int, ...]
    """The projects in it, by their number in the store."""
    observed: bool
    """Whether all of it was observed when it was read last; what is not keeps its last figures."""
    seq: int
    """Grows whenever data in it changed."""
    figures: Figures
    health: Health
    reported: str | None
    """As its manager reports it; of a program or portfolio, the worst that its projects report."""
    gate: Mapping[str, Any] | None = None
    """The next gate of a project, with what is missing for it; None where it has none ahead."""

    @property
    def difference(self) -> str | None:
        """How the reported health compares with the computed one: `better`, `worse`, `same`; None where one is missing.

        `better` is the one to look into: reported better than the data says.
        """
        order = ("green", "amber", "red")
        if self.reported is None or self.health.colour not in order:
            return None
        gap = order.index(self.health.colour) - order.index(self.reported)
        return "better" if gap > 0 else "worse" if gap < 0 else "same"

    def measures(self) -> dict[str, Any]:
        """Everything that is said of it, as plain data."""
        dimensions = {
            name: {"colour": one.colour, "reason": one.reason} for name, one in self.health.dimensions.items()
        }
        return {
            "id": self.id,
            **self.figures.measures(),
            "health": self.health.colour,
            "decided_by": self.health.decided_by,
            "reason": self.health.reason,
            "dimensions": dimensions,
            "reported": self.reported,
            "difference": self.difference,
            **({} if self.gate is None else {"gate": dict(self.gate)}),
        }


def tree(
    connection: Connection,
    severities: Mapping[str, str],
    register: Register,
    organisation: str,
    workdays: Workdays,
    gates: Mapping[int, Mapping[str, Any]] | None = None,
) -> list[Rollup]:
    """The rollups of all portfolios, programs and projects, each before its members.

    Args:
        severities: severity by standard id.
        organisation: its name: the title of the portfolio that holds what the register puts into no other.
        gates: what is told of the next gate of a project, by its number in the store.
    """
    rows = connection.execute(select(project).order_by(project.c.title, project.c.id)).all()
    counted = {level: count(connection, level, severities) for level in LEVELS}
    plans(connection, counted["project"], workdays)
    ahead = gates or {}
    earned(connection, counted["project"])
    projects = [_project(row, counted["project"][str(row.id)], ahead.get(row.id)) for row in rows]
    programs: dict[str, list[Rollup]] = {}
    alone: dict[str, list[Rollup]] = {}
    for row, one in zip(rows, projects, strict=True):
        (programs if row.program else alone).setdefault(row.program or row.portfolio, []).append(one)
    tops: dict[str, list[Rollup]] = {}
    for row in rows:
        if row.program and programs.get(row.program):
            members = programs.pop(row.program)
            title = register.group("program", row.program).title
            figures = counted["program"][row.program]
            made = _group("program", row.program, title, f"portfolio/{row.portfolio}", members, members, figures)
            tops.setdefault(row.portfolio, []).extend([made, *members])
    for name, members in alone.items():
        tops.setdefault(name, []).extend(members)
    found: list[Rollup] = []
    for name in sorted(tops, key=lambda name: (name == ORGANISATION, name)):
        below = tops[name]
        title = register.group("portfolio", name, organisation).title
        direct = [one for one in below if one.parent == f"portfolio/{name}"]
        leaves = [one for one in below if one.level == "project"]
        found.append(_group("portfolio", name, title, None, direct, leaves, counted["portfolio"][name]))
        found += below
    return found


def _project(row: Any, figures: Figures, gate: Mapping[str, Any] | None) -> Rollup:
    parent = f"program/{row.program}" if row.program else f"portfolio/{row.portfolio}"
    return Rollup(
        id=f"project/{row.uid}",
        level="project",
        title=row.title or row.key,
        parent=parent,
        members=(),
        numbers=(row.id,),
        observed=bool(row.observed),
        seq=row.seq,
        figures=figures,
        health=of_project(figures),
        reported=row.reported_health,
        gate=gate,
    )


def _group(
    level: Level,
    name: str,
    title: str,
    parent: str | None,
    members: list[Rollup],
    projects: list[Rollup],
    figures: Figures,
) -> Rollup:
    reported = worst_colour(one.reported for one in projects if one.reported)
    figures.earned = together(one.figures.earned for one in projects)
    return Rollup(
        id=f"{level}/{name}",
        level=level,
        title=title,
        parent=parent,
        members=tuple(one.id for one in members),
        numbers=tuple(number for one in projects for number in one.numbers),
        observed=all(one.observed for one in projects),
        seq=sum(one.seq for one in projects),
        figures=figures,
        health=of_members([(one.id, one.title, one.health) for one in projects]),
        reported=reported,
    )
