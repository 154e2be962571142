"""Asana's stories: what people wrote on a task and what happened to it.

A comment can be changed or deleted by its author only; a system story by nobody.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, events, fields, tables
from pmosync.sandbox.asana.access import see_task
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one
from pmosync.sandbox.asana.tables import Row, rows, run
from pmosync.sandbox.call import Call, Rule

TAGS = frozenset({"body", "strong", "em", "u", "s", "code", "ol", "ul", "li", "a", "blockquote", "pre"})


def list_stories(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"])
    found = rows(call.state, "SELECT gid FROM asana_story WHERE task = ? ORDER BY created_at, gid", task["gid"])
    return listing(call, "story", [story["gid"] for story in found])


def create_story(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "commenter")
    given = data(call)
    text, html = texts(given)
    gid = edits.add_comment(call, task["gid"], text, html, pinned=bool(given.get("is_pinned")))
    return one(call, "story", gid, 201)


def texts(given: Row) -> tuple[str, str]:
    """The plain text and the XML of what somebody wrote; one of them is given."""
    if isinstance(given.get("html_text"), str):
        html = given["html_text"]
        try:
            root = ElementTree.fromstring(html)
        except ElementTree.ParseError as error:
            raise bad("html_text: XML is invalid") from error
        wrong = {element.tag for element in root.iter()} - TAGS
        if root.tag != "body" or wrong:
            raise bad(f"html_text: XML is invalid: tag not allowed here: {', '.join(sorted(wrong)) or root.tag}")
        return re.sub(r"\s+\n", "\n", "".join(root.itertext())), html
    if isinstance(given.get("text"), str) and given["text"]:
        return given["text"], f"<body>{fields.escaped(given['text'])}</body>"
    raise bad("text: Missing input")


def _see_story(call: Call) -> Row:
    gid = access.checked("story", call.args["story_gid"])
    story = tables.get(call.state, "story", gid)
    if story is None:
        raise unknown("story", gid)
    see_task(call, story["task"], kind="story")
    return story


def get_story(call: Call) -> Response:
    return one(call, "story", _see_story(call)["gid"])


def _own_comment(call: Call) -> Row:
    story = _see_story(call)
    if story["type"] != "comment" or story["created_by"] != access.me(call):
        raise forbidden("story: You can only change your own comments.")
    return story


def update_story(call: Call) -> Response:
    story = _own_comment(call)
    given = data(call)
    new: Row = {}
    if "text" in given or "html_text" in given:
        text, html = texts(given)
        new |= {"text": text, "html_text": html, "is_edited": 1}
    if "is_pinned" in given:
        new["is_pinned"] = int(bool(given["is_pinned"]))
    if any(story[name] != value for name, value in new.items() if name != "is_edited"):
        tables.update(call.state, "comment", story["gid"], new)
        _tell(call, story, "changed")
        call.state.changed("asana", str(call.user["name"]), story["task"], "comment", story["text"], new.get("text"))
    return one(call, "story", story["gid"])


def delete_story(call: Call) -> Response:
    story = _own_comment(call)
    _tell(call, story, "deleted")
    run(call.state, "DELETE FROM asana_comment WHERE gid = ?", story["gid"])
    call.state.changed("asana", str(call.user["name"]), story["task"], "comment", story["text"], None)
    edits.touch(call.state, story["task"])
    return nothing()


def _tell(call: Call, story: Row, action: str) -> None:
    resource = {"gid": story["gid"], "resource_type": "story", "resource_subtype": story["resource_subtype"]}
    change = {"field": "text", "action": "changed"} if action == "changed" else None
    heard_by = [story["gid"], *events.scopes(call.state, story["task"])]
    events.record(call.state, access.me(call), resource, action, heard_by, change=change)


RULES: list[Rule] = [
    (("GET",), "/api/1.0/tasks/{task_gid}/stories", list_stories),
    (("POST",), "/api/1.0/tasks/{task_gid}/stories", create_story),
    (("GET",), "/api/1.0/stories/{story_gid}", get_story),
    (("PUT",), "/api/1.0/stories/{story_gid}", update_story),
    (("DELETE",), "/api/1.0/stories/{story_gid}", delete_story),
]
