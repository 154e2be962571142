"""Checks that commands to us are found in the comments of marked tasks, with who wrote them; nothing else is asked."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Batch, Person, Record, Reference, Scope
from pmosync.errors import Refused, Unreadable
from pmosync_asana.api import Asked
from pmosync_asana.pulling.commands import SCOPE
from pmosync_asana.pulling.stories import Stories
from pmosync_asana.writing.comment_slot import HEADING

from .asana_kit import Client, after_a_first_pull

ME = "1"
MADE = "2026-05-04T12:00:00.000Z"
MARKED: dict[str, str | None] = {"field": "high", "text_field": None}
UNMARKED: dict[str, str | None] = {"field": None, "text_field": None}


def comment(gid: int, text: Any, by: str | None = "2", **more: Any) -> dict[str, Any]:
    who = {"gid": by, "name": "Ann"} if by else None
    base = {"gid": str(gid), "created_at": MADE, "created_by": who, "type": "comment", "text": text}
    return {**base, "resource_subtype": "comment_added", **more}


def task(gid: int, marks: dict[str, str | None] = MARKED, *projects: str) -> Record:
    url = f"https://app.asana.com/1/5/project/10/task/{gid}"
    scopes = tuple(f"project:{one}" for one in projects or ("10",))
    return Record("task", str(gid), str(gid), url, f"{MADE} abc", scopes, {}, marks)


@dataclass
class Lists:
    """What Asana would say of the stories of tasks; a test bends it."""

    stories: dict[str, Any] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)

    def lists(self, asked: Sequence[Asked]) -> Iterator[Any]:
        for one in asked:
            gid = one.path.split("/")[2]
            assert one.path == f"/tasks/{gid}/stories"
            self.asked.append(gid)
            self.fields |= set(one.fields.split(","))
            yield Refused("no such task", 404) if gid in self.deleted else self.stories.get(gid, [])

    def each(self, asked: Iterable[Asked]) -> Iterator[Any]:
        for one in asked:
            self.asked.append(one.path)
            gone = one.path.removeprefix("/tasks/") in self.deleted
            yield Refused("no such task", 404) if gone else {"data": {"gid": "x"}}


@dataclass
class Site:
    """Pulls of one site, with the cursor between them."""

    lists: Lists
    scope: Scope = field(default_factory=lambda: Scope(comments=True))
    cursor: Any = None
    troubled: dict[str, str] = field(default_factory=dict)

    def pull(
        self, *tasks: Record, whole: bool = False, unchanged: Iterable[Record] = ()
    ) -> tuple[list[Record], list[Batch]]:
        stories = Stories(self.lists, self.scope, {}, ME)  # type: ignore[arg-type]
        stories.begin(self.cursor)
        came = stories.of(tasks, unchanged)
        batches = list(stories.finish(whole=whole))
        self.cursor = json.loads(json.dumps(stories.cursor()))
        self.troubled = came.troubled
        brought = [*came.records, *(record for batch in batches for record in batch.records)]
        return [record for record in brought if record.kind == "comment"], batches


def site(**stories: Any) -> Site:
    return Site(Lists({gid.removeprefix("t"): told for gid, told in stories.items()}))


def texts(records: Iterable[Record]) -> list[Any]:
    return [record.values["text"] for record in records]


def test_a_command_is_brought_with_the_account_that_wrote_it() -> None:
    asana = site(t7=[comment(70, "/pmo waive SCH-201 until 2026-06-01\nbecause we wait"), comment(71, "Hello")])
    (found,), _ = asana.pull(task(7))
    version, key = found.version, found.key
    assert found == Record(
        "comment",
        "70",
        key,
        "https://app.asana.com/1/5/project/10/task/7/comment/70",
        version,
        (SCOPE,),
        {
            "task": Reference("task", "7"),
            "author": Person("2", "Ann"),
            "created": dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC),
            "text": "/pmo waive SCH-201 until 2026-06-01\nbecause we wait",
        },
    )
    asana.lists.stories["7"] = [comment(70, "/pmo waive SCH-202", is_edited=True)]
    (edited,), _ = asana.pull(task(7))
    assert edited.version != version
    assert asana.lists.fields == {"created_at", "created_by.name", "resource_subtype", "type", "text"}


@pytest.mark.parametrize("text", ["/pmo", "  /PMO accept", "\n/pmo waive A-1\nb"])
def test_a_command_begins_with_the_word(text: str) -> None:
    assert texts(site(t7=[comment(70, text)]).pull(task(7))[0]) == [text.strip()]


@pytest.mark.parametrize("text", ["please /pmo waive", "/pmosync waive", "/ pmo", "", None])
def test_nothing_else_is_one(text: str | None) -> None:
    assert site(t7=[comment(70, text)]).pull(task(7))[0] == []


def test_what_we_or_the_system_wrote_is_no_command() -> None:
    told = [
        comment(70, "/pmo waive A-1", by=ME),
        comment(71, "/pmo waive A-2", type="system", resource_subtype="notes_changed"),
        comment(72, "/pmo waive A-3", by=None),
    ]
    (found,), _ = site(t7=told).pull(task(7))
    assert (found.values["text"], found.values["author"]) == ("/pmo waive A-3", None)


def test_only_marked_tasks_are_asked_once_each_and_none_when_nothing_is_wanted() -> None:
    asana = site(t7=[comment(70, "/pmo a")], t9=[comment(90, "/pmo b")])
    found, batches = asana.pull(task(7), task(8, UNMARKED), whole=True, unchanged=[task(9), task(7), task(6, UNMARKED)])
    assert texts(found) == ["/pmo a", "/pmo b"]
    assert asana.lists.asked == ["7", "9"]
    assert batches == [Batch((SCOPE,), "complete", kinds=("comment",), census={"70", "90"})]
    asana.scope = Scope(fields=("updated",), slots=("field",))
    assert asana.pull(task(7), whole=True) == ([], [])
    assert asana.lists.asked == ["7", "9"]


def test_a_pull_of_changes_proves_nothing() -> None:
    assert site(t7=[comment(70, "/pmo a")]).pull(task(7))[1] == []


@pytest.mark.parametrize(
    "trouble",
    [
        Refused("Asana says no.", 403),
        Unreadable("an empty page"),
        [{"gid": "1"}],
        [comment(70, "/pmo", created_at="x")],
    ],
)
def test_what_could_not_be_read_is_not_observed_and_asked_again(trouble: Any) -> None:
    asana = site(t7=trouble if isinstance(trouble, Exception) else [{**trouble[0], "type": "comment", "text": "/pmo"}])
    _, (batch,) = asana.pull(task(7), task(8), whole=True)
    assert (batch.scopes, batch.state) == ((SCOPE,), "unobserved")
    assert batch.why.startswith("The comments of task 7 could not be read: ")
    assert batch.why.endswith(". The next run tries again.")
    assert asana.troubled == {}
    _, batches = asana.pull()
    assert [one.state for one in batches] == ["observed", "unobserved"]
    asana.lists.stories["7"] = [comment(70, "/pmo now")]
    asana.lists.asked.clear()
    found, batches = asana.pull()
    assert (texts(found), asana.lists.asked) == (["/pmo now"], ["7"])
    assert found[0].url.endswith("/task/7/comment/70")
    assert batches[-1] == Batch((SCOPE,), "observed")
    assert asana.cursor == {"again": {}}


def test_a_task_that_is_gone_has_no_commands() -> None:
    asana = site()
    asana.lists.deleted = {"7"}
    assert asana.pull(task(7), whole=True)[1] == [Batch((SCOPE,), "complete", kinds=("comment",), census=set())]


# --- together with histories ------------------------------------------------------------------------------------------


def reader(asana: Site) -> Stories:
    return Stories(asana.lists, Scope(comments=True, history=("completed",)), {}, ME)  # type: ignore[arg-type]


def test_one_list_serves_histories_and_commands() -> None:
    done = comment(69, "completed this task", type="system", resource_subtype="marked_complete")
    asana = site(t7=[done, comment(70, "/pmo a")], t8=[done])
    stories, shared = reader(asana), task(8, UNMARKED, "10", "11")
    came = stories.of([task(7), shared])
    assert [(one.kind, one.id) for one in came.records] == [("task", "7"), ("task", "8"), ("comment", "70")]
    assert [len(one.history or ()) for one in came.records] == [1, 1, 0]
    assert stories.of([shared]).records == [came.records[1]]
    assert came.records[1].version == stories.version(shared) != shared.version, (
        "asked for more, it has to be read again"
    )
    assert asana.lists.asked == ["7", "8"], "a task of several projects is asked once"
    assert {"text", "old_approval_status", "custom_field.name"} <= asana.lists.fields


def test_half_a_history_is_none() -> None:
    asana = site(t7=Unreadable("an empty page"), t8=[], t9=Refused("Asana says no.", 404))
    asana.lists.deleted = {"6"}
    came = reader(asana).of([task(6), task(7, UNMARKED, "10", "11"), task(8, UNMARKED), task(9, UNMARKED, "12")])
    assert [one.id for one in came.records] == ["8"], "a task that is gone is no trouble, and no task"
    assert came.troubled == {
        "project:10": "The history of task 7 could not be read: an empty page. The next run tries again.",
        "project:11": "The history of task 7 could not be read: an empty page. The next run tries again.",
        "project:12": "The history of task 9 could not be read: Asana says no. The next run tries again.",
    }


def test_our_comment_is_a_mark_that_whole_pulls_look_for() -> None:
    note = comment(70, f"{HEADING}\nno owner", by=ME)
    lists = Lists({"7": [note, comment(71, "/pmo a")], "8": [note], "9": Refused("Asana says no.", 403)})
    scope = Scope(slots=("field", "comment"))
    stories = Stories(lists, scope, {}, ME)  # type: ignore[arg-type]
    stories.begin(None)
    came = stories.of([task(7), task(6, UNMARKED)], unchanged=[task(8), task(9), task(5, UNMARKED)])
    assert [(one.id, one.marks.get("comment", "not read")) for one in came.records] == [
        ("7", "no owner"), ("6", "not read"), ("8", "no owner"), ("9", "not read")
    ]  # fmt: skip
    assert (sorted(lists.asked), came.troubled) == (["7", "8", "9"], {})
    lists.asked.clear()
    stories.begin(stories.cursor())
    assert stories.of([task(7)]).records == [task(7)]
    assert lists.asked == [], "where only some tasks changed, it is not worth a call"
    commanded = Stories(lists, replace(scope, comments=True), {}, ME)  # type: ignore[arg-type]
    commanded.begin({"again": {}})
    assert [one.marks for one in commanded.of([task(7)]).records if one.kind == "task"] == [
        {**MARKED, "comment": "no owner"}
    ]


# --- with the sandbox -------------------------------------------------------------------------------------------------


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


def test_the_sandbox_is_read_to_the_end_of_each_list(sandbox: Sandbox, asana: Client) -> None:
    tasks = [Record("task", gid, gid, "", "v", ("project:1",), {}, MARKED) for gid in list(asana.of("task"))[:12]]
    for n in range(101):
        sandbox.asana("POST", f"tasks/{tasks[3].id}/stories", {"data": {"text": f"no {n}"}}, token="person-1")
    for token in ("person-1", "sandbox-asana-token"):
        sandbox.asana("POST", f"tasks/{tasks[3].id}/stories", {"data": {"text": f"/pmo {token}"}}, token=token)
    me = sandbox.asana("GET", "users/me")["data"]["gid"]
    stories = Stories(asana.connector._api, Scope(comments=True), {}, me)
    asana.calls()
    found = [one for one in stories.of(tasks).records if one.kind == "comment"]
    assert texts(found) == ["/pmo person-1"]
    assert asana.calls() == {"POST /batch": 2, "GET /tasks/{task_gid}/stories": 2}
