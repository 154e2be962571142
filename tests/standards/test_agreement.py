"""SQL says what the language means: random predicates, read once more in plain Python, give the same three answers."""

from __future__ import annotations

import random
import re

import pytest
from sqlalchemy import Engine
from tests.standards import edges
from tests.standards.authors import Author
from tests.standards.postgres import programs
from tests.standards.reading import Rows, truth

from pmosync.model import FIELDS, Type
from pmosync.standards import compiler
from pmosync.standards.possible import outcomes

SEED = 20_261_120


@pytest.mark.timeout(300)  # it waits for a server, on a machine that may be busy
def test_two_thousand_random_predicates_give_the_same_three_answers_in_sql_and_in_plain_python(
    request: pytest.FixtureRequest,
) -> None:
    engines: list[Engine] = [edges.sqlite()]
    if programs():
        engines.append(request.getfixturevalue("postgresql"))
    told = edges.compare(engines, SEED, predicates=2_004, rows=400)  # as many for each kind of subject
    assert sum(told.values()) == 801_600
    assert min(told.values()) > 80_000, told


def test_a_disagreement_names_the_predicate_the_answers_and_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compiler._SIGNS, "<=", compiler._SIGNS["<"])
    with pytest.raises(AssertionError) as told:
        edges.compare([edges.sqlite()], SEED, predicates=100, rows=50)
    predicate, answers = str(told.value).split("\n")
    assert "<=" in predicate or "BETWEEN" in predicate
    said = re.match(r"sqlite says (\w+), the plain reading (\w+), of {'title': ", answers)
    assert said, answers
    assert said[1] != said[2]


def test_every_field_and_every_operator_of_the_language_is_asked_about() -> None:
    for subject, fields in FIELDS.items():
        author = Author(subject, random.Random(SEED))
        predicates = [author.predicate() for _ in range(600)]
        assert {name for each in predicates for name in each.fields} == set(fields)
        words = " ".join(each.text for each in predicates)
        for word in (
            "NOT IN",
            "BETWEEN",
            "IS EMPTY",
            "IS NOT EMPTY",
            "coalesce",
            "$few",
            "today",
            "/",
            "*",
            "!=",
            "<=",
        ):
            dated = any(field.type in (Type.DATE, Type.INSTANT) for field in fields.values())
            assert word in words or (word == "today" and not dated), (subject, word)


def test_what_cannot_happen_without_a_field_never_happens_on_rows_that_lack_it() -> None:
    words = {True: "true", False: "false", None: "unknown"}
    impossible = 0
    for subject in FIELDS:
        author, rows = Author(subject, random.Random(11)), edges.made(subject, 11, 24).rows
        for _ in range(150):
            tree = author.predicate().tree
            told = truth(tree, rows)
            for number in range(len(rows)):
                missing = _missing(rows, number)
                allowed = outcomes(tree, missing)
                impossible += "true" not in allowed
                assert words[told[number]] in allowed, (tree, missing)
    assert impossible > 300


def _missing(rows: Rows, number: int) -> frozenset[str]:
    return frozenset(name for name, provided in rows.provided.items() if not provided[number])
