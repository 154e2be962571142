"""The small Asana of the sandbox's own tests in this process, with our calls on it and a store as simple as can be."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.asana_site import PAST, Site, small_site

import pmosync_asana
from pmosync.contract import Kind, Record
from pmosync.http import Limiter, PoliteSession
from pmosync.sandbox.asana.tables import WORKSPACE
from pmosync_asana import decode
from pmosync_asana.api import Api, Asked, many, one
from pmosync_asana.endpoints import ENDPOINTS
from pmosync_asana.manners import sign_in

DOCUMENT = Path(__file__).resolve().parents[3] / "shared/specs/asana_oas.json.gz"

__all__ = ["PAST", "WORKSPACE", "Small", "fields_that", "small"]


@dataclass
class Small:
    """The site, our calls on it as the bot, and what was brought."""

    site: Site
    api: Api
    records: dict[tuple[str, str], Record] = field(default_factory=dict)

    @property
    def gids(self) -> Mapping[str, Any]:
        """What is there, by name."""
        return self.site.gids

    def begin_again(self) -> None:
        """Everything as it was, and nothing counted."""
        self.site.begin_again()
        self.site.control("DELETE", "faults")
        self.records.clear()
        self.forget()

    def forget(self) -> None:
        """Count calls from nothing again."""
        self.site.control("DELETE", "requests")

    def asked(self) -> dict[str, int]:
        """The calls since then by endpoint, those in batches one by one; and `trips`, with a batch as one."""
        told = self.site.control("GET", "requests")
        by_endpoint = {name.replace("GET /api/1.0", ""): n for name, n in told["by_endpoint"].items()}
        return {**by_endpoint, "trips": told["round_trips"]}

    def fail(self, status: int, path: str) -> None:
        """Let calls whose path matches be refused."""
        self.site.control("POST", "faults", [{"kind": "status", "status": status, "match": {"path": path}}])

    def have(self, add: Callable[..., Any], *given: Any, **more: Any) -> Any:
        """Let something have been there from the beginning."""
        with self.site.state.transaction():
            return add(self.site.state, *given, **more)

    def lack(self, **switches: str) -> None:
        """Set switches of the site."""
        self.site.control("POST", "switches", {"asana": switches})

    def known(self, kind: Kind, ids: Collection[str]) -> Mapping[str, str]:
        """The stored versions."""
        return {gid: self.records[kind, gid].version for gid in ids if (kind, gid) in self.records}

    def keep(self, records: Collection[Record]) -> None:
        """Store."""
        self.records |= {(record.kind, record.id): record for record in records}

    def task(self, gid: str) -> Record:
        """A task as a pull brings it."""
        (body,) = self.api.batch([Asked(f"/tasks/{gid}", decode.TASK_FIELDS)])
        return decode.task(one(body), {f"project:{self.gids['project']}"}, {})

    def rows(self, *gids: str) -> dict[str, dict[str, Any]]:
        """Projects as a list gives them."""
        query = {"workspace": WORKSPACE, "opt_fields": decode.PROJECT_FIELDS}
        found = many(self.api.session.call("GET", "/projects", params=query).data)
        return {row["gid"]: row for row in found if not gids or row["gid"] in gids}


@contextmanager
def small() -> Iterator[Small]:
    """A small site; waiting takes no time."""
    with small_site() as site:
        given = {"base_url": f"{site.server.url}/api/1.0", "auth": {"token": "bot"}}
        settings = pmosync_asana.Settings.model_validate(given)
        at = [0.0]

        def sleep(seconds: float) -> None:
            at[0] += seconds

        limiter = Limiter(pmosync_asana.limits(settings), lambda: at[0], sleep)
        session = PoliteSession(
            settings.base_url, ENDPOINTS, limiter, now=lambda: PAST, monotonic=lambda: at[0], sleep=sleep
        )
        sign_in(settings, session, lambda: PAST)
        yield Small(site, Api(settings, session))
        session.close()


def fields_that(path: str, asked: str) -> set[str]:
    """Of the fields that are asked for, those that the vendor's document does not name for this call."""
    if not DOCUMENT.exists():
        pytest.skip("the vendor's document is not beside the project (shared/specs)")
    operation = json.loads(gzip.decompress(DOCUMENT.read_bytes()))["paths"][path]["get"]
    (parameter,) = [p for p in operation["parameters"] if p.get("name") == "opt_fields"]
    return {name.removesuffix(".gid") for name in asked.split(",")} - set(parameter["schema"]["items"]["enum"])
