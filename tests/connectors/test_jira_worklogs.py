"""Checks that booked time is read whole, goes on where it was, loses what was deleted, and proves only what it saw."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from pmosync.contract import Batch, Duration, Person, Record, Reference
from pmosync.errors import Refused
from pmosync_jira.worklogs import SCOPE, Worklogs

from .jira_script import API, SERVER, Script, session_on

SHARED = Path(__file__).resolve().parents[3] / "shared"
NOON = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
NOON_MS = int(NOON.timestamp() * 1000)
MINUTE_MS = 60_000
UPDATED, DELETED, LIST = "GET /worklog/updated", "GET /worklog/deleted", "POST /worklog/list"


def text(at_ms: int) -> str:
    zone = dt.timezone(dt.timedelta(hours=2))
    return dt.datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}+0200"


def raw(number: int, issue: str, updated_ms: int, seconds: int = 3600) -> dict[str, Any]:
    return {
        "id": str(number),
        "issueId": issue,
        "author": {"accountId": "ann", "displayName": "Ann"},
        "started": text(updated_ms - MINUTE_MS),
        "updated": text(updated_ms),
        "timeSpentSeconds": seconds,
    }


@dataclass
class Site:
    """The worklogs of a Jira as its lists tell them, and a store that keeps what a pull brings."""

    now_ms: int = NOON_MS
    page: int = 1000
    worklogs: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed_ms: dict[str, int] = field(default_factory=dict)
    deleted_ms: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=lambda: {"7", "8"})
    stored: dict[str, Record] = field(default_factory=dict)
    cursor: Mapping[str, Any] | None = None
    bent: dict[str, Any] = field(default_factory=dict)
    """Answers that a test puts in the place of the right ones."""
    calls: list[str] = field(default_factory=list)
    newest_ms: int = NOON_MS - 60 * MINUTE_MS

    def book(self, number: int, issue: str = "7", at_ms: int | None = None, seconds: int = 3600) -> None:
        told_ms = self.now_ms - 5 * MINUTE_MS if at_ms is None else at_ms
        self.worklogs[str(number)] = raw(number, issue, told_ms, seconds)
        self.changed_ms[str(number)] = told_ms

    def delete(self, number: int, at_ms: int | None = None) -> None:
        del self.worklogs[str(number)], self.changed_ms[str(number)]
        self.deleted_ms[str(number)] = self.now_ms - 5 * MINUTE_MS if at_ms is None else at_ms

    def _feed(self, dates: Mapping[str, int], since_ms: int) -> dict[str, Any]:
        until_ms = self.now_ms - MINUTE_MS
        found = sorted(
            (ms, int(one)) for one, ms in dates.items() if since_ms <= ms <= until_ms and one not in self.hidden
        )
        rows = [{"worklogId": one, "updatedTime": ms, "properties": []} for ms, one in found[: self.page]]
        last = len(found) <= self.page
        more = (
            {}
            if last
            else {"nextPage": f"https://elsewhere.example{API}/worklog/updated?since={rows[-1]['updatedTime']}"}
        )
        return {
            "values": rows,
            "since": since_ms,
            "until": rows[-1]["updatedTime"] if rows else since_ms,
            "lastPage": last,
            **more,
        }

    def _of_issue(self, issue: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        every = [one for one in self.worklogs.values() if one["issueId"] == issue]
        size, start = 2, int(asked.get("startAt", 0))
        rows = every[start : start + size]
        return {"startAt": start, "maxResults": size, "total": len(every), "worklogs": rows}

    def reader(self) -> tuple[Worklogs, Script]:
        right = {
            UPDATED: lambda asked: self._feed(self.changed_ms, int(asked["since"])),
            DELETED: lambda asked: self._feed(self.deleted_ms, int(asked["since"])),
            LIST: lambda asked: [
                self.worklogs[str(one)]
                for one in asked["ids"]
                if str(one) in self.worklogs and str(one) not in self.hidden
            ],
            **{
                f"GET /issue/{one}/worklog": lambda asked, one=one: self._of_issue(one, asked)
                for one in ("7", "8", "9")
            },
        }
        jira = Script({**right, **self.bent})
        return Worklogs(jira, API, jira.base_url, self.known), jira  # type: ignore[arg-type]

    def pull(self, *, touched: bool = True, arrived: tuple[dict[str, Any], ...] = ()) -> list[Batch]:
        reader, jira = self.reader()
        reader.begin(self.cursor)
        batches = [Batch((), "observed", reader.of_arrivals(arrived))] if arrived else []
        now = dt.datetime.fromtimestamp(self.now_ms / 1000, dt.UTC)
        for batch in reader.pull(now=now, newest_ms=self.newest_ms, touched=touched):
            self.keep(batch)
            batches.append(batch)
        for batch in batches:
            self.keep(batch)
        self.cursor = json.loads(json.dumps(reader.cursor()))
        self.calls = jira.calls()
        return batches

    def keep(self, batch: Batch) -> None:
        self.stored |= {record.id: record for record in batch.records}
        for _, one in batch.gone:
            self.stored.pop(one, None)
        if batch.state == "complete":
            self.stored = {one: record for one, record in self.stored.items() if one in batch.census}

    def known(self, kind: str, ids: Collection[str]) -> Mapping[str, str]:
        if kind == "task":
            return {one: "" for one in ids if one in self.tasks}
        return {one: self.stored[one].version for one in ids if one in self.stored}

    def later(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS


@pytest.fixture
def site() -> Site:
    """A Jira with four worklogs, one of them on an issue that is not looked at."""
    found = Site()
    found.book(4, "99", NOON_MS - 200 * MINUTE_MS)
    for number, issue in ((1, "7"), (2, "7"), (3, "8")):
        found.book(number, issue, NOON_MS - (100 - number) * MINUTE_MS, 600 * number)
    return found


def states(batches: list[Batch]) -> set[tuple[str, ...]]:
    return {batch.scopes for batch in batches if batch.state == "unobserved"}


def test_a_full_pull_brings_the_worklogs_of_known_tasks_and_proves_that_there_are_no_others(site: Site) -> None:
    site.stored["77"] = site.reader()[0].record(raw(77, "7", NOON_MS))
    batches = site.pull()
    assert sorted(site.stored) == ["1", "2", "3"]
    assert batches[-1].state == "complete"
    assert (batches[-1].scopes, batches[-1].kinds) == ((SCOPE,), ("worklog",))
    assert site.calls == [UPDATED, LIST]
    found = site.stored["2"]
    assert (found.kind, found.scopes, found.version) == ("worklog", (SCOPE,), text(NOON_MS - 98 * MINUTE_MS))
    assert found.values == {
        "task": Reference("task", "7"),
        "author": Person("ann", "Ann"),
        "started": NOON - dt.timedelta(minutes=99),
        "spent": Duration(1200),
    }


def test_many_pages_are_read_to_their_end_also_where_several_entries_have_one_date(site: Site) -> None:
    for number in range(10, 30):
        site.book(number, at_ms=NOON_MS - 30 * MINUTE_MS + number // 3)
    site.page = 4
    site.pull()
    assert len(site.stored) == 23
    assert states(site.pull()) == set()


def test_what_was_changed_added_or_deleted_is_known_with_the_next_pull(site: Site) -> None:
    site.pull()
    site.later(60)
    site.book(1, "7", seconds=60)
    site.book(5, "8")
    site.delete(3)
    site.pull()
    assert sorted(site.stored) == ["1", "2", "5"]
    assert site.stored["1"].values["spent"] == Duration(60)
    assert site.calls == [UPDATED, LIST, DELETED]


def test_what_jira_leaves_out_because_it_is_too_fresh_comes_with_a_later_pull_that_finds_nothing_updated(
    site: Site,
) -> None:
    site.pull()
    site.later(60)
    site.newest_ms = site.now_ms - 10_000
    site.book(5, at_ms=site.now_ms - 10_000)
    site.pull()
    assert "5" not in site.stored
    site.later(5)
    site.pull(touched=False)
    assert "5" in site.stored
    site.later(5)
    site.pull(touched=False)
    assert site.calls == []


def test_what_was_too_fresh_comes_soon_also_where_our_clock_is_an_hour_ahead(site: Site) -> None:
    site.pull()
    site.later(60)
    site.newest_ms = site.now_ms - 60 * MINUTE_MS  # as Jira dates what was updated just now
    site.pull()
    site.later(5)
    site.pull(touched=False)
    assert UPDATED in site.calls
    site.later(5)
    site.pull(touched=False)
    assert site.calls == []


def test_a_quiet_cycle_asks_nothing_but_once_an_hour_and_reads_nothing_twice(site: Site) -> None:
    site.pull()
    site.later(5)
    assert site.pull(touched=False) == []
    assert site.calls == []
    site.later(60)
    site.pull(touched=False)
    assert site.calls == [UPDATED, DELETED], "what the overlap brings again is stored as it is"


def test_an_entry_that_is_no_longer_shown_or_went_to_another_task_is_gone(site: Site) -> None:
    site.pull()
    site.later(60)
    site.book(1)
    site.book(2, "99")
    listed = dict(site.changed_ms)
    site.bent[UPDATED] = lambda asked: {
        "values": [{"worklogId": int(one), "updatedTime": ms} for one, ms in listed.items()], "lastPage": True,
    }  # fmt: skip
    site.hidden.add("1")
    site.pull()
    assert sorted(site.stored) == ["3"]


def test_a_task_that_came_from_elsewhere_brings_its_older_entries_in_its_own_batch(site: Site) -> None:
    for number in (21, 22, 23):
        site.book(number, "9", at_ms=NOON_MS - 2000 * MINUTE_MS)
    site.pull()
    site.later(60)
    site.tasks.add("9")
    old, new = text(NOON_MS - 3000 * MINUTE_MS), text(site.now_ms)
    arrived = ({"id": "9", "fields": {"created": old}}, {"id": "8", "fields": {"created": new}})
    batches = site.pull(arrived=arrived)
    assert [record.id for record in batches[0].records] == ["21", "22", "23"]
    assert site.calls[:2] == ["GET /issue/9/worklog"] * 2
    site.pull(arrived=({"id": "9", "fields": {"created": old, "timespent": None}},))
    assert "GET /issue/9/worklog" not in site.calls, "no time is booked on it"


def endless(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"values": [{"worklogId": 1, "updatedTime": NOON_MS}], "until": NOON_MS, "lastPage": False}


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (UPDATED, Refused("Jira says 403.", 403)),
        (UPDATED, endless),
        (UPDATED, {"values": [], "lastPage": False}),
        (UPDATED, {"values": [{"worklogId": 1}], "lastPage": True}),
        (LIST, Refused("Jira says 400.", 400)),
        (LIST, {"errorMessages": []}),
        (LIST, [{"id": "1"}]),
    ],
)
def test_trouble_leaves_everything_stored_as_it_is_and_says_so_and_the_next_pull_heals_it(
    site: Site, call: str, answer: Any
) -> None:
    site.bent[call] = answer
    (told,) = [batch for batch in site.pull() if batch.state != "observed"]
    assert (told.state, told.scopes) == ("unobserved", (SCOPE,))
    assert "next run" in told.why
    assert site.cursor is None
    site.bent.clear()
    assert site.pull()[-1].state == "complete"
    before = dict(site.stored)

    site.later(60)
    site.book(5)
    site.bent[call] = answer
    assert states(site.pull()) == {(SCOPE,)}
    assert site.stored.keys() >= before.keys()
    site.bent.clear()
    healed = site.pull(touched=False)
    assert (healed[-1].state, healed[-1].scopes) == ("observed", (SCOPE,))
    assert sorted(site.stored) == ["1", "2", "3", "5"]


def test_deletions_that_cannot_be_listed_make_the_worklogs_unobserved(site: Site) -> None:
    site.pull()
    site.later(60)
    site.delete(3)
    site.bent[DELETED] = Refused("Jira says 403.", 403)
    assert states(site.pull()) == {(SCOPE,)}
    assert "3" in site.stored
    site.bent.clear()
    site.pull(touched=False)
    assert "3" not in site.stored


def test_when_the_entries_of_an_arrival_cannot_be_read_everything_is_read_next_time(site: Site) -> None:
    site.pull()
    site.later(60)
    site.tasks.add("9")
    site.book(21, "9", at_ms=NOON_MS - 2000 * MINUTE_MS)
    site.bent["GET /issue/9/worklog"] = Refused("Jira says 400.", 400)
    arrived = {"id": "9", "fields": {"created": text(NOON_MS - 3000 * MINUTE_MS)}}
    assert states(site.pull(arrived=(arrived,))) == {(SCOPE,)}
    assert site.cursor is None
    assert site.pull()[-1].state == "complete"
    assert "21" in site.stored


def test_a_run_that_may_not_make_the_call_is_told_the_truth(site: Site) -> None:
    site.bent[UPDATED] = Refused("not among the endpoints", 0)
    with pytest.raises(Refused, match="endpoints"):
        site.pull()


def test_an_entry_that_lacks_a_value_is_there_without_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    for number in (1, 2):
        site.worklogs[str(number)].pop("timeSpentSeconds")
    reader, _ = site.reader()
    records = [reader.record(site.worklogs[one]) for one in ("1", "2")]
    assert all(set(record.values) == {"task", "author", "started"} for record in records)
    assert reader.odd == {"spent": 2}
    assert len(caplog.messages) == 1


class Desk:
    """The sandbox's worklogs, and a store that keeps what a pull brings; only two issues are looked at."""

    def __init__(self, sandbox: Any, api: str) -> None:
        self.sandbox, self.api, self.session = sandbox, api, session_on(sandbox)
        self.issues = [str(self.people("GET", f"issue/PAY-{n}?fields=summary")["id"]) for n in (2, 3)]
        self.stored: dict[str, Record] = {}
        self.cursor: Any = None
        self.older = {str(row["worklogId"]) for row in self.people("GET", "worklog/updated?since=0")["values"]}
        """What was booked before anybody came."""

    def people(self, method: str, path: str, body: Any = None) -> Any:
        signed = {"Authorization": "Bearer sandbox-jira-token"}
        answer = requests.request(method, f"{self.sandbox.url}{self.api}/{path}", json=body, headers=signed, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def book(self, issue: str, spent: str) -> str:
        return str(self.people("POST", f"issue/{issue}/worklog", {"timeSpent": spent})["id"])

    def known(self, kind: str, ids: Collection[str]) -> Mapping[str, str]:
        held = dict.fromkeys(self.issues, "") if kind == "task" else {k: r.version for k, r in self.stored.items()}
        return {one: held[one] for one in ids if one in held}

    def pull(self) -> dict[str, Any]:
        reader = Worklogs(self.session, self.api, self.sandbox.url, self.known)  # type: ignore[arg-type]
        reader.begin(self.cursor)
        self.session.calls.clear()
        for batch in reader.pull(now=NOON, newest_ms=NOON_MS, touched=True):
            assert batch.state != "unobserved", batch.why
            self.stored |= {record.id: record for record in batch.records}
            for _, one in batch.gone:
                del self.stored[one]
            if batch.state == "complete":
                self.stored = {one: record for one, record in self.stored.items() if one in batch.census}
        self.cursor = json.loads(json.dumps(reader.cursor()))
        fresh = {one: record.values["spent"] for one, record in self.stored.items() if one not in self.older}
        return {one: spent.seconds for one, spent in fresh.items()}  # type: ignore[union-attr]


@pytest.mark.parametrize(("deployment", "api"), [("cloud", API), ("data_center", SERVER)])
def test_the_sandbox_tells_what_was_booked_edited_and_deleted(sandbox: Any, deployment: str, api: str) -> None:
    sandbox.control("POST", "switches", {"jira": {"deployment": deployment}})
    desk = Desk(sandbox, api)
    first, second = (desk.book("PAY-2", "1h"), desk.book("PAY-3", "30m"))
    desk.book("PAY-4", "1d")
    assert desk.pull() == {}, "the last minute is left out"
    sandbox.advance(120)
    assert desk.pull() == {first: 3600, second: 1800}
    desk.people("PUT", f"issue/PAY-2/worklog/{first}", {"timeSpent": "2h"})
    desk.people("DELETE", f"issue/PAY-3/worklog/{second}")
    third = desk.book("PAY-3", "15m")
    sandbox.advance(120)
    assert desk.pull() == {first: 7200, third: 900}
    desk.cursor = None
    assert desk.pull() == {first: 7200, third: 900}
    assert sum(desk.session.calls.values()) == 2


def test_every_recorded_worklog_is_read() -> None:
    folder = SHARED / "data/jira"
    if not folder.exists():
        pytest.skip("the recorded answers are not beside the project")
    csv.field_size_limit(10_000_000)
    with (folder / "devlake_raw_tables/_raw_jira_api_worklogs.csv").open() as file:
        raws = [json.loads(line["data"]) for line in csv.DictReader(file)]
    raws += json.loads((folder / "nango_cloud_v3/list-worklogs.test.json").read_text())["output"]["worklogs"]
    reader, _ = Site().reader()
    records = [reader.record(one) for one in raws]
    assert len(records) > 30
    assert not reader.odd
    assert all(isinstance(record.values["author"], Person) for record in records)
    total_s = sum(record.values["spent"].seconds for record in records)  # type: ignore[union-attr]
    assert total_s == sum(one["timeSpentSeconds"] for one in raws) > 0
