"""pmosync.yaml: what it means, and how a mistake in it is told."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pmosync.config import load
from pmosync.errors import Misconfigured
from pmosync.plan import Guard
from pmosync.workdays import day_number

from .conftest import Configured


def test_the_example_of_the_documentation_means_what_it_says(configured: Configured, folder: Path) -> None:
    config = configured()
    assert (config.organisation, config.zone, config.profile) == ("Acme", ZoneInfo("Europe/Berlin"), "controlling")
    assert config.push is True
    assert config.guard == Guard(max_share=0.3, max_changes=2000)
    assert config.standards == ("starter",)
    assert config.store == folder / "pmosync.db"
    assert config.decisions == folder / "decisions"
    assert config.register == folder / "projects.yaml"
    assert config.sites["acme-toy"].mapping == folder / "mappings/acme-toy.yaml"
    assert config.sites["acme-toy"].zone == ZoneInfo("Europe/Berlin")
    assert config.sites["other"].zone == ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://pmo.acme.example/standards/", "https://pmo.acme.example/standards/"),
        ("https://pmo.acme.example/standards", "https://pmo.acme.example/standards/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
    ],
)
def test_the_address_of_the_guidance_pages_ends_with_a_slash(configured: Configured, written: str, meant: str) -> None:
    assert configured().guidance == ""
    assert configured(("push: on", f"push: on\nguidance: {written}")).guidance == meant
    assert configured(environ={"TOY_TOKEN": "toy-secret", "PMOSYNC_GUIDANCE": written}).guidance == meant


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("standards/", "https:// or http://"),
        ("ftp://pmo.acme.example/", "https:// or http://"),
        ("'javascript:alert(1)'", "https:// or http://"),
        ("'https:///standards'", "https:// or http://"),
        ("'https://pmo.acme.example:eighty/'", "https:// or http://"),
        ("'https://li:hunter2@pmo.acme.example/'", "no user and no password"),
        ("'https://pmo.acme.example/?page='", "without ? and #"),
        ("'https://pmo.acme.example/#'", "without ? and #"),
        ("'https://pmo.acme.example/our standards/'", "write an address such as"),
        ("[https://pmo.acme.example/]", "write an address such as"),
    ],
)
def test_what_is_no_address_of_pages_is_refused_with_its_line(configured: Configured, written: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=r"pmosync\.yaml:7:\d+") as caught:
        configured(("push: on", f"push: on\nguidance: {written}"))
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_calendar_knows_the_holidays_of_the_country(configured: Configured) -> None:
    works = configured().workdays.works
    assert not works(day_number(dt.date(2026, 5, 25))), "Whit Monday"
    assert works(day_number(dt.date(2026, 5, 26)))
    assert not works(day_number(dt.date(2026, 5, 30))), "Saturday"


@pytest.mark.parametrize(
    ("spelling", "day", "works"),
    [
        ("{workdays: sun-thu}", dt.date(2026, 5, 31), True),
        ("{workdays: sun-thu}", dt.date(2026, 5, 29), False),
        ("{workdays: [mon, Tue]}", dt.date(2026, 5, 26), True),
        ("{workdays: [mon, Tue]}", dt.date(2026, 5, 27), False),
        ("{holidays: [2026-05-27]}", dt.date(2026, 5, 27), False),
        ("{holidays: null}", dt.date(2026, 5, 25), True),
        ("{holidays: NO}", dt.date(2026, 5, 14), False),
        ("{holidays: DE-BY}", dt.date(2026, 6, 4), False),
        ("{holidays: DE}", dt.date(2026, 6, 4), True),
    ],
)
def test_a_calendar_can_be_spelled_in_several_ways(
    configured: Configured, spelling: str, day: dt.date, works: bool
) -> None:
    config = configured(("calendar: {workdays: mon-fri, holidays: DE}", f"calendar: {spelling}"))
    assert config.workdays.works(day_number(day)) is works


@pytest.mark.parametrize(("word", "push"), [("on", True), ("off", False), ("true", True), ("false", False)])
def test_push_is_a_switch(configured: Configured, word: str, push: bool) -> None:
    assert configured(("push: on", f"push: {word}")).push is push


def test_without_a_word_about_it_nothing_is_pushed_and_nothing_is_asked_hard(configured: Configured) -> None:
    config = configured(("push: on\n", ""), ("profile: controlling\n", ""), ("guard: {max_share: 30%, max_", "#"))
    assert (config.push, config.profile) == (False, "supportive")
    assert config.guard == Guard(0.3, 2000)


MISTAKES = [
    ("push: on", "puhs: on", 6, "unknown key 'puhs'", "did you mean 'push'?"),
    ("max_share: 30%", "max_shares: 30%", 21, "unknown key 'max_shares'", "did you mean 'max_share'?"),
    ("    timezone: Asia/Tokyo", "    timezon: Asia/Tokyo", 17, "unknown key 'timezon'", "did you mean 'timezone'?"),
    ("auth: {user: bot", "auth: {usr: bot", 11, "unknown key 'usr'", "did you mean 'user'?"),
    ("    base_url: https", "    base_ulr: https", 10, "unknown key 'base_ulr'", "did you mean 'base_url'?"),
    ("profile: controlling", "profile: controling", 5, "profile", "did you mean 'controlling'?"),
    ("timezone: Europe/Berlin", "timezone: Europe/Berln", 2, "no time zone", "did you mean 'Europe/Berlin'?"),
    ("timezone: Asia/Tokyo", "timezone: Europe", 17, "no time zone 'Europe'", "Europe/Berlin"),
    ("timezone: Asia/Tokyo", "timezone: JST", 17, "no time zone 'JST'", "Europe/Berlin"),
    ("holidays: DE", "holidays: XX", 3, "no holidays are known for 'XX'", "country code"),
    ("holidays: DE", "holidays: DE-XX", 3, "the region 'XX' of DE", "BY"),
    ("holidays: DE", "holidays: [christmas]", 3, "write dates as 2026-12-24", "christmas"),
    ("mon-fri", "mon-fry", 3, "no day of the week 'fry'", "did you mean 'fri'?"),
    ("push: on", "push: maybe", 6, "write on or off", "maybe"),
    ("30%", "3000%", 21, "at most 100%", "3000%"),
    ("30%", "lots", 21, "write a share such as 30%", "lots"),
    ("max_changes: 2000", "max_changes: 0", 21, "max_changes", "greater than or equal to 1"),
    ("sqlite:///pmosync.db", "postgresql://db/pmo", 4, "PostgreSQL comes with a later version", "use sqlite:///"),
    ("sqlite:///pmosync.db", "pmosync.db", 4, "sqlite:///", "the path of a file"),
    ("connector: toy\n    base", "connector: tyo\n    base", 9, "no connector 'tyo'", "did you mean 'toy'?"),
    ("connector: toy\n    base", "connector: trello\n    base", 9, "no connector 'trello'", "installed: "),
    ("    mapping: mappings/other.yaml\n", "", 13, "sites.other.mapping is missing", "add it"),
    ("organisation: Acme\n", "", 1, "organisation is missing", "add it"),
    ("  acme-toy:", "  Acme Toy:", 8, "no name for a site", "such as acme-jira"),
    ("  other:", "  acme_toy:", 13, "the same in environment variables", "rename one"),
    ("[starter]", "[starter, standards/acme.yaml]", 20, "there is no file", "relative to this file"),
    (
        "register:",
        "web: {port: 80}\nregister:",
        18,
        "the web view comes with a later",
        "`pmosync findings` shows the same",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "what", "hint"), MISTAKES, ids=[mistake[1] for mistake in MISTAKES])
def test_a_mistake_is_told_with_file_line_what_and_the_fix(
    configured: Configured, folder: Path, old: str, new: str, line: int, what: str, hint: str
) -> None:
    with pytest.raises(Misconfigured) as told:
        configured((old, new))
    assert f"{folder}/pmosync.yaml:{line}:" in str(told.value)
    assert what in str(told.value)
    assert hint in str(told.value)


def test_several_mistakes_are_told_at_once(configured: Configured) -> None:
    with pytest.raises(Misconfigured, match=r"2 mistakes") as told:
        configured(("push: on", "push: maybe"), ("profile: controlling", "profile: strict"))
    assert "pmosync.yaml:5:" in str(told.value)
    assert "pmosync.yaml:6:" in str(told.value)


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="pmosync init"):
        load(tmp_path / "pmosync.yaml", {})


def test_the_file_can_be_named_by_the_environment(configured: Configured, folder: Path) -> None:
    configured()
    assert load(None, {"PMOSYNC_CONFIG": str(folder / "pmosync.yaml")}).organisation == "Acme"


def test_a_connector_that_cannot_be_imported_is_named(configured: Configured) -> None:
    with pytest.raises(Misconfigured, match=r"'broken' \(toytool_missing\) cannot be loaded"):
        configured(("connector: toy\n    base", "connector: broken\n    base"))


@pytest.mark.parametrize(
    ("at", "secret"), [("env:TOY_TOKEN", "ATATT3xFfGF0T4"), ("file:secret.txt", "plain"), ("env:TOY_TOKEN", "env:")]
)
def test_a_secret_that_is_written_out_is_refused_and_never_shown(configured: Configured, at: str, secret: str) -> None:
    with pytest.raises(Misconfigured, match="write token: env:NAME or file:/path and never the secret itself") as told:
        configured((at, secret))
    assert "pmosync.yaml:1" in str(told.value)
    assert "auth.token" in str(told.value)
    assert secret not in str(told.value).replace("env:NAME", "")


def test_a_secret_in_the_place_of_its_key_is_not_shown_either(configured: Configured) -> None:
    with pytest.raises(Misconfigured, match=r"write auth: \{token: env:NAME\} and never the secret itself") as told:
        configured(("auth: {user: bot, token: env:TOY_TOKEN}", "auth: ATATT3xFfGF0T4"))
    assert "pmosync.yaml:11:" in str(told.value)
    assert "ATATT3xFfGF0T4" not in str(told.value)


def test_the_connectors_that_come_with_pmosync_are_found(configured: Configured) -> None:
    jira = ("connector: toy\n    base_url: https://toy.example", "connector: jira\n    base_url: https://acme.example")
    asana = ("connector: toy\n    auth", "connector: asana\n    auth")
    config = configured(jira, asana)
    assert config.site("acme-toy").connector == "jira"
    assert config.site("other").module.capabilities.slots


# --- the environment ------------------------------------------------------------------------------------------------


def test_every_key_can_be_overridden_by_the_environment(configured: Configured, folder: Path) -> None:
    config = configured(
        environ={
            "PMOSYNC_PUSH": "off",
            "PMOSYNC_ORGANISATION": "Other",
            "PMOSYNC_REGISTER": "",
            "PMOSYNC_STORE": "sqlite:////var/lib/pmosync.db",
            "PMOSYNC_CALENDAR__HOLIDAYS": "AT",
            "PMOSYNC_GUARD__MAX_CHANGES": "17",
            "PMOSYNC_STANDARDS": "starter,starter",
            "PMOSYNC_SITES__ACME_TOY__BASE_URL": "http://127.0.0.1:8080",
            "PMOSYNC_SITES__ACME_TOY__WORKSPACE": "120200",
            "PMOSYNC_SITES__OTHER__MAX_WAIT_S": "5",
            "PMOSYNC_SITES__OTHER__AUTH__USER": "me",
        }
    )
    assert (config.push, config.organisation, config.guard) == (False, "Other", Guard(0.3, 17))
    assert config.store == Path("/var/lib/pmosync.db")
    assert config.standards == ("starter", "starter")
    assert not config.workdays.works(day_number(dt.date(2026, 10, 26))), "the Austrian national day"
    assert config.sites["acme-toy"].own["base_url"] == "http://127.0.0.1:8080"
    assert config.sites["acme-toy"].own["workspace"] == "120200"
    assert config.sites["other"].max_wait_s == 5
    assert config.sites["other"].own["auth"] == {"token": "file:secret.txt", "user": "me"}


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("PMOSYNC_PUSH", "maybe", "write on or off"),
        ("PMOSYNC_TIMEZONE", "Mars/Olympus", "no time zone"),
        ("PMOSYNC_GUARD__MAX_CHANGES", "many", "valid integer"),
        ("PMOSYNC_PUHS", "off", "did you mean 'push'?"),
        ("PMOSYNC_GUARD__MAX_SHARES", "10%", "no key 'max_shares'"),
        ("PMOSYNC_GUARD_MAX_SHARE", "10%", "two underscores"),
        ("PMOSYNC_WEB__PORT", "80", "later version"),
        ("PMOSYNC_SCHEDULE__SYNC", "x", "not five"),
        ("PMOSYNC_SITES__ACME_TYO__BASE_URL", "http://x", "no site 'acme_tyo'"),
        ("PMOSYNC_SITES__ACME_TOY__BASE_ULR", "http://x", "no key 'base_ulr'"),
        ("PMOSYNC_SITES__ACME_TOY__CONNECTOR", "jria", "no connector 'jria'"),
        ("PMOSYNC_SITES__ACME_TOY__AUTH__TOKEN", "secret-text", "never the secret itself"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    configured: Configured, name: str, value: str, what: str
) -> None:
    with pytest.raises(Misconfigured) as told:
        configured(environ={name: value})
    assert f"environment variable {name.split('_TYO')[0]}" in str(told.value)
    assert what in str(told.value)
    assert "secret-text" not in str(told.value)


def test_a_variable_that_holds_a_secret_is_no_override(configured: Configured) -> None:
    config = configured(("env:TOY_TOKEN", "env:PMOSYNC_TOKEN__X"), environ={"PMOSYNC_TOKEN__X": "abc"})
    assert config.push is True


def test_a_variable_of_somebody_else_is_ignored_with_a_warning(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        configured(environ={"PMOSYNC_SERVICE_HOST": "10.0.0.1"})
    assert "PMOSYNC_SERVICE_HOST" in caplog.text


def test_a_site_that_is_not_there_is_told_with_those_that_are(configured: Configured) -> None:
    config = configured()
    with pytest.raises(Misconfigured, match="did you mean 'acme-toy'"):
        config.site("acme-tyo")
    assert config.site("other").connector == "toy"


def test_nothing_of_the_environment_stands_in_the_text_of_a_configuration(configured: Configured) -> None:
    assert "toy-secret" not in repr(configured())
