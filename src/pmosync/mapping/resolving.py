"""Compares a mapping with what its site really offers: names become ids, and everything that cannot work is told.

A name that two fields share is refused with the candidates; nothing is resolved by guessing. What was resolved once is
pinned, so that renaming a field in the tool changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from pmosync.contract import Capabilities, Catalog, Choice, Extra, FieldInfo, SlotKind, SubjectKind
from pmosync.errors import Misconfigured
from pmosync.mapping.grammar import LinkRule, Options, Ref, Wanted, folded, own_name
from pmosync.mapping.sitemapping import CREATED, CREATED_IDS, CREATED_PIN, SiteMapping, compiled
from pmosync.model import Field, Type
from pmosync.yamlfile import At, did_you_mean, together

T = TypeVar("T", FieldInfo, Choice)

READABLE: dict[Type, tuple[str, ...]] = {
    Type.TEXT: ("text", "number", "duration", "date", "instant", "yes/no", "choice", "person", "reference", "list"),
    Type.NUMBER: ("number", "duration", "list"),
    Type.DATE: ("date", "instant", "list"),
    Type.INSTANT: ("instant", "list"),
    Type.OPTION: ("choice", "yes/no", "text", "number", "list"),
    Type.PERSON: ("person", "list"),
    Type.TASK: ("reference", "list"),
    Type.YESNO: ("yes/no", "list"),
}
"""Kinds of tool fields that can answer for a type of the model; of a list the first entry counts."""


def readable(model: Field) -> tuple[str, ...]:
    """Kinds of tool fields that can answer for a field of the model; a length of time only for hours."""
    kinds = READABLE[Type.TEXT if model.measured else model.type]
    return tuple(kind for kind in kinds if kind != "duration" or model.type is Type.TEXT or model.unit == "h")


_EXTRAS: dict[Extra, str] = {
    "history": "the history of tasks",
    "worklogs": "the time booked on tasks",
    "comments": "comments",
    "budgets": "the budgets of projects",
    "allocations": "the time of people that is promised to projects",
    "goals": "the goals that projects serve",
}


def resolve(mapping: SiteMapping, catalog: Catalog) -> SiteMapping:
    """The mapping with every name pinned to an id of this site; raises one error that tells all that is not there."""
    pins, errors = _pinned(mapping, catalog)
    if errors:
        raise together(errors, where=str(mapping.path))
    return compiled(mapping.file, pins)


def check(mapping: SiteMapping, catalog: Catalog, capabilities: Capabilities) -> list[Misconfigured]:
    """Everything that is wrong with the mapping on this site, in the order of the file's sections."""
    pins, errors = _pinned(mapping, catalog)
    by_id = {(info.subject, info.id): info for info in catalog.fields}
    for ref, model in mapping.file.refs():
        info = by_id.get((ref.subject, pins.get(ref.pin, "")))
        if info:
            errors += _wrong_kind(mapping, ref, model, info)
            errors += _unread(mapping, ref, model, info, capabilities)
    for entry in (*mapping.file.project, *mapping.file.task):
        if isinstance(entry, Options):
            errors += _wrong_options(mapping, entry, pins, by_id)
    errors += _wrong_scope(mapping, catalog, capabilities)
    errors += wrong_reads(mapping, capabilities)
    errors += wrong_slots(mapping, capabilities)
    return errors


def _pinned(mapping: SiteMapping, catalog: Catalog) -> tuple[dict[str, str], list[Misconfigured]]:
    """The pins with what is still to be resolved, and what could not be."""
    pins = dict(mapping.pins)
    errors: list[Misconfigured] = []
    for ref, _ in mapping.file.refs():
        fields = [info for info in catalog.fields if info.subject == ref.subject]
        found = _field(mapping, ref, pins.get(ref.pin), fields)
        if isinstance(found, Misconfigured):
            errors.append(found)
        else:
            pins[ref.pin] = found
    for rule in mapping.file.links:
        if rule.type:
            link = _link_type(mapping, rule, pins.get(rule.pin), catalog.link_types)
            if isinstance(link, Misconfigured):
                errors.append(link)
            else:
                pins[rule.pin] = link
    ids = {info.id for info in catalog.fields if info.subject == "task"}
    created = next((tool_field for tool_field in CREATED_IDS if tool_field in ids), None)
    if created and not any(entry.model.name == CREATED for entry in mapping.file.task):
        pins[CREATED_PIN] = created
    return pins, list({str(error): error for error in errors}.values())


