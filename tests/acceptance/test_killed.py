"""Killed anywhere, it continues: a real SIGKILL at requests and commits, and the next run makes all good.

A cycle is run once in peace to learn its points. Then it is run again from the same beginning and killed at one of
them; one more run has to leave both servers as the peaceful run did: nothing twice, nothing lost, nothing strange.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.office import JIRA, KILLED, TOKENS, Forge, Office, Saved, State, difference
from tests.acceptance.settled import GUIDANCE, UNHURRIED, as_told
from tests.acceptance.workday import HOME, PROJECTS, settled, work
from tests.conftest import Sandbox

NIGHT_S = 20 * 3600
WRITES = 12
PARTS = 4
"""The points of a cycle are tried in so many tests."""
EVERY = 1 if os.environ.get("EVERY_POINT") else 25
"""Every twenty-fifth point, so that points before and after a thing take turns; all of them with EVERY_POINT=1."""
SMALL = {"jira": PROJECTS["jira"][:1], "asana": PROJECTS["asana"][:1]}


@dataclass(frozen=True)
class Cycle:
    """A cycle to be killed: where it begins, its points, and the state that it ends in."""

    verb: str
    saved: Saved
    points: Sequence[str]
    ended: State
    mails: int


def first_reconcile(sandbox: Sandbox, make: Callable[..., Office]) -> tuple[str, Office]:
    """The first run of all: our own fields have to be made as well."""
    return "reconcile", make(jira=None, asana=SMALL["asana"], register=HOME)


def first_pages(sandbox: Sandbox, make: Callable[..., Office]) -> tuple[str, Office]:
    """The first run that makes status issues and links: what is made must not be made twice."""
    register = (
        f"home: {{{JIRA}: PMO}}\nprojects:\n  - {{id: app, containers: [{JIRA}/MOB], program: Digital banking}}\n"
    )
    office = make(jira=("MOB",), asana=None, register=register, extra=GUIDANCE, environ=TOKENS | UNHURRIED)
    mapping = f"mappings/{JIRA}.yaml"
    office.edit(mapping, "task: [property, label]", "task: [property, label, remote_link]")
    office.edit(mapping, "project: [project_property]", "project: [project_property, status_issue]")
    return "reconcile", office


def sync_after_a_day(sandbox: Sandbox, make: Callable[..., Office]) -> tuple[str, Office]:
    """A run after people have worked in both tools."""
    office = settled(make, **SMALL)
    sandbox.advance(NIGHT_S)
    work(sandbox, **SMALL)
    return "sync", office


CYCLES = {"first": first_reconcile, "pages": first_pages, "sync": sync_after_a_day}


@pytest.fixture(scope="module")
def cycles(
    sandbox_process: tuple[Sandbox, int], forge: Forge, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Cycle]:
    """The cycles, each made when it is first asked for."""
    made: dict[str, Cycle] = {}

    def cycle(name: str) -> Cycle:
        if name not in made:
            made[name] = learn(name, *sandbox_process, forge, tmp_path_factory)
        return made[name]

    return cycle


def learn(name: str, sandbox: Sandbox, beginning: int, forge: Forge, temporary: pytest.TempPathFactory) -> Cycle:
    """Run a cycle in peace."""
    sandbox.heal()
    sandbox.restore(beginning)
    folder = temporary.mktemp("killed") / name

    def make(**options: Any) -> Office:
        return Office(folder, sandbox, forge, **options)

    verb, office = CYCLES[name](sandbox, make)
    saved, mails = office.save(), len(sandbox.mail())
    run = office.run(verb, trace=True)
    assert run.code == 0, run
    assert run.writes >= WRITES, run
    assert {"before commit", "after commit"} < set(run.points)
    again = office.run(verb)
    assert (again.code, again.writes) == (0, 0), again
    return Cycle(verb, saved, run.points, sandbox.state(), len(sandbox.mail()) - mails)


def kill_and_continue(cycle: Cycle, point: int) -> list[str]:
    """Kill the cycle at one of its points, counted from 1, and run once more; tells what ends otherwise."""
    office = cycle.saved.restore()
    sandbox = office.sandbox
    mails = len(sandbox.mail())
    killed = office.run(cycle.verb, kill_at=point)
    assert killed.code == KILLED, killed
    assert len(killed.points) == point
    at = f"killed {killed.points[-1]}, point {point} of {len(cycle.points)}"
    healed = office.run(cycle.verb)
    assert healed.code == 0, f"{at}\n{healed}"
    more_mail = len(sandbox.mail()) - mails - cycle.mails
    wrong = difference(as_told(cycle.ended), as_told(sandbox.state()))
    wrong += [f"{more_mail} mails too many"] if more_mail else []
    return [f"{at}: {line}" for line in wrong]


@pytest.mark.slow
def test_a_run_killed_in_the_middle_is_continued_by_the_next(cycles: Callable[[str], Cycle]) -> None:
    cycle = cycles("pages")
    assert kill_and_continue(cycle, len(cycle.points) // 2) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CYCLES)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_killed_at_its_points_is_continued_by_the_next(
    cycles: Callable[[str], Cycle], name: str, part: int
) -> None:
    cycle = cycles(name)
    for point in range(1 + part * EVERY, len(cycle.points) + 1, PARTS * EVERY):
        assert kill_and_continue(cycle, point) == []
