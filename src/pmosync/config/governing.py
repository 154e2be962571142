"""What the register may say about the government of projects: classes, tolerances, and their gates.

The gates themselves stand in a file of their own, `gates: gates.yaml`, in the order in which a project passes them.
What a gate asks for that is nowhere to be found is refused, so that no project is passed or held by a word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pmosync import model
from pmosync.config.deciding import load_people
from pmosync.config.load import Config
from pmosync.config.values import one_of, share
from pmosync.errors import Misconfigured
from pmosync.people import People, Person
from pmosync.register import Container, Gate, GateTold, ProjectClass, Register, Tolerances
from pmosync.standards import Standard
from pmosync.yamlfile import At, Doc, did_you_mean, together
from pmosync.yamlfile import load as load_yaml

Phase = Annotated[str, AfterValidator(one_of(model.PHASES, "phase"))]
WANTED = tuple(
    name for name, one in model.FIELDS["project"].items() if one.source in ("mapped", "register") and not one.day
)
"""Fields of a project that a class may call mandatory, and a gate evidence."""


def _field(name: str) -> str:
    return one_of(WANTED, "field of a project")(name)


class TolerancesKeys(BaseModel):
    """`tolerances: {time_d: 10, cost_share: 10%, scope_share: 5%}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    time_d: int | None = Field(default=None, ge=0)
    cost_share: Annotated[float | None, BeforeValidator(share)] = None
    scope_share: Annotated[float | None, BeforeValidator(share)] = None

    def value(self) -> Tolerances:
        """The same as a value."""
        return Tolerances(**dict(self))


class ClassKeys(BaseModel):
    """One entry of `classes:`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mandatory: list[Annotated[str, AfterValidator(_field)]] = Field(default_factory=list)
    tolerances: TolerancesKeys = TolerancesKeys()


class GateToldKeys(BaseModel):
    """What the register says of one gate of one project."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    record: str | None = None
    decision: Annotated[str, AfterValidator(one_of(model.DECISIONS, "decision"))] | None = None
    on: dt.date | None = None
    by: str = ""
    evidence: dict[str, str] = Field(default_factory=dict)

    def value(self) -> GateTold:
        """The same as a value."""
        record = Container(*self.record.split("/", 1)) if self.record else None
        return GateTold(record, self.decision, self.on, self.by, dict(self.evidence))


class GateKeys(BaseModel):
    """One gate."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    title: str = Field(min_length=1)
    from_: Phase = Field(alias="from")
    to: Phase
    decides: str = ""
    deciders: list[str] | None = Field(default=None, min_length=1)
    standards: list[str] = Field(default_factory=list)
    evidence: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]] = Field(default_factory=list)
    classes: list[str] = Field(default_factory=list)


class GatesKeys(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    gates: list[GateKeys] = Field(min_length=1)


class _Entry(Protocol):
    """An entry of the register, as far as it is looked at here."""

    @property
    def project_class(self) -> str | None: ...
    @property
    def gates(self) -> Mapping[str, GateToldKeys]: ...


def classes_of(keys: Mapping[str, ClassKeys]) -> tuple[ProjectClass, ...]:
    """The classes that the register describes."""
    return tuple(
        ProjectClass(name, tuple(dict.fromkeys(one.mandatory)), one.tolerances.value()) for name, one in keys.items()
    )


def load_gates(config: Config, classes: Sequence[str]) -> tuple[Gate, ...]:
    """The gates that the configuration names; none when it names no file.

    Args:
        classes: that the register describes.
    """
    if config.gates is None:
        return ()
    if not config.gates.is_file():
        raise config.wrong(("gates",), f"there is no file {config.gates}", "write one, or remove the key `gates`")
    doc = load_yaml(config.gates)
    keys, people = doc.validated(GatesKeys), load_people(config)
    mistakes = [*_twice(doc, keys.gates), *_backwards(doc, keys.gates), *_unknown_classes(doc, keys, classes)]
    if mistakes := [*mistakes, *_unknown_deciders(doc, keys.gates, people)]:
        raise together(mistakes, where=str(config.gates))
    return tuple(
        Gate(
            id=one.id,
            title=one.title,
            from_phase=one.from_,
            to_phase=one.to,
            standards=tuple(one.standards),
            evidence=tuple(one.evidence),
            classes=tuple(one.classes),
            decides=one.decides or " or ".join(one.deciders or ()),
            deciders=tuple(one.deciders or ()),
            accounts=_accounts(one.deciders or (), people),
            places=tuple(doc.place(("gates", n, "standards", position)) for position in range(len(one.standards))),
        )
        for n, one in enumerate(keys.gates)
    )


def _twice(doc: Doc, gates: Sequence[GateKeys]) -> Iterator[Misconfigured]:
    first: dict[str, int] = {}
    for n, one in enumerate(gates):
        at: At = ("gates", n, "id")
        line = int(doc.place(at).rsplit(":", 2)[1])
        if (before := first.setdefault(one.id.casefold(), line)) != line:
            yield doc.wrong(at, f"the gate '{one.id}' stands here twice (first in line {before})", "keep one")


def _backwards(doc: Doc, gates: Sequence[GateKeys]) -> Iterator[Misconfigured]:
    order = model.PHASES.index
    for n, one in enumerate(gates):
        if order(one.to) <= order(one.from_):
            hint = f"phases follow each other as {', '.join(model.PHASES)}"
            yield doc.wrong(("gates", n, "to"), f"a gate leads forward, not from {one.from_} to {one.to}", hint)
        if n and order(one.from_) < order(gates[n - 1].from_):
            what = f"the gate '{one.id}' comes before '{gates[n - 1].id}'"
            yield doc.wrong(("gates", n, "from"), what, "write gates in the order in which a project passes them")


def _unknown_deciders(doc: Doc, gates: Sequence[GateKeys], people: People | None) -> Iterator[Misconfigured]:
    for n, gate in enumerate(gates):
        for position, word in enumerate(gate.deciders or ()):
            at: At = ("gates", n, "deciders", position)
            if people is None:
                yield doc.wrong(at, "nobody knows who that is", "name the people file: people: people.yaml")
            elif not entitled([word], people):
                what = f"'{word}' is no e-mail, account or role of anybody in people.yaml"
                yield doc.wrong(at, what, people.near(word))


def entitled(deciders: Sequence[str], people: People) -> list[Person]:
    """Those whom these words mean: roles, e-mails, accounts."""
    return [one for one in people.persons if one.role in deciders or any(people.named(who) == one for who in deciders)]


def _accounts(deciders: Sequence[str], people: People | None) -> tuple[str, ...]:
    persons = entitled(deciders, people) if people else []
    return tuple(sorted(f"{site}/{account}" for one in persons for site, account in one.accounts.items()))


def _unknown_classes(doc: Doc, keys: GatesKeys, classes: Sequence[str]) -> Iterator[Misconfigured]:
    known = {one.casefold() for one in classes}
    for n, gate in enumerate(keys.gates):
        for position, name in enumerate(gate.classes):
            if name.casefold() not in known:
                hint = did_you_mean(name, classes) or f"classes of the register: {', '.join(classes) or 'none'}"
                yield doc.wrong(("gates", n, "classes", position), f"there is no class '{name}'", hint)


def mistakes_of_entries(
    doc: Doc, entries: Sequence[_Entry], classes: Sequence[str], gates: Sequence[Gate], config: Config
) -> Iterator[Misconfigured]:
    """What is wrong in what the register says about classes and gates of its projects."""
    known, by_id = {one.casefold() for one in classes}, {one.id: one for one in gates}
    ids, people = list(by_id), load_people(config)
    for n, entry in enumerate(entries):
        if classes and entry.project_class and entry.project_class.casefold() not in known:
            hint = did_you_mean(entry.project_class, classes) or f"classes: {', '.join(classes)}"
            yield doc.wrong(("projects", n, "class"), f"there is no class '{entry.project_class}'", hint)
        for name, told in entry.gates.items():
            at: At = ("projects", n, "gates", name)
            if name not in ids:
                hint = did_you_mean(name, ids) or f"gates: {', '.join(ids) or 'none; name a file with `gates:`'}"
                yield doc.wrong(at, f"there is no gate '{name}'", hint, key=True)
            yield from _unclear(doc, at, told, config)
            if name in by_id and told.decision and people is not None:
                yield from _not_entitled(doc, at, told.by, by_id[name], people)


def _not_entitled(doc: Doc, at: At, by: str, gate: Gate, people: People) -> Iterator[Misconfigured]:
    allowed = entitled(gate.deciders, people)
    if gate.deciders and people.named(by) not in allowed:
        hint = f"write by: and the e-mail of one of them: {', '.join(one.email for one in allowed)}"
        at = (*at, "by") if by else at
        yield doc.wrong(at, f"'{by}' does not decide {gate.id}: {' or '.join(gate.deciders)} does", hint)


def _unclear(doc: Doc, at: At, told: GateToldKeys, config: Config) -> Iterator[Misconfigured]:
    if told.decision and told.on is None:
        yield doc.wrong((*at, "decision"), "a decision has a day", "add on: 2026-11-20")
    if told.on and not told.decision:
        yield doc.wrong((*at, "on"), "a day without a decision", f"add decision: {', '.join(model.DECISIONS)}")
    if not told.record:
        return
    if told.decision:
        what = "the decision stands here, and a record that holds it is named as well"
        yield doc.wrong((*at, "record"), what, "keep one of the two", key=True)
    site, slash, key = told.record.partition("/")
    if not slash or not key:
        yield doc.wrong((*at, "record"), f"'{told.record}' is no task", "write site/KEY: acme-jira/PAY-12")
    elif site not in config.sites:
        hint = did_you_mean(site, config.sites) or f"sites of {config.path}: {', '.join(config.sites)}"
        yield doc.wrong((*at, "record"), f"there is no site '{site}'", hint)


def check_gates(register: Register, standards: Sequence[Standard]) -> None:
    """Refuse gates that name standards that nobody asks for."""
    ids = [one.id for one in standards]
    mistakes = []
    for gate in register.gates:
        for name, place in zip(gate.standards, gate.places, strict=True):
            if not any(one.startswith(name) for one in ids):
                hint = did_you_mean(name, ids) or "`pmosync standards list` shows those that are asked for"
                what = f"the gate '{gate.id}' asks for '{name}', and no standard that is asked for is called so"
                mistakes.append(Misconfigured(what, where=place, hint=hint))
    if mistakes:
        raise together(mistakes)
