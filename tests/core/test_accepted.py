"""What was accepted when a standard was first asked is told apart, is never pushed, and can only become less."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from pmosync.cli import main
from pmosync.cli.baselining import taker
from pmosync.config import load
from pmosync.contract import Person, Slot
from pmosync.cycle import Outcome, cycle
from pmosync.decisions.accepted import (
    ACCEPTED,
    Debt,
    Taken,
    acceptable,
    append_accepted,
    append_ended,
    read_accepted,
    taken,
)
from pmosync.errors import Misconfigured
from pmosync.rollup import Figures
from pmosync.store.tables import event, finding, task
from tests.core.memory import World

FRIDAY = dt.date(2026, 11, 20)
LATE = dt.date(2026, 11, 2)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Three tasks that are overdue."""
    world = make_world(slots="property", decisions=True)
    for number in "123":
        world.tool.put(number, due=LATE)
    return world


def accept(world: World) -> int:
    """What `pmosync baseline accept` does; how many are refused."""
    with world.store.reading() as connection:
        asked = [one.id for one in world.standards]
        debts, refused, projects = acceptable(connection, read_accepted(world.folder), asked)
    if debts:
        append_accepted(world.folder, debts, asked, projects, by="pmo@acme.example", reason="as it was", on=FRIDAY)
    return refused


def states(world: World) -> dict[str, str]:
    with world.store.reading() as connection:
        rows = connection.execute(
            select(task.c.rid, finding.c.state).join(finding, finding.c.subject_id == task.c.id).order_by(task.c.rid)
        )
        return {row.rid: row.state for row in rows}


def flagged(world: World) -> set[str]:
    return {slot.id for slot in world.tool.marks if slot.name == "property"}


def figures(world: World, *, full: bool = False) -> Figures:
    return world.run(full=full).rollups[-1].figures


def test_what_is_accepted_is_neither_flagged_nor_counted_and_ends_for_good_when_it_is_put_right(world: World) -> None:
    world.run(write=False)
    accept(world)
    counted = figures(world)
    assert (counted.accepted, counted.findings, counted.compliance) == (3, {}, 1.0)
    assert (flagged(world), set(states(world).values())) == (set(), {"accepted"})
    assert world.run(full=True).plan.changes == []
    with world.store.reading() as connection:
        assert set(connection.scalars(select(event.c.causes).where(event.c.now == "accepted"))) == {"acceptance"}

    world.tool.put("1", due=dt.date(2026, 12, 11))
    assert figures(world).accepted == 2
    text = (world.folder / ACCEPTED).read_text()
    assert "ended_on: 2026-11-20" in text
    world.tool.put("1", due=LATE)
    assert (figures(world).accepted, flagged(world)) == (2, {"1"})
    assert accept(world) == 1, "its standard was looked at before in this project"
    world.run(full=True)
    assert states(world) == {"1": "open", "2": "accepted", "3": "accepted"}

    world.rebuild()
    assert world.run(full=True).plan.changes == []
    assert states(world) == {"1": "new", "2": "accepted", "3": "accepted"}
    assert (world.folder / ACCEPTED).read_text() == text, "nothing ends twice"


CONFIG = """\
organisation: Acme
timezone: Europe/Berlin
profile: controlling
people: people.yaml
decisions: .
sites:
  acme: {connector: jira, base_url: "http://127.0.0.1:1", auth: {user: a@b.example, token: env:T}, mapping: acme.yaml}
"""
PEOPLE = "- {email: boss@acme.example, role: director}\n- {email: ana@acme.example, role: analyst}\n"


def test_the_verb_accepts_what_somebody_may_and_every_list_tells_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(world.folder)
    Path("pmosync.yaml").write_text(CONFIG)
    Path("people.yaml").write_text(PEOPLE)

    def tell(*line: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*line, "--now", world.now.isoformat()])
        caught = capsys.readouterr()
        return code, caught.out + caught.err

    verb = ("baseline", "accept", "--reason", "as it was", "--as")
    world.run(write=False)
    code, told = tell(*verb, "ana@acme.example")
    assert (code, "ana@acme.example" in told, Path(ACCEPTED).exists()) == (2, True, False)
    assert json.loads(tell(*verb, "boss@acme.example", "--json")[1]) == {
        "accepted": 3, "refused": 0, "by": "boss@acme.example", "on": "2026-11-20",
    }  # fmt: skip
    assert figures(world).accepted == 3
    found = json.loads(tell("findings", "--state", "accepted", "--items", "--json")[1])
    assert {(one["key"], one["state"], one["accepted_on"]) for one in found["items"]} == {
        (f"T-{number}", "accepted", "2026-11-20") for number in "123"
    }
    assert [one["accepted"] for one in found["projects"]] == [3]
    assert {one["accepted"] for one in json.loads(tell("report", "--json")[1])["rollups"]} == {3}
    world.tool.put("4", due=LATE)
    world.run()
    code, told = tell(*verb, "boss@acme.example")
    assert (code, "standards that were accepted before" in " ".join(told.split())) == (2, True)


