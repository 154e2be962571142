"""The slots of Jira that a mapping opts in to, a field, a text and a comment, over whole cycles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmosync.sandbox import organisation
from pmosync.sandbox.jira import datacenter, seed
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State
from tests.acceptance.office import JIRA, Forge, Office, difference
from tests.acceptance.settled import UNHURRIED, forget_store, without_ours
from tests.conftest import Sandbox

pytestmark = pytest.mark.slow

SELECT, TEXT = "customfield_10050", "customfield_10052"
SLOTS = "[property, label, field, text_field, comment]"
AS_OF = dt.date(2026, 11, 21)
TOKENS = {"JIRA_TOKEN": "sandbox-jira-token"}


@pytest.fixture(params=["few", *(pytest.param(one, marks=pytest.mark.slow) for one in ("all, in bulk", "a server"))])
def office(request: pytest.FixtureRequest, tmp_path: Path, forge: Forge) -> Iterator[Office]:
    """An office whose Jira has the PMO's two fields, before anything was written."""
    server_side, few = request.param == "a server", request.param != "all, in bulk"
    state = State(as_of=AS_OF)
    organisation.write(state, AS_OF, asana=False)
    with state.transaction():
        options = ["Critical", "High", "Medium", "Low", "Info"]
        seed.add_field(state, SELECT, "PMO compliance", {"type": "option"}, choices=options)
        seed.add_field(state, TEXT, "PMO reasons", {"type": "text"})
        if server_side:
            datacenter.switch_on(state)
    server = Server(state)
    server.start()
    try:
        sandbox = Sandbox(server.url, None)  # type: ignore[arg-type]
        options_of: dict[str, Any] = {"data_center": server_side, "asana": None}
        made = Office(tmp_path / "office", sandbox, forge, jira=("PAY", "PLAT") if few else (), **options_of)
        made.environ.update(UNHURRIED)
        name = f"mappings/{JIRA}.yaml"
        made.edit(name, "task: [property, label]", f"task: {SLOTS}")
        made.edit(name, "  mail: never", "  mail: accept")
        yield made
    finally:
        server.stop()


def ours_away(office: Office) -> dict[str, Any]:
    """The state without what is ours, our fields and comments among it, and without the dates that a comment moves."""
    state = without_ours(office.sandbox.state())
    for row in state["jira_issue"]:
        row["fields"] = {name: value for name, value in row["fields"].items() if name not in (SELECT, TEXT)}
    return {name: rows for name, rows in state.items() if name not in ("jira_history", "mail", "change")}


def test_they_settle_survive_a_lost_store_and_leave_nothing_behind(office: Office) -> None:
    before = ours_away(office)
    first = office.run("reconcile")
    assert first.code == 0, first
    comments = office.sandbox.state()["jira_comment"]
    flagged = [row for row in office.sandbox.state()["jira_issue"] if row["fields"].get(SELECT)]
    assert len(flagged) == len(comments) > 10
    assert all(row["fields"][TEXT] for row in flagged)
    for verb in ("sync", "sync", "reconcile"):
        run = office.run(verb)
        assert (run.code, run.writes) == (0, 0), f"{verb}: {run}"
    forget_store(office)
    run = office.run("sync")
    assert (run.code, run.writes) == (0, 0), run
    gone = office.run("retract", "--yes")
    assert gone.code == 0, gone
    assert office.sandbox.state()["jira_comment"] == []
    assert not [row for row in office.sandbox.state()["jira_issue"] if row["fields"].get(SELECT)]
    assert difference(ours_away(office), before) == []
