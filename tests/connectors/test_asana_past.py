"""What happened to Asana's tasks: moves as the stories tell them, and when anybody but us changed a task last."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SHARED, Sandbox

from pmosync.contract import Change, Choice, Duration, Event, Person, Record, Reference, Scope, Slot, Value
from pmosync_asana import decode
from pmosync_asana.pulling.past import TOLD_IN, Past, fields_for, question
from pmosync_asana.pulling.stories import Stories
from pmosync_asana.pulling.touch import Touch
from pmosync_asana.writing.comment_slot import HEADING

from .asana_kit import Client, after_a_first_pull

ME, ANN = "1", "2"
MADE = dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC)
OFFICIAL = SHARED / "specs/asana_oas.json.gz"
RECORDED = SHARED / "data/asana/nango/list-stories-for-task.test.json"
PINS = {"task.field": "900"}


def moment(minute: float) -> str:
    return (MADE + dt.timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def story(minute: float, subtype: str, by: str | None = ANN, **told: Any) -> dict[str, Any]:
    who = {"gid": by, "name": "Ann", "resource_type": "user"} if by else None
    kind = "comment" if subtype == "comment_added" else "system"
    base = {"gid": str(1000 + int(minute * 10)), "created_at": moment(minute), "resource_subtype": subtype}
    return {**base, "type": kind, "created_by": who, **told}


def task(modified: float = 0, marks: dict[str, str | None] | None = None, /, **values: Any) -> Record:
    version = f"{moment(modified)} abc"
    return Record("task", "7", "7", "", version, ("project:10",), {"created_at": MADE, **values}, marks or {})


def valued(gid: str, value: Value) -> Record:
    return Record("task", "7", "7", "", "", ("project:10",), {gid: value})


def compact(gid: str, name: str) -> dict[str, str]:
    return {"gid": gid, "name": name}


def moves(told: list[dict[str, Any]], *wanted: str, of: Record | None = None) -> list[tuple[str, Value, Value]]:
    found = Past(frozenset(wanted), lambda gid: gid == "500").events(told, of or task())
    return [(event.field, event.before, event.after) for event in found]


# --- moves ------------------------------------------------------------------------------------------------------------


def test_an_event_says_who_moved_what_when() -> None:
    told = [story(9, "marked_incomplete", None), story(3, "marked_complete"), story(4, "marked_complete")]
    assert Past({"completed"}, lambda gid: False).events(told, task()) == (
        Event("1030", MADE + dt.timedelta(minutes=3), Person(ANN, "Ann"), "completed", False, True),
        Event("1090", MADE + dt.timedelta(minutes=9), None, "completed", True, False),
    )


def test_an_approval_moves_the_tick_along_once() -> None:
    told = [
        story(1, "approval_status_changed", old_approval_status="pending", new_approval_status="approved"),
        story(1.1, "marked_complete", old_approval_status=None, new_approval_status=None),
        story(2, "approval_status_changed", old_approval_status="approved", new_approval_status="pending"),
    ]
    pending, approved = Choice("pending", "pending"), Choice("approved", "approved")
    assert moves(told, "completed", "approval_status") == [
        ("approval_status", pending, approved),
        ("completed", False, True),
        ("approval_status", approved, pending),
        ("completed", True, False),
    ]


def test_an_assignee_was_whom_the_story_before_named() -> None:
    ann, bob = compact("2", "Ann"), compact("3", "Bob")
    told = [story(1, "assigned", assignee=ann), story(2, "assigned", assignee=bob), story(3, "unassigned")]
    first, second = Person("2", "Ann"), Person("3", "Bob")
    found = [("assignee", None, first), ("assignee", first, second), ("assignee", second, None)]
    assert moves(told, "assignee") == found
    assert moves([story(3, "unassigned", assignee=bob)], "assignee") == [("assignee", second, None)]
    assert moves([story(3, "unassigned"), story(4, "assigned")], "assignee") == [], "only words say who it was"


def test_dates_move_one_by_one_and_words_alone_tell_nothing() -> None:
    old = {"due_on": "2026-05-02", "due_at": None, "start_on": None}
    new = {"due_on": "2026-05-09", "due_at": None, "start_on": "2026-05-04"}
    told = [story(1, "due_date_changed", old_dates=old, new_dates=new)]
    expected = [
        ("due_on", dt.date(2026, 5, 2), dt.date(2026, 5, 9)),
        ("start_on", None, dt.date(2026, 5, 4)),
    ]
    assert moves(told, "due_on", "due_at", "start_on") == expected
    assert moves(told, "start_on") == expected[1:]
    assert moves([story(1, "due_date_changed", text="Ann changed the due date to May 9")], "due_on") == []
    assert moves([story(1, "due_date_changed", old_dates=None, new_dates=new)], "due_on") == [
        ("due_on", None, dt.date(2026, 5, 9))
    ]


def test_a_time_has_a_day_beside_it_where_the_task_shows_one() -> None:
    old, new = {"due_at": "2026-05-02T23:30:00.000Z"}, {"due_at": "2026-05-09T10:00:00.000Z"}
    told = [story(1, "due_date_changed", old_dates=old, new_dates=new)]
    times = dt.datetime(2026, 5, 2, 23, 30, tzinfo=dt.UTC), dt.datetime(2026, 5, 9, 10, tzinfo=dt.UTC)
    assert moves(told, "due_on", "due_at", of=task(due_on=None, due_at=times[1])) == [("due_at", *times)]
    shown = task(due_on=dt.date(2026, 5, 9), due_at=times[1])
    days = ("due_on", dt.date(2026, 5, 2), dt.date(2026, 5, 9))
    assert moves(told, "due_on", "due_at", of=shown) == [days, ("due_at", *times)]


CUSTOM = [
    ("text", "text_value", "a", "", "a", None),
    ("number", "number_value", 0, 2, 0.0, 2.0),
    ("enum", "enum_value", None, compact("51", "Doing"), None, Choice("51", "Doing")),
    ("multi_enum", "multi_enum_values", [], [compact("51", "x")], (), (Choice("51", "x"),)),
    ("people", "people_value", [compact("2", "Ann")], [], (Person("2", "Ann"),), ()),
    ("date", "date_value", {"due_on": "2026-05-02"}, None, dt.date(2026, 5, 2), None),
    ("date", "date_value", None, {"date": "2026-05-03", "date_time": None}, None, dt.date(2026, 5, 3)),
]


@pytest.mark.parametrize(("kind", "held", "old", "new", "before", "after"), CUSTOM)
def test_a_custom_field_moves_with_the_types_of_its_values(
    kind: str, held: str, old: Any, new: Any, before: Value, after: Value
) -> None:
    both = {f"old_{held}": old, f"new_{held}": new}
    named = {"gid": "501", "name": "F", "type": kind, "representation_type": kind}
    for entry in (named, {"gid": "501", "name": "F"}):
        told = [story(1, f"{kind}_custom_field_changed", custom_field=entry, **both)]
        assert moves(told, "501") == [("501", before, after)]
        assert moves(told, "502") == []
    assert moves([story(1, f"{kind}_custom_field_changed", custom_field=named)], "501") == []


def test_estimated_time_counts_minutes_whether_or_not_the_task_has_one_now() -> None:
    def told(gid: str) -> list[dict[str, Any]]:
        entry = {"gid": gid, "type": "number"}
        changed = story(1, "number_custom_field_changed", custom_field=entry, old_number_value=60, new_number_value=90)
        return [changed]

    hours = Duration(3600.0), Duration(5400.0)
    assert moves(told("500"), "500", of=valued("500", None)) == [("500", *hours)]
    assert moves(told("501"), "501", of=valued("501", Duration(5400.0))) == [("501", *hours)]
    assert moves(told("501"), "501", of=valued("501", None)) == [("501", 60.0, 90.0)]


def moved(minute: float, old: str, new: str, project: str = "") -> dict[str, Any]:
    more: dict[str, Any] = {"project": compact(project, "P")} if project else {}
    return story(minute, "section_changed", old_section=compact(old, old), new_section=compact(new, new), **more)


@pytest.mark.parametrize("named", [True, False])
def test_sections_of_other_projects_are_left_aside(named: bool) -> None:
    here, there = ("10", "11") if named else ("", "")
    told = [moved(1, "a1", "a2", here), moved(2, "b1", "b2", there), moved(3, "a2", "a3", here)]
    shown = Record("task", "7", "7", "", "v", ("project:10", "project:11"), {"section": Choice("a3", "a3")})
    a1, a2, a3 = (Choice(name, name) for name in ("a1", "a2", "a3"))
    assert moves(told, "section", of=shown) == [("section", a1, a2), ("section", a2, a3)]
    silent = Record("task", "7", "7", "", "v", ("project:10",), {"section": Choice("a9", "a9")})
    left = moves(told[::2], "section", of=silent)
    assert left == [("section", a1, a2), ("section", a2, a3)], "a gap at the end is no reason to forget the rest"
    outside = Record("task", "7", "7", "", "v", ("project:12",), {"section": Choice("a9", "a9")})
    assert bool(moves(told[:1], "section", of=outside)) is not named


def test_the_parent_the_name_and_the_type_move_too() -> None:
    told = [
        story(1, "added_to_task", task=compact("70", "Big")),
        story(2, "removed_from_task"),
        story(3, "name_changed", old_name="a", new_name="b"),
        story(4, "resource_subtype_changed", old_resource_subtype="default_task", new_resource_subtype="milestone"),
        story(5, "marked_duplicate", duplicate_of=compact("8", "x"), task=compact("8", "x")),
    ]
    assert moves(told, "parent", "name", "resource_subtype") == [
        ("parent", None, Reference("task", "70")),
        ("parent", Reference("task", "70"), None),
        ("name", "a", "b"),
        ("resource_subtype", Choice("default_task", "default_task"), Choice("milestone", "milestone")),
    ]
    assert moves(told[1:2], "parent") == []


def test_only_what_the_wanted_fields_need_is_asked_for() -> None:
    assert fields_for(["completed", "due_on", "due_at"]) == [
        "old_approval_status,new_approval_status",
        "(old_dates|new_dates).(due_on|due_at|start_on)",
    ]
    assert [path for path in fields_for(["501"]) if "custom" in path] == []
    asked = question(Scope(history=("due_on",)))
    assert question(Scope()) == ""
    assert asked
    assert asked != question(Scope(history=("due_on",), fields=("updated",)))


@pytest.mark.shared
def test_every_field_that_is_asked_for_is_documented() -> None:
    if not OFFICIAL.exists():
        pytest.skip("the official document is not there")
    document = json.loads(gzip.decompress(OFFICIAL.read_bytes()))
    parameters = document["paths"]["/tasks/{task_gid}/stories"]["get"]["parameters"]
    (known,) = (one["schema"]["items"]["enum"] for one in parameters if one.get("name") == "opt_fields")
    stories = Stories(object(), Scope(history=(*TOLD_IN, "501"), slots=("comment",)), {}, ME)  # type: ignore[arg-type]
    assert set(stories._fields.split(",")) <= set(known)


@pytest.mark.shared
def test_recorded_stories_are_read_though_they_have_only_words() -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded answers are not there")
    recorded = json.loads(Path(RECORDED).read_text())
    (stories,) = (one["response"]["data"] for one in recorded["api"]["get"].values())
    assert moves(stories, "due_on", "completed", "assignee") == []
    silent = Record("task", "7", "7", "", "", ("project:10",), {})
    comment, dated = (decode.instant(stories[n]["created_at"]) for n in (3, 1))
    assert Touch({}, ME).last_change(stories, silent) == comment
    assert Touch({}, ME).last_change(stories[:3], silent) == dated, "that a task is due today is nobody's change"


# --- the last change --------------------------------------------------------------------------------------------------

OURS_FIELD = {"gid": "900", "name": "PMO compliance", "type": "enum"}
THEIRS_FIELD = {"gid": "901", "name": "PMO compliance", "type": "enum"}
OURS = [
    story(5, "enum_custom_field_changed", ME, custom_field=OURS_FIELD),
    story(5, "enum_custom_field_changed", ANN, custom_field=OURS_FIELD),
    story(5, "text_custom_field_changed", ME, custom_field={"gid": "9", "name": "PMO reasons", "type": "text"}),
    story(5, "text_custom_field_changed", ME, custom_field=compact("9", "PMO reasons")),
    story(5, "enum_custom_field_changed", ME, custom_field=THEIRS_FIELD),
    story(5, "enum_custom_field_changed", ME),
    story(5, "added_to_tag", ME, tag=compact("33", "pmo-high")),
    story(5, "removed_from_tag", ME),
    story(5, "comment_added", ME, text=f"{HEADING}\nno owner"),
    story(5, "follower_removed", ME),
    story(5, "follower_added", ME, follower=compact(ME, "PMO")),
]
THEIRS = [
    story(5, "enum_custom_field_changed", ANN, custom_field=THEIRS_FIELD),
    story(5, "added_to_tag", ME, tag=compact("34", "urgent")),
    story(5, "comment_added", ANN),
    story(5, "comment_added", None),
    story(5, "comment_added", ANN, text=f"{HEADING}\nno owner"),
    story(5, "comment_added", ME, text="I use the same account."),
    story(5, "marked_complete", ME),
    story(5, "follower_added", ME, follower=compact("3", "Bob")),
    story(5, "something_new", ANN),
]


@pytest.mark.parametrize("told", OURS, ids=lambda told: f"{told['resource_subtype']}")
def test_what_we_wrote_is_no_change(told: dict[str, Any]) -> None:
    last = Touch(PINS, ME).last_change([story(2, "notes_changed"), told], task(5))
    assert last == MADE + dt.timedelta(minutes=2)


@pytest.mark.parametrize("told", THEIRS, ids=lambda told: f"{told['resource_subtype']}")
def test_everything_else_is_one_whoever_did_it(told: dict[str, Any]) -> None:
    last = Touch(PINS, ME).last_change([story(2, "notes_changed"), told], task(5))
    assert last == MADE + dt.timedelta(minutes=5)


def test_without_stories_of_others_the_last_change_is_when_it_was_made() -> None:
    assert Touch(PINS, ME).last_change(OURS, task(5)) == MADE
    assert Touch(PINS, ME).last_change([], task(5)) == MADE
    assert Touch(PINS, ME).last_change([], valued("500", None)) is None


# --- with the sandbox -------------------------------------------------------------------------------------------------

SETTING = "custom_field.name,custom_field.enum_options.name"


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


def now_of(sandbox: Sandbox, asana: Client, gid: str) -> Record:
    found = sandbox.asana("GET", f"tasks/{gid}", opt_fields=decode.TASK_FIELDS)["data"]
    return decode.task(found, asana.records["task", gid].scopes, {})


def test_a_history_leads_to_the_values_of_today(sandbox: Sandbox, asana: Client) -> None:
    fields: tuple[str, ...] = ("completed", "assignee", "due_on", "start_on", "section", "name", "parent")
    person = next(iter(asana.of("person")))
    plain = Choice("default_task", "default_task")
    every = [one for one in asana.of("task").values() if one.values["resource_subtype"] == plain]
    work, other = [one for one in every if not one.values["parent"] and not one.values["completed"]][:2]
    project = work.scopes[0].removeprefix("project:")
    sections = [one["gid"] for one in sandbox.asana("GET", f"projects/{project}/sections")["data"]]

    def put(**data: Any) -> None:
        sandbox.advance(60)
        sandbox.asana("PUT", f"tasks/{work.id}", {"data": data}, token="person-1")

    put(assignee=person)
    put(due_on="2027-03-01")
    put(due_on="2027-03-05", start_on="2027-02-01")
    put(name="Renamed", assignee=None)
    put(completed=True)
    for section in sections[:2]:
        sandbox.advance(60)
        sandbox.asana("POST", f"sections/{section}/addTask", {"data": {"task": work.id}}, token="person-1")
    sandbox.asana("POST", f"tasks/{work.id}/setParent", {"data": {"parent": other.id}}, token="person-1")
    put(completed=False)
    settings = sandbox.asana("GET", f"projects/{project}/custom_field_settings", opt_fields=SETTING)["data"]
    custom = {one["custom_field"]["name"]: one["custom_field"] for one in settings}
    stage, hours = custom["Stage"], custom["Estimated time"]
    put(custom_fields={stage["gid"]: stage["enum_options"][0]["gid"], hours["gid"]: 77})
    put(custom_fields={stage["gid"]: stage["enum_options"][-1]["gid"], hours["gid"]: None})
    fields += (stage["gid"], hours["gid"])
    present = now_of(sandbox, asana, work.id)
    scope = Scope(history=fields, fields=("updated",), slots=("field",))
    stories = Stories(asana.connector._api, scope, {}, ME)
    asana.calls()
    found, untouched = stories.of([present, now_of(sandbox, asana, other.id)]).records
    assert asana.calls() == {"POST /batch": 1, "GET /custom_fields/{custom_field_gid}": 1}
    assert found.history is not None
    assert [one.before for one in found.history if one.field == hours["gid"]][-1] == Duration(4620.0)
    ends = {event.field: event.after for event in found.history}
    assert set(ends) == set(fields)
    assert ends == {name: present.values[name] for name in fields}
    assert [e.before for e in found.history if e.field == "due_on"][-1] == dt.date(2027, 3, 1)
    assert [e.after for e in found.history if e.field == "completed"] == [True, False]
    assert found.values["updated"] == max(event.at for event in found.history)
    assert untouched.values["updated"] < found.values["updated"]  # type: ignore[operator]


def test_our_marks_move_nothing_and_nobody_is_asked_twice(sandbox: Sandbox, asana: Client) -> None:
    project = next(iter(asana.of("project")))
    bare = Scope((project,), slots=("field", "text_field", "comment"))
    scope = replace(bare, history=("completed",), fields=("updated",), comments=True)
    asana.records.clear()
    asana.pull(bare, full=True)
    assert not any(one.history for one in asana.of("task").values())
    asana.pull(scope, full=True)
    assert all(one.history is not None for one in asana.of("task").values()), "what is wanted newly is read of all"
    assert [one.id for batch in asana.pull(scope, full=True) for one in batch.records if one.kind == "task"] == []
    before = {gid: one.values["updated"] for gid, one in asana.of("task").items()}
    flagged = [gid for gid, one in asana.of("task").items() if not one.values["completed"]][:2]
    asana.connector.prepare(scope, True)
    sandbox.advance(60)
    changes = [Change(Slot("task", gid, "field"), None, "high", project) for gid in flagged]
    changes += [Change(Slot("task", flagged[0], "comment"), None, "no owner", project)]
    assert {one.fate for one in asana.connector.push(changes)} == {"done"}
    sandbox.advance(60)
    (told,) = (one for one in asana.connector.push([replace(changes[-1], before="no owner", after="late")]))
    assert told.fate == "done"
    asana.pull(scope, full=True)
    assert {gid: one.values["updated"] for gid, one in asana.of("task").items()} == before
    assert [asana.records["task", gid].marks.get("comment") for gid in flagged] == ["late", None]
    sandbox.advance(60)
    comment = {"data": {"text": "/pmo accept"}}
    asked = sandbox.asana("POST", f"tasks/{flagged[0]}/stories", comment, token="person-1")["data"]
    sandbox.advance(60)
    asana.pull(scope)
    assert asana.records["task", flagged[0]].values["updated"] == decode.instant(asked["created_at"])
    assert asana.records["comment", asked["gid"]].values["task"] == Reference("task", flagged[0])
