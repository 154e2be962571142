"""Real daemons: signals, latency, and several of them with a cron job on one store."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from tests.acceptance.office import ASANA, JIRA, Office
from tests.acceptance.settled import abandon, spotless
from tests.acceptance.workday import marks
from tests.daemon.process import running, until

FLAGS = ("labels", "property pmosync.compliance", "PMO compliance", "PMO reasons")
"""What the sandbox's history calls our marks on tasks."""
EVERY_MINUTE = 'schedule: {sync: "* * * * *", reconcile: "0 2 * * *"}\n'


def scheduled(office: Office, schedule: str = EVERY_MINUTE) -> Office:
    """The office with a schedule."""
    office.write("pmosync.yaml", office.read("pmosync.yaml") + schedule)
    return office


def flags(office: Office, item: str) -> dict[Any, Any]:
    """Our marks on one item."""
    return {where: mark for where, mark in marks(office.sandbox.state()).items() if where[1] == item}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_edit_in_a_tool_is_flagged_within_one_interval_and_ten_seconds(settled: Callable[..., Office]) -> None:
    office = scheduled(settled("both"))
    office.sandbox.advance(120)
    with running(office) as daemon:
        # the sandbox's minutes begin at other seconds than the machine's: from the second cycle on they keep step
        until(lambda: len(daemon.events("cycle")) >= 4, lambda: str(daemon.log), 150)
        for site in (JIRA, ASANA):
            item = spotless(office, site)[0]
            abandon(office.sandbox, site, item)
            took_s = until(lambda item=item: bool(flags(office, item)), lambda: str(daemon.log), 80)  # type: ignore[misc]
            assert took_s <= 60 + 10
        assert daemon.get("/healthz").status_code == 200
        code, took_s = daemon.stop()
    assert code == 0
    assert took_s < 10


@pytest.mark.slow
def test_sigterm_in_the_middle_of_a_cycle_ends_it_with_nothing_half_recorded(settled: Callable[..., Office]) -> None:
    office = scheduled(settled("jira"))
    item = spotless(office, JIRA)[0]
    abandon(office.sandbox, JIRA, item)
    office.sandbox.advance(48 * 3600)  # so that everything is due
    office.sandbox.fault({"kind": "retry_after", "value": "30", "match": {"tool": "jira"}, "after": 3})
    with running(office) as daemon:
        until(lambda: office.sandbox.requests()["total"] >= 4, lambda: str(daemon.log))
        time.sleep(0.3)
        code, took_s = daemon.stop()
        assert code == 0, daemon.log
        assert took_s < 10
        assert [line["site"] for line in daemon.events("stopped on the way, the next run goes on")] == [JIRA]
    office.sandbox.heal()
    assert not flags(office, item)
    run = office.run("sync")
    assert run.code == 0, run
    assert flags(office, item)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("signals", "code", "least_s", "most_s"),
    [((signal.SIGTERM,), 0, 7, 10), ((signal.SIGINT, signal.SIGTERM), 130, 0, 4)],
    ids=["after eight seconds", "at once"],
)
def test_a_request_that_hangs_is_left(
    settled: Callable[..., Office], signals: Sequence[int], code: int, least_s: float, most_s: float
) -> None:
    office = scheduled(settled("jira"))
    office.sandbox.advance(48 * 3600)
    office.sandbox.fault({"kind": "hang", "seconds": 25, "match": {"tool": "jira"}})
    with running(office) as daemon:
        time.sleep(3)
        began_s = time.monotonic()
        for number in signals:
            daemon.process.send_signal(number)
            time.sleep(0.3)
        assert daemon.process.wait(20) == code, daemon.log
        assert least_s <= time.monotonic() - began_s <= most_s
    office.sandbox.heal()
    assert office.run("sync").code == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_daemons_and_a_cron_job_on_one_store_write_nothing_twice_and_lose_no_change(
    settled: Callable[..., Office],
) -> None:
    office = scheduled(settled("both"))
    items = [(site, item) for site in (JIRA, ASANA) for item in spotless(office, site)[:6]]
    office.sandbox.advance(24 * 3600)  # so that both daemons begin with a reconcile
    codes: Counter[int] = Counter()
    written: Counter[tuple[str, str]] = Counter()
    over = threading.Event()

    def cron() -> None:
        while not over.is_set():
            codes[_sync(office)] += 1
            over.wait(2)

    with ExitStack() as stack:
        office.sandbox.forget_requests()
        before = len(office.sandbox.control("GET", "changes"))
        daemons = [stack.enter_context(running(office, f"daemon{number}")) for number in range(2)]
        thread = threading.Thread(target=cron)
        thread.start()
        try:
            for site, item in items:
                abandon(office.sandbox, site, item)
                time.sleep(6)
            until(lambda: all(flags(office, item) for _, item in items), lambda: str(codes), 90)
        finally:
            over.set()
            thread.join(60)
        written.update(
            (line["method"], line["path"])
            for line in office.sandbox.requests()["log"]
            if line["write"] and line["user"].startswith("pmo-bot")
        )
        assert [daemon.stop()[0] for daemon in daemons] == [0, 0]
        ran = sum(len(daemon.events("cycle")) for daemon in daemons)
    assert ran, "the daemons worked too"
    assert set(codes) <= {0, 11, 13}, codes
    assert written, "somebody wrote"
    twice = {call: count for call, count in written.items() if call[0] == "PUT" and "/issue/" in call[1] and count > 1}
    assert not twice
    history = [row for row in office.sandbox.control("GET", "changes")[before:] if row["actor"] == "PMO bot"]
    assert {row["tool"] for row in history} == {"jira", "asana"}
    assert [row for row in history if row["before"] == row["after"]] == []
    values = Counter((row["item"], row["what"], str(row["after"])) for row in history if row["what"] in FLAGS)
    assert [value for value, count in values.items() if count > 1] == []
    last = office.run("reconcile", "--json")
    assert last.code == 0, last
    assert {row["subject"] for row in last.json["plan"]["by_kind"]} <= {"project", "rollup"}, (
        "sync leaves figures alone"
    )
    again = office.run("reconcile")
    assert (again.code, again.writes) == (0, 0), again


def _sync(office: Office) -> int:
    """What a cron job does, without forgetting what the sandbox counted."""
    beside = office.folder.parent / f"{office.folder.name}.cron"
    beside.mkdir(exist_ok=True)
    return office.forge.start(
        {
            "line": ["sync", "--now", office.now()],
            "folder": str(office.folder),
            "environ": office.environ,
            "out": str(beside / "out"),
            "err": str(beside / "err"),
            "trace": "",
            "kill_at": None,
        }
    )
