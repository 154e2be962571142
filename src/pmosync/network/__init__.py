"""The network of linked work: float, critical tasks and the critical path test, for the facts to read.

`chains` is the arithmetic, without a store and without a clock; `plans` is what the plan says about one task, as SQL;
`keeping` keeps the results in tables, and computes only those groups of linked tasks again in which something moved.
What is stored does not depend on today.
"""

from __future__ import annotations

from pmosync.network.chains import Network, Place, Work, path_holds, solve
from pmosync.network.keeping import refresh
from pmosync.network.plans import CLOSED, STARTED, is_piece, is_planned, is_work, length_w, worked_days

__all__ = [
    "CLOSED",
    "STARTED",
    "Network",
    "Place",
    "Work",
    "is_piece",
    "is_planned",
    "is_work",
    "length_w",
    "path_holds",
    "refresh",
    "solve",
    "worked_days",
]
