"""What `jira820`, a Data Center 8.20 that others wrote, lacks of the calls that we make, and what is answered then."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .gateway import Asked, Direct, Fill, Gap

API = "/rest/api/2"
CAP = 100
"""Rows of one answer to a search: administrators of real servers set such a limit."""


@dataclass
class Kept:
    """What it forgets: properties of issues, projects and comments, by the path of the thing."""

    properties: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, *parts: str) -> dict[str, Any]:
        """The properties of one thing."""
        return self.properties.setdefault("/".join(parts), {})

    def put(self, several: Any, *parts: str) -> None:
        """Keep the properties that came with a write."""
        for one in several or []:
            self.of(*parts)[one["key"]] = one["value"]


def issues(server: Direct, jql: str = "", fields: str = "*all") -> list[dict[str, Any]]:
    """Everything that it finds."""
    rows: list[dict[str, Any]] = server.data(
        "GET", f"{API}/search", jql=jql, maxResults=100_000, fields="" if fields == "*all" else fields
    )["issues"]
    return rows


def _project(server: Direct) -> dict[str, Any]:
    """The project with the id that its issues name."""
    (listed,) = server.data("GET", f"{API}/project")
    return listed | {"id": issues(server, fields="project")[0]["fields"]["project"]["id"]}


def _searched(asked: Asked, server: Direct) -> tuple[int, Any]:
    """A search with everything in it that the server ignores: ids, instants, an order, pages in a body."""
    jql, _, order = asked.body["jql"].partition(" ORDER BY ")
    assert order == "id ASC"
    conditions: list[Callable[[dict[str, Any]], bool]] = []

    def listed(found: re.Match[str]) -> str:
        names, what = {one.strip(' "') for one in found[2].split(",")}, found[1]
        conditions.append({
            "id": lambda one: one["id"] in names,
            "key": lambda one: one["key"] in names,
            "project": lambda one: one["fields"]["project"]["id"] in names,
        }[what])  # fmt: skip
        return ""

    def after(found: re.Match[str]) -> str:
        conditions.append(lambda one: int(one["id"]) > int(found[1]))
        return ""

    def since(found: re.Match[str]) -> str:
        when = found[1].replace("/", "-").replace(" ", "T")
        conditions.append(lambda one: one["fields"]["updated"][:16] >= when)
        return ""

    left = re.sub(r"\b(id|key|project) in \(([^)]*)\)", listed, jql)
    left = re.sub(r"\bid > (\d+)", after, left)
    left = re.sub(r'\bupdated >= "([^"]*)"', since, left)
    left = " AND ".join(one for one in re.split(r"\s+AND\s+", left) if one.strip("() "))
    wanted = ",".join({*asked.body["fields"], "project", "updated"})
    found = [one for one in issues(server, left, wanted) if all(holds(one) for holds in conditions)]
    found.sort(key=lambda one: int(one["id"]))
    start = asked.body["startAt"]
    rows = found[start : start + min(asked.body["maxResults"], CAP)]
    if "changelog" in asked.body.get("expand", ()):
        rows = [server.data("GET", f"{API}/issue/{one['key']}", expand="changelog") for one in rows]
    return 200, {"startAt": start, "maxResults": len(rows), "total": len(found), "issues": rows}


def _everybody(_: Asked, server: Direct) -> tuple[int, Any]:
    return 200, {"values": server.data("GET", f"{API}/user/search", maxResults=1000), "isLast": True}


def _may_everything(_: Asked, __: Direct) -> tuple[int, Any]:
    names = (
        "ADMINISTER", "ADMINISTER_PROJECTS", "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "LINK_ISSUES",
        "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS",
    )  # fmt: skip
    return 200, {"permissions": {name: {"key": name, "havePermission": True} for name in names}}


def _unlinked(asked: Asked, server: Direct) -> tuple[int, Any]:
    links = server.data("GET", f"{API}/issue/{asked.found[0]}/remotelink")
    ours = [one for one in links if one.get("globalId") == asked.one("globalId")]
    for one in ours:
        server.data("DELETE", f"{API}/issue/{asked.found[0]}/remotelink/{one['id']}")
    return (204, None) if ours else (404, {"errorMessages": ["no such link"], "errors": {}})


def _edits(kept: Kept) -> Fill:
    def fill(asked: Asked, server: Direct) -> tuple[int, Any]:
        (key,), body = asked.found, asked.body
        fields = dict(body.get("fields") or {})
        for operation in body.get("update", {}).get("labels", []):
            labels = fields.get("labels")
            if labels is None:
                labels = server.data("GET", f"{API}/issue/{key}")["fields"]["labels"]
            ((what, label),) = operation.items()
            rest = [one for one in labels if one != label]
            fields["labels"] = [*rest, label] if what == "add" else rest
        kept.put(body.get("properties"), "issue", key)
        return (204, None) if not fields else _answered(server.call("PUT", f"{API}/issue/{key}", {"fields": fields}))

    return fill


def _shows(kept: Kept) -> Fill:
    def fill(asked: Asked, server: Direct) -> tuple[int, Any]:
        params = {name: asked.one(name) for name in ("fields", "expand") if name in asked.query}
        status, data = _answered(server.call("GET", f"{API}/issue/{asked.found[0]}", **params))
        wanted = asked.one("properties").split(",")
        if status == 200 and wanted != [""]:
            there = kept.of("issue", asked.found[0])
            data["properties"] = {name: there[name] for name in wanted if name in there}
        return status, data

    return fill


def _said(kept: Kept) -> Fill:
    def fill(asked: Asked, server: Direct) -> tuple[int, Any]:
        status, data = _answered(server.call(asked.method, asked.path, {"body": asked.body["body"]}))
        kept.put(asked.body.get("properties"), "comment", str(data.get("id")))
        return status, data

    return fill


def _property(kept: Kept, kind: str) -> Fill:
    def fill(asked: Asked, _: Direct) -> tuple[int, Any]:
        there, name = kept.of(kind, asked.found[0]), asked.found[1]
        if asked.method == "PUT":
            status = 200 if name in there else 201
            there[name] = asked.body
            return status, None
        if name not in there:
            return 404, {"errorMessages": [f"The property {name} does not exist."], "errors": {}}
        if asked.method == "DELETE":
            del there[name]
            return 204, None
        return 200, {"key": name, "value": there[name]}

    return fill


def _answered(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json() if answer.content else None


def _refuses(method: str, path: str, body: Any = None) -> Callable[[Direct], bool]:
    return lambda server: server.call(method, path.format(issue="DEMO-1"), body).status_code in (404, 405)


def _forgets_operations(server: Direct) -> bool:
    before = server.data("GET", f"{API}/issue/DEMO-1")["fields"]["labels"]
    server.data("PUT", f"{API}/issue/DEMO-1", {"update": {"labels": [{"add": "new"}]}})
    return bool(server.data("GET", f"{API}/issue/DEMO-1")["fields"]["labels"] == before)


def _shows_no_properties(server: Direct) -> bool:
    return "properties" not in server.data("GET", f"{API}/issue/DEMO-1", properties="*all")


def _forgets_properties_of_comments(server: Direct) -> bool:
    body = {"body": "Probe", "properties": [{"key": "probe", "value": 1}]}
    made = server.data("POST", f"{API}/issue/DEMO-1/comment", body)
    edited = server.data("PUT", f"{API}/issue/DEMO-1/comment/{made['id']}", body)
    server.data("DELETE", f"{API}/issue/DEMO-1/comment/{made['id']}")
    return "properties" not in made and "properties" not in edited


def _numbered_otherwise(server: Direct) -> bool:
    return bool(server.data("GET", f"{API}/project")[0]["id"] != _project(server)["id"])


def gaps(kept: Kept) -> tuple[Gap, ...]:
    """What it lacks of the calls that we make."""
    issue, project, comment = f"{API}/issue/{{}}", f"{API}/project/{{}}", f"{API}/comment/{{}}"
    on_issue, on_project = f"{API}/issue/DEMO-1/properties/x", f"{API}/project/DEMO/properties/x"
    return (
        Gap(f"POST {API}/search", "searches by GET alone, in no order but a few, ignores ids and times of day",
            _refuses("POST", f"{API}/search", {"jql": "project = DEMO"}), _searched),
        Gap(f"GET {API}/project", "lists the project by another id than its issues name", _numbered_otherwise,
            lambda _, server: (200, [_project(server)])),
        Gap(f"GET {API}/user/list", "no list of people but for completing names", _refuses("GET", f"{API}/user/list"),
            _everybody),
        Gap(f"GET {API}/mypermissions", "knows no permissions", _refuses("GET", f"{API}/mypermissions"),
            _may_everything),
        Gap(f"PUT {issue}", "ignores `update` and `properties`", _forgets_operations, _edits(kept)),
        Gap(f"GET {issue}", "shows no properties", _shows_no_properties, _shows(kept)),
        Gap(f"PUT {issue}/properties/{{}}", "no properties", _refuses("PUT", on_issue, {}), _property(kept, "issue")),
        Gap(f"DELETE {issue}/properties/{{}}", "no properties", _refuses("DELETE", on_issue), _property(kept, "issue")),
        Gap(f"GET {project}/properties/{{}}", "no properties", _refuses("GET", on_project), _property(kept, "project")),
        Gap(f"PUT {project}/properties/{{}}", "no properties", _refuses("PUT", on_project, {}),
            _property(kept, "project")),
        Gap(f"DELETE {project}/properties/{{}}", "no properties", _refuses("DELETE", on_project),
            _property(kept, "project")),
        Gap(f"POST {issue}/comment", "forgets properties of comments", _forgets_properties_of_comments, _said(kept)),
        Gap(f"PUT {issue}/comment/{{}}", "forgets properties of comments", _forgets_properties_of_comments,
            _said(kept)),
        Gap(f"GET {comment}/properties/{{}}", "no properties", _refuses("GET", f"{API}/comment/1/properties/x"),
            _property(kept, "comment")),
        Gap(f"DELETE {issue}/remotelink", "removes links by their number alone",
            _refuses("DELETE", f"{API}/issue/DEMO-1/remotelink"), _unlinked),
    )  # fmt: skip


def by_key(server: Direct) -> Callable[[str], str]:
    """It finds issues by key alone: the paths of ours have ids."""
    keys: dict[str, str] = {}

    def path_of(path: str) -> str:
        found = re.match(rf"({API}/issue/)(\d+)(.*)", path)
        if not found:
            return path
        if found[2] not in keys:
            keys.update({one["id"]: one["key"] for one in issues(server, fields="summary")})
        return found[1] + keys.get(found[2], found[2]) + found[3]

    return path_of


def _not_by_id(server: Direct) -> bool:
    return server.call("GET", f"{API}/issue/{issues(server, fields='summary')[0]['id']}").status_code == 404


def _all_links(server: Direct) -> bool:
    return isinstance(server.data("GET", f"{API}/issue/DEMO-1/remotelink", globalId="none"), list)


LESS = {
    "issues are found by key, never by id": _not_by_id,
    "a link that is asked for by its global id comes with all others": _all_links,
}
"""What it answers otherwise than Jira does, beside the gaps."""
