"""Reads a mapping file into its parts and refuses, all at once, whatever the grammar does not know.

Nothing is guessed: an unknown key, option, direction or empty list is told with file, line and the nearest right word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from pmosync.contract import Extra, SubjectKind
from pmosync.errors import Misconfigured
from pmosync.mapping.grammar import (
    IN_DEFAULT,
    IN_VALUES,
    LINK_FIELD,
    NEEDS_HISTORY,
    OF_TASKS,
    PROJECT_KEYS,
    READS,
    TASK_KEYS,
    LinkRule,
    MappingFile,
    Options,
    Plain,
    Ref,
    Step,
    Wanted,
    folded,
)
from pmosync.model import LINK_TYPES, Field, Type
from pmosync.yamlfile import At, Doc, did_you_mean, load, together

_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def parse(path: Path) -> MappingFile:
    """Read a mapping file; everything that is wrong in it is told in one error."""
    reader = _Reader(load(path))
    mapping = reader.mapping()
    if reader.errors:
        raise together(reader.errors, where=str(path))
    return mapping


@dataclass(slots=True)
class _Reader:
    """Walks the file and collects what is wrong with it."""

    doc: Doc
    errors: list[Misconfigured] = field(default_factory=list)

    def wrong(self, at: At, what: str, hint: str = "", key: bool = False) -> None:
        self.errors.append(self.doc.wrong(at, what, hint, key))

    def mapping(self) -> MappingFile:
        data = self.section(self.doc.data, (), ("site", "scope", "read", "project", "task", "links", "write"))
        scope = self.section(data.get("scope"), ("scope",), ("projects", "query", "portfolios"))
        write = self.section(data.get("write"), ("write",), ("task", "project", "mail"))
        query = scope.get("query")
        if query is not None and not isinstance(query, str):
            self.wrong(("scope", "query"), "a query is text", 'write it in quotes: "issuetype = Task"')
        elif query and re.search(r"\border\s+by\b", query, re.IGNORECASE):
            self.wrong(
                ("scope", "query"), "a query says what, not in which order", "remove ORDER BY and what follows it"
            )
        reads = self.reads(data.get("read"))
        return MappingFile(
            doc=self.doc,
            site=self.site(data),
            projects=self.texts(scope.get("projects"), ("scope", "projects")),
            query=query.strip() if isinstance(query, str) else "",
            portfolios=self.texts(scope.get("portfolios"), ("scope", "portfolios")),
            reads=reads,
            project=self.project(data.get("project")),
            task=self.task(data.get("task"), reads),
            links=self.links(data.get("links")),
            write_task=self.texts(write.get("task"), ("write", "task")),
            write_project=self.texts(write.get("project"), ("write", "project")),
            mail=self.mail(write),
        )

    def section(self, data: Any, at: At, known: Collection[str]) -> Mapping[str, Any]:
        if data is None and at:
            return {}
        if not isinstance(data, dict):
            self.wrong(
                at, f"{at[-1] if at else 'a mapping'} is a list of keys with values", "write key: value, one a line"
            )
            return {}
        for key in data:
            if key not in known:
                hint = did_you_mean(key, known) or "known here: " + ", ".join(known)
                self.wrong((*at, key), f"unknown key '{key}'", hint, key=True)
        return data

    def site(self, data: Mapping[str, Any]) -> str:
        site = data.get("site")
        if site is None:
            self.wrong(
                (), "site is missing", "say which site of pmosync.yaml this mapping is for, e.g. site: acme-jira"
            )
        elif not isinstance(site, str) or not _SITE.fullmatch(site):
            self.wrong(
                ("site",), f"not a name of a site: {site}", "letters, digits, - _ and . only, as in pmosync.yaml"
            )
        return str(site)

    def mail(self, write: Mapping[str, Any]) -> Literal["never", "accept"]:
        mail = write.get("mail", "never")
        if mail not in ("never", "accept"):
            self.wrong(("write", "mail"), f"unknown answer '{mail}'", "mail: never, or mail: accept")
        return "accept" if mail == "accept" else "never"

    def texts(self, data: Any, at: At) -> tuple[str, ...]:
        if data is None:
            return ()
        items = data if isinstance(data, list) else [data]
        texts: list[str] = []
        for index, item in enumerate(items):
            place = (*at, index) if isinstance(data, list) else at
            if isinstance(item, str | int) and not isinstance(item, bool) and str(item).strip():
                if str(item).strip() in texts:
                    self.wrong(place, f"'{item}' stands here twice", "keep one")
                texts.append(str(item).strip())
            else:
                self.wrong(place, f"{at[-1]} lists names", "write [NAME, NAME]")
        return tuple(texts)

    def project(self, data: Any) -> tuple[Plain | Options, ...]:
        return self.entries(self.section(data, ("project",), PROJECT_KEYS), PROJECT_KEYS, "project")

    def reads(self, data: Any) -> tuple[Extra, ...]:
        names = self.texts(data, ("read",))
        for index, name in enumerate(names):
            if name not in READS:
                at: At = ("read", index) if isinstance(data, list) else ("read",)
                hint = did_you_mean(name, READS) or "known here: " + ", ".join(READS)
                self.wrong(at, f"'{name}' cannot be read", hint)
        return tuple(name for name in names if name in READS)

    def task(self, data: Any, reads: Collection[str]) -> tuple[Plain | Options, ...]:
        section = self.section(data, ("task",), TASK_KEYS)
        if NEEDS_HISTORY in section and "history" not in reads:
            what = f"{NEEDS_HISTORY} needs the history: without it our own changes cannot be told from others'"
            self.wrong(("task", NEEDS_HISTORY), what, "add read: [history] at the top level", key=True)
        for key in ("title", "status"):
            if key not in section:
                hint = f"say in the section task which field of the tool holds the {key}"
                self.wrong(("task",), f"task.{key} is missing", hint, key=True)
        return self.entries(section, TASK_KEYS, "task")

    def entries(
        self, section: Mapping[str, Any], keys: Mapping[str, Field], subject: SubjectKind
    ) -> tuple[Plain | Options, ...]:
        entries: list[Plain | Options] = []
        for key, value in section.items():
            if key in keys:
                model, at = keys[key], (subject, key)
                if model.type is Type.OPTION:
                    entries.append(Options(model, self.steps(model, value, at, subject), subject))
                else:
                    entries.append(Plain(model, self.refs(value, at, subject)))
        return tuple(entries)

    def refs(self, data: Any, at: At, subject: SubjectKind) -> tuple[Ref, ...]:
        if isinstance(data, list):
            if not data:
                self.wrong(at, "an empty list", "name a field, or remove the key")
            found = [self.ref(item, (*at, index), subject) for index, item in enumerate(data)]
        else:
            found = [self.ref(data, at, subject)]
        return tuple(ref for ref in found if ref)

    def ref(self, data: Any, at: At, subject: SubjectKind) -> Ref | None:
        if isinstance(data, dict) and set(data) == {"custom"}:
            at, data, custom = (*at, "custom"), data["custom"], True
        else:
            custom = False
        if isinstance(data, str | int) and not isinstance(data, bool) and str(data).strip():
            return Ref(str(data).strip(), custom, subject, at)
        self.wrong(at, "a field of the tool is missing here", 'write its id or "Its name", or {custom: "Its name"}')
        return None

    def steps(self, model: Field, data: Any, at: At, subject: SubjectKind) -> tuple[Step, ...]:
        steps: list[Step] = []
        for index, item in enumerate(data if isinstance(data, list) else [data]):
            place = (*at, index) if isinstance(data, list) else at
            if steps and steps[-1].default:
                self.wrong(
                    place, "no record gets this far: the step before is the default", "move the default to the end"
                )
                break
            step = self.step(model, item, place, subject)
            if step:
                steps.append(step)
        if not data and isinstance(data, list):
            self.wrong(at, "an empty list", "write a step: {field: status, values: {done: Done}}")
        return tuple(steps)

    def step(self, model: Field, data: Any, at: At, subject: SubjectKind) -> Step | None:
        if not isinstance(data, dict) or set(data) == {"custom"}:
            ref = self.ref(data, at, subject)
            return Step(at, ref) if ref else None
        section = self.section(data, at, ("default",) if "default" in data else ("field", "values"))
        if "default" in data:
            known = _outcomes(model, IN_DEFAULT, subject)
            return Step(at, default=self.outcome(data["default"], known, (*at, "default"), key=False))
        if "field" not in section:
            self.wrong(at, "a step without a field", "write {field: status, values: {...}}, or {default: report}")
            return None
        ref = self.ref(section["field"], (*at, "field"), subject)
        found = section.get("values")
        wanted = self.wanted(model, found, (*at, "values"), subject) if "values" in section else None
        return Step(at, ref, wanted) if ref else None

    def outcome(self, word: Any, known: Collection[str], at: At, key: bool) -> str:
        if word not in known:
            hint = did_you_mean(str(word), known) or "known here: " + ", ".join(known)
            self.wrong(at, f"unknown option '{word}'", hint, key=key)
        return str(word)

    def wanted(self, model: Field, data: Any, at: At, subject: SubjectKind) -> tuple[Wanted, ...]:
        known = _outcomes(model, IN_VALUES, subject)
        if not isinstance(data, dict) or not data:
            self.wrong(at, "values say which names stand for which option", "write {done: [Closed, Resolved]}")
            return ()
        found: dict[tuple[bool, str | bool], Wanted] = {}
        for word, names in data.items():
            self.outcome(word, known, (*at, word), key=True)
            for index, name in enumerate(names if isinstance(names, list) else [names]):
                place: At = (*at, word, index) if isinstance(names, list) else (*at, word)
                one = self.one_wanted(word, name, place)
                if one is None:
                    continue
                same = (one.category, folded(one.value) if isinstance(one.value, str) else one.value)
                if same in found:
                    self.wrong(place, f"'{name}' already stands for {found[same].outcome}", "keep one of the two")
                found.setdefault(same, one)
        return tuple(found.values())

    def one_wanted(self, word: str, name: Any, at: At) -> Wanted | None:
        if isinstance(name, bool):
            return Wanted(word, name, category=False, at=at)
        if isinstance(name, str | int | float) and str(name).strip():
            text = str(name).strip()
            if text.lower().startswith("category="):
                return Wanted(word, text.partition("=")[2].strip(), category=True, at=at)
            return Wanted(word, text, category=False, at=at)
        self.wrong(
            at, "a name of the tool is missing here", "write a name, a list of names, category=..., true or false"
        )
        return None

    def links(self, data: Any) -> tuple[LinkRule, ...]:
        rules: list[LinkRule] = []
        for name, value in self.section(data, ("links",), LINK_TYPES).items():
            if name in LINK_TYPES:
                for index, item in enumerate(value if isinstance(value, list) else [value]):
                    at: At = ("links", name, index) if isinstance(value, list) else ("links", name)
                    rule = self.link(name, item, at)
                    if rule:
                        rules.append(rule)
        return tuple(rules)

    def link(self, name: str, data: Any, at: At) -> LinkRule | None:
        if not isinstance(data, dict) or set(data) == {"custom"}:
            ref = self.ref(data, at, "task")
            return LinkRule(name, ref, at) if ref else None
        section = self.section(data, at, ("type", "direction"))
        kind, direction = section.get("type"), section.get("direction", "outward")
        if not isinstance(kind, str | int) or isinstance(kind, bool) or not str(kind).strip():
            self.wrong(at, "a link without a type", "write {type: Blocks, direction: outward}")
            return None
        if direction not in ("outward", "inward"):
            self.wrong(
                (*at, "direction"), f"unknown direction '{direction}'", "direction: outward, or direction: inward"
            )
            return None
        side = cast(Literal["outward", "inward"], direction)
        return LinkRule(name, Ref(LINK_FIELD, False, "task", at), at, str(kind).strip(), side)


def _outcomes(model: Field, more: Collection[str], subject: SubjectKind) -> tuple[str, ...]:
    """The words that a step may name."""
    return (*model.options, *(word for word in more if subject == "task" or word not in OF_TASKS))
