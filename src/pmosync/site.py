"""One site as a cycle sees it: the open connector with the mapping that gives its fields their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from pmosync.contract import Capabilities, Connector, Scope, SlotKind
from pmosync.mapping import SiteMapping


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

    def scope(self) -> Scope:
        """What of the site is looked at."""
        mapping = self.mapping
        return Scope(
            projects=mapping.projects,
            query=mapping.query,
            portfolios=mapping.portfolios,
            fields=mapping.task_fields(),
            project_fields=mapping.project_fields(),
            slots=(*mapping.write_task, *mapping.write_project),
            pins={**mapping.pins, "mail": mapping.mail},
            homes=self.homes,
        )

    def slots(self, subject: str) -> tuple[SlotKind, ...]:
        """The slots that are in use for tasks or projects."""
        used = self.mapping.write_task if subject == "task" else self.mapping.write_project
        return tuple(slot for slot in self.capabilities.slots if slot.subject == subject and slot.name in used)
