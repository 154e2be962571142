from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from tests.standards.postgres import ABSENT, REQUIRED, cluster, programs


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Engine]:
    """A PostgreSQL of this session's own; without the program the test is skipped, unless it has to be there."""
    if programs() is None:
        assert not REQUIRED, ABSENT
        pytest.skip(ABSENT)
    with cluster() as engine:
        yield engine
