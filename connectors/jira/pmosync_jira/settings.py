"""What a Jira site's part of the configuration may say.

It keeps the promise that a token is a secret from the moment it is read, and that a way to sign in which the address
cannot take is refused before anything is sent.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, SecretStr, Tag, ValidationInfo
from pydantic import field_validator as validator

from pmosync.http import Limits, RotatingSecret

GATEWAY = "https://api.atlassian.com/ex/jira/<cloud id>"
TOKEN_URL = "https://auth.atlassian.com/oauth/token"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ApiToken(BaseModel):
    """`{user, token}`: an account of Jira Cloud and an API token of it, with or without scopes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str = Field(min_length=1)
    token: SecretStr = Field(min_length=1)
    expires_on: dt.date | None = None
    """Nobody can ask Atlassian for it: it stands beside the token where it was made."""


class Bearer(BaseModel):
    """`{token}`: a personal access token of a Data Center, or a token for Atlassian's gateway that names no user."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(min_length=1)
    token_name: str = ""
    """What the personal access token is called in Jira, to find the day it expires on when the account has several."""
    expires_on: dt.date | None = None


class OAuthApp(BaseModel):
    """An app that a person gave leave to work for them (OAuth 2.0, three-legged)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    refresh_token: RotatingSecret
    authorized_on: dt.date | None = None
    """The day of the consent, which ends 365 days later whatever happens."""
    token_url: str = TOKEN_URL

    @validator("token_url")
    @classmethod
    def _protected(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.hostname or "@" in parts.netloc or parts.path in ("", "/") or parts.query:
            raise ValueError(f"this is not the address of a token endpoint; write one like {TOKEN_URL}")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("secrets travel unprotected there: write https")
        return value


class OAuth(BaseModel):
    """`{oauth: {client_id, client_secret, refresh_token}}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    oauth: OAuthApp


WAYS = (
    "write {user: ..., token: ...} for an API token, {token: ...} for a personal access token or one of a service "
    "account, or {oauth: {client_id: ..., client_secret: ..., refresh_token: file:...}} for an app"
)


def _one_way(value: Any) -> Any:
    """Say in one sentence what no single model could: that two ways are mixed, or that there is none."""
    if isinstance(value, BaseModel):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"it is not said how to sign in; {WAYS}")
    if "oauth" in value and (others := [key for key in ("user", "token") if key in value]):
        raise ValueError(f"'oauth' and '{others[0]}' are two ways to sign in; keep one of them")
    if inner := [key for key in ("client_id", "client_secret", "refresh_token") if key in value]:
        raise ValueError(f"'{inner[0]}' belongs below 'oauth': auth: {{oauth: {{{inner[0]}: ...}}}}")
    if "password" in value:
        raise ValueError(f"Jira takes no password from programs; {WAYS}")
    if not {"user", "token", "oauth"} & set(value):
        raise ValueError(f"it is not said how to sign in; {WAYS}")
    return value


def _way(value: Any) -> str:
    """Which of the models is meant, by the keys that are there."""
    keys = set(value) if isinstance(value, dict) else set(type(value).model_fields)
    return "oauth app" if "oauth" in keys else "api token" if "user" in keys else "bearer"


Auth = Annotated[
    Annotated[ApiToken, Tag("api token")] | Annotated[Bearer, Tag("bearer")] | Annotated[OAuth, Tag("oauth app")],
    Discriminator(_way),
    BeforeValidator(_one_way),
]


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
    """`https://acme.atlassian.net`, `https://jira.acme.example` for a Data Center, or
    `https://api.atlassian.com/ex/jira/<cloud id>` for OAuth, for a service account and for a token with scopes."""
    auth: Auth
    deployment: Literal["auto", "cloud", "data_center"] = "auto"
    """`auto`: as the server itself says."""
    limits: LimitSettings = LimitSettings()
    planning_every_s: float = Field(default=3600, ge=0)
    """How often the dates of versions and sprints are looked up at most, when the mapping reads them: moving one gives
    its issues no new date."""
    look_back_every_s: float = Field(default=900, ge=0)
    """How often an incremental pull looks an hour back instead of five minutes: after bulk edits Jira's search may lag
    behind for minutes."""
    index_lag_s: float = Field(default=60, ge=0)
    """How long Jira's search may take to show what was just made: before a status issue whose making got no answer is
    made again, a look must have begun later than that."""

    @validator("auth")
    @classmethod
    def _taken_there(cls, value: ApiToken | Bearer | OAuth, info: ValidationInfo) -> ApiToken | Bearer | OAuth:
        """A site's own address takes API tokens only; the others are refused there with a bare 401."""
        base_url = info.data.get("base_url", "")
        if isinstance(value, ApiToken) or not is_site_address(base_url):
            return value
        what = "an app" if isinstance(value, OAuth) else "a token without a user"
        user = "" if isinstance(value, OAuth) else ", or write the user that the API token belongs to"
        raise ValueError(
            f"{what} does not sign in at a site's own address; write base_url: {GATEWAY}, where the cloud id stands in "
            f"{tenant_info(base_url)} (any browser shows it){user}"
        )


def is_site_address(base_url: str) -> bool:
    """Whether this is the own address of a site of Jira Cloud."""
    return (urlsplit(base_url).hostname or "").endswith((".atlassian.net", ".jira.com"))


def is_gateway(base_url: str) -> bool:
    """Whether calls go through Atlassian's gateway."""
    return "/ex/jira/" in base_url


def tenant_info(base_url: str) -> str:
    """Where a site tells its cloud id to everybody."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}/_edge/tenant_info"


def limits(settings: Settings) -> Limits:
    """The limits of the site's account."""
    asked = settings.limits
    return Limits(
        per_second=asked.per_second, reads_in_flight=asked.reads_in_flight, writes_in_flight=asked.writes_in_flight
    )
