"""Suggests the steps of a mapping that find an option: by the names of the tool's options, then by its categories.

What no step would read is told beside them; where a tool does not list its options, the field stands in a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pmosync.contract import Choice, FieldInfo
from pmosync.discovery import words
from pmosync.discovery.subject import CATEGORY, Subject, commented, said, text, unique
from pmosync.mapping.grammar import folded, own_name


def of_tasks(task: Subject) -> Iterator[str]:
    """Where work stands, what it is, and what is decided and known about it."""
    yield from _status(task)
    yield from _option(task, "type", words.TYPE_FIELDS, words.TYPE, words.TYPE_CATEGORIES)
    yield from _option(task, "priority", words.PRIORITY_FIELDS, words.PRIORITY, {})
    yield from phase(task)
    yield from _option(task, "decision", words.DECISION_FIELDS, words.DECISION, {})
    yield from _risk(task)


def health(project: Subject) -> Iterator[str]:
    """How its manager reports a project."""
    yield from _option(project, "reported_health", words.HEALTH_FIELDS, words.HEALTH, {})


def phase(subject: Subject) -> Iterator[str]:
    """Where a project stands in its life, or which part of that life a task is work of."""
    yield from _option(subject, "phase", words.PHASE_FIELDS, words.PHASE, {})


def _status(task: Subject) -> Iterator[str]:
    yield "  # where work stands; the first step that matches wins"
    steps: list[str] = []
    done = task.called("completed", ("yes/no",))
    if done:
        steps += [f"    - field: {task.ref(done[0])}", "      values: {done: true}"]
    lists = _lists(task, words.STATUS_FIELDS)
    if any(option.category for info in lists[:1] for option in info.options):
        lists = lists[:1]  # the tool itself says where every status stands
    known = {outcome: names for outcome, names in words.STATUS.items() if not (done and outcome == "done")}
    for info in lists:  # where a task can be completed, only that makes it done: a section called Done does not
        steps += _step(task, info, known, words.STATUS_CATEGORIES)
    yield "  status:"
    yield from steps
    yield "    - default: todo" if done else "    - default: report"


def _risk(task: Subject) -> Iterator[str]:
    """How likely a risk is and what it would cost; where no field says the one, a bare `Impact` may be of anything."""
    likely = any(len(task.called(name, ("choice",))) == 1 for name in words.PROBABILITY_FIELDS)
    impact = (*words.IMPACT_FIELDS, *words.IMPACT_BESIDE) if likely else words.IMPACT_FIELDS
    yield from _option(task, "risk_probability", words.PROBABILITY_FIELDS, words.PROBABILITY, {})
    yield from _option(task, "risk_impact", impact, words.IMPACT, {})


def _option(
    task: Subject,
    key: str,
    names: Sequence[str],
    known: Mapping[str, tuple[str, ...]],
    categories: Mapping[str, str],
) -> Iterator[str]:
    steps = [line for info in _lists(task, names)[:1] for line in _step(task, info, known, categories)]
    if any(not line.lstrip().startswith("#") for line in steps):
        yield f"  {key}:"
        yield from steps
        yield "    - default: report"
        return
    if not steps:
        unseen = [named[0] for name in names if len(named := task.called(name, ("choice",))) == 1]
        for info in [info for info in unseen if info.custom and not info.options][:1]:
            called = f"its options are not listed; if they are called {', '.join(task.keys[key].options)}"
            yield commented(f"  # {key}: {task.ref(info)}", f"{said(info.name)} ({info.kind}): {called}")
            return
    yield f"  # {key}: no list of the site has options that are called like it"
    yield from steps


def _lists(task: Subject, names: Sequence[str]) -> list[FieldInfo]:
    """Lists with options, without those that share their name: a person has to choose there."""
    found = [named[0] for name in names if len(named := task.called(name, ("choice",))) == 1]
    return [info for info in dict.fromkeys(found) if info.options]


def _step(
    task: Subject, info: FieldInfo, known: Mapping[str, tuple[str, ...]], categories: Mapping[str, str]
) -> Iterator[str]:
    """Steps for one list: options by their names, then by the tool's own category; the rest in a comment."""
    offered = {_category(option) for option in info.options}
    by_category = {outcome: each for outcome, each in categories.items() if each in offered}
    named = _named(info.options, known)
    if by_category:  # a name counts where it says more than the category
        named = {outcome: names for outcome, names in named.items() if outcome not in by_category}
    mapped = {option for options in named.values() for option in options}
    left = [
        option
        for option in unique(info.options)
        if option not in mapped and _category(option) not in by_category.values()
    ]
    if named:
        yield commented(f"    - field: {task.ref(info)}", f"{said(info.name)}: options by their names")
        yield "      values:"
        for outcome, options in named.items():
            yield f"        {outcome}: [{', '.join(text(option.name.strip()) for option in options)}]"
    if by_category:
        yield commented(f"    - field: {task.ref(info)}", f"{said(info.name)}: the tool's own categories")
        values = ", ".join(f"{outcome}: {CATEGORY}{each}" for outcome, each in by_category.items())
        yield f"      values: {{{values}}}"
    if left:
        names = ", ".join(said(option.name) for option in left)
        yield f"    # not mapped, {said(info.name)} ({info.id}): {names}"


def _named(options: Sequence[Choice], known: Mapping[str, tuple[str, ...]]) -> dict[str, list[Choice]]:
    named = {
        outcome: [option for option in unique(options) if own_name(option.name) in {own_name(name) for name in names}]
        for outcome, names in known.items()
    }
    return {outcome: options for outcome, options in named.items() if options}


def _category(option: Choice) -> str:
    return folded(option.category or "")
