"""Checks how histories of Jira issues are decoded, what is told from our own moves, and when somebody changed last."""

from __future__ import annotations

import csv
import datetime as dt
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pmosync.contract import Choice, Duration, Event, Person, Reference, decode_event, encode_event
from pmosync.marks import Flagged, flag
from pmosync.standards import load_packs
from pmosync.workdays import workdays
from pmosync_jira import history
from pmosync_jira.deployment import BrokenPaging
from pmosync_jira.history import Entry, Histories, History, last_change, moment
from pmosync_jira.history_values import Names
from pmosync_jira.marks import LABELS

from .jira_script import API, SERVER, Script, session_on

SHARED = Path(__file__).resolve().parents[3] / "shared"
FIELDS = [
    {"id": "summary", "name": "Zusammenfassung", "schema": {"type": "string", "system": "summary"}},
    {"id": "status", "name": "Status", "schema": {"type": "status", "system": "status"}},
    {"id": "issuetype", "name": "Vorgangstyp", "schema": {"type": "issuetype", "system": "issuetype"}},
    {"id": "priority", "name": "Priorität", "schema": {"type": "priority", "system": "priority"}},
    {"id": "assignee", "name": "Zugewiesen", "schema": {"type": "user", "system": "assignee"}},
    {"id": "duedate", "name": "Fälligkeitsdatum", "schema": {"type": "date", "system": "duedate"}},
    {"id": "labels", "name": "Stichwörter", "schema": {"type": "array", "items": "string", "system": "labels"}},
    {"id": "parent", "name": "Parent", "schema": {"type": "issuelink", "system": "parent"}},
    {"id": "project", "name": "Projekt", "schema": {"type": "project", "system": "project"}},
    {"id": "issuekey", "name": "Key"},
    {"id": "fixVersions", "name": "Lösungsversionen", "schema": {"type": "array", "items": "version"}},
    {"id": "components", "name": "Komponenten", "schema": {"type": "array", "items": "component"}},
    {"id": "timeoriginalestimate", "name": "Schätzung", "schema": {"type": "number"}},
    {"id": "timeestimate", "name": "Restschätzung", "schema": {"type": "number"}},
    *(
        {"id": f"customfield_{n}", "name": name, "custom": True, "schema": {"custom": f"x:{n}", **schema}}
        for n, name, schema in (
            (1, "Start", {"type": "date"}),
            (2, "Go-live", {"type": "datetime"}),
            (3, "Story Points", {"type": "number"}),
            (4, "Risiko", {"type": "option"}),
            (5, "Märkte", {"type": "array", "items": "option"}),
            (6, "Prüfer", {"type": "array", "items": "user"}),
            (7, "Bereich", {"type": "option-with-child"}),
            (8, "Zwilling", {"type": "number"}),
            (9, "Zwilling", {"type": "number"}),
            (10, "Sprint-Feld", {"type": "array", "items": "json", "custom": "com.pyxis.greenhopper.jira:gh-sprint"}),
            (11, "Epos", {"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-epic-link"}),
            (12, "PMO compliance", {"type": "option"}),
            (13, "Status", {"type": "string"}),
        )
    ),
]
OPTIONS = {
    "status": {
        "1": Choice("1", "Offen", "new"),
        "3": Choice("3", "In Arbeit", "indeterminate"),
        "6": Choice("6", "Fertig", "done"),
    },
    "issuetype": {"10001": Choice("10001", "Story", "0")},
}
NOON = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
ANN = {"accountId": "ann", "displayName": "Ann", "emailAddress": "ann@acme.example", "active": True}
EVERY = tuple(str(one["id"]) for one in FIELDS)


def row(number: int, *items: dict[str, Any], at: Any = None, by: Any = ANN) -> dict[str, Any]:
    created = at or (NOON + dt.timedelta(minutes=number)).isoformat(timespec="milliseconds")
    return {"id": str(number), "created": created, "author": by, "items": list(items)}


def move(
    field: str, before: tuple[Any, Any], after: tuple[Any, Any], *, kind: str = "jira", **more: Any
) -> dict[str, Any]:
    said = {"from": before[0], "fromString": before[1], "to": after[0], "toString": after[1]}
    return {"field": field, "fieldtype": kind, **said, **more}