def _field(mapping: SiteMapping, ref: Ref, pin: str | None, fields: Sequence[FieldInfo]) -> str | Misconfigured:
    doc = mapping.file.doc
    fields = [info for info in fields if info.custom] if ref.custom else fields
    kind = "custom field" if ref.custom else "field"
    if pin is not None:
        if any(info.id == pin for info in fields):
            return pin
        hint = f"correct the field, or remove '{ref.pin}' from the lock file so that it is looked up again"
        return doc.wrong(ref.at, f"the {kind} '{ref.text}' is pinned to {pin}, which the site no longer has", hint)
    if any(info.id == ref.text for info in fields):
        return ref.text
    named = _called(ref.text, fields)
    if len(named) == 1:
        return named[0].id
    if named:
        ids = ", ".join(info.id for info in named)
        return doc.wrong(ref.at, f"{len(named)} fields are called '{ref.text}'", f"name one by its id: {ids}")
    options = [info.id for info in fields] + [info.name for info in fields]
    hint = did_you_mean(ref.text, options) or f"`pmosync discover` lists the fields of {mapping.site}"
    whose = "projects" if ref.subject == "project" else "tasks"
    return doc.wrong(ref.at, f"{mapping.site} has no {kind} '{ref.text}' on {whose}", hint)


def _link_type(mapping: SiteMapping, rule: LinkRule, pin: str | None, types: Sequence[Choice]) -> str | Misconfigured:
    doc, at = mapping.file.doc, (*rule.at, "type")
    if pin is not None:
        if any(each.id == pin for each in types):
            return pin
        hint = f"correct the type, or remove '{rule.pin}' from the lock file so that it is looked up again"
        return doc.wrong(at, f"the link type '{rule.type}' is pinned to {pin}, which the site no longer has", hint)
    if any(each.id == rule.type for each in types):
        return rule.type
    named = _called(rule.type, types)
    if len(named) == 1:
        return named[0].id
    if named:
        choices = ", ".join(f"{each.id} ({each.category})" if each.category else each.id for each in named)
        return doc.wrong(at, f"{len(named)} link types are called '{rule.type}'", f"name one by its id: {choices}")
    names = [each.name for each in types]
    hint = did_you_mean(rule.type, names) or "there are: " + (", ".join(names) or "none")
    return doc.wrong(at, f"{mapping.site} has no link type '{rule.type}'", hint)


def _called(name: str, things: Sequence[T]) -> list[T]:
    """Those with this name: as written when any is spelt so, else without regard to upper and lower case."""
    exact = [thing for thing in things if thing.name.strip() == name]
    return exact or [thing for thing in things if folded(thing.name) == folded(name)]


def _wrong_kind(mapping: SiteMapping, ref: Ref, model: Field | None, info: FieldInfo) -> Iterator[Misconfigured]:
    if model is None:
        if info.kind != "list":
            what = f"'{info.name}' is a field of kind {info.kind}: it holds no links"
            yield mapping.file.doc.wrong(ref.at, what, "name the field that lists the links between tasks")
    elif info.kind not in readable(model):
        what = f"'{info.name}' is a field of kind {info.kind}; {model.name} needs {_or(readable(model))}"
        yield mapping.file.doc.wrong(ref.at, what, f"{model.name} is {model.meaning}: name a field that holds this")


def _unread(
    mapping: SiteMapping, ref: Ref, model: Field | None, info: FieldInfo, capabilities: Capabilities
) -> Iterator[Misconfigured]:
    """What the tool holds and this mapping does not ask for; a custom field of the same meaning comes by itself."""
    if model is None or info.custom or model.read not in capabilities.reads or model.read in mapping.reads:
        return
    what = f"{model.name} is not brought: the mapping does not read {_EXTRAS[model.read]}"
    yield mapping.file.doc.wrong(ref.at, what, f"add read: [{model.read}] at the top level, or remove the line")


def _wrong_options(
    mapping: SiteMapping, entry: Options, pins: dict[str, str], by_id: dict[tuple[SubjectKind, str], FieldInfo]
) -> Iterator[Misconfigured]:
    for step in entry.steps:
        info = by_id.get((entry.subject, pins.get(step.ref.pin, ""))) if step.ref else None
        if info is None:
            continue
        for wanted in step.wanted or ():
            yield from _wrong_value(mapping, wanted, info)
        if step.wanted is None and info.options:
            own = {own_name(option.name) for option in info.options}
            if not own & {own_name(option) for option in entry.model.options}:
                what = f"no option of '{info.name}' is called like an option of {entry.model.name}"
                hint = f"write {{field: {info.id}, values: {{{entry.model.options[0]}: [{info.options[0].name}]}}}}"
                yield mapping.file.doc.wrong(step.at, what, hint)


