"""Reads sprints that old Jira servers give as text, `...Sprint@1f[id=1,rapidViewId=2,state=ACTIVE,name=A, b [x],...]`.

It keeps the promise that a sprint reads alike in both forms, and that a text which can be read in two ways is odd.
People put commas, brackets and equal signs into names and goals, and the order of the parts differs from version to
version; so a part begins only where its name is followed by a value of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WHOLE = re.compile(r"\s*[\w.$]*Sprint@[0-9a-fA-F]+\[(.*)\]\s*", re.DOTALL)
_INSTANT = r"(?:<null>|\d{4}-\d\d-\d\dT[^,\]]*)"
_NUMBER = r"(?:<null>|\d+)"
_KINDS = {
    "id": _NUMBER,
    "rapidViewId": _NUMBER,
    "sequence": _NUMBER,
    "state": r"(?:ACTIVE|CLOSED|FUTURE)",
    "startDate": _INSTANT,
    "endDate": _INSTANT,
    "completeDate": _INSTANT,
    "activatedDate": _INSTANT,
    "autoStartStop": r"(?:true|false)",
    "synced": r"(?:true|false)",
    "incompleteIssuesDestinationId": _NUMBER,
    "name": "",
    "goal": "",
}
_PART = re.compile(
    r"(?:^|,)(?:"
    + "|".join(rf"(?P<{name}>{name}=)" + (rf"(?={kind}(?:,|$))" if kind else "") for name, kind in _KINDS.items())
    + ")"
)
_DATES = ("startDate", "endDate", "completeDate")


def sprint_json(raw: Any) -> Mapping[str, Any]:
    """A sprint as the agile API gives it, from either form; raises `ValueError` for anything else."""
    if isinstance(raw, Mapping):
        return raw
    if not isinstance(raw, str) or not (found := _WHOLE.fullmatch(raw)):
        raise ValueError("neither a sprint nor the text of one")
    parts = _parts(found[1])
    try:
        told: dict[str, Any] = {"id": int(parts["id"]), "name": parts["name"], "state": parts["state"].lower()}
    except KeyError as missing:
        raise ValueError(f"the text of a sprint without its {missing.args[0]}") from None
    told |= {name: parts[name] for name in _DATES if parts.get(name, "<null>") != "<null>"}
    if parts.get("rapidViewId", "<null>") != "<null>":
        told["originBoardId"] = int(parts["rapidViewId"])
    if parts.get("goal", "<null>") not in ("<null>", ""):
        told["goal"] = parts["goal"]
    return told


def _parts(inside: str) -> dict[str, str]:
    begins = list(_PART.finditer(inside))
    ends = [one.start() for one in begins[1:]] + [len(inside)]
    parts: dict[str, str] = {}
    for begin, end in zip(begins, ends, strict=True):
        name = str(begin.lastgroup)
        if name in parts:
            raise ValueError(f"the text of a sprint with two parts called {name}")
        parts[name] = inside[begin.end() : end]
    return parts
