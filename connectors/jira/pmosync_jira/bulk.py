"""Plans how the marks of many issues travel in few writes: which calls, for which issues, one stage after the other.

It keeps the promise that each of these calls sets a value or takes one of ours away, so that repeating it changes
nothing, and that within a stage no two calls touch the same issue: Jira does not promise an order between its tasks.

| what                                                                | call                            | issues |
|---------------------------------------------------------------------|---------------------------------|--------|
| the same property value on many issues                              | POST /issue/properties          |  1,000 |
| different property values                                           | POST /issue/properties/multi    |    100 |
| the property goes                                                   | DELETE /issue/properties/{key}  |  1,000 |
| a label, an option, a text: the same on each of these issues        | POST /bulk/issues/fields        |  1,000 |
| others of our labels go, where one stood before                     | POST /bulk/issues/fields        |  1,000 |

Everything here is a pure function of what is to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from pmosync.contract import Change

from .marks import LABELS, TASK_PROPERTY, label_of

FROM = 50
"""Issues from which on a push goes in bulk. Below, single edits are as quick (five in flight, no task to wait for) and
say more: why, in the issue's history, and the issue as it is then."""
BLOCK = 1000
"""Issues of one bulk edit: Jira's limit. Issues are written in blocks of so many."""
EACH = 100
"""Issues of one call with different properties: Jira's limit."""

PROPERTY = "property"
EDITED = ("label", "field", "text_field")
"""The slots that are fields of the issue: writing them is an edit, which mails unless it is told not to."""

Kind = Literal["same", "each", "delete", "edit"]


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be written on one issue."""

    id: str
    project: str
    changes: tuple[Change, ...]

    def of(self, slot: str) -> Change | None:
        """The change of one slot."""
        return next((change for change in self.changes if change.slot.name == slot), None)

    @property
    def edits(self) -> tuple[Change, ...]:
        """The changes that edit the issue."""
        return tuple(change for change in self.changes if change.slot.name in EDITED)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call, and what it is to bring about."""

    kind: Kind
    issues: tuple[str, ...]
    body: Mapping[str, Any]
    slots: frozenset[str]
    """The slots that it writes."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The operations of one block. A stage begins when every task of the one before has ended."""

    stages: tuple[tuple[Operation, ...], ...]
    alone: tuple[Change, ...]
    """Properties that are so few that each is written by itself."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Our own fields, as a bulk edit names them."""

    ids: Mapping[str, str]
    """By slot."""
    option: Callable[[str, str], str | None]
    """The id of an option, for a project and a word."""
    document: Callable[[str], Any]


Edit = tuple[str | None, ...]
"""What a bulk edit sets, as the key of its group: see `_edit_of`."""


def divide(
    items: Sequence[Item], fields: Fields, quiet: Callable[[str], bool], *, bulk: bool, edits: bool
) -> tuple[list[Item], list[Item]]:
    """The issues to be edited one by one, and those to be written in bulk.

    Args:
        quiet: whether a single edit in a project need not mail, or may.
        bulk: whether the site has bulk operations.
        edits: whether the account may edit in bulk; properties need no such permission.
    """
    many = len(items) >= FROM
    alike: dict[Edit, int] = {}
    for item in items:
        edit = _edit_of(item, fields)
        alike[edit] = alike.get(edit, 0) + 1
    single: list[Item] = []
    together: list[Item] = []
    for item in items:
        if not bulk or (item.edits and not edits) or not (item.edits or item.of(PROPERTY)):
            here = False
        elif item.edits and not quiet(item.project):
            here = True
        else:
            # A text that few issues share saves nothing in bulk, and the rest of the issue goes along with it; so does
            # an option whose id is not known.
            edit = _edit_of(item, fields)
            shared = item.of("text_field") is None or alike[edit] >= FROM
            here = many and shared and not (item.of("field") and edit[1] is None)
        (together if here else single).append(item)
    return single, together


def blocks(items: Sequence[Item], fields: Fields) -> Iterator[list[Item]]:
    """The issues in blocks, those alike side by side, so that a block needs few operations."""
    ordered = sorted(items, key=lambda item: (_sortable(_edit_of(item, fields)), _value(item), int(item.id)))
    for first in range(0, len(ordered), BLOCK):
        yield ordered[first : first + BLOCK]


def stages(block: Sequence[Item], fields: Fields) -> Stages:
    """The operations for one block: properties, then edits, then what an edit leaves over of our other labels."""
    changes = [change for item in block if (change := item.of(PROPERTY))]
    alone = tuple(changes) if len(changes) < FROM else ()
    properties = () if alone else tuple(_properties(changes))
    return Stages((properties, tuple(_edits(block, fields)), tuple(_rests(block))), alone)


