"""The arithmetic of earned value: indices and forecasts of one project by its budget, its progress and its cost.

What a formula needs and nobody knows makes its answer unknown, and so does a division by nothing; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping

DECIMALS = 6
"""Sums of hours and of money are compared with each other: what differs less is equal."""


def measures(bac: float | None, ev: float | None, ac: float | None, own: float | None) -> Mapping[str, float | None]:
    """What follows from a budget on any day.

    Args:
        own: the cost at the end as the project's own estimates tell it: spent, and what is left of them.
    """
    cpi = ratio(ev, ac)
    eac = ratio(bac, cpi)
    left = less(bac, ev)
    found = {
        "bac": bac,
        "ev": ev,
        "ac": ac,
        "cv": less(ev, ac),
        "cpi": cpi,
        "eac": eac,
        "eac_own": own,
        "etc": less(eac, ac),
        "vac": less(bac, eac),
        "vac_share": ratio(less(bac, eac), bac),
        "tcpi_bac": ratio(left, _above(less(bac, ac))),
        "tcpi_eac": ratio(left, _above(less(own, ac))),
    }
    return {name: None if value is None else round(value, DECIMALS) for name, value in found.items()}


def ratio(part: float | None, whole: float | None) -> float | None:
    """One divided by another; unknown where one of them is, or the other is nothing."""
    return None if part is None or not whole else part / whole


def less(one: float | None, other: float | None) -> float | None:
    """One less another; unknown where one of them is."""
    return None if one is None or other is None else one - other


def _above(value: float | None) -> float | None:
    """What is left to spend; unknown where nothing is, for no index brings that back."""
    return None if value is None or round(value, DECIMALS) <= 0 else value
