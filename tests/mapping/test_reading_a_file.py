from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pmosync.errors import Misconfigured
from pmosync.mapping import load
from pmosync.mapping.grammar import PROJECT_KEYS, TASK_KEYS

HEAD = "site: acme\ntask:\n  title: summary\n"
TOLD = f"{HEAD}  status: s\nproject: {{reported_health: "


def refused(path: Path) -> str:
    with pytest.raises(Misconfigured) as caught:
        load(path, None)
    return str(caught.value)


def test_the_examples_of_the_design_are_read(write: Callable[[str], Path]) -> None:
    mapping = load(
        write(
            """\
            site: acme-asana
            scope: {portfolios: ["1201"], projects: [1202]}
            project: {title: name, lead: owner, due_on: due_on}
            task:
              title: name
              due_on: [due_on, due_at]
              estimate: {custom: "Estimated time"}
              status:
                - {field: completed, values: {done: true}}
                - {field: {custom: Stage}, values: {blocked: [Waiting], in_progress: [Doing, Review]}}
                - {default: todo}
            links: {blocks: dependencies}
            write: {task: [field, text_field], project: [fields]}
            """
        ),
        None,
    )
    assert (mapping.site, mapping.portfolios, mapping.projects) == ("acme-asana", ("1201",), ("1202",))
    assert mapping.mapped == {"title", "due_on", "estimate_h", "status", "created_at"}
    assert mapping.mapped_links == {"blocks"}
    assert (mapping.write_task, mapping.write_project, mapping.mail) == (("field", "text_field"), ("fields",), "never")
    assert mapping.project_fields() == ("name", "owner", "due_on")


@pytest.mark.parametrize(
    ("text", "place", "says", "hint"),
    [
        ("stie: x\n" + HEAD + "  status: status\n", ":1:1", "unknown key 'stie'", "'site'"),
        (HEAD + "  status: status\n  asignee: a\n", ":5:3", "unknown key 'asignee'", "'assignee'"),
        (HEAD + "  status: status\n  estimate_h: a\n", ":5:3", "unknown key 'estimate_h'", "'estimate'"),
        (HEAD + "  status: {feld: status}\n", ":4:12", "unknown key 'feld'", "'field'"),
        (HEAD + "  status: {field: status, values: {blokced: [x]}}\n", ":4:36", "option 'blokced'", "'blocked'"),
        (HEAD + "  status: [{default: tood}]\n", ":4:22", "option 'tood'", "'todo'"),
        (HEAD + "  status:\n    - {default: todo}\n    - status\n", ":6:7", "no record gets this far", "move"),
        (
            HEAD + "  status: {field: s, values: {done: [A], todo: [a]}}\n",
            ":4:49",
            "'a' already stands for done",
            "one",
        ),
        (HEAD + "  status: {values: {done: [A]}}\n", ":4:11", "without a field", "field"),
        (HEAD + "  status: {field: s, values: {}}\n", ":4:30", "values say", "done"),
        (HEAD + "  status: {field: s, values: {done: [[a]]}}\n", ":4:38", "a name of the tool", "list"),
        (HEAD, ":2:1", "task.status is missing", "status"),
        ("site: acme\n", ":1:1", "task.title is missing", "title"),
        (HEAD + "  status: []\n", ":4:11", "empty list", "step"),
        (HEAD + "  status: s\n  due_on: []\n", ":5:11", "empty list", "name a field"),
        (HEAD + "  status: s\n  due_on: {costum: x}\n", ":5:11", "a field of the tool", "custom"),
        (TOLD + "{field: s, values: {gren: [A]}}}\n", ":5:48", "option 'gren'", "'green'"),
        (TOLD + "{field: s, values: {skip: [A]}}}\n", ":5:48", "option 'skip'", "known here: green, amber, red, empty"),
        (TOLD + "{default: skip}}\n", ":5:38", "option 'skip'", "green, amber, red, report, stop"),
        (HEAD + "  status: s\nwrite: {mail: maybe}\n", ":5:15", "unknown answer 'maybe'", "mail: never"),
        (HEAD + "  status: s\nlinks: {blocs: x}\n", ":5:9", "unknown key 'blocs'", "'blocks'"),
        (HEAD + "  status: s\nlinks: {blocks: {direction: outward}}\n", ":5:17", "without a type", "Blocks"),
        (HEAD + "  status: s\nlinks: {blocks: {type: B, direction: up}}\n", ":5:38", "direction 'up'", "inward"),
        (HEAD + "  status: s\nscope: {query: a = b order by c}\n", ":5:16", "order", "ORDER BY"),
        (HEAD + "  status: s\nscope: {projects: [A, A]}\n", ":5:23", "twice", "one"),
        (HEAD + "  status: s\nscope: {projects: [{a: b}]}\n", ":5:20", "lists names", "NAME"),
        ("task: {title: a, status: b}\n", ":1:1", "site is missing", "site"),
        ("site: a/b\ntask: {title: a, status: b}\n", ":1:7", "not a name", "letters"),
        ("- a\n", ":1:1", "list of keys", "key: value"),
        (HEAD + "  status: s\nread: [histroy]\n", ":5:8", "'histroy' cannot be read", "'history'"),
        (HEAD + "  status: s\nread: all\n", ":5:7", "'all' cannot be read", "history, worklogs, comments"),
        (HEAD + "  status: s\nread: [worklogs, worklogs]\n", ":5:18", "twice", "one"),
        (HEAD + "  status: s\nread: {history: true}\n", ":5:7", "read lists names", "NAME"),
        (HEAD + "  status: s\n  updated_at: updated\n", ":5:3", "updated_at needs the history", "read: [history]"),
        (
            HEAD + "  status: s\n  updated_at: updated\nread: [worklogs]\n",
            ":5:3",
            "updated_at needs the history",
            "read: [history]",
        ),
    ],
)
def test_what_the_grammar_does_not_know_is_refused_with_line_and_hint(
    write: Callable[[str], Path], text: str, place: str, says: str, hint: str
) -> None:
    message = refused(write(text))
    (told,) = [part for part in message.split("mapping.yaml") if says in part]
    assert told.startswith(place + ":")
    assert hint in told


