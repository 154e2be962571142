"""What the register says about classes, tolerances and gates, and how a mistake in it is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pmosync.config import load_register
from pmosync.config.governing import check_gates
from pmosync.errors import Misconfigured
from pmosync.register import Container, Gate, GateTold, ProjectClass, Register, Tolerances
from pmosync.standards import load_packs

from .conftest import Configured

REGISTER = """\
classes:
  large: {mandatory: [sponsor, due_on], tolerances: {time_d: 10, cost_share: 10%}}
projects:
  - id: payments
    containers: [acme-toy/PAY]
    class: Large
    phase_due_on: 2026-12-31
    funded: 100000
    tolerances: {time_d: 0, scope_share: 0.05}
    gates:
      G1: {decision: approved, on: 2026-09-30, by: Hanna Weber}
      G2: {record: acme-toy/PAY-12, evidence: {plan: "https://acme.example/plan"}}
"""
GATES = """\
gates:
  - id: G1
    title: Charter agreed
    from: initiation
    to: planning
    standards: [GOV603]
  - id: G2
    title: Plan approved
    from: planning
    to: execution
    decides: the board
    standards: [DAT10, SCH201]
    evidence: [plan, charter_url]
    classes: [large]
"""
PEOPLE = """\
- {email: ann@acme.example, role: director, accounts: {acme-toy: 1}}
- {email: bob@acme.example, role: manager, accounts: {acme-toy: 2}}
"""
NAMED = ("register: projects.yaml\n", "register: projects.yaml\ngates: gates.yaml\n")


@pytest.fixture
def both(configured: Configured, folder: Path) -> Register:
    return read(configured, folder)


def read(configured: Configured, folder: Path, register: str = REGISTER, gates: str = GATES) -> Register:
    (folder / "projects.yaml").write_text(register)
    (folder / "gates.yaml").write_text(gates)
    return load_register(configured(NAMED))


def test_the_register_says_how_a_project_is_governed(both: Register) -> None:
    (payments,) = both.projects
    assert (payments.project_class, payments.phase_due_on, payments.funded) == ("Large", dt.date(2026, 12, 31), 100000)
    assert payments.gates["G1"] == GateTold(None, "approved", dt.date(2026, 9, 30), "Hanna Weber")
    assert payments.gates["G2"].record == Container("acme-toy", "PAY-12")
    assert both.classes == (ProjectClass("large", ("sponsor", "due_on"), Tolerances(10, 0.1)),)
    assert both.tolerances_of(payments, "large") == Tolerances(0, 0.1, 0.05), "its own come before those of its class"
    assert both.tolerances_of(payments, "large").told() == "time 0 working days, cost 10%, scope 5%"
    assert set(both.keeps) == {"project_class", "phase_due_on", "funded"}


def test_gates_are_read_in_their_order_and_are_a_part_of_the_register(
    both: Register, configured: Configured, folder: Path
) -> None:
    first, second = both.gates
    assert first.places == (f"{folder}/gates.yaml:6:17",)
    assert second == Gate("G2", "Plan approved", "planning", "execution", ("DAT10", "SCH201"), ("plan", "charter_url"),
                          ("large",), "the board", second.places)  # fmt: skip
    assert [one.id for one in both.gates_of(None)] == ["G1"]
    assert [one.id for one in both.gates_of("LARGE")] == ["G1", "G2"]
    assert read(configured, folder, gates=f"# a comment\n{GATES}").hash == both.hash
    assert read(configured, folder, gates=GATES.replace("the board", "the sponsor")).hash != both.hash
    check_gates(both, load_packs(["starter"], Path()))


def test_who_decides_a_gate_is_looked_up_among_the_people_and_nobody_else_may_stand_in_the_register(
    configured: Configured, folder: Path
) -> None:
    people = ("register: projects.yaml\n", "register: projects.yaml\ngates: gates.yaml\npeople: people.yaml\n")
    (folder / "people.yaml").write_text(PEOPLE)

    def load(deciders: str, by: str = "ann@acme.example") -> Register:
        (folder / "projects.yaml").write_text(REGISTER.replace("Hanna Weber", by))
        (folder / "gates.yaml").write_text(GATES.replace("    standards: [GOV603]", f"    deciders: [{deciders}]", 1))
        return load_register(configured(people))

    first, second = load("director, bob@acme.example").gates
    assert (first.decides, first.accounts) == ("director or bob@acme.example", ("acme-toy/1", "acme-toy/2"))
    assert (second.decides, second.deciders, second.accounts) == ("the board", (), ())
    assert load("acme-toy/2", "BOB@acme.example").gates[0].accounts == ("acme-toy/2",)
    for words, by, line, what, hint in (
        ("directer", "x", "gates.yaml:6:16", "'directer' is no e-mail, account or role", "write the e-mail"),
        ("analyst", "x", "gates.yaml:6:16", "'analyst' is no e-mail, account or role of anybody", ""),
        ("director", "bob@acme.example", "projects.yaml:11:", "'bob@acme.example' does not decide G1", "ann@"),
        ("director", "Ann", "projects.yaml:11:", "'Ann' does not decide G1", "write by: and the e-mail of one of them"),
    ):  # fmt: skip
        with pytest.raises(Misconfigured) as told:
            load(words, by)
        assert all(part in str(told.value) for part in (line, what, hint)), told.value
    with pytest.raises(Misconfigured, match=r"gates.yaml:6:16: nobody knows who that is"):
        read(configured, folder, gates=GATES.replace("    standards: [GOV603]", "    deciders: [director]", 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "what", "hint"),
    [
        ("gates", "id: G2", "id: g1", 7, "the gate 'g1' stands here twice (first in line 2)", "keep one"),
        ("gates", "to: execution", "to: initiation", 10, "leads forward, not from planning to initiation", "execution"),
        ("gates", "from: planning", "from: planing", 9, "no phase 'planing'", "did you mean 'planning'?"),
        ("gates", "[large]", "[lage]", 14, "there is no class 'lage'", "did you mean 'large'?"),
        ("gates", "decides:", "decide:", 11, "unknown key 'decide'", "did you mean 'decides'?"),
        ("projects", "class: Large", "class: Larg", 6, "there is no class 'Larg'", "did you mean 'large'?"),
        ("projects", "sponsor, due", "sponser, due", 2, "no field of a project 'sponser'", "did you mean 'sponsor'?"),
        ("projects", "G1: {", "G7: {", 11, "there is no gate 'G7'", "gates: G1, G2"),
        ("projects", "approved, on", "approve, on", 11, "no decision 'approve'", "did you mean 'approved'?"),
        ("projects", "on: 2026-09-30, ", "", 11, "a decision has a day", "add on:"),
        ("projects", "decision: approved, ", "", 11, "a day without a decision", "approved, rejected"),
        ("projects", "record: acme-toy/PAY-12", "record: PAY-12", 12, "'PAY-12' is no task", "acme-jira/PAY-12"),
        ("projects", "acme-toy/PAY-12", "acme-tyo/PAY-12", 12, "no site 'acme-tyo'", "did you mean 'acme-toy'?"),
        ("projects", "by: Hanna Weber", "record: acme-toy/PAY-1", 11, "a record that holds it is named", "keep one"),
        ("projects", "time_d: 0", "time_d: -1", 9, "greater than or equal to 0", "write a larger number"),
        ("projects", "cost_share: 10%", "cost_share: 110%", 2, "at most 100%", ""),
    ],
)
def test_a_mistake_is_told_with_file_line_what_and_the_fix(
    configured: Configured, folder: Path, file: str, old: str, new: str, line: int, what: str, hint: str
) -> None:
    texts = {"projects": REGISTER, "gates": GATES}
    assert old in texts[file]
    texts[file] = texts[file].replace(old, new, 1)
    with pytest.raises(Misconfigured) as told:
        read(configured, folder, texts["projects"], texts["gates"])
    assert f"{folder}/{file}.yaml:{line}:" in str(told.value)
    assert what in str(told.value)
    assert hint in str(told.value)


def test_gates_in_a_wrong_order_or_that_are_not_there_are_told(configured: Configured, folder: Path) -> None:
    first, second = GATES.index("  - id: G1"), GATES.index("  - id: G2")
    turned = GATES[:first] + GATES[second:] + GATES[first:second]
    with pytest.raises(Misconfigured, match="the gate 'G1' comes before 'G2'"):
        read(configured, folder, gates=turned)
    (folder / "gates.yaml").unlink()
    with pytest.raises(Misconfigured, match=r"pmosync.yaml:19:.*there is no file"):
        load_register(configured(NAMED))


def test_a_gate_that_asks_for_what_nobody_asks_is_refused_at_that_word(configured: Configured, folder: Path) -> None:
    both = read(configured, folder, gates=GATES.replace("SCH201", "SCH299"))
    with pytest.raises(Misconfigured, match=r"gates.yaml:12:24: the gate 'G2' asks for 'SCH299'") as told:
        check_gates(both, load_packs(["starter"], Path()))
    assert "did you mean 'SCH20" in str(told.value)
