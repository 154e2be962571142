"""What a Jira site's part of the configuration may say.

It keeps the promise that a token is a secret from the moment it is read.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pmosync.http import Limits


class Auth(BaseModel):
    """The account that pmosync works as: its e-mail address and an API token of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str = Field(min_length=1)
    token: SecretStr = Field(min_length=1)


class LimitSettings(BaseModel):
    """How hard the site may be asked; the defaults stay well below what Jira Cloud allows an account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: float = Field(default=40.0, gt=0, le=100)
    reads_in_flight: int = Field(default=8, ge=1, le=32)
    writes_in_flight: int = Field(default=5, ge=1, le=16)


class Settings(BaseModel):
    """One Jira site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(min_length=1)
    """`https://acme.atlassian.net`, or `https://api.atlassian.com/ex/jira/<cloud id>` for a token with scopes."""
    auth: Auth
    deployment: Literal["cloud"] = "cloud"
    limits: LimitSettings = LimitSettings()
    planning_every_s: float = Field(default=3600, ge=0)
    """How often the dates of versions and sprints are looked up at most, when the mapping reads them: moving one gives
    its issues no new date."""
    index_lag_s: float = Field(default=60, ge=0)
    """How long Jira's search may take to show what was just made: before a status issue whose making got no answer is
    made again, a look must have begun later than that."""


def limits(settings: Settings) -> Limits:
    """The limits of the site's account."""
    asked = settings.limits
    return Limits(
        per_second=asked.per_second, reads_in_flight=asked.reads_in_flight, writes_in_flight=asked.writes_in_flight
    )
