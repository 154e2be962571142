"""Slots that rest: what tells its followers is written seldom, only when the health moved, and stays as history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pmosync.contract import Slot
from pmosync.cycle import Outcome, retract
from pmosync.exits import DONE, exit_code
from pmosync.marks.rollups import _health, _update
from pmosync.register import Container, Group, Register, RegisteredProject
from pmosync.store.tables import mark
from tests.core.memory import World

NEWS = Slot("project", "p1", "news")
PAST = dt.date(2026, 11, 10)


@pytest.fixture
def news(world: World) -> World:
    """A project with two known dimensions, whose health is green, and a slot that rests for seven days."""
    world.rollups = "news"
    world.tool.put("1", status="Done", due=PAST, done=PAST)
    world.tool.put("90", type="Risk", priority="Low")
    return world


def red(world: World) -> None:
    world.tool.put("90", priority="Critical")


def green(world: World) -> None:
    world.tool.put("90", priority="Low")


def later(world: World, days: int) -> None:
    world.now += dt.timedelta(days=days)


def told(world: World) -> Any:
    return orjson.loads(world.tool.marks[NEWS])


def wrote(world: World) -> int:
    return len([one for one in world.tool.writes if one.slot.name in ("news", "top_news")])


def notes(outcome: Outcome) -> list[str]:
    return [line.note for line in outcome.plan.left if line.slot == "news"]


def planned(outcome: Outcome) -> list[str]:
    return [line.verb for line in outcome.plan.changes if line.slot == "news"]


def test_news_says_health_reason_and_figures_in_plain_lines(news: World) -> None:
    news.tool.projects["p1"]["status"] = None
    news.run()
    found = told(news)
    assert found["title"] == "PMO status: One: green"
    assert found["health"] == "green"
    assert found["lines"][0] == "Health: green. Time: all 1 due tasks are done."
    assert found["lines"][1] == "Tasks: 32, of them 1 done, 0 cancelled, 31 open (0 late, 0 blocked)"
    assert not [line for line in found["lines"] if line.startswith(("#", "-")) or "\n" in line]


@pytest.mark.slow
def test_counts_alone_are_no_news_not_even_for_a_reconcile(news: World) -> None:
    news.run(full=True)
    before = told(news)
    for day in range(4):
        news.tool.put(f"2{day}")
        later(news, 3)
        outcome = news.run(full=day % 2 == 0)
        assert (planned(outcome), notes(outcome)) == ([], [])
    assert told(news) == before


def test_changed_health_waits_until_the_slot_has_rested_and_is_then_told(news: World) -> None:
    news.run()
    red(news)
    for full in (False, True):
        outcome = news.run(full=full)
        assert (planned(outcome), notes(outcome), wrote(news)) == ([], ["rests until 2026-11-27"], 0)
        assert exit_code(outcome, changes=bool(outcome.plan.changes)) == DONE
    news.now = dt.datetime(2026, 11, 26, 22, 59, tzinfo=dt.UTC)
    assert notes(news.run()) == ["rests until 2026-11-27"], "in Berlin it is a minute to midnight"
    later(news, 0)
    news.now += dt.timedelta(minutes=2)
    outcome = news.run()
    assert (planned(outcome), told(news)["health"]) == (["write"], "red")
    assert "data" in outcome.plan.changes[0].causes
    green(news)
    assert notes(news.run()) == ["rests until 2026-12-04"]


@pytest.mark.slow
def test_health_that_came_back_before_the_rest_was_over_is_no_news(news: World) -> None:
    news.run()
    red(news)
    news.run()
    green(news)
    later(news, 8)
    outcome = news.run(full=True)
    assert (planned(outcome), notes(outcome)) == ([], [])


@pytest.mark.slow
def test_another_reason_for_the_same_colour_is_news(news: World) -> None:
    red(news)
    news.run()
    assert told(news)["lines"][0].startswith("Health: red. Risk: ")
    later(news, 7)
    news.tool.put("2", due=PAST)
    assert planned(news.run()) == ["write"]
    assert told(news)["lines"][0].startswith("Health: red. Time: ")


@pytest.mark.slow
def test_health_that_is_not_known_is_no_news_and_takes_nothing_away(news: World) -> None:
    del news.tool.tasks["90"]
    assert planned(news.run(full=True)) == []
    news.tool.put("90", type="Risk", priority="Low")
    news.run(full=True)
    before = told(news)
    del news.tool.tasks["90"]
    later(news, 8)
    assert planned(news.run(full=True)) == []
    assert told(news) == before


@pytest.mark.slow
def test_news_that_a_person_took_away_or_edited_is_not_told_again(news: World) -> None:
    news.run()
    del news.tool.marks[NEWS]
    later(news, 8)
    outcome = news.run(full=True)
    assert (planned(outcome), notes(outcome)) == ([], [])
    red(news)
    assert planned(news.run(full=True)) == ["write"]
    edited = {**told(news), "lines": ["Health: green. Time: we are fine."]}
    news.tool.marks[NEWS] = orjson.dumps(edited).decode()
    later(news, 8)
    assert planned(news.run(full=True)) == []
    assert told(news) == edited


@pytest.mark.slow
def test_news_of_what_left_the_scope_is_history_that_only_retract_removes(news: World) -> None:
    news.run()
    news.register = Register((), "other", home={"acme": "p1"})
    news.rollups = "news, page"
    outcome = news.run(full=True)
    assert "news" not in {line.slot for line in [*outcome.plan.changes, *outcome.plan.left]}
    assert NEWS in news.tool.marks, "the project is there for status issues alone now, and its news stays"
    red(news)
    outcome = retract(news.store, news.setup(), lambda: news.now, write=True)
    assert "clear" in planned(outcome), "although the slot rests"
    assert NEWS not in news.tool.marks


@pytest.mark.slow
def test_what_a_connector_puts_off_is_told_once_a_run_and_planned_again_on_another_day(news: World) -> None:
    news.tool.later = "somebody reported on 2026-11-19; the next one may be written on 2026-11-26"
    outcome = news.run()
    pushed = outcome.sites["acme"].pushed
    assert pushed is not None
    assert pushed.later == [f"acme p1 news: {news.tool.later}"]
    assert (pushed.refused, pushed.unknown, exit_code(outcome)) == ([], [], DONE)
    outcome = news.run(full=True)
    assert (planned(outcome), notes(outcome)) == ([], [news.tool.later]), "not asked again on the same day"
    later(news, 1)
    assert planned(news.run()) == ["write"]
    news.tool.later = ""
    later(news, 1)
    news.run()
    assert told(news)["health"] == "green"
    assert planned(news.run()) == []
    with news.store.reading() as connection:
        row = connection.execute(select(mark).where(mark.c.slot == "news")).one()
    assert (row.later, row.later_on, row.intent, row.intent_at) == ("", None, None, None)


@pytest.mark.slow
def test_an_append_whose_answer_got_lost_is_still_looked_for_after_it_was_put_off(news: World) -> None:
    news.tool.lose = True
    news.run()
    del news.tool.marks[NEWS]  # it did not land
    news.tool.lose = False
    began = news.now
    later(news, 1)
    news.tool.later = "the search index may be behind"
    news.run(full=True)
    later(news, 1)
    news.tool.later = ""
    news.run()
    (change,) = [one for one in news.tool.writes if one.slot == NEWS]
    assert change.tried_at == began


@pytest.mark.slow
def test_an_answer_that_got_lost_counts_as_the_last_writing_when_it_landed(news: World) -> None:
    news.tool.lose = True
    news.run()
    news.tool.lose = False
    later(news, 1)
    news.run(full=True)
    red(news)
    assert notes(news.run()) == ["rests until 2026-11-27"]


@pytest.mark.slow
def test_after_a_rebuild_nothing_is_told_again_and_the_connector_says_when_it_may(news: World) -> None:
    news.run()
    news.rebuild()
    outcome = news.run(full=True)
    assert (planned(outcome), wrote(news)) == ([], 0)
    red(news)
    news.tool.later = "it rests until 2026-11-27"
    outcome = news.run()
    assert (planned(outcome), wrote(news)) == (["write"], 0), "the store does not know when it was written last"


@pytest.mark.slow
def test_a_project_that_could_not_be_read_has_no_news(news: World) -> None:
    news.run()
    later(news, 8)
    red(news)
    news.tool.hidden = {"p1"}
    assert planned(news.run(full=True)) == []


@pytest.mark.slow
def test_news_of_a_program_goes_to_the_home_that_is_the_program_itself(news: World) -> None:
    news.rollups = "top_news"
    cards = Group("program", "cards", "Cards", home={"acme": "77"})
    member = RegisteredProject("p1", (Container("acme", "p1"),), title="One", program="cards")
    news.register = Register((member,), "cards", (cards,))
    news.run(full=True)
    assert [one.slot for one in news.tool.writes if one.slot.subject == "rollup"] == [Slot("rollup", "77", "top_news")]
    red(news)
    outcome = news.run(full=True)
    assert [line.note for line in outcome.plan.left] == ["rests until 2026-11-27"]
    later(news, 7)
    news.run(full=True)
    assert wrote(news) == 1


MEASURES: dict[str, Any] = {
    "reported": "green", "difference": "better", "tasks": 3, "done": 1, "cancelled": 0, "open": 2, "late": 1,
    "blocked": 0, "progress": 0.33, "progress_effort": None, "findings": {"high": 1}, "waived": 0, "accepted": 0,
    "escalated": 0, "blocking": 0, "compliance": None, "observed_tasks": 3,
}  # fmt: skip
TEXTS = st.text(min_size=1, max_size=60)


@pytest.mark.slow
@given(TEXTS, st.sampled_from(["green", "amber", "red"]), st.sampled_from(["time", "risk", "Cards"]), TEXTS)
@settings(max_examples=60, deadline=None)
def test_health_and_reason_are_read_back_from_news_whatever_titles_hold(
    title: str, colour: str, by: str, reason: str
) -> None:
    class One:
        pass

    one = One()
    one.title = title  # type: ignore[attr-defined]
    measures = {**MEASURES, "health": colour, "reason": f"{by}: {reason}"}
    for limit in (4_000, 300):
        text = _update(one, measures, limit)  # type: ignore[arg-type]
        assert _health(text, "update") == f" {colour}. {by}".casefold()
        found = orjson.loads(text)
        assert orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() == text
        assert all(line == " ".join(line.split()) != "" for line in [found["title"], *found["lines"]])
        assert len("\n".join(found["lines"])) <= limit


@pytest.mark.parametrize("foreign", ["", "{}", "[]", "on track", '{"lines": []}', '{"lines": null}', '{"lines": [7]}'])
def test_what_is_no_news_of_ours_tells_no_health(foreign: str) -> None:
    assert _health(foreign, "update") == ""
