"""The text of one baseline: what a project was planned to be, one line a task.

It is YAML for people and tools that read it; what pmosync reads back is exactly the form that it writes, with a
checksum over the rest. The checksum finds an edit that nobody meant; who did what is for version control to say.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pmosync.errors import Misconfigured

MOST_TASKS = 100_000
LARGEST_BYTES = 200 * MOST_TASKS
"""A line of a task has some seventy characters."""
MOST_CHARACTERS = 2_000
"""Of a line of a task."""
MOST_IN_HEAD = 20_000
"""Of a line above the tasks."""
BEGIN = "rows: |"
COLUMNS = ("site", "key", "id", "type", "work", "leaf", "start_on", "due_on", "estimate_h")
COMMENT = (
    "# The baseline of a project. pmosync wrote this file and never changes it. The next one is made with\n"
    "# `pmosync baseline set`, and names the gate or the approved change that moves the baseline.\n"
)
RESTORE = "restore the file from version control; `pmosync baseline set` makes the next one"
_LINE = re.compile(r"([a-z_]+): (.*)")


@dataclass(frozen=True, slots=True)
class Planned:
    """One task as it was planned."""

    site: str
    key: str
    rid: str
    """The tool's id, which stays when the key changes."""
    type: str = ""
    work: bool = False
    """Whether it was a piece of work: no milestone, no summary, no sub-task."""
    leaf: bool = True
    """Whether it was nobody's parent, so that its estimate counts."""
    start_on: dt.date | None = None
    due_on: dt.date | None = None
    estimate_h: float | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was approved for a project on a day, and on whose decision; its tasks are read from the file when needed."""

    project: str
    """As the register calls it, else site/id."""
    containers: tuple[str, ...]
    """Its projects in the tools: site/id. By them it is found when the register calls it otherwise."""
    set_at: dt.datetime
    set_on: dt.date
    """The local day."""
    by: str
    reason: str
    gate: str = ""
    change: str = ""
    """The record of the approved change: site/key, or its id in the register."""
    replaces: str = ""
    """The file of the baseline before it; empty: this is the first one."""
    due_on: dt.date | None = None
    budget_h: float | None = None
    budget_cost: float | None = None
    tasks: int = 0
    number: int = field(default=0, compare=False)
    """How many it replaces, one after the other; no clock decides which is the newest."""
    path: Path = field(default=Path(), compare=False)
    hash: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name

    def rows(self) -> Iterator[Planned]:
        """Its tasks, read from the file.

        Raises:
            Misconfigured: the file is not what it was when the baseline was read.
        """
        text = text_of(self.path)
        if digest(text) != self.hash:
            raise wrong(self.path, 1, "the file changed while it was read", "run again")
        yield from planned(self.path, text)


HEAD = tuple(one.name for one in fields(Baseline) if one.compare)


def render(one: Baseline, rows: Iterable[Planned]) -> str:
    """The text of the file."""
    values = {name: _written(getattr(one, name)) for name in HEAD}
    head = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(row) for row in rows)
    body = "".join(f"  {line}\n" for line in stream.getvalue().splitlines())
    return f"{COMMENT}{head}checksum: {json.dumps(_checksum(head + body))}\n{BEGIN}\n{body}"


def _written(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _cells(row: Planned) -> Sequence[Any]:
    return (
        *(" ".join(text.split()) for text in (row.site, row.key, row.rid)),
        row.type,
        int(row.work),
        int(row.leaf),
        row.start_on or "",
        row.due_on or "",
        "" if row.estimate_h is None else repr(row.estimate_h),
    )


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest(text: str) -> str:
    """Equal files have equal ones."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- reading ----------------------------------------------------------------------------------------------------------


def wrong(path: Path, line: int, what: str, hint: str = RESTORE) -> Misconfigured:
    """The error to raise about a line."""
    return Misconfigured(what, where=f"{path}:{line}:1", hint=hint)


