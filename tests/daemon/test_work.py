"""One job of the daemon at a time: what it does, what it tells, and what it keeps running with."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pmosync.cycle import Outcome
from pmosync.daemon.stopping import Stop
from pmosync.errors import Misconfigured
from tests.acceptance.office import ASANA, JIRA, Office
from tests.acceptance.settled import abandon, spotless
from tests.daemon.conftest import MakeWork, clock_of

MINUTE_S, HOUR_S = 60, 3600


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """What the daemon logged since it was last asked, at info and above."""
    caplog.set_level(logging.INFO, "pmosync.daemon")

    def since() -> list[dict[str, Any]]:
        found = [dict(one.msg) for one in caplog.records if one.name == "pmosync.daemon" and isinstance(one.msg, dict)]
        caplog.clear()
        return found

    return since


def done(outcome: Outcome | None) -> Outcome:
    """The outcome of a job that came to its end."""
    assert outcome is not None
    return outcome


def written(outcome: Outcome | None, name: str) -> int:
    """How many marks a job wrote."""
    pushed = done(outcome).sites[name].pushed
    return pushed.done if pushed else 0


# --- a job ------------------------------------------------------------------------------------------------------------


def test_an_edit_in_a_tool_is_flagged_by_the_next_job_of_its_site(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("both")
    work = work_in(office)
    abandon(office.sandbox, JIRA, spotless(office, JIRA)[0])
    assert written(work.run("sync", ASANA), ASANA) == 0
    assert written(work.run("sync", JIRA), JIRA) >= 1
    assert written(work.run("sync", JIRA), JIRA) == 0
    told = [line for line in lines() if line["event"] == "cycle"]
    assert [(line["site"], line["verb"], line["exit"], line["new"]) for line in told] == [
        (ASANA, "sync", 0, 0), (JIRA, "sync", 0, 1), (JIRA, "sync", 0, 0),
    ]  # fmt: skip
    assert all(line["requests"] > 0 for line in told)


@pytest.mark.slow
def test_a_site_that_fails_is_told_once_and_once_more_when_it_works_again(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("asana")
    work = work_in(office)
    office.sandbox.fault({"kind": "unauthorized", "match": {"tool": "asana"}})
    work.run("sync", ASANA)
    work.run("sync", ASANA)
    failing = [line for line in lines() if line["level"] == "warning" and line["event"] == "the site fails"]
    assert [(line["site"], line["error"]) for line in failing] == [(ASANA, "Unauthorized")]
    assert b'pmosync_errors_total{class="Unauthorized"} 2.0' in work.metrics.text()
    assert b'pmosync_site_failing{site="acme-asana"} 1.0' in work.metrics.text()
    office.sandbox.heal()
    office.sandbox.forget_requests()
    work.run("reconcile", ASANA)
    assert office.sandbox.requests()["total"] == 0, "credentials that were refused are not tried at once"
    office.sandbox.advance(25 * HOUR_S)
    work.run("reconcile", ASANA)
    told = [line["event"] for line in lines()]
    assert told.count("the site works again") == 1
    assert b'pmosync_site_failing{site="acme-asana"} 0.0' in work.metrics.text()


@pytest.mark.slow
def test_marks_that_a_site_does_not_take_are_told_with_the_reason_and_once(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("asana")
    work = work_in(office)
    item = spotless(office, ASANA)[0]
    abandon(office.sandbox, ASANA, item)
    office.sandbox.fault({"kind": "status", "status": 403, "match": {"tool": "asana", "write": True}})
    for _ in range(2):
        done(work.run("sync", ASANA))
    (told,) = (line for line in lines() if line["level"] == "warning")
    assert (told["event"], told["site"]) == ("the site did not take every mark, the next job tries again", ASANA)
    assert "403" in told["why"]
    office.sandbox.heal()
    assert written(work.run("sync", ASANA), ASANA) >= 1
    assert [line["event"] for line in lines()].count("the site takes every mark again") == 1


def test_a_bad_or_held_site_delays_no_other(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("both")
    work = work_in(office)
    office.sandbox.fault({"kind": "unauthorized", "match": {"tool": "jira"}})
    assert done(work.run("sync", JIRA)).sites[JIRA].trouble is not None
    item = spotless(office, ASANA)[0]
    abandon(office.sandbox, ASANA, item)
    with work.store.lock(JIRA):
        assert done(work.run("sync", JIRA)).sites[JIRA].locked
        assert written(work.run("sync", ASANA), ASANA) >= 1


@pytest.mark.slow
def test_credentials_that_end_soon_are_told_once_a_day(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("jira")
    ends_on = clock_of(office.sandbox)().date() + dt.timedelta(days=9)
    office.edit("pmosync.yaml", "token: env:JIRA_TOKEN}", f"token: env:JIRA_TOKEN, expires_on: {ends_on}}}")
    work = work_in(office)
    for _ in range(2):
        done(work.run("reconcile", JIRA))
    told = [line["why"] for line in lines() if line["event"] == "the credentials end"]
    assert len(told) == 1
    assert told[0].startswith(f"the API token of pmo-bot@acme.example ends on {ends_on}, in 9 days")
    office.sandbox.advance(24 * HOUR_S)
    done(work.run("reconcile", JIRA))
    assert "in 8 days" in lines()[0]["why"]


@pytest.mark.slow
def test_a_daemon_that_starts_anew_leaves_refused_credentials_in_peace(
    settled: Callable[..., Office], work_in: MakeWork
) -> None:
    office = settled("asana")
    office.sandbox.fault({"kind": "unauthorized", "match": {"tool": "asana"}})
    work_in(office).run("sync", ASANA)
    office.sandbox.heal()
    office.sandbox.forget_requests()
    again = work_in(office)
    again.run("sync", ASANA)
    assert office.sandbox.requests()["total"] == 0
    again.run("reconcile", ASANA)
    assert office.sandbox.requests()["total"] == 0, "this process knows by now, and waits for its schedule"
    office.sandbox.advance(HOUR_S)
    assert done(work_in(office).run("sync", ASANA)).sites[ASANA].trouble is None


# --- edits of the files -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_good_edit_is_taken_over_before_the_next_job(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("jira")
    work = work_in(office)
    assert not done(work.run("sync", JIRA)).plan.changes
    office.edit("pmosync.yaml", "profile: controlling", "profile: supportive")
    assert written(work.run("sync", JIRA), JIRA) > 0


def test_a_new_day_is_no_edit_of_the_files(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("jira")
    work = work_in(office)
    for _ in range(2):
        office.sandbox.advance(24 * HOUR_S)
        done(work.run("sync", JIRA))
    assert "the files changed and are in use from now on" not in [line["event"] for line in lines()]
    office.edit("pmosync.yaml", "profile: controlling", "profile: supportive")
    work.look()
    assert [line["event"] for line in lines()] == ["the files changed and are in use from now on"]


def test_a_bad_edit_is_refused_once_with_its_place_while_the_old_files_keep_running(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("jira")
    work = work_in(office)
    good = office.read("pmosync.yaml")
    office.edit("pmosync.yaml", "profile: controlling", "profile: supportiv")
    for _ in range(2):
        assert not done(work.run("sync", JIRA)).plan.changes
    told = [line["why"] for line in lines() if line["level"] == "warning"]
    assert len(told) == 1
    assert "pmosync.yaml:5:" in told[0]
    assert "did you mean 'supportive'?" in told[0]
    assert b"pmosync_edit_refused 1.0" in work.metrics.text()
    office.edit("pmosync.yaml", "profile: supportiv", "profile: supportve")
    work.run("sync", JIRA)
    assert len([line for line in lines() if line["level"] == "warning"]) == 1, "another mistake is told"
    office.write("pmosync.yaml", good)
    assert not done(work.run("sync", JIRA)).plan.changes
    assert [line["event"] for line in lines()].count("the files are in order again") == 1
    assert b"pmosync_edit_refused 0.0" in work.metrics.text()


def test_a_mapping_that_only_the_site_can_refuse_is_refused_while_the_old_one_keeps_running(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("jira")
    work = work_in(office)
    path = f"mappings/{JIRA}.yaml"
    good = office.read(path)
    done(work.run("sync", JIRA))
    office.edit(path, "  due_on: duedate", "  due_on: Deadline that nobody made")
    item = spotless(office, JIRA)[0]
    abandon(office.sandbox, JIRA, item)
    assert written(work.run("sync", JIRA), JIRA) >= 1, "by the old mapping"
    work.run("sync", JIRA)
    told = [line for line in lines() if line["level"] == "warning"]
    assert [line["site"] for line in told] == [JIRA]
    assert "Deadline that nobody made" in told[0]["why"]
    office.write(path, good)
    assert not done(work.run("sync", JIRA)).plan.changes
    assert "the mapping is in order again" in [line["event"] for line in lines()]


def test_the_store_cannot_change_while_the_daemon_runs(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("jira")
    work = work_in(office)
    office.edit("pmosync.yaml", "sqlite:///pmosync.db", "sqlite:///other.db")
    done(work.run("sync", JIRA))
    (told,) = (line["why"] for line in lines() if line["level"] == "warning")
    assert "store cannot change while the daemon runs" in told
    assert not (office.folder / "other.db").exists()


def test_a_waiver_counts_from_the_next_job_on_and_its_end_is_told_once(
    settled: Callable[..., Office], work_in: MakeWork, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    office = settled("jira")
    work = work_in(office)
    before = written(work.run("sync", JIRA), JIRA)
    today = clock_of(office.sandbox)().date()
    waiver = (
        f"- {{standard: SCH, project: {JIRA}/PAY, reason: closing, approved_by: pmo@acme.example, "
        f"approved_on: {today}, until: {today + dt.timedelta(days=10)}}}\n"
    )
    office.write("decisions/waivers.yaml", waiver)
    assert before == 0
    assert done(work.run("sync", JIRA)).settled.waived > 0
    office.write("decisions/waivers.yaml", f"{waiver}# nothing more\n")
    work.run("sync", JIRA)
    (told,) = [line for line in lines() if line["event"] == "a waiver ends soon"]
    assert told["why"].startswith(f"SCH for project:{JIRA}/PAY: the last day is {today + dt.timedelta(days=10)}")


def test_files_that_cannot_be_used_at_the_start_are_refused_like_those_of_any_verb(
    settled: Callable[..., Office], work_in: MakeWork
) -> None:
    office = settled("jira")
    office.edit("pmosync.yaml", "profile: controlling", "profile: supportiv")
    with pytest.raises(Misconfigured, match="supportive"):
        work_in(office)


# --- what is due ------------------------------------------------------------------------------------------------------


def test_what_was_missed_is_due_once_and_a_reconcile_serves_for_a_sync(
    settled: Callable[..., Office], work_in: MakeWork
) -> None:
    office = settled("jira")
    work = work_in(office)
    work.run_due(JIRA)
    assert work.due(JIRA) is None
    office.sandbox.advance(36 * HOUR_S)
    assert work.due(JIRA) == "reconcile"
    assert done(work.run_due(JIRA)).sites[JIRA].pulled is not None
    assert work.due(JIRA) is None
    assert work.run_due(JIRA) is None
    office.sandbox.advance(6 * MINUTE_S)
    assert work.due(JIRA) == "sync"
    work.run_due(JIRA)
    assert work.due(JIRA) is None


def test_a_new_day_in_the_zone_of_a_site_asks_for_a_sync(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("jira")
    office.write(
        "pmosync.yaml", office.read("pmosync.yaml") + 'schedule: {sync: "0 12 * * *", reconcile: "0 0 1 * *"}\n'
    )
    work = work_in(office)
    work.run("sync", JIRA)
    zone = work.desks.edition.config.site(JIRA).zone
    now = clock_of(office.sandbox)().astimezone(zone)
    left_s = (24 - now.hour) * HOUR_S - now.minute * MINUTE_S - now.second
    office.sandbox.advance(left_s - MINUTE_S)
    if now.hour >= 12:
        assert work.due(JIRA) is None
    office.sandbox.advance(2 * MINUTE_S)
    assert work.due(JIRA) == "sync"


def test_a_run_that_could_not_begin_is_still_to_be_done(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("jira")
    work = work_in(office)
    office.sandbox.advance(36 * HOUR_S)
    office.sandbox.fault({"kind": "unauthorized", "match": {"tool": "jira"}})
    work.run_due(JIRA)
    assert work.due(JIRA) == "reconcile"
    office.sandbox.heal()
    again = work_in(office)
    again.run_due(JIRA)
    assert again.due(JIRA) is None


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_a_wait_ends_when_the_daemon_is_asked_to_stop(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("jira")
    stop = Stop()
    work = work_in(office, stop=stop)
    office.sandbox.fault({"kind": "retry_after", "value": "60", "match": {"tool": "jira"}})
    thread = threading.Thread(target=work.run, args=("sync", JIRA))
    thread.start()
    time.sleep(0.5)
    assert thread.is_alive()
    assert work.desks.busy() == [JIRA]
    began_s = time.monotonic()
    stop.ask()
    thread.join(5)
    assert time.monotonic() - began_s < 3
    assert not work.desks.busy()
    office.sandbox.heal()
    assert not done(work_in(office).run("sync", JIRA)).plan.changes


@pytest.mark.slow
def test_a_push_that_is_stopped_records_what_it_wrote_and_the_next_one_writes_the_rest_once(
    settled: Callable[..., Office], work_in: MakeWork
) -> None:
    office = settled("asana")
    stop = Stop()
    work = work_in(office, stop=stop)
    office.edit("pmosync.yaml", "profile: controlling", "profile: supportive")
    receipts = 0
    inner = stop.watch

    def watch(name: str, connector: Any) -> Any:
        made = inner(name, connector)
        push = made._inner.push

        def counted(changes: Any) -> Any:
            nonlocal receipts
            for receipt in push(changes):
                receipts += 1
                if receipts == 3:
                    stop.ask()
                yield receipt

        made._inner.push = counted
        return made

    stop.watch = watch  # type: ignore[method-assign]
    stopped = done(work.run("sync", ASANA))
    pushed = stopped.sites[ASANA].pushed
    assert pushed is not None
    assert pushed.done == 3 < len(stopped.plan.changes)
    again = work_in(office)
    rest = written(again.run("sync", ASANA), ASANA)
    assert 0 < rest <= len(stopped.plan.changes) - 3
    assert not done(again.run("reconcile", ASANA)).plan.changes
