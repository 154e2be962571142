"""The manual of the language tells the truth: examples are accepted, messages are the ones printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pmosync.errors import Misconfigured
from pmosync.judge.examples import run_examples
from pmosync.standards import load_packs, parse_predicate
from pmosync.standards.syntax import Constant, Kind

MANUAL = (Path(__file__).parents[2] / "docs" / "language.md").read_text()
(PACK,) = re.findall(r"```yaml\n(pack:.*?)```", MANUAL, re.DOTALL)
MISTAKES = re.findall(r"### \d+\. (.*?)\n\n```yaml\n(.*?)\n```\n\n```text\n(.*?)\n```", MANUAL, re.DOTALL)
EXAMPLES = re.findall(r"^\| (?:`(.*?)`|[^|`]+) \| `(.+?)` \|", MANUAL, re.MULTILINE)


@pytest.mark.parametrize("example", [example for _, example in EXAMPLES])
def test_every_example_of_the_manual_is_accepted(example: str) -> None:
    predicate = parse_predicate(example, "task", {"grace": Constant(Kind.DAYS, 3)})
    assert "".join(predicate.text.split()) == "".join(example.split())


def test_the_manual_shows_every_operator_and_every_function() -> None:
    shown = {operator for operator, _ in EXAMPLES if operator}
    assert shown >= {
        *("OR", "AND", "NOT", "=", "!=", "<", "<=", ">", ">=", "BETWEEN", "IN", "NOT IN", "IS EMPTY", "IS NOT EMPTY"),
        *("~", "!~", "+", "-", "*", "/", "today()", "coalesce(a, b)", "length(text)"),
    }


def test_the_standard_that_the_manual_shows_in_full_loads_and_its_examples_agree(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(PACK)
    results = run_examples(load_packs(["acme.yaml"], tmp_path))
    assert {result.kind: result.got for result in results} == {
        kind: kind for kind in ("fail", "pass", "unknown", "out_of_scope")
    }


def test_the_manual_shows_ten_mistakes() -> None:
    assert len(MISTAKES) == 10


@pytest.mark.parametrize(("when", "message"), [mistake[1:] for mistake in MISTAKES], ids=[one[0] for one in MISTAKES])
def test_each_typical_mistake_prints_exactly_the_message_of_the_manual(
    when: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("acme.yaml").write_text(re.sub(r"^    when: .*$", lambda _: when, PACK, flags=re.MULTILINE))
    with pytest.raises(Misconfigured) as caught:
        load_packs(["acme.yaml"], Path())
    assert str(caught.value) == message
