"""Brings the time of people that is promised to projects, from the workspace's one list of it.

It keeps the promise that only a list which was read to its end says what is no longer promised, and that a plan
without allocations makes the scope `allocations` unobserved, never empty.

A hundred allocations cost one call; where Asana wants a project named, each project costs one, ten in a round trip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pmosync.contract import Batch, Duration, Record, Reference, Value
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import PAGE, Api, Asked

Json = dict[str, Any]

SCOPE = "allocations"
FIELDS = decode.fields("start_date,end_date,effort.(type|value),parent.gid,assignee")
NOT_IN_PLAN = (
    "Asana's answer is that this workspace has no capacity planning: it takes a higher plan. Take `allocations` out of "
    "`read` in the mapping, or change the plan"
)


def allocations(api: Api, workspace: str, projects: Sequence[str]) -> Batch:
    """Every allocation to these projects; the same in a whole pull and in between, because one list tells all."""
    wanted = set(projects)
    try:
        found = _in_workspace(api, workspace, projects)
    except (Refused, Unreadable) as no:
        return Batch((SCOPE,), "unobserved", why=_why(no))
    records = [decoded(item) for item in found if (item.get("parent") or {}).get("gid") in wanted]
    census = [record.id for record in records]
    return Batch((SCOPE,), "complete", records, kinds=("allocation",), census=census)


def _in_workspace(api: Api, workspace: str, projects: Sequence[str]) -> list[Json]:
    """The workspace's list. The document allows to ask for it; if Asana wants more than a workspace, it says so."""
    try:
        return api.every(Asked("/allocations", FIELDS, query={"workspace": workspace}))
    except Refused as refusal:
        if refusal.status != 400:
            raise
    return [item for items in _in_projects(api, projects) for item in items]


def _in_projects(api: Api, projects: Sequence[str]) -> Iterator[list[Json]]:
    asked = [Asked("/allocations", FIELDS, PAGE, {"parent": gid}) for gid in projects]
    for question, body in zip(asked, api.each(asked), strict=True):
        yield api.to_its_end(question, body)


def decoded(found: Json) -> Record:
    """The record of an allocation; a placeholder is nobody.

    Hours are taken for those of a week: the document does not say it, but Asana shows and plans them so.
    """
    effort, assignee = found.get("effort") or {}, found.get("assignee") or {}
    amount, unit = effort.get("value"), effort.get("type")
    nobody = assignee.get("resource_type", "user") != "user"
    values: dict[str, Value] = {
        "project": Reference("project", found["parent"]["gid"]),
        "person": None if nobody else decode.person(assignee),
        "start_on": decode.day(found.get("start_date")),
        "end_on": decode.day(found.get("end_date")),
        "share": amount / 100 if amount is not None and unit == "percent" else None,
        "weekly": Duration(amount * 3600.0) if amount is not None and unit == "hours" else None,
    }
    gid = found["gid"]
    return Record("allocation", gid, gid, "", decode.short(values), (SCOPE,), values)


def _why(no: Exception) -> str:
    if isinstance(no, Refused) and no.status == 402:
        return f"The allocations could not be read: {NOT_IN_PLAN}."
    rights = "let the account see the workspace's capacity, or take `allocations` out of `read` in the mapping"
    return f"The allocations could not be read: {str(no).rstrip('.')}. The next run tries again; if it stays, {rights}."
