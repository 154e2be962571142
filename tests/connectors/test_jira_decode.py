"""Checks how Jira's JSON becomes values: by schema, odd values, documents, and answers that were recorded from Jira."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pmosync.contract import Choice, Duration, Link, Person, Reference, Scope
from pmosync.errors import Unreadable
from pmosync_jira.adf import to_text
from pmosync_jira.decode import reader_of
from pmosync_jira.marks import LABELS, label_edit, label_mark
from pmosync_jira.records import Decoder

STRUCTURES = frozenset({
    "project", "watches", "votes", "comment", "timetracking", "progress", "aggregateprogress", "worklog", "attachment",
    "issuerestriction",
})  # fmt: skip
"""Fields that are no single value and no list of values: not provided."""

CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"


def field(name: str, kind: str, items: str | None = None) -> dict[str, Any]:
    """A field as `GET /field` describes it."""
    return {"id": name, "name": name, "schema": {"type": kind, "items": items, "custom": CUSTOM + "any"}}


ABOVE = {"id": "c1", "schema": {"type": "any", "custom": "com.atlassian.jpo:jpo-custom-field-parent"}}


def decoder(*fields: dict[str, Any]) -> Decoder:
    """A decoder for a site with these fields."""
    session = SimpleNamespace(host="acme.example", base_url="https://acme.example")
    site = SimpleNamespace(
        session=session, links_at="https://acme.example", readers={one["id"]: reader_of(one) for one in fields}
    )
    return Decoder(site)  # type: ignore[arg-type]


def issue(**fields: Any) -> dict[str, Any]:
    """An issue with what every issue has, and these fields."""
    always = {
        "project": {"id": "10000", "key": "PAY"},
        "created": "2026-04-28T15:33:15.438+0200",
        "updated": "2026-04-28T15:33:15.492+0200",
    }
    return {"id": "10006", "key": "PAY-6", "fields": always | fields}


@pytest.mark.parametrize(
    ("described", "raw", "value"),
    [
        (field("c1", "string"), "text", "text"),
        (field("c1", "number"), 2.5, 2.5),
        (field("c1", "date"), "2026-11-21", dt.date(2026, 11, 21)),
        (field("c1", "datetime"), "2026-11-21T12:00:00.000+0100", dt.datetime(2026, 11, 21, 11, tzinfo=dt.UTC)),
        (field("c1", "option"), {"id": 7, "value": "Red"}, Choice("7", "Red")),
        (
            field("c1", "option-with-child"),
            {"id": "7", "value": "EU", "child": {"id": "8", "value": "DE"}},
            Choice("8", "EU / DE"),
        ),
        (field("c1", "array", "option"), [{"id": "7", "value": "Red"}], (Choice("7", "Red"),)),
        (field("c1", "array", "string"), ["a", "b"], ("a", "b")),
        (field("c1", "user"), {"accountId": "a1"}, Person("a1")),
        (field("c1", "array", "user"), [{"accountId": "a1", "active": False}], (Person("a1", active=False),)),
        (field("c1", "array", "version"), [{"id": "1", "name": "2.0"}], (Choice("1", "2.0"),)),
        (field("c1", "array", "json"), [{"id": 1, "name": "S1", "state": "active"}], (Choice("1", "S1", "active"),)),
        (field("c1", "any"), "0|hzzzz:", "0|hzzzz:"),
        (field("timespent", "number"), 3600, Duration(3600)),
        (field("parent", "issuelink"), {"id": "9", "key": "PAY-1"}, Reference("task", "9")),
        (
            field("issuelinks", "array", "issuelinks"),
            [{"id": "1", "type": {"id": "10000", "name": "Blocks"}, "inwardIssue": {"id": "4"}}],
            (Link("10000", "Blocks", "inward", "4"),),
        ),
        (field("labels", "array", "string"), ["team", *LABELS, "pmo-board"], ("team", "pmo-board")),
        (ABOVE, {"showField": True, "data": {"id": 9, "key": "PAY-1"}}, Reference("task", "9")),
        (ABOVE, {"showField": False, "nonEditableReason": {"reason": "PLUGIN_LICENSE_ERROR"}}, None),
        (ABOVE, "PAY-1", "PAY-1"),
    ],
)  # fmt: skip
def test_a_field_is_read_by_its_schema(described: dict[str, Any], raw: Any, value: Any) -> None:
    name = described["id"]
    record = decoder(described).task(issue(**{name: raw}), Scope(fields=(name,)))
    assert record.values[name] == value


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("number", "12"), ("number", True), ("date", "21.11.2026"), ("datetime", "2026-11-21T12:00:00"),
        ("option", {"id": "1"}), ("option", "Red"), ("user", {"name": "bob"}), ("array", "no list"),
        ("user", {"accountId": "", "displayName": "Bob"}), ("user", {"key": "", "name": "", "displayName": "Bob"}),
        ("string", {"type": "paragraph"}), ("comments-page", {"comments": []}),
    ],
)  # fmt: skip
def test_a_value_of_an_unexpected_shape_is_not_provided_and_costs_nothing_else(kind: str, odd: Any) -> None:
    one = decoder(field("c1", kind), field("summary", "string"))
    for _ in range(2):
        record = one.task(issue(c1=odd, summary="Still here"), Scope(fields=("c1", "summary")))
        assert "c1" not in record.values
        assert record.values["summary"] == "Still here"
    assert one.odd == Counter({"c1": 2})


def test_null_is_observed_and_empty_and_an_absent_key_is_not_provided() -> None:
    one = decoder(field("duedate", "date"), field("c1", "number"), field("parent", "issuelink"))
    record = one.task(issue(duedate=None), Scope(fields=("duedate", "c1", "parent", "not a field")))
    assert record.values["duedate"] is None
    assert "c1" not in record.values
    assert record.values["parent"] is None


def test_an_answer_without_what_every_issue_has_is_unreadable() -> None:
    broken = issue()
    del broken["fields"]["updated"]
    with pytest.raises(Unreadable, match="updated"):
        decoder().task(broken, Scope())


def test_the_label_edit_never_sets_the_list_and_names_only_our_labels() -> None:
    for after in (None, "critical", "info"):
        operations = label_edit(after)
        assert {verb for one in operations for verb in one} <= {"add", "remove"}
        assert {label for one in operations for label in one.values()} == set(LABELS)
    assert label_mark(["x", "pmo-info", "pmo-high"]) == "high,info"
    assert label_mark(["x", "pmo-board"]) is None


def test_a_document_becomes_lines_of_text() -> None:
    document = {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "paragraph", "content": [
                {"type": "text", "text": "Ask "}, {"type": "mention", "attrs": {"id": "1", "text": "@Mia"}},
                {"type": "hardBreak"}, {"type": "text", "text": "today"},
            ]},
            {"type": "bulletList", "content": [
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": word}]}]}
                for word in ("one", "two")
            ]},
            {"type": "unheardOf", "content": [{"type": "inlineCard", "attrs": {"url": "https://acme.example"}}]},
        ],
    }  # fmt: skip
    assert to_text(document) == "Ask @Mia\ntoday\none\ntwo\nhttps://acme.example"


# --- recorded answers -----------------------------------------------------------------------------------------------


def recorded_fields(shared: Path) -> list[dict[str, Any]]:
    """The fields of the recorded site."""
    recorded = json.loads((shared / "data/jira/nango_cloud_v3/list-fields.test.json").read_text())
    found: list[dict[str, Any]] = next(iter(recorded["api"]["get"].values()))["response"]
    return found


def issues_in(data: Any) -> list[dict[str, Any]]:
    """Every issue with fields anywhere in recorded data."""
    if isinstance(data, list):
        return [found for item in data for found in issues_in(item)]
    if not isinstance(data, dict):
        return []
    fields = data.get("fields")
    here = [data] if isinstance(fields, dict) and {"project", "updated", "created"} <= set(fields) else []
    return here + [found for item in data.values() for found in issues_in(item)]


@pytest.mark.shared
def test_the_recorded_cloud_issues_decode_without_an_odd_value(shared: Path) -> None:
    fields = recorded_fields(shared)
    wanted = tuple(f["id"] for f in fields if f["id"] not in STRUCTURES)
    one, count = decoder(*fields), 0
    for path in sorted((shared / "data/jira/nango_cloud_v3").glob("*.json")):
        for raw in issues_in(json.loads(path.read_text())["api"]):
            record = one.task(raw, Scope(fields=wanted, slots=("label",)))
            count += 1
            assert isinstance(record.values["status"], Choice)
            assert record.values["status"].category in ("new", "indeterminate", "done")
            assert isinstance(record.values["summary"], str)
            assert isinstance(record.values["reporter"], Person)
    assert count >= 10
    assert one.odd == Counter()


@pytest.mark.shared
def test_the_recorded_har_issues_and_users_decode(shared: Path) -> None:
    one, count = decoder(*recorded_fields(shared)), 0
    for path in sorted((shared / "data/jira/har_jupiterone").glob("*.har")):
        for entry in json.loads(path.read_text())["log"]["entries"]:
            text = entry["response"]["content"].get("text") or "null"
            if entry["response"]["status"] != 200 or text.startswith("<"):
                continue
            for raw in issues_in(json.loads(text)):
                names = ("summary", "status", "assignee", "creator", "duedate", "labels", "description", "issuelinks")
                record = one.task(raw, Scope(fields=names))
                count += 1
                assert set(record.values) >= set(names) - {"issuelinks"}
    assert count >= 16
    assert one.odd == Counter()


@pytest.mark.shared
def test_the_published_document_keeps_every_word(shared: Path) -> None:
    folder = shared / "data/jira/adf_jiraps"
    text = to_text(json.loads((folder / "adf.sample.json").read_text()))
    for words in (
        "Header 6",
        "struked out",
        "Action Item",
        "Oliver Lipkau",
        "lorem",
        "import os",
        "info widget",
        "quote",
    ):
        assert words in text


@pytest.mark.shared
def test_the_recorded_projects_and_users_become_records(shared: Path) -> None:
    folder, one = shared / "data/jira/nango_cloud_v3", decoder()
    projects = next(iter(json.loads((folder / "projects.test.json").read_text())["api"]["get"].values()))["response"]
    for raw in projects["values"]:
        record = one.project(raw, Scope(slots=("project_property",)))
        assert (record.key, record.marks) == (raw["key"], {"project_property": None})
