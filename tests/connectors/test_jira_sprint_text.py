"""Checks that sprints which old servers give as text read like those of the agile API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pmosync.contract import Choice
from pmosync_jira.decode import choice
from pmosync_jira.planning import sprint
from pmosync_jira.sprint_text import sprint_json

SHARED = Path(__file__).resolve().parents[3] / "shared"
CLASS = "com.atlassian.greenhopper.service.sprint.Sprint@1f2e3d"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (
            ("id=1,rapidViewId=2,state=ACTIVE,name=a, b [x],startDate=2026-05-01T08:00:00.000Z,"
            "endDate=2026-05-15T08:00:00.000+02:00,completeDate=<null>,sequence=1,goal="),
            {
                "id": 1, "name": "a, b [x]", "state": "active", "originBoardId": 2,
                "startDate": "2026-05-01T08:00:00.000Z", "endDate": "2026-05-15T08:00:00.000+02:00",
            },
        ),
        (
            ("rapidViewId=11,state=CLOSED,name=ARCADE Sprint 113,startDate=2016-10-06T14:40:52.687+01:00,"
            "endDate=2016-10-20T14:40:00.000+01:00,completeDate=2016-10-21T06:32:06.424+01:00,sequence=3713,id=3713"),
            {
                "id": 3713, "name": "ARCADE Sprint 113", "state": "closed", "originBoardId": 11,
                "startDate": "2016-10-06T14:40:52.687+01:00", "endDate": "2016-10-20T14:40:00.000+01:00",
                "completeDate": "2016-10-21T06:32:06.424+01:00",
            },
        ),
        (
            ("completeDate=<null>,endDate=<null>,goal=Ship it, then [rest], name it,id=3,name=Release, 1=one, state=x,"
            "rapidViewId=<null>,sequence=3,startDate=<null>,state=FUTURE"),
            {"id": 3, "name": "Release, 1=one, state=x", "state": "future", "goal": "Ship it, then [rest], name it"},
        ),
        (
            ("id=7,rapidViewId=8,state=FUTURE,name=id=9 or not, startDate=soon,startDate=<null>,endDate=<null>,"
            "completeDate=<null>,activatedDate=<null>,sequence=7,goal=one\ntwo,autoStartStop=false,synced=false"),
            {
                "id": 7, "name": "id=9 or not, startDate=soon", "state": "future", "originBoardId": 8,
                "goal": "one\ntwo",
            },
        ),
    ],
)  # fmt: skip
def test_a_text_reads_like_the_sprint_of_the_agile_api(inside: str, expected: dict[str, Any]) -> None:
    found = sprint_json(f"{CLASS}[{inside}]")
    assert found == expected
    assert choice(found) == Choice(str(expected["id"]), expected["name"], expected["state"])
    assert sprint(found).state == expected["state"]


def test_a_sprint_that_is_no_text_stays_as_it_is() -> None:
    raw = {"id": 1, "name": "One", "state": "active"}
    assert sprint_json(raw) is raw


@pytest.mark.parametrize(
    "raw",
    [
        "Sprint 7",
        "test[test]",
        f"{CLASS}[id=1,state=ACTIVE",
        f"{CLASS}[id=1,state=ACTIVE]",
        f"{CLASS}[id=x,state=ACTIVE,name=One]",
        f"{CLASS}[id=1,id=2,state=ACTIVE,name=One]",
        f"{CLASS}[id=1,state=ACTIVE,name=One,goal=first,name=Two]",
        7,
        None,
    ],
)
def test_what_is_no_sprint_or_could_be_two_is_odd(raw: Any) -> None:
    with pytest.raises(ValueError, match="sprint"):
        sprint_json(raw)


def test_the_recorded_text_of_a_server_is_read() -> None:
    folder = SHARED / "data/jira"
    if not folder.exists():
        pytest.skip("the recorded answers are not beside the project")
    texts: list[str] = []

    def walk(data: Any) -> None:
        if isinstance(data, str) and "service.sprint.Sprint@" in data:
            texts.append(data)
        for one in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
            walk(one)

    for path in [*(folder / "go_jira_mock_data").glob("*.json"), *(folder / "webhooks_mattermost").glob("*.json")]:
        try:
            walk(json.loads(path.read_text()))
        except json.JSONDecodeError:
            continue
    assert texts
    for text in texts:
        told = sprint(sprint_json(text))
        assert told.name == "SCRUM1 Sprint 1"
        assert told.start_at is not None
        assert told.complete_at is None
