"""How tools differ when they speak of haste and of credentials, as values that a connector hands to its session.

It keeps the promise that a pause holds back whom the site meant, and nobody else: one item, one endpoint, or everything
of the credential. The defaults are what HTTP itself says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .endpoints import Endpoint
from .reasons import NEXT_STEP

Reach = Literal["credential", "endpoint", "item"]


@dataclass(frozen=True, slots=True)
class Pause:
    """What an answer says about our haste."""

    reach: Reach = "credential"
    """Who waits. `item`: the calls that change what this one changed."""
    wait_s: float | None = None
    """None: the site did not say how long; then it is for us to back off."""
    slower: bool = False
    """Whether the calls of this endpoint are spaced from now on."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a credential ends, as far as anybody can know."""

    what: str
    """Such as `the API token of pmo-bot@acme.example`."""
    on: dt.date
    next_step: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a site says beside its answers, such as that it will change soon. Told once."""

    name: str
    what: str
    """In a sentence, for people."""
    next_step: str = ""
    urgent: bool = False
    """Whether it concerns what we do."""


def plain_pause(status: int, headers: Mapping[str, str], asked_s: float | None, now: dt.datetime) -> Pause | None:
    """A refusal for haste is meant for the whole credential; what is not refused says nothing."""
    return Pause(wait_s=asked_s) if status in (429, 503) else None


def no_item(endpoint: Endpoint, path: str) -> str:
    """No limits by item."""
    return ""


def not_denied(status: int, headers: Mapping[str, str]) -> str:
    """Nothing but the status says that credentials are refused."""
    return ""


def plain_advice(status: int, headers: Mapping[str, str]) -> str:
    """What to do when credentials are refused."""
    return "Check the user and the token of this site: they may be wrong, revoked or expired."


def plain_step(endpoint: Endpoint, status: int, words: str) -> str:
    """What to do when a call is refused."""
    return NEXT_STEP.get(status, "")


def no_notices(endpoint: Endpoint, status: int, headers: Mapping[str, str]) -> Sequence[Notice]:
    """An answer that says nothing beside itself."""
    return ()


def never_renewed(sent: str) -> bool:
    """A credential that stays as it is."""
    return False


@dataclass(frozen=True, slots=True)
class Manners:
    """How one tool speaks; header names are in lower case."""

    pause_of: Callable[[int, Mapping[str, str], float | None, dt.datetime], Pause | None] = plain_pause
    """What any answer says about our haste: by status, headers, `Retry-After` in seconds, and the time. After a 429,
    and after a 503 that names a time, None counts as a pause of the credential."""
    item_of: Callable[[Endpoint, str], str] = no_item
    """The item that a call changes, if the tool counts by item; empty: none."""
    denial_of: Callable[[int, Mapping[str, str]], str] = not_denied
    """Why an answer means that the credentials are refused although its status does not say so; empty: it does not."""
    advice_on: Callable[[int, Mapping[str, str]], str] = plain_advice
    """The next step when credentials are refused."""
    step_on: Callable[[Endpoint, int, str], str] = plain_step
    """The next step when one call is refused: by endpoint, status, and the tool's own words."""
    notices_of: Callable[[Endpoint, int, Mapping[str, str]], Sequence[Notice]] = no_notices
    """What any answer says that is to be told once, whatever becomes of the call; asked before `pause_of`."""
    renewed: Callable[[str], bool] = never_renewed
    """After a 401: whether there is, or was just got, another credential than the one in this `Authorization` header.
    Asked once per call."""
