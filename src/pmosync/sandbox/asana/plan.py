"""What the workspace's plan has: a call for a feature that it lacks is answered with 402.

Whether a plan has budgets, goals, allocations and time tracking are switches of their own, because the vendor sells
them apart from each other.
"""

from __future__ import annotations

from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.problems import payment_required
from pmosync.sandbox.call import Call

NAMES = {"budgets": "Budgets", "allocations": "Allocations", "goals": "Goals", "time_tracking": "Time tracking"}


def has(call: Call, feature: str) -> None:
    """Refuse a call for one of `NAMES` that the plan does not have."""
    if "no" in (tables.switch(call.state, "premium"), tables.switch(call.state, feature)):
        raise payment_required(NAMES[feature])