# --- properties -----------------------------------------------------------------------------------------------------


def _properties(changes: Sequence[Change]) -> Iterator[Operation]:
    by_value: dict[str | None, list[Change]] = {}
    for change in changes:
        by_value.setdefault(change.after, []).append(change)
    cleared = by_value.pop(None, [])
    rest: list[Change] = []
    for value, group in by_value.items():
        if value is not None and len(group) > EACH:
            yield same([change.slot.id for change in group], value)
        else:
            rest += group
    yield from each(rest)
    if cleared:
        ids = [change.slot.id for change in cleared]
        yield Operation("delete", tuple(ids), {"entityIds": _numbers(ids)}, frozenset({PROPERTY}))


def same(ids: Sequence[str], value: str) -> Operation:
    """The same property on all of these issues, or on none."""
    body = {"entitiesIds": _numbers(ids), "properties": {TASK_PROPERTY: orjson.loads(value)}}
    return Operation("same", tuple(ids), body, frozenset({PROPERTY}))


def each(changes: Sequence[Change]) -> Iterator[Operation]:
    """A property of its own on each of these issues, as far as Jira lets it."""
    for first in range(0, len(changes), EACH):
        some = changes[first : first + EACH]
        rows = [
            {"issueID": int(change.slot.id), "properties": {TASK_PROPERTY: orjson.loads(change.after)}}
            for change in some
            if change.after is not None
        ]
        ids = tuple(change.slot.id for change in some)
        yield Operation("each", ids, {"issues": rows}, frozenset({PROPERTY}))


# --- edits ----------------------------------------------------------------------------------------------------------

_CLEARED = "-1"
"""The option that empties a select field."""
_NO_EDIT: Edit = (None, None, None)


def _edit_of(item: Item, fields: Fields) -> Edit:
    """What an edit of this issue sets: label, option, text. None: nothing; empty (an option: -1): cleared."""
    label, word, text = (item.of(slot) for slot in EDITED)
    return (
        None if label is None else label.after or "",
        None if word is None else _CLEARED if word.after is None else fields.option(item.project, word.after),
        None if text is None else text.after or "",
    )


def _edits(block: Sequence[Item], fields: Fields) -> Iterator[Operation]:
    groups: dict[Edit, list[str]] = {}
    for item in block:
        groups.setdefault(_edit_of(item, fields), []).append(item.id)
    for edit, ids in groups.items():
        if edit == _NO_EDIT:
            continue
        label, option, text = edit
        asked: dict[str, Any] = {}
        actions = []
        if label is not None:
            actions.append("labels")
            asked["labelsFields"] = [_labels("ADD", [label_of(label)]) if label else _labels("REMOVE", LABELS)]
        if option is not None:
            actions.append(fields.ids["field"])
            asked["singleSelectFields"] = [{"fieldId": fields.ids["field"], "option": {"optionId": int(option)}}]
        if text is not None:
            actions.append(fields.ids["text_field"])
            rich = {"adfValue": fields.document(text)} if text else {}
            asked["richTextFields"] = [{"fieldId": fields.ids["text_field"], "richText": rich}]
        written = frozenset(slot for slot, value in zip(EDITED, edit, strict=True) if value is not None)
        yield Operation("edit", tuple(ids), _edit(ids, actions, asked), written)


def _rests(block: Sequence[Item]) -> Iterator[Operation]:
    """Where another of our labels stood before, the new one has been added beside it: now the others go."""
    groups: dict[str, list[str]] = {}
    for item in block:
        label = item.of("label")
        if label and label.after is not None and label.before is not None:
            groups.setdefault(label.after, []).append(item.id)
    for word, ids in groups.items():
        others = [name for name in LABELS if name != label_of(word)]
        body = _edit(ids, ["labels"], {"labelsFields": [_labels("REMOVE", others)]})
        yield Operation("edit", tuple(ids), body, frozenset({"label"}))


def _edit(ids: Sequence[str], actions: Sequence[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "selectedIssueIdsOrKeys": list(ids),
        "selectedActions": list(actions),
        "editedFieldsInput": dict(asked),
        "sendBulkNotification": False,
    }


def _labels(verb: str, names: Collection[str]) -> dict[str, Any]:
    """Never REPLACE: it takes away what people put there."""
    labels = [{"name": name} for name in names]
    return {"fieldId": "labels", "bulkEditMultiSelectFieldOption": verb, "labels": labels}


def _numbers(ids: Sequence[str]) -> list[int]:
    return [int(one) for one in ids]


def _value(item: Item) -> str:
    change = item.of(PROPERTY)
    return "" if change is None else change.after or ""


def _sortable(edit: Edit) -> tuple[str, ...]:
    return tuple("" if part is None else f"={part}" for part in edit)