def histories(*wanted: str, ours: tuple[str, ...] = ()) -> Histories:
    return Histories(Names(FIELDS), wanted or EVERY, lambda name: OPTIONS.get(name, {}), ours, "acme.example")


def read(*rows: dict[str, Any], wanted: tuple[str, ...] = (), ours: tuple[str, ...] = ()) -> History:
    return histories(*wanted, ours=ours).read(rows)


def only(*rows: dict[str, Any]) -> Event:
    (event,) = read(*rows).events
    return event


NONE = (None, None)


@pytest.mark.parametrize(
    ("item", "field", "before", "after"),
    [
        (
            move("status", ("1", "Open"), ("6", "Closed"), fieldId="status"),
            "status", Choice("1", "Offen", "new"), Choice("6", "Fertig", "done"),
        ),
        (
            move("Status", ("77", "Waiting"), ("3", "Doing")),
            "status", Choice("77", "Waiting"), Choice("3", "In Arbeit", "indeterminate"),
        ),
        (
            move("duedate", ("2026-05-01", "2026-05-01 00:00:00.0"), NONE),
            "duedate", dt.date(2026, 5, 1), None,
        ),
        (move("duedate", NONE, (None, "2026-06-17 00:00:00.0")), "duedate", None, dt.date(2026, 6, 17)),
        (
            move("assignee", (None, ""), ("old-key", "Bo"), tmpToAccountId="bo-id"),
            "assignee", None, Person("bo-id", "Bo"),
        ),
        (move("assignee", ("gone-user", "Former user"), NONE), "assignee", Person("gone-user", "Former user"), None),
        (move("timeoriginalestimate", NONE, ("7200", "7200")), "timeoriginalestimate", None, Duration(7200)),
        (move("priority", ("3", "Medium"), ("2", "High")), "priority", Choice("3", "Medium"), Choice("2", "High")),
        (
            move("issuetype", ("10002", "Task"), ("10001", "Story (old name)")),
            "issuetype", Choice("10002", "Task"), Choice("10001", "Story", "0"),
        ),
        (
            move("IssueParentAssociation", ("10010", "PAY-1"), ("10020", "PAY-2")),
            "parent", Reference("task", "10010"), Reference("task", "10020"),
        ),
        (move("Parent Issue", ("10010", "PAY-1"), NONE), "parent", Reference("task", "10010"), None),
        (move("labels", (None, "a pmo-high"), (None, "b")), "labels", ("a",), ("b",)),
        (move("labels", (None, "a"), (None, "")), "labels", ("a",), ()),
        (move("Fix Version", NONE, ("10000", "v1")), "fixVersions", None, Choice("10000", "v1")),
        (move("Component", ("10000", "UI, web"), NONE), "components", Choice("10000", "UI, web"), None),
        (move("summary", (None, "Old"), (None, "New")), "summary", "Old", "New"),
        (move("Key", (None, "OPS-1"), (None, "PAY-9")), "issuekey", "OPS-1", "PAY-9"),
        (
            move("project", ("10000", "Operations"), ("10001", "Payments")),
            "project", Reference("project", "10000"), Reference("project", "10001"),
        ),
        (
            move("Sprint", ("34", "Sprint 1"), ("34, 38", "Sprint 1, Sprint 2"), kind="custom"),
            "customfield_10", (Choice("34", "Sprint 1"),), (Choice("34", "Sprint 1"), Choice("38", "Sprint 2")),
        ),
        (
            move("Sprint", ("34", "Fast, cheap"), ("34, 38", "Fast, cheap, Two"), kind="custom"),
            "customfield_10", (Choice("34", "Fast, cheap"),), (Choice("34", "34"), Choice("38", "38")),
        ),
        (
            move("Start", ("2026-05-01", "01/May/26"), ("2026-05-08", "08/May/26"), kind="custom"),
            "customfield_1", dt.date(2026, 5, 1), dt.date(2026, 5, 8),
        ),
        (
            move("Go-live", NONE, ("2026-05-01T14:02+0200", "01/May/26 2:02 PM"), kind="custom"),
            "customfield_2", None, dt.datetime(2026, 5, 1, 12, 2, tzinfo=dt.UTC),
        ),
        (move("story points", (None, "3"), (None, "5.5"), kind="custom"), "customfield_3", 3, 5.5),
        (move("Risiko", NONE, ("10035", "hoch"), kind="custom"), "customfield_4", None, Choice("10035", "hoch")),
        (
            move("Märkte", NONE, ("[10025, 10026]", "DE,AT"), kind="custom"),
            "customfield_5", None, (Choice("10025", "DE"), Choice("10026", "AT")),
        ),
        (
            move("Prüfer", ("[ann, bo]", "[Ann, Bo]"), ("[bo]", "[Bo]"), kind="custom"),
            "customfield_6", (Person("ann", "Ann"), Person("bo", "Bo")), (Person("bo", "Bo"),),
        ),
        (
            move("Bereich", NONE, ("Parent values: IT(10100)Level 1 values: Ops(10101)",) * 2, kind="custom"),
            "customfield_7", None, Choice("10101", "IT / Ops"),
        ),
        (move("Status", NONE, (None, "a text"), kind="custom"), "customfield_13", None, "a text"),
        (
            move("Epic Link", NONE, ("95228", "PAY-36"), kind="custom"),
            "customfield_11", None, Reference("task", "95228"),
        ),
    ],
)  # fmt: skip
def test_a_move_reads_like_the_value_of_the_record(item: dict[str, Any], field: str, before: Any, after: Any) -> None:
    event = only(row(1, item))
    assert (event.field, event.before, event.after) == (field, before, after)
    assert event.by == Person("ann", "Ann", "ann@acme.example", True)
    assert decode_event(encode_event(event)) == event


