"""What a Jira site becomes between two pulls, on Cloud and on Data Center: moved, renamed, archived, hidden, late."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import pytest

from pmosync.contract import Batch, Record, Reference

pytestmark = pytest.mark.slow

DEPLOYMENTS = ("cloud", "data_center")
FLAG = '{"findings":[{"standard":"DAT101"}],"severity":"high"}'
LINK = '{"title":"PMO: 1 finding: no owner (high)","url":"https://pmo.acme.example/DAT101.html"}'
LATE = {"index_lag_s": 120}


class Desk:
    """A connector on the sandbox whose clock goes with the sandbox's, and the people who work there."""

    def __init__(self, sandbox: Any, open_jira: Any, deployment: str) -> None:
        self.sandbox, self.deployment, self._open = sandbox, deployment, open_jira
        self.ahead = dt.timedelta(0)
        """How far our clock is before Jira's."""
        self.jira = self.another()
        self.deeds: list[Any] = []
        """What `during` did."""

    def another(self, **more: Any) -> Any:
        found = self._open(self.sandbox.url, deployment=self.deployment, clock=self.clock, **more)
        found.scope = dataclasses.replace(found.scope, projects=("PAY", "PLAT", "DWH"), slots=("label",))
        return found

    def clock(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.sandbox.control("POST", "clock", {"advance_s": 0})["now"]) + self.ahead

    def scoped(self, **changed: Any) -> None:
        self.jira.scope = dataclasses.replace(self.jira.scope, **changed)

    def pull(self) -> list[Batch]:
        return self.jira.pull(self.jira.cursor)  # type: ignore[no-any-return]

    def tasks(self) -> dict[str, Record]:
        return {record.id: record for record in self.jira.records.values() if record.kind == "task"}

    def order(self, **wanted: Any) -> Any:
        """What somebody did at the site."""
        return self.sandbox.control("POST", "jira", wanted)

    def switch(self, **switches: Any) -> None:
        self.sandbox.control("POST", "switches", {"jira": switches})

    def edit(self, key: str, **fields: Any) -> None:
        self.sandbox.jira("PUT", f"issue/{key}", {"fields": fields}, token="person-1")

    def title(self, key: str) -> Any:
        return self.jira.by_key(key).values["summary"]

    def move(self, key: str, project: str) -> str:
        return str(self.order(move_issue={"issue_key": key, "project_key": project, "actor": "person-1"})["move_issue"])

    def delete(self, key: str) -> None:
        self.order(set_role={"project_key": key.partition("-")[0], "account_id": self.boss, "role": "admin"})
        self.sandbox.jira("DELETE", f"issue/{key}", token="person-1", deleteSubtasks="true")

    @property
    def boss(self) -> str:
        """The account of the person who administers Jira."""
        return next(str(row["account_id"]) for row in self.sandbox.state()["jira_user"] if row["admin"])

    @property
    def bot(self) -> str:
        """Our own account, as orders name it."""
        rows = self.sandbox.state()["jira_user"]
        return next(str(row["account_id"]) for row in rows if "pmo-bot@" in str(row["document"]))

    def became(self, *keys: str) -> list[str | None]:
        """What the connector says became of issues that it stored."""
        ids = [self.jira.by_key(key).id for key in keys]
        found = self.jira.connector.whereabouts(self.jira.scope, ids)
        return [found.get(one) for one in ids]

    def during(self, nth: int, path: str, deed: Callable[[], Any]) -> None:
        """Let something happen after the nth call of a path."""
        session, made = self.jira.session, [0]
        plain = session.call

        def call(method: str, template: str, **options: Any) -> Any:
            answer = plain(method, template, **options)
            if template.endswith(path):
                made[0] += 1
                if made[0] == nth:
                    self.deeds.append(deed())
            return answer

        session.call = call


@pytest.fixture(params=DEPLOYMENTS)
def desk(request: pytest.FixtureRequest, sandbox: Any, open_jira: Any) -> Desk:
    """A desk on three projects of each deployment that has pulled nothing yet."""
    if request.param == "data_center":
        sandbox.be_data_center()
    return Desk(sandbox, open_jira, request.param)


@pytest.fixture
def cloud(sandbox: Any, open_jira: Any) -> Desk:
    """The same on Cloud alone."""
    return Desk(sandbox, open_jira, "cloud")


@pytest.fixture
def server(sandbox: Any, open_jira: Any) -> Desk:
    """The same on Data Center alone, which gives twenty issues at a time and fails beyond row 120."""
    sandbox.be_data_center(page_cap=20, result_window=120)
    return Desk(sandbox, open_jira, "data_center")


