"""Reads the parameters of a standard: every number that a PMO may tune, with its bounds and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pmosync.standards.standard import Param
from pmosync.yamlfile import At, Doc

LONGEST_HELD_D = 60
"""So long a finding may be held back before anybody is told of it."""

_DURATION = re.compile(r"(-?\d{1,6})([dw])", re.IGNORECASE)


def read_params(doc: Doc, at: At, entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Param]:
    """Default, min and max are all numbers or all durations (3d, 2w), and in this order: min, default, max."""
    params = {}
    for name, entry in entries.items():
        read = {key: _read(doc, (*at, name, key), entry[key]) for key in ("default", "min", "max")}
        kinds = {kind for kind, _ in read.values()}
        if len(kinds) > 1:
            raise doc.wrong(
                (*at, name), f"${name} mixes numbers and durations", "write all three alike, e.g. 3d, 0d, 30d", key=True
            )
        (kind,) = kinds
        low, value, high = (read[key][1] for key in ("min", "default", "max"))
        if not low <= value <= high:
            unit = "d" if kind == "duration" else ""
            raise doc.wrong(
                (*at, name, "default"),
                f"${name} is {value:g}{unit}, outside of {low:g}{unit} to {high:g}{unit}",
                "change the default, or widen min and max",
            )
        params[name] = Param(name, kind, value, low, high, " ".join(str(entry["meaning"]).split()))
    return params


def held_days(text: str) -> int:
    """How long a finding must have held before anybody is told of it in the tool, in days: `2d`, `1w`.

    Raises:
        ValueError: it is no such duration.
    """
    match = _DURATION.fullmatch(text)
    days = int(match[1]) * (7 if match[2] in "wW" else 1) if match else -1
    if not 0 <= days <= LONGEST_HELD_D:
        raise ValueError(f"'{text}' is no time from 0d to {LONGEST_HELD_D}d")
    return days


def _read(doc: Doc, at: At, value: object) -> tuple[Literal["number", "duration"], float]:
    if isinstance(value, int | float):
        if abs(value) < 10**12:
            return "number", float(value)
        raise doc.wrong(at, f"{value} has more than 12 digits", "use a smaller number")
    if match := _DURATION.fullmatch(str(value)):
        return "duration", float(match[1]) * (7 if match[2] in "wW" else 1)
    raise doc.wrong(at, f"'{value}' is neither a number nor a duration", "write 5, 0.9, 3d or 2w")
