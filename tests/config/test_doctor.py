"""The doctor tells what is missing before anything is written, and the next step."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest
import responses

from pmosync.config import Check, Config, doctor
from pmosync.errors import Misconfigured

from .conftest import Configured

NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)


def looked(config: Config) -> list[Check]:
    return doctor(config, clock=lambda: NOW, standards=lambda: "16 standards, 48 examples pass")


def bad(config: Config, state: str = "bad") -> list[Check]:
    return [check for check in looked(config) if check.state == state]


def test_where_everything_is_in_place_nothing_is_bad(configured: Configured, folder: Path) -> None:
    checks = looked(configured(("    timezone: Asia/Tokyo\n", "")))
    assert {check.state for check in checks} == {"ok"}
    told = "\n".join(f"{check.name}: {check.what}" for check in checks)
    assert "2 site(s), push is on" in told
    assert "standards: 16 standards, 48 examples pass" in told
    assert "acme-toy: reached: Toy 1, as PMO bot" in told
    assert "acme-toy: the mapping fits the site; 1 project(s) in scope" in told
    assert "acme-toy: the first push makes this:\n  the field PMO compliance" in told
    assert not (folder / "pmosync.db").exists(), "the doctor changes nothing"


def test_a_missing_secret_of_one_site_leaves_the_others_looked_at(configured: Configured) -> None:
    checks = looked(configured(environ={}))
    (missing,) = [check for check in checks if check.state == "bad"]
    assert (missing.name, missing.next_step) == ("acme-toy", "set TOY_TOKEN and run again")
    assert "pmosync.yaml:11:" in missing.what
    assert any(check.name == "other" and "reached" in check.what for check in checks)


def test_credentials_that_are_not_accepted_are_bad(configured: Configured) -> None:
    (refused,) = bad(configured(environ={"TOY_TOKEN": "expired"}))
    assert "the token is not accepted" in refused.what
    assert refused.next_step


@pytest.mark.parametrize(
    ("ends_on", "check"),
    [
        ("2026-06-20", Check("acme-toy", "ok", "the token ends on 2026-06-20, in 31 days")),
        ("2026-06-19", Check("acme-toy", "warn", "the token ends on 2026-06-19, in 30 days", "make a new one")),
        ("2026-05-19", Check("acme-toy", "warn", "the token ended on 2026-05-19", "make a new one")),
    ],
)
def test_credentials_that_end_are_told_and_soon_they_are_to_be_looked_at(
    configured: Configured, ends_on: str, check: Check
) -> None:
    ending = ("base_url: https://toy.example\n", f"base_url: https://toy.example\n    workspace: ends {ends_on}\n")
    assert [one for one in looked(configured(ending)) if "the token" in one.what] == [check]


def test_what_a_site_announces_is_told_and_what_concerns_us_is_to_be_looked_at(configured: Configured) -> None:
    announcing = ("base_url: https://toy.example\n", "base_url: https://toy.example\n    workspace: announcing\n")
    assert [one for one in looked(configured(announcing)) if "a change" in one.what] == [
        Check("acme-toy", "warn", "a change comes", "put it off"),
        Check("acme-toy", "ok", "a change that is none of ours"),
    ]


def test_a_mapping_that_does_not_fit_the_site_is_told_with_its_line(configured: Configured, folder: Path) -> None:
    path = folder / "mappings/acme-toy.yaml"
    path.write_text(path.read_text().replace("status: state", "status: stat").replace("[PAY]", "[PYA]"))
    field, project = bad(configured())
    assert f"{path}:3:" in field.what
    assert "did you mean 'State'?" in field.next_step
    assert f"{path}:2:" in project.what
    assert "did you mean 'PAY'?" in project.next_step


def test_a_slot_that_may_not_be_written_is_a_warning(configured: Configured) -> None:
    config = configured(("    timezone: Asia/Tokyo", "    workspace: limited"))
    (warning,) = bad(config, "warn")
    assert warning.what == "PAY: flag cannot be written: no permission to edit"


def test_several_slots_that_may_not_be_written_are_a_table_and_each_reason_once(configured: Configured) -> None:
    config = configured(("    timezone: Asia/Tokyo", "    workspace: narrow"))
    table, flag, field = bad(config, "warn")
    lines = table.what.splitlines()
    assert lines[0] == "what is missing where a slot cannot be written:"
    assert [line.split() for line in lines[1:4]] == [
        ["project", "flag", "field"],
        ["PAY", "Edit", "-"],
        ["everywhere", "-", "see", "below"],
    ]
    assert len(lines) == 1 + 1 + 11
    assert flag.what == "PAY, P0, P1, P2, P3, P4, P5, P6 and 2 more: flag cannot be written: no permission to edit"
    assert field.what == "everywhere: field cannot be written: no field"


def test_an_account_in_another_time_zone_is_a_warning(configured: Configured) -> None:
    (warning,) = bad(configured(), "warn")
    assert warning.name == "other"
    assert "days are counted in Asia/Tokyo; the account works in Europe/Berlin" in warning.what


@pytest.mark.parametrize(("minutes", "told"), [(0, ""), (5, "300 s ahead"), (-5, "300 s behind")])
@responses.activate
def test_clocks_that_differ_are_a_warning(configured: Configured, minutes: int, told: str) -> None:
    there = NOW + dt.timedelta(minutes=minutes)
    date = there.strftime("%a, %d %b %Y %H:%M:%S GMT")
    responses.get("https://toy.example/me", json={}, headers={"Date": date})
    warnings = bad(configured(("    timezone: Asia/Tokyo", "    workspace: online")), "warn")
    assert [told in warning.what for warning in warnings] == ([True] if told else [])


def test_a_secret_over_plain_http_is_a_warning_except_on_this_machine(configured: Configured) -> None:
    zone = ("    timezone: Asia/Tokyo\n", "")
    (warning,) = bad(configured(zone, ("https://toy.example", "http://toy.example")), "warn")
    assert "unprotected" in warning.what
    assert bad(configured(zone, ("https://toy.example", "http://127.0.0.1:8080")), "warn") == []


def test_a_store_that_others_can_read_is_a_warning_and_a_closed_one_is_fine(
    configured: Configured, folder: Path
) -> None:
    store = folder / "pmosync.db"
    sqlite3.connect(store).close()
    store.chmod(0o644)
    (warning, _) = bad(configured(), "warn")
    assert warning.next_step == f"chmod 600 {store}"
    store.chmod(0o600)
    assert [check.state for check in looked(configured()) if check.name == "store"] == ["ok"]


def test_a_file_that_is_no_store_is_bad(configured: Configured, folder: Path) -> None:
    (folder / "pmosync.db").write_text("hello, this is certainly not a database " * 40)
    (wrong,) = bad(configured())
    assert wrong.name == "store"
    assert "no store" in wrong.what


def test_a_folder_for_the_store_that_is_missing_is_bad(configured: Configured) -> None:
    (wrong,) = bad(configured(("sqlite:///pmosync.db", "sqlite:///nowhere/pmosync.db")))
    assert "create the folder" in wrong.next_step


def test_waivers_that_do_not_count_are_a_warning(configured: Configured, folder: Path) -> None:
    (folder / "decisions").mkdir()
    (folder / "decisions/waivers.yaml").write_text(
        "- {standard: SCH201, subject: acme-toy/PAY-1, reason: r, approved_by: a, approved_on: 2026-05-01,\n"
        "   until: soon}\n"
        "- {standard: SCH201, subject: acme-toy/PAY-2, reason: r, approved_by: a, approved_on: 2026-05-01,\n"
        "   until: 2026-05-20}\n"
        "- {standard: SCH201, subject: acme-toy/PAY-3, reason: r, approved_by: a, approved_on: 2026-05-01,\n"
        "   until: 2026-05-19}\n"
        "- {id: W-4, standard: SCH201, subject: acme-toy/PAY-4, reason: r, until: 2026-05-19}\n"
    )
    checks = [check for check in looked(configured()) if check.name == "decisions"]
    assert [check.state for check in checks] == ["warn", "warn", "ok"]
    assert "waivers.yaml:2:" in checks[0].what
    assert "waivers.yaml:7:" in checks[1].what
    assert "waits for an approval" in checks[1].what
    assert checks[2].what == "1 waiver(s) count today, 1 lapsed or revoked"


def test_a_register_and_standards_that_are_wrong_are_bad(configured: Configured, folder: Path) -> None:
    (folder / "projects.yaml").write_text("projects: [{id: a, containers: [nowhere/PAY]}]\n")

    def standards() -> str:
        raise Misconfigured("unknown field 'duedate'", where="acme.yaml:3:7", hint="did you mean 'due_on'?")

    checks = doctor(configured(), clock=lambda: NOW, standards=standards)
    wrong = [check for check in checks if check.state == "bad"]
    assert [check.name for check in wrong] == ["register", "standards"]
    assert wrong[1].what == "acme.yaml:3:7: unknown field 'duedate'"
    assert wrong[1].next_step == "did you mean 'due_on'?"
