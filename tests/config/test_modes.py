"""How hard is asked: what the configuration may say, and how it is refused when a level below is too soft."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pmosync.config.load import Config
from pmosync.config.modes import load_modes, persisting
from pmosync.config.register import load_register
from pmosync.errors import Misconfigured
from pmosync.model import MODES
from pmosync.modes import Said, ask, began, modes_of
from pmosync.standards import load_packs

from .conftest import Configured

REGISTER = """\
projects:
  - {id: payments, containers: [acme-toy/PAY], program: core}
  - {id: archive, containers: [acme-toy/ARC], profile: PROFILE}
programs:
  - {id: core, portfolio: banking}
portfolios:
  - {id: banking}
"""
STANDARDS = load_packs(["starter"], Path())


def asked(configured: Configured, folder: Path, *entries: str, profile: str = "controlling") -> Config:
    """A configuration that says this about modes, and the profile of the project `archive`."""
    (folder / "projects.yaml").write_text(REGISTER.replace("PROFILE", profile))
    lines = "".join(f"  - {entry}\n" for entry in entries)
    return configured(("guard:", f"modes:\n{lines}guard:" if entries else "guard:"))


def said(config: Config) -> tuple[Said, ...]:
    return load_modes(config, load_register(config), STANDARDS)


def test_each_level_may_ask_harder_from_a_day_on(configured: Configured, folder: Path) -> None:
    config = asked(
        configured,
        folder,
        "{standard: SCH, mode: require, from: 2026-12-01}",
        "{program: core, standard: DAT105, mode: require}",
        "{standard: SCH201, persist: 2d}",
    )
    modes = modes_of(config.profile, load_register(config), said(config))
    chain = modes.chain("banking", "core", "payments")
    days = {day: ask(chain, "SCH201", day).mode for day in (20_787, 20_788)}
    assert days == {20_787: MODES.index("advise"), 20_788: MODES.index("require")}
    assert (began(chain, "SCH201", 20_800), began(chain, "DAT105", 20_800)) == (20_788, None)
    assert ask(modes.chain("organisation", None, "archive"), "DAT105", 0).mode == MODES.index("advise")
    held = {one.id: one.persist_d for one in persisting(config, STANDARDS) if one.persist_d}
    assert held == {"SCH201": 2}


@pytest.mark.parametrize(
    ("entries", "what", "hint"),
    [
        (("{project: payments, mode: observe}",), "allows nothing softer than advise", "least: observe in"),
        (
            ("{standard: SCH201, mode: require, from: 2026-12-01}", "{program: core, standard: SCH201, mode: advise}"),
            "asks advise of SCH201, and the organisation allows nothing softer than require from 2026-12-01 on",
            "write least: advise at ",
        ),
        (
            ("{mode: advise, least: observe}", "{portfolio: banking, mode: advise}",
             "{project: payments, mode: observe}"),
            "the project payments asks observe, and the portfolio banking allows nothing softer than advise",
            "pmosync.yaml:",
        ),
        (("{program: cor, mode: require}",), "there is no program 'cor' in the register", "did you mean 'core'"),
        (("{standard: SCH999, mode: require}",), "no standard that is asked is called SCH999", "did you mean"),
        (("{standard: SCH201}",), "the entry does not say how hard is asked", "add mode"),
        (("{mode: require}",), "the profile controlling of the organisation asks advise", "from: 2026-12-01"),
        (("{standard: SCH, persist: 2d}",), "persist is said of one standard", "standard: SCH201"),
        (("{standard: SCH201, mode: advise, least: require}",), "no softer than require", "write least: advise"),
        (("{project: payments, program: core, mode: require}",), "one level, not program and", "an entry for each"),
        (("{standard: SCH, mode: require}", "{standard: SCH, mode: advise}"), "is said in line", "another day"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(
    configured: Configured, folder: Path, entries: tuple[str, ...], what: str, hint: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        said(asked(configured, folder, *entries))
    assert what in str(refused.value)
    assert hint in str(refused.value)
    assert "pmosync.yaml:" in refused.value.where


def test_a_softer_profile_in_the_register_is_refused_unless_the_level_above_allows_it(
    configured: Configured, folder: Path
) -> None:
    with pytest.raises(Misconfigured, match="the project archive asks observe") as refused:
        said(asked(configured, folder, profile="supportive"))
    assert refused.value.where == f"{folder}/projects.yaml:3:5"
    config = asked(configured, folder, "{mode: advise, least: observe}", profile="supportive")
    modes = modes_of(config.profile, load_register(config), said(config))
    assert ask(modes.chain("organisation", None, "archive"), "SCH201", 0).mode == MODES.index("observe")
    assert ask(modes.chain("banking", "core", "payments"), "SCH201", 0).mode == MODES.index("advise")


def test_what_is_let_through_is_asked_as_it_is_written(configured: Configured, folder: Path) -> None:
    """Random entries: what is let through is asked as it is written on every day, so nothing had to be held back."""
    chance = random.Random(7)
    passed = 0
    for _ in range(60):
        entries = ["{mode: advise, least: " + chance.choice(("observe", "advise")) + "}"]
        for _ in range(3):
            level = chance.choice(("", "portfolio: banking, ", "program: core, ", "project: payments, "))
            day = chance.choice(("", ", from: 2026-12-01", ", from: 2027-01-01"))
            words = (
                f"standard: {chance.choice(('SCH', 'SCH2', 'SCH201'))}, " if chance.random() < 0.7 or not level else ""
            )
            entries.append(f"{{{level}{words}mode: {chance.choice(MODES)}{day}}}")
        config = asked(configured, folder, *entries)
        try:
            found = said(config)
        except Misconfigured:
            continue
        passed += 1
        modes = modes_of(config.profile, load_register(config), found)
        chain = modes.chain("banking", "core", "payments")
        for day in (0, 20_788, 20_819):
            for depth, name in ((depth, name) for depth in range(len(chain)) for name in ("SCH", "SCH2", "SCH201")):
                by = ask(chain[depth : depth + 1], name, day).by
                if by is not None and by.standard == name:
                    assert ask(chain[: depth + 1], name, day).mode == by.mode
    assert passed > 10


def test_the_steps_of_the_ladder_follow_each_other(configured: Configured) -> None:
    assert configured().ladder.gate_d == 10
    assert configured(("guard:", "ladder: {remind: 1d, lead: 2d, gate: 2d}\nguard:")).ladder.lead_d == 2
    with pytest.raises(Misconfigured, match="the steps do not follow each other"):
        configured(("guard:", "ladder: {lead: 20d}\nguard:"))
    with pytest.raises(Misconfigured, match="write working days from 0d to 250d"):
        configured(("guard:", "ladder: {lead: soon}\nguard:"))
