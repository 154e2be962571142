"""The command line in this process, as the tests of the verbs use it."""

from __future__ import annotations

from tests.cli.conftest import folder, run, terminal_of_80

__all__ = ["folder", "run", "terminal_of_80"]
