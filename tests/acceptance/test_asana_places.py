"""Asana where custom fields may not be used, and rollups on portfolios: whole runs, as a cron job sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.office import ASANA, Office

TAGS = {f"pmo-{word}" for word in ("critical", "high", "medium", "low", "info")}
TOP, GROWTH = "1201000000000001", "1201000000000003"
REGISTER = f"""\
portfolios: [{{id: acme, title: Acme, home: {{{ASANA}: "{TOP}"}}}}]
programs: [{{id: growth, title: Customer growth, portfolio: acme, home: {{{ASANA}: "{GROWTH}"}}}}]
projects:
  - id: brand
    program: growth
    containers: [{ASANA}/1202000000000001]
    home: {{{ASANA}: "{TOP}"}}
    baseline: {{tasks: 40}}
  - {{id: event, program: growth, containers: [{ASANA}/1202000000000004]}}
"""
BOTH = ("1202000000000001", "1202000000000004")


def tagged(office: Office) -> dict[str, set[str]]:
    """Our tags on tasks."""
    state = office.sandbox.state()
    names = {tag["gid"]: tag["name"] for tag in state["asana_tag"] if tag["name"] in TAGS}
    found: dict[str, set[str]] = {}
    for one in state["asana_tagging"]:
        if one["tag"] in names:
            found.setdefault(one["task"], set()).add(names[one["tag"]])
    return found


def measures(office: Office, gid: str) -> dict[str, Any]:
    """What stands in our fields of a portfolio."""
    asked = "custom_fields.name,custom_fields.display_value"
    found = office.sandbox.asana("GET", f"portfolios/{gid}", opt_fields=asked)["data"]["custom_fields"]
    return {one["name"]: one["display_value"] for one in found if one["name"].startswith("PMO")}


@pytest.mark.slow
def test_without_custom_fields_tasks_are_flagged_by_tags_settle_and_are_cleared(office: Callable[..., Office]) -> None:
    one = office(jira=None, asana=BOTH)
    before = one.sandbox.state()
    one.sandbox.control("POST", "switches", {"premium": "no"})
    first = one.run("reconcile")
    assert first.code == 0, first
    flags = tagged(one)
    assert len(flags) > 5
    assert {len(names) for names in flags.values()} == {1}
    again = one.run("reconcile")
    assert (again.code, again.writes) == (0, 0), again
    gone = one.run("retract", "--yes")
    assert gone.code == 0, gone
    after = one.sandbox.state()
    assert {name: after[name] for name in ("asana_tag", "asana_tagging")} == {
        name: before[name] for name in ("asana_tag", "asana_tagging")
    }


@pytest.mark.slow
def test_when_fields_are_licensed_the_tags_give_way_to_the_field(office: Callable[..., Office]) -> None:
    one = office(jira=None, asana=BOTH)
    one.sandbox.control("POST", "switches", {"premium": "no"})
    assert one.run("reconcile").code == 0
    flags = tagged(one)
    one.sandbox.control("POST", "switches", {"premium": "yes"})
    run = one.run("reconcile")
    assert run.code == 0, run
    assert tagged(one) == {}
    state = one.sandbox.state()
    (field,) = (row["gid"] for row in state["asana_field"] if row["name"] == "PMO compliance")
    assert {row["item"] for row in state["asana_value"] if row["field"] == field} == set(flags)


@pytest.mark.slow
def test_programs_and_portfolios_have_their_rollups_on_asanas_portfolios(office: Callable[..., Office]) -> None:
    one = office(jira=None, asana=BOTH, register=REGISTER)
    run = one.run("reconcile")
    assert run.code == 0, run
    top, program = measures(one, TOP), measures(one, GROWTH)
    assert top["PMO health"] in ("Green", "Amber", "Red")
    assert top["PMO health reason"]
    assert top == program, "both hold the same two projects"
    assert top["PMO progress"]
    again = one.run("reconcile")
    assert (again.code, again.writes) == (0, 0), again
    gone = one.run("retract", "--yes")
    assert gone.code == 0, gone
    assert measures(one, TOP) == measures(one, GROWTH) == {}
