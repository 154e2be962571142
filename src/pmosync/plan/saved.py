"""A plan as a file: saved, read again, and refused when it was edited or what it was made from moved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import orjson

from pmosync.errors import Misconfigured, PlanMoved
from pmosync.plan.lines import Line, Plan


def save(plan: Plan, path: Path) -> str:
    """Write the plan as JSON lines: basis, changes in order, and a checksum over slots and values; returns it."""
    checksum = digest(plan.changes)
    lines = [orjson.dumps({"basis": plan.basis, "subjects": plan.subjects, "setup": plan.setup})]
    lines += [orjson.dumps(asdict(line)) for line in plan.changes]
    lines.append(orjson.dumps({"changes": len(plan.changes), "sha256": checksum}))
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(b"\n".join(lines) + b"\n")
        file.flush()
    temporary.replace(path)
    return checksum


def load(path: Path) -> Plan:
    """Read a saved plan.

    Raises:
        Misconfigured: it is no plan, was cut off, or was edited.
    """
    again = "make it anew with `pmosync plan --out FILE`"
    try:
        head, *body, tail = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        changes = [Line(**line) for line in body]
        end = (tail["changes"], tail["sha256"])
        plan = Plan(changes, [], head["basis"], head["subjects"], head["setup"])
    except OSError as error:
        raise Misconfigured(f"cannot be read ({error.strerror})", where=str(path), hint=again) from error
    except (ValueError, TypeError, KeyError, orjson.JSONDecodeError) as error:
        raise Misconfigured("is no saved plan", where=str(path), hint=again) from error
    if end != (len(changes), digest(changes)):
        raise Misconfigured("was changed or cut off after it was saved", where=str(path), hint=again)
    return plan


def digest(lines: Iterable[Line]) -> str:
    """SHA-256 over slot, before and after of every change; not over causes, which age."""
    found = hashlib.sha256()
    for line in lines:
        found.update(orjson.dumps([line.site, line.subject, line.rid, line.slot, line.before, line.after]))
    return found.hexdigest()


def same_basis(saved: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse a saved plan that was made from other standards, mappings, waivers or another calendar.

    Raises:
        PlanMoved: naming what moved.
    """
    moved = sorted(name for name in saved.keys() | now.keys() if saved.get(name) != now.get(name))
    if moved:
        raise PlanMoved(
            f"the plan was made from another {', '.join(moved)}: nothing was written. Make it anew with `pmosync plan`"
        )
