"""Gates in both tools: what is missing stands on the project, and the decision is read where people take it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.office import ASANA, JIRA, PORTFOLIO, Forge, Office
from tests.acceptance.settled import GUIDANCE, forget_store, furnished, owner_of
from tests.conftest import Sandbox

EVENT = "1202000000000004"
REGISTER = f"""
home: {{{JIRA}: PMO}}
projects:
  - {{id: payments, title: Instant payments, containers: [{JIRA}/PAY], phase: planning, sponsor: Hanna Weber}}
  - id: conference
    containers: [{ASANA}/{EVENT}]
    home: {{{ASANA}: '{PORTFOLIO}'}}
    phase: planning
    charter_url: https://acme.example/charter
    gates:
      G1: {{decision: approved, on: 2026-01-15, by: Hanna Weber}}
      G2: {{evidence: {{budget: "https://acme.example/budget"}}}}
"""
GATES = """
gates:
  - {id: G1, title: Charter agreed, from: initiation, to: planning, standards: [GOV603], evidence: [charter_url]}
  - id: G2
    title: Plan approved
    from: planning
    to: execution
    decides: the sponsor
    standards: [DAT101, DAT103, GOV603]
    evidence: [charter_url, budget]
  - {id: G3, title: Handed over, from: execution, to: closing, standards: [GOV603]}
