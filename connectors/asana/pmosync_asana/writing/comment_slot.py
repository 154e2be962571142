"""Keeps one comment of ours on a task: found again by its author and its first line, edited in place, never a second.

It keeps the promise that before a comment is made every story of the task was looked at. That list is no index: it
shows what an earlier try made, however shortly ago. A comment is ours by our account and our first line together: what
a person says with the same account is theirs, and so is a copy.

Whom Asana tells: who follows the task, when the comment is made; nobody is documented to be told of an edit. Nobody is
mentioned. Commenting may make our account a follower, who is told of everything from then on; where it did, and only
there, it stops following, in the round trip that makes the comment. Where Asana does not take the mark-up, the same
lines go as plain text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import asana

from pmosync.contract import Change, Receipt, Record, Scope
from pmosync.errors import Refused, Unreadable
from pmosync.http import FateUnknown

from ..api import BATCH, PAGE, Api, Asked, chunks, many, next_offset, one, said
from .following import follows, leave, unfollow
from .markup import canonical_text, lines_of, note, plain

Json = dict[str, Any]
SLOT = "comment"
HEADING = "PMO: what is open here"
"""The first line of every comment of ours."""
FIELDS = "type,created_at,created_by.gid,text,html_text"
"""What to ask of a task's stories, so that ours can be told from the others."""
INDEX = ("field", "text_field", "tag")
"""Marks that come with the task itself; where one of them stands, there may be a comment."""
ANSWERED = ("text_field",)
"""Where commands are answered, the marks that stand beside every comment: an answer has no severity."""


# --- reading --------------------------------------------------------------------------------------------------------


def text_of(story: Mapping[str, Any], me: str) -> str | None:
    """What a comment of ours says; None for every other story."""
    if story.get("type") != "comment" or (story.get("created_by") or {}).get("gid") != me:
        return None
    shown = (
        lines_of(story["html_text"]) if story.get("html_text") else canonical_text(story.get("text") or "").split("\n")
    )
    return "\n".join(shown[1:]) if shown[:1] == [HEADING] else None


def ours(stories: Iterable[Mapping[str, Any]], me: str) -> list[Mapping[str, Any]]:
    """Every comment of ours among a task's stories, the oldest first; one at most, unless two runs raced."""
    found = [story for story in stories if text_of(story, me) is not None]
    return sorted(found, key=lambda story: (story.get("created_at") or "", len(story["gid"]), story["gid"]))


def standing(stories: Iterable[Mapping[str, Any]], me: str) -> str | None:
    """The mark in the slot, from the whole list of a task's stories."""
    return next((text_of(story, me) for story in ours(stories, me)), None)


def may_have(records: Iterable[Record], scope: Scope) -> list[str]:
    """The tasks to ask for a comment of ours: those that another mark of ours is on, or all when there is no other."""
    if SLOT not in scope.slots:
        return []
    index = ANSWERED if scope.comments else INDEX
    indexed = any(slot in scope.slots for slot in index)
    return [one.id for one in records if not indexed or any(one.marks.get(slot) is not None for slot in INDEX)]


def read(api: Api, me: str, gids: Sequence[str]) -> dict[str, str | Refused | None]:
    """What our comment on each of these tasks says, ten tasks in a batch; a refusal where it cannot be read."""
    found: dict[str, str | Refused | None] = {}
    for some in api.session.map(lambda part: stories_of(api, part), chunks(list(gids), BATCH)):
        found |= {gid: told if isinstance(told, Refused) else standing(told, me) for gid, told in some.items()}
    return found


def stories_of(api: Api, gids: Sequence[str]) -> dict[str, list[Json] | Refused]:
    """The whole list of stories of up to ten tasks."""
    found: dict[str, list[Json] | Refused] = {}
    bodies = api.batch([Asked(f"/tasks/{gid}/stories", FIELDS, PAGE) for gid in gids])
    for gid, body in zip(gids, bodies, strict=True):
        try:
            if isinstance(body, Refused):
                found[gid] = body
            elif next_offset(body, many(body)):
                found[gid] = api.pages(_stories(api).get_stories_for_task, gid, opt_fields=FIELDS)
            else:
                found[gid] = many(body)
        except Refused as refusal:
            found[gid] = refusal
        except Unreadable as odd:
            found[gid] = Refused(f"{odd} The comments of the task could not be read to their end.", status=0)
    return found


def _stories(api: Api) -> Any:
    return asana.StoriesApi(api.tasks.api_client)


