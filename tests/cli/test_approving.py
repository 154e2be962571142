"""What an approval covers: one site, one verb, the standards that were looked at, so many changes, one day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from pmosync.approving import allowed, envelopes
from pmosync.plan import Line, Plan

NOW = dt.datetime(2026, 3, 3, 10, tzinfo=dt.UTC)


def text(*standards: str) -> str:
    return "\n".join(f"{one} Title, since 2026-03-01, fix by 2026-03-09" for one in standards)


def line(rid: str, verb: str = "write", site: str = "a", told: str = "SCH201") -> Line:
    before, after = (None, text(told)) if verb == "write" else (text(told), None)
    return Line(site, "task", rid, f"K-{rid}", "1", "text_field", verb, before, after)


PLAN = Plan([line("1"), line("2"), line("3", "clear", told="DAT101")])


def test_an_envelope_covers_exactly_the_plan_that_it_was_made_from() -> None:
    made = envelopes(PLAN, "looked at", "ada", NOW)
    assert [(one.site, one.verb, one.standards, one.max_changes) for one in made] == [
        ("a", "clear", ("DAT101",), 1),
        ("a", "write", ("SCH201",), 2),
    ]
    assert allowed(PLAN, made, NOW) == {"a": 3}


def test_one_change_more_is_not_approved() -> None:
    larger = Plan([*PLAN.changes, line("4")])
    assert allowed(larger, envelopes(PLAN, "r", "ada", NOW), NOW) == {}


def test_fewer_changes_are_approved() -> None:
    assert allowed(Plan([line("1")]), envelopes(PLAN, "r", "ada", NOW), NOW) == {"a": 1}


def test_another_standard_verb_or_site_is_not_approved() -> None:
    made = envelopes(PLAN, "r", "ada", NOW)
    assert allowed(Plan([line("1", told="LOG310")]), made, NOW) == {}
    assert allowed(Plan([line("1", "clear")]), made, NOW) == {}
    assert allowed(Plan([line("1", site="b")]), made, NOW) == {}
    assert allowed(Plan([line("1"), line("1", site="b")]), made, NOW) == {"a": 1}


def test_after_a_day_and_before_it_was_given_it_does_not_count() -> None:
    made = envelopes(PLAN, "r", "ada", NOW)
    assert allowed(PLAN, made, NOW + dt.timedelta(hours=23, minutes=59)) == {"a": 3}
    assert allowed(PLAN, made, NOW + dt.timedelta(hours=24)) == {}
    assert allowed(PLAN, made, NOW - dt.timedelta(seconds=1)) == {}
    assert allowed(PLAN, [replace(one, max_changes=1) for one in made], NOW) == {}
