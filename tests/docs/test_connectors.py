"""What the pages about connectors say is backed row by row by tests that are there, and names what the program has."""

from __future__ import annotations

import ast
import functools
import gzip
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pmosync_asana
import pmosync_jira
from pmosync_asana.describe import BUILT_IN
from tests.conftest import SHARED
from tests.docs.pages import DOCS, ROOT, named, words

CONNECTORS = sorted(DOCS.glob("connectors/*.md"))
JIRA, ASANA = DOCS / "connectors" / "jira.md", DOCS / "connectors" / "asana.md"
SHOWN_BY = "shown by"
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def tables(path: Path) -> list[list[list[str]]]:
    """Every table of a page: its head, then its rows."""
    found: list[list[list[str]]] = []
    before = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not before.startswith("|"):
                found.append([cells])
            elif not set("".join(cells)) <= set("-:"):
                found[-1].append(cells)
        before = line
    return found


@functools.cache
def collected(file: str) -> frozenset[str]:
    """The tests that pytest collects from a file, as its text says: one beside the connectors' tests, or the only one
    of that name."""
    tests = ROOT / "tests"
    there = list(tests.glob(f"connectors/{file}")) or list(tests.rglob(file))
    if len(there) != 1:
        return frozenset()
    tree = ast.parse(there[0].read_text("utf-8"))
    tops = [one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(one.name for one in tops if one.name.startswith("test_"))


@pytest.mark.parametrize("path", CONNECTORS, ids=named)
def test_every_row_of_a_connectors_page_names_the_test_that_shows_it(path: Path) -> None:
    assert tables(path)
    for head, *rows in tables(path):
        assert head[-1] == SHOWN_BY, head
        assert rows
        for row in rows:
            assert len(row) == len(head), row
            assert NAMED.fullmatch(row[-1]), row


@pytest.mark.parametrize("path", CONNECTORS, ids=named)
def test_every_test_that_a_connectors_page_names_is_collected(path: Path) -> None:
    told = NAMED.findall(path.read_text("utf-8"))
    assert len(told) > 50
    assert {f"{file}::{name}" for file, name in told if name not in collected(file)} == set()


def test_a_test_that_is_not_there_is_noticed() -> None:
    here = Path(__file__).name
    assert "test_a_test_that_is_not_there_is_noticed" in collected(here)
    assert "tables" not in collected(here)
    assert collected("test_of_nothing.py") == frozenset()


@pytest.mark.parametrize(("page", "connector"), [(JIRA, pmosync_jira), (ASANA, pmosync_asana)], ids=["jira", "asana"])
def test_the_page_of_a_tool_tells_of_every_slot_what_it_needs_and_what_it_writes(
    page: Path, connector: ModuleType
) -> None:
    slots = {slot.name for slot in connector.capabilities.slots}
    for first in ("for", "slot"):
        (told,) = ({word for row in rows for word in words(row[0])} for head, *rows in tables(page) if head[0] == first)
        assert told & slots == slots, first


OF_AN_APP = {"oauth", "client_id", "client_secret", "refresh_token"}


@pytest.mark.parametrize(
    ("page", "known"), [(JIRA, [{"user", "token"}, {"token"}, OF_AN_APP]), (ASANA, [{"token"}, OF_AN_APP])]
)  # fmt: skip
def test_the_page_of_a_tool_shows_every_way_to_sign_in(page: Path, known: list[set[str]]) -> None:
    ((head, *rows),) = (found for found in tables(page) if "`auth`" in found[0])
    ways = [frozenset(re.findall(r"[{ ](\w+): ", row[head.index("`auth`")])) for row in rows]
    assert set(ways) == {frozenset(way) for way in known}


@pytest.mark.parametrize("subject", ["task", "project"])
def test_the_page_of_asana_tells_every_field_with_its_type(subject: str) -> None:
    (rows,) = (rows for head, *rows in tables(ASANA) if head[0] == f"field of a {subject}")
    told = [(name, row[1]) for row in rows for name in words(row[0])]
    assert sorted(told) == sorted((info.id, info.kind) for info in BUILT_IN if info.subject == subject)


def test_the_page_of_asana_tells_what_is_written_when_named_and_how_long_it_may_be() -> None:
    ((head, *rows),) = (found for found in tables(ASANA) if found[0][0] == "slot")
    at = head.index("characters")
    told = {words(row[0])[0]: ("when named" in row[0], int(row[at].replace(",", "") or 0)) for row in rows}
    assert told == {
        slot.name: (slot.opt_in, 0 if slot.form == "word" else slot.limit) for slot in pmosync_asana.capabilities.slots
    }


@pytest.mark.shared
def test_the_scopes_of_the_page_are_those_of_the_vendors_documents() -> None:
    files = [SHARED / "specs" / f"{name}.json.gz" for name in ("jira-cloud-platform-v3", "jira-software-cloud")]
    if not all(file.is_file() for file in files):
        pytest.skip("the vendor's documents are not beside the project")
    needed: dict[str, set[str]] = {}
    for file in files:
        for path, calls in json.loads(gzip.decompress(file.read_bytes()))["paths"].items():
            needed |= {f"{method.upper()} {bare(path)}": scopes(call) for method, call in calls.items()}
    ours = [f"{one.method} {bare(one.template)}" for one in pmosync_jira.ENDPOINTS]
    (rows,) = (rows for head, *rows in tables(JIRA) if head[0] == "scope")
    told = {word for row in rows for word in words(row[0])}
    assert {one for call in ours for one in needed.get(call, ())} == told - {"offline_access"}


def bare(path: str) -> str:
    """A path whatever its parameters are called."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def scopes(call: Any) -> set[str]:
    """The classic scopes of a call in a document, or the only ones that it has."""
    security = call.get("security", ()) if isinstance(call, dict) else ()
    return {scope for one in security for scope in one.get("OAuth2", ())}
