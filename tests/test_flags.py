"""A flag tells every finding in the order of its weight, links to the page of the worst, and fits into its place."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from pmosync.marks import Flagged, flag
from pmosync.standards import load_packs
from pmosync.workdays import day_number, workdays

STARTER = {one.id: one for one in load_packs(["starter"], Path())}
DAY = day_number(dt.date(2026, 11, 20))
CALENDAR = workdays(frozenset(range(5)), ())
PAGES = "https://pmo.acme.example/standards/"


def flagged(*names: str, form: str, limit: int = 1024, guidance: str = PAGES) -> str:
    """The flag of a task with findings of these standards."""
    text = flag([Flagged(STARTER[name], DAY) for name in names], form, limit, CALENDAR, guidance)
    assert text is not None
    return text


def test_a_link_names_every_finding_and_leads_to_the_worst() -> None:
    told = json.loads(flagged("DAT101", "SCH201", "DAT102", form="link"))
    assert told == {
        "title": "PMO: 3 findings: work in progress has no owner; overdue; open work has no owner",
        "url": f"{PAGES}DAT102.html",
    }


def test_a_link_to_one_finding_speaks_of_one() -> None:
    assert json.loads(flagged("SCH201", form="link"))["title"] == "PMO: 1 finding: overdue"


def test_a_title_that_begins_with_an_abbreviation_keeps_it() -> None:
    one = Flagged(replace(STARTER["SCH201"], title="WBS is missing"), DAY)
    assert json.loads(str(flag([one], "link", 255, CALENDAR, PAGES)))["title"] == "PMO: 1 finding: WBS is missing"


@pytest.mark.parametrize("limit", range(30, 84))
def test_a_long_title_of_a_link_is_cut_behind_a_word(limit: int) -> None:
    whole = "PMO: 3 findings: work in progress has no owner; overdue; open work has no owner"
    title = json.loads(flagged("DAT101", "SCH201", "DAT102", form="link", limit=limit))["title"]
    assert len(title) <= limit
    if limit >= len(whole):
        assert title == whole
    else:
        assert title.endswith("…")
        assert whole.startswith(title[:-1])
        assert whole[len(title) - 1] in " ;:", "the next character in the whole title ends a word"


def test_without_published_pages_there_is_nothing_to_link_to() -> None:
    standard = [Flagged(STARTER["SCH201"], DAY)]
    assert flag(standard, "link", 255, CALENDAR) is None
    assert "Guidance" not in flagged("SCH201", form="text", guidance="")
    assert "url" not in json.loads(flagged("SCH201", form="json", guidance=""))["findings"][0]


def test_every_finding_in_the_property_names_its_page() -> None:
    told = json.loads(flagged("DAT101", "SCH201", form="json", limit=32_000))
    assert [(one["id"], one["url"]) for one in told["findings"]] == [
        ("SCH201", f"{PAGES}SCH201.html"),
        ("DAT101", f"{PAGES}DAT101.html"),
    ]


def test_the_lines_for_people_end_with_the_page_of_the_worst() -> None:
    lines = flagged("DAT101", "SCH201", form="text").splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == ["SCH201", "DAT101", "Guidance:"]
    assert lines[-1] == f"Guidance: {PAGES}SCH201.html"


def test_words_in_several_lines_are_one_line_of_a_flag() -> None:
    told = replace(STARTER["SCH201"], title="Over  due", fix="First this.\n\n  Then that.\n")
    text = flag([Flagged(told, DAY)], "text", 1024, CALENDAR)
    assert text == "SCH201 Over due, since 2026-11-20, fix by 2026-11-27: First this. Then that."


def test_the_page_is_the_first_thing_that_goes_when_the_lines_do_not_fit() -> None:
    whole = flagged("DAT101", "SCH201", form="text")
    without = flagged("DAT101", "SCH201", form="text", guidance="")
    assert flagged("DAT101", "SCH201", form="text", limit=len(whole)) == whole
    assert flagged("DAT101", "SCH201", form="text", limit=len(whole) - 1) == without
    assert flagged("DAT101", "SCH201", form="text", limit=len(without)) == without
    assert flagged("DAT101", "SCH201", form="text", limit=len(without) - 1) != without
