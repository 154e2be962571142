"""The verbs about waivers append one clear entry or nothing, ask who may decide, and show what a waiver does."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run, write_config

NOW = ("--now", "2026-11-20T12:00:00Z")
PEOPLE = """\
- {email: pmo@acme.example, role: manager, accounts: {acme-jira: 5b10}}
- {email: ana@acme.example, role: analyst}
"""
BY_HAND = """\
# decided by the board; do not touch
- standard: DAT      # all of it
  project: acme-jira/PAY
  reason: 'closing'
  approved_by: pmo@acme.example
  approved_on: 2026-11-01
  until: 2026-11-25
"""
ASK = ("waivers", "add", "acme-jira/PAY-12", "SCH201", "--until", "2026-12-15", "--reason", "the vendor: late", *NOW)


@pytest.fixture
def file(folder: Path) -> Path:
    """The decisions file of an organisation with people, and a waiver written by hand."""
    write_config(folder, "http://127.0.0.1:1", more="people: people.yaml\n")
    (folder / "people.yaml").write_text(PEOPLE)
    (folder / "decisions").mkdir()
    path = folder / "decisions/waivers.yaml"
    path.write_text(BY_HAND)
    return path


def listed(run: Run, *options: str) -> list[tuple[str, str, str]]:
    rows = run("waivers", "list", *options, "--json", *NOW).data["waivers"]
    return [(row["standard"], row["state"], row["scope"]) for row in rows]


def test_a_waiver_is_asked_for_approved_and_revoked_and_the_file_only_grows(file: Path, run: Run) -> None:
    asked = run(*ASK, "--requested-by", "li")
    assert asked.code == 0
    (row,) = [one for one in run("waivers", "list", "--json", *NOW).data["waivers"] if one["state"] == "requested"]
    name = row["id"]
    assert f"waivers approve {name}" in asked.out
    assert (row["requested_by"], row["until"], row["approved_by"]) == ("li", "2026-12-15", None)
    first = file.read_text()
    assert first.startswith(BY_HAND)
    assert run("waivers", "approve", name, "--as", "acme-jira/5b10", *NOW).code == 0
    assert listed(run) == [("DAT", "holds", "project:acme-jira/PAY"), ("SCH201", "holds", "acme-jira/PAY-12")]
    second = file.read_text()
    assert second.startswith(first)
    assert "by: pmo@acme.example\n" in second
    assert run("waivers", "revoke", name, "--as", "pmo@acme.example", "--reason", "it came", *NOW).code == 0
    assert file.read_text().startswith(second)
    assert listed(run, "--lapsed") == [("SCH201", "revoked", "acme-jira/PAY-12")]
    assert listed(run, "--ending", "5d") == [("DAT", "holds", "project:acme-jira/PAY")]
    assert listed(run, "--ending", "4") == []
    assert len(listed(run, "--all")) == 2
    table = run("waivers", "list", *NOW)
    assert "DAT" in table.out
    assert "revoked" not in table.out


@pytest.mark.parametrize(
    ("line", "scope"),
    [
        (("program:core",), "program:core"),
        (("project:acme-jira/PAY", "--where", "type = risk"), "project:acme-jira/PAY where type = risk"),
        (("tasks", "--where", "priority = low"), "tasks where priority = low"),
        (("projects", "--where", "phase = closing"), "projects where phase = closing"),
    ],
)
def test_a_waiver_is_asked_for_what_the_file_can_name(file: Path, run: Run, line: tuple[str, ...], scope: str) -> None:
    ran = run("waivers", "add", line[0], "DAT101", *line[1:], "--until", "2026-12-01", "--reason", "r", *NOW)
    assert ran.code == 0, ran.err
    assert listed(run)[1:] == [("DAT101", "requested", scope)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({3: "SCH999"}, "no standard that is asked is called SCH999"),
        ({3: "sch"}, "'sch' is no standard"),
        ({2: "PAY-12"}, "names no subject"),
        ({2: "tasks"}, "never about everything"),
        ({5: "2026-11-19"}, "has passed"),
        ({5: "2027-06-01"}, "too long"),
        ({5: "soon"}, "'soon' is no day"),
        ({7: " "}, "reason is not a text"),
        ({2: "tasks", 8: "--where", 9: "type = rsik"}, "did you mean 'risk'?"),
        ({2: "acme-jira/PAY-12", 8: "--where", 9: "type = risk"}, "names one subject"),
    ],
)
def test_a_mistake_leaves_the_file_as_it_is(file: Path, run: Run, change: dict[int, str], what: str) -> None:
    line = [change.get(position, word) for position, word in enumerate(ASK[:8])]
    ran = run(*line, *(change[position] for position in (8, 9) if position in change), *NOW)
    assert ran.code == 2
    assert what in ran.err
    assert file.read_text() == BY_HAND


def test_only_who_may_decide_decides(file: Path, run: Run) -> None:
    run(*ASK)
    (name,) = [
        one["id"] for one in run("waivers", "list", "--json", *NOW).data["waivers"] if one["approved_by"] is None
    ]
    before = file.read_text()
    for who, what in (
        ("ana@acme.example", "is analyst, which does not waive high"),
        ("Pia Mo", "nobody in the people file"),
        ("pmo@acme.exampel", "did you mean 'pmo@acme.example'?"),
    ):
        for verb in (("approve", name), ("revoke", name, "--reason", "no")):
            ran = run("waivers", *verb, "--as", who, *NOW)
            assert ran.code == 2
            assert what in ran.err
    assert run(*ASK).code == 2, "the same request stands there"
    assert run("waivers", "approve", "W-nothing", "--as", "pmo@acme.example", *NOW).code == 2
    assert run("waivers", "approve", name, "--as", "pmo@acme.example", "--now", "2026-12-16T12:00:00Z").code == 2
    assert file.read_text() == before
    assert run("waivers", "approve", name, "--as", "pmo@acme.example", *NOW).code == 0
    again = run("waivers", "approve", name, "--as", "pmo@acme.example", *NOW)
    assert "approved already" in again.err


def test_without_a_people_file_nobody_decides_on_the_command_line(file: Path, run: Run, folder: Path) -> None:
    write_config(folder, "http://127.0.0.1:1")
    run(*ASK)
    name = run("waivers", "list", "--json", *NOW).data["waivers"][1]["id"]
    ran = run("waivers", "approve", name, "--as", "pmo@acme.example", *NOW)
    assert ran.code == 2
    assert "people: people.yaml" in ran.err


def test_a_waiver_that_is_not_clear_is_told_where_it_stands(file: Path, run: Run) -> None:
    file.write_text(BY_HAND + "- standard: DAT101\n")
    ran = run("waivers", "list", "--json", *NOW)
    (unclear,) = ran.data["unclear"]
    assert ":8:" in unclear["where"]
    assert "waivers.yaml:8" in run("waivers", "list", *NOW).err
    assert run("waivers", "list", "--all", "--unused").code == 2
    assert run("waivers", "list", "--ending", "soon").code == 2
