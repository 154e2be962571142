"""The JSON documents have exactly the keys that docs/json.md names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run, write_config
from tests.conftest import Sandbox

from pmosync.rollup.earned import TOLD

DOCUMENT = Path(__file__).parents[2] / "docs/json.md"

BY_NAME = {
    "sites", "unobserved", "by_endpoint", "causes", "switched_off", "findings", "evidence", "params", "fields",
    "values", "dimensions",
}  # fmt: skip
"""Keys under which names that depend on the sites stand; `*` in the document."""

SELDOM = {
    "sites.*.pulled.unobserved.*", "switched_off.*", "failed[].standard", "failed[].expected", "failed[].got",
    "failed[].place", "sites.*[].where", "sites.*[].what", "sites.*[].hint", "unobserved[].site", "unobserved[].scope",
    "unobserved[].why", "blind[].standard", "blind[].fields", "blind[].projects", "left_lines[]",
    "rollups[].unobserved[].site", "rollups[].unobserved[].scope", "rollups[].unobserved[].title",
    "rollups[].gate", "rollups[].gate.id", "rollups[].gate.title", "rollups[].gate.state", "rollups[].gate.decides",
    "rollups[].gate.missing", *(f"rollups[].earned.{name}" for name in TOLD),
    "rollups[].unobserved[].why", "rollups[].blind[].fields", "rollups[].blind[].standards", "unobserved[].title",
}  # fmt: skip
"""Keys that a sound run does not show."""


WAIVERS = """\
- {{standard: DAT101, program: none, reason: r, approved_by: cio, approved_on: {day}, until: {day}}}
- {{standard: DAT101, program: none, reason: r}}
"""
"""One that holds and waives nothing, and one that is not clear."""


def documented() -> dict[str, set[str]]:
    """The keys by section; a section may say that it has all keys of another."""
    found: dict[str, set[str]] = {}
    for section in re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        keys = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
        if "All keys of `sync`" in section:
            keys |= found["sync"]
        for name in section.splitlines()[0].split(", "):
            found[name] = keys
    return found


def keys_of(data: Any, path: str = "") -> Iterator[str]:
    """Every key, as the document writes them."""
    if isinstance(data, list):
        for each in data:
            yield from keys_of(each, f"{path}[]")
    elif isinstance(data, dict):
        named = path.startswith("cost") or (path.rpartition(".")[2] in BY_NAME and path != "findings")
        for key, value in data.items():
            inner = f"{path}.{'*' if named else key}" if path else key
            yield inner
            yield from keys_of(value, inner)


@pytest.mark.parametrize(
    ("verb", "lines"),
    [
        ("plan", [["plan", "--accept-existing"]]),
        ("sync", [["sync", "--site", "acme-asana"], ["plan", "--accept-existing"]]),
        ("check", [["check", "--fail-on", "low", "--site", "acme-jira"]]),
        ("findings", [["findings", "--items"]]),
        ("report", [["report"], ["report", "--persons"]]),
        ("waivers list", [["waivers", "list"]]),
        ("standards list", [["standards", "list"]]),
        ("standards show", [["standards", "show", "SCH201"], ["standards", "show", "DAT101"]]),
        ("standards docs", [["standards", "docs", "--out", "pages"]]),
        ("standards test", [["standards", "test"]]),
        ("discover", [["discover", "acme-jira"], ["discover", "acme-asana"]]),
        ("mapping check", [["mapping", "check"]]),
        ("doctor", [["doctor"]]),
    ],
)
def test_a_document_has_the_keys_that_are_described(
    run: Run, folder: Path, sandbox: Sandbox, verb: str, lines: list[list[str]]
) -> None:
    write_config(folder, sandbox.url)
    (folder / "decisions").mkdir()
    (folder / "decisions/waivers.yaml").write_text(WAIVERS.format(day=dt.date.today()), "utf-8")
    if verb in ("findings", "mapping check", "report"):
        run("plan", "--site", "acme-jira")
    expected = documented()[verb]
    seen: set[str] = set()
    for line in lines:
        ran = run(*line, "--json")
        keys = {key for key in keys_of(ran.data) if not key.startswith(("lines", "left_lines", "cost"))}
        if verb == "plan":
            keys = {key.replace("left_lines[]", "lines[]") for key in keys_of(ran.data)} - {"left_lines"}
        seen |= keys
    if verb in ("plan", "check"):  # they push nothing
        expected = {key for key in expected if ".pushed." not in key}
    if verb == "check":
        expected = {key for key in expected if not key.startswith("accepted.")}
    described = expected | {part for key in expected for part in prefixes(key)}
    assert seen - described == set()
    assert expected - seen - SELDOM == set()


def prefixes(key: str) -> Iterator[str]:
    """The keys above a key: the document names the leaves."""
    parts = key.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length]).removesuffix("[]")
    yield key.removesuffix("[]")
