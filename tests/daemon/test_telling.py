"""What the daemon tells whoever asks: health, metrics as the documentation lists them, and its log."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
from collections.abc import Callable, Iterator

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from pmosync.config.unattended import Address
from pmosync.daemon import telling
from pmosync.daemon.health import application, serving
from pmosync.daemon.telling import Told, log
from pmosync.errors import Misconfigured, Unavailable
from pmosync.http import Endpoint, Limiter, Limits
from tests.acceptance.office import ASANA, JIRA, Office
from tests.daemon.conftest import MakeWork
from tests.docs.pages import DOCS, table, words


def test_the_metrics_are_those_that_the_documentation_lists(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("both")
    work = work_in(office)
    for name in (JIRA, ASANA):
        work.run("sync", name)
    work.failed(JIRA, Unavailable("the site does not answer"))
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(work.metrics.text().decode()):
        name = family.name + ("_total" if family.type == "counter" else "")
        found[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    listed = {words(row[0])[0]: set(words(row[1])) for row in table(DOCS / "operators.md", "metric")}
    assert found == listed


def test_the_figures_are_those_of_the_store(settled: Callable[..., Office], work_in: MakeWork) -> None:
    office = settled("both")
    work = work_in(office)
    work.run("sync", JIRA)
    samples = [
        sample for family in text_string_to_metric_families(work.metrics.text().decode()) for sample in family.samples
    ]
    findings = sum(one.value for one in samples if one.name == "pmosync_findings" and one.labels["state"] != "resolved")
    shown = office.run("findings", "--json").json
    assert findings == sum(row["findings"] for row in shown["standards"])
    fails = next(one.value for one in samples if one.labels.get("answer") == "fail")
    assert fails == findings, "nothing is waived"
    ages = {(one.labels["site"], one.labels["verb"]): one.value for one in samples if "age" in one.name}
    assert set(ages) == {(site, verb) for site in (JIRA, ASANA) for verb in ("sync", "reconcile")}
    assert ages[JIRA, "sync"] <= ages[JIRA, "reconcile"]


def test_it_is_ready_when_every_site_had_a_cycle_or_its_trouble_was_told(
    settled: Callable[..., Office], work_in: MakeWork
) -> None:
    office = settled("both")
    work = work_in(office)
    client = Client(application(lambda: "", work.not_ready, work.metrics.text))
    work.run("sync", JIRA)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, f"waiting for the first cycle of {ASANA}\n")
    office.sandbox.fault({"kind": "unauthorized", "match": {"tool": "asana"}})
    work.run("sync", ASANA)
    assert client.get("/readyz").status_code == 200
    assert client.get("/metrics").status_code == 200
    assert client.get("/secrets").status_code == 404
    assert client.post("/metrics").status_code == 405


def test_it_is_not_alive_when_the_scheduler_is_silent() -> None:
    client = Client(application(lambda: "the scheduler has been silent for 61 s", lambda: "", lambda: b""))
    assert (client.get("/healthz").status_code, client.get("/healthz").text.strip()) == (
        503, "the scheduler has been silent for 61 s",
    )  # fmt: skip
    assert client.get("/readyz").status_code == 200


def test_an_address_that_is_taken_is_told_with_the_next_step() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(Misconfigured, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"),
            serving(Address("127.0.0.1", port), application(str, str, bytes)),
        ):
            pytest.fail("it was listened on")
    with serving(Address("127.0.0.1", 0), application(str, str, bytes)) as address:
        assert requests.get(f"http://{address}/healthz", timeout=5).text == "ok\n"


def test_what_is_left_of_a_budget_is_told() -> None:
    now_s = 0.0
    limits = Limits(per_second=3, per_minute=10, groups={"search": 2})
    limiter = Limiter(limits, lambda: now_s, lambda _: None)
    search = Endpoint("GET", "/search", repeatable=True, reads=True, group="search")
    assert limiter.left() == {"1 s": 3, "60 s": 10, "search": 2}
    with limiter.pass_(search):
        assert limiter.left() == {"1 s": 2, "60 s": 9, "search": 1}
    now_s = 2.0
    assert limiter.left() == {"1 s": 3, "60 s": 9, "search": 1}
    limiter.pause(5)
    assert limiter.left() == {"1 s": 0, "60 s": 0, "search": 0}


# --- the log ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Puts the log back as it was."""
    ours, calls = logging.getLogger("pmosync"), logging.getLogger("pmosync.http")
    before = list(ours.handlers), ours.level, ours.propagate, calls.level
    yield
    ours.handlers[:], ours.level, ours.propagate, calls.level = before


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("logging_as_before")
def test_off_a_terminal_each_line_is_json_also_those_of_the_rest_of_pmosync() -> None:
    stream = io.StringIO()
    telling.start(logging.INFO, stream)
    log.info("cycle", site="acme-jira", read=3)
    logging.getLogger("pmosync.jira").warning("%s: a value cannot be read", "acme.example")
    logging.getLogger("pmosync.jira").debug("not told")
    logging.getLogger("pmosync.http").warning("%s: waiting %d s", "acme.example", 20)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["site"], first["read"], first["level"]) == ("cycle", "acme-jira", 3, "info")
    assert (second["event"], second["level"]) == ("acme.example: a value cannot be read", "warning")
    assert re.fullmatch(r"[\d-]+T[\d:.]+Z", first["timestamp"])


@pytest.mark.usefixtures("logging_as_before")
def test_text_of_a_tool_cannot_move_anything_on_a_terminal() -> None:
    stream = Terminal()
    telling.start(logging.INFO, stream)
    log.info("note", what="harmless\x1b[2Jtext")
    logging.getLogger("pmosync.pull").info("also\x1b[2Jthis")
    assert "\x1b[2J" not in stream.getvalue()
    assert "harmless" in stream.getvalue()


@pytest.mark.usefixtures("logging_as_before")
def test_a_failure_is_told_once_and_its_end_once() -> None:
    stream = io.StringIO()
    telling.start(logging.INFO, stream)
    told = Told()
    told.right("site", "it works again")
    for why in ("one", "one", "other"):
        told.wrong("site", "it fails", why)
        told.wrong("file", "refused", why, again_when_changed=True)
    for _ in range(2):
        told.right("site", "it works again")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("why")) for line in lines] == [
        ("it fails", "one"), ("refused", "one"), ("refused", "other"), ("it works again", None),
    ]  # fmt: skip
