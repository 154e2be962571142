"""A file that is wrong ends a run before it begins: exit 2, its line, what is wrong and the fix; nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.acceptance.office import ASANA, JIRA, Office, Run
from tests.acceptance.settled import findings

CONFIG, JIRA_MAPPING, ASANA_MAPPING, REGISTER = (
    "pmosync.yaml",
    f"mappings/{JIRA}.yaml",
    f"mappings/{ASANA}.yaml",
    "projects.yaml",
)


@dataclass(frozen=True)
class Wrong:
    """One mistake in one file, and what the message says about it."""

    file: str
    before: str
    after: str
    says: tuple[str, ...]
    """What is wrong, and the fix."""
    at: str = ""
    """A piece of the line that is named; the mistake itself when empty."""
    environ: Mapping[str, str] = field(default_factory=dict)


MISTAKES = {
    # the mapping
    "an unknown key of a mapping": Wrong(
        JIRA_MAPPING, "  title: summary\n", "  titel: summary\n", ("titel", "did you mean title")
    ),
    "a misspelt option of the model": Wrong(
        JIRA_MAPPING, "blocked: [On Hold", "bloked: [On Hold", ("bloked", "did you mean blocked")
    ),
    "a field that the site does not have": Wrong(
        JIRA_MAPPING, 'start_on: "Start date"', 'start_on: "Start dat"', ("Start dat", "did you mean Start date")
    ),
    "an option that the site does not have": Wrong(
        JIRA_MAPPING, "Waiting for Vendor]", "Waiting for Vendors]", ("Waiting for Vendors", "Waiting for Vendor")
    ),
    "an option that Asana's field does not have": Wrong(
        ASANA_MAPPING, "in_progress: [Doing, Review]", "in_progress: [Doing, Reviews]", ("Reviews", "Review")
    ),
    "a custom field that Asana does not have": Wrong(
        ASANA_MAPPING, '{custom: "Estimated time"}', '{custom: "Estimated tme"}', ("Estimated tme", "Estimated time")
    ),
    "a link type that the site does not have": Wrong(
        JIRA_MAPPING, "{type: Blocks,", "{type: Bloks,", ("Bloks", "Blocks")
    ),
    "an unknown slot": Wrong(JIRA_MAPPING, "[property, label, remote_link]", "[property, lable]", ("lable", "label")),
    "a slot of a later version": Wrong(
        JIRA_MAPPING, "[property, label, remote_link]", "[property, status_update]", ("status_update",)
    ),
    "a mapping that is no YAML": Wrong(JIRA_MAPPING, "  lead: lead\n", "  lead: lead: lead\n", ("not valid YAML",)),
    # the configuration
    "an unknown key of the configuration": Wrong(
        CONFIG, "profile: controlling", "profil: controlling", ("profil", "did you mean profile")
    ),
    "a profile that there is not": Wrong(CONFIG, "profile: controlling", "profile: strict", ("strict", "controlling")),
    "a holiday that is no date": Wrong(CONFIG, "holidays: DE", "holidays: [2026-02-30]", ("2026-02-30",)),
    "a country without holidays": Wrong(CONFIG, "holidays: DE", "holidays: Deutschland", ("Deutschland",)),
    "a time zone that there is not": Wrong(
        CONFIG, "timezone: Europe/Berlin", "timezone: Europe/Berln", ("Europe/Berln", "did you mean Europe/Berlin")
    ),
    "a secret that is written down": Wrong(
        CONFIG, "token: env:JIRA_TOKEN", "token: ATATT3xFfGF0", ("env:NAME", "file:"), "token:"
    ),
    "a secret that is missing": Wrong(
        CONFIG, "token: env:JIRA_TOKEN", "token: env:JIRA_TOKN", ("JIRA_TOKN", "not set"), "env:JIRA_TOKN"
    ),
    "a key that a connector does not know": Wrong(
        CONFIG, "    connector: jira\n", "    connector: jira\n    tokn: x\n", ("tokn",)
    ),
    "a connector that there is not": Wrong(
        CONFIG, "    connector: jira\n", "    connector: jra\n", ("jra", "did you mean jira")
    ),
    "a key of a later version": Wrong(
        CONFIG, "profile: controlling", "profile: controlling\nweb: {port: 80}", ("web", "findings"), "web"
    ),
    "a store of a later version": Wrong(
        CONFIG, "store: sqlite:///pmosync.db", "store: postgresql://pmo@db/pmo", ("sqlite",), "store:"
    ),
    "a pack that there is not": Wrong(CONFIG, "standards: [starter]", "standards: [startr]", ("startr", "starter")),
    # the register
    "a site that the configuration does not have": Wrong(
        REGISTER, f"containers: [{JIRA}/PAY]", "containers: [acme-jra/PAY]", ("acme-jra", f"did you mean {JIRA}")
    ),
    "a phase that there is not": Wrong(
        REGISTER, f"[{JIRA}/PAY], phase: execution", f"[{JIRA}/PAY], phase: executing", ("executing", "execution")
    ),
    "a container that stands there twice": Wrong(
        REGISTER, f"[{JIRA}/CRM]", f"[{JIRA}/PAY]", (f"{JIRA}/PAY", "twice"), "J-CRM"
    ),
}
OWN = """\
pack: own
today: 2026-11-20
standards:
  - id: OWN901
    title: Work in progress is small
    subject: task
    severity: low
    when: status = in_progress AND estimate_h > 100
    why: A rehearsal needs a standard.
    fix: Cut it into pieces.
    serves: rehearsing
    phase: execution
    examples:
      fail:
        - {status: in_progress, estimate_h: 101}
      pass:
        - {status: in_progress, estimate_h: 20}
