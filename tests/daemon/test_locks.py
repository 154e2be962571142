"""Locks across processes: a dead holder's lock is free at once, and a living one is named."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmosync.errors import Locked
from pmosync.store import Store

HOLDER = """
import pathlib, sys, time
from pmosync.store import Store
store = Store(pathlib.Path(sys.argv[1]), "sync")
with store.lock("acme-jira"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "pmosync.db", "daemon")
    yield made
    made.close()


@pytest.fixture
def holder(store: Store) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of a site."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(store.path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_living_holder_is_named_with_what_it_does_and_since_when(store: Store, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Locked) as caught, store.lock("acme-jira"):
        pytest.fail("the lock was given twice")
    told = rf"acme-jira: another run holds the lock \(sync, process {holder.pid}, since [\d-]+ [\d:]+ UTC\); let it"
    assert re.match(told, str(caught.value))


def test_the_lock_of_a_killed_process_is_free_at_once_and_then_names_the_new_holder(
    store: Store, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with store.lock("acme-jira"):
        said = store.path.with_name("pmosync.db.locks") / "acme-jira.holder"
        assert said.read_text() == f"daemon, process {os.getpid()}\n"
    assert not said.exists()


def test_two_runs_in_one_process_exclude_each_other(store: Store) -> None:
    with store.lock("acme-jira"):
        with pytest.raises(Locked, match=f"daemon, process {os.getpid()}"), store.lock("acme-jira"):
            pytest.fail("the lock was given twice")
        with store.lock("acme-asana"):
            pass
