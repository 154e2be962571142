"""A generated organisation: 3 programs, 12 projects, about 900 tasks and 40 people, in a Jira site and an Asana.

The project office has a Jira project of its own, which holds nothing.

It is the same for the same day, and the same faults lie around every day: dates move with the day it is made for.
"""

from __future__ import annotations

from datetime import date

from pmosync.sandbox.asana import tables as asana_tables
from pmosync.sandbox.jira import seed as jira_seed
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.faults import plant
from pmosync.sandbox.organisation.plan import Organisation, sound
from pmosync.sandbox.organisation.to_asana import write_asana
from pmosync.sandbox.organisation.to_jira import write_jira
from pmosync.sandbox.state import State

SEED = 20


def generate(seed: int = SEED) -> Organisation:
    """The organisation in no tool's terms, faults included."""
    organisation, dice = sound(seed)
    plant(organisation, dice)
    return organisation


def write(state: State, as_of: date, *, jira: bool = True, asana: bool = True) -> None:
    """Fill the tools' tables as they stand on the morning of `as_of`."""
    jira_seed.prepare(state)
    asana_tables.prepare(state)
    organisation, days = generate(), Days(as_of)
    with state.transaction():
        if jira:
            write_jira(state, organisation, days)
        if asana:
            write_asana(state, organisation, days)
