"""The documentation agrees with the program: verbs, exit codes, words, tables, examples, links."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import pmosync_asana
import pmosync_jira
from pmosync import exits
from pmosync.cli.app import LATER, app
from pmosync.config import schema
from pmosync.config.register import ProjectKeys
from pmosync.mapping.grammar import IN_DEFAULT, NEEDS_HISTORY, PROJECT_KEYS, READS, TASK_KEYS
from pmosync.marks import Flagged, flag
from pmosync.model import FIELDS, PROFILES
from pmosync.sandbox import asana_limits
from pmosync.sandbox.asana import orders, tables
from pmosync.standards import load_packs
from pmosync.workdays import day_number, workdays
from tests.docs.pages import DOCS, PAGES, README, ROOT, anchors, blocks, links, named, table, words

GLOSSARY = (
    "site", "connector", "record", "mapping", "register", "task", "fact", "standard", "verdict", "finding", "waiver",
    "mode", "rollup", "slot", "plan", "gap",
)  # fmt: skip


def verbs() -> set[str]:
    """Every verb of the command line, `standards show` and the like with both words."""
    command = typer.main.get_command(app)
    found = set()
    for name, one in command.commands.items():  # type: ignore[attr-defined]
        if not one.hidden:
            inner = getattr(one, "commands", {})
            found |= {f"{name} {second}" for second in inner} or {name}
    return found


def mentioned(path: Path) -> set[str]:
    """What follows `pmosync` wherever something is typed, on one page."""
    text = path.read_text("utf-8")
    return {
        " ".join(found[: 2 if found[0] in ("baseline", "mapping", "standards", "waivers") else 1]).strip()
        for found in re.findall(r"(?:\$ |`|&& )pmosync(?: --\w+ \S+)* ([a-z]+)(?: ([a-z]+))?", text)
    }


# --- the program and its names ----------------------------------------------------------------------------------------


def test_every_verb_is_in_the_readme_or_the_docs() -> None:
    text = "\n".join(path.read_text("utf-8") for path in PAGES)
    missing = {verb for verb in verbs() if f"`{verb}" not in text and f"pmosync {verb}" not in text}
    assert missing == set()


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_verb_that_a_page_names_exists(path: Path) -> None:
    assert mentioned(path) <= verbs()


def test_the_options_that_the_pages_name_exist() -> None:
    known = {"--help"}
    for command in _commands(typer.main.get_command(app)):
        known |= {option for param in command.params for option in param.opts if option.startswith("--")}
    pages = [
        path for path in PAGES if path.name not in ("CONTRIBUTING.md", "mutants.md", "deploy.md")
    ]  # they speak of other programs
    text = "\n".join(path.read_text("utf-8") for path in pages)
    called = re.findall(rf"pmosync (?:{'|'.join(verbs())})\b.*", (DOCS / "deploy.md").read_text("utf-8"))
    found = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join([text, *called])))
    assert "--approve" in found
    assert found <= known


def _commands(command: Any) -> list[Any]:
    return [command, *(each for one in getattr(command, "commands", {}).values() for each in _commands(one))]


def test_the_exit_codes_are_those_of_the_program() -> None:
    known = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert [int(row[0]) for row in table(README, "exit")] == sorted(known)
    assert [int(row[0]) for row in table(DOCS / "operators.md", "exit")] == sorted(known)


def test_the_order_of_the_exit_codes_is_that_of_the_program() -> None:
    (told,) = re.findall(r"the first of ([\d, ]+?) is given", README.read_text("utf-8"))
    decided = re.findall(r"^ +\| (\d+) \|", str(exits.exit_code.__doc__), re.MULTILINE)
    assert told.split(", ") == [str(exits.WRONG), *decided]


def test_the_setup_is_two_commands_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    section = re.search(r"^## See it run\n(.*?)^## ", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert section
    commands = re.findall(r"^    (\S.*)$", section[1], re.MULTILINE)
    assert commands == ["make demo", "make test"]
    for command in commands:
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)


def test_the_contributors_page_names_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"\bmake ([a-z]+)\b", (ROOT / "CONTRIBUTING.md").read_text("utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_each_promise_names_test_files_that_exist() -> None:
    section = re.search(r"^## Five promises\n(.*?)^## ", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert section
    promises = re.split(r"^\d\. ", section[1], flags=re.MULTILINE)[1:]
    assert len(promises) == 5
    for promise in promises:
        files = re.findall(r"`(tests/\S+\.py)`", promise)
        assert files
        for name in files:
            assert (ROOT / name).is_file(), name


def test_the_glossary_and_the_floors_of_the_contributors_page_are_complete() -> None:
    page = ROOT / "CONTRIBUTING.md"
    told = {word for row in table(page, "word") for word in row[0].split(", ")}
    assert set(GLOSSARY) <= told
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    assert [words(row[0]) for row in table(page, "floor")] == [layer.split(" | ") for layer in layers]


def test_every_test_file_that_a_decision_names_exists() -> None:
    for path in DOCS.glob("adr/*.md"):
        for name in re.findall(r"`((?:tests|src|docs)/[\w/]+\.py)`", path.read_text("utf-8")):
            assert (ROOT / name).is_file(), f"{named(path)}: {name}"


def test_every_decision_is_numbered_and_has_its_three_parts() -> None:
    pages = sorted(DOCS.glob("adr/*.md"))
    for number, path in enumerate(pages, start=1):
        assert path.name.startswith(f"{number:04d}-")
        text = path.read_text("utf-8")
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


# --- what stands in tables --------------------------------------------------------------------------------------------


def test_the_mapping_page_lists_every_field_and_every_default() -> None:
    page = DOCS / "mappings.md"
    assert {word for row in table(page, "of a task") for word in words(row[0])} == set(TASK_KEYS)
    assert {word for row in table(page, "of a project") for word in words(row[0])} == set(PROJECT_KEYS)
    assert {word for row in table(page, "default") for word in words(row[0])} == set(IN_DEFAULT)
    told = {name for name, field in FIELDS["task"].items() if field.source in ("history", "worklogs")}
    assert {words(row[0])[0] for row in table(page, "of a task, too")} == {*told, NEEDS_HISTORY}
    told = {name for name, field in FIELDS["project"].items() if field.source == "allocations"}
    assert {words(row[0])[0] for row in table(page, "of a project, too")} == told
    assert [words(row[0])[0] for row in table(page, "`read`")] == list(READS)
    for row in table(page, "of a task"):
        field = TASK_KEYS[words(row[0])[0]]
        assert not field.options or row[1].split(", ") == list(field.options)


def test_the_slots_are_those_of_the_connectors() -> None:
    told = {row[0]: (set(words(row[1])), set(words(row[2]))) for row in table(DOCS / "mappings.md", "connector")}
    for name, module in (("jira", pmosync_jira), ("asana", pmosync_asana)):
        slots = module.capabilities.slots
        by_subject = [
            {slot.name for slot in slots if slot.subject in subjects} for subjects in (("task",), ("project", "rollup"))
        ]
        assert list(told[name]) == by_subject
    described = {word for row in table(DOCS / "marks.md", "slot") for word in words(row[0])}
    assert described == {
        slot.name for module in (pmosync_jira, pmosync_asana) for slot in module.capabilities.slots
        if slot.subject == "task"
    }  # fmt: skip


def test_our_places_are_called_what_the_pages_call_them() -> None:
    jira, asana = pmosync_jira.marks, pmosync_asana.own.places
    text = (DOCS / "marks.md").read_text("utf-8")
    named_there = [f"`{label}`" for label in jira.LABELS] + [f"*{place.name}*" for place in asana.PLACES]
    named_there += [f"`{jira.STATUS_LABEL}`", f"`{jira.STATUS_PROPERTY}`"]
    for name in [*named_there, f"`{jira.TASK_PROPERTY}`", f"`{jira.PROJECT_PROPERTY}`"]:
        assert name in text, name
    assert jira.TASK_PROPERTY in README.read_text("utf-8")


def test_every_key_of_the_configuration_is_shown() -> None:
    pages = [DOCS / "operators.md", *DOCS.glob("connectors/*.md")]
    text = "\n".join(block for page in pages for block in blocks(page, "yaml"))
    keys = [info.alias or name for name, info in schema.Keys.model_fields.items()]
    models = (schema.SiteKeys, schema.CalendarKeys, schema.GuardKeys)
    keys += [name for model in models for name in model.model_fields]
    keys += [name for module in (pmosync_jira, pmosync_asana) for name in module.Settings.model_fields]
    assert {key for key in keys if not re.search(rf"\b{key}:", text)} == set()


def test_every_key_of_the_register_is_shown_and_explained() -> None:
    page = DOCS / "register.md"
    assert {word for row in table(page, "key") for word in words(row[0])} == {
        one.alias or name for name, one in ProjectKeys.model_fields.items()
    }
    assert [words(row[0])[0] for row in table(page, "profile")] == list(PROFILES)


def test_the_page_about_the_sandbox_names_every_switch_order_and_limit_of_asana() -> None:
    rows = table(DOCS / "sandbox.md", "switch")
    told = {name: row[1].strip("`") for row in rows for name in words(row[0])}
    assert {name: told.get(name) for name in tables.SWITCHES} == tables.SWITCHES
    assert {word for row in table(DOCS / "sandbox.md", "orders") for word in words(row[0])} >= set(orders.ORDERS)
    assert {word for row in table(DOCS / "sandbox.md", "limit") for word in words(row[0])} == asana_limits.SETTINGS


def test_what_comes_later_is_promised_nowhere() -> None:
    commands = {verb for path in PAGES for verb in mentioned(path)}
    assert commands & LATER.keys() == set()


# --- pages made by programs, and made for reading ---------------------------------------------------------------------


def generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_standards_is_current() -> None:
    made = generator()
    assert made.PAGE.read_text("utf-8") == made.page(), "run `python docs/generate.py`"


def test_the_fields_in_the_manual_are_current() -> None:
    made = generator()
    assert made.MANUAL.read_text("utf-8") == made.manual(), "run `python docs/generate.py`"
    for subject, fields in FIELDS.items():
        assert [words(row[0])[0] for row in table(made.MANUAL, f"field of a {subject}")] == list(fields)


@pytest.mark.parametrize("page", ["marks.md", "teams.md"])
def test_the_flag_that_a_page_shows_is_what_is_written(page: str) -> None:
    (overdue,) = (one for one in load_packs(["starter"], Path()) if one.id == "SCH201")
    since = day_number(dt.date(2026, 11, 20))
    pages = "https://pmo.acme.example/standards/"
    text = flag([Flagged(overdue, since)], "text", 1024, workdays(frozenset(range(5)), ()), pages)
    assert [f"{text}\n"] == blocks(DOCS / page, "text")


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        there = (path.parent / target).resolve() if target else path
        assert there.is_file(), f"{named(path)}: {link}"
        assert not anchor or anchor in anchors(there), f"{named(path)}: {link}"


def test_the_map_of_the_documentation_shows_every_page() -> None:
    shown = {(DOCS / link.partition("#")[0]).resolve() for link in links(DOCS / "index.md")}
    assert {path for path in PAGES if path.name != "index.md"} <= shown


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_no_page_names_a_path_of_somebodys_machine(path: Path) -> None:
    assert (
        re.findall(
            r"(?:^|[\s\"'(=])/(?:home|Users|root|tmp|opt(?!/pmosync)|work)/", path.read_text("utf-8"), re.MULTILINE
        )
        == []
    )
