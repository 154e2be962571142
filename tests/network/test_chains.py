"""The network's arithmetic agrees with a second computation, on real schedules and on generated ones."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from pmosync.network import Network, Work, path_holds, solve
from tests.network import second
from tests.network.schedules import read

SCHEDULES = Path(__file__).parents[2].parent / "shared" / "data" / "schedules"
REAL = sorted([*SCHEDULES.glob("*/*.xer"), *SCHEDULES.glob("*/*.xml")])


def later(planned: int | None, least: int | None, yesterday: int) -> int | None:
    return None if planned is None or least is None else max(planned, yesterday + least)


def ours(network: Network, yesterday: int) -> dict[int, second.Answer]:
    """What a day makes of the places, as the judge's SQL does."""
    told = {}
    for number, place in network.places.items():
        early, end = later(place.finish, place.least, yesterday), later(place.end, place.end_least, yesterday)
        left: int | None = None
        critical: bool | None = None
        if early is not None and place.after is not None:
            if place.late is not None:
                left = place.late - early
            elif end is not None:
                left = end - place.after - early
            critical = None if end is None else early + place.after >= end
        told[number] = second.Answer(left, critical, early)
    return told


def compare(works: dict[int, Work], links: list[tuple[int, int]], yesterday: int) -> dict[int, second.Answer]:
    found = ours(solve(works, links), yesterday)
    assert found == second.answers(works, links, yesterday)
    return found


@pytest.mark.shared
@pytest.mark.skipif(not REAL, reason="the reference data does not lie beside the project")
def test_real_schedules_give_the_same_floats_and_critical_tasks_as_a_second_computation() -> None:
    tasks = linked = negative = 0
    for path in REAL:
        schedule = read(path)
        if not schedule.works:
            continue
        links, last = schedule.links, schedule.last
        begin = min(work.finish for work in schedule.works.values() if work.finish is not None)
        for yesterday in (begin - 10, (begin + last) // 2, last + 5):
            for due in (None, last - 7, last, last + 60):
                works = dict(schedule.works if due is None else schedule.bounded(due))
                found = compare(works, links, yesterday)
                negative += sum(one.total_float is not None and one.total_float < 0 for one in found.values())
        candidates = set(schedule.works) - schedule.milestones
        own = [(a, b) for a, b in links if a in schedule.works and b in schedule.works]
        held = {number: schedule.works[number] for pair in own for number in pair}
        assert path_holds(held, own, last, candidates & held.keys()) == second.path_test(
            held, own, last, candidates & held.keys()
        ), path.name
        tasks += len(schedule.works)
        linked += len(own)
    assert tasks > 200
    assert linked > 100
    assert negative > 100, "some of these days are too late for some of these dates"


def made(seed: int) -> tuple[dict[int, Work], list[tuple[int, int]]]:
    """Some groups of tasks, with due dates, milestones, done and undated work, and now and then a circle."""
    dice = random.Random(seed)
    count = dice.randint(1, 40)
    works: dict[int, Work] = {}
    for number in range(count):
        length = dice.choice((0, 0, 1, 2, 3, 5, 8, 60))
        begin = dice.randint(0, 80)
        undated = seed % 4 == 1 and dice.random() < 0.08
        works[number] = Work(
            None if undated else begin + length,
            None if undated and dice.random() < 0.6 else length,
            (100, 140, None)[number % 3] if seed % 7 else None,
        )
    links = []
    for _ in range(dice.randint(0, 2 * count)):
        a, b = dice.randrange(count), dice.randrange(count)
        if a != b or seed % 5 == 0:
            links.append((min(a, b), max(a, b)) if seed % 5 or dice.random() < 0.9 else (a, b))
    for number in list(works):
        if dice.random() < 0.1:
            del works[number]  # it is done: it holds its group together and moves nothing
    return works, links


def test_two_hundred_generated_networks_agree_with_a_second_computation() -> None:
    told: set[tuple[bool | None, bool]] = set()
    paths: set[bool | None] = set()
    for seed in range(200):
        works, links = made(seed)
        found = compare(works, links, (-5, 70, 150)[seed % 3])
        told |= {(one.critical, one.total_float is None) for one in found.values()}
        last = max((work.finish for work in works.values() if work.finish is not None), default=None)
        inside = [(a, b) for a, b in links if a in works and b in works]
        linked = {number: works[number] for pair in inside for number in pair}
        candidates = {number for number in linked if number % 4}
        holds = path_holds(linked, inside, last, candidates)
        assert holds == second.path_test(linked, inside, last, candidates), seed
        paths.add(holds)
    assert told == {(True, False), (False, False), (None, True), (None, False)}
    assert paths == {True, False, None}


def test_the_worked_example_of_the_documentation_is_computed_as_told() -> None:
    # design 1-5, build 6-15, train 6-8, launch (a milestone) on 15; the project is due on 17
    works = {1: Work(5, 5, 17), 2: Work(15, 10, 17), 3: Work(8, 3, 17), 4: Work(15, 0, 17)}
    links = [(1, 2), (1, 3), (2, 4), (3, 4)]
    as_planned = compare(works, links, 0)
    assert {number: one.total_float for number, one in as_planned.items()} == {1: 2, 2: 2, 3: 9, 4: 2}
    assert {number for number, one in as_planned.items() if one.critical} == {1, 2, 4}
    late = compare(works, links, 6)  # the sixth day has passed, and design is not begun
    assert {number: one.total_float for number, one in late.items()} == {1: -4, 2: -4, 3: 3, 4: -4}
    assert path_holds(works, links, 15, {1, 2, 3}) is True
    assert path_holds(works, [(1, 2), (1, 3)], 15, {1, 2, 3}) is True, "build is planned last, too"
    assert path_holds(works, [(1, 3), (3, 4)], 15, {1, 3}) is False, "a gap holds the launch, not the path"


def test_a_circle_makes_unknown_what_hangs_on_it_and_nothing_else() -> None:
    works = {number: Work(number, 1, 100) for number in range(1, 9)}
    links = [(1, 2), (2, 3), (3, 2), (3, 4), (5, 6), (7, 7)]
    network = solve(works, links)
    known = {number for number, one in ours(network, 0).items() if one.total_float is not None}
    assert known == {5, 6, 8}
    assert {number for number, place in network.places.items() if place.finish is None} == {2, 3, 4, 7}
    assert network.places[1].late is None
    assert network.groups == {1: 1, 2: 1, 3: 1, 4: 1, 5: 5, 6: 5, 7: 7}


def test_a_chain_of_twenty_thousand_takes_no_more_than_its_share_of_time() -> None:
    def chain(count: int) -> float:
        works = {number: Work(number, 1, None) for number in range(count)}
        links = [(number, number + 1) for number in range(count - 1)]
        begin = time.process_time()
        network = solve(works, links)
        took = time.process_time() - begin
        assert network.places[0].after == count - 1
        return took

    small = min(chain(2_000) for _ in range(3))
    assert chain(20_000) < small * 40, "ten times the tasks; what grows with their square takes a hundred times"
