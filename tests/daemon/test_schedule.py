"""The jobs of the scheduler: those of the files, also after an edit; and what happens when one ends badly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pmosync.daemon import schedule
from pmosync.daemon.schedule import Scheduler
from pmosync.daemon.work import Work
from tests.acceptance.office import ASANA, JIRA, Office
from tests.daemon.conftest import MakeWork
from tests.daemon.process import until


@contextmanager
def started(work: Work) -> Iterator[Scheduler]:
    """A scheduler that runs."""
    scheduler = Scheduler(work)
    scheduler.start()
    try:
        yield scheduler
    finally:
        work.stop.ask()
        scheduler.stop()


def jobs(scheduler: Scheduler) -> set[str]:
    """The names of its jobs that come again."""
    return {job.id for job in scheduler._jobs.get_jobs() if not job.id.startswith("catch up")}


@pytest.mark.slow
def test_each_site_has_its_jobs_and_an_edit_of_the_schedule_is_taken_over(
    settled: Callable[..., Office], work_in: MakeWork
) -> None:
    office = settled("both")
    work = work_in(office)
    with started(work) as scheduler:
        expected = {f"{job} {site}" for job in ("sync", "reconcile", "new day") for site in (JIRA, ASANA)}
        assert jobs(scheduler) == {"beat", *expected}
        office.write("pmosync.yaml", office.read("pmosync.yaml") + 'schedule: {sync: "7 * * * *"}\n')
        scheduler.beat()
        (sync,) = (job for job in scheduler._jobs.get_jobs() if job.id == f"sync {JIRA}")
        assert sync.next_run_time.minute == 7
        text = office.read("pmosync.yaml")
        begin, end = text.index(f"  {ASANA}:"), text.index("standards:")
        office.write("pmosync.yaml", text[:begin] + text[end:].replace("register: projects.yaml\n", ""))
        scheduler.beat()
        assert jobs(scheduler) == {"beat", *(one for one in expected if one.endswith(JIRA))}
        assert f'age_seconds{{site="{ASANA}"'.encode() not in work.metrics.text()


@pytest.mark.slow
def test_what_is_due_is_done_when_the_daemon_starts(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("both")
    work = work_in(office)
    office.sandbox.advance(36 * 3600)
    with started(work) as scheduler:
        until(lambda: not work.not_ready())
        assert scheduler.not_alive() == ""
        until(lambda: not work.desks.busy())
    assert work.due(JIRA) is None
    assert work.due(ASANA) is None


@pytest.mark.slow
def test_a_site_that_hangs_delays_no_other(
    settled: Callable[..., Office], work_in: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = settled("both")
    work = work_in(office)
    office.sandbox.advance(36 * 3600)
    office.sandbox.fault({"kind": "retry_after", "value": "60", "match": {"tool": "jira"}})
    with started(work):
        until(lambda: ASANA in work.finished)
        assert JIRA not in work.finished
        assert work.desks.busy() == [JIRA]


def test_a_defect_in_a_job_is_told_and_counted_and_the_scheduler_goes_on(
    settled: Callable[..., Office], work_in: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = settled("jira")
    work = work_in(office)

    def broken(name: str) -> None:
        raise ZeroDivisionError("somebody divided by nothing")

    monkeypatch.setattr(work, "run_due", broken)
    with started(work) as scheduler:
        until(lambda: b'pmosync_errors_total{class="ZeroDivisionError"} 1.0' in work.metrics.text())
        assert work.told.about(f"site {JIRA}") == "somebody divided by nothing"
        assert scheduler.not_alive() == ""


def test_a_scheduler_that_is_silent_is_not_alive(
    settled: Callable[..., Office], work_in: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(work_in(settled("jira")))
    assert scheduler.not_alive() == ""
    monkeypatch.setattr(schedule, "LATE_S", -1.0)
    time.sleep(0.01)
    assert "silent" in scheduler.not_alive()
