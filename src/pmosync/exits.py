"""Decides the exit code of a run, so that cron jobs and pipelines can tell what happened without reading a word.

The order in which codes win is fixed here and nowhere else; wrong usage and configuration (2) never get this far.
"""

from __future__ import annotations

from typing import Final, Literal

from pmosync.cycle import Outcome, SiteOutcome

DONE: Final = 0
NOTHING_DONE: Final = 1
WRONG: Final = 2
CHANGES: Final = 10
PARTLY: Final = 11
GUARDED: Final = 12
HELD: Final = 13
FOUND: Final = 14
STOPPED: Final = 130

Fate = Literal["idle", "held", "trouble", "partly", "done"]


def exit_code(outcome: Outcome, *, changes: bool = False, found: bool = False) -> int:
    """The exit code of a cycle; the first line that holds wins.

    | exit | holds when |
    |---|---|
    | 13 | another run holds the lock of every site that was asked for |
    | 1 | nothing could be done on any site: each is in trouble from the start, or held by another run |
    | 12 | the guard refused the plan |
    | 11 | some site or scope was unobserved, locked or in trouble, the store was locked, or something was not written |
    | 14 | `check --fail-on` found some |
    | 10 | `plan --detailed-exitcode` has changes |
    | 0 | everything else |

    Args:
        changes: whether changes are worth a code of their own, and there are some.
        found: whether findings are worth a code of their own, and there are some.
    """
    fates = {fate(one) for one in outcome.sites.values()} - {"idle"}
    if fates == {"held"}:
        return HELD
    if fates and fates <= {"held", "trouble"}:
        return NOTHING_DONE
    if outcome.refused is not None:
        return GUARDED
    if outcome.locked or fates - {"done"}:
        return PARTLY
    if found:
        return FOUND
    return CHANGES if changes else DONE


def fate(site: SiteOutcome) -> Fate:
    """What became of one site; `idle` when nothing was asked of it."""
    pulled, pushed = site.pulled, site.pushed
    worked = (pulled is not None and (pulled.trouble is None or pulled.records > 0)) or (
        pushed is not None and (pushed.trouble is None or pushed.done > 0)
    )
    if not worked:
        return "trouble" if site.trouble is not None else "held" if site.locked else "idle"
    troubled = site.trouble is not None or bool(site.locked)
    unread = pulled is not None and (pulled.trouble is not None or bool(pulled.unobserved))
    unwritten = pushed is not None and (pushed.trouble is not None or bool(pushed.refused or pushed.unknown))
    return "partly" if troubled or unread or unwritten or site.unheard else "done"
