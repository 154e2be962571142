"""What the store knows, told: as plain rows for the verbs, and as the report of the portfolio for its readers.

Nothing is decided here and nothing is written into the store.
"""

from pmosync.reports.rows import (
    ACTIVE,
    STATES,
    Row,
    Wanted,
    at_least,
    blind_standards,
    by_standard,
    evidence,
    flagged_pages,
    freshness,
    gaps,
    items,
    limitations,
    projects,
    unobserved,
)
from pmosync.reports.waived import ending, told, uses

__all__ = [
    "ACTIVE",
    "STATES",
    "Row",
    "Wanted",
    "at_least",
    "blind_standards",
    "by_standard",
    "ending",
    "evidence",
    "flagged_pages",
    "freshness",
    "gaps",
    "items",
    "limitations",
    "projects",
    "told",
    "unobserved",
    "uses",
]
