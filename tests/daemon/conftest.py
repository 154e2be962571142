"""A settled office and the work of a daemon in it, run by hand with the sandbox's clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pmosync.daemon.work import Work
from tests.acceptance.conftest import forge, settled, settled_before
from tests.acceptance.office import Office
from tests.conftest import Sandbox

__all__ = ["forge", "settled", "settled_before"]

MakeWork = Callable[..., Work]


def clock_of(sandbox: Sandbox) -> Callable[[], dt.datetime]:
    """The sandbox's clock: both sides live in the same day."""

    def now() -> dt.datetime:
        return dt.datetime.fromisoformat(sandbox.control("POST", "clock", {"advance_s": 0})["now"])

    return now


@pytest.fixture
def work_in() -> Iterator[MakeWork]:
    """Starts the work of a daemon in an office; closed in the end."""
    with ExitStack() as stack:

        def make(office: Office, **options: Any) -> Work:
            made = Work(office.folder / "pmosync.yaml", office.environ, clock_of(office.sandbox), **options)
            return stack.enter_context(made)

        yield make
