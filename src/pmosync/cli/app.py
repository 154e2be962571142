"""The verbs of pmosync, and the sentence for those that a later version brings.

Nothing is decided here: each verb stands in the module that does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pmosync import __version__
from pmosync.cli import (
    authoring,
    baselining,
    cycles,
    gating,
    looking,
    planning,
    rehearsing,
    reporting,
    serving,
    sites,
    waivers,
)
from pmosync.cli import demo as demos
from pmosync.cli.options import Common, hoisted, instant, start_logging
from pmosync.cli.terminal import say
from pmosync.errors import Misconfigured

LATER = {
    "export": "the store is an SQLite file that any SQLite browser opens",
    "ledger": "the decisions folder and your version control keep what was decided",
    "web": "`pmosync findings` shows the same",
    "connector": "connectors are found by the entry-point group pmosync.connectors",
    "db": "the store brings its own schema up to date, and can be deleted and rebuilt",
}
"""Verbs of later versions, and what to do until then."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Checks project work in Jira and Asana against the PMO's standards, and writes the verdict back.",
)


def _version(asked: bool) -> None:
    if asked:
        say(f"pmosync {__version__}")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="PATH", help="Default: $PMOSYNC_CONFIG, else pmosync.yaml."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings, and results that are not 0.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Every call, and where an unexpected error came from.")
    ] = False,
    now: Annotated[str | None, typer.Option("--now", hidden=True, help="For rehearsals against the sandbox.")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Read what all verbs have in common."""
    context.obj = Common(config, quiet, debug, instant(now))
    start_logging(context.obj)


app.command("init")(sites.init)
app.command("doctor")(sites.doctor)
app.command("discover")(sites.discover)
app.add_typer(sites.mapping_app, name="mapping")
looking.standards_app.command("test")(authoring.run_tests)
looking.standards_app.command("lint")(authoring.run_lint)
looking.standards_app.command("diff")(authoring.run_diff)
app.add_typer(looking.standards_app, name="standards")
app.command("sync")(cycles.sync)
app.command("reconcile")(cycles.reconcile)
app.command("plan")(cycles.plan)
app.command("apply")(cycles.apply_)
app.command("check")(cycles.check)
app.add_typer(waivers.waivers_app, name="waivers")
baselining.baseline_app.command("set")(planning.set_)
baselining.baseline_app.command("show")(planning.show)
baselining.baseline_app.command("diff")(planning.diff)
app.add_typer(baselining.baseline_app, name="baseline")
app.command("findings")(looking.findings)
app.command("gates")(gating.gates)
app.command("report")(reporting.report)
app.command("retract")(cycles.retract_)
app.command("daemon")(serving.daemon)
app.command("sandbox")(rehearsing.sandbox)


@app.command("demo")
def demo(keep: demos.Keep = None, port: demos.Port = 0) -> None:
    """Show the main job on a sandbox, from an empty folder to a run that writes nothing."""
    raise typer.Exit(demos.demo(_run, keep and keep.absolute(), port))


def _run(line: Sequence[str]) -> int:
    return int(app(hoisted(line), prog_name="pmosync", standalone_mode=False) or 0)


def _later(verb: str, until_then: str) -> None:
    def refuse() -> None:
        raise Misconfigured(f"`pmosync {verb}` comes with a later version", hint=until_then)

    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    app.command(verb, hidden=True, context_settings=settings)(refuse)


for _verb, _until_then in LATER.items():
    _later(_verb, _until_then)
