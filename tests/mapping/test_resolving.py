from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from pmosync.contract import Capabilities, Catalog, Extra, FieldInfo, SlotKind
from pmosync.errors import Misconfigured
from pmosync.mapping import SiteMapping, check, load, read_lock, resolve, with_pins, write_lock

Write = Callable[[str], Path]
HEAD = "site: acme\ntask:\n  title: summary\n  status: [{default: todo}]\n"
SLOTS = Capabilities(
    slots=(
        SlotKind("property", "task", "json", 100),
        SlotKind("label", "task", "word", 0),
        SlotKind("choice", "task", "word", 0, instead_of="property"),
        SlotKind("property", "project", "json", 100),
        SlotKind("page", "rollup", "page", 100, levels=("program",)),
    ),
    query=True,
    reads=("history", "worklogs"),
)


def refused(mapping: SiteMapping, catalog: Catalog) -> str:
    with pytest.raises(Misconfigured) as caught:
        resolve(mapping, catalog)
    return str(caught.value)


def told(write: Write, catalog: Catalog, text: str, capabilities: Capabilities = SLOTS) -> list[str]:
    return [str(error) for error in check(load(write(text), None), catalog, capabilities)]


def test_names_become_ids_and_ids_stay(mapping: SiteMapping) -> None:
    assert mapping.unresolved == ()
    assert mapping.pins["task/Start date"] == "customfield_1"
    assert mapping.pins["task/custom/Estimated time"] == "customfield_3"
    assert mapping.pins["task/duedate"] == "duedate"
    assert mapping.pins["link/Blocks"] == "10000"
    assert "customfield_1" in mapping.task_fields()
    assert "created" in mapping.task_fields()
    assert "created_at" not in mapping.task_fields()


def test_the_pins_of_the_lock_make_a_catalog_unnecessary(mapping: SiteMapping, tmp_path: Path) -> None:
    lock = tmp_path / "acme-jira.lock.yaml"
    write_lock(lock, mapping.pins)
    again = load(mapping.path, lock)
    assert again.unresolved == ()
    assert again == mapping
    assert again.hash == mapping.hash


def test_a_field_that_was_renamed_in_the_tool_keeps_its_pin(mapping: SiteMapping, catalog: Catalog) -> None:
    fields = tuple(replace(f, name="Beginn") if f.name == "Start date" else f for f in catalog.fields)
    assert resolve(mapping, replace(catalog, fields=fields)).hash == mapping.hash


def test_a_pin_to_a_field_that_is_gone_is_told_with_the_next_step(mapping: SiteMapping, catalog: Catalog) -> None:
    fields = tuple(f for f in catalog.fields if f.id != "customfield_1")
    message = refused(mapping, replace(catalog, fields=fields))
    assert "pinned to customfield_1, which the site no longer has" in message
    assert "task/Start date" in message


def test_a_name_that_the_lock_does_not_know_is_unresolved(mapping: SiteMapping, tmp_path: Path, write: Write) -> None:
    lock = tmp_path / "l.yaml"
    write_lock(lock, mapping.pins)
    changed = load(write(mapping.path.read_text().replace("assignee: assignee", "assignee: Owner")), lock)
    assert changed.unresolved == ("task/Owner",)


def test_an_ambiguous_name_is_refused_with_its_candidates(write: Write, catalog: Catalog) -> None:
    message = refused(load(write(HEAD + "  estimate: points\n"), None), catalog)
    assert "mapping.yaml:5:13: 2 fields are called 'points'" in message
    assert "customfield_4, customfield_5" in message


def test_all_unknown_fields_are_told_at_once_with_the_nearest_name(write: Write, catalog: Catalog) -> None:
    text = HEAD + "  due_on: [duedat, 'Relaese']\n  spent: {custom: Summary}\nlinks: {blocks: {type: Block}}\n"
    message = refused(load(write(text), None), catalog)
    assert "4 mistakes" in message
    assert "mapping.yaml:5:12: acme has no field 'duedat'" in message
    assert "did you mean 'duedate'?" in message
    assert "did you mean 'Release'?" in message
    assert "no custom field 'Summary'" in message
    assert "mapping.yaml:7:24: acme has no link type 'Block'" in message


