"""How work flows: pace, cycle times and the forecast of each project, for the standards to ask about.

`forecast` is the arithmetic, without a store and without a clock; `keeping` keeps what depends on the day in tables of
its own, each row with the day that it was computed for, so a new day computes them again and nothing else does unless
work was finished, begun or added.
"""

from __future__ import annotations

from pmosync.flow.forecast import CHANCES, LONGEST_D, days_until
from pmosync.flow.keeping import LEAST_D, LEAST_FINISHED, PACE_D, is_item, kind_of, refresh

__all__ = [
    "CHANCES",
    "LEAST_D",
    "LEAST_FINISHED",
    "LONGEST_D",
    "PACE_D",
    "days_until",
    "is_item",
    "kind_of",
    "refresh",
]