def text_of(path: Path) -> str:
    """The text of a file that is not too large."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise wrong(path, 1, f"cannot be read: {error.strerror}", "check the path and the permissions") from None
    if len(raw) > LARGEST_BYTES:
        raise wrong(path, 1, f"larger than {LARGEST_BYTES // 1_000_000} MB")
    try:
        return raw.decode().replace("\r\n", "\n")  # version control may change the ends of lines
    except UnicodeDecodeError as error:
        raise wrong(path, raw[: error.start].count(b"\n") + 1, "not UTF-8 text") from None


def parse(path: Path, text: str) -> Baseline:
    """The baseline of a file.

    Raises:
        Misconfigured: at the first line that is not as pmosync writes it, or because something in it was edited.
    """
    head, values, lines = _head(path, text)
    one = _baseline(path, values, lines, digest(text))
    body = text.partition(f"\n{BEGIN}\n")[2]
    if values["checksum"] != _checksum(head + body):
        found = sum(1 for _ in planned(path, text))  # tells a line that cannot be read
        told = f"; it says {one.tasks} tasks and holds {found}" if found != one.tasks else ""
        raise wrong(path, lines["checksum"], f"the file was edited after it was written{told}")
    return one


def _head(path: Path, text: str) -> tuple[str, dict[str, Any], dict[str, int]]:
    """The lines that the checksum is about, the values by key, and the line of each."""
    begin, separator, _ = text.partition(f"\n{BEGIN}\n")
    if not separator:
        raise wrong(path, 1, f"no baseline: the line '{BEGIN}' is missing")
    kept, values, places = [], {}, {}
    for number, line in enumerate(begin.split("\n"), 1):
        if line.startswith("#"):
            continue
        found = _LINE.fullmatch(line) if len(line) <= MOST_IN_HEAD else None
        if not found or found[1] not in (*HEAD, "checksum") or found[1] in values:
            raise wrong(path, number, "this line is not as pmosync wrote it")
        try:
            values[found[1]] = json.loads(found[2])
        except (ValueError, RecursionError):
            raise wrong(path, number, f"the value of {found[1]} cannot be read") from None
        places[found[1]] = number
        if found[1] != "checksum":
            kept.append(line + "\n")
    missing = [name for name in (*HEAD, "checksum") if name not in values]
    if missing:
        raise wrong(path, 1, f"{missing[0]} is missing")
    return "".join(kept), values, places


def _baseline(path: Path, values: dict[str, Any], lines: dict[str, int], hashed: str) -> Baseline:
    def read(name: str, meant: Any, kinds: tuple[type, ...]) -> Any:
        value = values[name]
        try:
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise TypeError
            return meant(value)
        except (ValueError, TypeError):
            raise wrong(path, lines[name], f"the value of {name} cannot be read") from None

    nothing = type(None)
    return Baseline(
        project=read("project", _filled, (str,)),
        containers=read("containers", lambda value: tuple(map(str, value)), (list,)),
        set_at=read("set_at", _instant, (str,)),
        set_on=read("set_on", dt.date.fromisoformat, (str,)),
        by=read("by", str, (str,)),
        reason=read("reason", _filled, (str,)),
        gate=read("gate", str, (str,)),
        change=read("change", str, (str,)),
        replaces=read("replaces", str, (str,)),
        due_on=read("due_on", lambda value: value and dt.date.fromisoformat(value), (str, nothing)),
        budget_h=read("budget_h", _amount, (int, float, nothing)),
        budget_cost=read("budget_cost", _amount, (int, float, nothing)),
        tasks=read("tasks", _number, (int,)),
        path=path,
        hash=hashed,
    )


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text


def _instant(text: str) -> dt.datetime:
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError
    return instant.astimezone(dt.UTC)


def _amount(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise ValueError
    return None if value is None else float(value)


def _number(value: int) -> int:
    if not 0 <= value <= MOST_TASKS:
        raise ValueError
    return value


def planned(path: Path, text: str) -> Iterator[Planned]:
    """The tasks of a baseline, line by line."""
    begin, _, body = text.partition(f"\n{BEGIN}\n")
    first = begin.count("\n") + 3
    lines = [line for line in body.split("\n") if line.strip()]
    if not lines or lines[0].strip() != ",".join(COLUMNS):
        raise wrong(path, first, f"here stand the columns: {','.join(COLUMNS)}")
    if len(lines) > MOST_TASKS + 1:
        raise wrong(path, first, f"more than {MOST_TASKS:,} tasks")
    seen = set()
    for number, line in enumerate(lines[1:], first + 1):
        if len(line) > MOST_CHARACTERS:
            raise wrong(path, number, "a line of a task is not that long")
        one = _planned(path, number, line[2:])
        if (one.site, one.rid) in seen:
            raise wrong(path, number, f"{one.site}/{one.key} stands here twice")
        seen.add((one.site, one.rid))
        yield one


def _planned(path: Path, number: int, line: str) -> Planned:
    cells = next(csv.reader([line]), [])
    try:
        site, key, rid, kind, work, leaf, start_on, due_on, estimate_h = cells
        return Planned(
            _filled(site),
            _filled(key),
            _filled(rid),
            kind,
            {"0": False, "1": True}[work],
            {"0": False, "1": True}[leaf],
            dt.date.fromisoformat(start_on) if start_on else None,
            dt.date.fromisoformat(due_on) if due_on else None,
            _amount(float(estimate_h)) if estimate_h else None,
        )
    except (ValueError, KeyError):
        raise wrong(path, number, "this line of a task cannot be read") from None
