"""What the language accepts, and what it says to people who write something else."""

from __future__ import annotations

import random
import time

import pytest

from pmosync.standards import Mistake, parse_predicate, underlined
from pmosync.standards.syntax import And, Arithmetic, Comparison, Constant, DayOf, FieldRef, Kind


def refused(text: str, subject: str = "task") -> Mistake:
    with pytest.raises(Mistake) as caught:
        parse_predicate(text, subject)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "status not in (done, cancelled) and assignee is empty",
        "(due_on - start_on) * 2 > 3d OR ((due_on)) < today()",
        "NOT NOT in_cycle = TRUE",
        "estimate_h>-5 AND-estimate_h<5",
        "created_at BETWEEN 2026-01-01 AND today()",
        "coalesce(created_at, due_on) < today() - 1w",
        "coalesce(status, todo) IN (todo, blocked)",
        "resolution IN ('Fixed', \"Won't fix\")",
        "(today() - due_on) / 7d > 2",
        "5 < due_on - start_on",
        "assignee_active = in_cycle",
    ],
)
def test_well_formed_predicates_are_understood(text: str) -> None:
    assert parse_predicate(text, "task").fields


def test_an_instant_compared_with_a_date_is_its_local_day() -> None:
    tree = parse_predicate("created_at >= 2026-11-20", "task").tree
    assert tree == Comparison(">=", DayOf("created_at"), Constant(Kind.DATE, 20777))


def test_between_includes_both_ends_and_a_week_is_seven_days() -> None:
    tree = parse_predicate("due_on - start_on BETWEEN 1d AND 2w", "task").tree
    length = Arithmetic(Kind.DAYS, "-", FieldRef("due_on", Kind.DATE), FieldRef("start_on", Kind.DATE))
    ends = (Comparison(">=", length, Constant(Kind.DAYS, 1)), Comparison("<=", length, Constant(Kind.DAYS, 14)))
    assert tree == And(ends)


def test_not_binds_before_and_before_or_and_products_before_sums() -> None:
    spoken = parse_predicate("NOT in_cycle = TRUE AND children = 1 OR children - 2 - 3 * 4 < 5", "task")
    meant = parse_predicate("((NOT (in_cycle = TRUE)) AND (children = 1)) OR (((children - 2) - (3 * 4)) < 5)", "task")
    assert spoken.tree == meant.tree


def test_the_text_of_a_predicate_is_the_same_however_it_was_typed() -> None:
    texts = ("status IN (done,cancelled)", "  status   IN\n( done , cancelled )")
    assert len({parse_predicate(text, "task").text for text in texts}) == 1