# --- writing --------------------------------------------------------------------------------------------------------


class Comments:
    """One push of comments, seen from our account."""

    def __init__(self, api: Api, me: str) -> None:
        self.api, self.me = api, me
        self._stories = _stories(api)
        self._unmarked = False
        """Whether Asana refused our mark-up and took plain text instead."""
        self._left = False
        """Whether we were seen to follow nothing after commenting and leaving in one batch, whose order nobody
        promises."""

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Make, edit and delete, ten tasks at a time; every refusal is a receipt."""
        for some in chunks(list(changes), BATCH):
            yield from self._ten(some)

    def _ten(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        looked = stories_of(self.api, [change.slot.id for change in changes])
        edits: list[_Edit] = []
        makes: list[Change] = []
        again: list[str] = []
        for change in changes:
            found = looked[change.slot.id]
            if isinstance(found, Refused):
                yield _refused(change, str(found), found.status)
                continue
            there = ours(found, self.me)
            if there or change.after is None:
                edits.append(_Edit(change, there, self.me))
            else:
                makes.append(change)
            if there and change.tried_at is not None:
                again.append(change.slot.id)
        yield from self._edit(edits)
        yield from self._make(makes)
        unfollow(self.api, self.me, [gid for gid, follow in follows(self.api, self.me, again).items() if follow])

    # --- editing and deleting ---------------------------------------------------------------------------------------

    def _edit(self, edits: Sequence[_Edit]) -> Iterator[Receipt]:
        """Bring comments up to date, and take away those that say nothing any more and doubles."""
        calls = [(edit, call) for edit in edits for call in edit.calls()]
        for some in chunks(calls, BATCH):
            marked = not self._unmarked
            actions = [self._action(method, path, text) for _, (method, path, text) in some]
            results = self.api.act(actions) if len(some) > 1 else [{"status_code": 0}]
            for (edit, call), result in zip(some, results, strict=True):
                self._told(edit, call, result, marked=marked)
        yield from (edit.receipt() for edit in edits)

    def _told(self, edit: _Edit, call: tuple[str, str, str], result: Json, *, marked: bool) -> None:
        """One action's answer; what was not carried out is sent singly, and without mark-up where that was it."""
        method, path, text = call
        status = result["status_code"]
        if status in (0, 429) or status >= 500 or (status == 400 and method == "put" and marked):
            try:
                if method == "put":
                    edit.story = one(self._put(path, text))
                else:
                    self.api.session.call("DELETE", path)
            except Refused as refusal:
                edit.note(method, str(refusal), refusal.status)
        elif status not in (200, 201):
            edit.note(method, said(result.get("body"), status), status)
        elif method == "put":
            edit.story = one(result["body"])

    def _put(self, path: str, text: str) -> Any:
        return self._in_one_form(
            lambda body: self.api.session.call("PUT", path, params={"opt_fields": FIELDS}, json={"data": body}).data,
            text,
        )

    def _action(self, method: str, path: str, text: str) -> Json:
        more = {} if method == "delete" else {"data": self._body(text), "options": {"fields": FIELDS.split(",")}}
        return {"relative_path": path, "method": method, **more}

    def _body(self, text: str) -> Json:
        return {"text": plain(HEADING, text)} if self._unmarked else {"html_text": note(HEADING, text)}

    def _in_one_form(self, send: Any, text: str) -> Any:
        """With mark-up; as plain text where Asana does not take that, from then on in this run."""
        try:
            return send(self._body(text))
        except Refused as refusal:
            if refusal.status != 400 or self._unmarked:
                raise
            answer = send({"text": plain(HEADING, text)})
            self._unmarked = True
            return answer

    # --- making -----------------------------------------------------------------------------------------------------

    def _make(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """New comments, where a complete look has just found none."""
        if not changes:
            return
        before = follows(self.api, self.me, [change.slot.id for change in changes])
        leaving = {gid for gid, follow in before.items() if not follow}
        receipts: dict[str, Receipt] = {}
        for some in chunks(changes, BATCH // 2 if leaving else BATCH):
            receipts |= self._post(some, leaving)
        lost = [change for change in changes if change.slot.id not in receipts]
        receipts |= self._look_again(lost)
        new = [gid for gid, told in receipts.items() if told.fate == "done" and gid in leaving]
        if new and (lost or not self._left):
            following = [gid for gid, follow in follows(self.api, self.me, new).items() if follow]
            self._left = not following
            unfollow(self.api, self.me, following)
        yield from receipts.values()

    def _post(self, changes: Sequence[Change], leaving: Collection[str]) -> dict[str, Receipt]:
        """Send them; those whose fate is not known are left out.

        We stop following in the same round trip: whoever is killed behind it leaves nothing to be done.
        """
        if len(changes) == 1 and changes[0].slot.id not in leaving:
            return self._post_one(changes[0])
        posts = [self._action("post", f"/tasks/{change.slot.id}/stories", change.after or "") for change in changes]
        leaves = [leave(change.slot.id, self.me) for change in changes if change.slot.id in leaving]
        receipts: dict[str, Receipt] = {}
        marked = not self._unmarked
        try:
            results = self.api.act([*posts, *leaves])[: len(posts)]
        except FateUnknown:
            return receipts
        for change, result in zip(changes, results, strict=True):
            status = result["status_code"]
            if status in (200, 201):
                receipts[change.slot.id] = self._done(change, result["body"])
            elif status == 429 or (status == 400 and marked):  # it was not carried out
                self._left = False
                receipts |= self._post_one(change)
            elif status < 500:
                receipts[change.slot.id] = _refused(change, said(result.get("body"), status), status)
        return receipts

    def _post_one(self, change: Change) -> dict[str, Receipt]:
        gid, text = change.slot.id, change.after or ""

        def send(body: Json) -> Any:
            return self._stories.create_story_for_task({"data": body}, gid, {"opt_fields": FIELDS})

        try:
            return {gid: self._done(change, self._in_one_form(send, text))}
        except Refused as refusal:
            return {gid: _refused(change, str(refusal), refusal.status)}
        except FateUnknown:
            return {}

    def _look_again(self, lost: Sequence[Change]) -> dict[str, Receipt]:
        """An answer got lost: often the comment has arrived. Where it has not, the next run looks before it repeats."""
        if not lost:
            return {}
        found = stories_of(self.api, [change.slot.id for change in lost])
        receipts = {}
        for change in lost:
            stories = found[change.slot.id]
            text = None if isinstance(stories, Refused) else standing(stories, self.me)
            why = "the answer to the new comment got lost, and it is not there: the next run looks again."
            receipts[change.slot.id] = (
                Receipt(change, "unknown", why=why) if text is None else Receipt(change, "done", text)
            )
        return receipts

    def _done(self, change: Change, body: Any) -> Receipt:
        return Receipt(change, "done", text_of({"type": "comment", **one(body)}, self.me))


class _Edit:
    """A comment that is there, what is to become of it, and what became of it."""

    def __init__(self, change: Change, there: Sequence[Mapping[str, Any]], me: str) -> None:
        self.change, self.there, self.me = change, there, me
        self.story: Mapping[str, Any] | None = there[0] if there and change.after is not None else None
        self._why, self._status = "", 0

    def calls(self) -> Iterator[tuple[str, str, str]]:
        """Method, path and text of what leads there."""
        wanted = self.change.after
        for story in self.there[1:] if wanted is not None else self.there:
            yield "delete", f"/stories/{story['gid']}", ""
        if wanted is not None and text_of(self.there[0], self.me) != canonical_text(wanted):
            yield "put", f"/stories/{self.there[0]['gid']}", wanted

    def note(self, method: str, why: str, status: int) -> None:
        """What was refused. What is gone already need not be deleted."""
        if method == "put" or status != 404:
            self._why, self._status = why, status

    def receipt(self) -> Receipt:
        """What became of it."""
        if self._why:
            return _refused(self.change, self._why, self._status)
        return Receipt(
            self.change, "done", None if self.story is None else text_of({"type": "comment", **self.story}, self.me)
        )


def cost(change: Change) -> Iterator[str]:
    """The calls for one comment."""
    yield "GET /tasks/{task_gid}/stories"
    if change.after is None:
        yield "DELETE /stories/{story_gid}"
    elif change.before is not None:
        yield "PUT /stories/{story_gid}"
    else:
        yield from ("GET /tasks/{task_gid}", "POST /tasks/{task_gid}/stories")
        yield "POST /tasks/{task_gid}/removeFollowers"


def _refused(change: Change, why: str, status: int) -> Receipt:
    """What Asana did not take; to clear a mark on what is gone is done."""
    if change.after is None and status == 404:
        return Receipt(change, "done")
    step = " Let the account comment there, or leave `comment` out of `write`." if status == 403 else ""
    return Receipt(change, "refused", why=f"{change.key or change.slot.id}: {why}{step}")
