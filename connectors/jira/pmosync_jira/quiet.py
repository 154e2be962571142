"""Knows how an issue can be edited without mailing anybody, project by project, and with mail only where that is
accepted.

It keeps the promise that no edit relies on Jira to heed `notifyUsers=false`: its document says that it is ignored where
the account does not administer the project, real sites refuse the whole edit. So the permission is looked at first; and
where a site refuses all the same, the project is not tried that way again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from .site import Site

ADMINISTER_PROJECT, ADMINISTER_JIRA, BULK_CHANGE = "ADMINISTER_PROJECTS", "ADMINISTER", "BULK_CHANGE"

Way = Literal["single", "bulk", "loud", "none"]
"""`single`: an edit with `notifyUsers=false`; `bulk`: a bulk edit without notification, be it of one issue; `loud`: an
edit that mails, which the mapping accepts; `none`: it would mail."""


@dataclass(slots=True)
class Quiet:
    """What one connector knows of mail on its site."""

    site: Site
    administered: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    """The projects whose permissions were looked at."""
    bulk_change: bool = False
    """Whether the account may make bulk changes, on a site that has them."""
    loud: set[str] = field(default_factory=set)
    """Projects where Jira refused to be quiet, whatever the permissions say."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, projects: Collection[str], administered: Collection[str], *, bulk_change: bool) -> None:
        """What a look at the permissions showed."""
        with self._lock:
            self.known |= set(projects)
            self.administered -= set(projects)
            self.administered |= set(administered)
            self.bulk_change = bulk_change and self.site.deployment.bulk

    def look(self, projects: Collection[str]) -> None:
        """Look at the permissions in those of these projects that were not looked at yet: one call at most on Cloud."""
        unknown = sorted(set(filter(str.isdigit, projects)) - self.known)
        if unknown:
            asked = (ADMINISTER_JIRA, BULK_CHANGE) if self.site.deployment.bulk else (ADMINISTER_JIRA,)
            everywhere, where = self.site.deployment.granted((ADMINISTER_PROJECT,), asked, unknown)
            administered = unknown if ADMINISTER_JIRA in everywhere else where[ADMINISTER_PROJECT]
            self.learn(unknown, administered, bulk_change=BULK_CHANGE in everywhere)

    def single(self, project: str) -> bool:
        """Whether a single edit there can be quiet."""
        return project in self.administered and project not in self.loud

    def way(self, project: str, *, accepted: bool, bulk: bool = True) -> Way:
        """How to edit an issue of a project.

        Args:
            accepted: whether the mapping accepts mail where it cannot be avoided.
            bulk: whether what is to be edited can be edited in bulk.
        """
        if self.single(project):
            return "single"
        if bulk and self.bulk_change:
            return "bulk"
        return "loud" if accepted else "none"

    def refused(self, project: str) -> None:
        """Jira refused a quiet edit there."""
        with self._lock:
            self.loud.add(project)

    def no_bulk(self) -> None:
        """Jira refused a bulk edit to the account."""
        with self._lock:
            self.bulk_change = False
