"""The shipped examples agree with the SQL, and are sharp enough to notice when a threshold moves by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pmosync.judge.examples import run_examples
from pmosync.standards import Param, Standard, load_packs, parse_predicate

SHIPPED = load_packs(["full"], Path())


def disagreeing(standard: Standard) -> list[str]:
    return [f"{result.place}: {result.kind}" for result in run_examples([standard]) if not result.agrees]


def with_value(standard: Standard, param: Param, value: float) -> Standard:
    values = {
        one.name: replace(one, default=value if one is param else one.default) for one in standard.params.values()
    }
    constants = {name: one.constant for name, one in values.items()}
    return replace(standard, params=values, when=parse_predicate(standard.when.text, standard.subject, constants))


def test_every_example_of_the_shipped_packs_gives_the_answer_it_promises() -> None:
    results = run_examples(SHIPPED)
    assert [result for result in results if not result.agrees] == []
    assert {result.standard for result in results} == {standard.id for standard in SHIPPED}
    assert {result.got for result in results} == {"fail", "pass", "unknown", "out_of_scope"}


@pytest.mark.parametrize(
    ("standard", "param"),
    [(standard, param) for standard in SHIPPED for param in standard.params.values()],
    ids=lambda value: value.id if isinstance(value, Standard) else value.name,
)
@pytest.mark.parametrize("steps", [-1, 1])
def test_the_examples_stand_at_the_edge_of_each_threshold(standard: Standard, param: Param, steps: int) -> None:
    step = 0.0001 if param.max <= 1 else 1
    assert disagreeing(with_value(standard, param, param.default + steps * step)), (
        f"{standard.id}: no example notices ${param.name} = {param.default + steps * step:g}"
    )


def test_an_example_that_promises_the_wrong_answer_is_reported_with_its_place(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "src/pmosync/standards/packs/starter.yaml").read_text()
    text = text.replace("- {start_on: 2026-12-02, due_on: 2026-12-01}", "- {start_on: 2026-12-01, due_on: 2026-12-01}")
    (tmp_path / "wrong.yaml").write_text(text)
    (wrong,) = [result for result in run_examples(load_packs(["wrong.yaml"], tmp_path)) if not result.agrees]
    assert (wrong.standard, wrong.expected, wrong.got, wrong.index) == ("SCH204", "fail", "pass", 0)
    line = text.splitlines().index("        - {start_on: 2026-12-01, due_on: 2026-12-01}") + 1
    assert f"wrong.yaml:{line}:" in wrong.place
