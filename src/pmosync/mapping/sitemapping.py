"""Reads records with a mapping: what each task and project means in the model, and what could not be read.

A gap is reported, never guessed; a field that the record does not carry is not offered; nothing that the site sends can
make it crash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pmosync.contract import Extra, Link, Record, canonical
from pmosync.errors import Misconfigured
from pmosync.mapping.grammar import LinkRule, MappingFile, Options, Plain, Ref, folded, own_name
from pmosync.mapping.moves import HISTORY, Move, moves
from pmosync.mapping.steps import Gap, Ready, ReadyOptions, ReadyPlain, ReadyStep
from pmosync.mapping.values import ModelValue, shown
from pmosync.model import FIELDS, FINISH_TO_START, OTHER_LINKS

CREATED = "created_at"
CREATED_PIN = "default/created_at"
CREATED_IDS = ("created", "created_at")
"""Where a tool keeps its own instant of creation; read when the mapping does not name `created_at`."""


@dataclass(frozen=True, slots=True)
class Row:
    """A task or project in the words of the model."""

    values: Mapping[str, ModelValue]
    offered: frozenset[str]
    """Model fields for which the record carries at least one of the tool fields that the mapping names."""
    gaps: tuple[Gap, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    """(predecessor id, successor id) of `blocks`."""
    other_links: tuple[tuple[str, str, str], ...] = ()
    """(type, predecessor id, successor id) of links of other types."""


@dataclass(frozen=True, slots=True)
class _Links:
    name: str
    id: str
    type: str
    type_id: str
    direction: Literal["outward", "inward"]

    def pair(self, carrier: str, link: Link) -> tuple[str, str] | None:
        """(predecessor, successor), if the link is of this rule."""
        direction: Literal["outward", "inward"] = "outward"
        if self.type:
            same = link.type == self.type_id if self.type_id else self.type in (folded(link.name), folded(link.type))
            if not same:
                return None
            direction = self.direction
        return (carrier, link.other) if link.direction == direction else (link.other, carrier)


@dataclass(frozen=True, slots=True)
class SiteMapping:
    """What the fields of one site mean, ready to read records with."""

    site: str
    path: Path
    projects: tuple[str, ...]
    query: str
    portfolios: tuple[str, ...]
    reads: tuple[Extra, ...]
    """What is read beside the fields of tasks."""
    hash: str
    """Of everything that decides what is read, pins included: when it changes, every record is read again."""
    write_task: tuple[str, ...]
    write_project: tuple[str, ...]
    mail: Literal["never", "accept"]
    pins: Mapping[str, str]
    """Names and what they were resolved to, as in the lock file, with whatever else stands there."""
    mapped: frozenset[str]
    """Model fields of a task that the mapping names (`created_at` always)."""
    mapped_links: frozenset[str]
    unresolved: tuple[str, ...]
    """What the lock does not pin yet: ask the site for its catalog and `resolve`."""
    file: MappingFile = field(repr=False, compare=False)
    _task: tuple[Ready, ...] = field(repr=False, compare=False)
    _project: tuple[Ready, ...] = field(repr=False, compare=False)
    _links: tuple[_Links, ...] = field(repr=False, compare=False)
    _offers: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    """By the tool fields that a task carries."""

    def task_fields(self) -> tuple[str, ...]:
        """Ids of the tool fields to ask for on tasks."""
        return _unique([entry.ids for entry in self._task] + [(rule.id,) for rule in self._links])

    def history_fields(self) -> tuple[str, ...]:
        """Ids of the tool fields whose moves are asked for; none where the mapping reads no history."""
        if "history" not in self.reads:
            return ()
        told = {entry.model.name: entry.ids for entry in self._task}
        return _unique([told[name] for name in HISTORY if name in told])

    def asked(self) -> tuple[str, ...]:
        """Everything that is asked of tasks and projects: what was not asked before has to be pulled."""
        moves = (f"moves of {one}" for one in self.history_fields())
        of_projects = (f"{one} of projects" for one in self.project_fields())
        return (*self.task_fields(), *moves, *of_projects, *self.reads)

    def tells(self, name: str, option: str) -> bool:
        """Whether a task can have this option of this field here."""
        for entry in self._task:
            if entry.model.name == name and isinstance(entry, ReadyOptions):
                named = (found for step in entry.steps for found in (step.names, step.categories, step.answers))
                return entry.default == option or any(option in found.values() for found in named)
        return False

    def project_fields(self) -> tuple[str, ...]:
        """Ids of the tool fields to ask for on projects."""
        return _unique([entry.ids for entry in self._project])

    def read_task(self, record: Record, zone: ZoneInfo) -> Row | None:
        """The task in the words of the model; None when the mapping leaves it out (`skip`)."""
        values: dict[str, ModelValue] = {}
        gaps: list[Gap] = []
        for entry in self._task:
            answer = self._read(entry, record, zone, gaps)
            if answer == "skip" and isinstance(entry, ReadyOptions):
                return None
            values[entry.model.name] = answer
        values["status_mapped"] = not any(gap.field in ("status", "priority") for gap in gaps)
        pairs = self._pairs(record, gaps)
        others = tuple((name, *pair) for name in OTHER_LINKS for pair in pairs.get(name, ()))
        return Row(values, self._offered_by(record), tuple(gaps), tuple(pairs.get(FINISH_TO_START, ())), others)

    def _offered_by(self, record: Record) -> frozenset[str]:
        """The model fields that a task offers; most tasks of a project carry the same tool fields."""
        fields = tuple(record.values)
        if fields not in self._offers:
            offered = {entry.model.name for entry in self._task if entry.offered(record.values)}
            offered |= {rule.name for rule in self._links if rule.id in record.values}
            self._offers[fields] = frozenset(offered)
        return self._offers[fields]

    def read_moves(self, record: Record, zone: ZoneInfo) -> tuple[Move, ...] | None:
        """The task's history in the words of the model; None when none is asked for, or none was to be had."""
        if "history" not in self.reads or record.history is None:
            return None
        return moves(self._task, record, zone)

    def read_project(self, record: Record, zone: ZoneInfo) -> Row:
        """The project in the words of the model."""
        gaps: list[Gap] = []
        values = {entry.model.name: self._read(entry, record, zone, gaps) for entry in self._project}
        offered = frozenset(entry.model.name for entry in self._project if entry.offered(record.values))
        return Row(values, offered, tuple(gaps))

    def _read(self, entry: Ready, record: Record, zone: ZoneInfo, gaps: list[Gap]) -> ModelValue:
        if isinstance(entry, ReadyPlain):
            return entry.answer(record.values, zone, gaps)[0]
        found, unmatched = entry.matched(record.values)
        if found:
            return None if found == "empty" else found
        if entry.default == "stop":
            what = f"{unmatched[0]} = {shown(unmatched[1])}" if unmatched else "nothing that the mapping reads is set"
            raise Misconfigured(
                f"{record.key} ({record.url}): no step of {entry.model.name} matches: {what}",
                where=self.file.doc.place_of_key((entry.subject, entry.model.name)),
                hint="add the value to a step, or use default: report",
            )
        if entry.default != "report":
            return entry.default
        if unmatched:
            gaps.append(Gap(entry.model.name, unmatched[0], shown(unmatched[1]), "no step of the mapping matches"))
        return None

    def _pairs(self, record: Record, gaps: list[Gap]) -> Mapping[str, Mapping[tuple[str, str], None]]:
        """(predecessor, successor) of its links, each once, by type."""
        pairs: dict[str, dict[tuple[str, str], None]] = {}
        unread: dict[Gap, None] = {}
        for rule in self._links:
            value = record.values.get(rule.id)
            for link in value if isinstance(value, tuple) else () if value is None else (value,):
                if not isinstance(link, Link):
                    unread[Gap(rule.name, rule.id, shown(link), "not a link to another task")] = None
                elif pair := rule.pair(record.id, link):
                    pairs.setdefault(rule.name, {})[pair] = None
        gaps += unread
        return pairs


