"""Asana's stories: what people wrote on a task and what happened to it.

A comment can be changed or deleted by its author only; a system story by nobody.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, events, fields, markup, notifications, tables
from pmosync.sandbox.asana.access import see_task
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one
from pmosync.sandbox.asana.tables import Row, rows, run
from pmosync.sandbox.call import Call, Rule


def list_stories(call: Call) -> Response:
    """The stories of a task, the oldest first."""
    task = see_task(call, call.args["task_gid"])
    found = rows(call.state, "SELECT gid FROM asana_story WHERE task = ? ORDER BY created_at, gid", task["gid"])
    return listing(call, "story", [story["gid"] for story in found])


def create_story(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "commenter")
    given = data(call)
    text, html = texts(call, given, "comment")
    gid = edits.add_comment(call, task["gid"], text, html, pinned=bool(given.get("is_pinned")))
    return one(call, "story", gid, 201)


def texts(call: Call, given: Row, where: str) -> tuple[str, str]:
    """The plain text and the rich text of what somebody wrote; one of them is given."""
    if given.get("text") is not None and given.get("html_text") is not None:
        raise bad("You may only provide one of text or html_text.")
    if given.get("html_text") is not None:
        return markup.check(given["html_text"], where, call.state), given["html_text"]
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


def update_story(call: Call) -> Response:
    """The author changes the words; whoever may comment pins or unpins."""
    story, given = _see_story(call), data(call)
    unknown_names = sorted(set(given) - {"text", "html_text", "is_pinned", "gid"})
    if unknown_names:
        raise bad(f"{unknown_names[0]}: Cannot write this property")
    if story["type"] != "comment":
        raise forbidden("story: Only comments can be changed.")
    see_task(call, story["task"], "commenter", "story")
    new: Row = {}
    if "text" in given or "html_text" in given:
        if story["created_by"] != access.me(call):
            raise forbidden("story: You can only change your own comments.")
        text, html = texts(call, given, "comment")
        if html != story["html_text"]:
            new |= {"text": text, "html_text": html, "is_edited": 1}
    if "is_pinned" in given and bool(given["is_pinned"]) != bool(story["is_pinned"]):
        new["is_pinned"] = int(bool(given["is_pinned"]))
    if new:
        tables.update(call.state, "comment", story["gid"], new)
        _tell(call, story, "changed", "text" if "text" in new else "is_pinned")
        call.state.changed("asana", str(call.user["name"]), story["task"], "comment", story["text"], new.get("text"))
    if "text" in new:
        _tell_edit(call, story, new["html_text"])
    return one(call, "story", story["gid"])


def _tell_edit(call: Call, story: Row, html: str) -> None:
    """Whether followers hear of an edit nobody documents: the switch says. Who is named only now, hears it."""
    before = notifications.mentioned(call.state, story["html_text"])
    named = [gid for gid in notifications.mentioned(call.state, html) if gid not in before]
    edits.mention(call, story["task"], named)
    if tables.switch(call.state, "edits_notify") == "yes":
        others = [gid for gid in notifications.followers(call.state, story["task"]) if gid not in named]
        notifications.tell(call, others, story["task"], "edited", "comment edited")


def delete_story(call: Call) -> Response:
    story = _see_story(call)
    if story["type"] != "comment" or story["created_by"] != access.me(call):
        raise forbidden("story: You can only delete your own comments.")
    _tell(call, story, "deleted")
    run(call.state, "DELETE FROM asana_comment WHERE gid = ?", story["gid"])
    call.state.changed("asana", str(call.user["name"]), story["task"], "comment", story["text"], None)
    edits.touch(call.state, story["task"])
    return nothing()


def _tell(call: Call, story: Row, action: str, field: str = "") -> None:
    resource = {"gid": story["gid"], "resource_type": "story", "resource_subtype": story["resource_subtype"]}
    change = {"field": field, "action": "changed"} if action == "changed" else None
    heard_by = [story["gid"], *events.scopes(call.state, story["task"])]
    events.record(call.state, access.me(call), resource, action, heard_by, change=change)


RULES: list[Rule] = [
    (("GET",), "/api/1.0/tasks/{task_gid}/stories", list_stories),
    (("POST",), "/api/1.0/tasks/{task_gid}/stories", create_story),
    (("GET",), "/api/1.0/stories/{story_gid}", get_story),
    (("PUT",), "/api/1.0/stories/{story_gid}", update_story),
    (("DELETE",), "/api/1.0/stories/{story_gid}", delete_story),
]
