"""The slots of Asana that a mapping opts in to: comments, sections of briefs, status updates; over whole cycles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.office import ASANA, Office, State, difference
from tests.acceptance.settled import forget_store, without_ours
from tests.acceptance.test_asana_places import BOTH, REGISTER

pytestmark = pytest.mark.slow


def written(state: State) -> tuple[int, int, int]:
    """How many comments, briefs and status updates there are."""
    return tuple(len(state[f"asana_{name}"]) for name in ("comment", "brief", "status_update"))  # type: ignore[return-value]


def others(state: State) -> State:
    """The state without what is ours, and without what every change leaves behind."""
    left_out = ("mail", "change", "asana_system_story")
    return {name: rows for name, rows in without_ours(state).items() if name not in left_out}


def test_they_settle_survive_a_lost_store_and_leave_nothing_behind(office: Callable[..., Office]) -> None:
    one = office(jira=None, asana=BOTH, register=REGISTER)
    name = f"mappings/{ASANA}.yaml"
    text = one.read(name)
    one.write(name, text.replace("[field, text_field, tag]", "[field, text_field, comment]"))
    one.edit(name, "[fields, portfolio_fields]", "[fields, portfolio_fields, brief, status_update, portfolio_update]")
    before = one.sandbox.state()
    first = one.run("reconcile")
    assert first.code == 0, first
    state = one.sandbox.state()
    made = [after - there for after, there in zip(written(state), written(before), strict=True)]
    assert made[0] > 5
    assert made[2] == 3, "two portfolios and one project; nobody knows the health of the other one"
    newest = one.sandbox.asana("GET", "status_updates", parent=BOTH[0], opt_fields="status_type,title")["data"][0]
    assert newest["title"] == "PMO status: Brand refresh: red"
    assert newest["status_type"] == "on_track", "the colour that its manager gave"
    followed = [row for row in state["asana_follower"] if row not in before["asana_follower"]]
    assert followed == [], "nobody follows a task because of us"
    assert {row["why"] for row in one.sandbox.control("GET", "asana/notifications")} <= {"comment", "status_update"}
    for verb in ("sync", "sync", "reconcile"):
        run = one.run(verb)
        assert (run.code, run.writes) == (0, 0), f"{verb}: {run}"
    forget_store(one)
    for verb in ("reconcile", "sync"):
        run = one.run(verb)
        assert (run.code, run.writes) == (0, 0), f"{verb}: {run}"
    gone = one.run("retract", "--yes")
    assert gone.code == 0, gone
    assert difference(others(one.sandbox.state()), others(before)) == []
