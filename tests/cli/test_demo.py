"""The demo, as a person runs it: it ends with no writes, shows two pages, and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "import sys; from pmosync.cli import main; sys.exit(main())"]


def answers(address: str) -> bool:
    """Whether somebody listens there."""
    host, port = address.split(":")
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, int(port))) == 0


def test_the_demo_ends_with_no_writes_and_leaves_nothing_running(tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "80", "TMPDIR": str(tmp_path), "PMOSYNC_PUSH": "nonsense"}
    began_s = time.monotonic()
    ran = subprocess.run([*COMMAND, "demo"], env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert time.monotonic() - began_s < 90
    assert re.search(r"^0 writes \(\d+ reads\), as the sandbox counted them$", ran.stdout, re.MULTILINE)
    assert re.search(r"acme-jira [A-Z]+-\d+: http://127\.0\.0\.1:\d+/browse/[A-Z]+-\d+", ran.stdout)
    assert re.search(r"acme-asana \d+: http://127\.0\.0\.1:\d+/0/\d+/\d+", ran.stdout)
    assert "guidance: 25 pages written" in ran.stdout
    assert re.search(r"^acme-jira +remote_link +write +data +\d+ *$", ran.stdout, re.MULTILINE)
    assert re.search(r"where their flags lead: http://127\.0\.0\.1:\d+/guidance/$", ran.stdout, re.MULTILINE)
    assert "Acme: portfolio report" in ran.stdout
    assert re.search(r"^SCH202 +critical +\d+  Seriously overdue", ran.stdout, re.MULTILINE)
    (address,) = set(re.findall(r"http://(127\.0\.0\.1:\d+)", ran.stdout))
    assert not answers(address)
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_that_is_asked_to_stop_stops(tmp_path: Path) -> None:
    process = subprocess.Popen([*COMMAND, "sandbox", "--as-of", "2026-11-20"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = re.findall(r"http://(127\.0\.0\.1:\d+)", process.stdout.readline())[0]
    assert answers(address)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    assert not answers(address)