def test_an_epic_link_is_a_move_of_the_parent_where_the_mapping_reads_the_parent_and_is_told_once() -> None:
    told_twice = row(
        1,
        move("IssueParentAssociation", NONE, ("95228", "PAY-36")),
        move("Epic Link", NONE, ("95228", "PAY-36"), kind="custom"),
    )
    (event,) = read(told_twice, wanted=("parent",)).events
    assert (event.field, event.after) == ("parent", Reference("task", "95228"))


def test_events_come_oldest_first_whatever_order_they_were_given_in_and_each_once() -> None:
    rows = [row(n, move("status", ("1", "x"), ("3", str(n)), fieldId="status"), at=NOON.isoformat()) for n in (10, 9)]
    late = row(2, move("status", ("3", "x"), ("6", "y")), at="2026-05-04T16:00:00.000+0200")
    found = read(late, *rows, rows[0])
    assert [event.id for event in found.events] == ["9", "2"], (
        "two entries of one moment that say the same are one move"
    )
    assert [entry.id for entry in found.entries] == ["9", "10", "2"]


def test_only_the_fields_that_were_asked_for_become_events_but_every_save_is_an_entry() -> None:
    found = read(
        row(1, move("status", ("1", "x"), ("3", "y"))),
        row(2, move("summary", (None, "a"), (None, "b"))),
        wanted=("status",),
    )
    assert [event.field for event in found.events] == ["status"]
    assert [entry.id for entry in found.entries] == ["1", "2"]


def test_an_odd_row_is_counted_told_once_and_loses_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    reader = histories()
    with caplog.at_level(logging.WARNING):
        found = reader.read(
            [
                row(1, move("duedate", NONE, (None, "01/May/26")), move("status", ("1", "x"), ("3", "y"))),
                row(2, move("duedate", NONE, (None, "02/May/26"))),
                row(3, move("Zwilling", NONE, (None, "3"), kind="custom")),
                row(4, move("assignee", NONE, (None, "Somebody"))),
                {"id": "5", "created": "yesterday", "items": []},
                row(6, move("status", ("3", "y"), ("6", "z"))),
            ]
        )
    assert [event.after for event in found.events] == [OPTIONS["status"]["3"], OPTIONS["status"]["6"]]
    assert reader.odd == {"duedate": 2, "customfield_8": 1, "assignee": 1, "history": 1}
    assert len([one for one in caplog.messages if "duedate" in one]) == 1
    assert "acme.example" in caplog.text


