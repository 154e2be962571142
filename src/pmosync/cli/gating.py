"""The verb `gates`: how projects stand before their gates, as the last run left it.

It asks no site and decides nothing: what is missing is what the last run found, and a decision is what it read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from pmosync import gates as before
from pmosync.cli.looking import one_of
from pmosync.cli.options import AsJson, common, configured
from pmosync.cli.terminal import give_json, say
from pmosync.errors import Misconfigured
from pmosync.opening import read_files, stored
from pmosync.store import read_meta

SHOWN = 8
"""So many keys of what holds a gate are shown in a line; `--json` has all."""


def gates(
    context: typer.Context,
    project: Annotated[
        list[str] | None, typer.Argument(metavar="PROJECT", help="An id, key or title; default: all.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show how projects stand before their gates: what is missing, what was decided, by whom and when."""
    config = configured(common(context))
    files = read_files(config)
    if not files.register.gates:
        raise Misconfigured("there are no gates", where=str(config.path), hint="name a file of them: gates: gates.yaml")
    with stored(config) as store, store.reading() as connection:
        if read_meta(connection, "judged") is None:
            raise Misconfigured(f"nothing was judged yet in the store {config.store}", hint="run `pmosync sync` first")
        rows = before.rows(connection, files.register, files.standards)
    names = {row[name] for row in rows for name in ("project", "key", "title") if row[name]}
    for one in project or ():
        one_of(sorted(names), one, "project with gates", "PROJECT")
    rows = [row for row in rows if not project or {row["project"], row["key"], row["title"]} & set(project)]
    if json:
        give_json({"gates": rows})
        return
    if not rows:
        say("no project has a gate")
    for _, mine in groupby(rows, key=lambda row: row["project"]):
        _tell(list(mine))


def _tell(rows: Sequence[dict[str, Any]]) -> None:
    first = rows[0]
    named = first["project"] if first["title"] in (None, first["project"]) else f"{first['project']} {first['title']}"
    seen = "" if first["observed"] else "; not all of it was observed, so this is as it was read last"
    say(f"{named}: {first['phase'] or 'phase not known'}{seen}", "bold")
    for row in rows:
        mark = ">" if row["next"] else " "
        say(f"{mark} {row['gate']} {row['name']} ({row['from']} to {row['to']}): {_state(row)}")
        for line in row["missing"]:
            keys = row["findings"].get(line.partition(" ")[0], [])
            more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            say(f"      - {line}{' (' + ', '.join(keys[:SHOWN]) + more + ')' if keys else ''}")
        for name, link in row["evidence"].items():
            if link:
                say(f"      + {name}: {link}")


def _state(row: dict[str, Any]) -> str:
    """How a gate stands, with the decision and where it was read."""
    decides = f"to be decided by {row['decides']}" if row["decides"] else "to be decided"
    if row["decision"] is None:
        record = f" in {row['record']}" if row["record"] else ""
        return f"something is missing, then {decides}{record}" if row["missing"] else f"ready, {decides}{record}"
    by = f" by {row['decided_by']}" if row["decided_by"] else ""
    day = f" on {row['decided_on']}" if row["decided_on"] else ""
    return f"{row['decision'].replace('_', ' ')}{by}{day}, as {row['record'] or 'the register'} says"
