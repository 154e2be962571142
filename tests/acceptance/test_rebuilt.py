"""The store can be lost: after days of work a new one plans nothing, and knows the same findings since when."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.office import ASANA, JIRA, Office
from tests.acceptance.settled import DAY_S, Person, abandon, findings, flagged, forget_store, spotless

pytestmark = pytest.mark.slow
Findings = dict[tuple[str, str, str], tuple[str, int]]


def work(office: Office, day: int) -> None:
    """What people do on one day: drop work, correct something, add to what is there."""
    sandbox = office.sandbox
    for site in (JIRA, ASANA):
        abandon(sandbox, site, spotless(office, site)[day])
    person = Person(sandbox)
    corrected = flagged(office, JIRA)[day]
    person.edit(JIRA, corrected, assignee={"accountId": _account(office)}, duedate="2031-03-03")
    person.jira("PUT", f"issue/{corrected}", {"update": {"labels": [{"add": "customer"}]}})
    person.jira("POST", "issueLink", _link(*spotless(office, JIRA)[5 + 2 * day : 7 + 2 * day]))


def _account(office: Office) -> str:
    rows = office.sandbox.state()["jira_user"]
    return next(row["account_id"] for row in rows if row["document"]["displayName"] == "Hanna Weber")


def _link(one: str, other: str) -> dict[str, object]:
    return {"type": {"name": "Blocks"}, "inwardIssue": {"id": one}, "outwardIssue": {"id": other}}


def on_marks(found: Findings) -> Findings:
    """What stands in the tools with its date: no waived finding does."""
    return {key: (state, since) for key, (state, since) in found.items() if state == "open"}


@pytest.fixture
def aged(settled: Callable[..., Office]) -> Office:
    """An office after three days of work, with a waiver; it has settled again."""
    office = settled()
    item = flagged(office, ASANA)[0]
    standard = next(name for site, what, name in findings(office) if (site, what) == (ASANA, f"task {item}"))
    term = {"on": office.now()[:10], "until": "2026-12-31"}
    office.write("decisions/waivers.yaml", WAIVER.format(standard=standard, item=item, **term))
    for day in range(2):
        work(office, day)
        office.sandbox.advance((1 + day) * DAY_S)
        run = office.run("reconcile")
        assert run.code == 0, run
        assert run.writes > 0
    return office


def test_a_rebuilt_store_plans_nothing_and_keeps_every_day(aged: Office) -> None:
    known, state = findings(aged), aged.sandbox.state()
    since = {day for _, day in known.values()}
    assert len(since) == 3, "found on three days"
    forget_store(aged)
    for line in (("plan", "--json"), ("plan", "--json", "--full")):
        run = aged.run(*line)
        assert (run.code, run.writes, run.json["lines"]) == (0, 0, []), run
    assert on_marks(findings(aged)) == on_marks(known)
    assert {key: state for key, (state, _) in findings(aged).items()} == {
        key: state for key, (state, _) in known.items()
    }
    forget_store(aged)
    for verb in ("sync", "reconcile"):
        run = aged.run(verb)
        assert (run.code, run.writes) == (0, 0), run
    assert aged.sandbox.state() == state


def test_what_was_pinned_is_found_again(settled: Callable[..., Office]) -> None:
    office = settled()
    state = office.sandbox.state()
    forget_store(office)
    for path in (office.folder / "mappings").glob("*.lock.yaml"):
        path.unlink()
    for verb in ("sync", "reconcile"):
        run = office.run(verb)
        assert (run.code, run.writes) == (0, 0), run
    assert office.sandbox.state() == state


WAIVER = f"""\
- standard: {{standard}}
  subject: {ASANA}/{{item}}
  reason: agreed for this release
  requested_by: ana
  approved_by: cio
  approved_on: {{on}}
  until: {{until}}
"""
