"""The connectors that are installed, found by the entry-point group `pmosync.connectors`.

A connector is a module; one that somebody else publishes is found in the same way as those that come with pmosync.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from pydantic import BaseModel

from pmosync.contract import Capabilities, Clock, Connector
from pmosync.errors import Misconfigured
from pmosync.http import Endpoint, Limits, PoliteSession

GROUP = "pmosync.connectors"


class ConnectorModule(Protocol):
    """What a connector's module offers."""

    Settings: type[BaseModel]
    """The connector's own keys of a site; `SecretStr` where a secret belongs. Holds `base_url`."""
    ENDPOINTS: Sequence[Endpoint]
    capabilities: Capabilities

    def limits(self, settings: Any) -> Limits: ...
    def open(self, settings: Any, session: PoliteSession, clock: Clock) -> Connector: ...


def installed() -> tuple[str, ...]:
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def module_of(name: str) -> ConnectorModule:
    """The module of an installed connector."""
    (point, *_) = entry_points(group=GROUP, name=name)
    try:
        return cast(ConnectorModule, point.load())
    except ImportError as error:
        raise Misconfigured(
            f"the connector '{name}' ({point.value}) cannot be loaded: {error}", hint="install its package again"
        ) from error
