"""Killed while comments, updates and briefs are written, the next run ends where a peaceful one does: nothing twice.

A mapping that opts in to all that people are told of meets an Asana where only fields were written. The run that
writes them is killed at one of its points; two minutes later another one goes on.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.office import KILLED, Forge, Saved, State, difference
from tests.acceptance.settled import settle
from tests.acceptance.whole import comments, opt_in, people_at_work, told, updates, whole
from tests.conftest import Sandbox

pytestmark = pytest.mark.slow
WAIT_S = 120
PARTS, EVERY = 2, 1 if os.environ.get("EVERY_POINT") else 25
"""The points of the push are tried in so many tests, every twenty-fifth of them; all with EVERY_POINT=1."""


@dataclass(frozen=True)
class Cycle:
    """The run to be killed: where it begins, its points, the first of its push, and how it ends."""

    saved: Saved
    points: Sequence[str]
    push: int
    ended: State
    told: Counter[str]


@pytest.fixture(scope="module")
def cycle(sandbox_process: tuple[Sandbox, int], forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Cycle:
    """The run in peace."""
    sandbox, beginning = sandbox_process
    sandbox.heal()
    sandbox.restore(beginning)
    people_at_work(sandbox)
    office = whole(tmp_path_factory.mktemp("killed") / "office", sandbox, forge, fewer=True)
    settle(office)
    assert told(sandbox) == Counter(), "what stands in fields tells nobody"
    opt_in(office)
    saved = office.save()
    run = office.run("reconcile", trace=True)
    assert run.code == 0, run
    state = sandbox.state()
    assert len(comments(state)) == len(set(comments(state))) > 20
    assert len(updates(state)) == 3
    push = max(n for n, point in enumerate(run.points) if point.startswith("before GET") and "users/me" in point)
    return Cycle(saved, run.points, push + 1, _as_told(state), told(sandbox))


def _as_told(state: State) -> State:
    """Without the numbers and instants that Asana gives to what is made."""
    given = {"asana_status_update": ("gid", "created_at"), "asana_brief": ("gid",), "asana_follower": ()}
    return {
        table: [{name: value for name, value in row.items() if name not in given.get(table, ())} for row in rows]
        for table, rows in state.items()
        if table not in ("mail", "change")
    }


def kill_and_continue(cycle: Cycle, point: int) -> list[str]:
    """Kill the run at one of its points, counted from 1, and run once more; tells what ends otherwise."""
    office = cycle.saved.restore()
    killed = office.run("reconcile", kill_at=point)
    assert killed.code == KILLED, killed
    office.sandbox.advance(WAIT_S)
    healed = office.run("reconcile")
    at = f"killed {killed.points[-1][:90]}, point {point} of {len(cycle.points)}"
    wrong = [] if healed.code == 0 else [str(healed)]
    wrong += difference(cycle.ended, _as_told(office.sandbox.state()))
    if told(office.sandbox) != cycle.told:
        wrong.append(f"people were told {told(office.sandbox)}, not {cycle.told}")
    return [f"{at}: {line}" for line in wrong]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_killed_while_it_writes_is_continued_and_tells_nobody_twice(cycle: Cycle, part: int) -> None:
    wrong: list[Any] = []
    for point in range(cycle.push + part * EVERY, len(cycle.points) + 1, PARTS * EVERY):
        wrong += kill_and_continue(cycle, point)
    assert wrong == []
