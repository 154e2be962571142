"""Of the sandbox's organisation, every figure is the same in the store, the JSON, the text, the Markdown and the page.

It is read once and reported many times.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from pmosync import rollup
from pmosync.cli import main
from pmosync.cli.options import Common, configured
from pmosync.config import load_register
from pmosync.model import SEVERITIES
from pmosync.opening import standards_of, stored
from pmosync.reports import words
from tests.cli.conftest import Ran, Run, write_config
from tests.conftest import Sandbox
from tests.reports.reading import FIGURES, Page, from_markdown, from_text

READ_AT = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
NOW = "2026-11-20T09:00:00+00:00"
LATER = "2026-11-20T09:12:00+00:00"
REGISTER = """\
portfolios: [{id: change, title: Change the bank}]
programs:
  - {id: digital, title: Digital banking, portfolio: change}
projects:
  - {id: pay, containers: [acme-jira/PAY], program: digital, reported_health: green, phase: execution,
     baseline: {due_on: 2026-11-30, tasks: 60, effort_h: 400}}
  - {id: plat, containers: [acme-jira/PLAT], program: digital}
  - {id: brand, containers: [acme-asana/1202000000000001], portfolio: change, reported_health: amber}
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, sandbox_process: tuple[Sandbox, int]) -> Path:
    """A folder whose store has seen the whole organisation; the reports only read it."""
    sandbox, beginning = sandbox_process
    sandbox.restore(beginning)
    folder = tmp_path_factory.mktemp("office")
    write_config(folder, sandbox.url, more="register: projects.yaml\nguidance: https://pmo.acme.example/standards/\n")
    (folder / "projects.yaml").write_text(REGISTER, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ACME_JIRA_TOKEN", "sandbox-jira-token")
        patch.setenv("ACME_ASANA_TOKEN", "sandbox-asana-token")
        assert main(["plan", "--quiet", "--now", NOW]) == 0
    return folder


@pytest.fixture
def office(seen: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(seen)
    return seen


def told_by(run: Run, *line: str) -> Ran:
    ran = run("report", *line, "--now", LATER)
    assert ran.code == 0, ran.err
    return ran


def from_store(folder: Path) -> dict[str, dict[str, Any]]:
    config = configured(Common(folder / "pmosync.yaml"))
    severities = {one.id: one.severity for one in standards_of(config)}
    with stored(config) as store, store.reading() as connection:
        found = rollup.tree(connection, severities, load_register(config), config.organisation, config.workdays)
    return {one.id: one.measures() for one in found}


def as_people_write(one: dict[str, Any]) -> dict[str, str]:
    told = {name: str(one[name]) for name in (*words.COUNTS, *words.APART)}
    told |= {name: "–" if one[name] is None else f"{round(100 * one[name])}%" for name in words.SHARES}
    told |= {name: str(one["findings"].get(name, 0)) for name in SEVERITIES}
    told |= {"findings": str(sum(one["findings"].values()))}
    return told | {"observed_tasks": f"{one['observed_tasks']} of {one['tasks']}"}


@pytest.mark.slow
def test_every_figure_is_the_same_everywhere(run: Run, office: Path) -> None:
    document = told_by(run, "--json").data
    rollups = {one["id"]: one for one in document["rollups"]}
    stored_ = from_store(office)
    assert len(rollups) == len(stored_) >= 15
    for one, measures in stored_.items():
        assert {name: rollups[one][name] for name in measures} == measures
    assert rollups["portfolio/change"]["tasks"] > rollups["program/digital"]["tasks"] > 0
    expected = {one: as_people_write(found) for one, found in rollups.items()}

    text = from_text(told_by(run).out, list(rollups))
    page = Page(told_by(run, "--format", "html").out)
    for told in (text, from_markdown(told_by(run, "--format", "markdown").out, list(rollups)), page.tree):
        assert {one: {name: found[name] for name in FIGURES} for one, found in told.items()} == expected
    for one, found in rollups.items():
        assert text[one]["health"] == words.colour(found["health"])
        assert text[one]["reported"] == (words.colour(found["reported"]) if found["reported"] else "–")
        assert page.tree[one]["health"] == found["health"]
        assert page.tree[one].get("reported") == found["reported"]
    for one in (one for one in rollups if rollups[one]["parent"] is None):
        assert {name: page.top[one][name] for name in FIGURES} == expected[one]


@pytest.mark.slow
def test_the_age_is_that_of_the_oldest_site_and_the_links_lead_to_the_guidance(run: Run, office: Path) -> None:
    document = told_by(run, "--json").data
    (top,) = (one for one in document["rollups"] if one["id"] == "portfolio/change")
    assert top["sites"] == ["acme-asana", "acme-jira"]
    read_at = dt.datetime.fromisoformat(top["read_at"])
    assert read_at >= READ_AT
    assert top["age_min"] == (dt.datetime.fromisoformat(document["as_of"]) - read_at) // dt.timedelta(minutes=1)
    assert [one["url"] for one in top["standards"]] == [
        f"https://pmo.acme.example/standards/{one['id']}.html" for one in top["standards"]
    ]
    by_standard = {row["id"]: row["findings"] for row in run("findings", "--json").data["standards"]}
    organisation = {one["id"]: one for one in document["rollups"]}["portfolio/organisation"]
    ids = {one["id"] for one in (*top["standards"], *organisation["standards"])}
    shown = dict.fromkeys(ids, 0)
    for part in (top, organisation):
        for one in part["standards"]:
            shown[one["id"]] += one["findings"]
    assert all(0 < count <= by_standard[one] for one, count in shown.items())


@pytest.mark.slow
def test_one_program_or_project_is_reported_alone(run: Run, office: Path) -> None:
    alone = told_by(run, "--program", "Digital banking", "--json").data["rollups"]
    assert {one["id"] for one in alone} == {"program/digital", "project/plat", "project/pay"}
    assert alone == told_by(run, "--portfolio", "change", "--program", "digital", "--json").data["rollups"]
    (project,) = told_by(run, "--project", "PAY", "--json").data["rollups"]
    assert project["id"] == "project/pay"
    assert "Programs and projects" not in told_by(run, "--project", "pay").out


def test_a_file_holds_what_the_terminal_would_show(run: Run, office: Path, tmp_path: Path) -> None:
    for form in ("text", "markdown", "json", "html"):
        path = tmp_path / f"report.{form}"
        assert told_by(run, "--format", form, "--out", str(path)).out.replace("\n", "") == f"written: {path}"
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["organisation"] == "Acme"
    assert (tmp_path / "report.markdown").read_text("utf-8").startswith("# Acme: portfolio report\n")
    assert (tmp_path / "report.html").read_text("utf-8").endswith("</html>\n")
    assert max(map(len, (tmp_path / "report.text").read_text("utf-8").splitlines())) <= 120
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"report.{form}" for form in ("text", "markdown", "json", "html")
    )
