"""Reads the folder of baselines, and adds a file to it.

A file is written whole or not at all, under a name that no file has: nothing that stands there is ever replaced.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pmosync.decisions.baselines.text import MOST_TASKS, Baseline, Planned, digest, parse, render, text_of, wrong
from pmosync.errors import Misconfigured
from pmosync.register import slug

FOLDER = "baselines"
_NAME = re.compile(r"(.+)\.[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[0-9]+)?\.yaml")
_PROJECT = re.compile(r'^project: ("[^\n]*")$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Unclear:
    """A file that does not count, and the project that it seems to be about."""

    error: Misconfigured
    project: str
    """As the file says it; empty where that cannot be read."""
    stem: str
    """What its name begins with: an id made of the project's."""

    def about(self, project: str) -> bool:
        """Whether it seems to be about a project."""
        return project == self.project if self.project else slug(project) == self.stem


@dataclass(frozen=True, slots=True)
class Baselines:
    """What the folder says."""

    all: tuple[Baseline, ...] = ()
    """Those that are clear, the oldest first."""
    unclear: tuple[Unclear, ...] = ()
    hash: str = ""
    """Changes when anything in the folder does."""

    def of(self, project: str, containers: Iterable[str] = ()) -> tuple[Baseline, ...]:
        """Those of a project, by its id or by a project of a tool that it holds; the oldest first, the last counts."""
        named = self.by_name()
        found = {id(one) for name in (project, *containers) for one in named.get(name, ())}
        return tuple(one for one in self.all if id(one) in found)

    def by_name(self) -> dict[str, list[Baseline]]:
        """All of them, by each name that their project is found by."""
        found: dict[str, list[Baseline]] = {}
        for one in self.all:
            for name in {one.project, *one.containers}:
                found.setdefault(name, []).append(one)
        return found


def read_baselines(folder: Path) -> Baselines:
    """The baselines of a decisions folder."""
    found: list[Baseline] = []
    unclear: list[Unclear] = []
    hashes = []
    paths = sorted((folder / FOLDER).glob("*.yaml"))
    for path in paths:
        text = ""
        try:
            text = text_of(path)
            found.append(parse(path, text))
        except Misconfigured as error:
            unclear.append(_unclear(path, text, error))
        hashes.append(f"{path.name} {digest(text)}")
    clear = []
    for one, number in _chained(found, {path.name for path in paths}):
        if number is None:
            lost = wrong(one.path, 1, f"it replaces {one.replaces}, which is not there", _MISSING)
            unclear.append(Unclear(lost, one.project, ""))
        else:
            clear.append(replace(one, number=number))
    return Baselines(tuple(sorted(clear, key=order)), tuple(unclear), digest("\n".join(hashes)) if hashes else "")


_MISSING = "restore that file from version control: baselines are never deleted"


def order(one: Baseline) -> tuple[int, dt.datetime, str]:
    """What the baselines of one project are sorted by."""
    return one.number, one.set_at, one.name


def _chained(found: Sequence[Baseline], names: Collection[str]) -> Iterator[tuple[Baseline, int | None]]:
    """How many each one replaces; None: what it leads back to is not there."""
    by_name = {one.name: one for one in found}
    for one in found:
        at, number = one, 0
        while at.replaces in by_name and number <= len(found):
            at, number = by_name[at.replaces], number + 1
        broken = number > len(found) or (at.replaces and at.replaces not in names)
        yield one, None if broken else number


def _unclear(path: Path, text: str, error: Misconfigured) -> Unclear:
    named, found = _NAME.fullmatch(path.name), _PROJECT.search(text)
    project = ""
    if found:
        with contextlib.suppress(ValueError):
            project = str(json.loads(found[1]))
    return Unclear(error, project, named[1] if named else path.stem)


def write_baseline(folder: Path, one: Baseline, rows: Sequence[Planned]) -> Baseline:
    """Add a baseline to the folder; it has reached the disk when this returns.

    Returns:
        The baseline as it is read back.
    """
    if len(rows) > MOST_TASKS:
        what = f"{one.project} has {len(rows):,} tasks, a baseline holds {MOST_TASKS:,}"
        raise Misconfigured(what, hint="register it as several projects")
    place = folder / FOLDER
    text = render(replace(one, tasks=len(rows)), rows)
    parse(place, text)  # what could not be read back is not written
    try:
        place.mkdir(parents=True, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(dir=place, prefix=".", suffix=".new")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            Path(scratch).chmod(0o644)
            path = _named(Path(scratch), place, f"{slug(one.project)}.{one.set_on}")
        finally:
            Path(scratch).unlink(missing_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"cannot be written: {error.strerror}", where=str(place), hint="check who may write there"
        ) from None
    return parse(path, text)


def _named(scratch: Path, place: Path, stem: str) -> Path:
    """Give the file the first name that is free."""
    for number in range(1, 1000):
        path = place / (f"{stem}.yaml" if number == 1 else f"{stem}.{number}.yaml")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(scratch)
            return path
    raise Misconfigured("a thousand baselines on one day", where=str(place), hint="look at what sets them")
