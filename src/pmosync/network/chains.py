"""The arithmetic of linked work: how early and how late each piece can be finished, and what moves the end.

Pure: it takes numbers and pairs, never a table or a clock. Days are positions on the organisation's calendar, counted
in working days. Nothing here depends on today: the earliest finish of open work is `max(finish, yesterday + least)`,
where `yesterday` is the position of the day before the one that is asked about, so a new day needs no new pass. It is
linear in tasks and links, and no chain is too long for it: nothing recurses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

DELAY = 600
"""Working days by which the critical path test delays a task."""


@dataclass(frozen=True, slots=True)
class Work:
    """One open task, done and cancelled ones have left the network.

    `finish` is its planned finish, `length` the working days that it still needs once what it waits for is finished,
    `bound` the day until which its project has to be finished. None: not known; for `bound`: there is none.
    """

    finish: int | None
    length: int | None
    bound: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where one task stands in the network. What is not known, because a date is missing or links form a circle, is
    None.

    The earliest finish on a day is `max(finish, yesterday + least)`. `late` is the latest finish that keeps the due
    dates of all projects that it leads to, None where none of them has one. `after` is what the longest chain behind it
    still needs. `end` and `end_least` say when its whole group is finished, as `finish` and `least` do for the task.
    """

    group: int
    finish: int | None
    least: int | None
    late: int | None
    after: int | None
    end: int | None
    end_least: int | None


@dataclass(frozen=True, slots=True)
class Network:
    """All groups of linked tasks: the group of each task by the lowest number in it, and the place of each open one."""

    groups: Mapping[int, int]
    places: Mapping[int, Place]


@dataclass(slots=True)
class _Graph:
    """Open tasks and the links among them; `order` and `backwards` leave out circles and what hangs on them."""

    before: dict[int, list[int]]
    after: dict[int, list[int]]
    order: list[int]
    backwards: list[int]


def solve(works: Mapping[int, Work], links: Iterable[tuple[int, int]]) -> Network:
    """Place all open tasks. Links are (predecessor, successor); ends that are not in `works` only hold groups together.

    A task that stands in a circle of links has no place, nor has, forwards, what waits for it and, backwards, what it
    waits for.
    """
    pairs = list(dict.fromkeys(links))
    groups = _groups(pairs)
    graph = _graph(works, pairs)
    finish, least = _early(works, graph)
    late, after = _late(works, graph)
    ends = _ends(works, groups, finish, least)
    places = {}
    for number in works:
        group = groups.get(number, number)
        end = ends[group]
        places[number] = Place(
            group,
            finish.get(number),
            least.get(number),
            late.get(number),
            after.get(number),
            end and end[0],
            end and end[1],
        )
    return Network(groups, places)


def path_holds(
    works: Mapping[int, Work], links: Iterable[tuple[int, int]], last: int | None, candidates: Collection[int]
) -> bool | None:
    """The critical path test of one project: does a long delay of its critical task move its end by as much?

    The plan is tested as it is written, not as it stands today, so only the plan can change the answer.

    Args:
        works: the open linked tasks of the project.
        last: the latest planned finish in the project, linked or not.
        candidates: which of `works` are pieces of work; the one on the longest chain that begins first is delayed.

    Returns:
        None where there is nothing to delay, or a missing date or a circle makes the path unknown.
    """
    graph = _graph(works, dict.fromkeys(links))
    finish, _ = _early(works, graph)
    _, after = _late(works, graph)
    if not candidates or len(finish) < len(works) or len(after) < len(works):
        return None
    end = [number for number, work in works.items() if work.finish == last]
    if not end:
        return False  # nothing leads to what is planned last

    def rank(number: int) -> tuple[int, int, int]:
        length = works[number].length or 0
        return -(finish[number] + after[number]), finish[number] - length, number

    delayed, _ = _early(works, graph, min(candidates, key=rank))
    return max(delayed[number] for number in end) - max(finish[number] for number in end) == DELAY


def _groups(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The lowest number of each group of linked tasks, by task."""
    chief: dict[int, int] = {}

    def find(number: int) -> int:
        root = chief.setdefault(number, number)
        while chief[root] != root:
            root = chief[root]
        while chief[number] != root:
            chief[number], number = root, chief[number]
        return root

    for pred, succ in pairs:
        one, other = find(pred), find(succ)
        if one != other:
            chief[max(one, other)] = min(one, other)
    return {number: find(number) for number in list(chief)}


def _graph(works: Mapping[int, Work], pairs: Iterable[tuple[int, int]]) -> _Graph:
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for pred, succ in pairs:
        if pred in works and succ in works:
            before.setdefault(succ, []).append(pred)
            after.setdefault(pred, []).append(succ)
    return _Graph(before, after, _sorted(works, before, after), _sorted(works, after, before))


def _sorted(works: Iterable[int], before: Mapping[int, list[int]], after: Mapping[int, list[int]]) -> list[int]:
    """Every task after all that come before it; what a circle holds back never comes."""
    waits = {number: len(before.get(number, ())) for number in works}
    order = [number for number, count in waits.items() if not count]
    for number in order:  # grows while it is read
        for following in after.get(number, ()):
            waits[following] -= 1
            if not waits[following]:
                order.append(following)
    return order


def _early(
    works: Mapping[int, Work], graph: _Graph, delayed: int | None = None
) -> tuple[dict[int, int], dict[int, int]]:
    """The earliest finish by plan, and the working days to it from a day on which nothing of the chain has moved."""
    finish: dict[int, int] = {}
    least: dict[int, int] = {}
    for number in graph.order:
        work, before = works[number], graph.before.get(number, ())
        if work.finish is None or work.length is None or any(one not in finish for one in before):
            continue
        planned = max([work.finish, *(finish[one] + work.length for one in before)])
        finish[number] = planned + (DELAY if number == delayed else 0)
        least[number] = max(1, work.length, *(least[one] + work.length for one in before))
    return finish, least


def _late(works: Mapping[int, Work], graph: _Graph) -> tuple[dict[int, int], dict[int, int]]:
    """The latest finish that keeps the due dates behind it, where there are some, and what the longest chain needs."""
    late: dict[int, int] = {}
    after: dict[int, int] = {}
    for number in graph.backwards:
        behind = graph.after.get(number, ())
        if any(one not in after or works[one].length is None for one in behind):
            continue
        steps = [(one, works[one].length or 0) for one in behind]
        after[number] = max((after[one] + length for one, length in steps), default=0)
        bound = works[number].bound
        bounds = [late[one] - length for one, length in steps if one in late] + ([] if bound is None else [bound])
        if bounds:
            late[number] = min(bounds)
    return late, after


def _ends(
    works: Iterable[int], groups: Mapping[int, int], finish: Mapping[int, int], least: Mapping[int, int]
) -> dict[int, tuple[int, int] | None]:
    """When each group is finished; None where the finish of one of its tasks is not known."""
    ends: dict[int, tuple[int, int] | None] = {}
    for number in works:
        group = groups.get(number, number)
        if number not in finish:
            ends[group] = None
        elif group not in ends:
            ends[group] = finish[number], least[number]
        elif (known := ends[group]) is not None:
            ends[group] = max(known[0], finish[number]), max(known[1], least[number])
    return ends
