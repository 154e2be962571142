"""Suggests a mapping from what a site offers: each line says why, and what fits nothing stands in a comment.

The suggestion loads and passes the check against the same catalog; a field whose name is shared, and an option whose
name says nothing, are left for a person: nothing is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pmosync.contract import Capabilities, Catalog, Choice, Connector, FieldInfo, SubjectKind
from pmosync.discovery import words
from pmosync.mapping.grammar import PROJECT_KEYS, TASK_KEYS, folded, own_name
from pmosync.mapping.resolving import places, readable
from pmosync.model import Type

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 _-]*[A-Za-z0-9])?")
_WORDS_OF_YAML = ("true", "false", "null", "yes", "no", "on", "off")
_CATEGORY = "category="
_COLUMN = 44
_MOST_PROJECTS, _MOST_NAMED = 200, 40
"""On one line, and with a line each."""


def discover(site: str, connector: Connector) -> str:
    """The text of a mapping for this site, ready to be read over by a person."""
    return suggest(site, connector.describe(), connector.capabilities)


def suggest(site: str, catalog: Catalog, capabilities: Capabilities) -> str:
    """The same from a catalog that was read before."""
    task, project = _Subject(catalog, "task"), _Subject(catalog, "project")
    lines = [
        f"# What the fields of {site} mean, suggested by pmosync from what the site offers. Read it over:",
        "# `pmosync mapping check` tells what does not fit.",
        f"site: {site}",
        "",
        *_scope(catalog, capabilities),
        *_read(task, capabilities),
        "",
        *_section("project", [*_plain(project, words.PROJECT), *_health(project), *_more(project, capabilities)]),
        "",
        *_section("task", [*_plain(task, words.TASK), *_status(task), *_type(task), *_priority(task)]),
        "",
        *_links(task, catalog),
        "",
        *_write(capabilities),
        "",
        *_unused(task, project),
    ]
    return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Subject:
    """The fields of tasks or of projects, and which of them the suggestion uses."""

    catalog: Catalog
    subject: SubjectKind
    used: set[str] = field(default_factory=set)

    @property
    def fields(self) -> list[FieldInfo]:
        return [info for info in self.catalog.fields if info.subject == self.subject]

    def called(self, name: str, kinds: Sequence[str]) -> list[FieldInfo]:
        """The field with this id, else those with this name; custom fields before built-in ones."""
        fields = [info for info in self.fields if info.kind in kinds]
        by_id = [info for info in fields if info.id == name]
        named = [info for info in fields if folded(info.name) == folded(name)]
        return by_id or [info for info in named if info.custom] or named

    def ref(self, info: FieldInfo) -> str:
        """How a mapping names this field: custom ones by name where only one is called so."""
        self.used.add(info.id)
        twins = [other for other in self.fields if other.custom and folded(other.name) == folded(info.name)]
        if info.custom and len(twins) == 1 and info.name.strip() and not self._is_id(info.name):
            return f"{{custom: {_text(info.name.strip())}}}"
        return _text(info.id)

    def _is_id(self, name: str) -> bool:
        return any(info.id == name.strip() for info in self.fields)


def _scope(catalog: Catalog, capabilities: Capabilities) -> Iterator[str]:
    yield "# Which projects are looked at. Nothing here: every project that the account sees."
    yield "scope: {}"
    yield from _listed("portfolios", [(one.id, one.name) for one in catalog.portfolios])
    open_projects = [project for project in catalog.projects if not project.archived]
    if all(project.key == project.id for project in open_projects):
        yield from _listed("projects", [(project.id, project.name) for project in open_projects])
    else:
        yield f"#  projects: [{', '.join(_text(project.key) for project in open_projects[:_MOST_PROJECTS])}]"
    if capabilities.query:
        yield '#  query: "the tool\'s own filter"'


def _listed(what: str, found: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What goes by numbers, with names for the person who chooses."""
    if found:
        yield f"#  {what}:"
    for number, name in found[:_MOST_NAMED]:
        yield _commented(f"#    - {_text(number)}", _said(name))
    if len(found) > _MOST_NAMED:
        yield f"#    # and {len(found) - _MOST_NAMED} more, which `pmosync discover --json` lists"


def _section(name: str, lines: Sequence[str]) -> Iterator[str]:
    if any(not line.lstrip().startswith("#") for line in lines):
        yield f"{name}:"
    else:
        yield f"# {name}: nothing that could be suggested"
    yield from lines