@pytest.mark.parametrize(
    ("text", "at", "what", "hint"),
    [
        ("asignee IS EMPTY", "asignee", "unknown field", "did you mean 'assignee'?"),
        ("status = tood", "tood", "not an option of status", "did you mean 'todo'?"),
        ("status IN (todo, In_progress)", "In_progress", "not an option", "did you mean 'in_progress'?"),
        ("status = $status", "$status", "not an option of status", "todo"),
        ("coalesce(priority, hihg) = low", "hihg", "not an option of priority", "did you mean 'high'?"),
        ("lead IS EMPTY", "lead", "belongs to a project", "about a task"),
        ("done = status", "done", "right of their field", "status = done"),
        ("status = done && in_cycle = TRUE", "&&", "unexpected", "write AND"),
        ("status = done || in_cycle = TRUE", "||", "unexpected", "write OR"),
        ("status == done", "==", "unexpected", "write ="),
        ("status <> done", "<>", "unexpected", "write !="),
        ("children => 3", "=>", "unexpected", "write >="),
        ("!(status = done)", "!", "unexpected", "write NOT"),
        ("children ≥ 3", "≥", "unexpected", "write >="),
        ("title ~ “tbd”", "“", "unexpected", "straight quotes"),
        ("status IN [todo]", "[", "unexpected", "round brackets"),
        ("status IN (todo; done)", ";", "unexpected", "comma"),
        ("children > 5%", "%", "unexpected", "0.05"),
        ("assignee IS NULL", "NULL", "unexpected", "IS EMPTY"),
        ("assignee IS NOT NULL", "NULL", "unexpected", "IS EMPTY"),
        ("assignee = EMPTY", "EMPTY", "not a value", "IS EMPTY"),
        ("assignee = null", "null", "not a value", "IS EMPTY"),
        ("status = null", "null", "not a value", "status IS EMPTY"),
        ("status IN (todo, EMPTY)", "EMPTY", "in a list", "OR"),
        ("due_on IS today()", "today", "only whether a field is empty", "compare with ="),
        ("today() IS EMPTY", "today()", "asks about a field", "name one field"),
        ("assignee = currentUser()", "currentUser", "unknown function", "whoever looks"),
        ("due_on < now()", "now", "unknown function", "today()"),
        ("due_on < TODAY()", "TODAY", "unknown function", "write today()"),
        ("created_at < -3d", "-3d", "no day to count from", "today() - 3d"),
        ("due_on < today() - 3", "today() - 3", "does not fit", "today() - 3d"),
        ("due_on + due_on > today()", "due_on + due_on", "does not fit", "only be subtracted"),
        ("due_on < '2026-12-31'", "'2026-12-31'", "a date cannot be compared with a text", "without quotes"),
        ("due_on < 2026-13-45", "2026-13-45", "there is no day", "check the month"),
        ("due_on < 31.12.2026", "31.12.2026", "not a date", "2026-12-31"),
        ("due_on < 12/31/2026", "12/31/2026", "a date cannot be compared with a number", "2026-12-31"),
        ("estimate_h > 'x'", "'x'", "a number cannot be compared with a text", "without quotes"),
        ("workdays_late > 3d", "3d", "a number cannot be compared with a duration", "plain number"),
        ("estimate_h > 3h", "3h", "not a duration", "3d, 2w"),
        ("start_on < today() - 1.5d", "1.5d", "not a duration", "3d, 2w"),
        ("estimate_h > 0,5", ",", "unexpected", "0.95"),
        ("estimate_h > 1234567890123", "1234567890123", "more than 12 digits", "smaller"),
        ("priority >= high", "priority >= high", "has no order", "IN (...)"),
        ("title > 'a'", "title > 'a'", "has no order", "= or !="),
        ("assignee = 'ana'", "'ana'", "a person cannot be compared", "IS EMPTY"),
        ("assignee IN (assignee)", "assignee", "has no list", "IS EMPTY"),
        ("in_cycle = yes", "yes", "not a value", "TRUE or FALSE"),
        ("in_cycle = 1", "1", "a yes/no cannot be compared with a number", "TRUE"),
        ("in_cycle AND status = done", "in_cycle", "not a condition", "in_cycle = TRUE"),
        ("status = in progress", "in", "unexpected", "one word: in_progress"),
        ("status = in-progress", "in", "unexpected", "one word: in_progress"),
        ("status = 'In Progress'", "'In Progress'", "without quotes", "did you mean 'in_progress'?"),
        ("status IN todo", "todo", "a list in brackets", "IN (todo, blocked)"),
        ("children NOT BETWEEN 1 AND 2", "BETWEEN", "after NOT", "NOT estimate_h BETWEEN"),
        ("1 < children < 5", "<", "cannot be chained", "BETWEEN"),
        ("AND(status = done)", "AND", "unexpected", "a AND b"),
        ("status = done AND OR in_cycle = TRUE", "OR", "a condition is missing", "add the condition"),
        ("status = done AND", "AND", "ends too early", "comes next"),
        ("status WAS done", "WAS", "unexpected", "history"),
        ("status = done ORDER BY due_on", "ORDER", "unexpected", "no order"),
        ("title LIKE '%x%'", "LIKE", "unexpected", "title ~"),
        ("title ~ '*tbd*'", "'*tbd*'", "as it stands", "leave out *"),
        ("title ~ tbd", "tbd", "text in quotes", "title ~ 'word'"),
        ("children ~ '3'", "children", "looks into texts", "use ="),
        ("title = ''", "''", "same as no text", "IS EMPTY"),
        ("title ~ 'x", "'x", "never ends", "close it"),
        ("(status = done", "(", "never closed", "closing bracket"),
        ("status = done)", ")", "never opened", "remove"),
        ("length(children) > 3", "length(children)", "takes one text", "length(title)"),
        ("coalesce(due_on) > today()", "coalesce(due_on)", "two values", "coalesce(start_on, due_on)"),
        ("today(3) > due_on", "today(3)", "takes nothing", "today() - 3d"),
        ("children > (status = done)", "status = done", "a value is needed", "AND or OR"),
        ("today() > 2026-01-01", "today() > 2026-01-01", "no field is read", "name a field"),
        ("children > $grace", "$grace", "unknown parameter", "params"),
        ("  ", " ", "empty", "write a condition"),
        ("children ? 3", "?", "unexpected", "not part of the language"),
    ],
)
def test_every_usual_mistake_is_told_with_its_place_and_the_spelling_to_use(
    text: str, at: str, what: str, hint: str
) -> None:
    mistake = refused(text)
    assert (text[mistake.start : mistake.end] or " ") == at
    assert what in mistake.what
    assert hint in mistake.hint