def test_a_project_field_is_no_task_field(write: Write, catalog: Catalog) -> None:
    assert "has no field 'lead' on tasks" in refused(load(write(HEAD + "  assignee: lead\n"), None), catalog)


def test_two_link_types_of_one_name_are_refused_with_their_ids(mapping: SiteMapping, catalog: Catalog) -> None:
    twice = replace(catalog, link_types=(*catalog.link_types, replace(catalog.link_types[0], id="10009")))
    message = refused(load(mapping.path, None), twice)
    assert "2 link types are called 'Blocks'" in message
    assert "10000 (blocks), 10009 (blocks)" in message


def test_of_two_names_that_differ_in_case_only_the_one_that_is_spelt_so_is_meant(
    mapping: SiteMapping, catalog: Catalog
) -> None:
    alike = replace(catalog, link_types=(replace(catalog.link_types[0], id="9", name="blocks"), *catalog.link_types))
    assert resolve(load(mapping.path, None), alike).pins["link/Blocks"] == "10000"


def test_a_mapping_that_fits_has_nothing_to_tell(write: Write, catalog: Catalog) -> None:
    text = (
        HEAD.replace(
            "[{default: todo}]", "[{field: status, values: {done: ['4'], todo: category=New}}, {default: report}]"
        )
        + "  priority: priority\n  due_on: 'Due date'\nscope: {projects: [pay, '10002'], query: a = b}\n"
        + "project: {reported_health: [{field: status, values: {green: [on_track]}}, {default: report}]}\n"
        + "write: {task: [property, label, choice], project: [property, page]}\n"
    )
    assert told(write, catalog, text) == []


@pytest.mark.parametrize(
    ("text", "place", "says", "hint"),
    [
        ("  due_on: customfield_4\n", ":5:11", "kind number; due_on needs date, instant or list", "planned finish"),
        ("  assignee: status\n", ":5:13", "kind choice; assignee needs person or list", "accountable"),
        ("  created_at: duedate\n", ":5:15", "kind date; created_at needs instant", "entered"),
        ("links: {blocks: summary}\n", ":5:17", "holds no links", "lists the links"),
        ("  priority: {field: priority, values: {high: [Hihg]}}\n", ":5:47", "no option 'Hihg'", "'High'"),
        ("  priority: {field: status, values: {high: category=doen}}\n", ":5:44", "category 'doen'", "'done'"),
        ("  priority: {field: priority, values: {high: true}}\n", ":5:46", "no yes/no field", "quote"),
        ("  priority: {field: Approved, values: {high: [y]}}\n", ":5:47", "is a yes/no field", "true or false"),
        ("  type: status\n", ":5:9", "called like an option of type", "values"),
        ("scope: {projects: [PYA]}\n", ":5:20", "PMO bot sees no project 'PYA'", "'PAY'"),
        ("write: {project: [status_update]}\n", ":5:19", "there is no place 'status_update'", "writes: property, page"),
        (
            "project: {reported_health: {field: status, values: {red: [of_track]}}}\n",
            ":5:59",
            "'of_track'",
            "'off_track'",
        ),
        ("project: {reported_health: lead}\n", ":5:28", "kind person; reported_health needs choice", "its manager"),
        ("write: {task: [label, choice]}\n", ":5:23", "only where 'property' may not be", "[property, choice]"),
        ("write: {task: [page]}\n", ":5:16", "no place 'page' on a task", "property, label"),
        ("write: {task: [lable]}\n", ":5:16", "no place 'lable' on a task", "'label'"),
        ("read: [history, comments]\n", ":5:17", "this connector cannot read comments", "it reads: history, worklogs"),
    ],
)
def test_what_cannot_work_on_this_site_is_told_with_line_and_hint(
    write: Write, catalog: Catalog, text: str, place: str, says: str, hint: str
) -> None:
    (message,) = told(write, catalog, HEAD + text)
    assert f"mapping.yaml{place}: " in message
    assert says in message
    assert hint in message


def test_a_query_is_refused_where_the_tool_has_none(write: Write, catalog: Catalog) -> None:
    (message,) = told(write, catalog, HEAD + "scope: {query: a = b}\n", replace(SLOTS, query=False))
    assert "cannot filter" in message


