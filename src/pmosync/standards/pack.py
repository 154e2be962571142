"""Reads packs of standards: YAML files whose every mistake is told with file, line and column.

A pack is refused whole when one of its standards is wrong, so that nobody believes a rule is asked that is not. What
belongs to a later version of pmosync is refused with a sentence, never ignored. A pack may include others: asking for
it asks for them.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StrictFloat, StrictInt, StrictStr, StringConstraints

from pmosync.errors import Misconfigured
from pmosync.model import FIELDS, MODES, PHASES, SEVERITIES, Subject
from pmosync.standards.checker import params_in, parse_predicate
from pmosync.standards.examples import read_examples
from pmosync.standards.params import held_days, read_params
from pmosync.standards.place import pointed
from pmosync.standards.scan import LONGEST, Mistake
from pmosync.standards.standard import FIX_WITHIN_D, Param, Standard
from pmosync.standards.syntax import Predicate
from pmosync.yamlfile import MOST_TOLD, At, Doc, did_you_mean, load, together

SHIPPED = Path(__file__).parent / "packs"
LARGEST_BYTES = 120_000
MOST_ENTRIES = 8_000
MOST_STANDARDS = 150
MOST_PREDICATES_CHARS = 40_000
"""Within these a pack is read, or refused, in less than a second; a hundred standards with their examples fit in."""

_LATER: Mapping[str, str] = {
    "message": "people are told title, why and fix",
    "evidence": "the evidence is the values of the fields that the predicate names",
    "rollup": "shares of findings have no thresholds yet",
    "waivers": "exceptions are no part of a standard",
    "autofix": "pmosync does not change the fields of your work",
    "from": "a standard holds from the run that first reads it",
}
_RENAMED: Mapping[str, str] = {"entity": "subject", "name": "title", "fix_within": "fix_within_d"}
_LATER_SUBJECTS = ("program",)

Line = Annotated[StrictStr, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
Day = Annotated[dt.date, Strict()]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ParamEntry(_Closed):
    default: StrictInt | StrictFloat | StrictStr
    min: StrictInt | StrictFloat | StrictStr
    max: StrictInt | StrictFloat | StrictStr
    meaning: Line


class ExampleEntries(_Closed):
    fail: list[dict[str, Any]] = []
    passes: Annotated[list[dict[str, Any]], Field(alias="pass")] = []
    unknown: list[dict[str, Any]] = []
    out_of_scope: list[dict[str, Any]] = []


class StandardEntry(_Closed):
    id: StrictStr
    title: Annotated[Line, StringConstraints(max_length=80)]
    subject: Subject
    severity: Literal[*SEVERITIES]  # type: ignore[valid-type]
    applies_to: StrictStr | None = None
    when: StrictStr
    params: dict[Annotated[StrictStr, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], ParamEntry] = {}
    why: Line
    fix: Line
    serves: Line
    phase: Literal[*PHASES, "any"]  # type: ignore[valid-type]
    fix_within_d: Annotated[int, Field(ge=0, le=365)] | None = None
    mode: Literal[*MODES] | None = None  # type: ignore[valid-type]
    persist: StrictStr | None = None
    version: Annotated[StrictInt, Field(ge=1, le=9_999)] = 1
    since: Day | None = None
    review_by: Day | None = None
    examples: ExampleEntries


class IncludeEntry(_Closed):
    pack: Line
    only: Annotated[list[Line], Field(min_length=1, max_length=MOST_STANDARDS)]


class PackEntry(_Closed):
    pack: Line
    includes: Annotated[list[Line | IncludeEntry], Field(max_length=20)] = []
    today: Day
    standards: list[StandardEntry] = []


def load_packs(names_or_paths: Sequence[str], base: Path) -> tuple[Standard, ...]:
    """The standards of shipped packs (by name) and of own files (by path, seen from `base`), in this order.

    What a pack includes comes before it. A standard that is asked for more than once, by packs that include the same
    file, is asked once.
    """
    standards: dict[str, Standard] = {}
    asked: dict[Path, tuple[Standard, ...]] = {}
    for entry in names_or_paths:
        if (path := _find(entry, base)) is None:
            raise Misconfigured(f"there is no pack '{entry}'", where="standards", hint=other_pack(entry))
        for standard in _with_included(path, asked):
            first = standards.setdefault(standard.id, standard)
            if first.place != standard.place:
                raise Misconfigured(
                    f"the id {standard.id} stands twice: here and at {first.place}",
                    where=standard.place,
                    hint="give one of them another id, or leave one of the packs out",
                )
    return tuple(standards.values())


def load_folder(folder: Path) -> tuple[Standard, ...]:
    """The standards of all packs of a folder."""
    found = sorted(path.name for ending in ("yaml", "yml") for path in folder.glob(f"*.{ending}"))
    if not found:
        raise Misconfigured("there is no pack in this folder", where=str(folder), hint="packs are files *.yaml")
    return load_packs([f"./{name}" for name in found], folder)


def _find(entry: str, base: Path) -> Path | None:
    """The file of a pack; None where no such pack is shipped."""
    if "/" in entry or entry.endswith((".yaml", ".yml")):
        return base / entry
    return path if (path := SHIPPED / f"{entry}.yaml").is_file() else None


def _with_included(path: Path, asked: dict[Path, tuple[Standard, ...]]) -> tuple[Standard, ...]:
    """The standards of a file and before them what it includes; `asked` holds that of the files read so far."""
    here = path.resolve()
    if here.parent == SHIPPED:
        return _shipped(here)
    if here in asked:
        return asked[here]
    asked[here] = ()  # for packs that include each other
    asked[here] = _read(path, asked)
    return asked[here]


@functools.cache
def _shipped(path: Path) -> tuple[Standard, ...]:
    """The standards of a pack that comes with pmosync, and does not change while it runs."""
    return _read(path, {})


def _read(path: Path, asked: dict[Path, tuple[Standard, ...]]) -> tuple[Standard, ...]:
    doc = load(path, largest_bytes=LARGEST_BYTES, most_entries=MOST_ENTRIES)
    _refuse_later(doc)
    pack = doc.validated(PackEntry)
    if not pack.standards and not pack.includes:
        raise doc.wrong(("pack",), "this pack asks for nothing", "give it standards, or includes", key=True)
    found: list[Standard] = []
    for number, entry in enumerate(pack.includes):
        name = entry if isinstance(entry, str) else entry.pack
        at: At = ("includes", number) if isinstance(entry, str) else ("includes", number, "pack")
        if (other := _find(name, path.parent)) is None:
            raise doc.wrong(at, f"there is no pack '{name}'", other_pack(name))
        if not other.is_file():
            raise doc.wrong(at, f"there is no file {other}", "its path is seen from this file")
        included = _with_included(other, asked)
        found += included if isinstance(entry, str) else _chosen(doc, number, entry, included)
    return (*found, *_standards(doc, pack))


def _chosen(doc: Doc, number: int, entry: IncludeEntry, included: Sequence[Standard]) -> Iterator[Standard]:
    """Of what a pack asks for, only these."""
    by_id = {one.id: one for one in included}
    for position, wanted in enumerate(entry.only):
        if wanted not in by_id:
            hint = did_you_mean(wanted, by_id) or f"it asks for: {', '.join(by_id)}"
            raise doc.wrong(("includes", number, "only", position), f"{entry.pack} does not ask for '{wanted}'", hint)
        yield by_id[wanted]


def shipped_packs() -> list[str]:
    """The packs that come with pmosync, by name."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def other_pack(entry: str) -> str:
    """What to write in place of a pack that is not shipped."""
    shipped = shipped_packs()
    return did_you_mean(entry, shipped) or f"shipped are: {', '.join(shipped)}; a file of your own ends in .yaml"


