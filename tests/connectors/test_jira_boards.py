"""Checks that a project's boards tell which field holds its estimates, and that nobody has to have any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pmosync.errors import Refused
from pmosync_jira.boards import PROJECTS, estimation_fields

from .jira_script import Said, Script

SHARED = Path(__file__).resolve().parents[3] / "shared"
BOARDS = "GET /rest/agile/1.0/board"


def board(number: int, kind: str = "scrum", project: int = 1) -> dict[str, Any]:
    return {"id": number, "name": f"Board {number}", "type": kind, "location": {"projectId": project}}


def estimates(field: str | None, kind: str = "field") -> dict[str, Any]:
    return {"estimation": {"type": kind, **({"field": {"fieldId": field, "displayName": "?"}} if field else {})}}


def asked(boards: Any, ids: tuple[str, ...] = ("1",), **configurations: Any) -> tuple[Any, Script]:
    named = {f"{BOARDS}/{name[1:]}/configuration": one for name, one in configurations.items()}
    jira = Script({BOARDS: boards, **named})
    return estimation_fields(jira, ids), jira  # type: ignore[arg-type]


def test_the_boards_of_a_project_tell_its_field_and_those_that_only_show_it_come_last() -> None:
    boards = [board(7, project=2), board(8, "kanban"), board(9), board(10, "simple")]
    found, jira = asked({"values": boards}, b9=estimates("customfield_10016"), b10=estimates("customfield_10016"))
    assert found == {"1": "customfield_10016"}
    assert jira.calls() == [BOARDS, f"{BOARDS}/9/configuration", f"{BOARDS}/10/configuration"]
    assert jira.asked[0][1]["projectKeyOrId"] == "1"


@pytest.mark.parametrize(
    "boards",
    [
        {"values": []},
        {"values": [board(8, "kanban")]},
        {"values": [{"name": "no id"}]},
        {"errorMessages": []},
        Said(["what"]),
        Refused("no Jira Software", 403),
        Refused("not found", 404),
    ],
)
def test_without_boards_that_can_be_seen_nothing_is_known(boards: Any) -> None:
    assert asked(boards)[0] == {}


@pytest.mark.parametrize(
    "answer", [Said(None, 404), Said(None, 403), {}, estimates(None, "none"), estimates("customfield_1", "issueCount")]
)
def test_a_board_that_does_not_estimate_in_a_field_tells_nothing(answer: Any) -> None:
    assert asked({"values": [board(9)]}, b9=answer)[0] == {}
    found, _ = asked({"values": [board(9), board(10)]}, b9=answer, b10=estimates("timeoriginalestimate"))
    assert found == {"1": "timeoriginalestimate"}


def test_many_projects_cost_no_more_calls_than_a_few() -> None:
    found, jira = asked({"values": [board(9)]}, tuple(map(str, range(500))), b9=estimates("customfield_1"))
    assert len(found) == PROJECTS
    assert len(jira.asked) == 2 * PROJECTS


def test_a_call_that_nobody_allowed_is_told_and_not_swallowed() -> None:
    with pytest.raises(Refused, match="endpoints"):
        asked(Refused("not among the endpoints", 0))


def test_the_recorded_boards_and_configuration_are_read() -> None:
    folder = SHARED / "data/jira/go_jira_mock_data"
    if not folder.exists():
        pytest.skip("the recorded answers are not beside the project")
    boards = json.loads((folder / "all_boards.json").read_text())
    configuration = json.loads((folder / "board_configuration.json").read_text())
    scrum = [one["id"] for one in boards["values"] if one["type"] == "scrum"][:2]
    told = [configuration, configuration | estimates("customfield_10002")]
    found, _ = asked(boards, **{f"b{one}": answer for one, answer in zip(scrum, told, strict=True)})
    assert found == {"1": "customfield_10002"}
