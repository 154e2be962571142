"""Find circles of links: work that waits, through others, for itself."""

from __future__ import annotations

from typing import Any

import networkx as nx
from sqlalchemy import Connection, and_, delete, select
from sqlalchemy.dialects.sqlite import insert

from pmosync.store.tables import link, task, task_cycle, touched

SHOWN_IN_CYCLE = 6
"""A circle is shown by at most this many keys."""


def find_circles(connection: Connection) -> None:
    """Find circles of links; touch the tasks that came to stand in one, left one, or whose circle changed."""
    before = {row.task_id: (row.cycle, row.observed) for row in connection.execute(select(task_cycle))}
    rows = _circles(connection)
    connection.execute(delete(task_cycle))
    if rows:
        connection.execute(task_cycle.insert(), rows)
    now = {row["task_id"]: (row["cycle"], row["observed"]) for row in rows}
    moved = [number for number in before.keys() | now.keys() if before.get(number) != now.get(number)]
    if moved:
        statement = insert(touched).on_conflict_do_nothing()
        connection.execute(statement, [{"subject": "task", "subject_id": number, "data": 1} for number in moved])


def _circles(connection: Connection) -> list[dict[str, Any]]:
    pred, succ = task.alias("pred"), task.alias("succ")
    edges = (
        select(pred.c.id, succ.c.id)
        .select_from(link)
        .join(pred, and_(pred.c.site == link.c.site, pred.c.rid == link.c.pred))
        .join(succ, and_(succ.c.site == link.c.site, succ.c.rid == link.c.succ))
        .distinct()
    )
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from(tuple(row) for row in connection.execute(edges))
    groups = [
        members
        for members in nx.strongly_connected_components(graph)
        if len(members) > 1 or graph.has_edge(*(list(members) * 2))
    ]
    ids = [number for members in groups for number in members]
    known: dict[int, tuple[str, int]] = {}
    for begin in range(0, len(ids), 5000):
        wanted = select(task.c.id, task.c.key, task.c.observed).where(task.c.id.in_(ids[begin : begin + 5000]))
        known.update((number, (key, observed)) for number, key, observed in connection.execute(wanted))
    rows = []
    for members in groups:
        shown = _walk(graph, members, known)
        observed = min(known[number][1] for number in members)
        rows += [{"task_id": number, "cycle": shown, "observed": observed} for number in members]
    return rows


def _walk(graph: Any, members: set[int], known: dict[int, tuple[str, int]]) -> str:
    """One circle through the members, by their keys, beginning with the smallest id so that the text is stable."""
    start = min(members)
    part = graph.subgraph(members)
    path = [start]
    for after in sorted(part.successors(start)):
        path = [start, *nx.shortest_path(part, after, start)]
        break
    keys = [known[number][0] for number in path]
    if len(keys) > SHOWN_IN_CYCLE:
        keys = [*keys[: SHOWN_IN_CYCLE - 1], "…", keys[-1]]
    return " → ".join(keys)
