"""The keys of pmosync.yaml, as they are written there.

Every key can be overridden by an environment variable (`PMOSYNC_PUSH=off`, nested keys with two underscores:
`PMOSYNC_SITES__ACME_JIRA__BASE_URL=...`). A key that is not known is refused, a key of a later version with a sentence.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pmosync.commands import ASKERS, Asker
from pmosync.config.unattended import Address, cron, loopback
from pmosync.config.values import (
    held,
    holiday_dates,
    share,
    store_path,
    switch,
    time_zone,
    web_address,
    weekdays,
    working_days,
)
from pmosync.decisions import LONGEST_DAYS
from pmosync.ladder import USUAL
from pmosync.model import MODES, SEVERITIES
from pmosync.people import Role

Profile = Literal["supportive", "controlling", "directive"]
Zone = Annotated[str, AfterValidator(time_zone)]

LATER = {
    "web": "the web view comes with a later version; `pmosync findings` shows the same",
}
"""Keys that later versions bring, and what to do until then."""


class CalendarKeys(BaseModel):
    """`calendar: {workdays: mon-fri, holidays: DE}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    workdays: Annotated[Any, AfterValidator(weekdays)] = frozenset(range(5))
    holidays: Annotated[Any, AfterValidator(holiday_dates)] = ()


class CapacityKeys(BaseModel):
    """`capacity: {hours_per_week: 40}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    hours_per_week: Annotated[float, Field(gt=0, le=168)] | None = None
    """Of everybody of whom the people file says nothing else; None: then nobody knows."""


class GuardKeys(BaseModel):
    """`guard: {max_share: 30%, max_changes: 2000}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    max_share: Annotated[float, BeforeValidator(share)] = 0.3
    max_changes: Annotated[int, Field(ge=1)] = 2000


class ScheduleKeys(BaseModel):
    """`schedule: {sync: "*/5 * * * *", reconcile: "0 2 * * *"}`; a site may have one of them, or both, of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sync: Annotated[Any, AfterValidator(cron)] = None
    reconcile: Annotated[Any, AfterValidator(cron)] = None


class DaemonKeys(BaseModel):
    """`daemon: {listen: 127.0.0.1:9464}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    listen: Annotated[Any, AfterValidator(loopback)] = Address("127.0.0.1", 9464)


class WaiverKeys(BaseModel):
    """`waivers: {longest_days: 180, approve: {analyst: low}}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    longest_days: Annotated[int, Field(ge=1, le=3_660)] = LONGEST_DAYS
    approve: dict[Role, Literal[*SEVERITIES]] = {}  # type: ignore[valid-type]
    """The worst severity that a role may waive, where it is not the usual one."""


class CommandKeys(BaseModel):
    """`commands: {ask: [assignee, project_lead, manager]}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ask: tuple[Asker, ...] = ASKERS
    """Who may ask for waivers in comments, and dispute."""


class ModeKeys(BaseModel):
    """`- {standard: SCH201, mode: require, from: 2026-12-01}`: how hard is asked of what it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    standard: Annotated[str, Field(min_length=1)] | None = None
    portfolio: str | None = None
    program: str | None = None
    project: str | None = None
    mode: Literal[*MODES] | None = None  # type: ignore[valid-type]
    least: Literal[*MODES] | None = None  # type: ignore[valid-type]
    """How soft levels below may ask."""
    from_: dt.date | None = Field(None, alias="from")
    persist: Annotated[int, BeforeValidator(held)] | None = None
    """Instead of the one in the standard's pack."""


class LadderKeys(BaseModel):
    """`ladder: {remind: 0d, lead: 5d, gate: 10d}`: working days after the fix-by date."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    remind: Annotated[int, BeforeValidator(working_days)] = USUAL.remind_d
    lead: Annotated[int, BeforeValidator(working_days)] = USUAL.lead_d
    gate: Annotated[int, BeforeValidator(working_days)] = USUAL.gate_d


class SiteKeys(BaseModel):
    """What every site has; all other keys are its connector's own and checked by it."""

    model_config = ConfigDict(extra="allow", frozen=True)
    connector: str
    mapping: Path
    timezone: Zone | None = None
    max_wait_s: float | None = Field(None, gt=0)
    """The patience with one call, all its waits and repetitions together."""
    timeout_s: float | None = Field(None, gt=0)
    """How long an answer may be silent before it counts as lost."""
    schedule: ScheduleKeys = ScheduleKeys()


def _names(value: Any) -> Any:
    """In an environment variable a list is written with commas."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


class Keys(BaseSettings):
    """The whole file."""

    model_config = SettingsConfigDict(
        env_prefix="PMOSYNC_", env_prefix_target="all", env_nested_delimiter="__", extra="forbid", frozen=True
    )
    organisation: str = Field(min_length=1)
    timezone: Zone
    calendar: CalendarKeys = CalendarKeys()
    store: Annotated[Path, BeforeValidator(store_path)] = Path("pmosync.db")
    profile: Profile = "supportive"
    push: Annotated[bool, BeforeValidator(switch)] = False
    sites: dict[str, SiteKeys] = Field(min_length=1)
    register_: Path | None = Field(None, alias="register")
    gates: Path | None = None
    """What has to be met before a project goes on into another phase."""
    decisions: Path = Path("decisions")
    people: Path | None = None
    """Who may approve waivers, and when people work."""
    capacity: CapacityKeys = CapacityKeys()
    waivers: WaiverKeys = WaiverKeys()
    commands: CommandKeys = CommandKeys()
    standards: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ("starter",)
    guard: GuardKeys = GuardKeys()
    schedule: ScheduleKeys = ScheduleKeys()
    daemon: DaemonKeys = DaemonKeys()
    modes: Annotated[tuple[ModeKeys, ...], Field(max_length=1_000)] = ()
    """How hard is asked, beside the profiles."""
    ladder: LadderKeys = LadderKeys()
    guidance: Annotated[str, BeforeValidator(web_address)] = ""
    """Where the pages of `pmosync standards docs` are published."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment is laid over the file before (see `overrides`), so that a mistake names where it stands."""
        return (init_settings,)
