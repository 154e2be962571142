"""The register: what it says about projects, and how a mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmosync.config import homes_of, load_register
from pmosync.errors import Misconfigured
from pmosync.register import Container

from .conftest import Configured

REGISTER = """\
projects:
  - id: payments
    title: Payments
    containers: [acme-toy/PAY, other/1202000000000002]
    phase: execution
    sponsor: Ada
    charter_url: https://acme.example/charter
    program: core
    portfolio: banking
    profile: directive
    home: {other: "1201000000000001"}
  - {id: platform, containers: [acme-toy/PLAT]}
"""


def test_a_project_is_what_the_register_says(configured: Configured, folder: Path) -> None:
    (folder / "projects.yaml").write_text(REGISTER)
    payments, platform = load_register(configured()).projects
    assert payments.containers == (Container("acme-toy", "PAY"), Container("other", "1202000000000002"))
    assert (payments.id, payments.title, payments.phase, payments.sponsor) == (
        "payments",
        "Payments",
        "execution",
        "Ada",
    )
    assert (payments.charter_url, payments.program, payments.portfolio, payments.profile) == (
        "https://acme.example/charter",
        "core",
        "banking",
        "directive",
    )
    assert payments.home == {"other": "1201000000000001"}
    assert payments.place == f"{folder}/projects.yaml:2:5"
    assert (platform.phase, platform.profile, platform.home) == (None, None, {})


def test_a_project_of_a_tool_finds_its_registered_project_by_key_or_id(configured: Configured, folder: Path) -> None:
    (folder / "projects.yaml").write_text(REGISTER)
    register = load_register(configured())
    assert (found := register.of("acme-toy", "10001", "PAY")) is not None
    assert found.id == "payments"
    assert register.of("other", "PAY") is None


def test_the_places_of_rollups_are_told_by_site(configured: Configured, folder: Path) -> None:
    (folder / "projects.yaml").write_text(REGISTER)
    register = load_register(configured())
    assert homes_of(register, "other") == {"1202000000000002": "1201000000000001"}
    assert homes_of(register, "acme-toy") == {}


def test_the_hash_follows_the_meaning_and_not_the_spelling(configured: Configured, folder: Path) -> None:
    config = configured()
    hashes = []
    for text in (REGISTER, f"# a comment\n{REGISTER}", REGISTER.replace("execution", "closing")):
        (folder / "projects.yaml").write_text(text)
        hashes.append(load_register(config).hash)
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


def test_without_the_key_the_register_is_empty(configured: Configured) -> None:
    assert load_register(configured(("register: projects.yaml\n", ""))).projects == ()


def test_a_register_that_is_named_and_missing_is_told(configured: Configured, folder: Path) -> None:
    (folder / "projects.yaml").unlink()
    with pytest.raises(Misconfigured, match=r"pmosync.yaml:18:.*there is no register"):
        load_register(configured())


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "hint"),
    [
        ("acme-toy/PLAT", "acme-tyo/PLAT", 12, "no site 'acme-tyo'", "did you mean 'acme-toy'?"),
        ("acme-toy/PLAT", "PLAT", 12, "'PLAT' is no container", "acme-jira/PAY"),
        ("acme-toy/PLAT", "acme-toy/PAY", 12, "'acme-toy/PAY' stands here twice (first in line 4)", "keep one"),
        ("id: platform", "id: payments", 12, "the project 'payments' stands here twice", "keep one"),
        ("{other: ", "{othr: ", 11, "no site 'othr'", "did you mean 'other'?"),
        ("execution", "executing", 5, "no phase 'executing'", "did you mean 'execution'?"),
        ("directive", "directiv", 10, "profile", "did you mean 'directive'?"),
        ("sponsor:", "sponser:", 6, "unknown key 'sponser'", "did you mean 'sponsor'?"),
        ("title: Payments", "issue_type: Initiative", 3, "issue_type: projects made of one issue type", "remove"),
        (", containers: [acme-toy/PLAT]", "", 12, "containers is missing", "add it"),
    ],
)
def test_a_mistake_is_told_with_file_line_what_and_the_fix(
    configured: Configured, folder: Path, old: str, new: str, line: int, what: str, hint: str
) -> None:
    assert old in REGISTER
    (folder / "projects.yaml").write_text(REGISTER.replace(old, new))
    with pytest.raises(Misconfigured) as told:
        load_register(configured())
    assert f"{folder}/projects.yaml:{line}:" in str(told.value)
    assert what in str(told.value)
    assert hint in str(told.value)