def test_what_no_connector_reads_is_refused_with_what_to_do(write: Write, catalog: Catalog) -> None:
    (message,) = told(write, catalog, HEAD + "read: worklogs\n", replace(SLOTS, reads=()))
    assert "mapping.yaml:5:7: this connector cannot read the time booked on tasks" in message
    assert "remove it" in message
    assert told(write, catalog, HEAD + "read: [worklogs, history]\n") == []


def test_a_check_tells_fields_options_projects_and_slots_together(write: Write, catalog: Catalog) -> None:
    text = HEAD + "  due_on: nowhere\n  priority: {field: priority, values: {high: [x]}}\n"
    text += "scope: {projects: [X]}\nwrite: {task: [comment]}\n"
    assert len(told(write, catalog, text)) == 4


def test_a_field_without_known_options_takes_any_name(write: Write, catalog: Catalog) -> None:
    open_field = replace(catalog, fields=(*catalog.fields, FieldInfo("team", "Team", "choice", custom=True)))
    assert told(write, open_field, HEAD + "  type: {field: team, values: {task: [Anything]}}\n") == []


def test_a_lock_file_is_sorted_stable_and_says_what_it_is(tmp_path: Path) -> None:
    lock = tmp_path / "acme.lock.yaml"
    write_lock(lock, {"task/Start date": "customfield_1", "flag": "1201"})
    text = lock.read_text()
    assert text.startswith("# What pmosync looked up")
    assert text.index("flag") < text.index("task/Start date")
    before = lock.stat().st_mtime_ns
    write_lock(lock, {"flag": "1201", "task/Start date": "customfield_1"})
    assert lock.stat().st_mtime_ns == before
    assert read_lock(lock) == {"flag": "1201", "task/Start date": "customfield_1"}
    assert [path.name for path in tmp_path.iterdir()] == ["acme.lock.yaml"]


def test_a_lock_that_does_not_exist_yet_has_no_pins_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "acme.lock.yaml"
    assert read_lock(lock) == {}
    write_lock(lock, {})
    assert read_lock(lock) == {}
    lock.write_text("a: [1]\nb: 2\n")
    with pytest.raises(Misconfigured, match="'a' has no id"):
        read_lock(lock)


def test_pins_of_a_connector_are_kept_and_do_not_make_anything_read_again(
    mapping: SiteMapping, catalog: Catalog
) -> None:
    more = with_pins(mapping, {"flag_field": "1201"})
    assert more.hash == mapping.hash
    assert resolve(more, catalog).pins["flag_field"] == "1201"


def test_what_only_comes_when_it_is_read_is_refused_without_that_and_a_custom_field_is_not(
    write: Write, catalog: Catalog
) -> None:
    fields = (
        FieldInfo("budget_time", "Time budget", "duration", subject="project"),
        FieldInfo("goals", "Goals", "list", subject="project"),
        FieldInfo("88", "Budget", "number", subject="project", custom=True),
        FieldInfo("89", "Effort", "duration", subject="project", custom=True),
    )
    catalog = replace(catalog, fields=catalog.fields + fields)
    can = replace(SLOTS, reads=("budgets", "allocations", "goals"))
    native = HEAD + "project: {goals: goals, budget_h: budget_time}\n"
    wrong = told(write, catalog, native, can)
    assert len(wrong) == 2
    assert "goals is not brought: the mapping does not read the goals that projects serve" in wrong[0]
    assert "→ add read: [goals] at the top level" in wrong[0]
    assert "add read: [budgets]" in wrong[1]
    assert told(write, catalog, native + "read: [budgets, goals]\n", can) == []
    assert told(write, catalog, HEAD + "project: {budget_cost: {custom: Budget}, budget_h: Effort}\n", can) == []
    (message,) = told(write, catalog, HEAD + "project: {budget_cost: {custom: Effort}}\n", can)
    assert "budget_cost needs number or list" in message


@pytest.mark.parametrize("name", get_args(Extra))
def test_what_a_connector_does_not_bring_is_refused_with_line_and_next_step(
    write: Write, catalog: Catalog, name: Extra
) -> None:
    (message,) = told(write, catalog, HEAD + f"read: [{name}]\n", replace(SLOTS, reads=()))
    assert "mapping.yaml:5:8: this connector cannot read " in message
    assert "→ remove it" in message
    assert told(write, catalog, HEAD + f"read: [{name}]\n", replace(SLOTS, reads=(name,))) == []