def test_a_first_run_accepts_what_it_finds_before_it_flags_anything(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(world.folder)
    Path("pmosync.yaml").write_text(CONFIG)
    Path("people.yaml").write_text(PEOPLE)
    config = load(Path("pmosync.yaml"), {"T": "token"})

    def first(who: str = "", **how: bool) -> Outcome:
        take = taker(config, who, "as it was", FRIDAY, trial=not who)
        return cycle(world.store, world.setup(), lambda: world.now, take=take, write=bool(who), trial=not who, **how)

    tried = first()
    assert tried.taken == Taken(3, 0, "", FRIDAY)
    assert {line.subject for line in tried.plan.changes} == {"project"}
    assert (set(states(world).values()), Path(ACCEPTED).exists()) == ({"new"}, False), "what is tried leaves no trace"
    with pytest.raises(Misconfigured, match="ana"):
        first("ana@acme.example")
    assert (world.tool.marks, Path(ACCEPTED).exists()) == ({}, False)

    world.rebuild()
    done = first("boss@acme.example", full=True)
    assert (done.settled.new, done.taken) == (3, Taken(3, 0, "boss@acme.example", FRIDAY))
    assert (flagged(world), done.rollups[-1].figures.accepted, set(states(world).values())) == (set(), 3, {"accepted"})
    kept = Path(ACCEPTED).read_text()
    assert read_accepted(world.folder) == world.setup().accepted
    assert world.run(full=True).plan.changes == []

    world.tool.put("4", due=LATE)
    again = first("boss@acme.example")
    assert (again.taken, flagged(world)) == (Taken(0, 1, "", FRIDAY), {"4"})
    assert Path(ACCEPTED).read_text() == kept
    capsys.readouterr()
    assert main(["sync", "--reason", "why not"]) == 2
    assert main(["plan", "--accept-existing", "--out", "plan"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "write --accept-existing beside it" in told
    assert "what is only tried cannot be saved" in told


def test_what_is_accepted_at_once_is_what_the_file_says_afterwards(tmp_path: Path) -> None:
    old, new = Debt("task", "acme", "1", "SCH201"), Debt("task", "acme", "2", "DAT101")
    append_accepted(tmp_path, [old], ["SCH201"], ["p1"], by="pmo", reason="r", on=LATE)
    before = read_accepted(tmp_path)
    append_accepted(tmp_path, [old, new], ["DAT101"], ["p1"], by="pmo", reason="r", on=FRIDAY)
    assert taken(before, [old, new], ["DAT101"], ["p1"], FRIDAY) == read_accepted(tmp_path)


def test_a_standard_that_is_new_since_then_may_be_accepted_once(world: World) -> None:
    everything = world.standards
    world.standards = tuple(one for one in everything if one.id != "SCH201")
    world.tool.put("2", assignee=None, status="Doing")
    world.run(write=False)
    accept(world)
    world.run()
    world.standards = everything
    world.run(write=False)
    assert accept(world) == 0
    assert (figures(world).accepted, accept(world), flagged(world)) == (5, 0, set())
    world.tool.put("5", due=LATE)
    world.run()
    assert (accept(world), flagged(world)) == (1, {"5"})


def test_nothing_ends_while_something_cannot_be_looked_at(world: World) -> None:
    world.run(write=False)
    accept(world)
    world.run()
    text = (world.folder / ACCEPTED).read_text()
    world.tool.hidden.add("p1")
    world.run(full=True)
    world.rebuild()
    world.run(full=True)
    assert (world.folder / ACCEPTED).read_text() == text
    world.tool.hidden.clear()
    assert (figures(world, full=True).accepted, flagged(world)) == (3, set())


def test_a_file_that_is_not_clear_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / ACCEPTED
    path.write_text("- {accepted_on: 2026-11-20, by: pmo, reason: r, standards: [A], projects: [p], findings: [x]}\n")
    (mistake,) = read_accepted(tmp_path).unclear
    assert (mistake.what, mistake.where.startswith(f"{path}:1:")) == ("a finding has standard, subject and ids", True)
    append_ended(tmp_path, [], FRIDAY)
    assert len(read_accepted(tmp_path).unclear) == 1


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_the_number_of_what_is_accepted_only_falls_however_the_days_go(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.run(write=False)
    accept(world)
    before = figures(world).accepted
    ever_right = {"4"}  # was not there when the others were accepted
    for day in range(1, 7):
        world.now += dt.timedelta(days=1)
        for number in chance.sample("1234", 2):
            right = chance.random() < 0.5
            world.tool.put(number, due=dt.date(2027, 5, 3) if right else LATE, assignee=Person("ana"))
        if chance.random() < 0.3:
            world.rebuild()
        now = figures(world, full=True).accepted
        assert now <= before
        before = now
        failing = {
            number for number in "1234" if number in world.tool.tasks and world.tool.tasks[number]["due"] == LATE
        }
        ever_right |= set("1234") - failing
        assert {number for number, state in states(world).items() if state == "accepted"} == failing - ever_right
        assert flagged(world) == failing & ever_right
        assert world.run(full=True).plan.changes == [], day
        accept(world)
    assert Slot("task", "3", "property") in world.tool.marks or "3" not in flagged(world)
