"""Runs sync and reconcile on their schedules, unattended, one thread for each site.

A site that hangs, fails or is held by another run delays no other; what was missed is caught up once.
"""

from __future__ import annotations

from pmosync.daemon.main import serve
from pmosync.daemon.work import Work

__all__ = ["Work", "serve"]
