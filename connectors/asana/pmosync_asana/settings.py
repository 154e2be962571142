"""What a person configures about an Asana site, and how many calls its plan allows.

It keeps the promise that a token stays a secret value until it is put into the header of a call.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pmosync.http import Limits

PER_MINUTE = {"free": 150, "paid": 1500}
"""Calls per minute and token; the actions of a batch count one by one."""


class Auth(BaseModel):
    """A personal access token or the token of a service account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr


class Settings(BaseModel):
    """The keys of an Asana site in `pmosync.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://app.asana.com/api/1.0"
    auth: Auth
    workspace: str | None = Field(default=None, pattern=r"^\d+$")
    """Its gid; may be left out when the account sees one workspace only."""
    plan: Literal["free", "paid"] = "paid"
    calls_per_minute: float | None = Field(default=None, gt=0)
    """Instead of what the plan allows, e.g. when other programs use the same token."""


def limits(settings: Settings) -> Limits:
    """Asana allows 50 reads and 15 writes in flight: five batches of ten reads, one batch of ten writes."""
    return Limits(
        per_minute=settings.calls_per_minute or PER_MINUTE[settings.plan], reads_in_flight=5, writes_in_flight=1
    )
