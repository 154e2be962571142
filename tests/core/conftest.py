from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.memory import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One PMO with one healthy project of thirty tasks: nothing to flag."""
    world = World(tmp_path)
    for number in range(100, 130):
        world.tool.put(str(number))
    return world


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    def make(**settings: Any) -> World:
        folder = tmp_path / f"world{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return World(folder, **settings)

    return make
