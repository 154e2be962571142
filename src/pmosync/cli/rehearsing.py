"""The verb `sandbox`: a Jira and an Asana on this machine, to try everything without touching a real site.

It runs as a process of its own and knows nothing of pmosync, so what it says about our writes is independent.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pmosync.errors import Misconfigured


def sandbox(
    port: Annotated[int, typer.Option("--port", help="On 127.0.0.1; 0 takes a free one.")] = 0,
    load: Annotated[
        list[Path] | None, typer.Option("--load", metavar="DIR", help="Serve this Jira export; may be repeated.")
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Its clock.")] = None,
    state: Annotated[Path | None, typer.Option("--state", metavar="FILE", help="Keep the state here.")] = None,
    organisation: Annotated[
        bool, typer.Option("--organisation", help="With --load: the generated organisation beside the exports.")
    ] = False,
    guidance: Annotated[
        Path | None, typer.Option("--guidance", metavar="DIR", help="Serve the pages of this folder as /guidance/.")
    ] = None,
    jira: Annotated[
        str | None, typer.Option("--jira", metavar="KIND", help="How Jira answers: cloud (default) or data-center.")
    ] = None,
) -> None:
    """Run a Jira and an Asana on this machine until Ctrl-C. The address is the first line."""
    command = [sys.executable, "-m", "pmosync.sandbox", "--port", str(port)]
    for folder in load or ():
        command += ["--load", str(folder)]
    command += ["--as-of", as_of] if as_of else []
    command += ["--state", str(state)] if state else []
    command += ["--organisation"] if organisation else []
    command += ["--guidance", str(guidance)] if guidance else []
    command += ["--jira", jira] if jira else []
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        code = _ended(process)
    except KeyboardInterrupt:
        process.terminate()
        code = process.wait()
    if code:
        raise Misconfigured("the sandbox did not start", where="pmosync sandbox", hint="see the line above")


def _ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code of the process. Looks up now and then: a signal just before the wait would be slept through."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=1)
