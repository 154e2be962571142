"""What a run costs, as the servers count it: next to nothing when nothing changed, little for one change, and told."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.office import ASANA, JIRA, Forge, Office, Run
from tests.acceptance.settled import abandon, forget_store, opened, spotless
from tests.conftest import start_sandbox, stop_sandbox

pytestmark = pytest.mark.slow

JIRA_QUIET, WORKSPACES = 2, 1
"""Requests that a quiet cycle may make to a Jira site, and beside one per project to Asana."""
FOR_AN_ECHO = 3
"""Of our own: an event of Asana; or an issue of Jira whose date a link of ours moved."""
FOR_ONE_CHANGE = 4
"""In Jira one of them is the look whether an edit would mail anybody."""
FIRST_PULL, ISSUES = 150, 10_000


def asked(run: Run, tool: str, *, write: bool) -> int:
    """How many reads or writes a tool counted."""
    return sum(one["tool"] == tool and one["write"] is write for one in run.requests["log"])


@pytest.fixture
def office(settled: Callable[..., Office]) -> Office:
    """An office over twelve projects and the project office's own that has settled."""
    return settled("all")


def quiet_reads(office: Office) -> int:
    """What Asana is asked when nothing changed: one request per project and one per workspace."""
    return len(office.sandbox.state()["asana_project"]) + WORKSPACES


def test_a_quiet_cycle_asks_next_to_nothing_and_writes_nothing(office: Office) -> None:
    state = office.sandbox.state()
    assert len(state["jira_project"]) + len(state["asana_project"]) == 13
    for _ in range(2):
        run = office.run("sync")
        assert run.code == 0, run
        assert asked(run, "jira", write=False) <= JIRA_QUIET, run.requests["by_endpoint"]
        assert asked(run, "asana", write=False) <= quiet_reads(office), run.requests["by_endpoint"]
        assert run.writes == 0


def subtask(office: Office) -> str:
    """An Asana subtask of a subtask, in work, about which nothing is found."""
    fine = set(spotless(office, ASANA))
    rows = {row["gid"]: row for row in office.sandbox.state()["asana_task"]}
    found = [gid for gid in fine if rows[gid]["parent"]]
    return max(found, key=lambda gid: bool(rows[rows[gid]["parent"]]["parent"]))


CHANGES: dict[str, tuple[str, Callable[[Office], str]]] = {
    "issue": (JIRA, lambda office: spotless(office, JIRA)[0]),
    "task": (ASANA, lambda office: spotless(office, ASANA)[0]),
    "subtask": (ASANA, subtask),
}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind == "issue" else [pytest.mark.slow]) for kind in CHANGES]
)
def test_one_change_costs_four_reads_more_and_its_writes_are_listed(office: Office, kind: str) -> None:
    site, pick = CHANGES[kind]
    item = pick(office)
    abandon(office.sandbox, site, item)
    run = office.run("sync", "--json")
    assert run.code == 0, run
    reads = run.requests["reads"]
    assert reads <= JIRA_QUIET + quiet_reads(office) + FOR_ONE_CHANGE, run.requests["by_endpoint"]
    assert run.writes >= 1, "the task has no owner any more, so it gets a flag"
    told = run.json["sites"]
    assert {name: one["requests"]["writes"] for name, one in told.items() if one["requests"]["writes"]} == {
        site: run.writes
    }
    listed = {(row["site"], row["slot"]): row["changes"] for row in run.json["plan"]["by_kind"]}
    assert {where for where, _ in listed} == {site}
    assert sum(listed.values()) >= 2
    again = office.run("sync")
    assert (again.code, again.writes) == (0, 0), again
    assert again.requests["reads"] <= JIRA_QUIET + quiet_reads(office) + FOR_AN_ECHO, (
        "our own echo costs next to nothing"
    )


