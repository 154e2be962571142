"""Offices for tests, and the process that starts their commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.acceptance.office import Forge, Office


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
