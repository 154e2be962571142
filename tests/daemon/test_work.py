"""One job of the daemon at a time: what it does, what it tells, and what it keeps running with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.acceptance.office import ASANA, JIRA, Office
from tests.acceptance.settled import abandon, spotless
from tests.daemon.conftest import MakeWork


def test_an_edit_in_a_tool_is_flagged_by_the_next_job_of_its_site(
    settled: Callable[..., Office], work_in: MakeWork
) -> None:
    office = settled("both")
    work = work_in(office)
    item = spotless(office, JIRA)[0]
    abandon(office.sandbox, JIRA, item)
    outcome = work.run("sync", JIRA)
    assert outcome is not None
    pushed = outcome.sites[JIRA].pushed
    assert pushed is not None
    assert pushed.done == 2, "the property and the label"
    again = work.run("sync", JIRA)
    assert again is not None
    assert again.sites[JIRA].pushed is None
