"""A second computation of the network, with networkx and from the definitions, to compare the first one with.

It knows nothing of positions that do not depend on today: it takes a day and works with dates as they stand on that
day, chain by chain, as slowly as the definitions read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx

from pmosync.network import Work


@dataclass(frozen=True)
class Answer:
    """What a day makes of one task: its total float, whether it is critical, its earliest finish."""

    total_float: int | None
    critical: bool | None
    early: int | None


def graph_of(works: Mapping[int, Work], links: list[tuple[int, int]]) -> nx.DiGraph[int]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(works)
    graph.add_edges_from((a, b) for a, b in links if a in works and b in works)
    return graph


def unknown(graph: nx.DiGraph[int], works: Mapping[int, Work]) -> tuple[set[int], set[int]]:
    """The tasks whose earliest finish, and whose latest one, cannot be known."""
    circles = {
        number
        for members in nx.strongly_connected_components(graph)
        for number in members
        if len(members) > 1 or graph.has_edge(number, number)
    }
    undated = {number for number, work in works.items() if work.finish is None or work.length is None}
    lengthless = {number for number, work in works.items() if work.length is None}
    early = circles | undated
    for number in circles | undated:
        early |= nx.descendants(graph, number)
    late = set(circles)
    for number in circles | lengthless:
        late |= nx.ancestors(graph, number)
    return early, late


def early_on(works: Mapping[int, Work], known: nx.DiGraph[int], yesterday: int) -> dict[int, int]:
    """The earliest finishes: nothing ends before its plan, before today, or before what it waits for."""
    found: dict[int, int] = {}
    for number in nx.topological_sort(known):
        work = works[number]
        assert work.finish is not None
        assert work.length is not None
        arrives = max((found[one] for one in known.predecessors(number)), default=yesterday)
        found[number] = max(work.finish, yesterday + 1, max(arrives, yesterday) + work.length)
    return found


def longest(works: Mapping[int, Work], graph: nx.DiGraph[int], number: int) -> int:
    """What the longest chain behind a task needs: the length of a piece of work is the weight of the links to it."""
    part = graph.subgraph({number, *nx.descendants(graph, number)}).copy()
    for _, after, data in part.edges(data=True):
        data["weight"] = works[after].length
    return int(nx.dag_longest_path_length(part, weight="weight")) if part.number_of_edges() else 0


def answers(works: Mapping[int, Work], links: list[tuple[int, int]], yesterday: int) -> dict[int, Answer]:
    graph = graph_of(works, links)
    everything: nx.Graph[int] = nx.Graph(links)
    everything.add_nodes_from(works)
    unknown_early, unknown_late = unknown(graph, works)
    early = early_on(works, graph.subgraph(set(works) - unknown_early), yesterday)
    told = {}
    for group in nx.connected_components(everything):
        members = [number for number in group if number in works]
        if not members:
            continue
        end = None if any(number in unknown_early for number in members) else max(early[one] for one in members)
        for number in members:
            told[number] = _answer(works, graph, number, early, end, unknown_late)
    return told


def _answer(
    works: Mapping[int, Work],
    graph: nx.DiGraph[int],
    number: int,
    early: Mapping[int, int],
    end: int | None,
    unknown_late: set[int],
) -> Answer:
    if number in unknown_late or number not in early:
        return Answer(None, None, early.get(number))
    behind = {number, *nx.descendants(graph, number)}
    bounds = []
    for other in behind:
        bound = works[other].bound
        if bound is not None:
            path = graph.subgraph(behind & {other, *nx.ancestors(graph, other)}).copy()
            for _, after, data in path.edges(data=True):
                data["weight"] = works[after].length
            bounds.append(bound - (int(nx.dag_longest_path_length(path, weight="weight")) if other != number else 0))
    after = longest(works, graph, number)
    latest = min(bounds) if bounds else None if end is None else end - after
    return Answer(
        None if latest is None else latest - early[number],
        None if end is None else early[number] + after >= end,
        early[number],
    )


def path_test(
    works: Mapping[int, Work], links: list[tuple[int, int]], last: int | None, candidates: set[int]
) -> bool | None:
    """Delay the first task of the longest chain by 600 days, and compute everything again."""
    graph = graph_of(works, links)
    early, late = unknown(graph, works)
    if early or late or not candidates:
        return None
    end = {number for number, work in works.items() if work.finish == last}
    if not end:
        return False
    long_ago = -1_000_000
    plan = early_on(works, graph, long_ago)
    reach = {number: plan[number] + longest(works, graph, number) for number in candidates}
    most = [number for number in candidates if reach[number] == max(reach.values())]
    first = min(most, key=lambda number: (plan[number] - (works[number].length or 0), number))
    late_works = dict(works)
    late_works[first] = Work(plan[first] + 600, works[first].length)
    delayed = early_on(late_works, graph, long_ago)
    return max(delayed[number] for number in end) - max(plan[number] for number in end) == 600
