from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmosync.contract import Choice, Duration, Link, Person, Record, Reference, Value
from pmosync.errors import Misconfigured
from pmosync.mapping import Row, SiteMapping, load
from pmosync.mapping.grammar import PROJECT_KEYS
from pmosync.model import FIELDS, Type

BERLIN = ZoneInfo("Europe/Berlin")
DAY = dt.date(2026, 3, 1)
Make = Callable[..., Record]


@pytest.fixture
def small(write: Callable[[str], Path]) -> Callable[..., SiteMapping]:
    def small(fields: str, rest: str = "") -> SiteMapping:
        return load(write(f"site: a\ntask: {{title: name, {fields}}}\n{rest}"), None)

    return small


def read(mapping: SiteMapping, record: Record) -> Row:
    row = mapping.read_task(record, BERLIN)
    assert row is not None
    return row


def test_a_record_is_read_into_the_words_of_the_model(mapping: SiteMapping, record: Make, evening: dt.datetime) -> None:
    anna = Person("u1", "Anna", active=True)
    row = read(
        mapping,
        record(
            summary="  Pay salaries ",
            assignee=anna,
            customfield_1=DAY,
            duedate=None,
            customfield_2=DAY,
            resolutiondate=evening,
            customfield_3=Duration(5400),
            resolution=Choice("9", "Fixed"),
            parent=Reference("task", "3"),
            status=Choice("3", "On Hold", "indeterminate"),
            priority=Choice("10001", "highest"),
            created=evening,
            issuelinks=(),
        ),
    )
    assert row.values == {
        "title": "Pay salaries",
        "assignee": anna,
        "start_on": DAY,
        "due_on": DAY,
        "done_on": dt.date(2026, 3, 2),
        "estimate_h": 1.5,
        "resolution": "Fixed",
        "parent": "3",
        "status": "blocked",
        "priority": "high",
        "created_at": evening,
        "status_mapped": True,
    }
    assert row.gaps == ()
    assert row.offered == set(row.values) - {"status_mapped"} | {"blocks"}


def test_a_field_that_the_record_does_not_carry_is_not_offered(mapping: SiteMapping, record: Make) -> None:
    row = read(mapping, record(summary="x", customfield_2=None, status=Choice("1", "To Do", "new")))
    assert row.offered == {"title", "due_on", "status"}
    assert row.values["due_on"] is None
    assert row.values["assignee"] is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Choice("1", "Anything", "new"), "todo"),
        (Choice("1", "Anything", "indeterminate"), "in_progress"),
        (Choice("1", " ON HOLD ", "indeterminate"), "blocked"),
        (Choice("1", "won't do", "done"), "cancelled"),
        (Choice("1", "Closed", "done"), "done"),
    ],
)
def test_the_first_step_that_matches_wins(mapping: SiteMapping, record: Make, status: Choice, expected: str) -> None:
    assert read(mapping, record(status=status)).values["status"] == expected


def test_an_option_that_no_step_knows_is_a_gap_and_not_a_guess(mapping: SiteMapping, record: Make) -> None:
    row = read(mapping, record(status=Choice("1", "Parked", "undefined"), priority=Choice("10001", "Urgent")))
    assert (row.values["status"], row.values["priority"], row.values["status_mapped"]) == (None, None, False)
    assert [(gap.field, gap.tool_field, gap.value) for gap in row.gaps] == [
        ("status", "status", "Parked"),
        ("priority", "priority", "Urgent"),
    ]


def test_an_empty_priority_is_empty_and_no_gap(mapping: SiteMapping, record: Make) -> None:
    for priority in (None, Choice("5", "None")):
        row = read(mapping, record(status=Choice("1", "To Do", "new"), priority=priority))
        assert row.values["priority"] is None
        assert row.values["status_mapped"] is True
        assert row.gaps == ()


def test_a_choice_matches_by_its_id_too(mapping: SiteMapping, record: Make) -> None:
    assert read(mapping, record(priority=Choice("10003", "Niedrig"))).values["priority"] == "low"


def test_skip_leaves_the_record_out_and_stop_names_it(small: Callable[..., SiteMapping], record: Make) -> None:
    skipping = small("status: [{field: s, values: {done: [x], skip: [separator]}}, {default: skip}]")
    assert skipping.read_task(record(s="separator"), BERLIN) is None
    assert skipping.read_task(record(s="y"), BERLIN) is None
    assert read(skipping, record(s="x")).values["status"] == "done"
    stopping = small("status: [{field: s, values: {done: [x]}}, {default: stop}]")
    with pytest.raises(Misconfigured, match=r"PAY-7 .*no step of status matches: s = y") as caught:
        stopping.read_task(record(s="y"), BERLIN)
    assert "mapping.yaml:2:" in caught.value.where


