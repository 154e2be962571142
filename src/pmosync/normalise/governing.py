"""Says what the PMO asks of each project by its class, and by what it is governed.

What is not governed is not judged: a project without a class, without tolerances or without gates offers nothing to the
standards about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmosync.model import BIT
from pmosync.register import KEPT, Register, RegisteredProject

_OF = BIT["project"]


def governed(row: Mapping[str, Any], register: Register, entry: RegisteredProject | None) -> dict[str, Any]:
    """The columns of a project that follow from its class, and what it offers by them.

    Args:
        row: what its tools and the register say.
    """
    name = row["project_class"]
    asked, agreed = register.class_of(name), register.tolerances_of(entry, name)
    offered = row["offered"]
    missing: list[str] | None = None
    if asked is not None and asked.mandatory:
        provided = [one for one in asked.mandatory if offered & _OF[one] or (entry and one in KEPT)]
        missing = [one for one in provided if row[one] is None]
        if not missing and len(provided) < len(asked.mandatory):
            missing = None  # what is not provided may be missing or not: nobody can tell
        offered |= _OF["missing_mandatory_fields"] | _OF["missing_mandatory"]
    if agreed.told() is not None:
        offered |= _OF["tolerances"] | _OF["tolerance_breaches"] | _OF["breached"]
    if register.gates_of(name):
        offered |= _OF["gate_approved_for"] | _OF["gate_decision_on"]
    if offered & _OF["exception_url"]:
        offered |= _OF["exception_reports_open"]
    return {
        "missing_mandatory_fields": None if missing is None else len(missing),
        "missing_mandatory": ", ".join(missing) if missing else None,
        "tolerances": agreed.told(),
        "tolerance_time_d": agreed.time_d,
        "tolerance_cost_share": agreed.cost_share,
        "tolerance_scope_share": agreed.scope_share,
        **_goals(row, offered),
    }


def _goals(row: Mapping[str, Any], offered: int) -> dict[str, Any]:
    """How many goals it serves: as its tool counts them, and at least the one that is named."""
    if not offered & _OF["strategic_goal"]:
        return {"offered": offered}
    named = 0 if row["strategic_goal"] is None else 1
    return {"goals": max(row["goals"] or 0, named), "offered": offered | _OF["goals"]}