# --- making ready ---------------------------------------------------------------------------------------------------


def compiled(file: MappingFile, pins: Mapping[str, str]) -> SiteMapping:
    """The mapping with every name replaced by the id that it is pinned to."""
    task = tuple(_ready(entry, pins) for entry in file.task)
    if not any(entry.model.name == CREATED for entry in task):
        default = (pins[CREATED_PIN],) if CREATED_PIN in pins else CREATED_IDS
        task = (*task, ReadyPlain(FIELDS["task"][CREATED], default))
    project = tuple(_ready(entry, pins) for entry in file.project)
    links = tuple(_links(rule, pins) for rule in file.links)
    needed = [ref.pin for ref, _ in file.refs()] + [rule.pin for rule in file.links if rule.type]
    return SiteMapping(
        site=file.site,
        path=file.doc.path,
        projects=file.projects,
        query=file.query,
        portfolios=file.portfolios,
        reads=file.reads,
        hash=_hash(file, task, project, links),
        write_task=file.write_task,
        write_project=file.write_project,
        mail=file.mail,
        pins=dict(pins),
        mapped=frozenset(entry.model.name for entry in task),
        mapped_links=frozenset(rule.name for rule in file.links),
        unresolved=tuple(dict.fromkeys(pin for pin in needed if pin not in pins)),
        file=file,
        _task=task,
        _project=project,
        _links=links,
    )


