"""Notices versions and sprints that moved: no issue counts as updated when its sprint closes or its release is put off.

It keeps the promise that a stale date is never taken for a fresh one. What an issue embeds is right when the issue is
read, so a short fingerprint of each version and each open sprint that was read is kept in the cursor; at most once in
`every_s` seconds Jira is asked what they are now, and the issues of one that moved are read anew. What Jira does not
want to tell is taken for moved.

| Jira says                                                       | so                                            |
|-----------------------------------------------------------------|-----------------------------------------------|
| the same as the fingerprint                                     | nothing                                       |
| something else; also an issue that was read later says so       | the issues that JQL finds in it are read anew |
| no: 403 (no licence for Jira Software), 404 (it cannot be seen) | the same: the issues tell what it is now      |
| no: 401 (the token has no scope for it)                         | the same                                      |
| the project's list of versions does not have it any more        | the projects it was seen in are read whole    |
| JQL does not know it either                                     | the same                                      |

Versions are asked for by project: one page tells a hundred. Sprints are asked for one by one: that is one call for each
open sprint in use, a few for each team. The list of a board's sprints would tell several at once, but only to somebody
who may see the board, it leaves out those that were closed, and a sprint can be used outside its board; a single sprint
is shown to whoever sees one of its issues. Closed sprints are not asked for: a full pull finds a reopened one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.errors import Refused

from .decode import ODD
from .planning import Planned, Sprint, Version, base_of, fingerprint, sprint, version
from .site import BrokenPaging, Site

TOGETHER = 100
"""Versions or sprints in one search."""

Key = tuple[str, str]
"""`version` or `sprint`, and its id."""


@dataclass(slots=True)
class Kept:
    """What is remembered of a version or an open sprint."""

    told: str
    """Its fingerprint. Empty: it moved while its issues were read, and has to be looked at again."""
    projects: set[str]
    """Where issues in it were seen."""


@dataclass(slots=True)
class Watch:
    """The versions and open sprints of one pull: what was known, what is met, what moved."""

    site: Site
    every_s: float
    fields: tuple[Planned, ...] = ()
    """The fields that the mapping uses; without any, nothing is asked and nothing kept."""
    asked_s: float = 0.0
    known: dict[Key, Kept] = field(default_factory=dict)
    moved: set[Key] = field(default_factory=set)

    def begin(self, names: Sequence[str], kept: Mapping[str, Any] | None, now: dt.datetime) -> None:
        """Start from what the cursor keeps, or (None) from nothing, with the fields that these names need."""
        if kept is None:
            every = self.site.planned
            self.fields = tuple(every[name] for name in dict.fromkeys(map(base_of, names)) if name in every)
            self.asked_s = now.timestamp()
            return
        self.fields = tuple(Planned(*one) for one in kept["fields"])
        self.asked_s = float(kept["asked_s"])
        self.known = {(what, thing): Kept(text, set(where)) for what, thing, text, where in kept["known"]}

    def cursor(self) -> dict[str, Any]:
        """What the next pull needs to know."""
        for key in self.moved & self.known.keys():
            self.known[key].told = ""
        return {
            "fields": [[one.id, one.what, one.clause] for one in self.fields],
            "asked_s": 0.0 if self.moved else self.asked_s,
            "known": [[*key, kept.told, sorted(kept.projects)] for key, kept in sorted(self.known.items())],
        }

    # --- what issues say --------------------------------------------------------------------------------------------

    def saw(self, issue: Mapping[str, Any]) -> None:
        """Remember what an issue embeds; a version or sprint that another issue had otherwise has moved."""
        project_id = str(issue["fields"]["project"]["id"])
        for planned in self.fields:
            embedded = issue["fields"].get(planned.id)
            for raw in embedded if isinstance(embedded, list) else ():
                try:
                    self._met(planned, planned.read(raw), project_id)
                except ODD:
                    continue  # the decoder reports it, once for each field

    def _met(self, planned: Planned, thing: Version | Sprint, project_id: str) -> None:
        key, text = (planned.what, thing.id), fingerprint(thing)
        kept = self.known.get(key)
        if kept is not None:
            kept.projects.add(project_id)
            if kept.told != text:
                self.moved.add(key)
        elif thing.state != "closed":
            self.known[key] = Kept(text, {project_id})

    # --- what Jira says ---------------------------------------------------------------------------------------------

    def ask(self, now: dt.datetime) -> set[str]:
        """When it is time, find what moved; returns the projects where something is gone, to be read whole."""
        if not self.fields or 0 <= now.timestamp() - self.asked_s < self.every_s:
            return set()
        self.asked_s = now.timestamp()
        self._ask_sprints()
        gone = self._ask_versions()
        self._forget(gone)
        return gone

    def _ask_versions(self) -> set[str]:
        by_project: dict[str, list[Key]] = {}
        for key, kept in self.known.items():
            for project_id in kept.projects if key[0] == "version" else ():
                by_project.setdefault(project_id, []).append(key)
        gone: set[str] = set()
        for project_id, listed in self.site.session.map(self._versions_of, sorted(by_project)):
            for key in by_project[project_id]:
                if listed is None:
                    self.moved.add(key)
                elif key[1] not in listed:
                    gone |= self.known[key].projects
                elif fingerprint(listed[key[1]]) != self.known[key].told:
                    self.moved.add(key)
        return gone

    def _versions_of(self, project_id: str) -> tuple[str, dict[str, Version] | None]:
        try:
            return project_id, {one.id: one for one in map(version, self.site.versions(project_id))}
        except (Refused, BrokenPaging, *ODD):
            return project_id, None

    def _ask_sprints(self) -> None:
        ids = sorted(thing for what, thing in self.known if what == "sprint")
        for thing, found in self.site.session.map(self._sprint, ids):
            if found is None or fingerprint(found) != self.known["sprint", thing].told:
                self.moved.add(("sprint", thing))

    def _sprint(self, sprint_id: str) -> tuple[str, Sprint | None]:
        try:
            return sprint_id, sprint(self.site.sprint(sprint_id))
        except (Refused, *ODD):
            return sprint_id, None

    def _forget(self, project_ids: Collection[str]) -> None:
        """Forget what was known of these projects alone: they are read whole, and tell it anew."""
        for key, kept in list(self.known.items()):
            if kept.projects <= set(project_ids):
                del self.known[key]
                self.moved.discard(key)

    # --- whose issues have to be read anew --------------------------------------------------------------------------

    def take_moved(self) -> dict[Key, Kept]:
        """What moved, once: it is forgotten, so that its issues tell it anew."""
        taken = {key: self.known.pop(key) for key in self.moved}
        self.moved.clear()
        return taken

    def conditions(self, moved: Collection[Key]) -> Iterator[tuple[str, list[Key]]]:
        """JQL that finds the issues in these, a hundred at a time."""
        for planned in self.fields:
            keys = sorted(key for key in moved if key[0] == planned.what)
            for first in range(0, len(keys), TOGETHER):
                some = keys[first : first + TOGETHER]
                yield f"{planned.clause} in ({', '.join(thing for _, thing in some)})", some
