"""Every YAML example of the documentation is read by the program, and every mapping example means what is said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pmosync import mapping as mappings
from pmosync.config import load, load_register
from pmosync.config.governing import check_gates
from pmosync.contract import Choice, Duration, Link, Record, Value
from pmosync.decisions import Terms, read_approvals, read_disputes, read_waivers
from pmosync.errors import Misconfigured
from pmosync.mapping import SiteMapping
from pmosync.people import read_people
from pmosync.standards import load_packs
from pmosync.yamlfile import dump
from pmosync.yamlfile import load as read_yaml
from tests.docs.pages import DOCS, PAGES, ROOT, blocks, named, words

MANUAL = DOCS / "language.md"
"""Its examples are run by tests/standards/test_manual.py."""
EXAMPLES = [(path, text) for path in PAGES if path != MANUAL for text in blocks(path, "yaml")]
MAPPING_KEYS = {"site", "scope", "read", "project", "task", "links", "write"}
BERLIN = ZoneInfo("Europe/Berlin")


def kind_of(data: Any) -> str:
    """Which file an example is a piece of."""
    if isinstance(data, list):
        return (
            "people"
            if "email" in data[0]
            else "disputes"
            if "by" in data[0] and "standard" in data[0]
            else "waivers"
            if "reason" in data[0] and "standard" in data[0]
            else "approvals"
        )
    for kind, key in (("pack", "pack"), ("register", "projects"), ("config", "organisation"), ("gates", "gates")):
        if key in data:
            return kind
    assert data.keys() <= MAPPING_KEYS, f"what is this? {sorted(data)}"
    return "mapping"


def config(folder: Path, text: str) -> Any:
    (folder / "pmosync.yaml").write_text(text, "utf-8")
    return load(folder / "pmosync.yaml", {})


def mapping(folder: Path, data: Mapping[str, Any]) -> SiteMapping:
    """A mapping example with the least that a whole file needs beside it."""
    whole = {"site": "acme-jira", "task": {"title": "summary", "status": "status"}, **data}
    path = folder / "mapping.yaml"
    path.write_text(dump(whole), "utf-8")
    return mappings.load(path, None)


@pytest.mark.parametrize(("path", "text"), EXAMPLES, ids=[f"{named(path)}-{n}" for n, (path, _) in enumerate(EXAMPLES)])
def test_an_example_is_read_as_what_it_is(path: Path, text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(text, "utf-8")
    data = read_yaml(file).data
    match kind_of(data):
        case "waivers":
            found = read_waivers(renamed(file, "waivers.yaml"), Terms())
            assert found.unclear == ()
            assert found.all
        case "people":
            assert len(read_people(file, {}, {"acme-jira": 1, "acme-asana": 1}).persons) == len(data)
        case "disputes":
            disputes, wrong = read_disputes(renamed(file, "disputes.yaml"))
            assert (len(disputes), wrong) == (len(data), ())
        case "approvals":
            approvals, wrong = read_approvals(renamed(file, "approvals.yaml"))
            assert (len(approvals), wrong) == (len(data), ())
        case "pack":
            assert load_packs([file.name], tmp_path)
        case "register":
            sites = {site.split("/")[0] for entry in data["projects"] for site in entry["containers"]}
            lines = [f"  {site}: {{connector: asana, mapping: m.yaml, auth: {{token: env:T}}}}" for site in sites]
            file.rename(tmp_path / "projects.yaml")
            head = "organisation: Acme\ntimezone: Europe/Berlin\nregister: projects.yaml\nsites:\n"
            register = load_register(config(tmp_path, head + "\n".join(lines) + "\n"))
            assert len(register.projects) == len(data["projects"])
        case "gates":
            file.rename(tmp_path / "gates.yaml")
            (tmp_path / "projects.yaml").write_text("projects: []\nclasses: {large: {}}\n", "utf-8")
            head = "organisation: Acme\ntimezone: Europe/Berlin\nregister: projects.yaml\ngates: gates.yaml\n"
            site = "sites:\n  a: {connector: asana, mapping: m.yaml, auth: {token: env:T}}\n"
            register = load_register(config(tmp_path, head + site))
            check_gates(register, load_packs(["starter"], Path()))
            assert len(register.gates) == len(data["gates"])
        case "config":
            assert config(tmp_path, text).sites
        case "mapping":
            assert mapping(tmp_path, data).task_fields()


def renamed(file: Path, name: str) -> Path:
    """The folder in which the example is called as a decisions file."""
    file.rename(file.with_name(name))
    return file.parent


# --- what mapping examples mean ---------------------------------------------------------------------------------------


def meanings() -> list[tuple[str, str, str]]:
    """Of docs/mappings.md: an example, what stands in the tool, and what the page says that it becomes."""
    text = (DOCS / "mappings.md").read_text("utf-8")
    found = []
    for block, rows in re.findall(r"^```yaml\n(.*?)^```\n\n((?:^\|[^\n]*\n)+)", text, re.MULTILINE | re.DOTALL):
        head, _, *lines = rows.splitlines()
        if head.startswith("| in the tool "):
            found += [(block, *(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]
    return found


def value(text: str) -> Value:
    """A value as the page writes it: a date, a duration, a number, a quoted text, yes or no, choices with category."""
    if text == "nothing":
        return None
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return dt.date.fromisoformat(text)
    if seconds := re.fullmatch(r"(\d+) s", text):
        return Duration(float(seconds[1]))
    if re.fullmatch(r"\d+", text):
        return float(text)
    if ", " in text:
        return tuple(Choice(f"id of {name}", name) for name in text.split(", "))
    if text.startswith('"'):
        return text.strip('"')
    name, _, category = text.partition(" (")
    return Choice(f"id of {name}", name, category.rstrip(")") or None)


def record(cell: str) -> Record:
    """The issue or task that a row describes."""
    values: dict[str, Value] = {}
    carrier = "PAY-1"
    for told in words(cell):
        if link := re.fullmatch(r"(\S+) (\w+) (outward|inward) (\S+)", told):
            carrier = link[1]
            values["issuelinks"] = (Link(link[2], link[2], link[3], link[4]),)  # type: ignore[arg-type]
        else:
            name, _, text = told.partition(" = ")
            values[name] = value(text)
    return Record("task", carrier, carrier, "https://acme.example/PAY-1", "1", ("project:1",), values)


@pytest.mark.parametrize(("block", "there", "becomes"), meanings(), ids=[one[1] for one in meanings()])
def test_a_mapping_example_means_what_the_page_says(block: str, there: str, becomes: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(block, "utf-8")
    made = mapping(tmp_path, read_yaml(file).data)
    if becomes == "the run stops":
        with pytest.raises(Misconfigured, match="no step of status matches"):
            made.read_task(record(there), BERLIN)
        return
    read = made.read_project if read_yaml(file).data.keys() <= {"project", "read"} else made.read_task
    row = read(record(there), BERLIN)
    if becomes == "it is left out":
        assert row is None
        return
    assert row is not None
    if gap := re.fullmatch(r"`(\w+)` is a gap", becomes):
        assert [one.field for one in row.gaps] == [gap[1]]
        assert row.values[gap[1]] is None
        return
    assert [one for one in row.gaps if one.field in becomes] == []
    if "before" in becomes or becomes == "nothing":
        assert [" before ".join(pair) for pair in row.links] == ([] if becomes == "nothing" else [becomes])
        return
    for word in words(becomes):
        name, _, expected = word.partition(" = ")
        got = row.values[name]
        assert ("nothing" if got is None else f"{got:g}" if isinstance(got, float) else str(got)) == expected


def test_every_form_of_the_grammar_has_an_example_that_is_run() -> None:
    run = "\n".join({block for block, _, _ in meanings()})
    for form in (
        "category=",
        "true",
        "empty:",
        "skip:",
        "default: report",
        "default: stop",
        "default: skip",
        "custom:",
    ):
        assert form in run, form
    assert len(meanings()) >= 20


def test_the_shipped_mappings_are_files_that_the_page_names() -> None:
    for name in re.findall(r"`(mappings/[\w-]+\.yaml)`", (DOCS / "mappings.md").read_text("utf-8")):
        assert (ROOT / name).is_file(), name
