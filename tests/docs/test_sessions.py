"""What the pages show being typed is typed, in the order of the tour, and answers what they show."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from openapi_schema_validator import OAS31Validator

from tests.acceptance.office import TOKENS, Forge
from tests.conftest import Sandbox, start_sandbox, stop_sandbox
from tests.docs.pages import DOCS, README, Step, blocks, named, steps
from tests.docs.test_mistakes_page import MISTAKES

pytestmark = pytest.mark.slow

ADDRESS = "https://acme.atlassian.net"
DAY = "2026-11-20"
TOUR = (
    README,
    DOCS / "mappings.md",
    DOCS / "connectors" / "jira.md",
    DOCS / "connectors" / "asana.md",
    DOCS / "operators.md",
    DOCS / "baselines.md",
)
"""Pages with commands, in the order in which a newcomer would follow them; each begins where the one before ended."""

GOVERNED = (DOCS / "modes.md", DOCS / "gates.md", DOCS / "debt.md")
"""Pages that a PMO follows right after `init`, before anything was flagged."""


class Desk:
    """A folder at whose keyboard somebody follows the pages."""

    def __init__(self, folder: Path, sandbox: Sandbox, forge: Forge) -> None:
        self.folder, self.sandbox, self.forge = folder, sandbox, forge
        self.code = 0
        self.environ = {"COLUMNS": "300", **TOKENS}

    def type(self, line: str) -> str:
        """Type one line; what it answers on standard output."""
        if line == "echo $?":
            return f"{self.code}\n"
        arguments = shlex.split(line, comments=True)
        if arguments[:1] == ["export"]:
            self.environ |= dict(word.split("=", 1) for word in arguments[1:])
            return ""
        if arguments[0] != "pmosync":
            done = subprocess.run(["sh", "-c", line], cwd=self.folder, capture_output=True, text=True, check=True)
            return done.stdout
        return self._pmosync(arguments[1:])

    def _pmosync(self, arguments: list[str]) -> str:
        arguments = [self.sandbox.url if word == ADDRESS else word for word in arguments]
        if "--asana" in arguments:
            arguments += ["--asana-url", f"{self.sandbox.url}/api/1.0"]
        now = str(self.sandbox.control("POST", "clock", {"advance_s": 0})["now"])
        out, err = self.folder.with_name("out"), self.folder.with_name("err")
        self.code = self.forge.start(
            {
                "line": [*arguments, "--now", now],
                "folder": str(self.folder),
                "environ": self.environ,
                "out": str(out),
                "err": str(err),
                "trace": "",
                "kill_at": None,
            }
        )
        assert "defect" not in err.read_text("utf-8"), err.read_text("utf-8")
        return out.read_text("utf-8").replace(self.sandbox.url, ADDRESS)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "office").mkdir()
    sandbox, forge = start_sandbox("--as-of", DAY), Forge()
    try:
        yield Desk(tmp_path / "office", sandbox, forge)
    finally:
        forge.close()
        stop_sandbox(sandbox)


def test_every_page_with_commands_is_followed() -> None:
    typed = {path for path in [README, *DOCS.rglob("*.md")] if steps(path)}
    assert typed == {*TOUR, *GOVERNED, MISTAKES}


def test_what_the_pages_show_is_what_happens(desk: Desk) -> None:
    for page in TOUR:
        follow(desk, steps(page))
        if page == README:
            check_marks(desk.sandbox)


def test_what_a_pmo_does_before_the_first_flag_is_what_happens(desk: Desk) -> None:
    follow(desk, steps(README)[:1])
    for page in GOVERNED:
        follow(desk, steps(page))


def follow(desk: Desk, typed: list[Step]) -> None:
    for step in typed:
        answer = desk.type(step.command)
        assert agrees(step, answer), f"{step.page}: $ {step.command}\nshows:\n{step.shown}\nanswers:\n{answer}"


def agrees(step: Step, answer: str) -> bool:
    return re.fullmatch(step.pattern, answer) is not None


def check_marks(sandbox: Sandbox) -> None:
    """After the tour, what stands in the tools is what docs/marks.md says."""
    example, schema = (orjson.loads(block) for block in blocks(DOCS / "marks.md", "json"))
    validator = OAS31Validator(schema)
    validator.validate(example)
    found = sandbox.jira("POST", "search/jql", {"jql": "labels in (pmo-critical, pmo-high)", "fields": ["labels"]})
    assert found["issues"]
    for issue in found["issues"][:10]:
        value = sandbox.jira("GET", f"issue/{issue['id']}/properties/pmosync.compliance")["value"]
        validator.validate(value)
        assert f"pmo-{value['worst']}" in issue["fields"]["labels"]


@pytest.mark.parametrize(
    ("shown", "answer", "same"),
    [
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("one\n…\n", "one\ntwo\n", True),
        ("…\ntwo\n", "one\ntwo\n", True),
        ("a  b\n", "a    b   \n", True),
        ("… changes\n", "12 changes\n", True),
        ("13 changes\n", "12 changes\n", False),
        ("", "one\n", False),
    ],
)
def test_an_answer_agrees_only_with_what_is_shown(shown: str, answer: str, same: bool) -> None:
    assert agrees(Step(named(README), "", shown), answer) is same