def test_yes_and_no_decide_a_step_and_a_default_ends_it(small: Callable[..., SiteMapping], record: Make) -> None:
    mapping = small("status: [{field: completed, values: {done: true}}, {default: todo}]")
    assert read(mapping, record(completed=True)).values["status"] == "done"
    assert read(mapping, record(completed=False)).values["status"] == "todo"
    assert read(mapping, record()).values["status"] == "todo"


def test_a_step_of_only_a_default_is_offered_everywhere(small: Callable[..., SiteMapping], record: Make) -> None:
    row = read(small("status: s, type: {default: task}"), record())
    assert row.values["type"] == "task"
    assert row.offered == {"type"}


def test_a_bare_field_compares_the_tools_own_names_with_the_model(
    small: Callable[..., SiteMapping], record: Make
) -> None:
    mapping = small("status: s, type: kind")
    row = read(mapping, record(s="In Progress", kind=Choice("1", "Sub-task")))
    assert (row.values["status"], row.values["type"]) == ("in_progress", "subtask")
    assert read(mapping, record(kind=Choice("1", "Bug"))).gaps[0].field == "type"


def test_any_entry_of_a_list_can_match_a_step(small: Callable[..., SiteMapping], record: Make) -> None:
    mapping = small("status: {field: tags, values: {blocked: [waiting]}}")
    assert read(mapping, record(tags=(Choice("1", "red"), Choice("2", "Waiting")))).values["status"] == "blocked"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (("a", "b"), "a, b"),
        ((Choice("1", "a"), Person("u", "Bo")), "a, Bo"),
        (Choice("1", " a "), "a"),
        (Person("u", "Bo"), "Bo"),
        ("  ", None),
        ((), None),
        (1.0, "1"),
        (DAY, "2026-03-01"),
        (True, "yes"),
    ],
)
def test_any_value_can_be_text(mapping: SiteMapping, record: Make, value: Value, expected: str | None) -> None:
    row = read(mapping, record(summary=value))
    assert row.values["title"] == expected
    assert row.gaps == ()


@pytest.mark.parametrize(
    ("field", "tool_field", "value", "why"),
    [
        ("created_at", "created", DAY, "a day, not an instant"),
        ("due_on", "duedate", "soon", "text, not a date"),
        ("due_on", "duedate", Choice("1", "Q3"), "a choice, not a date"),
        ("estimate_h", "customfield_3", "3 days", "text, not a number"),
        ("estimate_h", "customfield_3", True, "yes/no, not a number"),
        ("estimate_h", "customfield_3", math.nan, "counted with"),
        ("assignee", "assignee", "Anna", "text, not a person"),
        ("parent", "parent", Reference("project", "3"), "a project, not another task"),
        ("blocks", "issuelinks", ("PAY-8",), "not a link"),
    ],
)
def test_a_value_of_another_type_is_a_gap_that_shows_it(
    mapping: SiteMapping, record: Make, field: str, tool_field: str, value: Value, why: str
) -> None:
    row = read(mapping, record(**{tool_field: value}))
    (gap,) = row.gaps
    assert (gap.field, gap.tool_field) == (field, tool_field)
    assert why in gap.why
    assert gap.value
    assert row.values.get(field) is None
    assert row.values["status_mapped"] is True


def test_a_long_value_is_shown_in_at_most_80_characters(mapping: SiteMapping, record: Make) -> None:
    (gap,) = read(mapping, record(duedate="x" * 500)).gaps
    assert len(gap.value) == 80


def test_a_scalar_field_takes_the_first_entry_of_a_list(mapping: SiteMapping, record: Make) -> None:
    anna, bo = Person("1", "Anna"), Person("2", "Bo")
    row = read(mapping, record(assignee=(anna, bo), duedate=()))
    assert row.values["assignee"] == anna
    assert row.values["due_on"] is None


def test_durations_and_plain_numbers_are_hours(mapping: SiteMapping, record: Make) -> None:
    assert read(mapping, record(customfield_3=Duration(1800))).values["estimate_h"] == 0.5
    assert read(mapping, record(customfield_3=3)).values["estimate_h"] == 3.0


