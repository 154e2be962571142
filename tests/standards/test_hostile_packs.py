"""A pack that is meant to hurt is refused in under a second and within 50 MB above the idle process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmosync.errors import Misconfigured
from pmosync.standards import load_packs
from pmosync.standards.pack import LARGEST_BYTES, MOST_ENTRIES, MOST_STANDARDS

MEMORY_MB = 50
CPU_S = 1.0
STANDARD = """\
  - id: {id}
    title: Late
    subject: task
    severity: high
    when: {when}
    why: It is late.
    fix: Finish it.
    serves: monitoring
    phase: execution
    examples:
      fail: [{{status: todo}}]
      pass: [{{status: done}}]
"""
HEAD = "pack: a\ntoday: 2026-11-20\nstandards:\n"


def one(when: str) -> str:
    """A pack of one standard with this predicate."""
    return HEAD + STANDARD.format(id="ACME1", when=when)


def lines(text: str, width: int = 15_000) -> str:
    """The text folded into a YAML scalar of lines that are short enough."""
    return ">\n" + "\n".join("      " + text[at : at + width] for at in range(0, len(text), width))


def packs() -> Iterator[tuple[str, str, str]]:
    """Name, text, and what the message says."""
    brackets = "(" * 100_000
    yield "nested brackets in a predicate", one(brackets), "a line of 100,010 characters"
    yield "nested brackets over many lines", one(lines(brackets)), "100,007 characters, more than 4,000"
    yield "nested brackets of a short predicate", one("(" * 3_900), "nested deeper than 12 levels"
    yield "nested NOTs", one("NOT " * 900 + "in_cycle = TRUE"), "nested deeper than 12 levels"
    yield "nested lists on one line", "pack: " + "[" * 100_000, "a line of 100,006 characters"
    yield "nested lists on a short line", "pack: " + "[" * 15_000, "nested deeper than 40 levels"
    yield "nested maps on a short line", "pack: " + "{a: " * 4_000, "nested deeper than 40 levels"
    yield "nested lists line by line", "pack:\n" + " [\n" * 7_000, "nested deeper than 40 levels"
    yield "nested blocks", "".join(" " * n + "a:\n" for n in range(450)), "nested deeper than 40 levels"
    yield "nested dashes", "- " * 9_000 + "a", "nested deeper than 40 levels"
    yield "a long number", one("children > " + "9" * 3_900), "more than 12 digits"
    yield (
        "a huge number",
        HEAD + STANDARD.format(id="ACME1", when="children > 1") + f"    version: {'9' * 39}\n",
        "version",
    )
    yield "a million options", one("status IN (" + "todo, " * 1_000_000 + "todo)"), "larger than 120 kB"
    yield "many options on one line", one("status IN (" + "todo, " * 15_000 + "todo)"), "a line of"
    yield "many options", one(lines("status IN (" + "todo, " * 5_000 + "todo)")), "more than 4,000"
    yield "a list without end", "pack: [" + "a,\n" * 30_000 + "a]", "more than 8,000 lines, commas and colons"
    yield "a list as long as may be", "pack: [" + "a,\n" * (MOST_ENTRIES // 2 - 1) + "a]", "should be a valid string"
    yield "keys as many as may be", "".join(f"k{n}: 1\n" for n in range(MOST_ENTRIES // 2 - 1)), "the first 50 mistakes"
    yield "too many standards", HEAD + "  - {id: A}\n" * 3_000, "3,000 standards in one pack, more than 150"
    yield "wrong standards", HEAD + "  - {id: A}\n" * MOST_STANDARDS, "the first 50 mistakes"
    yield "wrong examples", one("status = todo") + "      unknown:\n" + "        - 1\n" * 6_000, "the first 50 mistakes"
    options = " OR ".join(["status = todo AND title ~ 'a'"] * 100)
    many = "".join(STANDARD.format(id=f"A{n}X", when=options) for n in range(100, 112))
    yield (
        "long predicates, the last one wrong",
        HEAD + many + STANDARD.format(id="B12", when="status = x"),
        "'x' is not",
    )
    yield "long predicates, all wrong", HEAD + many.replace("'a'\n", "b\n"), "12 mistakes"
    yield "long predicates, too many", HEAD + many + many, "more than 40,000"
    yield "an alias bomb", "a: &a [x]\n" + "".join(f"b{n}: [*a, *a]\n" for n in range(99)), "anchors (&) and aliases"
    yield "an alias that is never named", "a: *b\n", "anchors (&) and aliases"
    yield "a tag", "a: !!python/object:os.system {}\n", "tags are not accepted"
    yield "a merge", "a: {<<: {b: 1}}\n", "missing"
    yield "an endless text", 'pack: "' + "\\n" * 9_000 + "\n" + "x" * 15_000, "not valid YAML"
    yield "an endless key", "k" * 19_000 + ": 1\n", "not valid YAML"
    yield "only blanks", (" " * 9_000 + "\n") * 12, "the file is empty"
    yield "a folded novel", "pack: >\n" + "  word word\n" * 7_900, "missing"


PACKS = [pytest.param(text, said, id=name) for name, text, said in packs()]


@pytest.mark.parametrize(("text", "said"), PACKS)
def test_a_hostile_pack_is_refused_with_one_short_message_and_a_place(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(text)
    with pytest.raises(Misconfigured) as caught:
        load_packs(["./acme.yaml"], tmp_path)
    told = str(caught.value)
    assert said in told
    assert "acme.yaml:" in told
    assert len(told) < 40_000
    assert max(map(len, told.splitlines())) < 400


MEASURE = r"""
import json, re, sys, time
from pathlib import Path
from pmosync.errors import Misconfigured
from pmosync.standards import load_packs
def most_kb():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
load_packs(["starter"], Path())
idle_kb = most_kb()
began_s = time.process_time()
try:
    load_packs([sys.argv[1]], Path())
    refused = False
except Misconfigured as error:
    refused = bool(str(error))
taken_s = time.process_time() - began_s
more_kb = most_kb() - idle_kb
print(json.dumps({"refused": refused, "cpu_s": taken_s, "memory_mb": more_kb / 1024}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize(("text", "said"), PACKS)
def test_a_hostile_pack_costs_less_than_a_second_and_fifty_megabytes(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(text)
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    assert measured["refused"]
    assert measured["cpu_s"] < CPU_S, measured
    assert measured["memory_mb"] < MEMORY_MB, measured


def test_a_pack_as_large_as_may_be_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path, text = tmp_path / "acme.yaml", one("status = todo")
    path.write_text(text + "#" * 15_000 + ("\n#" + "x" * 15_000) * 6)
    rest = LARGEST_BYTES - path.stat().st_size
    path.write_text(path.read_text() + "\n" + "#" * (rest - 1))
    assert path.stat().st_size == LARGEST_BYTES
    assert len(load_packs(["./acme.yaml"], tmp_path)) == 1
    path.write_text(path.read_text() + "#")
    with pytest.raises(Misconfigured, match="larger than 120 kB"):
        load_packs(["./acme.yaml"], tmp_path)