"""
WRONG_STANDARDS = {
    "a field that there is not": ("estimate_h > 100", "estimat_h > 100", ("estimat_h", "did you mean estimate_h")),
    "an option that there is not": ("status = in_progress AND", "status = in_progres AND", ("in_progres",)),
    "types that do not compare": ("estimate_h > 100", "estimate_h > 3d", ("estimate_h",)),
    "a sentence without an end": ("AND estimate_h > 100", "AND", ()),
    "a severity that there is not": ("severity: low", "severity: lowish", ("lowish", "low")),
    "an unknown key": ("    serves: rehearsing", "    servs: rehearsing", ("servs", "serves")),
}


@pytest.fixture
def office(settled: Callable[..., Office]) -> Office:
    """An office that has settled before somebody edits a file of it."""
    return settled()


def line_of(text: str, piece: str) -> int:
    """The number of the first line with this piece."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if piece in line)


def refused(office: Office, run: Run, file: str, line: int, says: tuple[str, ...]) -> None:
    """The run told what is wrong and where, and changed nothing."""
    assert run.code == 2, run
    assert re.search(rf"{re.escape(file)}:{line}\b", run.text), f"{file}:{line} is not named: {run}"
    for words in says:
        assert words in run.text.replace("'", "").replace("`", ""), f"{words!r} is not said: {run}"
    assert "Traceback" not in run.text
    assert run.writes == 0


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_with_file_line_and_fix(office: Office, name: str) -> None:
    wrong = MISTAKES[name]
    known = findings(office)
    office.edit(wrong.file, wrong.before, wrong.after)
    piece = wrong.at or wrong.after.strip().splitlines()[-1]
    line = line_of(office.read(wrong.file), piece)
    refused(office, office.run("sync"), wrong.file, line, wrong.says)
    assert findings(office) == known


@pytest.mark.parametrize("name", WRONG_STANDARDS)
def test_a_wrong_standard_is_refused_with_file_line_and_fix(office: Office, name: str) -> None:
    before, after, says = WRONG_STANDARDS[name]
    known = findings(office)
    assert OWN.count(before) == 1
    office.write("own.yaml", OWN.replace(before, after))
    office.edit(CONFIG, "standards: [starter]", "standards: [starter, own.yaml]")
    refused(office, office.run("sync"), "own.yaml", line_of(office.read("own.yaml"), after.strip()), says)
    assert findings(office) == known


def test_a_secret_that_was_written_down_is_not_repeated(office: Office) -> None:
    office.edit(CONFIG, "token: env:JIRA_TOKEN", "token: ATATT3xFfGF0")
    assert "ATATT3xFfGF0" not in str(office.run("sync", "--debug"))


def test_a_missing_file_is_named(office: Office) -> None:
    (office.folder / JIRA_MAPPING).unlink()
    run = office.run("sync")
    assert (run.code, run.writes) == (2, 0), run
    assert JIRA_MAPPING in run.text


def test_a_wrong_file_of_one_site_stops_before_the_other_is_written(office: Office) -> None:
    state = office.sandbox.state()
    item = next(row for row in state["jira_issue"] if row["fields"]["assignee"] and row["key"].startswith("PAY-"))
    office.sandbox.jira("PUT", f"issue/{item['id']}", {"fields": {"assignee": None}}, token="person-1")
    state = office.sandbox.state()
    office.edit(ASANA_MAPPING, "in_progress: [Doing, Review]", "in_progress: [Doing, Reviews]")
    run = office.run("sync")
    assert (run.code, run.writes) == (2, 0), run
    assert office.sandbox.state() == state
