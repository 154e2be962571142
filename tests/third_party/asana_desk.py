"""An Asana with everything that our connector reads and writes, on loopback, and the connector on it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from pmosync.contract import Change, Scope
from pmosync.sandbox.asana import planseed, seed
from tests.connectors.asana_kit import Client, client
from tests.sandbox.asana_site import PAST, Site, small_site

from .judging import Exchange

API = "/api/1.0"
SLOTS = (
    "field", "text_field", "comment", "tag", "fields", "brief", "status_update", "portfolio_fields",
    "portfolio_update",
)  # fmt: skip


def apart(call: Exchange) -> Iterator[Exchange]:
    """A batch, and each of its actions as if it were a call."""
    yield call
    if call.path != f"{API}/batch" or call.status != 200:
        return
    actions, results = json.loads(call.body)["data"]["actions"], json.loads(call.content)["data"]
    for action, result in zip(actions, results, strict=True):
        method, options = action["method"].upper(), dict(action.get("options") or {})
        query = {"opt_fields": ",".join(options.pop("fields"))} if "fields" in options else {}
        data, bare = action.get("data") or {}, method in ("GET", "DELETE")
        query |= {name: str(value) for name, value in {**options, **(data if bare else {})}.items()}
        body = b"" if bare else json.dumps({"data": data}).encode()
        url = f"{API}{action['relative_path']}?{urlencode(query)}"
        told = {"Content-Type": "application/json", **result["headers"]}
        answer = json.dumps(result["body"]).encode()
        yield Exchange(method, url, call.headers, body, result["status_code"], told, answer)


@dataclass
class Desk:
    """A site, and the connector on it as the bot."""

    site: Site
    asana: Client
    scope: Scope

    @property
    def gids(self) -> dict[str, Any]:
        return self.site.gids

    def wait(self, **time: float) -> None:
        """Let time go by, on the site and for us."""
        some = dt.timedelta(**time)
        self.site.control("POST", "clock", {"advance_s": some.total_seconds()})
        self.asana.now[0] += some

    def prepare(self) -> None:
        """Make our places, and pin them."""
        pins = self.asana.connector.prepare(self.scope, True).pins
        self.scope = replace(self.scope, pins={**self.scope.pins, **pins})

    def pull(self, *, full: bool = False, without: Sequence[str] = ()) -> None:
        """Read; all of it is observed but what is said not to be."""
        batches = self.asana.pull(self.scope, full=full)
        why = {name: one.why for one in batches if one.state == "unobserved" for name in one.scopes}
        assert set(why) == set(without), why

    def push(self, changes: Sequence[Change]) -> None:
        """Write; all of it is done."""
        receipts = list(self.asana.connector.push(changes))
        assert [(one.change.slot, one.fate, one.why) for one in receipts if one.fate != "done"] == []
        assert len(receipts) == len(changes)


@contextmanager
def a_desk(*, many: int = 0) -> Iterator[Desk]:
    """Everything that a connector reads: a second project, one that we may only comment, booked and promised time."""
    with small_site() as site:
        gids, state = site.gids, site.state
        with state.transaction():
            _fill(site, many)
        asana = client(SimpleNamespace(url=site.server.url, control=site.control), token="bot")  # type: ignore[arg-type]
        own = ("name", "assignee", "due_on", "section", "completed", "updated", "notes")
        fields = (*own, gids["stage"], gids["estimate"])
        projects = (gids["project"], gids["second"], gids["third"])
        scope = Scope(
            projects, slots=SLOTS, fields=fields, project_fields=("name", "owner"), worklogs=True, comments=True,
            budgets=True, allocations=True, goals=True, history=("section", "due_on", "assignee", gids["stage"]),
            homes=dict.fromkeys(projects[:2], gids["portfolio"]), rollups={"program/move": gids["portfolio"]},
        )  # fmt: skip
        yield Desk(site, asana, scope)
        asana.connector.close()


def _fill(site: Site, many: int) -> None:
    gids, state, ann, bot = site.gids, site.state, site.gids["ann"], site.gids["bot"]
    team = planseed.add_team(state, "Finance", members=[ann])
    gids["second"] = seed.add_project(state, "Second", ann, created_at=PAST, members={bot: "editor"})
    gids["third"] = seed.add_project(state, "Third", ann, created_at=PAST, members={bot: "commenter"})
    planseed.share_with_team(state, gids["second"], team)
    planseed.make_from_template(state, gids["second"], planseed.add_template(state, "PMO project", team=team))
    section = seed.add_section(state, gids["second"], "All", created_at=PAST)
    gids["many"] = [
        seed.add_task(state, f"Part {n}", created_at=PAST, modified_at=PAST, project=gids["second"], section=section)
        for n in range(many)
    ]
    seed.add_field(state, "PMO compliance", "enum", options=[("Critical", "red")], default_access="editor")
    lonely = seed.add_section(state, gids["third"], "All", created_at=PAST)
    when = {"created_at": PAST, "modified_at": PAST}
    seed.add_task(state, "Lonely", project=gids["third"], section=lonely, due_on="2026-03-01", **when)
    seed.add_portfolio_item(state, gids["portfolio"], gids["second"])
    for project, kind in ((gids["project"], "time"), (gids["second"], "cost")):
        planseed.add_budget(state, project, kind, total=600)
    for kind, effort in (("percent", 50), ("hours", 12)):
        planseed.add_allocation(
            state, gids["project"], ann, "2026-03-02", "2026-03-27", effort_type=kind, effort=effort, created_by=ann
        )
    for task in gids["tasks"][:3]:
        planseed.add_time_entry(state, task, ann, 90, "2026-02-03", created_at=PAST, project=gids["project"])
    incident = planseed.add_custom_type(state, gids["project"], "Incident")
    planseed.give_type(state, gids["tasks"][4], incident, "Open")
    planseed.add_goal(
        state, "Fewer tickets", ann, created_at=PAST, status="yellow", supported_by=[("project", gids["project"])]
    )
    words = "<body>The owner's <strong>words</strong> &amp; figures.</body>"
    planseed.add_brief(state, gids["project"], "Brief", "The owner's words & figures.", words)
