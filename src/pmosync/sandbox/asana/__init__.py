"""The sandbox's Asana: a workspace with memory, answering as the vendor's API does.

What a client reads, writes and is refused follows the vendor's documents; every change leaves the stories, events and
mails that it would leave there.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import (
    access,
    allocations,
    batch,
    briefs,
    budgets,
    customfields,
    customtypes,
    events,
    goals,
    goalties,
    pages,
    people,
    portfolios,
    projects,
    relations,
    search,
    statusupdates,
    stories,
    tables,
    tasks,
    teams,
    timetracking,
    webhooks,
)
from pmosync.sandbox.call import Call, Rule
from pmosync.sandbox.state import State


def rules(state: State) -> list[Rule]:
    """Every path that this Asana answers."""
    tables.prepare(state)
    first = (people, projects, tasks, search, relations, stories, customfields, portfolios)
    planning = (teams, customtypes, briefs, budgets, allocations, timetracking, goals, goalties)
    parts = (*first, *planning, statusupdates, events, webhooks, pages)
    return [*batch.RULES, *(_guarded(rule) for part in parts for rule in part.RULES)]


def _guarded(rule: Rule) -> Rule:
    """A path that changes something refuses accounts that may only view."""
    methods, path, handler = rule
    if "GET" in methods:
        return rule

    def handle(call: Call) -> Response:
        access.must_write(call)
        return handler(call)

    return methods, path, handle