def test_the_second_of_two_chained_comparisons_is_the_one_that_is_marked() -> None:
    text = "1 < children < 5"
    assert underlined(text, refused(text)).splitlines()[1].endswith("|              ^")


def test_a_mistake_in_a_text_of_many_lines_is_shown_in_its_own_line() -> None:
    text = "status = done\nAND tilte ~ 'x'"
    assert underlined(text, refused(text)) == "  2 | AND tilte ~ 'x'\n    |     ^^^^^"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_990 + "in_cycle = TRUE" + ")" * 1_990,
        "NOT " * 990 + "in_cycle = TRUE",
        "children > " + "+".join(["1"] * 1_900),
        "children > " + "1-(" * 900 + "1" + ")" * 900,
        "(" * 4_000,
    ],
)
def test_what_is_nested_too_deep_is_refused_before_it_is_parsed(text: str) -> None:
    began = time.perf_counter()
    assert "nested deeper than 12" in refused(text).what
    assert time.perf_counter() - began < 0.5


def test_what_is_too_long_is_refused_whatever_it_says() -> None:
    assert "4,001 characters" in refused("x" * 4_001).what


def test_garbled_predicates_are_refused_with_a_place_or_understood_and_never_break_the_reader() -> None:
    dice = random.Random(5)
    sentences = [
        "status NOT IN ( done , cancelled ) AND due_on < today() - 3d",
        "coalesce( priority , low ) != high OR title ~ 'x' AND length( title ) > 3",
        "( due_on - start_on ) / 2d BETWEEN 1 AND - 5 OR in_cycle = TRUE",
        "created_at IN ( 2026-01-01 , due_on ) AND NOT assignee IS EMPTY",
    ]
    words = {word for sentence in sentences for word in sentence.split()} | {"$x", "2026-02-30", "''", ";", "in"}
    understood, mistakes = 0, []
    for _ in range(1_500):
        pieces = dice.choice(sentences).split()
        at = dice.randrange(len(pieces))
        like = sorted(word for word in words if word[0].isalpha() == pieces[at][0].isalpha() or dice.random() < 0.1)
        pieces[at : at + dice.choice((0, 1, 1, 1, 2))] = [dice.choice(like)]
        text = " ".join(pieces)
        try:
            understood += bool(parse_predicate(text, "task").fields)
        except Mistake as mistake:
            mistakes.append((text, mistake))
    assert 50 < understood < 750
    for text, mistake in mistakes:
        assert 0 <= mistake.start < mistake.end
        assert mistake.hint
        assert "^" in underlined(text, mistake)
