"""Joins the accounts of all sites to people: by e-mail, or as the people file says. Never by a display name.

Whoever changed is touched, and so are the tasks of those whose accounts or absences did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, literal, select, update

from pmosync.normalise.stored import chunks
from pmosync.normalise.touching import touch, touch_ids
from pmosync.people import Person, Staff
from pmosync.store import insert_all
from pmosync.store.people import absence, account, human
from pmosync.store.tables import person, site, task
from pmosync.workdays import day_number

Account = tuple[str, str]
"""A site, and the tool's id of an account there."""
Absences = Mapping[int, frozenset[tuple[int, int]]]


def humans(connection: Connection, staff: Staff) -> None:
    """Bring people up to date with the accounts that the tools show and with the people file: all, for they are few."""
    home = connection.scalar(select(func.min(site.c.name)))
    if home is None:
        return
    rows, accounts = _joined(connection, staff, home)
    ids = _store(connection, rows)
    _own(connection, {key: ids[uid] for key, uid in accounts.items()}, {ids[one.email] for one in staff.persons})
    _away(connection, {ids[one.email]: one for one in staff.persons})


def _joined(connection: Connection, staff: Staff, home: str) -> tuple[dict[str, dict[str, Any]], dict[Account, str]]:
    """Everybody by uid, and whose each account is."""
    told = {(name, rid): one.email for one in staff.persons for name, rid in one.accounts.items()}
    rows = {one.email: _listed(one, staff, home) for one in staff.persons}
    accounts: dict[Account, str] = dict(told)
    for name, rid in told:
        rows[told[name, rid]]["sites"].add(name)
    for found in connection.execute(select(person).order_by(person.c.site, person.c.rid)):
        key = (found.site, found.rid)
        uid = told.get(key) or (found.email or "").strip().lower() or f"{found.site}/{found.rid}"
        row = rows.setdefault(uid, _unlisted(uid, staff))
        row["sites"].add(found.site)
        row["title"] = row["title"] or found.name
        if found.active is not None:
            row["active"] = max(row["active"] or 0, found.active)
        accounts[key] = uid
    for row in rows.values():
        row["site"] = min(row.pop("sites"), default=home)
    return rows, accounts


def _unlisted(uid: str, staff: Staff) -> dict[str, Any]:
    return {
        "uid": uid,
        "key": uid,
        "title": None,
        "sites": set(),
        "active": None,
        "listed": 0,
        "role": None,
        "hours_per_week": staff.hours_per_week,
        "days_per_week": staff.days_per_week,
        "training_valid_until_on": None,
    }


def _listed(one: Person, staff: Staff, home: str) -> dict[str, Any]:
    row = _unlisted(one.email, staff) | {"listed": 1, "role": one.works_as}
    if one.hours_per_week is not None:
        row["hours_per_week"] = one.hours_per_week
    if one.training_valid_until is not None:
        row["training_valid_until_on"] = day_number(one.training_valid_until)
    return row


def _store(connection: Connection, rows: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    """Keep the rows that changed; returns everybody's number."""
    names = [column.name for column in human.c if column.name not in ("id", "url")]
    before = {found.uid: found for found in connection.execute(select(human))}
    gone = [found.id for uid, found in before.items() if uid not in rows]
    connection.execute(delete(human).where(human.c.id.in_(gone)))
    moved = [
        uid
        for uid, row in rows.items()
        if uid in before and any(getattr(before[uid], name) != row[name] for name in names)
    ]
    insert_all(connection, human, [row for uid, row in rows.items() if uid not in before])
    if moved:
        values: dict[str, Any] = {name: bindparam(f"b_{name}") for name in names}
        changed = [{f"b_{name}": rows[uid][name] for name in names} for uid in moved]
        connection.execute(update(human).where(human.c.uid == bindparam("b_uid")).values(**values), changed)
    ids = {row.uid: row.id for row in connection.execute(select(human.c.uid, human.c.id))}
    touch_ids(
        connection, "person", [*gone, *(ids[uid] for uid in rows if uid not in before), *(ids[uid] for uid in moved)]
    )
    return ids


def _own(connection: Connection, owners: Mapping[Account, int], listed: Collection[int]) -> None:
    """Keep whose account it is; who lost or got one is looked at again, and the tasks of an account whose owner the
    people file knows, or knew."""
    before = {(row.site, row.rid): row.human_id for row in connection.execute(select(account))}
    moved = [key for key in before.keys() | owners.keys() if before.get(key) != owners.get(key)]
    for name, rid in before.keys() & set(moved):
        connection.execute(delete(account).where(account.c.site == name, account.c.rid == rid))
    new = [{"site": name, "rid": rid, "human_id": owners[name, rid]} for name, rid in moved if (name, rid) in owners]
    insert_all(connection, account, new)
    touch_ids(connection, "person", sorted({every[key] for every in (before, owners) for key in moved if key in every}))
    known = {*listed, *connection.scalars(select(absence.c.human_id).distinct())}
    _touch_tasks(connection, [key for key in moved if {before.get(key), owners.get(key)} & known])


def _away(connection: Connection, listed: Mapping[int, Person]) -> None:
    """Keep when people are away; the tasks of those for whom that changed are looked at again."""
    before = _absences(connection.execute(select(absence.c.human_id, absence.c.start_on, absence.c.end_on)))
    now = _absences(
        (number, day_number(first), day_number(last)) for number, one in listed.items() for first, last in one.absences
    )
    moved = [number for number in before.keys() | now.keys() if before.get(number) != now.get(number)]
    if not moved:
        return
    connection.execute(delete(absence).where(absence.c.human_id.in_(moved)))
    rows = [
        {"human_id": number, "start_on": first, "end_on": last}
        for number in moved
        for first, last in sorted(now.get(number, ()))
    ]
    insert_all(connection, absence, rows)
    touch_ids(connection, "person", moved)
    theirs = connection.execute(select(account.c.site, account.c.rid).where(account.c.human_id.in_(moved)))
    _touch_tasks(connection, [(name, rid) for name, rid in theirs])


def _absences(rows: Iterable[Sequence[Any]]) -> Absences:
    found: dict[int, frozenset[tuple[int, int]]] = {}
    for number, first, last in rows:
        found[number] = found.get(number, frozenset()) | {(first, last)}
    return found


def _touch_tasks(connection: Connection, accounts: Sequence[Account]) -> None:
    for name in {name for name, _ in accounts}:
        for some in chunks([rid for other, rid in accounts if other == name]):
            theirs = and_(task.c.site == name, task.c.assignee.in_(some))
            touch(connection, select(literal("task"), task.c.id, literal(1)).where(theirs), seed=False)
