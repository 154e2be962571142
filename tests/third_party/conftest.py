"""Servers that others wrote, on loopback, once for each worker; and the tool that judges by a vendor's document."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.conftest import open_jira as open_jira

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="session")
def specproxy() -> Any:
    """The tool that judges by a document."""
    tool = SHARED / "tools/specproxy/specproxy.py"
    if not tool.exists():
        pytest.skip("the vendor's documents do not lie beside the project (../shared/specs)")
    spec = importlib.util.spec_from_file_location("specproxy", tool)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["specproxy"] = module
    spec.loader.exec_module(module)
    return module
