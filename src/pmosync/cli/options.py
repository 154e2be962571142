"""The options that every verb understands, wherever on the line they stand.

The clock is decided here and handed down: no verb asks the machine for the time.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Annotated

import typer

from pmosync.cli.terminal import err, plain
from pmosync.config import Config, load
from pmosync.contract import Clock
from pmosync.errors import Misconfigured

WITH_VALUE = ("--config", "-c", "--now")
ALONE = ("--quiet", "-q", "--debug")

SiteNames = Annotated[
    list[str] | None, typer.Option("--site", metavar="NAME", help="Only this site; may be given several times.")
]
Packs = Annotated[
    list[str] | None,
    typer.Option("--pack", metavar="PACK", help="A shipped pack or a file, not what is configured; may repeat."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DAY", help="As it will be in +7d or on 2026-12-31 if nothing changes; asks no site."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document, as docs/json.md describes it.")]


@dataclass(frozen=True, slots=True)
class Common:
    """What stands on the line before the verb."""

    config: Path | None = None
    quiet: bool = False
    debug: bool = False
    now: dt.datetime | None = None

    def clock(self) -> Clock:
        """What time it is; with `--now` the given instant, going on from there."""
        if self.now is None:
            return lambda: dt.datetime.now(dt.UTC)
        ahead = self.now - dt.datetime.now(dt.UTC)
        return lambda: dt.datetime.now(dt.UTC) + ahead


def common(context: typer.Context) -> Common:
    """The common options of this run."""
    found = context.find_object(Common)
    return found or Common()


def configured(options: Common) -> Config:
    """The configuration that the command line or the environment names."""
    return load(options.config, environ)


def hoisted(arguments: Sequence[str]) -> list[str]:
    """The line with the common options in front of the verb, so that they may stand anywhere before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    line = iter(arguments)
    for word in line:
        if word == "--":
            rest += [word, *line]
        elif word in WITH_VALUE:
            front += [word, *[value for value in [next(line, None)] if value is not None]]
        elif word in ALONE or word.startswith(tuple(f"{name}=" for name in WITH_VALUE if name.startswith("--"))):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def instant(text: str | None) -> dt.datetime | None:
    """The instant that `--now` gives."""
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no instant; write 2026-11-20T09:00:00+00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def day_of(text: str, today: dt.date) -> dt.date:
    """The day that `--as-of` gives: a date, or a distance from today."""
    try:
        if distance := re.fullmatch(r"\+(\d{1,5})([dw])", text.strip()):
            return today + dt.timedelta(days=int(distance[1]) * (7 if distance[2] == "w" else 1))
        return dt.date.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise Misconfigured(f"'{text}' is no day", where="--as-of", hint="write +7d, +2w or 2026-12-31") from None


def start_logging(options: Common) -> None:
    """One line per step on standard error; with --debug one per call too."""
    handler = _ToTerminal()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    log = logging.getLogger("pmosync")
    log.handlers[:] = [handler]
    log.setLevel(logging.DEBUG if options.debug else logging.WARNING if options.quiet else logging.INFO)


class _ToTerminal(logging.Handler):
    """Writes to standard error as it is now, in one piece with a progress bar that stands there."""

    def emit(self, record: logging.LogRecord) -> None:
        err().print(plain(self.format(record)), soft_wrap=True)
