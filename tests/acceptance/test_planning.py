"""A release that is put forward makes its issues late, flags them, and takes the flags back with the release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.office import JIRA, Forge
from tests.acceptance.settled import Person, findings, furnished
from tests.conftest import Sandbox

HOUR_S = 3600
LATE = ("SCH201", "SCH202")


@pytest.mark.slow
def test_moving_a_release_flags_and_clears_its_issues_although_no_issue_was_edited(
    tmp_path: Path, sandbox: Sandbox, forge: Forge
) -> None:
    office = furnished(tmp_path / "office", sandbox, forge, "jira")
    office.edit(f"mappings/{JIRA}.yaml", "  due_on: duedate\n", "  due_on: fixVersions.latest.releaseDate\n")
    assert office.run("reconcile").code == 0
    assert office.run("sync").code == 0
    person = Person(sandbox)
    launch = next(one for one in person.jira("GET", "project/PAY/versions") if one["name"] == "Launch")

    def late() -> set[str]:
        return {item for _, item, standard in findings(office) if standard in LATE}

    def release_on(day: str) -> set[str]:
        person.jira("PUT", f"version/{launch['id']}", {"releaseDate": day})
        before = late()
        assert office.run("sync").writes == 0, "within the hour nobody asks"
        sandbox.advance(HOUR_S)
        run = office.run("sync")
        assert run.code == 0, run
        assert run.writes
        assert office.run("sync").writes == 0
        return late() ^ before

    flagged = release_on("2020-01-31")
    assert flagged <= late()
    assert len(flagged) >= 5
    assert release_on(launch["releaseDate"]) == flagged
    assert not flagged & late()