def _standards(doc: Doc, pack: PackEntry) -> tuple[Standard, ...]:
    texts = [text for one in pack.standards for text in (one.when, one.applies_to or "")]
    asked = sum(len(text) for text in texts if len(text) <= LONGEST)  # a longer one is refused by itself
    if asked > MOST_PREDICATES_CHARS:
        what = f"predicates of {asked:,} characters together, more than {MOST_PREDICATES_CHARS:,}"
        raise doc.wrong(("standards",), what, "split the pack into several files")
    standards: dict[str, Standard] = {}
    errors: list[Misconfigured] = []
    for number, entry in enumerate(pack.standards):
        if len(errors) == MOST_TOLD:
            break
        at: At = ("standards", number)
        if (first := standards.get(entry.id)) is not None:
            what = f"the id {entry.id} stands twice: here and at {first.place}"
            errors.append(doc.wrong((*at, "id"), what, "give one of them another id"))
            continue
        try:
            standards[entry.id] = _standard(doc, at, entry, pack)
        except Misconfigured as error:
            errors.append(error)
    if errors:
        raise together(errors, str(doc.path), more=len(errors) == MOST_TOLD)
    return tuple(standards.values())


def is_shipped(standard: Standard) -> bool:
    """Whether it stands in a pack that comes with pmosync."""
    return standard.place.startswith(f"{SHIPPED}/")


