"""Earned value and earned schedule of projects: what was planned by now, what is done of it, and what that cost.

`value` and `schedule` are the arithmetic, without a store and without a clock; `keeping` reads the baselines, the
progress and the cost, and keeps the results in tables; `days` adds the day, in SQL. What is stored does not depend on
today: planned value is kept as a curve.
"""

from __future__ import annotations

from pmosync.earned.days import DAILY
from pmosync.earned.keeping import refresh

__all__ = ["DAILY", "refresh"]
