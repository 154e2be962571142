"""What a person is told when something is wrong: a sentence, a place, a next step, and never a stack trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Run, write_config

from pmosync.cli import cycles
from pmosync.cli.app import LATER
from pmosync.cli.options import hoisted


@pytest.mark.parametrize("verb", sorted(LATER))
def test_a_verb_of_a_later_version_is_refused_with_a_sentence(run: Run, verb: str) -> None:
    ran = run(verb, "--some", "option")
    assert ran.code == 2
    assert f"`pmosync {verb}` comes with a later version" in ran.err
    assert "→" in ran.err


def test_an_unknown_verb_or_option_is_wrong_usage(run: Run) -> None:
    assert run("snyc").code == 2
    ran = run("sync", "--dry-run")
    assert ran.code == 2
    assert "--dry-run" in ran.err
    assert "→ see `pmosync sync --help`" in ran.err


def test_without_a_configuration_the_next_step_is_init(run: Run, folder: Path) -> None:
    ran = run("sync")
    assert ran.code == 2
    assert "pmosync.yaml" in ran.err
    assert "pmosync init" in ran.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("profile: controlling", "profil: controlling", "did you mean 'profile'"),
        ("Europe/Berlin", "Europe/Berlinn", "Europe/Berlin"),
        ("env:ACME_JIRA_TOKEN", "env:NOBODY_SET_THIS", "NOBODY_SET_THIS"),
        ("connector: jira", "connector: jirra", "jira"),
        ("mappings/acme-jira.yaml", "mappings/none.yaml", "pmosync discover acme-jira"),
    ],
)
def test_a_wrong_configuration_names_file_and_line_and_writes_nothing(
    run: Run, folder: Path, old: str, new: str, said: str
) -> None:
    write_config(folder, "http://127.0.0.1:1")
    path = folder / "pmosync.yaml"
    path.write_text(path.read_text().replace(old, new))
    before = {file for file in folder.rglob("*") if file.is_file()}
    ran = run("sync")
    assert ran.code == 2
    assert said in ran.err.replace("\n", " ")
    assert "pmosync.yaml:" in ran.err
    assert {file for file in folder.rglob("*") if file.is_file()} == before


def test_an_unknown_site_severity_or_standard_is_refused_with_what_was_meant(run: Run, folder: Path) -> None:
    write_config(folder, "http://127.0.0.1:1")
    assert "did you mean 'acme-jira'" in run("sync", "--site", "acme-jirra").err
    assert "did you mean 'high'" in run("check", "--fail-on", "hihg").err
    assert "did you mean 'SCH201'" in run("standards", "show", "sch201").err
    assert "did you mean 'SCH201'" in run("findings", "--standard", "sch201").err


def test_an_unexpected_error_is_told_in_one_line_and_with_debug_where(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cycles, "ready", broken)
    ran = run("sync")
    assert ran.code == 1
    told = " ".join(ran.err.split())
    assert "this is a defect in pmosync: ZeroDivisionError: division by zero, run again with --debug" in told
    assert "Traceback" not in ran.err
    assert "Traceback" in run("sync", "--debug").err


def test_ctrl_c_ends_with_130_and_says_that_nothing_is_lost(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cycles, "ready", stopped)
    ran = run("sync")
    assert ran.code == 130
    assert "Nothing is lost" in ran.err


def test_a_site_that_cannot_be_reached_is_trouble_with_a_next_step(run: Run, folder: Path) -> None:
    write_config(folder, "http://127.0.0.1:1", more="")
    path = folder / "pmosync.yaml"
    path.write_text(path.read_text().replace("    mapping:", "    max_wait_s: 0.1\n    mapping:"))
    ran = run("sync")
    assert ran.code == 1
    assert "in trouble" in ran.out
    assert "Try again" in ran.out


def test_common_options_may_stand_anywhere() -> None:
    assert hoisted(["sync", "--config", "a.yaml", "--site", "x", "-q"]) == [
        "--config",
        "a.yaml",
        "-q",
        "sync",
        "--site",
        "x",
    ]
    assert hoisted(["--now=2026-01-01", "plan", "--", "--debug"]) == ["--now=2026-01-01", "plan", "--", "--debug"]
    assert hoisted(["sync", "--config"]) == ["--config", "sync"]


def test_text_from_a_tool_cannot_steer_the_terminal(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    from pmosync.cli.terminal import say, table

    say("\x1b[31mred\x1b[0m [bold]x[/bold] \x07")
    table(("a",), [["\x1b]8;;http://evil\x07"]])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[bold]x[/bold]" in shown


def test_a_daemon_that_cannot_begin_ends_like_any_verb(run: Run, folder: Path) -> None:
    assert run("daemon").code == 2
    ran = run("daemon", "--listen", "everywhere")
    assert ran.code == 2
    assert "'everywhere' is no address to listen on; write one such as 127.0.0.1:9464" in " ".join(ran.err.split())
