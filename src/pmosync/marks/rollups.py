"""The marks of rollups: what stands in the tools about a project, a program or a portfolio as a whole.

A rollup that stands is written anew by `reconcile`, and by `sync` only when its health, what decides it, or what is
missing for the next gate changed: the counts in it move with every task. In a slot that rests, which tells its
followers, even `reconcile` writes only then. A rollup whose projects were not all observed is left as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, or_, select

from pmosync.contract import SlotKind, canonical
from pmosync.marks.flags import FORMAT, Flagged, dated, json_flag
from pmosync.store.tables import container, mark, site
from pmosync.workdays import Workdays

Home = Callable[[str, SlotKind, str], str | None]
"""Where a slot of a site is for the rollup of this id; None: nowhere."""
TITLE = 250
"""Most characters of the title of a page or an update."""
_GATE = r"(?:Missing|Nothing is missing) for "
"""How what is told of a gate begins, see `_before`."""


class Told(Protocol):
    """What a rollup has to tell, e.g. `rollup.Rollup`."""

    @property
    def id(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def numbers(self) -> tuple[int, ...]: ...
    @property
    def observed(self) -> bool: ...
    @property
    def seq(self) -> int: ...
    def measures(self) -> dict[str, Any]: ...


def rollup_rows(
    connection: Connection,
    findings: Mapping[int, list[Flagged]],
    rollups: Sequence[Told],
    workdays: Workdays,
    slots: Callable[[str, str], Sequence[SlotKind]],
    home: Home,
    all_rollups: bool,
    guidance: str,
) -> Iterator[dict[str, Any]]:
    """Rows of `wanted` for every slot of every rollup.

    Args:
        findings: about projects themselves, by their number in the store.
    """
    writer = _Writer(rollups, findings, workdays, guidance)
    standing = {
        (row.site, row.subject, row.rid, row.slot): (row.there, row.wrote)
        for row in connection.execute(
            select(mark).where(
                mark.c.subject.in_(("project", "rollup")), or_(mark.c.there.is_not(None), mark.c.wrote.is_not(None))
            )
        )
    }
    for name, rid, slot, told, place in _places(connection, rollups, slots, home):
        there, wrote = standing.get((name, slot.subject, rid, slot.name), (None, None))
        value = writer.text(told, slot) if told.observed else there
        if value and _as_told(value, slot, there, wrote, all_rollups):
            value = there
        if value is not None:
            row = {"site": name, "subject": slot.subject, "rid": rid, "slot": slot.name, "value": value}
            yield {**row, "place": place, "title": told.title, "seq": told.seq}


def _as_told(value: str, slot: SlotKind, there: str | None, wrote: str | None, all_rollups: bool) -> bool:
    """Whether a slot is left as it is because it tells this health, what decides it, and this gate already.

    Where a slot rests, what we told there last counts as well: whoever took it away or edited it has read it.
    """
    told = _decides(value, slot.form)
    known = [there, wrote] if slot.rest_days else [] if all_rollups else [there]
    return told[0] != "" and told in [_decides(one, slot.form) for one in known if one is not None]


def _places(
    connection: Connection,
    rollups: Sequence[Told],
    slots: Callable[[str, str], Sequence[SlotKind]],
    home: Home,
) -> Iterator[tuple[str, str, SlotKind, Told, str]]:
    """Every slot with the rollup that it shows: site, the record that it is on, and its home."""
    by_number = {told.numbers[0]: told for told in rollups if told.level == "project"}
    rows = select(container.c.site, container.c.rid, container.c.project_id).order_by(container.c.record_id)
    for name, rid, number in connection.execute(rows).all():
        for slot in slots(name, "project"):
            yield name, rid, slot, by_number[number], ""
    for name in connection.scalars(select(site.c.name).order_by(site.c.name)).all():
        for slot in slots(name, "rollup"):
            for told in rollups:
                place = home(name, slot, told.id)
                if place is not None:
                    yield name, told.id if slot.home == "container" else place, slot, told, place


class _Writer:
    """Puts rollups into words and numbers."""

    def __init__(
        self, rollups: Sequence[Told], findings: Mapping[int, list[Flagged]], workdays: Workdays, guidance: str
    ) -> None:
        self._rollups, self._findings, self._workdays, self._guidance = rollups, findings, workdays, guidance

    def text(self, told: Told, slot: SlotKind) -> str | None:
        """A rollup in the form of a slot."""
        measures = told.measures()
        match slot.form:
            case "json":
                own = self._own(told)
                flag = json_flag(own, slot.limit, self._workdays, self._guidance) if own else '{"findings": []}'
                told_of = orjson.loads(flag)["findings"]
                return canonical({"format": FORMAT, "measures": measures, "findings": told_of})
            case "word":
                return measures["worst"]  # type: ignore[no-any-return]
            case "text":
                return _in_words(measures)[: slot.limit]
            case "page":
                return self._page(told, measures, slot.limit)
            case "update":
                return _update(told, measures, slot.limit) if measures["health"] != "grey" else None
            case _:
                return _numbers(measures)

    def _own(self, told: Told) -> list[Flagged]:
        """The findings about the project itself."""
        return self._findings.get(told.numbers[0], []) if told.level == "project" else []

    def _page(self, told: Told, measures: Mapping[str, Any], limit: int) -> str:
        """A page for people; what does not fit goes from the end, whole lines at a time."""
        lines = [_title(told, measures), *_healths(measures)]
        lines += ["# Figures", *(f"- {one}" for one in _figures(measures)), "# What the health is made of"]
        lines += [
            f"- {name.capitalize()}: {_known(one['colour'])}. {_sentence(one['reason'])}"
            for name, one in measures["dimensions"].items()
        ]
        lines += _gate(measures)
        lines += self._members(told)
        lines += [f"- {dated(one, self._workdays)}: {one.standard.fix}" for one in self._own(told)]
        lines = [_line(one) for one in lines]
        while len("\n".join(lines)) > limit:
            lines.pop()
        return "\n".join(lines)

    def _members(self, told: Told) -> list[str]:
        """What a program or portfolio is made of; the heading of what a project itself lacks."""
        if told.level == "project":
            return ["# Findings about the project itself"] if self._own(told) else []
        lines = ["# What it is made of"]
        for one in self._rollups:
            if one.parent == told.id:
                measures = one.measures()
                progress = f", {measures['progress']:.0%} done" if measures["progress"] is not None else ""
                lines.append(
                    f"- {one.title} ({one.level}): {measures['health']}{progress}, {measures['open']} open, "
                    f"{measures['late']} late, {sum(measures['findings'].values())} findings"
                )
        return lines


def _gate(measures: Mapping[str, Any]) -> list[str]:
    """What a project still misses for its next gate, under a heading; nothing where it has none ahead."""
    gate = measures.get("gate")
    if gate is None:
        return []
    return [f"# {_before(gate)}", *(f"- {_sentence(one)}" for one in gate["missing"])]


def _before(gate: Mapping[str, Any]) -> str:
    """How a project stands before a gate, in one line."""
    named = f"{gate['id']} {gate['title']}"
    if gate["state"] not in ("missing", "ready"):
        named += f" ({gate['state'].replace('_', ' ')})"
    if gate["missing"]:
        return f"Missing for {named}"
    decides = f", to be decided by {gate['decides']}" if gate["decides"] else ""
    return f"Nothing is missing for {named}{decides}"


def _update(told: Told, measures: Mapping[str, Any], limit: int) -> str:
    """News for those who follow it; what does not fit goes from the end, whole lines at a time."""
    lines = [_line(one) for one in (*_healths(measures), *_figures(measures))]
    while len("\n".join(lines)) > limit:
        lines.pop()
    return canonical({"health": measures["health"], "lines": lines, "title": _title(told, measures)})


def _title(told: Told, measures: Mapping[str, Any]) -> str:
    return _line(f"PMO status: {told.title}: {measures['health']}")[:TITLE]


def _healths(measures: Mapping[str, Any]) -> list[str]:
    """The computed health with its reason, and beside it the reported one."""
    lines = [f"Health: {measures['health']}. {_sentence(measures['reason'])}"]
    if measures["reported"]:
        lines.append(f"Reported: {measures['reported']}{_gap(measures['difference'])}.")
    return lines


def _figures(measures: Mapping[str, Any]) -> list[str]:
    progress = [f"{measures['progress']:.0%} by count"] if measures["progress"] is not None else []
    progress += [f"{measures['progress_effort']:.0%} by effort"] if measures["progress_effort"] is not None else []
    findings = ", ".join(f"{count} {severity}" for severity, count in measures["findings"].items())
    apart = {
        "waived": "waived",
        "accepted": "accepted",
        "escalated": "for the project lead",
        "blocking": "block the gate",
    }
    rest = "".join(f"; {measures[name]} {words}" for name, words in apart.items() if measures[name])
    counts = f"{measures['done']} done, {measures['cancelled']} cancelled, {measures['open']} open"
    lines = [
        f"Tasks: {measures['tasks']}, of them {counts} ({measures['late']} late, {measures['blocked']} blocked)",
        f"Progress: {', '.join(progress) or 'not known: no tasks'}",
        f"Findings: {findings or 'none'}{rest}",
    ]
    if measures["compliance"] is not None:
        lines.append(f"Compliance: {measures['compliance']:.0%} of the tasks have no finding")
    lines.append(f"Observed: {measures['observed_tasks']} of {measures['tasks']} tasks")
    return lines


def _numbers(measures: Mapping[str, Any]) -> str:
    """What goes into one tool field each."""
    return canonical(
        {
            "health": measures["health"],
            "reason": _reason(measures)[:1000],
            "progress": measures["progress"],
            "open": measures["open"],
            "late": measures["late"],
            "findings": sum(measures["findings"].values()),
            "compliance": measures["compliance"],
            "worst": measures["worst"] or "none",
        }
    )


def _reason(measures: Mapping[str, Any]) -> str:
    """What decides the health, and what is missing for the next gate: both stand in one field."""
    gate = measures.get("gate")
    if gate is None:
        return str(measures["reason"])
    missing = ": " + "; ".join(gate["missing"]) if gate["missing"] else ""
    return f"{_sentence(measures['reason'])} {_before(gate)}{missing}."


def _in_words(measures: Mapping[str, Any]) -> str:
    parts = [f"{measures['open']} open, {measures['late']} late, {measures['done']} done of {measures['tasks']} tasks"]
    parts += [f"{count} {severity}" for severity, count in measures["findings"].items()]
    return "; ".join(parts)


def _decides(text: str, form: str) -> tuple[str, Any]:
    """The health that a rollup tells with what decides it, and what it says of the next gate."""
    return _health(text, form), _gate_told(text, form)


def _gate_told(text: str, form: str) -> Any:
    """What a rollup says of the next gate, read from its text; None where it says nothing."""
    if form == "page":
        found = re.search(rf"^# {_GATE}.*(?:\n- .*)*", text, re.MULTILINE)
        return found and found[0]
    try:
        told = orjson.loads(text)
        if "measures" in told:
            return told["measures"].get("gate")
        found = re.search(rf"(?:^|\. ){_GATE}.*", str(told.get("reason", "")))
        return found and found[0]
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return None


def _health(text: str, form: str) -> str:
    """The health that a rollup tells, and what decides it: a dimension, or a member; empty where it tells none."""
    if form == "page":
        lines = text.split("\n")
        return _said(lines[1] if len(lines) > 1 else "")
    try:
        told = orjson.loads(text)
        if form == "update":
            return _said(told["lines"][0])
        told = told.get("measures", told)
        return f"{told['health']}. {told['reason'].partition(':')[0]}".casefold()
    except (orjson.JSONDecodeError, AttributeError, KeyError, IndexError, TypeError):
        return ""


def _said(line: str) -> str:
    """The same from the line that says it in words: `Health: red. Time: 3 of 9 tasks ...`."""
    return line.partition(":")[2].partition(":")[0].casefold()


def _gap(difference: str | None) -> str:
    return {"better": ", better than the data says", "worse": ", worse than the data says"}.get(difference or "", "")


def _known(colour: str) -> str:
    return "not known" if colour == "grey" else colour


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text[:1].upper()}{text[1:]}."


def _line(text: str) -> str:
    """One line, whatever titles and reasons hold."""
    return " ".join(text.split())