def _plain(subject: _Subject, wanted: Mapping[str, words.Groups]) -> Iterator[str]:
    keys = TASK_KEYS if subject.subject == "task" else PROJECT_KEYS
    for key, groups in wanted.items():
        kinds = readable(keys[key]) if keys[key].type is not Type.TEXT else ("text", "choice")
        found, ambiguous = _fields(subject, groups, kinds)
        if key == "estimate" and not found:
            durations = [info for info in subject.fields if info.custom and info.kind == "duration"]
            found = durations if len(durations) == 1 else []
        if ambiguous:
            yield f"  # {key}: {ambiguous}"
        elif not found:
            yield f"  # {key}: no field of the site is called like it ({keys[key].meaning})"
        else:
            refs = [subject.ref(info) for info in found]
            value = refs[0] if len(refs) == 1 else f"[{', '.join(refs)}]"
            why = ", ".join(f"{_said(info.name)} ({info.kind})" for info in found)
            yield _commented(f"  {key}: {value}", why)
        if key == "estimate":
            yield from _points(subject, found)


def _more(project: _Subject, capabilities: Capabilities) -> Iterator[str]:
    """What few tools hold of a project; what costs requests of its own stands in a comment."""
    missing: list[str] = []
    for key, groups in words.PROJECT_MORE.items():
        model = PROJECT_KEYS[key]
        found, _ = _fields(project, groups, readable(model))
        if not found:
            missing.append(key)
            continue
        line, why = f"{key}: {project.ref(found[0])}", f"{_said(found[0].name)} ({found[0].kind})"
        if model.read in capabilities.reads:
            yield _commented(f"  # {line}", f"{why}, with read: [{model.read}]")
        else:
            yield _commented(f"  {line}", why)
    if missing:
        yield f"  # {', '.join(missing)}: no field of the site is called like it"


def _points(subject: _Subject, found: Sequence[FieldInfo]) -> Iterator[str]:
    """What the teams' boards estimate with, where that is a number of its own."""
    taken = {info.id for info in found}
    for info in subject.fields:
        if info.id in subject.catalog.estimated_with and info.id not in taken and info.kind == "number":
            named = f"{_said(info.name)} ({info.id})"
            yield f"  #  The boards estimate with {named}: points are no hours, so they are left out."


def _fields(subject: _Subject, groups: words.Groups, kinds: Sequence[str]) -> tuple[list[FieldInfo], str]:
    """The fields of the first group that the site has; or why a person has to choose."""
    for group in groups:
        found: list[FieldInfo] = []
        for name in group:
            named = subject.called(name, kinds)
            if len(named) > 1:
                return [], f"{len(named)} fields are called {_said(name)}: {', '.join(info.id for info in named)}"
            found += named
        if found:
            return found, ""
    return [], ""


# --- options --------------------------------------------------------------------------------------------------------


def _status(task: _Subject) -> Iterator[str]:
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


def _type(task: _Subject) -> Iterator[str]:
    yield from _option(task, "type", words.TYPE_FIELDS, words.TYPE, words.TYPE_CATEGORIES)


def _priority(task: _Subject) -> Iterator[str]:
    yield from _option(task, "priority", words.PRIORITY_FIELDS, words.PRIORITY, {})


def _health(project: _Subject) -> Iterator[str]:
    yield from _option(project, "reported_health", words.HEALTH_FIELDS, words.HEALTH, {})