def _id(ref: Ref, pins: Mapping[str, str]) -> str:
    return pins.get(ref.pin, ref.text)


def _unique(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group))


def _links(rule: LinkRule, pins: Mapping[str, str]) -> _Links:
    return _Links(rule.name, _id(rule.ref, pins), folded(rule.type), pins.get(rule.pin, ""), rule.direction)


def _ready(entry: Plain | Options, pins: Mapping[str, str]) -> Ready:
    if isinstance(entry, Plain):
        return ReadyPlain(entry.model, tuple(_id(ref, pins) for ref in entry.refs))
    steps: list[ReadyStep] = []
    default = "report"
    for step in entry.steps:
        if step.ref is None:
            default = step.default
            continue
        if step.wanted is None:
            own = {own_name(option): option for option in entry.model.options}
            steps.append(ReadyStep(_id(step.ref, pins), own, {}, {}, own=True))
            continue
        names: dict[str, str] = {}
        categories: dict[str, str] = {}
        answers: dict[bool, str] = {}
        for wanted in step.wanted:
            if isinstance(wanted.value, bool):
                answers[wanted.value] = wanted.outcome
            else:
                (categories if wanted.category else names)[folded(wanted.value)] = wanted.outcome
        steps.append(ReadyStep(_id(step.ref, pins), names, categories, answers, own=False))
    return ReadyOptions(entry.model, tuple(steps), default, entry.subject)


def _hash(file: MappingFile, *parts: tuple[Any, ...]) -> str:
    plain = [
        [file.projects, file.query, file.portfolios, sorted(file.reads)],
        [[_data(item) for item in part] for part in parts],
    ]
    return hashlib.sha256(canonical(plain).encode()).hexdigest()[:16]


def _data(item: Any) -> Any:
    """The parts as plain data, in the order of the file: the order decides which one wins."""
    match item:
        case ReadyPlain():
            return [item.model.name, item.ids]
        case ReadyOptions():
            return [item.model.name, [_data(step) for step in item.steps], item.default]
        case ReadyStep():
            answers = [[answer, option] for answer, option in sorted(item.answers.items())]
            return [item.id, dict(item.names), dict(item.categories), answers, item.own]
        case _:
            return [item.name, item.id, item.type_id or item.type, item.direction]
