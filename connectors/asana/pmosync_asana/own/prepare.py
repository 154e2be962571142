"""Looks at our own places in a workspace, makes what is missing, and finds out where we may not write.

It keeps the promise that a look costs few calls: one listing of the workspace's fields and one of the projects that
offer them, whatever is pinned already; that what we made is known as ours by its creator (a tag: by its description)
even when the pins are lost; and that tags are looked for only when some project may not have the field that they stand
in for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pmosync.contract import Prepared, Scope
from pmosync.errors import Refused

from ..api import Api, Asked
from ..listing import listing
from ..writing import brief
from . import tags
from .defining import Definer
from .look import Look, lacks
from .offering import OFFERED, Offerer
from .places import needed

Json = dict[str, Any]
VIEWER = "the account has a view-only seat: give it a full one, or sign in with another account"


class Preparer:
    """Everything of ours in a workspace, with or without leave to make what is missing."""

    def __init__(self, api: Api, scope: Scope, write: bool) -> None:
        self.api, self.scope = api, scope
        self.look = Look(api, scope, write)
        self.places = needed(scope.slots)

    def run(self) -> Prepared:
        """Everything that is missing or not as it was, and where we may not write."""
        if self.scope.slots and self.look.seat().get("is_view_only"):
            for slot in self.scope.slots:
                self.look.limit(["*"], slot, VIEWER, "a full seat")
        elif self.places or brief.SLOT in self.scope.slots:
            self._run()
        return Prepared(self.look.kept(), self.look.limitations, tuple(self.look.writes))

    def _run(self) -> None:
        rows = self._projects()
        projects = list(rows)
        if self.places:
            offerer = Offerer(self.look, self.places, rows)
            homes = offerer.homes(projects)
            used = [place for place in self.places if homes or place.slot != "fields"]
            if used:
                Definer(self.look, projects).settle(used)
            offerer.offer(projects, homes)
            without = [project for project in projects if self.look.limited(project, "field")]
            if without and "tag" in self.scope.slots:
                tags.find(self.look, without)
        if brief.SLOT in self.scope.slots:
            self._try_a_brief(rows)

    def find(self) -> Mapping[str, str]:
        """The pins of our fields and tags as they are, by name and type; makes nothing and looks at no project."""
        if self.places:
            Definer(self.look, []).settle(self.places)
        if "tag" in self.scope.slots:
            tags.find(self.look, [])
        return self.look.pins

    def _projects(self) -> dict[str, Json]:
        """The projects in scope, with what they offer where they could be read."""
        fields = ",".join(self._asked())
        found = listing(self.api, self.look.workspace, self.scope, fields)
        named = self.scope.projects if not self.scope.portfolios else ()
        return {**{gid: {"gid": gid} for gid in named}, **found.projects}

    def _asked(self) -> Iterator[str]:
        if any(place.slot != "fields" for place in self.places):
            yield OFFERED
        else:
            yield "name"
        if brief.SLOT in self.scope.slots:
            yield brief.POINTER

    def _try_a_brief(self, rows: Mapping[str, Json]) -> None:
        """Whether the plan has briefs: one of them is read."""
        held = (brief.pointer(row) for row in rows.values())
        for gid in held:
            if gid is None:
                continue
            (body,) = self.api.batch([Asked(f"/project_briefs/{gid}", brief.FIELDS)])
            if isinstance(body, Refused) and body.status == 402:
                self.look.limit(["*"], brief.SLOT, brief.why_not(body), lacks(body))
            return
