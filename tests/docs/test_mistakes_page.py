"""Each mistake of docs/mistakes.md is made, and answered with exactly the one message that the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pmosync.cli import main, terminal
from tests.docs.pages import DOCS, blocks, steps

MISTAKES = DOCS / "mistakes.md"
(PACK,) = blocks(MISTAKES, "yaml")
SECTION = re.compile(
    r"^## \d+\. (?P<name>.+?)\n\n```diff\n(?P<diff>.*?)```\n\n```console\n\$ (?P<line>.*?)\n(?P<said>.*?)```\n",
    re.MULTILINE | re.DOTALL,
)
SECTIONS = [found.groupdict() for found in SECTION.finditer(MISTAKES.read_text("utf-8"))]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Types one line beside a pack, on a wide terminal: its exit code and all that it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")

    def run(pack: str, line: str) -> tuple[int, str]:
        Path("acme.yaml").write_text(pack, "utf-8")
        terminal.out.cache_clear()
        terminal.err.cache_clear()
        code = main(line.split()[1:])
        caught = capsys.readouterr()
        return code, caught.out + caught.err

    yield run
    terminal.out.cache_clear()
    terminal.err.cache_clear()


def edited(diff: str) -> str:
    """The pack of the page with the lines of a diff in place of its own."""
    lines = diff.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line.startswith(sign)) for sign in "-+")
    assert old
    assert PACK.count(old) == 1
    return PACK.replace(old, new)


def test_the_page_shows_twenty_mistakes_and_a_pack_that_is_right(typed: object) -> None:
    right, *wrong = steps(MISTAKES)
    assert len(SECTIONS) == len(wrong) == 20
    assert len({section["said"] for section in SECTIONS}) == 20
    assert typed(PACK, right.command) == (0, right.shown)  # type: ignore[operator]


@pytest.mark.parametrize("section", SECTIONS, ids=[section["name"] for section in SECTIONS])
def test_a_mistake_is_answered_with_one_message_with_file_line_caret_and_suggestion(
    typed: object, section: dict[str, str]
) -> None:
    code, said = typed(edited(section["diff"]), section["line"])  # type: ignore[operator]
    assert (code, said) == (2, section["said"])
    where, shown, caret, hint = said.splitlines()
    assert re.match(r"acme\.yaml:\d+:\d+: \w", where) or where.startswith("acme.yaml:")
    assert shown.split(" | ")[0].strip() == where.split(":")[1]
    assert caret.rstrip().endswith("^")
    assert hint.startswith("  → ")
