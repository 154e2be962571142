"""The promises of the design over whole cycles on the sandbox: settled, partial, ours only, and every line says why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.office import ASANA, JIRA, Forge, Office, difference
from tests.acceptance.settled import (
    DAY_S,
    TOOLS,
    Person,
    abandon,
    as_told,
    events,
    findings,
    flagged,
    forget_store,
    furnished,
    spotless,
    without_ours,
)
from tests.conftest import Sandbox

Settled = Callable[..., Office]
WORLDS = ["both", pytest.param("both, with a server", marks=pytest.mark.slow)]
ALONE = [pytest.param(one, "sync", marks=pytest.mark.slow) for one in ("jira", "server", "asana")]


@pytest.fixture(params=WORLDS)
def tools(request: pytest.FixtureRequest) -> str:
    """The tools of the office: Jira as Cloud or as Data Center, and Asana."""
    return str(request.param)


@pytest.fixture
def settled(settled: Settled, tools: str) -> Settled:
    """An office of these tools that has just run once, or of others if some are named."""
    return lambda other="": settled(other or tools)


# --- settled ----------------------------------------------------------------------------------------------------------


def test_a_second_run_with_nothing_changed_writes_nothing(settled: Settled) -> None:
    office = settled()
    before = office.sandbox.state()
    for verb in ("reconcile", "sync", "sync"):
        run = office.run(verb)
        assert (run.code, run.writes) == (0, 0), f"{verb}: {run}"
    assert difference(before, office.sandbox.state()) == []


@pytest.mark.parametrize(
    ("tools", "verb"),
    [*ALONE, ("both", "reconcile"), pytest.param("both, with a server", "reconcile", marks=pytest.mark.slow)],
)
def test_a_run_after_the_store_was_deleted_writes_nothing(settled: Settled, tools: str, verb: str) -> None:
    office = settled(tools)
    forget_store(office)
    run = office.run(verb)
    assert (run.code, run.writes) == (0, 0), run


@pytest.mark.slow
def test_what_is_pushed_does_not_tell_when_or_by_which_run(
    settled: Settled, tools: str, sandbox: Sandbox, forge: Forge, tmp_path: Path
) -> None:
    untouched = sandbox.snapshot()
    told = as_told(settled().sandbox.state())
    sandbox.restore(untouched)
    sandbox.advance(5 * 3600)
    later = furnished(tmp_path / "later", sandbox, forge, tools)
    assert later.run("sync").code == 0
    assert difference(as_told(sandbox.state()), told) == []


# --- never judge on partial data --------------------------------------------------------------------------------------


def test_a_project_that_cannot_be_read_keeps_its_findings_and_marks(settled: Settled) -> None:
    office = settled()
    before, known = office.sandbox.state(), findings(office)
    project = next(row["gid"] for row in before["asana_project"])
    office.sandbox.fault(
        {"kind": "missing", "match": {"tool": "jira"}, "project": "CRM"},
        {"kind": "forbidden", "match": {"tool": "asana"}, "project": project},
    )
    run = office.run("reconcile")
    assert (run.code, run.writes) == (11, 0), run
    assert "CRM" in run.text
    assert findings(office) == known
    office.sandbox.heal()
    healed = office.run("reconcile")
    assert (healed.code, healed.writes) == (0, 0), healed
    assert findings(office) == known


# --- ours only --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_we_wrote_is_no_evidence(
    settled: Settled, tools: str, sandbox: Sandbox, forge: Forge, tmp_path: Path
) -> None:
    observed = furnished(tmp_path / "observed", sandbox, forge, tools, push="off")
    run = observed.run("reconcile")
    assert (run.code, run.writes) == (0, 0), run
    office = settled()
    told = events(office)
    assert findings(office) == findings(observed)
    for verb in ("sync", "reconcile"):
        assert office.run(verb).code == 0
        assert events(office) == told, f"{verb} changed a verdict after our own writes"
    assert findings(office) == findings(observed)


def test_nobody_is_mailed(settled: Settled) -> None:
    office = settled()
    assert office.run("retract", "--yes").code == 0
    assert office.sandbox.mail() == []


def test_only_our_slots_differ_from_a_world_without_us(settled: Settled, tools: str, sandbox: Sandbox) -> None:
    if TOOLS[tools].get("data_center"):
        sandbox.be_data_center()
    before = sandbox.state()
    settled()
    assert difference(without_ours(sandbox.state()), before) == []
    assert difference(sandbox.state(), before) != []


# --- every line says why ----------------------------------------------------------------------------------------------


def causes(office: Office, *line: str) -> dict[tuple[str, str], set[str]]:
    """The causes of each task's lines in the next plan, by site and id."""
    run = office.run("plan", "--json", *line)
    assert (run.code, run.writes) == (0, 0), run
    told: dict[tuple[str, str], set[str]] = {}
    for one in run.json["lines"]:
        if one["subject"] == "task":
            told.setdefault((one["site"], one["id"]), set()).add(one["causes"])
    return told


def chosen(office: Office, pick: Callable[[Office, str], list[str]]) -> dict[str, str]:
    """One item of each site."""
    return {site: pick(office, site)[0] for site in (JIRA, ASANA)}


