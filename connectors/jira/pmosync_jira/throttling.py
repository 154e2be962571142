"""Reads what Jira says about haste, for whom a refusal is meant and for how long.

It keeps the promise that a busy endpoint slows its own calls only, a busy issue its own edits only, and a quota that is
used up everything of the credential until it is full again.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Mapping

from pmosync.http import Endpoint, Pause

log = logging.getLogger("pmosync.http")

_ISSUE = re.compile(r"/rest/api/\d/issue/([^/?]+)")
_PARAMETER = re.compile(r";\s*([rt])=(\d+)")


def item_of(endpoint: Endpoint, path: str) -> str:
    """The issue that a call changes: Jira counts these changes issue by issue."""
    found = None if endpoint.reads else _ISSUE.match(path)
    return f"issue {found[1]}" if found and "/issue/{" in endpoint.template else ""


def pause_of(status: int, headers: Mapping[str, str], asked_s: float | None, now: dt.datetime) -> Pause | None:
    """What an answer says about our haste. A refusal without a reason is meant for the whole credential."""
    if status not in (429, 503):
        return _ahead(headers)
    reason = headers.get("ratelimit-reason", "").lower()
    if reason == "jira-burst-based":
        return Pause("endpoint", asked_s, slower=True)
    if reason == "jira-per-issue-on-write":
        return Pause("item", asked_s)
    waits = [asked_s, _until_reset_s(headers, now) if reason.startswith("jira-quota") else None, _enforced_s(headers)]
    if not asked_s:  # Data Center says 0 also when it refuses
        waits.append(_refill_s(headers))
    known = [wait for wait in waits if wait is not None]
    return Pause(wait_s=max(known) if known else None)


def _ahead(headers: Mapping[str, str]) -> Pause | None:
    """What a good answer says about the next calls."""
    if (used_up_s := _enforced_s(headers)) is not None:
        return Pause(wait_s=used_up_s)
    if headers.get("x-ratelimit-nearlimit", "").lower() == "true":
        return Pause("endpoint", slower=True)
    if headers.get("x-ratelimit-remaining") == "0" and (refill_s := _refill_s(headers)) is not None:
        return Pause(wait_s=refill_s)
    if _used_up_s(headers.get("beta-ratelimit", "")) is not None:
        log.debug("a limit that Jira has announced, and does not enforce yet, would hold us back here")
    return None


def _until_reset_s(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    try:
        reset_at = dt.datetime.fromisoformat(headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    return max(0.0, (reset_at - now).total_seconds()) if reset_at.tzinfo else None


def _enforced_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until a quota that is used up is full again. The header's `Beta-` twin announces and binds nobody."""
    return _used_up_s(headers.get("ratelimit", ""))


def _used_up_s(text: str) -> float | None:
    """Of `"name";r=0;t=120, "other";r=5;t=10`: the longest `t` where nothing remains."""
    found = (dict(_PARAMETER.findall(policy)) for policy in text.split(","))
    return max((float(policy["t"]) for policy in found if policy.get("r") == "0" and "t" in policy), default=None)


def _refill_s(headers: Mapping[str, str]) -> float | None:
    """Data Center fills the account's bucket by `FillRate` every `Interval-Seconds`."""
    try:
        interval_s = float(headers.get("x-ratelimit-interval-seconds", ""))
    except ValueError:
        return None
    return interval_s if interval_s > 0 else None