def test_an_entry_without_an_author_was_made_by_nobody_that_is_known_and_data_center_names_people_by_key() -> None:
    assert only(row(1, move("summary", NONE, (None, "b")), by=None)).by is None
    server = {"key": "JIRAUSER10100", "name": "bo", "displayName": "Bo", "active": False}
    assert only(row(1, move("summary", NONE, (None, "b")), by=server)).by == Person("JIRAUSER10100", "Bo", None, False)


def test_instants_of_bulk_answers_may_be_numbers() -> None:
    seconds = int(NOON.timestamp())
    assert moment(seconds) == moment(seconds * 1000) == moment("2026-05-04T14:00:00.000+0200") == NOON
    with pytest.raises(ValueError, match="zone"):
        moment("2026-05-04T14:00:00")


# --- whose ----------------------------------------------------------------------------------------------------------

OUR_LINK = 'This issue links to "PMO: 2 findings: no owner; overdue (Web Link)"'


@pytest.mark.parametrize(
    ("items", "whose"),
    [
        ([move("labels", (None, "a"), (None, "a pmo-high"))], "ours"),
        ([move("labels", (None, "a pmo-high"), (None, "pmo-low a"))], "ours"),
        ([move("labels", (None, "pmo-high"), (None, ""))], "ours"),
        ([move("labels", (None, "a"), (None, "b pmo-high"))], "somebody"),
        ([move("labels", (None, "pmo-board"), (None, ""))], "somebody"),
        ([move("RemoteIssueLink", NONE, ("17838", OUR_LINK))], "ours"),
        ([move("RemoteWorkItemLink", ("17838", OUR_LINK), NONE)], "ours"),
        ([move("RemoteIssueLink", NONE, ("1", '这个事务链接到 "PMO: 1 finding: no owner (网页链接)"'))], "ours"),
        ([move("RemoteIssueLink", NONE, ("1", 'This issue links to "PMO handbook (Web Link)"'))], "somebody"),
        ([move("PMO compliance", NONE, ("1", "high"), kind="custom", fieldId="customfield_12")], "ours"),
        ([move("PMO compliance", NONE, ("1", "high"), kind="custom")], "ours"),
        ([move("Comment", ("1", "old"), ("1", "new"))], "comment"),
        ([move("Comment", (None, "old"), (None, "new"), kind="custom")], "somebody"),
        ([move("Labels", (None, "a"), (None, "a pmo-high"), kind="custom")], "somebody"),
        ([move("Comment", ("1", "old"), ("1", "new")), move("labels", NONE, (None, "pmo-high"))], "comment"),
        ([move("labels", NONE, (None, "pmo-high")), move("status", ("1", "x"), ("3", "y"))], "somebody"),
        ([move("labels", NONE, (None, "pmo-high")), move("RemoteIssueLink", NONE, ("1", OUR_LINK))], "ours"),
        ([], "somebody"),
    ],
)
def test_what_moved_tells_whose_move_it_was_and_the_author_never_does(items: list[dict[str, Any]], whose: str) -> None:
    for by in (ANN, {"accountId": "pmo-bot", "displayName": "pmosync"}):
        found = read(row(1, *items, by=by), ours=("customfield_12",))
        assert [entry.whose for entry in found.entries] == [whose]
        if whose == "ours":
            assert found.events == ()


@pytest.mark.parametrize("names", [["SCH201"], ["DAT101", "SCH201", "DAT102"]])
def test_our_link_is_recognised_by_the_title_that_flags_really_have(names: list[str]) -> None:
    starter = {one.id: one for one in load_packs(["starter"], Path())}
    found = [Flagged(starter[name], 20_000) for name in names]
    mark = json.loads(str(flag(found, "link", 255, workdays(frozenset(range(5)), ()), "https://pmo.acme.example/")))
    told = move("RemoteIssueLink", NONE, ("1", f'This issue links to "{mark["title"]} (Web Link)"'))
    assert [entry.whose for entry in read(row(1, told)).entries] == ["ours"]


