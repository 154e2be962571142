"""Finds out which field holds the estimates of a project, as its boards have it: "Story Points" may be several fields.

It keeps the promise that a site without boards, or boards that the account may not see, cost nothing but the answer: a
project without an entry is one whose boards do not tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pmosync.errors import Refused
from pmosync.http import PoliteSession

from .decode import ODD
from .endpoints import AGILE

PROJECTS = 25
"""Projects that are asked: two or three calls each, and a site mostly has one such field."""
BOARDS = 2
"""Boards of a project that are asked."""


def estimation_fields(session: PoliteSession, project_ids: Sequence[str]) -> Mapping[str, str]:
    """The field that most of a project's boards estimate with, by project id, for the first projects of these."""
    found = session.map(lambda one: (one, _field_of(session, one)), project_ids[:PROJECTS])
    return {project_id: field for project_id, field in found if field}


def _field_of(session: PoliteSession, project_id: str) -> str:
    try:
        params = {"projectKeyOrId": project_id, "maxResults": 50}
        boards = session.call("GET", f"{AGILE}/board", params=params).data["values"]
        scrum = [one for one in boards if one.get("type") != "kanban"]
        nearest = sorted(scrum, key=lambda one: _elsewhere(one, project_id))[:BOARDS]
        counted = Counter(filter(None, (_estimation(session, one["id"]) for one in nearest)))
    except (Refused, *ODD) as no:
        if isinstance(no, Refused) and no.status == 0:
            raise
        return ""
    return counted.most_common(1)[0][0] if counted else ""


def _elsewhere(board: Mapping[str, Any], project_id: str) -> bool:
    """Whether a board shows the project and belongs to another one."""
    return str((board.get("location") or {}).get("projectId")) != project_id


def _estimation(session: PoliteSession, board_id: Any) -> str:
    told = session.call("GET", f"{AGILE}/board/{board_id}/configuration", expect=(403, 404))
    estimation = (told.data.get("estimation") or {}) if told.status == 200 else {}
    return str((estimation.get("field") or {}).get("fieldId") or "") if estimation.get("type") == "field" else ""
