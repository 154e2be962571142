"""The pages of the documentation as data: what is typed and shown, the YAML examples, the tables and the links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted([README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])

GAP = "…"
"""In a line: anything. As a line: any number of lines."""


@dataclass(frozen=True)
class Step:
    """One command that a page shows, and what it is shown to answer."""

    page: str
    command: str
    shown: str

    @property
    def pattern(self) -> str:
        """What the whole answer has to match; blanks at the ends of lines and the width of columns do not count."""
        parts = []
        for line in self.shown.splitlines():
            if line.strip() == GAP:
                parts.append(r"(?:.*\n)*?")
            else:
                pieces = [re.escape(piece).replace(GAP, ".*?") for piece in line.split()]
                parts.append(r"[ ]*" + r"[ ]+".join(pieces) + r"[ ]*\n")
        return "".join(parts)


def named(path: Path) -> str:
    """A page's name for messages."""
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    """The blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def steps(path: Path) -> list[Step]:
    """What is typed on a page, from top to bottom."""
    found = []
    for block in blocks(path, "console"):
        for piece in re.split(r"^\$ ", block.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
            command, _, shown = piece.partition("\n")
            found.append(Step(named(path), command, shown))
    return found


def prose(path: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def table(path: Path, first: str) -> list[list[str]]:
    """The rows of the tables whose first column is called like this."""
    rows: list[list[str]] = []
    inside = False
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[0] == first:
            inside = True
        elif inside and not set(cells[0]) <= set("-:"):
            rows.append(cells)
    return rows


def words(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def links(path: Path) -> Iterator[str]:
    """Where the links of a page lead."""
    yield from re.findall(r"\]\(([^)\s]+)\)", prose(path))


def anchors(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    heads = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