def at(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


def entries(*told: tuple[float, str]) -> list[Entry]:
    return [Entry(str(n), at(minutes), whose) for n, (minutes, whose) in enumerate(told)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "updated", "marks", "expected"),
    [
        ([], 0, {}, 0),
        ([], 7, {}, 7),
        ([], 7, {"remote_link": "{}"}, 0),
        ([(5, "somebody")], 5, {}, 5),
        ([(5, "somebody"), (9, "ours")], 9, {}, 5),
        ([(5, "ours")], 5, {}, 0),
        ([(5, "somebody")], 5 + 1 / 60, {}, 5),
        ([(5, "somebody"), (9, "ours")], 11, {}, 11),
        ([(5, "somebody"), (9, "ours")], 11, {"comment": "text"}, 5),
        ([(5, "somebody"), (9, "ours")], 11, {"comment": None, "remote_link": None}, 11),
        ([(5, "somebody"), (9, "comment")], 9, {}, 9),
        ([(5, "somebody"), (9, "comment")], 9, {"comment": "text"}, 5),
    ],
)
def test_the_last_change_is_the_newest_by_anybody_but_us(
    told: list[tuple[float, str]], updated: float, marks: dict[str, str | None], expected: float
) -> None:
    assert last_change(at(updated), at(0), entries(*told), marks) == at(expected)


# --- the calls ------------------------------------------------------------------------------------------------------

BULK = "POST /changelog/bulkfetch"


def log_of(issue_id: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"issueId": issue_id, "changeHistories": list(rows)}


def test_bulk_answers_are_put_together_over_pages_and_an_issue_without_moves_has_none() -> None:
    first = {"issueChangeLogs": [log_of("1", row(1)), log_of("2", row(2))], "nextPageToken": "t"}
    jira = Script({BULK: [first, {"issueChangeLogs": [log_of("1", row(3))], "nextPageToken": None}]})
    found = history.in_bulk(jira, API, ["1", "2", "3"], ["status"])  # type: ignore[arg-type]
    assert {name: [one["id"] for one in rows] for name, rows in found.items()} == {"1": ["1", "3"], "2": ["2"], "3": []}
    assert [asked.get("nextPageToken") for _, asked in jira.asked] == [None, "t"]
    assert jira.asked[0][1]["fieldIds"] == ["status"]


@pytest.mark.parametrize(
    "second",
    [
        {"issueChangeLogs": [], "nextPageToken": "u"},
        {"issueChangeLogs": [log_of("1", row(2))], "nextPageToken": "t"},
    ],
)
def test_bulk_paging_that_does_not_come_to_its_end_is_no_end(second: dict[str, Any]) -> None:
    jira = Script({BULK: [{"issueChangeLogs": [log_of("1", row(1))], "nextPageToken": "t"}, second]})
    with pytest.raises(BrokenPaging):
        history.in_bulk(jira, API, ["1"])  # type: ignore[arg-type]


def test_a_call_is_limited_to_fields_only_where_no_needed_row_can_be_missed() -> None:
    assert history.limited_to(["status", "duedate"], everything=False) == ("duedate", "status")
    assert history.limited_to(["status"], everything=True) == ()
    assert history.limited_to(["status", "parent"], everything=False) == ()
    assert history.limited_to([f"customfield_{n}" for n in range(11)], everything=False) == ()


def test_a_history_inside_an_issue_counts_only_when_it_is_whole() -> None:
    whole = {"changelog": {"startAt": 0, "maxResults": 1, "total": 1, "histories": [row(1)]}}
    assert history.embedded(whole) == [row(1)]
    assert history.embedded({"changelog": whole["changelog"] | {"total": 2}}) is None
    assert history.embedded({}) is None


def test_data_center_gives_a_history_with_its_issue_and_half_of_one_is_refused() -> None:
    whole = {"id": "7", "changelog": {"total": 1, "histories": [row(1)]}}
    assert history.expanded(Script({"GET /issue/7": whole}), API, "7") == [row(1)]  # type: ignore[arg-type]
    half = {"id": "7", "changelog": {"total": 300, "histories": [row(1)]}}
    with pytest.raises(BrokenPaging, match="1 of 300"):
        history.expanded(Script({"GET /issue/7": half}), API, "7")  # type: ignore[arg-type]


