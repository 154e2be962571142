"""Earned value in rollups: what a project earned against its baseline, and what that comes to above it.

Nothing that is not known is added up as zero: sums are those of the projects whose forecast is known, and say of how
many that is true. Hours and money are never added up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

INDEX, DECIMALS = 4, 6
"""Decimals of indices and of amounts."""
TOLD = ("projects", "forecast", "unit", "bac", "ev", "ac", "spi_t", "cpi", "eac", "vac")


@dataclass(frozen=True, slots=True)
class Earned:
    """Earned value of a project that has a baseline, or of all of them in a program or portfolio."""

    projects: int = 1
    """Those that have a baseline."""
    forecast: int = 0
    """Those of them whose EAC is known: the sums are theirs."""
    unit: str | None = None
    """`h` or `money`; None: not known, or both."""
    bac: float | None = None
    ev: float | None = None
    ac: float | None = None
    spi_t: float | None = None
    cpi: float | None = None
    eac: float | None = None
    vac: float | None = None
    es_weeks: float | None = None
    sv_t_weeks: float | None = None

    def measures(self) -> dict[str, Any]:
        """What is told, as plain data."""
        return {name: getattr(self, name) for name in TOLD}


def together(found: Iterable[Earned | None]) -> Earned | None:
    """What projects earned together; None where none of them has a baseline."""
    members = [one for one in found if one is not None]
    if not members:
        return None
    known = [one for one in members if one.eac is not None]
    units = {one.unit for one in known}
    same = known if len(units) == 1 else []
    ev, ac = (_sum(getattr(one, name) for one in same) for name in ("ev", "ac"))
    weeks = [(one.es_weeks, one.sv_t_weeks) for one in members]
    passed = [(es, es - late) for es, late in weeks if es is not None and late is not None]
    es_weeks, passed_weeks = _sum(es for es, _ in passed), _sum(at for _, at in passed)
    return Earned(
        projects=len(members),
        forecast=len(known),
        unit=next(iter(units)) if len(units) == 1 else None,
        bac=_sum(one.bac for one in same),
        ev=ev,
        ac=ac,
        spi_t=round(es_weeks / passed_weeks, INDEX) if es_weeks is not None and passed_weeks else None,
        cpi=round(ev / ac, INDEX) if ev is not None and ac else None,
        eac=_sum(one.eac for one in same),
        vac=_sum(one.vac for one in same),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    """Of none it is not known."""
    found = [value for value in values if value is not None]
    return round(sum(found), DECIMALS) if found else None
