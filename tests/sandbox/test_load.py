"""Real exports are served as they are: nothing is lost that counts, nothing is invented."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from pmosync.sandbox.asana import tables
from pmosync.sandbox.jira import seed
from pmosync.sandbox.load import BadExport, load
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State

DATA = Path(__file__).resolve().parents[3] / "shared/data/jira"
BOT = ("pmo-bot@acme.example", "sandbox-jira-token")
MAIA = {"name": "m aia", "key": "JIRAUSER7", "displayName": "Maia Ō", "active": False, "timeZone": "Asia/Tokyo"}
STATUS = {"self": "https://old.example/status/5", "id": "5", "name": "Parked", "statusCategory": {"key": "undefined"}}


def exported(number: int, **fields: Any) -> dict[str, Any]:
    own = {
        "project": {"id": "77", "key": "OLD", "name": "Old project"},
        "issuetype": {"id": "1", "name": "Bug", "subtask": False},
        "status": STATUS,
        "created": "2016-02-03T23:55:46.000+0000",
        "updated": f"2016-02-04T00:00:{number:02d}.250+0000",
    }
    return {"id": str(900 + number), "key": f"OLD-{number}", "fields": own | fields}


def pack(directory: Path, issues: list[dict[str, Any]]) -> Path:
    with tarfile.open(directory / "old.tar.xz", "w:xz") as archive:
        for issue in issues:
            data = json.dumps(issue).encode()
            member = tarfile.TarInfo(f"OLD/{issue['key']}.json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return directory


@contextmanager
def served(*directories: Path) -> Iterator[str]:
    state = State(as_of=date(2026, 3, 2))
    seed.prepare(state, standard=False)
    tables.prepare(state)
    with state.transaction():
        for directory in directories:
            load(state, directory)
    server = Server(state)
    server.start()
    try:
        yield f"{server.url}/rest/api/2"
    finally:
        server.stop()


def get(url: str) -> Any:
    answer = requests.get(url, auth=BOT, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_missing_field_stays_missing_and_an_empty_one_stays_empty(tmp_path: Path) -> None:
    issues = [exported(1, summary="One", priority=None, labels=[]), exported(2)]
    with served(pack(tmp_path, issues)) as api:
        first, second = (get(f"{api}/issue/OLD-{number}")["fields"] for number in (1, 2))
        asked = get(f"{api}/issue/OLD-2?fields=summary,duedate,status")["fields"]
        assert get(f"{api}/search/jql?jql=project=OLD&fields=summary")["issues"][0]["fields"] == {}
    assert (first["priority"], first["labels"]) == (None, [])
    assert set(second) == {"project", "issuetype", "status", "created", "updated"}
    assert set(asked) == {"status"}


def test_people_of_a_data_center_export_have_their_names_as_account_ids(tmp_path: Path) -> None:
    with served(pack(tmp_path, [exported(1, assignee=MAIA, reporter=None)])) as api:
        fields = get(f"{api}/issue/OLD-1")["fields"]
        users = {one["accountId"]: one for one in get(f"{api}/users/search")}
        assert len(get(f"{api}/search/jql?jql=assignee='m aia'")["issues"]) == 1
    assert fields["assignee"] == MAIA | {"accountId": "m aia"}
    assert fields["reporter"] is None
    assert users["m aia"]["displayName"] == "Maia Ō"
    assert users["m aia"]["active"] is False
    assert "emailAddress" not in users["m aia"]


def test_the_site_knows_the_things_that_the_export_names_and_no_others(tmp_path: Path) -> None:
    kind = {"id": "8", "name": "Gantt", "inward": "after", "outward": "before"}
    link = {"id": "4", "type": kind, "outwardIssue": {"id": "902", "key": "OLD-2", "fields": {"summary": "Two"}}}
    odd = {"customfield_10300": "x", "customfield_10301": None, "sprint": {"id": 3}, "issuelinks": [link]}
    with served(pack(tmp_path, [exported(1, **odd), exported(2)])) as api:
        assert [one["name"] for one in get(f"{api}/status")] == ["Parked"]
        assert [one["name"] for one in get(f"{api}/issuetype")] == ["Bug"]
        assert get(f"{api}/priority") == []
        assert get(f"{api}/issueLinkType")["issueLinkTypes"][0]["outward"] == "before"
        fields = {one["id"]: one for one in get(f"{api}/field")}
        assert fields["customfield_10300"]["schema"]["type"] == "string"
        assert {"customfield_10301", "sprint"} <= set(fields)
        assert get(f"{api}/issue/OLD-1")["fields"]["issuelinks"] == [link]
        assert get(f"{api}/issue/OLD-2")["fields"].get("issuelinks") is None
        assert [one["lead"]["displayName"] for one in get(f"{api}/project/search?expand=lead")["values"]] == [
            "Project lead"
        ]


def test_a_loaded_issue_can_be_edited_and_says_so_in_its_history(tmp_path: Path) -> None:
    with served(pack(tmp_path, [exported(1, labels=["b"])])) as api:
        body = {"update": {"labels": [{"add": "a"}]}}
        put = requests.put(f"{api}/issue/OLD-1?notifyUsers=false", json=body, auth=BOT, timeout=10)
        assert put.status_code == 204
        assert get(f"{api}/issue/OLD-1")["fields"]["labels"] == ["a", "b"]
        assert get(f"{api}/issue/OLD-1/changelog")["total"] == 1
        assert get(f"{api}/search/jql?jql=updated>2026-03-01")["issues"] == [{"id": "901"}]


def test_an_issue_can_be_created_on_a_loaded_site_with_the_statuses_it_has(tmp_path: Path) -> None:
    with served(pack(tmp_path, [exported(1)])) as api:
        fields = {"project": {"key": "OLD"}, "issuetype": {"name": "Bug"}, "summary": "PMO status"}
        made = requests.post(f"{api}/issue", json={"fields": fields}, auth=BOT, timeout=10)
        assert made.json()["key"] == "OLD-2"
        assert get(f"{api}/issue/OLD-2")["fields"]["status"]["name"] == "Parked"


def test_two_exports_may_use_one_id_for_two_things(tmp_path: Path) -> None:
    for name, number, priority in (("a", 1, "Major"), ("b", 2, "Blocker")):
        (tmp_path / name).mkdir()
        issue = exported(number, priority={"id": "3", "name": priority})
        issue["key"] = f"{name.upper()}-{number}"
        issue["fields"]["project"] = {"id": str(number), "key": name.upper(), "name": name}
        (tmp_path / name / f"{number}.json").write_text(json.dumps(issue))
    with served(tmp_path / "a", tmp_path / "b") as api:
        assert [one["name"] for one in get(f"{api}/priority")] == ["Major", "Blocker"]
        assert get(f"{api}/search/jql?jql=priority=Blocker")["issues"] == [{"id": "902"}]
        assert get(f"{api}/search/jql?jql=priority=Major")["issues"] == [{"id": "901"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "holds no issues"), ("{", "x.json is no issue of a Jira export"), ('{"id": "1"}', "x.json is no issue")],
)
def test_what_is_no_export_is_refused_with_the_file_and_the_next_step(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "x.json").write_text(content)
    state = State()
    seed.prepare(state, standard=False)
    with pytest.raises(BadExport, match=message) as refused:
        load(state, tmp_path)
    assert "name a directory" in str(refused.value)


@pytest.mark.shared
def test_a_real_project_is_served_as_it_was_exported() -> None:
    directory = DATA / "tidev_appcelerator/raw"
    if not directory.exists():
        pytest.skip("the real exports do not lie beside the project (../shared/data)")
    with served(directory) as api:
        found = get(f"{api}/search/jql?jql=project=DAEMON&maxResults=5000&fields=key")["issues"]
        files = sorted(path for path in directory.glob("*.json") if path.name != "PROFILE.json")
        assert {one["key"] for one in found} == {path.stem for path in files}
        for path in files[::20]:
            original = json.loads(path.read_text())["fields"]
            fields = get(f"{api}/issue/{path.stem}")["fields"]
            assert set(fields) == set(original)
            for name in ("summary", "description", "status", "labels", "fixVersions", "updated", "resolution"):
                assert fields.get(name) == original.get(name)


@pytest.mark.slow
@pytest.mark.shared
def test_two_whole_trackers_load_and_answer() -> None:
    directories = [DATA / "tidev_appcelerator", DATA / "apache_arrow"]
    if not all(directory.exists() for directory in directories):
        pytest.skip("the real exports do not lie beside the project (../shared/data)")
    with served(*directories) as api:
        session = requests.Session()
        session.auth = BOT
        body = {"jql": "id > 0 ORDER BY id", "fields": ["id"], "maxResults": 5000}
        ids: list[str] = []
        while True:
            page = session.post(f"{api}/search/jql", json=body).json()
            ids += [one["id"] for one in page["issues"]]
            if page["isLast"]:
                break
            body["nextPageToken"] = page["nextPageToken"]
        assert len(ids) == len(set(ids)) == 17166 + 8905
        fields = ["summary", "status", "assignee", "duedate", "labels", "issuelinks", "parent", "priority", "updated"]
        for first in range(0, len(ids), 1000):
            asked = {"issueIdsOrKeys": ids[first : first + 100], "fields": fields}
            answer = session.post(f"{api}/issue/bulkfetch", json=asked)
            assert len(answer.json()["issues"]) == len(asked["issueIdsOrKeys"])


def test_worklogs_and_histories_of_an_export_are_served(tmp_path: Path) -> None:
    worklog = {
        "id": "55", "author": MAIA, "timeSpentSeconds": 600, "started": "2016-02-03T10:00:00.000+0000",
        "created": "2016-02-03T11:00:00.000+0000", "updated": "2016-02-03T12:00:00.000+0000", "comment": "Done",
    }  # fmt: skip
    item = {"field": "duedate", "fieldtype": "jira", "from": None, "to": "2016-03-01", "toString": "2016-03-01"}
    history = {"id": "9", "author": MAIA, "created": "2016-02-03T13:00:00.000+0000", "items": [item]}
    document = exported(1, worklog={"total": 1, "worklogs": [worklog]}) | {"changelog": {"histories": [history]}}
    with served(pack(tmp_path, [document])) as api:
        found = requests.get(f"{api}/issue/OLD-1/worklog", auth=BOT, timeout=10).json()["worklogs"]
        fed = requests.get(f"{api}/worklog/updated?since=0", auth=BOT, timeout=10).json()["values"]
        told = requests.get(f"{api}/issue/OLD-1/changelog", auth=BOT, timeout=10).json()["values"]
    assert [(one["id"], one["author"]["displayName"], one["timeSpentSeconds"]) for one in found] == [
        ("55", "Maia Ō", 600)
    ]
    assert [one["worklogId"] for one in fed] == [55]
    assert [(one["created"], one["items"]) for one in told] == [("2016-02-03T13:00:00.000+0000", [item])]
