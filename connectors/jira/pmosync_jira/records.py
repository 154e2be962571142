"""Makes records of Jira's issues, projects and people.

It keeps the promise that none of our own marks is among the values of a record.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Person, Record, Scope, Value, canonical, encode
from pmosync.errors import Unreadable

from .decode import ODD, Reader, choice, instant, person
from .describe import options_of
from .history import Histories, History, last_change
from .history_values import Names
from .marks import PROJECT_PROPERTY, ROLLUP_SLOT, property_mark, task_marks
from .own_fields import OwnFields, is_ours, pinned
from .planning import base_of
from .remote_links import SLOT as LINK
from .site import Site

log = logging.getLogger("pmosync.jira")

ARCHIVED = "archiveddate"
"""Stands on an archived issue where Jira still shows it."""
ALWAYS = ("project", "created", "updated")
"""Fields that every issue has, and is asked for."""

LEFT_OUT_WHEN_EMPTY = frozenset({"parent"})
"""Fields that Jira leaves out of an issue which has none; every other field that is absent is not on offer there."""


TOLD_OTHERWISE = frozenset({"project", "updated"})
"""Fields that are no values as Jira has them: the one is a scope, the other moves with our own writes, too."""


def project_scope(project_id: str) -> str:
    """The name of a project's scope."""
    return f"project:{project_id}"


def asked_fields(scope: Scope) -> list[str]:
    """The fields to ask of an issue: no more than the mapping reads, and what we need ourselves."""
    labels = ("labels",) if "label" in scope.slots else ()
    booked = ("timespent",) if scope.worklogs else ()  # where it is empty there are no worklogs to ask for
    return list(
        dict.fromkeys(
            (*ALWAYS, ARCHIVED, *map(base_of, scope.fields), *labels, *booked, *pinned(scope.slots, scope.pins))
        )
    )


@dataclass(slots=True)
class Decoder:
    """Decodes the issues of one site; `odd` counts the values that could not be read, by field."""

    site: Site
    odd: Counter[str] = field(default_factory=Counter)
    _histories: dict[frozenset[str], Histories] = field(default_factory=dict)
    _readers: dict[tuple[str, ...], list[tuple[str, str, Reader]]] = field(default_factory=dict)
    """By the fields of a scope: each field, the one of Jira's that holds it, and how it is read."""

    def histories(self, wanted: frozenset[str]) -> Histories:
        """What decodes histories, with the moves of these fields as events."""
        if wanted not in self._histories:
            options = functools.cache(lambda field_id: options_of(self.site, field_id))
            ours = [str(raw["id"]) for raw in self.site.fields if is_ours(raw)]
            names = Names(self.site.fields)
            self._histories[wanted] = Histories(names, wanted, options, ours, host=self.site.session.host)
        return self._histories[wanted]

    def task(self, issue: Mapping[str, Any], scope: Scope, history: History | None = None) -> Record:
        """The record of an issue. Without id, project or dates it is no issue, and the answer is not believed.

        Args:
            history: everything that ever moved in it; None: not asked for.
        """
        try:
            fields = issue["fields"]
            key, project_id, version = str(issue["key"]), str(fields["project"]["id"]), str(fields["updated"])
            # As Jira has it, `updated` moves with our own writes, too: it is a value only where a history tells who.
            updated, created = instant(version), instant(fields["created"])
            issue_id = str(issue["id"])
        except ODD as error:
            raise Unreadable(
                f"{self.site.session.host}: an issue came without what every issue has "
                f"({type(error).__name__}: {error}). Check that base_url is a Jira site; if it is, report this."
            ) from None
        values = {"created": created, **self._values(fields, scope)}
        marks = task_marks(issue, scope.slots) | OwnFields(self.site, scope.pins).marks(fields, scope.slots)
        if history is not None and "updated" in scope.fields:
            values["updated"] = last_change(updated, created, history.entries, _silent(marks, scope))
        return Record(
            kind="task",
            id=issue_id,
            key=key,
            url=f"{self.site.links_at}/browse/{key}",
            version=version,
            scopes=(project_scope(project_id),),
            values=values,
            marks=marks,
            history=None if history is None else history.events,
        )

    def _values(self, fields: Mapping[str, Any], scope: Scope) -> dict[str, Value]:
        values: dict[str, Value] = {}
        if scope.fields not in self._readers:
            self._readers[scope.fields] = self._readers_of(scope.fields)
        for name, base, reader in self._readers[scope.fields]:
            raw = fields.get(base)
            try:
                if raw is not None:
                    values[name] = reader.read(raw)
                elif base in fields or base in LEFT_OUT_WHEN_EMPTY:
                    values[name] = None
            except ODD as error:
                self.odd[name] += 1
                if self.odd[name] == 1:
                    log.warning("%s: values of field %s cannot be read: %s", self.site.session.host, name, error)
        return values

    def _readers_of(self, names: Sequence[str]) -> list[tuple[str, str, Reader]]:
        readers = self.site.readers
        based = [(name, base_of(name)) for name in names if name in readers]
        return [(name, base, readers[name]) for name, base in based if base not in TOLD_OTHERWISE]

    def project(self, raw: Mapping[str, Any], scope: Scope) -> Record:
        """The record of a project."""
        try:
            project_id, key = str(raw["id"]), str(raw["key"])
            lead, category = raw.get("lead"), raw.get("projectCategory")
            values: dict[str, Value] = {
                "name": str(raw["name"]),
                "key": key,
                "lead": person(lead) if lead else None,
                "category": choice(category) if category else None,
                "archived": bool(raw.get("archived", False)),
            }
            if raw.get("asked_as") not in (None, "", key, project_id):
                values["asked_as"] = str(raw["asked_as"])
            if "description" in scope.project_fields:
                values["description"] = raw.get("description") or None
        except ODD as error:
            raise Unreadable(
                f"{self.site.session.host}: a project came without what every project has "
                f"({type(error).__name__}: {error}). Check that base_url is a Jira site; if it is, report this."
            ) from None
        marks: dict[str, str | None] = {}
        if ROLLUP_SLOT in scope.slots and isinstance(raw.get("properties"), dict):
            marks[ROLLUP_SLOT] = property_mark(raw["properties"], PROJECT_PROPERTY)
        return Record(
            kind="project",
            id=project_id,
            key=key,
            url=f"{self.site.links_at}/projects/{key}",
            version=_fingerprint(values),
            scopes=(project_scope(project_id),),
            values=values,
            marks=marks,
        )

    def person(self, who: Person) -> Record:
        """The record of a person."""
        values: dict[str, Value] = {"name": who.name, "email": who.email}
        if who.active is not None:
            values["active"] = who.active
        return Record(
            kind="person",
            id=who.id,
            key=who.name or who.id,
            url=f"{self.site.links_at}/jira/people/{who.id}",
            version=_fingerprint(values),
            scopes=("people",),
            values=values,
        )


def _silent(marks: Mapping[str, str | None], scope: Scope) -> dict[str, str | None]:
    """The marks, and those that stand without an entry in the history wherever our property stands: whether one does
    is not known with each issue."""
    there = marks.get("property")
    return {**{slot: there for slot in ("comment", LINK) if slot in scope.slots}, **marks}


def _fingerprint(values: Mapping[str, Value]) -> str:
    text = canonical({name: encode(value) for name, value in values.items()})
    return hashlib.sha256(text.encode()).hexdigest()[:16]
