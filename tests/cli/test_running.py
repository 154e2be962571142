"""The verbs against the sandbox: what they write, what they print, which codes they return."""

from __future__ import annotations

import datetime as dt
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Ran, Run, write_config
from tests.conftest import Sandbox

from pmosync import plan as plans
from pmosync.approving import envelopes
from pmosync.decisions import append_approval
from pmosync.store import Store


@pytest.fixture
def office(folder: Path, sandbox: Sandbox) -> Path:
    """A folder whose configuration points at the sandbox."""
    write_config(folder, sandbox.url)
    return folder


def switch(folder: Path, old: str, new: str) -> None:
    path = folder / "pmosync.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def fits(ran: Ran) -> bool:
    """Whether no line is wider than 80 columns."""
    return all(len(line) <= 80 for line in ran.out.splitlines())


ASANA = ("--site", "acme-asana")
"""Enough for most of what is tested here, and quick."""


def test_with_push_off_nothing_is_written_and_the_run_says_how_to_switch_on(
    run: Run, office: Path, sandbox: Sandbox
) -> None:
    switch(office, "push: on", "push: off")
    ran = run("sync", *ASANA)
    assert ran.code == 0
    assert re.search(r"push is off: \d+ changes not written; look at `pmosync plan`, then set\s+push: on", ran.out)
    assert sandbox.requests()["writes"] == 0


def test_a_run_tells_sites_findings_changes_and_every_request(run: Run, office: Path, sandbox: Sandbox) -> None:
    ran = run("reconcile")
    assert ran.code == 0
    assert re.search(r"acme-jira: \d+ records read, \d+ changed, 0 gone; \d+ marks written, 0 refused", ran.out)
    assert re.search(r"findings: \d+ new, 0 resolved, 0 waived \(because of: data \d+\)", ran.out)
    assert re.search(r"acme-asana  text_field +write  data", ran.out)
    assert fits(ran)
    assert "acme-jira: reading everything" in ran.err
    counted = sandbox.requests()
    told = re.findall(r"requests to acme-\w+: (\d+) reads, (\d+) writes", ran.out)
    assert sum(int(reads) + int(writes) for reads, writes in told) == sum(
        count for count in counted["by_endpoint"].values()
    ) - _inside_batches(counted["by_endpoint"], ran)

    quiet = run("sync", "--quiet")
    assert (quiet.code, quiet.out) == (0, "")


def _inside_batches(by_endpoint: dict[str, int], ran: Ran) -> int:
    """The sandbox counts the actions of a batch one by one, and so not the batch; we count what we send."""
    batches = int(re.findall(r"(\d+)  POST /batch", ran.out)[0])
    sent = {name: count for name, count in by_endpoint.items() if "/api/1.0/" in name}
    plain = sum(int(n) for n in re.findall(r" (\d+)  (?:GET|PUT|POST|DELETE) /(?!rest|batch)", ran.out))
    return sum(sent.values()) - plain - batches


@pytest.mark.slow
def test_plan_says_with_its_code_whether_there_is_something_to_change(run: Run, office: Path, sandbox: Sandbox) -> None:
    ran = run("plan", "--detailed-exitcode", "--site", "acme-jira")
    assert ran.code == 10
    assert fits(ran)
    assert re.search(r"^item +what +slots +because of", ran.out, re.MULTILINE)
    assert re.search(r"^PAY-\d+ +write [A-Z]{3}\d{3}.* +label, property +data", ran.out, re.MULTILINE)
    assert sandbox.requests()["writes"] == 0
    assert run("sync", *ASANA).code == 0
    assert run("plan", "--detailed-exitcode", *ASANA).code == 0
    assert run("plan", "--detailed-exitcode", "--full", *ASANA).code == 0