"""
DECIDED = {
    JIRA: '\n  decision: [{field: resolution, values: {approved: [Done], rejected: ["Won\'t Do"]}}]\n',
    ASANA: (
        "\n  decision: [{field: approval_status, values: {approved: [approved], rejected: [rejected], "
        "changes_requested: [changes_requested], empty: [pending]}}]\n"
    ),
}


@pytest.fixture
def office(tmp_path: Path, sandbox: Sandbox, forge: Forge) -> Office:
    """A project in each tool with three gates, and a record of the second one in each."""
    made = furnished(
        tmp_path / "office", sandbox, forge, "both", jira=("PAY",), asana=(EVENT,), register=REGISTER,
        extra=f"{GUIDANCE}gates: gates.yaml\n",
    )  # fmt: skip
    made.write("gates.yaml", GATES)
    for site, lines in DECIDED.items():
        made.edit(f"mappings/{site}.yaml", "\n  priority:", f"{lines}\n  priority:")
    made.edit(
        f"mappings/{ASANA}.yaml", "[default_task, approval, custom]", "[default_task, custom]\n        gate: [approval]"
    )
    made.edit(f"mappings/{JIRA}.yaml", "  type:\n", "  type:\n    - {field: labels, values: {gate: [gate]}}\n")
    sandbox.jira("PUT", f"issue/{issue(sandbox)}", {"fields": {"summary": "G2 Approve the plan", "labels": ["gate"]}})
    return made


def issue(sandbox: Sandbox) -> str:
    """An issue that nobody has begun."""
    key = sandbox.jira("GET", "search/jql", jql="project = PAY AND statusCategory = new AND type = Task ORDER BY key")
    return str(key["issues"][0]["id"])


def approval(sandbox: Sandbox) -> str:
    """The one approval of the conference."""
    (found,) = [row["gid"] for row in sandbox.state()["asana_task"] if row["resource_subtype"] == "approval"]
    return str(found)


def told(office: Office) -> dict[str, dict[str, Any]]:
    """Every gate as the command line tells it, by project and id."""
    rows = office.run("gates", "--json").json["gates"]
    return {f"{one['project']} {one['gate']}": one for one in rows}


def documented() -> set[str]:
    """The keys of a gate that docs/json.md names."""
    page = Path(__file__).parents[2] / "docs/json.md"
    section = page.read_text("utf-8").partition("\n## gates\n")[2].partition("\n## ")[0]
    return {name for name in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) if not name.endswith(".*")}


def page(sandbox: Sandbox) -> str:
    """The status issue of the project in Jira."""
    pages = [row["value"]["text"] for row in sandbox.state()["jira_property"] if row["key"] == "pmosync.status"]
    return next(text for text in pages if text.startswith("PMO status: Instant payments"))


def reason(sandbox: Sandbox) -> str:
    """What stands on the project in Asana about its health and its next gate."""
    state = sandbox.state()
    (field,) = [row["gid"] for row in state["asana_field"] if row["name"] == "PMO health reason"]
    (text,) = [row["value"] for row in state["asana_value"] if row["field"] == field and row["item"] == EVENT]
    return str(text)


@pytest.mark.slow
def test_a_gate_is_told_on_the_project_decided_in_the_tool_and_read_there(office: Office, sandbox: Sandbox) -> None:
    record, budget = issue(sandbox), approval(sandbox)
    sandbox.asana("PUT", f"tasks/{budget}", {"data": {"name": "G2: approve the final budget"}})
    assert office.run("reconcile").code == 0
    before = told(office)
    assert {f"gates[].{name}" for name in before["payments G2"]} == documented()
    assert {name: one["state"] for name, one in before.items()} == {
        "payments G1": "missing", "payments G2": "missing", "payments G3": "ready",
        "conference G1": "approved", "conference G2": "missing", "conference G3": "ready",
    }  # fmt: skip
    owners = len(before["payments G2"]["findings"]["DAT101"])
    wanted = [
        f"- DAT101 Open work has no owner: {owners} found.",
        "- No link to the charter.",
        "- No link to the budget.",
    ]
    lines = page(sandbox).split("\n")
    heading = lines.index("# Missing for G2 Plan approved")
    assert [line for line in lines[heading + 1 :] if line in wanted] == wanted
    assert "Missing for G2 Plan approved: " in reason(sandbox)
    assert "charter" not in reason(sandbox)
    text = office.run("gates", "conference").out
    assert (
        "  G1 Charter agreed (initiation to planning): approved by Hanna Weber on 2026-01-15, as the register" in text
    )
    assert "> G2 Plan approved (planning to execution): something is missing, then to be decided by the sponsor" in text
    assert "+ budget: https://acme.example/budget" in text

    moves = sandbox.jira("GET", f"issue/{record}/transitions")["transitions"]
    done = next(one["id"] for one in moves if one["to"]["statusCategory"]["key"] == "done")
    sandbox.jira(
        "POST", f"issue/{record}/transitions", {"transition": {"id": done}, "fields": {"resolution": {"name": "Done"}}}
    )
    owner_of(sandbox, budget).edit(ASANA, budget, approval_status="approved")
    assert office.run("sync").code == 0
    today = office.now()[:10]
    for project, site in (("payments", JIRA), ("conference", ASANA)):
        gate = told(office)[f"{project} G2"]
        assert (gate["decision"], gate["decided_on"], gate["next"]) == ("approved", today, False)
        assert gate["decided_by"]
        assert gate["record"].startswith(f"{site}/")
    assert "# Nothing is missing for G3 Handed over" in page(sandbox)
    assert "Nothing is missing for G3 Handed over." in reason(sandbox)

    assert office.run("reconcile").code == 0
    again = office.run("reconcile")
    assert (again.code, again.writes) == (0, 0)
    forget_store(office)
    plan = office.run("plan", "--full", "--detailed-exitcode")
    assert plan.code == 0, plan


def test_a_gate_that_nobody_can_mean_is_refused_before_anything_is_asked(office: Office, sandbox: Sandbox) -> None:
    office.edit("gates.yaml", "DAT103", "DAT930")
    run = office.run("reconcile")
    assert (run.code, run.requests["total"]) == (2, 0)
    assert "gates.yaml:9:25: the gate 'G2' asks for 'DAT930'" in run.text
    office.edit("gates.yaml", "DAT930", "DAT103")
    assert office.run("gates").code == 2, "nothing was judged yet"
    assert "run `pmosync sync` first" in office.run("gates").text
