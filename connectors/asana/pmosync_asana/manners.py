"""Teaches the session how Asana speaks: signing in, what its plan allows, changes that it announces, and its refusals.

It keeps the promise that a plan is taken for a free one only where the calls show it, and that what Asana announces is
told once by its name.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from pmosync.contract import Clock
from pmosync.http import Endpoint, Grant, Limiter, Manners, Notice, PoliteSession, carrying, never_renewed
from pmosync.http.reasons import NEXT_STEP

from .oauth import terms
from .settings import PER_MINUTE, READS_IN_FLIGHT, WRITES_IN_FLIGHT, OAuth, Settings

log = logging.getLogger("pmosync.http")

TOKENS_PAGE = "https://app.asana.com/0/my-apps"
FREE = PER_MINUTE["free"]
SURELY_PAID = FREE + READS_IN_FLIGHT + WRITES_IN_FLIGHT
"""More calls than this in one minute no free plan takes without a refusal, those that are on their way included."""
IN_EVERY_PAID_PLAN = ("custom_field", "CustomFieldSetting", "/tasks/search")
"""What a free plan alone answers with 402. Portfolios, goals and budgets are missing in some paid plans, too."""
FEATURES = (
    ("custom_field", "custom fields"),
    ("CustomFieldSetting", "custom fields"),
    ("enum_options", "custom fields"),
    ("/tasks/search", "the search of tasks"),
    ("/workspaces/{workspace_gid}/events", "the events of a whole workspace"),
    ("budgets", "project budgets"),
    ("allocations", "allocations"),
    ("time_tracking", "time tracking"),
    ("project_brief", "project briefs"),
    ("portfolio", "portfolios"),
    ("goal", "goals"),
)
_BETWEEN = re.compile(r",\s*(?=(?:name|info|affected)=)")
"""Where one announced change ends and the next begins: addresses may hold commas as well."""
_BLOCKED = re.compile(r"\bapps?\b|\bintegration|\bclient_id\b", re.IGNORECASE)


def sign_in(settings: Settings, session: PoliteSession, clock: Clock) -> None:
    """Let every call carry the credentials and speak Asana's manners; nothing is sent yet."""
    auth = settings.auth
    renewed: Callable[[str], bool] = never_renewed
    if isinstance(auth, OAuth):
        grant = Grant(terms(auth.oauth, session.base_url), session, clock)
        session.auth, renewed = grant, grant.renewed
    else:
        session.keep_secret(auth.token.get_secret_value())
        session.auth = carrying(f"Bearer {auth.token.get_secret_value()}")
    for header, names in (("Asana-Enable", settings.enable), ("Asana-Disable", settings.disable)):
        if names:
            session.headers[header] = ",".join(names)
    plan = Plan(session.limiter) if settings.learns_plan else None

    def notices_of(endpoint: Endpoint, status: int, headers: Mapping[str, str]) -> Sequence[Notice]:
        learned = plan.learn(endpoint, status) if plan else ()
        return [*announced(headers), *learned]

    session.manners = Manners(advice_on=_advice_for(settings), step_on=step_on, notices_of=notices_of, renewed=renewed)


# --- the plan ---------------------------------------------------------------------------------------------------------


class Plan:
    """What the answers show about the plan of the workspace. Begins with a paid one."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter, self._lock = limiter, threading.Lock()
        self._open = True
        """Whether it is still a question."""

    def learn(self, endpoint: Endpoint, status: int) -> Iterator[Notice]:
        """Look at one answer; a free plan lowers the limit of the credential for the rest of the run.

        A refusal for haste shows a free plan only when it comes at about its number of calls: with fewer, or after
        more than a free plan could have answered, it was for their cost or for something else.
        """
        with self._lock:
            if not self._open:
                return
            why = ""
            if status == 402 and any(part in endpoint.template for part in IN_EVERY_PAID_PLAN):
                why = f"{endpoint.name} needs a paid plan"
            elif status == 429 or status < 300:
                calls = self._limiter.started()
                if calls > SURELY_PAID:
                    self._open = False
                elif status == 429 and calls >= 0.9 * FREE:
                    why = f"it refused more after {calls} calls in a minute"
            if not why:
                return
            self._open = False
        if self._limiter.lower(FREE):
            yield Notice(
                "plan",
                f"the plan of this workspace looks like a free one: {why}. From here on this run makes {FREE} calls a "
                "minute at most.",
                "If that is so write `plan: free` for this site, if not `plan: paid`.",
                urgent=True,
            )


# --- announced changes ------------------------------------------------------------------------------------------------


def announced(headers: Mapping[str, str]) -> Iterator[Notice]:
    """The changes of the API that an answer announces: `Asana-Change: name=...;info=...;affected=true`."""
    for text in _BETWEEN.split(headers.get("asana-change", "")) if "asana-change" in headers else ():
        parts = (part.partition("=") for part in text.split(";"))
        told = {name.strip().lower(): value.strip().strip('"') for name, _, value in parts}
        if not (name := told.get("name", "")):
            continue
        affected = told.get("affected", "").lower() == "true"
        where = f" See {told['info']}." if told.get("info") else ""
        what = "our calls are affected" if affected else "our calls are not affected"
        step = f"Until pmosync knows it, `disable: [{name}]` for this site puts it off." if affected else ""
        yield Notice(name, f"Asana announces a change of its API, {name}: {what}.{where}", step, urgent=affected)


# --- refusals ---------------------------------------------------------------------------------------------------------


def step_on(endpoint: Endpoint, status: int, words: str) -> str:
    """What to do when Asana refuses a call."""
    if status == 402:
        feature = next((named for part, named in FEATURES if part in endpoint.template), "a feature")
        return (
            f"The plan of this workspace lacks {feature}: leave that out of the mapping, or ask who administers the "
            "workspace for a plan that has it."
        )
    if status == 403 and _BLOCKED.search(words):
        return "An administrator of the workspace blocks this app or its kind of token: ask them to allow it."
    if status == 403:
        return (
            "Give the account access: as an editor where something is written. A locked field only an administrator "
            "can open; otherwise leave this part out of the scope."
        )
    if status == 404:
        return "It is deleted, or the account does not see it: check the gid, and share it with the account."
    if status == 451:
        return "Asana may not show it for legal reasons: leave it out of the scope, or ask Asana's support."
    return NEXT_STEP.get(status, "")


def _advice_for(settings: Settings) -> Callable[[int, Mapping[str, str]], str]:
    """What to do when the credentials are refused, for the way in that was configured."""
    if isinstance(settings.auth, OAuth):
        text = (
            "The person who authorized the app may have taken that back or left: authorize it anew, and write the "
            "refresh token into its file."
        )
    else:
        text = (
            f"The token may be revoked or mistyped: look at {TOKENS_PAGE}, or for a service account in the "
            "administrator's console, and make a new one."
        )
    return lambda status, headers: text