def test_everything_wrong_is_told_at_once(write: Callable[[str], Path]) -> None:
    message = refused(write("site: acme\ntask:\n  titel: summary\n  status: [{default: tood}]\nwrit: {}\n"))
    assert "4 mistakes" in message
    for part in ("'titel'", "'tood'", "'writ'", "task.title is missing"):
        assert part in message


def test_only_what_decides_the_reading_moves_the_hash(write: Callable[[str], Path]) -> None:
    def digest(text: str) -> str:
        return load(write(text), None).hash

    one = digest(HEAD + "  status: status\n")
    assert digest("# a comment\n" + HEAD + "  status: status\nwrite: {task: [label]}\n") == one
    assert digest(HEAD + "  status: state\n") != one
    assert digest(HEAD + "  status: [{field: status, values: {done: [x]}}]\n") != one
    assert digest(HEAD + "  status: status\nscope: {projects: [PAY]}\n") != one


def test_the_order_of_fields_moves_the_hash_because_the_first_that_answers_wins(write: Callable[[str], Path]) -> None:
    one = load(write(HEAD + "  status: s\n  due_on: [a, b]\n"), None).hash
    assert load(write(HEAD + "  status: s\n  due_on: [b, a]\n"), None).hash != one


def test_what_is_read_beside_the_fields_decides_the_reading(write: Callable[[str], Path]) -> None:
    none = load(write(HEAD + "  status: status\n"), None)
    one = load(write(HEAD + "  status: status\nread: [history, worklogs]\n"), None)
    other = load(write(HEAD + "  status: status\nread: [worklogs, history]\n"), None)
    assert (none.reads, one.reads) == ((), ("history", "worklogs"))
    assert one.hash == other.hash != none.hash
    assert load(write(HEAD + "  status: status\nread: comments\n"), None).reads == ("comments",)


def test_the_history_is_asked_for_the_fields_behind_eight_fields_of_the_model(write: Callable[[str], Path]) -> None:
    text = HEAD + (
        "  due_on: [duedate, fixVersions.latest.releaseDate]\n"
        "  status: [{field: status, values: {blocked: [Hold]}}, {field: status}, {field: Flagged}]\n"
        "  assignee: assignee\n  resolution: resolution\n  priority: priority\n  updated_at: updated\n"
    )
    assert load(write(text + "read: [history]\n"), None).history_fields() == (
        "status",
        "Flagged",
        "duedate",
        "fixVersions.latest.releaseDate",
        "assignee",
        "priority",
    )
    plain = text.replace("  updated_at: updated\n", "")
    assert load(write(plain), None).history_fields() == ()
    assert load(write(plain + "read: [worklogs]\n"), None).history_fields() == ()


def test_what_was_not_asked_before_is_told_apart_from_what_was(write: Callable[[str], Path]) -> None:
    plain = load(write(HEAD + "  status: status\n"), None)
    more = load(write(HEAD + "  status: status\nread: [history, worklogs]\n"), None)
    assert set(plain.asked()) < set(more.asked())
    assert set(more.asked()) - set(plain.asked()) == {"moves of status", "history", "worklogs"}
    teams = load(write(HEAD + "  status: status\nproject: {team: team}\n"), None)
    assert set(teams.asked()) - set(plain.asked()) == {"team of projects"}


def test_a_unit_is_part_of_a_key_only_where_the_same_is_told_in_another_one(write: Callable[[str], Path]) -> None:
    assert {"estimate", "spent", "budget_h", "budget_used_h", "budget_cost", "budget_used_cost"} <= {
        *TASK_KEYS, *PROJECT_KEYS
    }  # fmt: skip
    assert not {"estimate_h", "budget", "budget_used"} & {*TASK_KEYS, *PROJECT_KEYS}
    with pytest.raises(Misconfigured, match="did you mean 'budget_h'"):
        load(write(HEAD + "  status: status\nproject: {budget_hours: x}\n"), None)