def test_links_say_which_task_comes_first(mapping: SiteMapping, record: Make) -> None:
    row = read(
        mapping,
        record(
            issuelinks=(
                Link("10000", "Blocks", "outward", "8"),
                Link("10000", "Renamed", "inward", "6"),
                Link("10002", "Relates", "outward", "9"),
                Link("10000", "Blocks", "outward", "7"),
                Link("10000", "Blocks", "inward", "7"),
            )
        ),
    )
    assert row.links == (("7", "8"), ("6", "7"), ("7", "7"))


def test_a_type_whose_outward_side_waits_is_turned_round(small: Callable[..., SiteMapping], record: Make) -> None:
    mapping = small("status: s", "links: {blocks: [{type: depends, direction: inward}, {type: Blocks}]}\n")
    row = read(mapping, record(issuelinks=(Link("1", "Depends", "outward", "8"), Link("2", "Blocks", "outward", "9"))))
    assert row.links == (("8", "7"), ("7", "9"))


def test_links_of_other_types_are_read_beside_those_that_come_first(
    small: Callable[..., SiteMapping], record: Make
) -> None:
    mapping = small("status: s", "links: {blocks: {type: Blocks}, start_to_start: {type: Joins, direction: inward}}\n")
    row = read(mapping, record(issuelinks=(Link("1", "Blocks", "outward", "8"), Link("2", "Joins", "outward", "9"))))
    assert row.links == (("7", "8"),)
    assert row.other_links == (("start_to_start", "9", "7"),)
    assert {"blocks", "start_to_start"} <= row.offered


def test_a_field_of_dependencies_says_the_direction_itself(small: Callable[..., SiteMapping], record: Make) -> None:
    mapping = small("status: s", "links: {blocks: dependencies}\n")
    row = read(mapping, record(dependencies=(Link("dependency", "dependency", "inward", "6"),)))
    assert row.links == (("6", "7"),)
    assert mapping.task_fields() == ("name", "s", "created", "created_at", "dependencies")


def test_a_project_is_read_with_its_own_section(mapping: SiteMapping) -> None:
    lead = Person("u", "Lea")
    found = Record("project", "1", "PAY", "", "1", ("project:1",), {"name": "Payments", "lead": lead})
    row = mapping.read_project(found, BERLIN)
    assert row.values == {"title": "Payments", "lead": lead}
    assert row.offered == {"title", "lead"}
    empty = Record("project", "1", "PAY", "", "1", ("project:1",), {"name": "Payments", "lead": None})
    assert mapping.read_project(empty, BERLIN).values["lead"] is None


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.datetimes(timezones=st.just(dt.UTC), min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(2999, 1, 1))
    | st.builds(Choice, st.text(max_size=5), st.text(max_size=5), st.none() | st.sampled_from(["new", "done", "x"]))
    | st.builds(Person, st.text(max_size=5), st.text(max_size=5))
    | st.builds(Reference, st.sampled_from(["task", "project"]), st.text(max_size=5))
    | st.builds(Duration, st.floats())
    | st.builds(
        Link, st.just("10000"), st.text(max_size=5), st.sampled_from(["outward", "inward"]), st.text(max_size=5)
    )
)
IDS = ("summary", "assignee", "status", "priority", "duedate", "customfield_1", "customfield_3", "parent", "issuelinks")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(IDS), scalars | st.lists(scalars.filter(bool), max_size=3).map(tuple)))
def test_whatever_a_tool_sends_gives_a_value_or_a_gap_and_never_a_crash(
    mapping: SiteMapping, record: Make, values: dict[str, Value]
) -> None:
    row = read(mapping, record(**values))
    for gap in row.gaps:
        assert row.values.get(gap.field) is None
        assert len(gap.value) <= 80


# --- how a project is reported ----------------------------------------------------------------------------------------

STEPS = "[{field: status, values: {green: [on_track], amber: [at_risk, on_hold], empty: [none]}}%s]"


def reported(write: Callable[[str], Path], default: str, **values: Value) -> Row:
    head = "site: a\ntask: {title: name, status: s}\n"
    mapping = load(write(f"{head}project: {{title: name, reported_health: {STEPS % default}}}\n"), None)
    return mapping.read_project(Record("project", "1", "1", "https://x.example/1", "1", ("site",), values), BERLIN)


