"""Counts the calls that a push would make when nothing is refused.

It keeps the promise that the figure follows the same plan of batches as the push itself; a task that takes its time is
asked for more than once, which nobody knows beforehand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from pmosync.contract import Change, Estimate

from .bulk import PROPERTY, Fields, Item, Kind, blocks, stages
from .comment_slot import SLOT as OUR_COMMENT
from .deployment import FETCHED, Deployment
from .endpoints import (
    BULK_EDIT,
    BULK_FETCH,
    BULK_QUEUE,
    COMMENT,
    COMMENTS,
    ISSUE,
    ISSUE_PROPERTY,
    ISSUE_TYPES,
    ISSUES,
    PROJECT_PROPERTY,
    PROPERTIES,
    PROPERTIES_EACH,
    PROPERTIES_GONE,
    REMOTE_LINK,
    SEARCH,
    SEARCH_BY_OFFSET,
    TASK,
)
from .remote_links import SLOT as LINK

_STARTS: dict[Kind, str] = {
    "same": f"POST {PROPERTIES}",
    "each": f"POST {PROPERTIES_EACH}",
    "delete": f"DELETE {PROPERTIES_GONE}",
    "edit": f"POST {BULK_EDIT}",
}


def cost(
    changes: Sequence[Change],
    single: Sequence[Item],
    together: Sequence[Item],
    fields: Fields,
    deployment: Deployment,
    status: Collection[str] = (),
) -> Estimate:
    """The calls that pushing these changes makes.

    Args:
        single: the issues that are edited one by one.
        together: those that go in bulk.
        status: the rollups that have a status issue, as far as that is known.
    """
    calls = _of_rollups([change for change in changes if change.slot.subject == "rollup"], deployment, status)
    for change in changes:
        if change.slot.subject == "project":
            calls[f"{_verb(change)} {PROJECT_PROPERTY}"] += 1
        elif change.slot.name == LINK:
            calls[f"{'DELETE' if change.after is None else 'POST'} {REMOTE_LINK}"] += 1
        elif change.slot.name == OUR_COMMENT:
            calls += _of_comment(change)
    for item in single:
        prop = item.of(PROPERTY)
        calls[f"PUT {ISSUE}"] += bool(item.edits)
        if prop and not (item.edits and prop.after is not None):
            calls[f"{_verb(prop)} {ISSUE_PROPERTY}"] += 1
    calls += _in_bulk(together, fields)
    return Estimate({name.replace(" ", f" {deployment.api}"): count for name, count in calls.items() if count})


def _in_bulk(items: Sequence[Item], fields: Fields) -> Counter[str]:
    """Each operation, one question about it, and a look at its issues afterwards."""
    calls: Counter[str] = Counter()
    for block in blocks(items, fields):
        planned = stages(block, fields)
        for change in planned.alone:
            calls[f"{_verb(change)} {ISSUE_PROPERTY}"] += 1
        touched: set[str] = set()
        for operation in (one for stage in planned.stages for one in stage):
            calls[_STARTS[operation.kind]] += 1
            calls[f"GET {BULK_QUEUE if operation.kind == 'edit' else TASK}"] += 1
            touched.update(operation.issues)
        calls[f"POST {BULK_FETCH}"] += -(-len(touched) // FETCHED)
    return calls


def _of_comment(change: Change) -> Counter[str]:
    """All comments of the issue are looked at first."""
    calls: Counter[str] = Counter({f"GET {COMMENTS}": 1})
    if change.before is None and change.after is not None:
        calls[f"POST {COMMENTS}"] += 1
    else:
        calls[f"{_verb(change)} {COMMENT}"] += 1
    return calls


def _of_rollups(changes: Sequence[Change], deployment: Deployment, status: Collection[str]) -> Counter[str]:
    """One look for all of them; to clear one is also to see whether people wrote there."""
    calls: Counter[str] = Counter()
    if not changes:
        return calls
    there = {change.slot.id for change in changes if change.before is not None} | set(status)
    made = [change for change in changes if change.after is not None and change.slot.id not in there]
    calls[f"POST {SEARCH if deployment.bulk else SEARCH_BY_OFFSET}"] = 1
    calls[f"POST {BULK_FETCH if deployment.bulk else SEARCH_BY_OFFSET}"] += -(-len(there) // FETCHED)
    calls[f"GET {ISSUE_TYPES}"] = len({change.project for change in made})
    calls[f"POST {ISSUES}"] = len(made)
    for change in changes:
        if change.slot.id in there:
            calls[f"PUT {ISSUE}"] += change.after is not None
            calls[f"GET {ISSUE}"] += change.after is None
            calls[f"DELETE {ISSUE}"] += change.after is None
    return calls


def _verb(change: Change) -> str:
    return "DELETE" if change.after is None else "PUT"
