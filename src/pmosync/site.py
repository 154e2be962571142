"""One site as a cycle sees it: the open connector with the mapping that gives its fields their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from pmosync.contract import Capabilities, Connector, Scope, SlotKind
from pmosync.mapping import SiteMapping
from pmosync.register import ANY

COMMENT = "comment"
"""The slot that answers commands, in every tool that has it, also where the mapping does not write flags there."""


@dataclass(frozen=True, slots=True)
class Site:
    """An open site. `homes` says where a project's rollup is written, by the tool's project id."""

    name: str
    connector: Connector
    capabilities: Capabilities
    mapping: SiteMapping
    zone: ZoneInfo
    lock_path: Path
    """`<site>.lock.yaml`: names that were resolved once, and what we found or made on the site, by id."""
    homes: Mapping[str, str] = field(default_factory=dict)
    rollups: Mapping[str, str] = field(default_factory=dict)
    """Where rollups are written here, by rollup id; `*` for all that the register says nothing else of."""

    @property
    def answers(self) -> bool:
        """Whether commands in comments are heard here, and answered."""
        return "comments" in self.mapping.reads

    @property
    def for_answers(self) -> frozenset[str]:
        """The slots that are in use for answers alone, on the tasks with commands."""
        there = {slot.name for slot in self.capabilities.slots if slot.subject == "task"}
        return frozenset({COMMENT} & there - {*self.mapping.write_task}) if self.answers else frozenset()

    def scope(self) -> Scope:
        """What of the site is looked at."""
        mapping = self.mapping
        return Scope(
            projects=mapping.projects,
            query=mapping.query,
            portfolios=mapping.portfolios,
            fields=mapping.task_fields(),
            project_fields=mapping.project_fields(),
            slots=(*mapping.write_task, *sorted(self.for_answers), *mapping.write_project),
            pins={**mapping.pins, "mail": mapping.mail},
            homes=self.homes,
            history=mapping.history_fields(),
            worklogs="worklogs" in mapping.reads,
            comments="comments" in mapping.reads,
            budgets="budgets" in mapping.reads,
            allocations="allocations" in mapping.reads,
            goals="goals" in mapping.reads,
            rollups=self._places(),
        )

    def slots(self, subject: str) -> tuple[SlotKind, ...]:
        """The slots that are in use for tasks, projects or rollups; those of rollups stand among the project's."""
        of_tasks = (*self.mapping.write_task, *self.for_answers)
        used = of_tasks if subject == "task" else self.mapping.write_project
        return tuple(slot for slot in self.capabilities.slots if slot.subject == subject and slot.name in used)

    def home(self, slot: SlotKind, rollup: str) -> str | None:
        """Where a slot of ours for this rollup is, or would be made; None: nowhere.

        A home that is the thing itself belongs to the one rollup that names it; only one that contains things can be
        the home of all the others.
        """
        if rollup.partition("/")[0] not in slot.levels:
            return None
        return self.rollups.get(rollup) or (self.rollups.get(ANY) if slot.home == "container" else None)

    def is_home(self, *names: str) -> bool:
        """Whether a project of the tool, by any of its names, is there to hold our rollups."""
        return any(slot.home == "container" for slot in self.slots("rollup")) and any(
            name in self.rollups.values() for name in names
        )

    def _places(self) -> dict[str, str]:
        slots = self.slots("rollup")
        found = {name: home for name in self.rollups for slot in slots if (home := self.home(slot, name))}
        if ANY in self.rollups and any(slot.home == "container" for slot in slots):
            found[ANY] = self.rollups[ANY]
        return found