@pytest.mark.slow
def test_a_saved_plan_is_pushed_as_it_is_and_only_once(run: Run, office: Path, sandbox: Sandbox) -> None:
    saved = run("plan", *ASANA, "--out", "first.plan", "--json").data
    assert run("apply", "first.plan").code == 0
    again = run("apply", "first.plan")
    assert again.code == 2
    assert "make the plan anew" in " ".join(again.err.split())
    assert run("sync", *ASANA, "--json").data["plan"]["changes"] == 0
    assert saved["plan"]["changes"] > 0
    assert run("apply", "nothing.plan").code == 2


def test_the_guard_holds_a_large_plan_until_somebody_approves_it_with_a_reason(
    run: Run, office: Path, sandbox: Sandbox
) -> None:
    switch(office, "push: on", "push: on\nguard: {max_changes: 10}")
    held = run("sync", *ASANA)
    assert held.code == 12
    assert "more than 10" in held.out
    assert sandbox.requests()["writes"] == 0
    run("plan", *ASANA, "--out", "big.plan")
    assert run("apply", "big.plan").code == 12
    assert run("apply", "big.plan", "--approve", " ").code == 2
    assert not (office / "decisions/approvals.yaml").exists()
    assert run("apply", "big.plan", "--approve", "the first flags, looked at").code == 0
    assert "the first flags, looked at" in (office / "decisions/approvals.yaml").read_text()
    assert sandbox.requests()["writes"] > 0


@pytest.mark.slow
def test_an_approval_in_the_decisions_lets_the_next_run_pass(run: Run, office: Path, sandbox: Sandbox) -> None:
    switch(office, "push: on", "push: on\nguard: {max_changes: 10}")
    assert run("plan", *ASANA, "--out", "big.plan").code == 0
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(hours=25)
    for approval in envelopes(plans.load(Path("big.plan")), "looked at", "ada", yesterday):
        append_approval(Path("decisions"), approval)
    assert run("sync", *ASANA).code == 12
    for approval in envelopes(plans.load(Path("big.plan")), "looked at", "ada", dt.datetime.now(dt.UTC)):
        append_approval(Path("decisions"), approval)
    assert run("sync", *ASANA).code == 0


@pytest.mark.slow
def test_a_lock_that_another_run_holds_is_told_and_only_all_of_them_are_13(
    run: Run, office: Path, sandbox: Sandbox
) -> None:
    switch(office, "push: on", "push: off")
    assert run("sync").code == 0
    store = Store(office / "pmosync.db")
    with store.lock("acme-jira"):
        partly = run("sync")
        assert partly.code == 11
        assert "acme-jira: left out, another run holds the lock" in partly.out
        assert run("sync", "--site", "acme-jira").code == 13
    store.close()
    assert run("sync").code == 0