@pytest.mark.parametrize(
    ("status", "health", "gaps"),
    [
        (Choice("on_hold", "on_hold"), "amber", 0),
        (Choice("x", "On_Track"), "green", 0),
        (Choice("none", "none"), None, 0),
        (None, None, 0),
        (Choice("partial", "partial"), None, 1),
    ],
)
def test_a_project_is_reported_by_steps_and_an_unknown_status_is_a_gap(
    write: Callable[[str], Path], status: Value, health: str | None, gaps: int
) -> None:
    row = reported(write, "", name="Move", status=status)
    assert row.values == {"title": "Move", "reported_health": health}
    assert [(gap.field, gap.tool_field, gap.value) for gap in row.gaps] == [
        ("reported_health", "status", "partial")
    ] * gaps
    assert "reported_health" in row.offered


def test_a_project_whose_tool_tells_no_status_has_no_reported_health_to_offer(write: Callable[[str], Path]) -> None:
    row = reported(write, ", {default: report}", name="Move")
    assert row.values["reported_health"] is None
    assert row.offered == {"title"}
    assert row.gaps == ()


def test_the_default_of_a_project_may_be_an_option_or_stop_the_run(write: Callable[[str], Path]) -> None:
    strange = Choice("partial", "partial")
    assert reported(write, ", {default: red}", status=strange).values["reported_health"] == "red"
    with pytest.raises(Misconfigured, match=r"mapping.yaml:3:.*no step of reported_health matches: status = partial"):
        reported(write, ", {default: stop}", status=strange)


# --- what else a project tells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "expected", "gap"),
    [
        ("team", Choice("7", "Web"), "Web", ""),
        ("team", (Choice("7", "Web"), Choice("8", "Apps")), "Web, Apps", ""),
        ("template", Person("u", "Bo"), "Bo", ""),
        ("has_brief", True, True, ""),
        ("has_brief", "yes", None, "text, not yes or no"),
        ("goals", (Choice("1", "Faster"), Choice("2", "Cheaper")), 2.0, ""),
        ("goals", (), 0.0, ""),
        ("goals", None, None, ""),
        ("goals", 3, 3.0, ""),
        ("goals", Choice("1", "Faster"), None, "a choice, not a number"),
        ("budget_h", Duration(5400), 1.5, ""),
        ("budget_h", 8, 8.0, ""),
        ("budget_used_h", Duration(0), 0.0, ""),
        ("budget_cost", 12.5, 12.5, ""),
        ("budget_cost", Duration(5400), None, "a duration, not a number"),
        ("budget_used_cost", (Duration(1),), None, "a duration, not a number"),
        ("reported_on", dt.datetime(2026, 11, 9, 23, 30, tzinfo=dt.UTC), dt.date(2026, 11, 10), ""),
    ],
)
def test_what_a_project_tells_reads_sensibly_or_is_a_gap(
    write: Callable[[str], Path], key: str, value: Value, expected: object, gap: str
) -> None:
    head = "site: a\ntask: {title: name, status: s}\nread: [budgets, goals]\n"
    mapping = load(write(f"{head}project: {{title: name, {key}: x}}\n"), None)
    row = mapping.read_project(Record("project", "1", "1", "", "1", ("site",), {"x": value}), BERLIN)
    model = key if key in FIELDS["project"] else f"{key}_h"
    assert row.values[model] == expected
    assert [one.why for one in row.gaps] == ([gap] if gap else [])
    assert row.offered == {model}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(PROJECT_KEYS)), scalars | st.lists(scalars.filter(bool)).map(tuple)))
def test_whatever_a_tool_says_of_a_project_is_a_value_or_a_gap_and_never_a_crash(
    whole_project: SiteMapping, values: dict[str, Value]
) -> None:
    row = whole_project.read_project(Record("project", "1", "1", "", "1", ("site",), values), BERLIN)
    gaps = {one.field for one in row.gaps}
    for name, found in row.values.items():
        field = FIELDS["project"][name]
        assert found is None or name not in gaps
        if found is not None and field.type is Type.NUMBER:
            assert isinstance(found, float)
            assert math.isfinite(found)


@pytest.fixture
def whole_project(write: Callable[[str], Path]) -> SiteMapping:
    """Every field of a project, each read from a tool field of its own name."""
    keys = "".join(f"  {key}: {key}\n" for key in PROJECT_KEYS)
    return load(write(f"site: a\ntask: {{title: name, status: s}}\nproject:\n{keys}"), None)
