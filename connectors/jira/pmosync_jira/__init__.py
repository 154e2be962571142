"""Speaks Jira, Cloud and Data Center: brings projects, issues and people as records, and writes flags without mail.

It keeps the promise that Jira's own ids are the only identity, that nothing is concluded from half an answer, and that
of an issue's labels only our own five are ever touched.
"""

from __future__ import annotations

from .connector import capabilities, open  # noqa: A004
from .endpoints import ENDPOINTS as CALLS
from .expiry import ENDPOINT as TOKENS
from .settings import Settings, limits

ENDPOINTS = (*CALLS, TOKENS)

__all__ = ["ENDPOINTS", "Settings", "capabilities", "limits", "open"]