def _option(
    task: _Subject,
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
    else:
        yield f"  # {key}: no list of the site has options that are called like it"
        yield from steps


def _lists(task: _Subject, names: Sequence[str]) -> list[FieldInfo]:
    """Lists with options, without those that share their name: a person has to choose there."""
    found = [named[0] for name in names if len(named := task.called(name, ("choice",))) == 1]
    return [info for info in dict.fromkeys(found) if info.options]


def _step(
    task: _Subject, info: FieldInfo, known: Mapping[str, tuple[str, ...]], categories: Mapping[str, str]
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
        for option in _unique(info.options)
        if option not in mapped and _category(option) not in by_category.values()
    ]
    if named:
        yield _commented(f"    - field: {task.ref(info)}", f"{_said(info.name)}: options by their names")
        yield "      values:"
        for outcome, options in named.items():
            yield f"        {outcome}: [{', '.join(_text(option.name.strip()) for option in options)}]"
    if by_category:
        yield _commented(f"    - field: {task.ref(info)}", f"{_said(info.name)}: the tool's own categories")
        values = ", ".join(f"{outcome}: {_CATEGORY}{each}" for outcome, each in by_category.items())
        yield f"      values: {{{values}}}"
    if left:
        names = ", ".join(_said(option.name) for option in left)
        yield f"    # not mapped, {_said(info.name)} ({info.id}): {names}"


def _named(options: Sequence[Choice], known: Mapping[str, tuple[str, ...]]) -> dict[str, list[Choice]]:
    named = {
        outcome: [option for option in _unique(options) if own_name(option.name) in {own_name(name) for name in names}]
        for outcome, names in known.items()
    }
    return {outcome: options for outcome, options in named.items() if options}


def _unique(options: Sequence[Choice]) -> list[Choice]:
    """Options that a mapping can name: teams and projects repeat names, and a name may be empty."""
    by_name = {folded(option.name): option for option in options if own_name(option.name)}
    return [option for name, option in by_name.items() if not name.startswith(_CATEGORY)]


def _category(option: Choice) -> str:
    return folded(option.category or "")


# --- links and places -----------------------------------------------------------------------------------------------


def _links(task: _Subject, catalog: Catalog) -> Iterator[str]:
    types = [
        each
        for each in catalog.link_types
        if {folded(each.name), folded(each.category or "")} & set(words.PREDECESSOR_LINKS)
    ]
    yield "# Which links mean that one task must be finished before the other may start."
    if dependencies := task.called("dependencies", ("list",)):
        yield f"links: {{blocks: {task.ref(dependencies[0])}}}"
    elif task.called("issuelinks", ("list",)) and len(types) == 1:
        task.used.add("issuelinks")
        shared = sum(folded(each.name) == folded(types[0].name) for each in catalog.link_types) > 1
        name = types[0].id if shared else types[0].name
        yield f"links: {{blocks: {{type: {_text(name)}, direction: outward}}}}"
    else:
        yield "links: {}"
        if catalog.link_types:
            names = ", ".join(f"{_said(each.name)} ({each.id})" for each in catalog.link_types)
            yield f"# link types of the site: {names}"


def _read(task: _Subject, capabilities: Capabilities) -> Iterator[str]:
    """What else the connector can read, in a comment: it costs requests, so a person decides."""
    if capabilities.reads:
        yield ""
        yield "# What happened to work: when its status, dates or owner moved, what is booked on it. Each of these"
        yield "# costs some more requests in every run, and many in the first. Standards about it are blind without."
        if {"budgets", "allocations", "goals"} & set(capabilities.reads):
            yield "# The same holds for the budgets of projects, the time of people promised to them, and their goals."
        yield f"# read: [{', '.join(capabilities.reads)}]"
    changed = [info for name in words.UPDATED for info in task.called(name, ("instant",))]
    if "history" in capabilities.reads and changed:
        yield f"# With the history, `updated_at: {task.ref(changed[0])}` below task tells when others changed it last."


def _write(capabilities: Capabilities) -> Iterator[str]:
    yield "# Where pmosync writes its flags and rollups. mail: never writes only what mails nobody."
    yield "write:"
    links = [slot.name for slot in capabilities.slots if slot.form == "link"]
    asked_for = [slot.name for slot in capabilities.slots if slot.opt_in]
    unasked = {*links, *asked_for}
    subjects: tuple[SubjectKind, ...] = ("task", "project")
    for subject in subjects:
        yield f"  {subject}: [{', '.join(name for name in places(capabilities, subject) if name not in unasked)}]"
    yield "  mail: never"
    if asked_for:
        yield f"# Written only when named here; the connector's page says what each needs: {', '.join(asked_for)}"
    for name in links:
        yield f"# When `guidance` is configured, add {name}: it leads to the page of the standard."


def _unused(task: _Subject, project: _Subject) -> Iterator[str]:
    """What else the site offers, for the person who reads the suggestion over."""
    for subject in (task, project):
        parts = _parts(subject)
        inside = {part.id for several in parts.values() for part in several}
        rest = [info for info in subject.fields if info.id not in subject.used | inside]
        if rest:
            yield f"# Other fields of {subject.subject}s:"
        for info in rest:
            told = [_said(option.name) for option in _unique(info.options)[:20]]
            told += [f"{part.id} ({part.kind})" for part in parts.get(info.id, ())]
            yield f"#   {_said(info.name)} ({info.id}), {info.kind}" + (f": {', '.join(told)}" if told else "")


def _parts(subject: _Subject) -> dict[str, list[FieldInfo]]:
    """What can be read out of other fields, by the id of the whole: `fixVersions.latest` is told with `fixVersions`."""
    ids = {info.id for info in subject.fields}
    found: dict[str, list[FieldInfo]] = {}
    for info in subject.fields:
        whole, dot, _ = info.id.partition(".")
        if dot and whole in ids:
            found.setdefault(whole, []).append(info)
    return found


def _text(name: str) -> str:
    """A text in YAML, quoted where it could be read as something else."""
    if _PLAIN.fullmatch(name) and name.lower() not in _WORDS_OF_YAML:
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())


def _said(name: str) -> str:
    """A name in a comment: on one line, whatever the tool sent."""
    return "'" + "".join(char if char.isprintable() else " " for char in name).strip() + "'"


def _commented(line: str, why: str) -> str:
    return f"{line.ljust(_COLUMN - 1)} # {why}"
