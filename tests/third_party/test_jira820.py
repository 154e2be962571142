"""Our connector, unchanged, reads and writes `jira820`: a Jira Data Center 8.20 that others wrote."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from jira820.config import Config
from jira820.server import make_app

from pmosync.contract import Choice, Person, Reference, Scope
from pmosync_jira.data_center import EPIC_LINK

from .gateway import Direct, Gateway, before
from .jira820_gaps import API, LESS, Kept, by_key, gaps, issues

TODAY = dt.date(2026, 11, 20)
SLOTS = ("property", "label", "remote_link", "comment", "project_property")
FIELDS = (
    "summary", "status", "issuetype", "assignee", "duedate", "labels", "components", "fixVersions", "resolutiondate",
    "parent", "customfield_10004", "customfield_10007",
)  # fmt: skip
MARK = '{"findings":2,"worst":"high"}'
LINK = '{"title":"PMO: 2 findings: no owner; overdue","url":"https://pmo.example/guidance"}'
TEXT = "PMO: 2 findings\n- no owner\n- overdue"


SMALL = {"epics_per_module": 1, "children_per_epic": (1, 2), "standalone_per_module": 2, "history_per_module": 1}


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Direct]:
    """A new server with its own sample: 364 issues of one project, or a few."""
    config: dict[str, Any] = SMALL if getattr(request, "param", "") == "small" else {}
    app = make_app(config=Config(base_date=TODAY, project_key="DEMO", **config))
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield Direct(f"http://127.0.0.1:{port}")
    running.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def old(server: Direct) -> Iterator[Gateway]:
    with before(server, gaps(Kept()), by_key(server)) as gateway:
        yield gateway


@pytest.fixture
def desk(old: Gateway, open_jira: Any) -> Any:
    one = open_jira(
        old.url, deployment="auto", fields=FIELDS, clock=lambda: dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    )
    one.scope = Scope(fields=FIELDS, slots=SLOTS, pins={"mail": "accept"})
    return one


def passed_well(old: Gateway) -> bool:
    """Whether the server itself answered everything that came through."""
    assert old.passed
    return all(status < 300 for _, status in old.passed)


def test_what_it_lacks_it_still_lacks(server: Direct) -> None:
    assert [gap.call for gap in gaps(Kept()) if not gap.still(server)] == []
    assert [what for what, still in LESS.items() if not still(server)] == []


@pytest.mark.parametrize("server", ["small"], indirect=True)
def test_its_catalog_is_read(desk: Any, old: Gateway) -> None:
    catalog = desk.connector.describe()
    assert catalog.server == "Jira Data Center 8.20.8"
    assert (catalog.account.id, catalog.zone) == ("admin", "UTC")
    assert [one.key for one in catalog.projects] == ["DEMO"]
    (status,) = [one for one in catalog.fields if one.id == "status"]
    assert {(one.name, one.category) for one in status.options} >= {("Open", "new"), ("Done", "done")}
    assert {one.name for one in catalog.link_types} >= {"Blocks", "Relates"}
    assert passed_well(old)


def test_a_whole_pull_brings_every_issue_and_the_next_one_nothing(desk: Any, server: Direct, old: Gateway) -> None:
    batches = desk.pull()
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []
    there = {one["id"]: one for one in issues(server)}
    tasks = {name: record for (kind, name), record in desk.records.items() if kind == "task"}
    assert len(tasks) == len(there) == 364
    (census,) = [set(batch.census) for batch in batches if batch.state == "complete" and "task" in batch.kinds]
    assert census == set(there)
    for name, raw in there.items():
        _check_values(tasks[name], raw["fields"], there)
    batches = desk.pull(desk.cursor)
    assert [record for batch in batches for record in batch.records if record.kind == "task"] == []
    assert passed_well(old)


def _check_values(record: Any, fields: dict[str, Any], there: dict[str, Any]) -> None:
    values = record.values
    assert values["summary"] == fields["summary"]
    assert isinstance(values["status"], Choice)
    assert values["status"].category == fields["status"]["statusCategory"]["key"]
    who = fields["assignee"]
    assert values["assignee"] == (who and Person(who["key"], who["displayName"], who["emailAddress"], True))
    assert values["duedate"] == (dt.date.fromisoformat(fields["duedate"]) if fields["duedate"] else None)
    above = fields.get("parent", {}).get("key") or fields["customfield_10008"]
    if above:
        assert values["parent"] == Reference("task", next(name for name, one in there.items() if one["key"] == above))
    else:
        assert values["parent"] is None


def test_its_epic_link_is_the_one_that_fills_the_parent(server: Direct) -> None:
    (epic,) = [one for one in server.data("GET", f"{API}/field") if one["schema"].get("custom") == EPIC_LINK]
    assert epic["id"] == "customfield_10008"
    assert sum(1 for one in issues(server) if one["fields"]["customfield_10008"]) > 100


@pytest.mark.parametrize("server", ["small"], indirect=True)
def test_the_histories_of_its_issues_are_read(desk: Any, server: Direct, old: Gateway) -> None:
    desk.scope = Scope(fields=FIELDS, history=("status",))
    batches = desk.pull()
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []
    told = 0
    for raw in issues(server):
        rows = server.data("GET", f"{API}/issue/{raw['key']}", expand="changelog")["changelog"]["histories"]
        moves = [(one["from"], one["to"]) for row in rows for one in row["items"] if one["field"] == "status"]
        events = desk.by_key(raw["key"]).history
        assert [(event.before.id, event.after.id) for event in events] == moves
        told += len(moves)
    assert told > 5
    assert passed_well(old)


@pytest.mark.parametrize("server", ["small"], indirect=True)
def test_every_mark_is_written_read_back_changed_and_removed(desk: Any, server: Direct, old: Gateway) -> None:
    desk.pull()
    assert desk.connector.prepare(desk.scope, write=True).limitations == ()
    link, text = (mark.replace("2 findings", "1 finding") for mark in (LINK, TEXT))
    steps: tuple[dict[str, str | None], ...] = (
        {"property": MARK, "label": "high", "remote_link": LINK, "comment": TEXT},
        {"property": MARK.replace("2", "1"), "label": "low", "remote_link": link, "comment": text},
        {"property": None, "label": None, "remote_link": None, "comment": None},
    )
    labels_before = server.data("GET", f"{API}/issue/DEMO-2")["fields"]["labels"]
    stands: dict[str, str | None] = dict.fromkeys(steps[0])
    for wanted in steps:
        changes = [desk.change("DEMO-2", slot, after, stands[slot]) for slot, after in wanted.items()]
        receipts = list(desk.connector.push(changes))
        assert [(one.fate, one.why) for one in receipts] == [("done", "")] * len(changes)
        readings = {one.slot.name: one.value for one in desk.connector.read([change.slot for change in changes])}
        assert readings == wanted
        stands = wanted
        label = wanted["label"]
        labels = server.data("GET", f"{API}/issue/DEMO-2")["fields"]["labels"]
        assert sorted(labels) == sorted([*labels_before, *([f"pmo-{label}"] if label else [])])
        comments = server.data("GET", f"{API}/issue/DEMO-2/comment")["comments"]
        shown = [one["body"].split() for one in comments if "PMO" in one["body"]]
        assert shown == ([wanted["comment"].replace("- ", "* ").split()] if wanted["comment"] else [])
        links = server.data("GET", f"{API}/issue/DEMO-2/remotelink")
        assert [one["object"]["title"] for one in links if one.get("globalId")] == (
            [json.loads(wanted["remote_link"])["title"]] if wanted["remote_link"] else []
        )
    assert passed_well(old)


@pytest.mark.parametrize("server", ["small"], indirect=True)
def test_the_rollup_of_a_project_is_written_and_removed(desk: Any) -> None:
    desk.pull()
    for after, before_ in (('{"health":"amber"}', None), (None, '{"health":"amber"}')):
        change = desk.change("DEMO", "project_property", after, before_)
        (receipt,) = desk.connector.push([change])
        assert (receipt.fate, receipt.why) == ("done", "")
        (reading,) = desk.connector.read([change.slot])
        assert reading.value == after