@pytest.mark.slow
def test_wrong_credentials_are_1_alone_and_11_beside_a_site_that_was_done(
    run: Run, office: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(office, "push: on", "push: off")
    monkeypatch.setenv("ACME_JIRA_TOKEN", "no-such-token")
    alone = run("sync", "--site", "acme-jira")
    assert alone.code == 1
    assert "Check the user and the token" in " ".join(alone.out.split())
    assert run("sync").code == 11


@pytest.mark.slow
def test_check_writes_nothing_and_returns_14_for_findings_so_severe(run: Run, office: Path, sandbox: Sandbox) -> None:
    ran = run("check", "--fail-on", "critical", *ASANA)
    assert ran.code == 14
    assert fits(ran)
    assert "SCH202" in ran.out
    assert sandbox.requests()["writes"] == 0
    assert run("check", *ASANA).code == 0


def test_findings_before_the_first_run_name_the_next_step(run: Run, office: Path) -> None:
    missing = run("findings")
    assert missing.code == 2
    assert "pmosync sync" in missing.err
    assert not (office / "pmosync.db").exists()


@pytest.mark.slow
def test_findings_show_standards_projects_and_items_as_the_store_has_them(
    run: Run, office: Path, sandbox: Sandbox
) -> None:
    run("plan", "--now", "2031-05-06T12:00:00+00:00")
    ran = run("findings")
    assert ran.code == 0
    assert fits(ran)
    assert re.search(r"^SCH202 +critical +\d+  Seriously overdue", ran.out, re.MULTILINE)
    assert re.search(r"^PAY +Instant payments +\d+", ran.out, re.MULTILINE)
    assert "not read: acme-jira status = 'Parked'" in ran.out
    items = run("findings", "--items", "--project", "PAY", "--severity", "high")
    assert fits(items)
    assert re.search(r"^PAY-\d+ +[A-Z]{3}\d{3} +high +\d{4}-\d\d-\d\d", items.out, re.MULTILINE)
    assert "CRM-" not in items.out
    assert "no findings" in run("findings", "--state", "resolved").out
    data = run("findings", "--items", "--json").data
    with sqlite3.connect(office / "pmosync.db") as connection:
        counts = dict(connection.execute("SELECT standard, count(*) FROM finding GROUP BY standard").fetchall())
    assert {row["id"]: row["findings"] for row in data["standards"]} == counts
    assert len(data["items"]) == sum(counts.values())
    (one,) = [row for row in data["projects"] if row["key"] == "PAY"]
    mine = [row for row in data["items"] if row["project"] == one["project"]]
    assert sum(one["findings"].values()) == len(mine)
    assert {row["since"] for row in data["items"]} == {"2031-05-06"}
    assert run("plan", "--now", "yesterday").code == 2


@pytest.mark.slow
def test_retract_shows_first_and_then_leaves_the_tools_as_they_were(run: Run, office: Path, sandbox: Sandbox) -> None:
    before = {name: sandbox.state()[name] for name in ("asana_field", "asana_setting", "asana_value")}
    run("sync", *ASANA)
    assert {name: sandbox.state()[name] for name in before} != before
    sandbox.forget_requests()
    shown = run("retract", *ASANA)
    assert shown.code == 0
    assert "`pmosync retract --yes`" in " ".join(shown.out.split())
    assert sandbox.requests()["writes"] == 0
    done = run("retract", "--yes", *ASANA)
    assert done.code == 0
    assert "now set push: off" in done.out
    assert {name: sandbox.state()[name] for name in before} == before
    assert run("retract", "--json", *ASANA).data["plan"]["changes"] == 0


def test_standards_are_listed_shown_and_tested(run: Run, office: Path) -> None:
    listed = run("standards", "list")
    assert fits(listed)
    assert len(re.findall(r"(?m)^[A-Z]{3}\d{3} ", listed.out)) == 24
    shown = run("standards", "show", "SCH201")
    assert fits(shown)
    assert "due_on < today()" in " ".join(shown.out.split())
    assert "workdays_late > $grace" in " ".join(shown.out.split())
    assert run("standards", "test").code == 0


def test_a_standard_whose_example_is_wrong_fails_its_test_with_the_place(run: Run, office: Path) -> None:
    (office / "own.yaml").write_text(
        "pack: own\ntoday: 2026-11-20\nstandards:\n  - id: OWN001\n    title: Has a title\n    subject: task\n"
        "    severity: low\n    when: title IS EMPTY\n    why: So that people know.\n    fix: Write one.\n"
        "    serves: order\n    phase: any\n    examples:\n      fail:\n        - {title: there}\n"
        "      pass:\n        - {title: there}\n"
    )
    switch(office, "push: on", "push: on\nstandards: [starter, own.yaml]")
    ran = run("standards", "test")
    assert ran.code == 2
    assert "own.yaml:15" in ran.out
    assert "OWN001 should answer fail and answers pass" in ran.out


def test_discover_writes_a_mapping_that_the_check_accepts(run: Run, office: Path, sandbox: Sandbox) -> None:
    for name in ("acme-jira", "acme-asana"):
        (office / f"mappings/{name}.yaml").write_text(run("discover", name).out)
    ran = run("mapping", "check")
    assert ran.code == 0
    assert "acme-asana: the mapping fits the site" in ran.out
    path = office / "mappings/acme-jira.yaml"
    path.write_text(path.read_text().replace("On Hold", "On Holdd"))
    wrong = run("mapping", "check", "acme-jira")
    assert wrong.code == 2
    assert "mappings/acme-jira.yaml:" in wrong.out
    assert "On Hold" in wrong.out


def test_the_doctor_says_what_is_in_place_and_what_is_not(
    run: Run, office: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = run("doctor")
    assert well.code == 0
    assert fits(well)
    assert "nothing is wrong; " in well.out
    monkeypatch.delenv("ACME_JIRA_TOKEN")
    ill = run("doctor")
    assert ill.code == 2
    assert "ACME_JIRA_TOKEN" in ill.out
    assert "to set right" in ill.out
    assert not (office / "pmosync.db").exists()


def test_credentials_that_end_soon_are_told_by_each_run(run: Run, office: Path, sandbox: Sandbox) -> None:
    ends_on = dt.date.today() + dt.timedelta(days=10)
    switch(office, "env:ACME_JIRA_TOKEN}", f"env:ACME_JIRA_TOKEN, expires_on: {ends_on}}}")
    told = f"the API token of pmo-bot@acme.example ends on {ends_on}"
    notes = run("sync", "--site", "acme-jira", "--json").data["sites"]["acme-jira"]["notes"]
    assert [note for note in notes if note.startswith(told)]
    assert told in " ".join(run("doctor").out.split())


def test_refused_credentials_are_not_tried_again_by_the_next_sync_and_other_ones_are(
    run: Run, office: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_ASANA_TOKEN", "wrong")
    assert run("sync", *ASANA).code == 1
    sandbox.forget_requests()
    second = run("sync", *ASANA)
    assert second.code == 1
    assert "They are not tried again before" in " ".join(second.out.split())
    assert sandbox.requests()["total"] == 0
    assert run("reconcile", *ASANA).code == 1
    assert sandbox.requests()["total"] == 1, "a person who asks for it is not kept waiting"
    monkeypatch.setenv("ACME_ASANA_TOKEN", "sandbox-asana-token")
    assert run("sync", *ASANA).code == 0


def test_init_writes_files_to_start_from_and_asks_nothing_without_a_terminal(
    run: Run, folder: Path, sandbox: Sandbox
) -> None:
    assert run("init").code == 2
    assert "--organisation is missing" in run("init", "--asana").err
    ran = run(
        *("init", "--organisation", "Acme", "--timezone", "Europe/Berlin"),
        *("--jira", sandbox.url, "--jira-user", "pmo-bot@acme.example", "--jira-name", "acme-jira"),
        *("--asana-url", f"{sandbox.url}/api/1.0", "--asana-name", "acme-asana"),
    )
    assert ran.code == 0, ran.err
    assert "push: off" in (folder / "pmosync.yaml").read_text()
    assert "sandbox-jira-token" not in "".join(file.read_text() for file in folder.rglob("*.yaml"))
    assert run("mapping", "check").code == 0
    assert run("plan", "--detailed-exitcode").code in (0, 10)
    assert run("init", "--asana", "--organisation", "A", "--timezone", "UTC").code == 2


@pytest.mark.slow
def test_as_a_process_it_prints_results_and_progress_apart_and_in_no_colour(office: Path, sandbox: Sandbox) -> None:
    environment = {**os.environ, "COLUMNS": "80", "PMOSYNC_PUSH": "off"}
    command = [sys.executable, "-c", "import sys; from pmosync.cli import main; sys.exit(main())", "sync"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr
    assert "records read" in ran.stdout
    assert all(re.match(r"\d\d:\d\d:\d\d acme-", line) for line in ran.stderr.splitlines())
    assert all(len(line) <= 80 for line in ran.stdout.splitlines())
