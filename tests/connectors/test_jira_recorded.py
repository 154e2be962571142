"""Everything that was recorded from real Jiras decodes: Cloud, Data Center, old servers; what is odd is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pmosync.contract import Choice, Duration, Person, Scope

from . import recordings
from .recorded_decoding import Outcome, decoder, described, outcome
from .recordings import Recorded, shapes

pytestmark = pytest.mark.shared

SITE = "https://acme.example"
SHARED = Path(__file__).resolve().parents[3] / "shared"

SETS: dict[str, Callable[[Path], Iterator[Recorded]]] = {
    "har_jupiterone": recordings.har,
    "nango_cloud_v3": recordings.nango,
    "vcr_redhat_osidb": recordings.cassettes,
    "devlake_raw_tables": recordings.tables,
    "webhooks_mattermost": recordings.documents,
    "fusebit_webhook": recordings.documents,
    "go_jira_mock_data": recordings.documents,
    "jira_ruby_mock_responses": recordings.documents,
    "createmeta_mattermost": recordings.documents,
    "adf_jiraps": recordings.documents,
    "apache_arrow/raw": recordings.documents,
    "tidev_appcelerator/raw": recordings.documents,
}
"""The folders of recorded answers, and how each is read."""

COUNTS: dict[str, dict[str, int]] = {
    "har_jupiterone": {
        "document": 13, "field": 71, "issue": 16, "issue type": 22, "made": 2, "other choice": 16, "person": 59,
        "project": 44, "server": 6, "status": 19, "transition": 3,
    },
    "nango_cloud_v3": {
        "change": 2, "comment": 2, "document": 20, "field": 156, "issue": 17, "issue type": 38, "made": 1,
        "other choice": 17,
        "screen field": 20, "person": 153, "priority": 6, "project": 45, "status": 22, "transition": 4,
        "worklog": 16,
    },
    "vcr_redhat_osidb": {
        "comment": 9, "issue": 11, "issue type": 189, "made": 7, "other choice": 18, "permission": 934,
        "person": 48, "project": 42, "server": 15, "status": 29, "transition": 18,
    },
    "devlake_raw_tables": {
        "change": 801, "comment": 8, "field": 2, "issue": 33, "issue type": 96, "mention": 56,
        "other choice": 119, "person": 1015, "project": 189, "sprint": 90, "status": 142, "version": 20,
        "worklog": 36,
    },
    "webhooks_mattermost": {
        "comment": 7, "issue": 30, "issue type": 36, "link": 1, "link type": 1, "mention": 6, "other choice": 61,
        "person": 112, "project": 71, "status": 36, "told change": 29, "version": 4,
    },
    "fusebit_webhook": {
        "issue": 1, "issue type": 1, "other choice": 1, "person": 4, "project": 2, "status": 1, "told change": 1,
    },
    "go_jira_mock_data": {
        "field": 2, "issue": 1, "issue type": 36, "link type": 17, "made": 1, "other choice": 562,
        "screen field": 3, "person": 13,
        "priority": 5, "project": 617, "remote link": 2, "sprint": 7, "status": 40, "transition": 2,
        "version": 9,
    },
    "jira_ruby_mock_responses": {
        "comment": 6, "field": 3, "issue": 25, "issue type": 36, "link type": 4, "made": 10, "mention": 1,
        "other choice": 64, "person": 90, "priority": 6, "project": 42, "sprint": 6, "status": 10,
        "transition": 4, "version": 3, "worklog": 1,
    },
    "createmeta_mattermost": {"issue type": 21, "other choice": 115, "screen field": 368, "project": 21, "version": 17},
    "adf_jiraps": {"document": 1},
    "apache_arrow/raw": {
        "comment": 23, "issue": 293, "issue type": 436, "link": 101, "link type": 101, "mention": 143,
        "other choice": 1334, "person": 867, "project": 729, "status": 436, "version": 302,
    },
    "tidev_appcelerator/raw": {
        "comment": 466, "component": 384, "issue": 317, "issue type": 458, "link": 141, "link type": 141,
        "mention": 141, "person": 1993, "priority": 450, "project": 840, "resolution": 287, "sprint": 327,
        "status": 458, "version": 334,
    },
}  # fmt: skip
"""What is in them."""

MOVES: dict[str, dict[str, int]] = {
    "devlake_raw_tables": {
        "assignee": 41, "customfield_10014": 16, "customfield_10015": 22, "customfield_10019": 7,
        "customfield_10020": 33, "customfield_10060": 22, "description": 2, "fixVersions": 63, "issuetype": 8,
        "parent": 15, "priority": 1, "resolution": 32, "status": 175, "timeestimate": 20,
        "timeoriginalestimate": 17, "timespent": 6,
    },
    "webhooks_mattermost": {
        "assignee": 5, "attachment": 1, "components": 1, "customfield_10001": 1, "customfield_10002": 1,
        "customfield_10072": 2, "customfield_10073": 1, "customfield_10076": 1, "description": 5,
        "fixVersions": 3, "issuetype": 1, "labels": 1, "priority": 8, "reporter": 6, "resolution": 4,
        "status": 9, "summary": 7,
    },
    "fusebit_webhook": {"description": 1},
}  # fmt: skip
"""How many moves of each field their histories have."""

ODD: dict[str, dict[str, int]] = {
    # one author of a history was blanked by who published it
    "devlake_raw_tables": {"person": 1},
    # the vendor's own example, in which options are bare texts
    "go_jira_mock_data": {"screen field": 3},
    # an old server names the sprints of a move, and not their ids
    "webhooks_mattermost": {"moves of customfield_10021": 1},
}
"""What could not be read, and why that is right."""

WORDLESS: dict[str, dict[str, int]] = {
    "har_jupiterone": {
        "empty page": 2, "nothing": 4, "status 302": 9, "status 400": 3, "status 401": 1, "status 404": 4,
    },
    "nango_cloud_v3": {"empty page": 3, "not ours": 3, "nothing": 13},
    "vcr_redhat_osidb": {"not ours": 2, "nothing": 9, "status 401": 1},
    "fusebit_webhook": {"not ours": 2},
    "go_jira_mock_data": {"error": 2, "nothing": 2},
    "jira_ruby_mock_responses": {"empty page": 2, "error": 4, "not ours": 8},
    "createmeta_mattermost": {"not ours": 2},
}  # fmt: skip
"""Answers in which there is nothing to decode."""


@pytest.fixture(scope="module")
def system() -> list[dict[str, Any]]:
    """The fields that every Jira has, as one recorded site describes them."""
    if not SHARED.is_dir():
        pytest.skip("the reference data beside the project is absent")
    answers = recordings.nango(SHARED / "data/jira/nango_cloud_v3")
    return [raw for answer in answers for kind, raw in shapes(answer.data) if kind == "field"]


@pytest.mark.parametrize("name", list(SETS))
def test_every_recorded_answer_of_a_set_decodes_and_what_is_odd_is_known(
    name: str, shared: Path, system: list[dict[str, Any]]
) -> None:
    answers = list(SETS[name](shared / "data" / "jira" / name))
    found: Outcome = outcome(answers, described(answers, system))
    assert dict(found.counts) == COUNTS[name]
    assert dict(found.moves) == MOVES.get(name, {})
    assert dict(found.odd) == ODD.get(name, {})
    assert dict(found.wordless) == WORDLESS.get(name, {})


def test_every_folder_of_recordings_is_decoded_here(shared: Path) -> None:
    folders = {path.name for path in (shared / "data" / "jira").iterdir()}
    assert folders == {name.partition("/")[0] for name in SETS} | {"public_jira_time_estimates_csv"}


def test_the_issues_of_ten_public_trackers_decode(shared: Path, system: list[dict[str, Any]]) -> None:
    one = decoder(system)
    wanted = ("timespent", "timeestimate", "duedate", "resolutiondate", "labels", "assignee", "issuetype", "priority")
    late = 0
    for row in recordings.rows(shared / "data/jira/public_jira_time_estimates_csv/clean_data_v2.csv.gz"):
        record = one.task(_issue_of(row), Scope(fields=wanted))
        values = record.values
        assert values["timespent"] == Duration(float(row["timespent"]))
        assert isinstance(values["issuetype"], Choice)
        assert values["assignee"] is None or isinstance(values["assignee"], Person)
        due, done = values["duedate"], values["resolutiondate"]
        late += due is not None and done is not None and done.date() > due  # type: ignore[union-attr, operator]
    assert one.odd == {}
    assert late == 67


def _issue_of(row: dict[str, str]) -> dict[str, Any]:
    """A row as the issue that it was made of."""
    who = row["assignee_id"]
    fields = {
        "project": {"id": row["project_name"]}, "created": row["created"], "updated": row["updated"],
        "timespent": float(row["timespent"]), "timeestimate": float(row["timeestimate"]),
        "duedate": row["duedate"] or None, "resolutiondate": row["resolutiondate"] or None,
        "labels": row["labels"].split(",") if row["labels"] else [],
        "assignee": {"name": who, "displayName": who, "active": None} if who else None,
        "issuetype": {"id": "1", "name": row["issue_name"]}, "priority": {"id": "2", "name": row["priority"] or "none"},
    }  # fmt: skip
    return {"id": row["id"], "key": f"{row['repo_name']}-{row['id']}", "fields": fields}
