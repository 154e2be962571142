"""Waivers and disputes inside the tools: people write comments, pmosync enters and answers them; over whole runs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from pmosync.decisions import Terms, read_disputes, read_waivers
from tests.acceptance.office import ASANA, JIRA, Office
from tests.acceptance.settled import Person, forget_store, owner_of

pytestmark = pytest.mark.slow

PMO = 7
"""The number of the person who decides for the PMO."""


def decided(office: Office) -> list[tuple[str, str, str]]:
    """Subject, standard and state of each waiver."""
    read = read_waivers(office.folder / "decisions", Terms())
    assert read.unclear == ()
    return [(one.scope, one.standard, "approved" if one.approved else "asked for") for one in read.all]


def the_id(office: Office) -> str:
    return read_waivers(office.folder / "decisions", Terms()).all[-1].id


def settles(office: Office, *verbs: str) -> None:
    for verb in verbs:
        run = office.run(verb)
        assert (run.code, run.writes) == (0, 0), f"{verb}: {run}"


def lived_through(
    office: Office, subject: str, standard: str, say: Callable[[int, str], None], asker: int, ours: Callable[[], str]
) -> None:
    """What happens with a waiver and a dispute, the same in both tools.

    Args:
        say: comments on the task as the person of this number.
        ours: what our comment on the task says.
    """
    assert ours() == ""
    last = dt.date.fromisoformat(office.now()[:10]) + dt.timedelta(days=30)
    say(asker, f'/pmo waive {standard} until {last} because the vendor is late: [~all] <b>&amp; "x" # y')
    run = office.run("check")
    assert "commands in comments that wait: 1" in run.text, run
    assert not (office.folder / "decisions").exists()
    run = office.run("sync")
    assert run.code == 0, run
    assert decided(office) == [(subject, standard, "asked for")]
    name = the_id(office)
    assert f"Waiver {name} of {standard} until {last}: asked for. A manager or director decides" in ours()
    settles(office, "sync", "reconcile")
    say(asker, f"/pmo approve {name}")
    assert office.run("sync").code == 0
    assert f"Answer about {name}: only a manager or director may decide about it" in ours()
    say(PMO, f"/pmo approve {name}")
    run = office.run("sync")
    assert (run.code, decided(office)) == (0, [(subject, standard, "approved")]), run
    assert f"Waiver {name} of {standard}: approved until {last}" in ours()
    assert office.run("reconcile").code == 0, "which writes the rollup of the project, too"
    settles(office, "sync", "reconcile")
    say(asker, f"/pmo dispute {standard} because the date is the vendor's")
    say(asker, "/pmo help me")
    assert office.run("sync").code == 0
    ((dispute,), _) = read_disputes(office.folder / "decisions")
    assert f"{JIRA if office.jira is not None else ASANA}/{dispute.key}" == subject
    assert f"Dispute of {standard}: noted." in ours()
    assert 'Answer to "/pmo help me": it is not understood. Write /pmo waive' in ours()
    forget_store(office)
    settles(office, "reconcile", "sync")
    assert len(decided(office)) == 1, "the comments were read again, and are known"
    found = office.run("findings", "--state", "waived", "--json").json["standards"]
    assert {row["id"]: row["disputed"] for row in found}[standard] == 1
    gone = office.run("retract", "--yes")
    assert gone.code == 0, gone
    assert ours() == ""


def people(office: Office, account: str) -> None:
    """A manager of the PMO, known by the account."""
    site = JIRA if office.jira is not None else ASANA
    office.write("people.yaml", f'- {{email: pmo@acme.example, role: manager, accounts: {{{site}: "{account}"}}}}\n')


def test_jira(office: Callable[..., Office]) -> None:
    one = office(jira=("PAY",), asana=None, extra="people: people.yaml\n")
    mapping = f"mappings/{JIRA}.yaml"
    one.edit(mapping, "  mail: never", "  mail: accept")
    one.write(mapping, one.read(mapping) + "\nread: [comments]\n")
    people(one, f"712020:00000000-0000-4000-8000-{PMO:012d}")
    assert one.run("reconcile").code == 0
    issue, standard, asker = flagged_issue(one)

    def say(who: int, text: str) -> None:
        paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
        body = {"type": "doc", "version": 1, "content": [paragraph]}
        Person(one.sandbox, who).jira("POST", f"issue/{issue['id']}/comment", {"body": body})

    def ours() -> str:
        found = Person(one.sandbox).jira("GET", f"issue/{issue['id']}/comment")["comments"]
        return "\n".join(words(row["body"]) for row in found if row["author"]["emailAddress"].startswith("pmo-bot"))

    lived_through(one, f"{JIRA}/{issue['key']}", standard, say, asker, ours)


def words(body: Any) -> str:
    """The text of a document, one line a paragraph."""
    return "\n".join("".join(piece.get("text", "") for piece in part["content"]) for part in body["content"])


def flagged_issue(office: Office) -> tuple[dict[str, Any], str, int]:
    """An issue with one finding and an assignee: itself, the standard, and the number of the person."""
    state = office.sandbox.state()
    told = {row["entity_id"]: row["value"] for row in state["jira_property"] if row["key"] == "pmosync.compliance"}
    for row in state["jira_issue"]:
        if len(told.get(row["id"], {}).get("findings", ())) == 1 and row["fields"].get("assignee"):
            who = json.dumps(row["fields"]["assignee"])
            number = int(who.partition("4000-8000-")[2][:12])
            if number != PMO:
                return row, told[row["id"]]["findings"][0]["id"], number
    raise AssertionError("no issue has one finding and an assignee")


def test_asana(office: Callable[..., Office]) -> None:
    one = office(jira=None, asana=("1202000000000001",), extra="people: people.yaml\n")
    one.edit(f"mappings/{ASANA}.yaml", "\nread: []", "\nread: [comments]")
    state = one.sandbox.state()
    gids = sorted(row["gid"] for row in state["asana_user"] if not row["email"].startswith("pmo-bot"))
    people(one, gids[PMO - 1])
    assert one.run("reconcile").code == 0
    task, standard, asker = flagged_task(one)
    texts = Person(one.sandbox, asker)

    def say(who: int, text: str) -> None:
        Person(one.sandbox, who).asana("POST", f"tasks/{task}/stories", {"text": text})

    def ours() -> str:
        stories = texts.asana("GET", f"tasks/{task}/stories?opt_fields=text,type,created_by.name")
        return "\n".join(
            row["text"] for row in stories if row["type"] == "comment" and row["created_by"]["name"] == "PMO bot"
        )

    lived_through(one, f"{ASANA}/{task}", standard, say, asker, ours)


def flagged_task(office: Office) -> tuple[str, str, int]:
    """A task with one finding and an assignee: its id, the standard, and the number of the person."""
    state = office.sandbox.state()
    field = next(row["gid"] for row in state["asana_field"] if row["name"] == "PMO reasons")
    owners = {row["gid"]: row["assignee"] for row in state["asana_task"]}
    for row in state["asana_value"]:
        if row["field"] == field and owners.get(row["item"]):
            text = json.dumps(row)
            person = owner_of(office.sandbox, row["item"])
            if text.count(", since ") == 1 and person.number != PMO:
                return (
                    row["item"],
                    next(w for w in text.replace('"', " ").split() if w[:3].isupper() and w[3:].isdigit()),
                    person.number,
                )
    raise AssertionError("no task has one finding and an assignee")
