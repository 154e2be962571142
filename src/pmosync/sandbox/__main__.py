"""Runs the sandbox as a process of its own: `python -m pmosync.sandbox --port 0`.

It keeps the promise that the first line on standard output (and the ready file) is written only once it answers.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType

from . import organisation
from .asana import tables as asana_tables
from .jira import datacenter
from .jira import seed as jira_seed
from .load import BadExport, load
from .server import Server
from .state import State


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill a state, serve it until somebody asks to stop, and say where."""
    options = _options(arguments)
    try:
        state = fill(options.state, options.as_of, options.load, options.organisation)
    except BadExport as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    if options.jira:
        datacenter.switch(state, deployment=options.jira.replace("-", "_"))
    server = Server(state, options.port, options.guidance)

    def stop(number: int, frame: FrameType | None) -> None:
        server.app.ask_to_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.start()
    line = json.dumps({"url": server.url, "pid": os.getpid()})
    if options.ready_file:
        partial = options.ready_file.with_suffix(".partial")
        partial.write_text(line + "\n", encoding="utf-8")
        partial.replace(options.ready_file)
    print(line, flush=True)
    server.wait()
    server.stop()
    return 0


def fill(path: str | None, as_of: date | None, loads: Sequence[Path], with_organisation: bool) -> State:
    """A state: as the file has it, or filled anew with exports, the generated organisation, or both."""
    state = State(path, as_of or datetime.now(UTC).date())
    jira_seed.prepare(state, standard=not loads or with_organisation)
    asana_tables.prepare(state)
    if state.row("SELECT 1 FROM token"):
        return state
    with state.transaction():
        if with_organisation or not loads:
            organisation.write(state, state.as_of)
        for directory in loads:
            load(state, directory)
    return state


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pmosync.sandbox", description="A Jira and an Asana on loopback, with memory."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", metavar="FILE", help="keep the state in this SQLite file; default: in memory")
    parser.add_argument(
        "--load", metavar="DIR", type=Path, action="append", default=[],
        help="serve this Jira export in place of the generated organisation; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--organisation", action="store_true", help="with --load: serve the generated organisation beside the exports"
    )
    parser.add_argument(
        "--as-of", metavar="YYYY-MM-DD", type=date.fromisoformat,
        help="the day the organisation's dates are relative to, and the sandbox's clock; default: today",
    )  # fmt: skip
    parser.add_argument(
        "--guidance", metavar="DIR", type=Path, help="serve the pages in this folder as /guidance/; it may come later"
    )
    parser.add_argument(
        "--jira",
        choices=("cloud", "data-center"),
        help="how the Jira site answers; default: as the state says, or cloud",
    )
    parser.add_argument("--ready-file", metavar="PATH", type=Path, help="write the address here once it answers")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