def _refuse_later(doc: Doc) -> None:
    """Too many standards, keys and subjects of later versions, old names of keys: before anything else is looked at."""
    entries = doc.data.get("standards") if isinstance(doc.data, dict) else None
    if isinstance(entries, list) and len(entries) > MOST_STANDARDS:
        what = f"{len(entries):,} standards in one pack, more than {MOST_STANDARDS}"
        raise doc.wrong(("standards", MOST_STANDARDS), what, "split it into several files")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        at: At = ("standards", number)
        for key in entry:
            if key in _LATER:
                raise doc.wrong(
                    (*at, key), f"'{key}' comes with a later version of pmosync: {_LATER[key]}", "remove it", key=True
                )
            if key in _RENAMED:
                raise doc.wrong((*at, key), f"unknown key '{key}'", f"write {_RENAMED[key]}", key=True)
        if entry.get("subject") in _LATER_SUBJECTS:
            raise doc.wrong(
                (*at, "subject"),
                f"standards about a {entry['subject']} come with a later version of pmosync",
                f"a subject is one of {', '.join(FIELDS)}",
            )


def _standard(doc: Doc, at: At, entry: StandardEntry, pack: PackEntry) -> Standard:
    if not re.fullmatch(r"[A-Z][A-Z0-9_-]{2,19}", entry.id):
        hint = "write 3 to 20 of A-Z, 0-9, - and _, beginning with a letter: ACME101"
        raise doc.wrong((*at, "id"), f"'{entry.id}' cannot be an id", hint)
    params = read_params(doc, (*at, "params"), {name: param.model_dump() for name, param in entry.params.items()})
    when = _predicate(doc, (*at, "when"), entry.when, entry.subject, params)
    scope = entry.applies_to
    applies_to = None if scope is None else _predicate(doc, (*at, "applies_to"), scope, entry.subject, params)
    if entry.since and entry.review_by and entry.review_by <= entry.since:
        raise doc.wrong(
            (*at, "review_by"),
            f"it is to be reviewed by {entry.review_by}, and holds since {entry.since}",
            "review a standard after it has been asked for a while: give a later day",
        )
    used = params_in(entry.when) | (params_in(scope) if scope else frozenset())
    for name in params:
        if name not in used:
            raise doc.wrong((*at, "params", name), f"no predicate uses ${name}", "use it, or remove it", key=True)
    return Standard(
        id=entry.id,
        title=entry.title,
        subject=entry.subject,
        severity=entry.severity,
        when=when,
        applies_to=applies_to,
        params=params,
        why=_one_line(entry.why),
        fix=_one_line(entry.fix),
        serves=entry.serves,
        phase=entry.phase,
        fix_within_d=FIX_WITHIN_D[entry.severity] if entry.fix_within_d is None else entry.fix_within_d,
        mode=entry.mode,
        persist_d=_persist(doc, (*at, "persist"), entry.persist),
        examples=read_examples(doc, (*at, "examples"), entry.subject, pack.today, applies_to is not None),
        pack=pack.pack,
        place=doc.place(at),
        version=entry.version,
        since=entry.since,
        review_by=entry.review_by,
    )


def _persist(doc: Doc, at: At, text: str | None) -> int:
    try:
        return 0 if text is None else held_days(text)
    except ValueError as error:
        raise doc.wrong(at, str(error), "write persist: 2d") from None


def _predicate(doc: Doc, at: At, text: str, subject: Subject, params: Mapping[str, Param]) -> Predicate:
    try:
        return parse_predicate(text, subject, {name: param.constant for name, param in params.items()})
    except Mistake as mistake:
        raise pointed(doc, at, text, mistake) from None


def _one_line(text: str) -> str:
    return " ".join(text.split())
