"""Every figure of every rollup is the one in the hand-kept table, in the tools, in the report and in the JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pmosync.sandbox.organisation import generate
from pmosync.sandbox.organisation.portfolio import PROJECTS
from pmosync.standards import load_packs
from tests.acceptance.office import ASANA, JIRA, PORTFOLIO, Office
from tests.acceptance.settled import furnished
from tests.conftest import Sandbox
from tests.sandbox.rollups_by_hand import rollups

Table = dict[str, dict[str, Any]]
TABLE: Table = yaml.safe_load(Path(__file__).with_name("rollups.yaml").read_text("utf-8"))
PROGRAMS = {"Digital banking": 2, "Customer growth": 3, "Operations renewal": 4}
"""With the end of the gid of their portfolio in Asana."""
BASELINE = {"BRAND": 82, "HQ": 60}
MEASURES = {
    "PMO tasks open": "open",
    "PMO tasks late": "late",
    "PMO findings": "findings",
    "PMO compliance share": "compliance",
    "PMO worst severity": "worst",
    "PMO health": "health",
    "PMO progress": "progress",
}
IN_TOOL = ("due", "due_done")
"""Figures behind the health, which are not told themselves."""


def register() -> str:
    """All twelve projects in their programs, the programs in one portfolio, each with a home in both tools."""
    lines = [f"home: {{{JIRA}: PMO}}", "portfolios:"]
    lines += [f"  - {{id: organisation, title: Acme, home: {{{ASANA}: '{PORTFOLIO}'}}}}", "programs:"]
    for program, end in PROGRAMS.items():
        gid = PORTFOLIO[:-1] + str(end)
        lines.append(f"  - {{id: {program.split()[1]}, title: {program}, home: {{{ASANA}: '{gid}'}}}}")
    lines.append("projects:")
    asana = iter(range(1, 9))
    for one in PROJECTS:
        key = one.key if one.tool == "jira" else f"12020000000000{next(asana):02}"
        site = JIRA if one.tool == "jira" else ASANA
        home = f", home: {{{ASANA}: '{PORTFOLIO}'}}" if one.tool == "asana" else ""
        planned = f", baseline: {{tasks: {BASELINE[one.key]}}}" if one.key in BASELINE else ""
        lines.append(f"  - {{id: {one.key}, containers: [{site}/{key}], program: {one.program}{home}{planned}}}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def office(office: Callable[..., Office], sandbox: Sandbox, tmp_path: Path) -> Office:
    """The whole organisation, reconciled."""
    made = furnished(tmp_path / "all", sandbox, office().forge, "all", register=register())
    run = made.run("reconcile")
    assert run.code == 0, run
    return made


def figures(told: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the table says of one rollup, out of measures that stand somewhere."""
    names = [name for name in TABLE["Acme"] if name not in IN_TOOL]
    return {name: told[name] for name in names} | more


def test_the_table_is_what_the_organisation_is_by_hand() -> None:
    severities = {one.id: one.severity for one in load_packs(["starter"], Path())}
    by_hand = rollups(generate(), severities)
    by_hand["Acme"] = by_hand.pop("all")
    assert {name: {**row, "health": TABLE[name]["health"]} for name, row in by_hand.items()} == TABLE


@pytest.mark.slow
def test_the_report_the_json_and_the_tools_say_what_the_table_says(office: Office, sandbox: Sandbox) -> None:
    wanted = {name: figures(row) for name, row in TABLE.items()}
    document = office.run("report", "--json").json
    assert {one["title"]: figures(one) for one in document["rollups"]} == wanted
    state = sandbox.state()
    assert pages(state) == {name: page_of(name, row) for name, row in wanted.items()}
    assert properties(state) == {one.name: wanted[one.name] for one in PROJECTS if one.tool == "jira" and one.bot_admin}
    assert fields(state) == {name: fields_of(wanted[name]) for name in fields(state)}
    assert len(fields(state)) == 5 + 3 + 1


# --- in Jira ----------------------------------------------------------------------------------------------------------


def pages(state: dict[str, Any]) -> dict[str, set[str]]:
    """The lines about figures in every status issue, by the title of its rollup."""
    found = {}
    for row in state["jira_property"]:
        if row["key"] == "pmosync.status":
            lines = row["value"]["text"].split("\n")
            title = lines[0].removeprefix("PMO status: ").rpartition(": ")[0]
            found[title] = {
                line for line in lines if line.startswith(("- Tasks", "- Progress", "- Findings", "- Comp"))
            }
            found[title].add(lines[0].rpartition(": ")[2])
    return found


def page_of(name: str, row: dict[str, Any]) -> set[str]:
    """The same lines as the table would write them."""
    findings = ", ".join(f"{count} {severity}" for severity, count in row["findings"].items())
    counts = f"{row['done']} done, {row['cancelled']} cancelled, {row['open']} open"
    return {
        row["health"],
        f"- Tasks: {row['tasks']}, of them {counts} ({row['late']} late, {row['blocked']} blocked)",
        f"- Progress: {row['progress']:.0%} by count, {row['progress_effort']:.0%} by effort",
        f"- Findings: {findings}",
        f"- Compliance: {row['compliance']:.0%} of the tasks have no finding",
    }


def properties(state: dict[str, Any]) -> Table:
    """The measures in the property of each project, by the project's name."""
    names = {str(row["id"]): row["name"] for row in state["jira_project"]}
    rows = [row for row in state["jira_property"] if row["key"] == "pmosync.rollup"]
    return {names[str(row["entity_id"])]: figures(row["value"]["measures"]) for row in rows}


# --- in Asana ---------------------------------------------------------------------------------------------------------


def fields(state: dict[str, Any]) -> Table:
    """The values of our fields on projects and portfolios, by the name of the rollup."""
    measures = {row["gid"]: MEASURES[row["name"]] for row in state["asana_field"] if row["name"] in MEASURES}
    options = {row["gid"]: row["name"].lower() for row in state["asana_option"]}
    names = {row["gid"]: row["name"] for table in ("asana_project", "asana_portfolio") for row in state[table]}
    names[PORTFOLIO] = "Acme"
    found: Table = {}
    for row in state["asana_value"]:
        if row["field"] in measures and row["item"] in names:
            value = json.loads(row["value"])
            shown = options.get(value, value) if isinstance(value, str) else round(value, 2)
            found.setdefault(names[row["item"]], {})[measures[row["field"]]] = shown
    return found


def fields_of(row: dict[str, Any]) -> dict[str, Any]:
    """The same values as the table would write them."""
    return {
        "open": row["open"],
        "late": row["late"],
        "findings": sum(row["findings"].values()),
        "compliance": row["compliance"],
        "worst": next(iter(row["findings"])),
        "health": row["health"],
        "progress": row["progress"],
    }
