"""Servers that others wrote, on loopback, once for each worker."""

from __future__ import annotations

from tests.connectors.conftest import open_jira as open_jira