@pytest.mark.parametrize("verb", ["sync", "reconcile", "plan", "check"])
@pytest.mark.slow
def test_every_run_tells_its_requests_as_the_servers_count_them(office: Office, verb: str) -> None:
    """The requests of Asana are told as they go over the wire: one for a batch, whose actions the server counts."""
    run = office.run(verb)
    assert run.code == 0, run
    jira = asked(run, "jira", write=False)
    assert f"requests to {JIRA}: {jira} reads, 0 writes" in run.text
    assert f"requests to {ASANA}: " in run.text
    rows = [line.split(maxsplit=1) for line in run.out.splitlines() if "/" in line and line.split()[0].isdigit()]
    by_endpoint = {name.strip(): int(count) for count, name in rows}
    for method_and_path, count in by_endpoint.items():
        assert method_and_path.split()[0] in ("GET", "POST"), method_and_path
        assert count > 0
    assert sum(count for name, count in by_endpoint.items() if " /rest/" in name) == jira


@pytest.mark.slow
def test_a_first_run_tells_reads_and_writes_by_endpoint(office: Office) -> None:
    retracted = office.run("retract", "--yes", "--site", JIRA)
    assert retracted.code == 0, retracted
    forget_store(office)
    run = office.run("sync", "--site", JIRA, "--json")
    assert run.code == 0, run
    told = run.json["sites"][JIRA]["requests"]
    assert (told["reads"], told["writes"]) == (run.requests["reads"], run.writes)
    assert sum(told["by_endpoint"].values()) == run.requests["total"]


@pytest.mark.slow
def test_a_first_pull_of_ten_thousand_issues_makes_at_most_150_requests(tmp_path: Path, forge: Forge) -> None:
    exported(tmp_path / "export", ISSUES)
    sandbox = start_sandbox("--load", str(tmp_path / "export"))
    try:
        office = Office(tmp_path / "office", sandbox, forge, asana=None, push="off")
        office.write(f"mappings/{JIRA}.yaml", MAPPING)
        run = office.run("sync")
        assert (run.code, run.writes) == (0, 0), run
        assert run.requests["reads"] <= FIRST_PULL, run.requests["by_endpoint"]
        with opened(office) as store:
            assert store.execute("SELECT count(*) FROM task").fetchone() == (ISSUES,)
    finally:
        stop_sandbox(sandbox)


def exported(folder: Path, count: int) -> None:
    """An export of so many small issues in three projects."""
    folder.mkdir()
    with tarfile.open(folder / "issues.tar.xz", "w:xz", preset=0) as archive:
        for number in range(count):
            data = json.dumps(issue(number)).encode()
            member = tarfile.TarInfo(f"issues/{number}.json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def issue(number: int) -> dict[str, Any]:
    """One small issue, as Jira's API shows it."""
    project = number % 3
    key = ("BIG", "OLD", "NEW")[project]
    person = {"accountId": f"account-{number % 700}", "displayName": f"Person {number % 700}", "active": True}
    return {
        "id": str(50_000 + number),
        "key": f"{key}-{number + 1}",
        "fields": {
            "project": {"id": str(900 + project), "key": key, "name": key.title()},
            "issuetype": {"id": "3", "name": "Task", "subtask": False},
            "status": {
                "id": str(1 + number % 2),
                "name": ("Open", "Closed")[number % 2],
                "statusCategory": {"id": 2 + number % 2, "key": ("new", "done")[number % 2], "name": "-"},
            },
            "summary": f"Piece of work {number}",
            "assignee": person if number % 5 else None,
            "created": "2026-01-05T10:00:00.000+0000",
            "updated": f"2026-02-{1 + number % 28:02d}T10:00:{number % 60:02d}.000+0000",
        },
    }


MAPPING = f"""\
site: {JIRA}
project: {{title: name, lead: lead}}
task:
  title: summary
  assignee: assignee
  status:
    - {{field: status, values: {{todo: category=new, done: category=done}}}}
    - default: report
write: {{task: [property, label], project: [project_property], mail: never}}
"""
