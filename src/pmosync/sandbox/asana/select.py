"""Writes Asana's answers: the properties a client asked for in `opt_fields`, one record or one page of a list.

Nothing is in an answer that was not asked for, an unknown property is silently absent, and an offset is good only for
the list that gave it: this is how the vendor behaves, and where clients go wrong.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from werkzeug.wrappers import Response

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.asana.shapes import COMPACT, KINDS, NAME_ONLY, ordinary
from pmosync.sandbox.asana.views import ABSENT, Ref, View
from pmosync.sandbox.call import Call

Tree = dict[str, Any]
MAX_LIMIT = 100
MAX_UNPAGED = 1000
OFFSET_LIFE = timedelta(minutes=15)
GROUP = re.compile(r"^(.*?)\(([^()]*)\)(.*)$")
ABOUT_THE_PAGE = ("limit", "offset", "opt_fields", "opt_pretty")


def data(call: Call) -> dict[str, Any]:
    """What a writing call sends in `data`."""
    body = call.body
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        raise bad('Could not parse request data, invalid JSON: a body {"data": {...}} is expected')
    return dict(body["data"])


def required(call: Call, name: str) -> Any:
    value = data(call).get(name)
    if value is None:
        raise bad(f"{name}: Missing input")
    return value


def wanted(call: Call) -> Tree | None:
    """The properties asked for, as a tree of names; None when the client names none."""
    text = call.query.get("opt_fields")
    if text is None and isinstance(call.body, dict):
        named = (call.body.get("options") or {}).get("fields")
        text = ",".join(named) if isinstance(named, list) else named
    return None if text is None else tree(text)


def tree(text: str) -> Tree:
    """`a,b.c,d.(e|f).g` as nested names."""
    found: Tree = {}
    for path in (part.strip() for part in _parts(text)):
        for plain in _ungrouped(path.removeprefix("this.")):
            at = found
            for name in filter(None, plain.split(".")):
                at = at.setdefault(name, {})
    return found


def _parts(text: str) -> list[str]:
    return re.split(r",(?![^(]*\))", text)


def _ungrouped(path: str) -> list[str]:
    match = GROUP.match(path)
    if not match:
        return [path]
    before, names, after = match.groups()
    return [plain for name in re.split(r"[|,]", names) for plain in _ungrouped(before + name + after)]


def compact(view: View, ref: Ref) -> dict[str, Any]:
    """The short record: gid, type and name."""
    return _record(view, ref, dict.fromkeys(COMPACT.get(ref.kind, NAME_ONLY)), typed=True)


def full(view: View, ref: Ref) -> dict[str, Any]:
    """The record of a single thing when no properties are named."""
    return _record(view, ref, dict.fromkeys(ordinary(ref.kind)), typed=True)


def selected(view: View, ref: Ref, names: Tree) -> dict[str, Any]:
    """The properties named, and the gid."""
    return _record(view, ref, names, typed="resource_type" in names)


def _record(view: View, ref: Ref, names: Tree, *, typed: bool) -> dict[str, Any]:
    if ref.kind == "custom_field":
        record: dict[str, Any] = _of_dict(view, view.definition(ref.gid), names)
        return record
    row = view.row(ref)
    out: dict[str, Any] = {"gid": ref.gid}
    if typed:
        out["resource_type"] = ref.kind
    for name, below in names.items():
        getter = KINDS[ref.kind].get(name)
        if getter is not None and row is not None:
            value = getter(view, row)
            if value is not ABSENT:
                out[name] = _value(view, value, below)
    return out


def _value(view: View, value: Any, below: Tree | None) -> Any:
    """`below` None: nothing was named at all, so nested things are compact; {}: only this property was named."""
    if isinstance(value, Ref):
        if below is None:
            return compact(view, value)
        return _record(view, value, below, typed=not below or "resource_type" in below)
    if isinstance(value, list):
        return [_value(view, item, below) for item in value]
    if isinstance(value, dict):
        return _of_dict(view, value, below)
    return value


def _of_dict(view: View, value: dict[str, Any], below: Tree | None) -> dict[str, Any]:
    if not below:
        return {name: _value(view, item, below) for name, item in value.items()}
    out = {"gid": value["gid"]} if "gid" in value else {}
    for name, deeper in below.items():
        if name in value:
            out[name] = _value(view, value[name], deeper)
    return out


def view_of(call: Call) -> View:
    return View(call.state, call.request.host_url.rstrip("/"), str(call.user.get("gid", "")))


def one(call: Call, kind: str, gid: str, status: int = 200) -> Response:
    """A single record."""
    view, names = view_of(call), wanted(call)
    if kind == "custom_field" and names is None:
        return json_answer({"data": view.definition(gid)}, status)
    ref = Ref(kind, gid)
    return json_answer({"data": full(view, ref) if names is None else selected(view, ref, names)}, status)


def nothing() -> Response:
    """What Asana answers when there is nothing to tell."""
    return json_answer({"data": {}})


def listing(
    call: Call,
    kind: str,
    gids: Sequence[str],
    kinds: Mapping[str, str] | None = None,
    told: Container[str] | None = None,
) -> Response:
    """One page of a list, or all of it when the client sets no limit; `kinds` names what is of another kind.

    Where the vendor's lists tell less than single records do, `told` are the properties that they know.
    """
    view, names = view_of(call), wanted(call)
    if names is not None and told is not None:
        names = {name: below for name, below in names.items() if name in told}
    chosen, next_page = _page(call, gids)
    if kind == "custom_field":
        records = [
            view.definition(gid) if names is None else _of_dict(view, view.definition(gid), names) for gid in chosen
        ]
    else:
        refs = [Ref((kinds or {}).get(gid, kind), gid) for gid in chosen]
        records = [compact(view, ref) if names is None else selected(view, ref, names) for ref in refs]
    body: dict[str, Any] = {"data": records}
    if "limit" in call.query:
        body["next_page"] = next_page
    return json_answer(body)


def record(call: Call, found: dict[str, Any]) -> Response:
    """A single record that is no thing of its own."""
    return json_answer({"data": _of_dict(view_of(call), found, wanted(call))})


def records(call: Call, found: Sequence[dict[str, Any]]) -> Response:
    """One page of records that are no things of their own."""
    names = wanted(call)
    view = view_of(call)
    by_gid = {record["gid"]: record for record in found}
    chosen, next_page = _page(call, list(by_gid))
    body: dict[str, Any] = {"data": [_of_dict(view, by_gid[gid], names) for gid in chosen]}
    if "limit" in call.query:
        body["next_page"] = next_page
    return json_answer(body)


def _page(call: Call, gids: Sequence[str]) -> tuple[Sequence[str], dict[str, str] | None]:
    limit = _limit(call)
    start = _start(call, gids)
    if limit is None:
        if len(gids) - start > MAX_UNPAGED:
            raise bad("The result is too large. You should use pagination (may require specifying a workspace)!")
        return gids[start:], None
    chosen = gids[start : start + limit]
    if start + limit >= len(gids):
        return chosen, None
    offset = seal_token([_list_id(call), start + limit, chosen[-1], call.state.now().isoformat()])
    query = {**{k: v for k, v in call.query.items() if k != "offset"}, "offset": offset}
    path = _path(call).removeprefix("/api/1.0") + "?" + urlencode(query)
    return chosen, {"offset": offset, "path": path, "uri": f"{call.request.host_url}api/1.0{path}"}


def _limit(call: Call) -> int | None:
    text = call.query.get("limit")
    if text is None:
        return None
    if not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise bad(f"limit: Must be between 1 and {MAX_LIMIT}, inclusive.")
    return int(text)


def _start(call: Call, gids: Sequence[str]) -> int:
    offset = call.query.get("offset")
    if offset is None:
        return 0
    try:
        listed, index, last, issued = read_token(offset)
    except (ValueError, TypeError) as error:
        raise bad("offset: Your pagination token is invalid.") from error
    if listed != _list_id(call):
        raise bad("offset: Your pagination token is invalid.")
    if call.state.now() - datetime.fromisoformat(issued) > OFFSET_LIFE:
        raise bad("offset: Your pagination token has expired.")
    # The place is that of the last thing shown, so nothing is skipped when an earlier one was removed meanwhile.
    return gids.index(last) + 1 if last in gids else min(int(index), len(gids))


def _list_id(call: Call) -> str:
    asked = {k: v for k, v in call.query.items() if k not in ABOUT_THE_PAGE}
    return hashlib.sha256(f"{_path(call)} {sorted(asked.items())}".encode()).hexdigest()[:16]


def _path(call: Call) -> str:
    return call.template.format(**call.args)


def seal_token(parts: list[Any]) -> str:
    payload = orjson.dumps(parts)
    return base64.urlsafe_b64encode(_seal(payload) + payload).decode().rstrip("=")


def read_token(token: str) -> list[Any]:
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    if raw[:8] != _seal(raw[8:]):
        raise ValueError("not a token of this server")
    parts: list[Any] = orjson.loads(raw[8:])
    return parts


def _seal(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=8, key=b"asana sandbox").digest()
