"""Checks that commands to us are found in the comments of marked issues, with who wrote them, and nothing else is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pmosync.contract import Batch, Person, Record, Reference
from pmosync.errors import Refused
from pmosync_jira.comments import SCOPE, Comments, words

from .jira_script import API, Said, Script, session_on
from .recordings import cassettes

SHARED = Path(__file__).resolve().parents[3] / "shared"
MADE = "2026-05-04T14:00:00.000+0200"
BOT = "pmo-bot-id"


def adf(*paragraphs: str) -> dict[str, Any]:
    content = [{"type": "paragraph", "content": [{"type": "text", "text": one}]} for one in paragraphs]
    return {"type": "doc", "version": 1, "content": content}


def comment(number: int, body: Any, by: str = "ann", **more: Any) -> dict[str, Any]:
    who = {"accountId": by, "displayName": "PMO bot" if by == "ann" else "Somebody", "active": True}
    return {"id": str(number), "author": who, "body": body, "created": MADE, "updated": MADE, **more}


def task(number: int, **marks: str | None) -> Record:
    name = str(number)
    return Record("task", name, f"PAY-{name}", "", "v", ("project:1",), {}, marks or {"property": "{}", "label": None})


@dataclass
class Site:
    """A Jira with comments on its issues, of which an issue embeds the first twenty."""

    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    bent: dict[str, Any] = field(default_factory=dict)
    fetched: list[list[str]] = field(default_factory=list)
    asked_who: int = 0
    calls: list[str] = field(default_factory=list)
    cursor: dict[str, Any] | None = None

    def issue(self, name: str) -> dict[str, Any]:
        every = self.comments.get(name, [])
        return {"id": name, "fields": {"comment": {"comments": every[:20], "total": len(every), "startAt": 0}}}

    def _page(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        every = self.comments[name][::-1]
        assert asked["orderBy"] == "-created"
        rows = every[asked["startAt"] : asked["startAt"] + asked["maxResults"]]
        return {"comments": rows, "total": len(every), "startAt": asked["startAt"], "maxResults": asked["maxResults"]}

    def reader(self) -> Comments:
        def fetch(ids: Sequence[str]) -> list[dict[str, Any]]:
            assert len(ids) <= 100
            self.fetched.append(list(ids))
            if "fetch" in self.bent:
                raise self.bent["fetch"]
            return [self.issue(one) for one in ids]

        def me() -> str:
            self.asked_who += 1
            return BOT

        right = {f"GET /issue/{one}/comment": lambda asked, one=one: self._page(one, asked) for one in self.comments}
        self.script = Script({**right, **self.bent})
        return Comments(self.script, API, "https://acme.example", fetch, me)  # type: ignore[arg-type]

    def pull(self, *tasks: Record, whole: bool = False) -> tuple[list[Record], list[Batch]]:
        reader = self.reader()
        reader.begin(self.cursor)
        records = reader.of(tasks)
        batches = list(reader.finish(whole=whole))
        records += [record for batch in batches for record in batch.records]
        self.cursor = json.loads(json.dumps(reader.cursor()))
        self.calls = self.script.calls()
        return records, batches


def texts(records: list[Record]) -> list[Any]:
    return [record.values["text"] for record in records]


def test_a_command_is_brought_with_the_account_that_wrote_it() -> None:
    site = Site(
        {"7": [comment(1, adf("/pmo waive SCH-201 until 2026-06-01", "because we wait")), comment(2, adf("Hello"))]}
    )
    (found,), _ = site.pull(task(7))
    assert found == Record(
        "comment",
        "1",
        "1",
        "https://acme.example/browse/PAY-7?focusedCommentId=1",
        MADE,
        (SCOPE,),
        {
            "task": Reference("task", "7"),
            "author": Person("ann", "PMO bot", None, True),
            "created": dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC),
            "text": "/pmo waive SCH-201 until 2026-06-01\nbecause we wait",
        },
    )
    assert site.asked_who == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("/pmo waive DAT-101 a\r\nb", "/pmo waive DAT-101 a\nb"),
        ("  /PMO accept", "/PMO accept"),
        ("/pmo", "/pmo"),
        ("/pmo waive SCH\\-201", "/pmo waive SCH-201"),
        (adf("", "/pmo accept"), "/pmo accept"),
    ],
)
def test_documents_and_wiki_text_say_the_same(body: Any, text: str) -> None:
    assert texts(Site({"7": [comment(1, body)]}).pull(task(7))[0]) == [text]


@pytest.mark.parametrize("body", ["please /pmo waive", "/pmosync waive", "/ pmo waive", "", None, adf("not /pmo")])
def test_only_what_begins_with_the_word_is_a_command(body: Any) -> None:
    site = Site({"7": [comment(1, body)]})
    assert site.pull(task(7))[0] == []
    assert site.asked_who == 0, "nobody needs to know who we are"


def test_what_we_wrote_is_no_command_whatever_others_are_called() -> None:
    site = Site({"7": [comment(1, "/pmo waive A-1", by=BOT), comment(2, "/pmo waive A-2")]})
    assert texts(site.pull(task(7))[0]) == ["/pmo waive A-2"]


def test_who_edited_a_comment_last_is_answerable_for_its_words() -> None:
    edited = comment(1, "/pmo waive A-1", updateAuthor={"accountId": "bo"})
    (found,), _ = Site({"7": [edited]}).pull(task(7))
    assert found.values["author"] == Person("bo")
    nobody = comment(1, "/pmo waive A-1") | {"author": None}
    (found,), _ = Site({"7": [nobody]}).pull(task(7))
    assert found.values["author"] is None


@pytest.mark.parametrize("slot", ["property", "label", "field", "text_field", "comment", "remote_link"])
def test_only_tasks_that_bear_a_mark_are_asked_for_their_comments(slot: str) -> None:
    site = Site({"7": [comment(1, "/pmo a")], "8": [comment(2, "/pmo b")]})
    records, _ = site.pull(task(7, **{slot: None}), task(8, **{slot: "x"}))
    assert texts(records) == ["/pmo b"]
    assert site.fetched == [["8"]]
    assert site.calls == []


def test_an_answer_that_has_the_comments_already_costs_no_call() -> None:
    site = Site({"7": [comment(1, "/pmo a")]})
    reader = site.reader()
    assert texts(reader.of([task(7)], [site.issue("7")])) == ["/pmo a"]
    assert site.fetched == []


def test_when_an_issue_shows_a_part_of_its_comments_all_are_asked_for() -> None:
    many = [comment(n, "talk") for n in range(240)]
    many[230] = comment(230, "/pmo late")
    site = Site({"7": many, "8": [comment(999, "/pmo b")]})
    records, _ = site.pull(task(7), task(8))
    assert sorted(texts(records)) == ["/pmo b", "/pmo late"]
    assert site.calls == ["GET /issue/7/comment"] * 3


def test_a_whole_look_proves_which_commands_there_are() -> None:
    site = Site({"7": [comment(1, "/pmo a")], "8": [comment(2, "/pmo b"), comment(3, "talk")]})
    _, (told,) = site.pull(task(7), task(8), whole=True)
    assert (told.state, told.scopes, told.kinds, set(told.census)) == ("complete", (SCOPE,), ("comment",), {"1", "2"})
    assert site.pull(task(7))[1] == [], "a look at what changed proves nothing about the rest"


BROKEN = {"comments": [], "total": 21}


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("fetch", Refused("Jira says 403.", 403)),
        ("GET /issue/7/comment", Refused("Jira says 400.", 400)),
        ("GET /issue/7/comment", BROKEN),
        ("GET /issue/7/comment", {"comments": [{"body": "/pmo a"}] * 21, "total": 21}),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_comments_that_cannot_be_read_are_said_to_be_so_and_asked_for_again(
    call: str, answer: Any, whole: bool
) -> None:
    site = Site({"7": [comment(n, "/pmo a") for n in range(21)], "8": [comment(99, "/pmo b")]})
    site.bent[call] = answer
    records, (told,) = site.pull(task(7), task(8), whole=whole)
    assert (told.state, told.scopes) == ("unobserved", (SCOPE,))
    assert "PAY-7" in told.why
    assert texts(records) == ([] if call == "fetch" else ["/pmo b"])
    site.bent.clear()
    records, batches = site.pull()
    assert len(records) == (22 if call == "fetch" else 21)
    assert (batches[-1].state, batches[-1].scopes) == ("observed", (SCOPE,))
    assert site.cursor == {"again": {}}


def test_an_issue_that_is_gone_has_no_comments() -> None:
    site = Site({"7": [comment(n, "/pmo a") for n in range(21)]})
    site.bent["GET /issue/7/comment"] = Said(None, 404)
    records, (told,) = site.pull(task(7), whole=True)
    assert records == []
    assert told.state == "complete"


def test_a_call_that_nobody_allowed_is_told_and_not_swallowed() -> None:
    site = Site({"7": []}, bent={"fetch": Refused("not among the endpoints", 0)})
    with pytest.raises(Refused, match="endpoints"):
        site.pull(task(7))


def test_the_sandbox_shows_a_command_in_the_issue_and_in_its_list(sandbox: Any) -> None:
    session = session_on(sandbox)
    issue_id = session.call("GET", f"{API}/issue/PAY-2", params={"fields": "summary"}).data["id"]
    path = f"{API}/issue/{issue_id}/comment"
    for n in range(25):
        session.call("POST", path, json={"body": adf("/pmo accept" if n in (1, 24) else f"talk {n}")})

    def fetch(ids: Sequence[str]) -> Any:
        body = {"issueIdsOrKeys": list(ids), "fields": ["comment"]}
        return session.call("POST", f"{API}/issue/bulkfetch", json=body).data["issues"]

    reader = Comments(session, API, sandbox.url, fetch, lambda: "somebody else")
    records = reader.of([task(int(issue_id))])
    assert texts(records) == ["/pmo accept"] * 2
    assert len({record.id for record in records}) == 2
    (told,) = reader.finish(whole=True)
    assert set(told.census) == {record.id for record in records}


def test_every_recorded_comment_has_words_and_an_author() -> None:
    folder = SHARED / "data/jira"
    if not folder.exists():
        pytest.skip("the recorded answers are not beside the project")
    found: list[dict[str, Any]] = []
    halves = 0

    def walk(data: Any) -> None:
        nonlocal halves
        if isinstance(data, dict) and {"body", "author", "created", "id"} <= data.keys():
            found.append(data)
        if isinstance(data, dict) and isinstance(data.get("comments"), list):
            halves += len(data["comments"]) < int(data.get("total", 0))
        for one in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
            walk(one)

    names = ("nango_cloud_v3", "webhooks_mattermost", "jira_ruby_mock_responses", "tidev_appcelerator/raw")
    for path in (one for name in names for one in (folder / name).rglob("*.json")):
        if path.is_file() and path.read_text()[:1] in ("{", "["):
            try:
                walk(json.loads(path.read_text()))
            except json.JSONDecodeError:
                continue
    for answer in cassettes(folder / "vcr_redhat_osidb"):
        walk(answer.data)
    reader = Site().reader()
    assert len(found) > 100
    assert halves > 0, "real issues show a part of their comments"
    for one in found:
        assert one["body"] == "" or words(one["body"])
        command = reader.record(one | {"body": "/pmo accept"}, "1", "A-1")
        assert command is not None
        assert isinstance(command.values["author"], Person)
