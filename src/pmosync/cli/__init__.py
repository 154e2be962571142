"""The command line: where verbs become calls, outcomes become text and exit codes, and errors become sentences.

No stack trace reaches a person who did not ask for one, and every message names the next step.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence

import typer

from pmosync.cli.app import app
from pmosync.cli.options import hoisted
from pmosync.cli.terminal import warn
from pmosync.errors import GuardRefused, Locked, Misconfigured, PlanMoved, PmosyncError
from pmosync.exits import GUARDED, HELD, NOTHING_DONE, STOPPED, WRONG

_ARENAS = -8
"""M_ARENA_MAX of glibc's mallopt(3)."""
READER_LEFT = 141
"""As a shell says of a program whose reader closed the pipe."""


def spare() -> None:
    """Look for circles of objects seldom, and let threads share their memory.

    Records are trees, which go without being looked for, and a first pull makes millions; what was imported stays for
    good. The C library would keep a heap for each thread that ever parsed an answer. Together this saves a fifth of
    the CPU and of the memory of a pull (benchmarks/jira_pull.py, benchmarks/jira_memory.py).
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    with contextlib.suppress(OSError, AttributeError):  # another C library knows no such setting
        ctypes.CDLL(None).mallopt(_ARENAS, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    line = hoisted(sys.argv[1:] if arguments is None else arguments)
    spare()
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    try:
        code = app(line, prog_name="pmosync", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except typer.TyperException as error:
        return _misused(error)
    except PmosyncError as error:
        warn(str(error))
        return _code(error)
    except Exception as error:  # noqa: BLE001 - the outermost room: a person is told in one line
        return _defect(error, debug="--debug" in line)
    if code == STOPPED:
        warn("stopped. Nothing is lost: run the same command again, it goes on where this one was.")
    return int(code or 0)


def _code(error: PmosyncError) -> int:
    match error:
        case Misconfigured() | PlanMoved():
            return WRONG
        case GuardRefused():
            return GUARDED
        case Locked():
            return HELD
        case _:
            return NOTHING_DONE


def _misused(error: typer.TyperException) -> int:
    message = getattr(error, "format_message", error.__str__)()
    place = getattr(error, "ctx", None)
    warn(f"{message}\n  → see `{place.command_path if place else 'pmosync'} --help`")
    return WRONG


def _defect(error: Exception, *, debug: bool) -> int:
    if debug:
        warn(traceback.format_exc())
    what = " ".join(f"{type(error).__name__}: {error}".split())
    warn(f"this is a defect in pmosync: {what}, run again with --debug to see where")
    return NOTHING_DONE
