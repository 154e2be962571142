"""The project model: what a task, a project and a person are, whichever tool they live in.

This is the one registry of fields and facts. The mapping may fill what is marked `mapped`, the register what is marked
`register` (or the mapping, where the register says nothing); what is marked `history`, `worklogs` or `allocations` is
there where the mapping reads these, and `governance` where the PMO governs by it; facts are computed. The
predicate language, the documentation and `standards list` read the same table, so a name means the same everywhere.
`register`, the people file what is marked `people`; what is marked `history`, `worklogs` or `allocations` is there
where the mapping reads these; facts are computed. The predicate language, the documentation and `standards list` read
the same table, so a name means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from pmosync.model.field import Field, Type
from pmosync.model.people import PERSON, PERSON_WEEK, PORTFOLIO, ROLE_MONTH
from pmosync.model.projects import HIGH_FLOAT_D, PROJECT
from pmosync.model.tasks import TASK
from pmosync.model.words import (
    ABOUT_PEOPLE,
    DECISIONS,
    FINISH_TO_START,
    HARD,
    HEALTHS,
    LEVELS,
    LINK_TYPES,
    MODE_OF_PROFILE,
    MODES,
    OTHER_LINKS,
    PASSING,
    PHASES,
    PROFILES,
    SEVERITIES,
    Subject,
    severity_rank,
)

__all__ = [
    "ABOUT_PEOPLE",
    "BIT",
    "DECISIONS",
    "FIELDS",
    "FINISH_TO_START",
    "HARD",
    "HEALTHS",
    "HIGH_FLOAT_D",
    "LEVELS",
    "LINK_TYPES",
    "MODES",
    "MODE_OF_PROFILE",
    "OTHER_LINKS",
    "PASSING",
    "PHASES",
    "PROFILES",
    "SEVERITIES",
    "Field",
    "Subject",
    "Type",
    "severity_rank",
]

FIELDS: Mapping[Subject, Mapping[str, Field]] = {
    "task": {one.name: one for one in TASK},
    "project": {one.name: one for one in PROJECT},
    "person": {one.name: one for one in PERSON},
    "person_week": {one.name: one for one in PERSON_WEEK},
    "role_month": {one.name: one for one in ROLE_MONTH},
    "portfolio": {one.name: one for one in PORTFOLIO},
}

BIT: Mapping[Subject, Mapping[str, int]] = {
    subject: {
        name: 1 << position
        for position, name in enumerate(name for name, one in fields.items() if one.source not in ("fact", "core"))
    }
    for subject, fields in FIELDS.items()
}
"""The bit of each field in the store's masks of fields that a project offers; what is computed has none."""
