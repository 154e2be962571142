"""The verb `daemon`: everything by itself, until somebody asks it to stop."""

from __future__ import annotations

import logging
from os import environ
from typing import Annotated

import typer

from pmosync.cli.options import common
from pmosync.config.unattended import Address, address
from pmosync.daemon import serve


def _listen(value: str) -> Address:
    try:
        return address(value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def daemon(
    context: typer.Context,
    listen: Annotated[
        Address | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            parser=_listen,
            help="For /healthz, /readyz and /metrics; an address that others can reach has to be named here.",
        ),
    ] = None,
) -> None:
    """Run sync and reconcile on their schedules until SIGTERM or Ctrl-C."""
    options = common(context)
    level = logging.DEBUG if options.debug else logging.WARNING if options.quiet else logging.INFO
    raise typer.Exit(serve(options.config, environ, options.clock(), listen, level))