def test_the_sandbox_tells_a_move_and_our_own_label(sandbox: Any) -> None:
    session = session_on(sandbox)
    issue = session.call("GET", f"{API}/issue/PAY-2", params={"fields": "labels,duedate"}).data
    path = f"{API}/issue/{issue['id']}"
    session.call("PUT", path, params={"notifyUsers": False}, json={"fields": {"duedate": "2026-12-24"}})
    session.call("PUT", path, params={"notifyUsers": False}, json={"update": {"labels": [{"add": LABELS[0]}]}})
    names = Names(session.call("GET", f"{API}/field").data)
    reader = Histories(names, ("duedate", "labels"), lambda _: {})
    together = reader.read(history.in_bulk(session, API, [issue["id"]])[issue["id"]])
    assert [(one.field, one.after) for one in together.events][-1] == ("duedate", dt.date(2026, 12, 24))
    assert [entry.whose for entry in together.entries][-2:] == ["somebody", "ours"]
    assert not reader.odd


def test_a_link_of_ours_in_a_history_is_ours_and_one_of_others_is_not(sandbox: Any) -> None:
    sandbox.control("POST", "switches", {"jira": {"remote_link_history": True}})
    session = session_on(sandbox)
    issue_id = session.call("GET", f"{API}/issue/PAY-2", params={"fields": "summary"}).data["id"]
    for title in ("PMO: 1 finding: overdue", "PMO handbook"):
        target = {"url": "https://pmo.acme.example/", "title": title}
        session.call("POST", f"{API}/issue/{issue_id}/remotelink", json={"globalId": title, "object": target})
    rows = history.in_bulk(session, API, [issue_id])[issue_id]
    assert [entry.whose for entry in histories("status").read(rows).entries][-2:] == ["ours", "somebody"]


def test_the_sandbox_tells_the_same_as_data_center(sandbox: Any) -> None:
    sandbox.control("POST", "switches", {"jira": {"deployment": "data_center"}})
    session = session_on(sandbox)
    issue_id = session.call("GET", f"{SERVER}/issue/PAY-2", params={"fields": "summary"}).data["id"]
    for edit in ({"fields": {"duedate": "2026-12-24"}}, {"update": {"labels": [{"add": LABELS[0]}]}}):
        session.call("PUT", f"{SERVER}/issue/{issue_id}", json=edit)
    names = Names(session.call("GET", f"{SERVER}/field").data)
    found = Histories(names, ("duedate",), lambda _: {}).read(history.expanded(session, SERVER, issue_id))
    (event,) = found.events
    assert (event.field, event.after, event.by and event.by.id) == ("duedate", dt.date(2026, 12, 24), "pmo-bot")
    assert [entry.whose for entry in found.entries][-2:] == ["somebody", "ours"]


# --- what real sites recorded ---------------------------------------------------------------------------------------


def recorded() -> list[tuple[str, dict[str, Any]]]:
    folder = SHARED / "data/jira"
    if not folder.exists():
        pytest.skip("the recorded answers are not beside the project")
    csv.field_size_limit(10_000_000)
    found: list[tuple[str, dict[str, Any]]] = []
    with (folder / "devlake_raw_tables/_raw_jira_api_issue_changelogs.csv").open() as file:
        found += [("devlake", json.loads(line["data"])) for line in csv.DictReader(file)]
    answer = json.loads((folder / "nango_cloud_v3/get-issue-changelog.test.json").read_text())
    found += [("nango", one) for one in answer["output"]["changelog"]]
    for path in sorted((folder / "webhooks_mattermost").glob("*.json")):
        told = json.loads(path.read_text())
        if "changelog" in told:
            entry = {"id": "0", **told["changelog"], "created": told["timestamp"], "author": told.get("user")}
            found.append(("mattermost", entry))
    return found


def test_every_recorded_history_is_read() -> None:
    rows = recorded()
    reader = histories()
    by_site: dict[str, list[Event]] = {}
    count = 0
    for site, entry in rows:
        found = reader.read([entry])
        count += len(found.entries)
        by_site.setdefault(site, []).extend(found.events)
    assert count == len(rows) > 300
    assert reader.odd == {"customfield_10": 1}, "one payload names its sprints without their ids"
    moved = {event.field for events in by_site.values() for event in events}
    assert moved >= {"status", "priority", "assignee", "summary", "fixVersions", "components", "customfield_10"}
    sprints = [event for event in by_site["devlake"] if event.field == "customfield_10"]
    assert len(sprints) == 12
    assert all(isinstance(event.after, tuple) for event in sprints)
