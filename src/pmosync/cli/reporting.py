"""The verb `report`: the portfolio as text, Markdown, JSON or one HTML page, as the last run left it.

It asks no site and writes nothing but the file that was named, and that one whole or not at all.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from sqlalchemy import Connection

from pmosync import gates, rollup
from pmosync.cli.looking import one_of
from pmosync.cli.options import AsJson, Common, common, configured
from pmosync.cli.terminal import out as terminal
from pmosync.cli.terminal import say
from pmosync.config import Config, load_register
from pmosync.errors import Misconfigured
from pmosync.opening import standards_of, stored
from pmosync.reports import data, ending, html, markdown, text
from pmosync.reports import portfolio as portfolios
from pmosync.reports.load import load
from pmosync.reports.portfolio import Report
from pmosync.store import read_meta
from pmosync.workdays import day_number

FORMATS = ("text", "markdown", "json", "html")
FILE_WIDTH = 120
"""Columns of a text report that is written to a file."""


def report(
    context: typer.Context,
    format_: Annotated[str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; default: text.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there, in UTF-8.")] = None,
    portfolio: Annotated[
        str | None, typer.Option("--portfolio", metavar="ID", help="Only this one, by id or title.")
    ] = None,
    program: Annotated[
        str | None, typer.Option("--program", metavar="ID", help="Only this one, by id or title.")
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", metavar="ID", help="Only this one, by id, key or title.")
    ] = None,
    persons: Annotated[
        bool, typer.Option("--persons", help="With the load of each person by name. For them and their lead alone.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show the portfolio: health, progress and findings of every program and project."""
    options = common(context)
    chosen = _format(format_, json=json)
    target = _file(out) if out is not None else None
    asked = {"portfolio": portfolio, "program": program, "project": project}
    made = _report(options, {level: word for level, word in asked.items() if word is not None}, persons=persons)
    if target is None:
        _show(made, chosen)
        return
    _write(target, _rendered(made, chosen))
    if not options.quiet:
        say(f"written: {out}")


def _format(word: str | None, *, json: bool) -> str:
    chosen = one_of(FORMATS, word, "format", "--format") if word is not None else "json" if json else "text"
    if json and chosen != "json":
        raise Misconfigured(f"--json and --format {chosen} ask for two things", hint="leave one of them out")
    return chosen


# --- what is reported -------------------------------------------------------------------------------------------------


def _report(options: Common, asked: dict[str, str], *, persons: bool) -> Report:
    config = configured(options)
    with stored(config) as store, store.reading() as connection:
        return _read(connection, config, options, asked, persons=persons)


def _read(connection: Connection, config: Config, options: Common, asked: dict[str, str], *, persons: bool) -> Report:
    if read_meta(connection, "judged") is None:
        raise Misconfigured(f"nothing was judged yet in the store {config.store}", hint="run `pmosync sync` first")
    standards = standards_of(config)
    severities = {one.id: one.severity for one in standards}
    register = load_register(config)
    before = gates.ahead(connection, register)
    rollups = rollup.tree(connection, severities, register, config.organisation, config.workdays, before)
    if not rollups:
        raise Misconfigured(
            "there is no project to report on",
            hint="`pmosync doctor` tells what the accounts see; a mapping's `scope` says which projects count",
        )
    for level, word in asked.items():
        rollups = portfolios.narrowed(connection, rollups, level, word)
    now = options.clock()()
    today = day_number(now.astimezone(config.zone).date())
    inside = {number for one in rollups for number in one.numbers}
    return portfolios.report(
        connection,
        rollups,
        standards,
        organisation=config.organisation,
        zone=config.zone,
        now=now,
        guidance=config.guidance,
        waivers=() if asked else ending(connection, today),
        load=load(connection, inside if asked else None, persons=persons),
    )


# --- where it goes ----------------------------------------------------------------------------------------------------


def _show(made: Report, chosen: str) -> None:
    if chosen == "text":
        text.render(made, terminal())
    else:
        sys.stdout.write(_rendered(made, chosen))


def _rendered(made: Report, chosen: str) -> str:
    match chosen:
        case "markdown":
            return markdown.render(made)
        case "json":
            return orjson.dumps(data.document(made), option=orjson.OPT_INDENT_2).decode() + "\n"
        case "html":
            return html.render(made)
        case _:
            page = io.StringIO()
            text.render(made, Console(file=page, width=FILE_WIDTH, color_system=None, highlight=False, emoji=False))
            return page.getvalue()


def _file(path: Path) -> Path:
    """Where a link leads, when a file can be there; checked before anything is read."""
    target = path.resolve()
    if target.is_dir():
        raise Misconfigured(f"{path} is a folder", where="--out", hint=f"name a file in it: {path / 'report.html'}")
    if target.exists() and not target.is_file():
        raise Misconfigured(f"{path} is no plain file", where="--out", hint="leave --out away to write to the terminal")
    if not target.parent.is_dir():
        raise Misconfigured(f"there is no folder {path.parent}", where="--out", hint="make it, or name another file")
    return target


def _write(path: Path, content: str) -> None:
    """Put the whole file in place at once: a reader never sees half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(content, "utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise Misconfigured(
            f"{path} cannot be written: {error.strerror}", where="--out", hint="name a file that you may write"
        ) from None