def test_a_change_by_a_person_is_the_data(settled: Settled) -> None:
    office = settled()
    items = chosen(office, spotless)
    for site, item in items.items():
        abandon(office.sandbox, site, item)
    assert causes(office) == {(site, item): {"data"} for site, item in items.items()}


@pytest.mark.slow
def test_a_mark_that_somebody_took_away_was_edited_by_somebody(settled: Settled) -> None:
    office = settled()
    state, person = office.sandbox.state(), Person(office.sandbox)
    item = next(row for row in state["jira_issue"] if "pmo-high" in row["fields"]["labels"])
    person.jira("PUT", f"issue/{item['id']}", {"update": {"labels": [{"remove": "pmo-high"}]}})
    field = next(row["gid"] for row in state["asana_field"] if row["name"] == "PMO compliance")
    task = next(row["item"] for row in state["asana_value"] if row["field"] == field)
    person.asana("PUT", f"tasks/{task}", {"custom_fields": {field: None}})
    assert causes(office) == {
        (JIRA, str(item["id"])): {"edited by somebody"},
        (ASANA, task): {"edited by somebody"},
    }


@pytest.mark.slow
def test_work_that_left_the_projects_left_the_scope(settled: Settled) -> None:
    office = settled()
    state, person = office.sandbox.state(), Person(office.sandbox)
    task = next(one for one in flagged(office, ASANA) if one in {row["task"] for row in state["asana_placement"]})
    for row in state["asana_placement"]:
        if row["task"] == task:
            person.asana("POST", f"tasks/{task}/removeProject", {"project": row["project"]})
    told = causes(office, "--full")
    assert told[ASANA, task] == {"left the scope"}
    assert {cause for _, found in told.items() for cause in found} <= {"left the scope", "data"}


@pytest.mark.slow
def test_a_narrower_mapping_leaves_the_rest_out_of_scope(settled: Settled) -> None:
    office = settled()
    office.edit(f"mappings/{JIRA}.yaml", '"PLAT", "CRM"]', '"PLAT"]')
    told = causes(office, "--full")
    crm = {str(row["id"]) for row in office.sandbox.state()["jira_issue"] if row["key"].startswith("CRM-")}
    assert told
    assert {item for _, item in told} <= crm
    assert {cause for found in told.values() for cause in found} == {"left the scope"}


@pytest.mark.slow
def test_another_reading_of_a_status_is_the_mapping(settled: Settled) -> None:
    office = settled()
    office.edit(f"mappings/{JIRA}.yaml", "[On Hold, Waiting for Vendor]", "[On Hold, Waiting for Vendor, Parked]")
    told = causes(office)
    assert told
    assert {site for site, _ in told} == {JIRA}
    assert {cause for found in told.values() for cause in found} == {"mapping"}


@pytest.mark.slow
def test_a_standard_that_was_added_is_the_standard(settled: Settled) -> None:
    office = settled()
    office.write("own.yaml", OWN)
    office.edit("pmosync.yaml", "standards: [starter]", "standards: [starter, own.yaml]")
    told = causes(office)
    assert {site for site, _ in told} == {JIRA, ASANA}
    assert {cause for found in told.values() for cause in found} == {"standard"}


def test_a_waiver_is_the_waiver(settled: Settled) -> None:
    office = settled()
    day = office.now()[:10]
    items = chosen(office, flagged)
    keys = {str(row["id"]): row["key"] for row in office.sandbox.state()["jira_issue"]}
    names = {key: key[2] for key in findings(office)}
    entries = []
    for site, item in items.items():
        standard = next(name for (where, what, _), name in names.items() if (where, what) == (site, f"task {item}"))
        entries.append(WAIVER.format(standard=standard, site=site, key=keys.get(item, item), on=day, day=day))
    office.write("decisions/waivers.yaml", "".join(entries))
    assert causes(office) == {(site, item): {"waiver"} for site, item in items.items()}


@pytest.mark.slow
def test_another_calendar_is_the_calendar(settled: Settled) -> None:
    office = settled()
    today = dt.date.fromisoformat(office.now()[:10])
    days = [today - dt.timedelta(days=n) for n in range(1, 9)]
    office.edit("pmosync.yaml", "holidays: DE}", f"holidays: [{', '.join(map(str, days))}]}}")
    told = causes(office)
    assert told
    assert {cause for found in told.values() for cause in found} == {"calendar"}


def test_a_new_day_is_time(settled: Settled) -> None:
    office = settled()
    office.sandbox.advance(3 * DAY_S)
    told = causes(office)
    assert {site for site, _ in told} == {JIRA, ASANA}
    assert {cause for found in told.values() for cause in found} == {"time"}


OWN = """\
pack: own
today: 2026-11-20
standards:
  - id: OWN901
    title: Work in progress has no estimate that is worth its name
    subject: task
    severity: critical
    when: status = in_progress AND estimate_h < 13
    why: A rehearsal needs a standard that many tasks break.
    fix: Estimate it again.
    serves: rehearsing
    phase: execution
    examples:
      fail:
        - {status: in_progress, estimate_h: 3}
      pass:
        - {status: in_progress, estimate_h: 20}
"""
WAIVER = """\
- standard: {standard}
  subject: {site}/{key}
  reason: agreed for this release
  requested_by: ana
  approved_by: cio
  approved_on: {on}
  until: {day}
"""
