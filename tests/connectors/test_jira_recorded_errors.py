"""Every error that was recorded or quoted from a real Jira becomes the right error of ours, in words that help."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses

from pmosync.errors import PmosyncError, Refused, Unauthorized, Unavailable, Unreadable
from pmosync.http import Endpoint, Limiter, Limits, PoliteSession

from . import recordings
from .recordings import Recorded

pytestmark = pytest.mark.shared

SITE = "https://acme.example"
NOT_SENT_ON = {"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"}
LOGIN = ("acme.example: HEAD /", "was sent elsewhere (302", "set base_url to the site's real address")
NAMES = "compare the names in the mapping with `pmosync discover`"
REMOVED = (
    "/search was refused (410)", "Please migrate to the /rest/api/3/search/jql API", "update pmosync",
)  # fmt: skip
TOKEN = "the token of this site"
CHECK_NAME = "check the name, and what the account may see"

EXPECTED: dict[tuple[str, int, str], tuple[type[PmosyncError], tuple[str, ...]]] = {
    ("har", 400, "POST /rest/api/3/issue"): (
        Refused, ("POST /rest/api/3/issue was refused (400)", "project: Specify a valid project ID or key.", NAMES),
    ),
    ("har", 400, "POST /rest/api/3/search"): (
        Refused, ("POST /rest/api/3/search was refused (400)", "does not exist for the field 'project'", NAMES),
    ),
    ("har", 401, "GET /rest/api/3/myself"): (
        Unauthorized, ("does not accept the credentials (401", "with passwords is deprecated", TOKEN),
    ),
    ("har", 302, "HEAD /"): (Unreadable, LOGIN),
    ("har", 302, "HEAD /login"): (Unreadable, LOGIN),
    ("har", 302, "HEAD /login.jsp"): (Unreadable, LOGIN),
    ("har", 404, "GET /rest/api/2/serverInfo"): (Unreadable, ("a web page instead of data (404)", "Check base_url")),
    ("har", 404, "GET /rest/api/3/serverInfo"): (Unreadable, ("a web page instead of data (404)", "Check base_url")),
    ("har", 404, "GET /rest/api/3/project/PROJECTNAMEBAD"): (
        Refused, ("No project could be found with key 'PROJECTNAMEBAD'", CHECK_NAME),
    ),
    ("har", 404, "POST /rest/api/3/issue/JJJ-9/transitions"): (Refused, ("was refused (404)", CHECK_NAME)),
    ("cassettes", 401, "GET /rest/api/2/mypermissions"): (
        Unauthorized, ("does not accept the credentials (401: Client must be authenticated", TOKEN),
    ),
    ("ruby", 400, "PUT /rest/api/2/issue/10002.invalid.put.json"): (
        Refused, ("invalid: Field 'invalid' is not valid for this operation", NAMES),
    ),
    ("ruby", 400, "PUT /rest/api/2/issue/10002.put.missing_field_update.json"): (
        Refused, ("one of 'fields' or 'update' required", NAMES),
    ),
    ("ruby", 400, "PUT /rest/api/2/version/10000.invalid.put.json"): (
        Refused, ('Unrecognized field "chump"', "not marked as ignorable", NAMES),
    ),
    ("ruby", 400, "PUT /rest/api/2/component/10000.invalid.put.json"): (
        Refused, ('Unrecognized field "invalid"', "not marked as ignorable", NAMES),
    ),
    ("quoted", 410, "GET /rest/api/3/search"): (Refused, REMOVED),
    ("quoted", 410, "GET /rest/api/2/search"): (Refused, REMOVED),
    ("quoted", 400, "GET /rest/api/2/search"): (
        Refused, ("GET /rest/api/2/search was refused (400)", "field 'project'", "Field 'issuetype' does not", NAMES),
    ),
    ("quoted jira-server", 400, "GET /rest/api/2/search"): (
        Refused, ("Error in the JQL Query: 'true' is a reserved JQL word", "(line 1, character 80)", NAMES),
    ),
    ("quoted jira-server/dc", 429, "GET /rest/api/2/search"): (
        Unavailable, ("GET /rest/api/2/search answered 429 (too many requests)", "Try again later, or lower"),
    ),
    ("quoted asana", 412, "GET /events"): (
        Refused, ("GET /events was refused (412)", "Sync token invalid or too old"),
    ),
}  # fmt: skip
"""By set, status and call: the class, and words that the message has."""


def recorded_errors(shared: Path) -> Iterator[tuple[tuple[str, int, str], Recorded]]:
    """Every answer that was no success, with its place in the table."""
    jira = shared / "data" / "jira"
    several = [("har", recordings.har(jira / "har_jupiterone"))]
    several.append(("cassettes", recordings.cassettes(jira / "vcr_redhat_osidb")))
    several.append(("nango", recordings.nango(jira / "nango_cloud_v3")))
    for name, answers in several:
        for answer in answers:
            if answer.status >= 300:
                path = urlsplit(answer.url).path
                yield (name, answer.status, f"{answer.method} {path}"), answer
    for answer in recordings.documents(jira / "jira_ruby_mock_responses"):
        if isinstance(answer.data, dict) and "errorMessages" in answer.data:
            url, text = f"{SITE}/rest/api/2/{answer.file}", json.dumps(answer.data)
            yield (
                ("ruby", 400, f"PUT /rest/api/2/{answer.file}"),
                Recorded(answer.file, answer.data, "PUT", url, 400, {"Content-Type": "application/json"}, text),
            )
    for line in (shared / "data" / "errors" / "quoted_errors.jsonl").read_text().splitlines():
        quoted = json.loads(line)
        method, path = quoted["request"].split()[:2]
        path = path.partition("?")[0]
        name = "quoted" if quoted["system"] == "jira-cloud" else f"quoted {quoted['system']}"
        answer = Recorded("", None, method, SITE + path, quoted["status"], quoted.get("headers", {}), quoted["body"])
        yield (name, quoted["status"], f"{method} {path}"), answer


def replay(answer: Recorded, mocked: responses.RequestsMock) -> PoliteSession:
    """A session whose site gives this answer, whatever is asked."""
    path = urlsplit(answer.url).path
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in NOT_SENT_ON}
    guessed = "application/json" if answer.text.startswith("{") else "text/html"
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), guessed)
    rest = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    mocked.add(answer.method, SITE + path, answer.text, status=answer.status, headers=rest, content_type=kind)
    endpoint = Endpoint(answer.method, path, repeatable=True, reads=answer.method != "PUT")
    elapsed = [0.0]

    def sleep(seconds: float) -> None:
        elapsed[0] += seconds

    limiter = Limiter(Limits(), lambda: elapsed[0], sleep)
    return PoliteSession(
        SITE, [endpoint], limiter, monotonic=lambda: elapsed[0], sleep=sleep,
        now=lambda: dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC),
    )  # fmt: skip


def call(answer: Recorded) -> tuple[Any, PoliteSession]:
    """Make the call that was recorded and get what was recorded: the data, or the error of ours."""
    with responses.RequestsMock() as mocked:
        session = replay(answer, mocked)
        try:
            return session.call(answer.method, urlsplit(answer.url).path).data, session
        except PmosyncError as error:
            return error, session


def test_every_recorded_error_is_in_the_table_and_none_of_the_table_is_missing(shared: Path) -> None:
    assert {place for place, _ in recorded_errors(shared)} == set(EXPECTED)


def test_every_recorded_error_becomes_ours_and_names_the_host_the_words_and_the_next_step(shared: Path) -> None:
    wrong = []
    for place, answer in recorded_errors(shared):
        kind, words = EXPECTED[place]
        error, session = call(answer)
        said = str(error)
        missing = [one for one in ("acme.example", *words) if one not in said]
        if type(error) is not kind or missing or getattr(error, "status", place[1]) != place[1]:
            wrong.append((place, type(error).__name__, said, missing))
        calls = 5 if kind is Unavailable else 1
        assert session.calls.total() == calls, f"{place}: a no is not asked again, a 429 a few times"
        assert len(said) < 700
    assert wrong == []


def test_a_recorded_success_that_asks_to_wait_nought_seconds_is_an_answer(shared: Path) -> None:
    folder = shared / "data/jira/vcr_redhat_osidb"
    patient = [one for one in recordings.cassettes(folder) if one.headers.get("Retry-After") and one.status == 200]
    assert len(patient) == 31
    for answer in patient:
        data, session = call(answer)
        assert data == answer.data
        assert session.calls.total() == 1
