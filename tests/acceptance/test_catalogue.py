"""The packs `standard` and `full` find in the organisation what was worked out by hand there, and nothing else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pmosync.decisions.baselines.text import Baseline, Planned, render
from pmosync.sandbox.organisation.portfolio import PROJECTS
from pmosync.sandbox.state import State
from pmosync.standards import load_packs
from pmosync.yamlfile import dump
from tests.acceptance.office import ASANA, JIRA, TOKENS, Forge, Office
from tests.acceptance.settled import UNHURRIED, findings
from tests.conftest import start_sandbox, stop_sandbox
from tests.sandbox import catalogue_by_hand as by_hand
from tests.sandbox import histories_by_hand, people_by_hand, plans_by_hand, records_by_hand

SITES = {"jira": JIRA, "asana": ASANA}
MAPPED = ("goals: goals", "budget_h: budget_time", "budget_used_h: budget_time_used")
"""What the shipped mapping of Asana leaves to those whose plan has it."""

BLOCKS = "\n  blocks: {type: Blocks, direction: outward}"
PHASE_OF_WORK = "\n  phase: [{field: issuetype, values: {execution: [Story]}}, {default: planning}]\n"
GATES = """
gates:
  - {id: G1, title: Charter agreed, from: initiation, to: planning}
  - {id: G2, title: Plan approved, from: planning, to: execution}
"""


@pytest.mark.slow
def test_every_fault_of_the_catalogue_is_found_where_it_was_worked_out_by_hand_and_nowhere_else(
    tmp_path: Path, forge: Forge
) -> None:
    made = by_hand.planted()
    ids = by_hand.write(State(str(tmp_path / "sandbox.db"), by_hand.AS_OF), made)
    sandbox = start_sandbox("--state", str(tmp_path / "sandbox.db"))
    try:
        read = [one.key for one in PROJECTS if one.tool == "jira" and one.key != by_hand.UNREAD]
        options = {"jira": read, "push": "off", "register": register(), "environ": TOKENS | UNHURRIED}
        office = asking_for_more(Office(tmp_path / "office", sandbox, forge, **options))
        rows = sandbox.state()["jira_issue"]
        lay_baselines(office, made.plans, {str(row["id"]): row["key"] for row in rows}, ids, sandbox.state())
        run = office.run("reconcile")
        assert run.code == 0, run
        numbers = {row["key"]: str(row["id"]) for row in sandbox.state()["jira_project"]} | by_hand.gids()
        found = set(findings(office))
        assert not any(standard in histories_by_hand.STANDARDS for _, _, standard in found)
        with_histories(office)
        run = office.run("reconcile")
        assert run.code == 0, run
        found |= {one for one in findings(office) if one[2] in histories_by_hand.STANDARDS}
    finally:
        stop_sandbox(sandbox)
    tools = {one.key: one.tool for one in PROJECTS}
    expected = {(SITES[ids[n][0]], f"task {ids[n][1]}", standard) for n, standard in by_hand.task_findings(made)}
    expected |= {
        (SITES[tools[key]], f"project {numbers[key]}", standard) for key, standard in by_hand.project_findings(made)
    }
    expected |= {(home(item), item, standard) for item, standard in by_hand.other_findings(made)}
    told = f"{by_hand.__doc__} {people_by_hand.__doc__} {plans_by_hand.__doc__} {records_by_hand.__doc__}"
    told += histories_by_hand.__doc__ or ""
    names = set(re.findall(r"\b[A-Z]{3}\d{3}\b", told))
    assert names <= {one.id for one in load_packs(["full"], Path())}
    found = {one for one in found if one[2] in names}
    assert (found - expected, expected - found) == (set(), set())
    assert {standard for _, _, standard in expected} == names


def home(item: str) -> str:
    """The first site that somebody or something is on: the warehouse is in Jira alone."""
    return JIRA if item.startswith("portfolio") else min(JIRA, ASANA)


def register() -> str:
    """What the PMO's register says, as a file."""
    tools = {one.key: one.tool for one in PROJECTS}
    entries = [
        {"id": key, "containers": [f"{SITES[tools[key]]}/{by_hand.gids().get(key, key)}"], **entry}
        for key, entry in by_hand.register().items()
    ]
    return dump({"projects": entries})


def with_histories(office: Office) -> None:
    """Let Jira's histories be read as well: standards that know by them when work began find more then."""
    office.edit(f"mappings/{JIRA}.yaml", "read: [worklogs]", "read: [worklogs, history]")
    office.edit(f"mappings/{JIRA}.yaml", "\n  priority:", "\n  updated_at: updated\n  priority:")


def lay_baselines(
    office: Office,
    made: plans_by_hand.Plans,
    keys: Mapping[str, str],
    ids: Mapping[int, tuple[str, str]],
    state: dict[str, Any],
) -> None:
    """Two baselines of the archive migration, the second without a gate or a change."""
    number = next(str(row["id"]) for row in state["jira_project"] if row["key"] == plans_by_hand.KEY)
    lines = []
    for what, task in plans_by_hand.baselined(made).items():
        begin, end, hours = plans_by_hand.PLANNED[what]
        rid = ids[id(task)][1]
        days = [by_hand.AS_OF + dt.timedelta(days=day) for day in (begin, end)]
        lines.append(Planned(JIRA, keys[rid], rid, "task", True, True, *days, hours))
    before = ""
    for day in plans_by_hand.SET:
        on = by_hand.AS_OF + dt.timedelta(days=day)
        at = dt.datetime.combine(on, dt.time(12), dt.UTC)
        name = f"{plans_by_hand.KEY}.{on}.yaml"
        one = Baseline(
            plans_by_hand.KEY,
            (f"{JIRA}/{number}",),
            at,
            on,
            "pmo@acme.example",
            "the plan",
            replaces=before,
            tasks=len(lines),
        )
        office.write(f"decisions/baselines/{name}", render(one, lines))
        before = name


def asking_for_more(office: Office) -> Office:
    """The office with every standard that is shipped, and mappings that read what they ask about."""
    office.edit("pmosync.yaml", "standards: [starter]", "standards: [full]\npeople: people.yaml")
    office.write("people.yaml", people_by_hand.people(JIRA, by_hand.AS_OF))
    office.edit(f"mappings/{JIRA}.yaml", "\ntask:\n", "\nread: [worklogs]\n\ntask:\n")
    office.edit(f"mappings/{JIRA}.yaml", "[Task, Story, Bug]", "[Task, Story]\n        request: [Bug]")
    labels = "    - {field: labels, values: {risk: [risk], issue: [issue], change: [change]}}\n"
    office.edit(
        f"mappings/{JIRA}.yaml", "  type:\n", f"{records_by_hand.MAPPING}{plans_by_hand.MAPPING}  type:\n{labels}"
    )
    office.edit(f"mappings/{JIRA}.yaml", BLOCKS, f"{BLOCKS}{plans_by_hand.LINKS}")
    office.edit(f"mappings/{JIRA}.yaml", "\n  priority:", f"{PHASE_OF_WORK}\n  priority:")
    office.edit("pmosync.yaml", "register: projects.yaml", "register: projects.yaml\ngates: gates.yaml")
    office.write("gates.yaml", GATES)
    office.write("decisions/waivers.yaml", dump(by_hand.waivers()))
    office.edit(f"mappings/{ASANA}.yaml", "\nread: []\n", "\nread: [goals, budgets]\n")
    for line in MAPPED:
        office.edit(f"mappings/{ASANA}.yaml", f"  # {line}", f"  {line}")
    return office
