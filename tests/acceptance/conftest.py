"""Offices for tests, and the process that starts their commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.office import Forge, Office, Saved
from tests.acceptance.settled import furnished, settle
from tests.conftest import Sandbox


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    """The warm process of this worker."""
    made = Forge()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def office(tmp_path: Path, sandbox: Sandbox, forge: Forge) -> Callable[..., Office]:
    """Makes an office on a sandbox where nobody has been yet; takes what `Office` takes."""

    def make(**options: Any) -> Office:
        return Office(tmp_path / "office", sandbox, forge, **options)

    return make


@pytest.fixture(scope="session")
def settled_before() -> dict[str, Saved]:
    """Offices that have settled in this worker, by their tools."""
    return {}


@pytest.fixture
def settled(
    tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox, forge: Forge, settled_before: dict[str, Saved]
) -> Callable[..., Office]:
    """An office of `jira`, `asana`, `both` or `all` projects (see TOOLS) that has just run once, and its sandbox."""

    def make(tools: str = "both") -> Office:
        if tools not in settled_before:
            settled_before[tools] = settle(furnished(tmp_path_factory.mktemp(tools) / "office", sandbox, forge, tools))
        return settled_before[tools].restore()

    return make
