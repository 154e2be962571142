"""What a person configures about an Asana site, and how many calls its plan allows.

It keeps the promise that a token stays a secret value until it is put into the header of a call.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, SecretStr, Tag, ValidationInfo
from pydantic import field_validator as validator

from pmosync.http import Limits, RotatingSecret

PER_MINUTE = {"free": 150, "paid": 1500}
"""Calls per minute and token; the actions of a batch count one by one, and calls that were refused count as well."""
READS_IN_FLIGHT, WRITES_IN_FLIGHT = 50, 15
"""What Asana allows at a time; a batch of ten reads is ten of the fifty."""
AT_ONCE = 16
"""Threads that read side by side: more of them cost memory and do not get more out of 1,500 calls a minute."""
SLACK_S = 1.0
"""A minute of ours is so much longer than Asana's: calls take different times to get there."""
GROUPS = {"search": 60.0, "task_counts": 30.0}
"""Calls per minute that have a limit of their own. Asana names no number for task counts: this one is careful."""


class Token(BaseModel):
    """`{token}`: a personal access token, or the token of a service account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(min_length=1)


class OAuthApp(BaseModel):
    """An app that a person gave leave to work for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    refresh_token: RotatingSecret
    """Asana lets it stay as it is; should it send another one, that is written back to the file."""


class OAuth(BaseModel):
    """`{oauth: {client_id, client_secret, refresh_token}}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    oauth: OAuthApp


WAYS = (
    "write {token: ...} for a personal access token or one of a service account, "
    "or {oauth: {client_id: ..., client_secret: ..., refresh_token: file:...}} for an app"
)


def _one_way(value: Any) -> Any:
    """Say in one sentence what no single model could: that two ways are mixed, or that there is none."""
    if isinstance(value, BaseModel):
        return value
    if not isinstance(value, dict) or not value:
        raise ValueError(f"it is not said how to sign in; {WAYS}")
    if {"token", "oauth"} <= set(value):
        raise ValueError("'oauth' and 'token' are two ways to sign in; keep one of them")
    return value


def _way(value: Any) -> str:
    """Which of the models is meant."""
    keys = set(value) if isinstance(value, dict) else set(type(value).model_fields)
    return "as an app" if "oauth" in keys else "by token"


Auth = Annotated[
    Annotated[Token, Tag("by token")] | Annotated[OAuth, Tag("as an app")],
    Discriminator(_way),
    BeforeValidator(_one_way),
]
ChangeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=100)]
"""What a change of Asana's API is called in its `Asana-Change` header."""


class Settings(BaseModel):
    """The keys of an Asana site in `pmosync.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://app.asana.com/api/1.0"
    auth: Auth
    workspace: str | None = Field(default=None, pattern=r"^\d+$")
    """Its gid; may be left out when the account sees one workspace only."""
    plan: Literal["auto", "free", "paid"] = "auto"
    """How many calls a minute are allowed; `auto` begins as paid and goes by what Asana answers."""
    calls_per_minute: float | None = Field(default=None, gt=0)
    """Instead of what the plan allows, e.g. when other programs use the same token."""
    repair: Literal["hourly", "off"] = "hourly"
    """Whether the changed tasks of each person are asked for once an hour: Asana's streams lose an event now and then,
    and no other list tells of changed subtasks. It costs one call for each person who has a task."""
    enable: tuple[ChangeName, ...] = ()
    """Changes of Asana's API that are to be in force for us already (`Asana-Enable`)."""
    disable: tuple[ChangeName, ...] = ()
    """Changes of Asana's API that are to wait until their end (`Asana-Disable`)."""

    @validator("disable")
    @classmethod
    def _not_both(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if both := sorted(set(value) & set(info.data.get("enable") or ())):
            raise ValueError(f"{', '.join(both)} stands below 'enable' as well; keep one of them")
        return value

    @property
    def learns_plan(self) -> bool:
        """Whether the calls themselves are to show how many of them are allowed."""
        return self.plan == "auto" and self.calls_per_minute is None


def limits(settings: Settings) -> Limits:
    """What Asana allows one token: by the minute, by group, and in flight."""
    return Limits(
        per_minute=settings.calls_per_minute or PER_MINUTE["free" if settings.plan == "free" else "paid"],
        reads_in_flight=READS_IN_FLIGHT,
        writes_in_flight=WRITES_IN_FLIGHT,
        slack_s=SLACK_S,
        at_once=AT_ONCE,
        groups=GROUPS,
    )