def unobserved(batches: list[Batch]) -> dict[str, str]:
    return {scope: batch.why for batch in batches if batch.state == "unobserved" for scope in batch.scopes}


def census(batches: list[Batch]) -> set[str]:
    """The tasks that a proof names."""
    return {one for b in batches if b.state == "complete" and "task" in b.kinds for one in b.census}


# --- moved and renamed ------------------------------------------------------------------------------------------------


def test_an_issue_that_moved_inside_the_scope_is_the_same_issue(desk: Desk) -> None:
    desk.jira.pull()
    before, count = desk.jira.by_key("PAY-30"), len(desk.tasks())
    new = desk.move("PAY-30", "PLAT")
    desk.pull()
    after = desk.jira.by_key(new)
    assert (after.id, len(desk.tasks())) == (before.id, count)
    assert after.scopes == (f"project:{desk.jira.by_key('PLAT').id}",)
    assert before.id in census(desk.jira.pull())


def test_a_project_that_was_renamed_is_read_on_under_the_key_that_the_mapping_has(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.jira.pull()
    ids, project = set(desk.tasks()), desk.jira.by_key("PAY").id
    desk.order(rename_project={"project_key": "PAY", "new_key": "MONEY"})
    desk.edit("MONEY-7", summary="After the new name")
    with caplog.at_level(logging.WARNING):
        batches = desk.pull()
    assert unobserved(batches) == {}
    assert "project PAY is called MONEY now" in caplog.text
    assert desk.jira.by_key("MONEY").id == project
    assert desk.title("MONEY-7") == "After the new name"
    again = desk.jira.pull()
    assert (unobserved(again), census(again), set(desk.tasks())) == ({}, ids, ids)
    assert not [key for key in (one.key for one in desk.tasks().values()) if key.startswith("PAY-")]


def test_a_key_that_leads_nowhere_is_told_with_what_to_do(desk: Desk) -> None:
    desk.scoped(projects=("PAY", "NOPE"))
    found = unobserved(desk.jira.pull())
    assert set(found) == {"project:NOPE"}
    assert "Browse projects" in found["project:NOPE"]


@pytest.mark.parametrize(("key", "to"), [("DWH-12", "PAY"), pytest.param("PAY-30", "DWH", marks=pytest.mark.slow)])
def test_a_move_between_two_pages_of_a_sweep_ends_nothing(server: Desk, key: str, to: str) -> None:
    server.jira.pull()
    moved = server.jira.by_key(key).id
    server.during(4, "/search", lambda: server.move(key, to))
    batches = list(server.jira.connector.pull(server.jira.scope, None, server.jira.known))
    assert unobserved(batches) == {}
    assert server.deeds
    if moved not in census(batches):
        assert server.became(key) == ["there"]
    for batch in batches:
        if batch.state == "observed":
            server.jira.keep(batch)
    server.jira.pull(server.jira.cursor)
    assert server.tasks()[moved].key.startswith(f"{to}-")


# --- gone, and how ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_whatever_became_of_an_issue_is_told_as_far_as_jira_tells_it(desk: Desk, shown: bool) -> None:
    desk.switch(archived_in_search=shown)
    desk.jira.pull()
    keys = ("PAY-30", "PLAT-12", "DWH-12", "PAY-7")
    known = dict(desk.jira.records)
    desk.order(archive_issue={"issue_key": keys[0], "actor": desk.boss})
    desk.move(keys[1], "MOB")
    desk.order(hide_issue={"issue_key": keys[2], "account_id": desk.bot})
    batches = desk.jira.pull()
    left = {record.key for (kind, one), record in known.items() if kind == "task" and one not in census(batches)}
    assert set(keys[:3]) <= left
    assert keys[3] not in left
    desk.jira.records = known
    assert desk.became(*keys) == ["archived", "moved", "hidden", "there"]
    desk.scoped(query="issuetype = Epic")
    assert desk.became(keys[3]) == ["outside"]


def test_a_deleted_issue_is_not_told_from_a_hidden_one(desk: Desk) -> None:
    desk.jira.pull()
    desk.delete("PAY-30")
    assert desk.became("PAY-30") == ["hidden"]


def test_an_archived_project_takes_its_issues_along_and_brings_them_back(desk: Desk) -> None:
    desk.jira.pull()
    ids = {one.id for one in desk.jira.tasks_of("PAY")}
    desk.order(set_project_status={"project_key": "PAY", "status": "archived", "actor": desk.boss})
    batches = desk.pull()
    told = [(b.fate, list(b.census)) for b in batches if b.state == "complete"]
    assert told == [("archived", [])]
    assert (unobserved(batches), desk.jira.tasks_of("PAY")) == ({}, [])
    desk.order(set_project_status={"project_key": "PAY", "status": "live", "actor": desk.boss})
    desk.pull()
    assert {one.id for one in desk.jira.tasks_of("PAY")} == ids


def test_a_project_in_the_trash_is_unobserved_and_says_how_long_it_can_be_restored(cloud: Desk) -> None:
    cloud.jira.pull()
    before = set(cloud.tasks())
    cloud.order(set_project_status={"project_key": "PAY", "status": "deleted", "actor": cloud.boss})
    for batches in (cloud.pull(), cloud.jira.pull()):
        found = unobserved(batches)
        assert found
        assert all("in Jira's trash. Restore it there within 60 days" in why for why in found.values())
    assert set(cloud.tasks()) == before


def test_lost_access_to_a_project_loses_nothing_and_says_what_to_grant(desk: Desk) -> None:
    desk.jira.pull()
    before = set(desk.tasks())
    desk.order(set_role={"project_key": "PAY", "account_id": desk.bot, "role": "none"})
    for batches in (desk.pull(), desk.jira.pull()):
        assert "project:PAY" in unobserved(batches)
        assert "Browse projects" in unobserved(batches)["project:PAY"]
    assert set(desk.tasks()) == before
    desk.order(set_role={"project_key": "PAY", "account_id": desk.bot, "role": "member"})
    assert unobserved(desk.pull()) == {}


# --- an index that is late --------------------------------------------------------------------------------------------


def test_with_an_index_two_minutes_late_and_a_pull_every_minute_nothing_is_lost(cloud: Desk) -> None:
    cloud.jira.pull()
    cloud.switch(**LATE)
    for minute in range(8):
        cloud.edit(f"PAY-{minute + 2}", summary=f"Edited in minute {minute}")
        cloud.sandbox.advance(60)
        cloud.pull()
    for _ in range(3):
        cloud.sandbox.advance(60)
        cloud.pull()
    titles = [cloud.title(f"PAY-{minute + 2}") for minute in range(8)]
    assert titles == [f"Edited in minute {minute}" for minute in range(8)]


def test_an_index_forty_minutes_late_is_caught_up_with_by_looking_back(cloud: Desk) -> None:
    cloud.jira.pull()
    cloud.switch(index_lag_s=2400)
    keys = [f"PAY-{number}" for number in range(2, 12)]
    for key in keys:
        cloud.edit(key, summary="Edited in bulk")
    for minute in range(0, 60, 4):
        cloud.sandbox.advance(240)
        if minute < 36:
            cloud.switch(index_lag_s=0)  # others are indexed at once, and take the watermark along
            cloud.edit("PLAT-12", summary=f"Minute {minute}")
            cloud.switch(index_lag_s=2400)
        cloud.pull()
    assert [cloud.title(key) for key in keys] == ["Edited in bulk"] * len(keys)


def test_what_a_late_index_does_not_list_yet_is_there_all_the_same(cloud: Desk) -> None:
    fields = {"project": {"key": "PAY"}, "issuetype": {"name": "Task"}, "summary": "Just made"}
    cloud.jira.pull()
    cloud.switch(**LATE)
    key = cloud.sandbox.jira("POST", "issue", {"fields": fields}, token="person-1")["key"]
    cloud.switch(index_lag_s=0)
    cloud.pull()
    made = cloud.jira.by_key(key)
    cloud.switch(**LATE)  # another replica of the index, which has not seen it yet
    batches = list(cloud.jira.connector.pull(cloud.jira.scope, None, cloud.jira.known))
    assert made.id not in census(batches)
    assert cloud.became(key) == ["there"]
    cloud.scoped(query="issuetype = Task")
    assert cloud.became(key) == ["there"], "with a filter it is asked for as it is now"
    cloud.scoped(query="issuetype = Epic")
    assert cloud.became(key) == ["outside"]


def test_an_issue_that_a_late_index_lists_and_that_is_deleted_is_gone_and_its_project_proven(cloud: Desk) -> None:
    cloud.jira.pull()
    gone = cloud.jira.by_key("PAY-30").id
    cloud.switch(**LATE)
    cloud.delete("PAY-30")
    batches = cloud.jira.pull()
    assert unobserved(batches) == {}
    assert gone not in census(batches)


# --- clocks and zones -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-1, pytest.param(1, marks=pytest.mark.slow)])
def test_a_clock_of_ours_that_is_an_hour_off_loses_no_change(desk: Desk, hours: int) -> None:
    desk.ahead = dt.timedelta(hours=hours)
    desk.jira.pull()
    for number in range(2, 7):
        desk.edit(f"PAY-{number}", summary=f"Change {number}")
        desk.pull()
        assert desk.title(f"PAY-{number}") == f"Change {number}"
        desk.sandbox.advance(420)


def test_a_clock_of_jiras_that_jumps_loses_no_change(desk: Desk) -> None:
    desk.jira.pull()
    here = dt.timedelta(0)
    for number, jump_s in enumerate((3000, -3000, 3000, -3000), 2):
        desk.sandbox.advance(jump_s)
        here -= dt.timedelta(seconds=jump_s)
        desk.ahead = here  # ours goes on as it did
        desk.edit(f"PAY-{number}", summary=f"Change {number}")
        desk.pull()
        desk.sandbox.advance(960)  # by then a pull looks further back
        desk.pull()
        assert desk.title(f"PAY-{number}") == f"Change {number}"


CHANGES = {  # the hour in which the clocks of a zone are changed, and one of the other direction
    "America/New_York": ("2027-03-14T05:00Z", "2027-11-07T04:00Z"),
    "Asia/Kolkata": ("2027-03-14T05:00Z",),
    "Pacific/Auckland": ("2027-04-03T12:00Z", "2027-09-25T12:00Z"),
}


ZONES = [
    pytest.param(zone, at, marks=[pytest.mark.slow] if number else [])
    for number, (zone, at) in enumerate((zone, at) for zone, several in CHANGES.items() for at in several)
]


@pytest.mark.parametrize(("zone", "begins_at"), ZONES)
def test_no_change_of_clocks_in_the_accounts_zone_loses_a_change(server: Desk, zone: str, begins_at: str) -> None:
    server.scoped(projects=("DWH",))
    server.switch(epoch_jql="refused")
    bot = {"account_id": server.bot, "name": "PMO bot", "email": "pmo-bot@acme.example", "time_zone": zone}
    server.order(add_user=bot)
    server.sandbox.advance((dt.datetime.fromisoformat(begins_at) - server.clock()).total_seconds())
    server.jira.pull()
    for step in range(9):
        server.sandbox.advance(1500)
        server.edit("DWH-7", summary=f"Step {step}")
        server.pull()
        assert server.title("DWH-7") == f"Step {step}", f"{server.clock()}"


def test_an_issue_that_is_edited_all_the_time_is_never_left_behind(desk: Desk) -> None:
    desk.jira.pull()
    for number in range(5):
        desk.during(
            1, "/search/jql" if desk.deployment == "cloud" else "/search", lambda: desk.edit("PAY-7", labels=["hot"])
        )
        desk.edit("PAY-7", summary=f"Edit {number}", labels=[])
        desk.sandbox.advance(5)
        desk.pull()
        assert desk.title("PAY-7") == f"Edit {number}"
    assert len(desk.deeds) >= 5
    desk.pull()
    assert desk.jira.by_key("PAY-7").values["labels"] == ("hot",)


# --- Data Center alone ------------------------------------------------------------------------------------------------


def test_a_server_that_fails_beyond_its_window_is_read_whole(server: Desk, open_jira: Any) -> None:
    batches = server.jira.pull()
    assert unobserved(batches) == {}
    wide = open_jira(server.sandbox.url, deployment="data_center")
    wide.scope = server.jira.scope
    server.switch(page_cap=1000, result_window=10_000)
    wide.pull()
    assert {r.id for r in wide.records.values() if r.kind == "task"} == set(server.tasks())
    assert len(server.tasks()) > 180


@pytest.mark.parametrize("nth", [pytest.param(nth, marks=pytest.mark.slow) for nth in (2, 3, 5)])
def test_an_issue_deleted_between_two_pages_costs_nothing_else(server: Desk, nth: int) -> None:
    server.jira.pull()
    before = set(server.tasks())
    last = sorted(int(one.id) for one in server.jira.tasks_of("PAY"))[19]
    key, plain = server.tasks()[str(last)].key, {one.id: one for one in server.tasks().values()}
    children = {one.id for one in plain.values() if one.values["parent"] == Reference("task", str(last))}
    server.during(nth, "/search", lambda: server.delete(key))
    batches = server.jira.pull()
    assert len(server.deeds) == 1
    if not unobserved(batches):
        assert before - census(batches) <= {str(last)} | children
    server.jira.session.__dict__.pop("call", None)
    assert unobserved(server.jira.pull()) == {}
    assert before - set(server.tasks()) <= {str(last)} | children


@pytest.mark.parametrize(
    ("sprints", "link", "nested"),
    [("objects", "object", "nested"), pytest.param("text", "key", "flat", marks=pytest.mark.slow)],
)
def test_both_shapes_of_sprints_parent_links_and_properties_are_read_alike(
    sandbox: Any, open_jira: Any, sprints: str, link: str, nested: str
) -> None:
    sandbox.be_data_center(sprints=sprints, parent_link=link, issue_properties=nested)
    desk = Desk(sandbox, open_jira, "data_center")
    fields = (*desk.jira.scope.fields, "customfield_10020.latest")
    desk.scoped(fields=fields, projects=("PAY", "LOAN"), slots=("property", "label"))
    desk.jira.pull()
    marks = [desk.jira.change("PAY-7", "property", FLAG), desk.jira.change("PAY-7", "label", "high")]
    assert {receipt.fate for receipt in desk.jira.connector.push(marks)} == {"done"}
    desk.pull()
    assert desk.jira.by_key("PAY-7").marks["property"] == FLAG
    cloud = Desk(sandbox, open_jira, "cloud")
    sandbox.control("POST", "switches", {"jira": {"deployment": "cloud"}})
    cloud.jira.scope = desk.jira.scope
    cloud.jira.pull()
    for name, record in cloud.tasks().items():
        for field in ("parent", "customfield_10020.latest"):
            assert desk.tasks()[name].values.get(field) == record.values.get(field), f"{record.key} {field}"


# --- who changed it last ----------------------------------------------------------------------------------------------


@pytest.fixture
def dated(desk: Desk) -> Desk:
    """A desk that reads when anybody but us changed an issue last."""
    fields = (*desk.jira.scope.fields, "updated")
    slots = ("property", "label", "remote_link", "project_property")
    desk.scoped(fields=fields, history=("status", "duedate"), slots=slots)
    return desk


def test_what_we_write_moves_no_date_also_for_somebody_who_never_saw_it_before(dated: Desk) -> None:
    dated.scoped(projects=("PAY",))
    dated.switch(remote_link_history=True)
    dated.jira.pull()
    before = dated.jira.by_key("PAY-7").values["updated"]
    marks = {"label": "high", "property": FLAG, "remote_link": LINK}
    for slot, value in marks.items():
        dated.sandbox.advance(600)
        assert [r.fate for r in dated.jira.connector.push([dated.jira.change("PAY-7", slot, value)])] == ["done"]
    dated.pull()
    assert dated.jira.by_key("PAY-7").values["updated"] == before
    rebuilt = dated.another()  # with nothing stored
    rebuilt.scope = dated.jira.scope
    rebuilt.pull()
    assert rebuilt.by_key("PAY-7").values["updated"] == before
    dated.sandbox.advance(600)
    dated.edit("PAY-7", summary="By a person")
    dated.pull()
    after = dated.jira.by_key("PAY-7").values["updated"]
    assert after - before >= dt.timedelta(seconds=2400)
    rebuilt.pull()
    assert rebuilt.by_key("PAY-7").values["updated"] == after


def test_booked_time_reaches_the_store_with_what_was_edited_and_deleted(desk: Desk) -> None:
    desk.scoped(worklogs=True)
    desk.jira.pull()

    def booked(key: str) -> list[float]:
        task = desk.jira.by_key(key).id
        rows = [
            r for r in desk.jira.records.values() if r.kind == "worklog" and r.values["task"] == Reference("task", task)
        ]
        return sorted(r.values["spent"].seconds for r in rows)

    def book(key: str, spent: str) -> str:
        made = desk.sandbox.jira("POST", f"issue/{key}/worklog", {"timeSpent": spent}, token="person-1")
        return str(made["id"])

    def gone(batches: list[Batch]) -> None:
        for batch in batches:
            for one in batch.gone:
                desk.jira.records.pop(one, None)

    before = booked("PAY-7")
    first = book("PAY-7", "1h")
    gone(desk.pull())
    assert booked("PAY-7") == before, "Jira leaves the last minute out"
    desk.sandbox.advance(90)
    gone(desk.pull())
    assert booked("PAY-7") == sorted([*before, 3600])
    desk.sandbox.jira("PUT", f"issue/PAY-7/worklog/{first}", {"timeSpent": "3h"}, token="person-1")
    desk.sandbox.advance(90)
    gone(desk.pull())
    assert booked("PAY-7") == sorted([*before, 10800])
    desk.sandbox.jira("DELETE", f"issue/PAY-7/worklog/{first}", token="person-1")
    desk.sandbox.advance(90)
    gone(desk.pull())
    assert booked("PAY-7") == before
