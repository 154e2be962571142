"""The guard: refuses a plan that changes so much that somebody should look at it first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pmosync.errors import GuardRefused
from pmosync.plan.lines import Plan

GUARD_FROM = 20
"""The share counts from this many subjects on."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How much one plan may change on one site without a person's approval."""

    max_share: float
    max_changes: int

    def check(self, plan: Plan, approved: Mapping[str, int]) -> None:
        """Refuse a plan that changes too much.

        Args:
            approved: changes that somebody approved, by site.

        Raises:
            GuardRefused: with the numbers and the way to approve.
        """
        for name in sorted({line.site for line in plan.changes}):
            lines = plan.of(name)
            items = len({(line.subject, line.rid) for line in lines})
            total = plan.subjects.get(name, 0)
            share = items / total if total else 1.0
            too_many = len(lines) > self.max_changes
            too_much = total >= GUARD_FROM and share > self.max_share
            if (too_many or too_much) and len(lines) > approved.get(name, 0):
                reason = (
                    f"{len(lines)} changes, more than {self.max_changes}"
                    if too_many
                    else (f"{items} of {total} items would change: {share:.0%}, more than {self.max_share:.0%}")
                )
                raise GuardRefused(
                    f"{name}: {reason}. Nothing was written. Look at it with `pmosync plan --out FILE`, "
                    'then `pmosync apply FILE --approve "why this is right"`'
                )