def _wrong_value(mapping: SiteMapping, wanted: Wanted, info: FieldInfo) -> Iterator[Misconfigured]:
    doc = mapping.file.doc
    if isinstance(wanted.value, bool):
        if info.kind != "yes/no":
            what = f"'{info.name}' is no yes/no field but of kind {info.kind}"
            yield doc.wrong(wanted.at, what, "name its options; quote a name that is spelt true or false")
        return
    if info.kind == "yes/no":
        yield doc.wrong(wanted.at, f"'{info.name}' is a yes/no field, not '{wanted.value}'", "write true or false")
        return
    if not info.options:
        return
    if wanted.category:
        names = sorted({option.category for option in info.options if option.category})
        known, what = {folded(name) for name in names}, f"no option of '{info.name}' has the category '{wanted.value}'"
    else:
        names = [option.name for option in info.options]
        known = {folded(name) for option in info.options for name in (option.name, option.id)}
        what = f"'{info.name}' has no option '{wanted.value}'"
    if folded(wanted.value) not in known:
        yield doc.wrong(wanted.at, what, did_you_mean(wanted.value, names) or _there_are(names))


def _wrong_scope(mapping: SiteMapping, catalog: Catalog, capabilities: Capabilities) -> Iterator[Misconfigured]:
    known = {folded(name) for project in catalog.projects for name in (project.id, project.key)}
    doc = mapping.file.doc
    for index, name in enumerate(mapping.projects):
        if folded(name) not in known:
            at = _item(mapping, ("scope", "projects"), index)
            keys = [project.key for project in catalog.projects]
            hint = did_you_mean(name, keys + [project.name for project in catalog.projects])
            what = f"{catalog.account.name or 'the account'} sees no project '{name}' on {mapping.site}"
            yield doc.wrong(at, what, hint or "correct the key or id, or let the account browse the project")
    if mapping.query and not capabilities.query:
        what = "this connector cannot filter by a query"
        yield doc.wrong(("scope", "query"), what, "remove it; name the projects instead", key=True)


def wrong_reads(mapping: SiteMapping, capabilities: Capabilities) -> Iterator[Misconfigured]:
    """What `read` asks for and the connector cannot bring; told without asking the site."""
    for index, name in enumerate(mapping.reads):
        if name not in capabilities.reads:
            what = f"this connector cannot read {_EXTRAS[name]}"
            hint = f"it reads: {', '.join(capabilities.reads)}" if capabilities.reads else "remove it"
            yield mapping.file.doc.wrong(_item(mapping, ("read",), index), what, hint)


def places(capabilities: Capabilities, subject: SubjectKind) -> list[str]:
    """What `write` may name for a subject; what holds nothing but rollups stands with the projects."""
    kinds = (subject, "rollup") if subject == "project" else (subject,)
    return [slot.name for slot in capabilities.slots if slot.subject in kinds]


def wrong_slots(mapping: SiteMapping, capabilities: Capabilities) -> Iterator[Misconfigured]:
    """Places in `write` that the connector does not have, and stand-ins for nothing; told without asking the site."""
    subjects: tuple[tuple[SubjectKind, tuple[str, ...]], ...] = (
        ("task", mapping.write_task),
        ("project", mapping.write_project),
    )
    for subject, names in subjects:
        known = places(capabilities, subject)
        for index, name in enumerate(names):
            at = _item(mapping, ("write", subject), index)
            if name in known:
                yield from _wrong_stand_in(mapping, at, next(s for s in capabilities.slots if s.name == name), names)
                continue
            writes = f"this one writes: {', '.join(known) or 'nothing'}"
            what = f"there is no place '{name}' on a {subject}"
            yield mapping.file.doc.wrong(at, what, did_you_mean(name, known) or writes)


def _wrong_stand_in(mapping: SiteMapping, at: At, slot: SlotKind, names: Collection[str]) -> Iterator[Misconfigured]:
    if slot.instead_of and slot.instead_of not in names:
        what = f"'{slot.name}' is written only where '{slot.instead_of}' may not be, and that is not named"
        yield mapping.file.doc.wrong(at, what, f"name both: [{slot.instead_of}, {slot.name}]")


def _item(mapping: SiteMapping, at: At, index: int) -> At:
    return (*at, index) if (*at, index) in mapping.file.doc.values else at


def _or(words: Sequence[str]) -> str:
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _there_are(names: Collection[str]) -> str:
    few = list(names)[:12]
    return "there are: " + ", ".join(few) + (f" and {len(names) - len(few)} more" if len(names) > len(few) else "")
