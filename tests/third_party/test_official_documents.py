"""All that our connector says to Jira, and all that the sandbox answers, is judged by the vendor's own documents."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

import pmosync_jira
from pmosync.contract import Change, Slot
from pmosync.sandbox.jira import datacenter, moves, planning, seed
from pmosync_jira.pages import to_adf
from tests.connectors.jira_pile import Pile, a_pile, flag
from tests.sandbox.test_jira_dc_contract import mended

from .conftest import SHARED
from .judging import Judge

pytestmark = pytest.mark.shared

SPRINT = "customfield_10020"
FIELDS = (
    "summary", "status", "issuetype", "assignee", "duedate", "parent", "labels", "updated", "timespent",
    "fixVersions.latest.releaseDate", f"{SPRINT}.latest.endDate",
)  # fmt: skip
SLOTS = (
    "property", "label", "field", "text_field", "remote_link", "comment", "project_property", "status_issue",
)  # fmt: skip
LINK = '{"title":"PMO: 1 finding: no owner (high)","url":"https://pmo.example/DAT101.html"}'
TEXT = "PMO: 1 finding\n- no owner, since 2026-11-20"
PAGE = "PMO status: Cards is amber\n# Why\nThree tasks are late, see https://pmo.example/cards.\n# Figures\n- 12 open"
EXPLAINED = {
    ("searchProjects", "parameter_schema", "query/properties/*"):
        "declares the keys of properties as objects without any property, and describes them as a list with commas",
    ("bulkSetIssuesPropertiesList", "request_schema", "body/properties/pmosync.compliance"):
        "declares values as nodes of its own parser; any JSON is meant, as in the example of the next one",
    ("bulkSetIssuePropertiesByIssue", "request_schema", "body/issues/*/properties/pmosync.compliance"):
        "the same; its own example breaks it",
    ("getPriorities", "deprecated_operation", "path"): "what stands in its place is deprecated as well",
    ("getResolutions", "deprecated_operation", "path"): "called as on Data Center, which has nothing else",
}  # fmt: skip
"""Where we say otherwise than the documents of Cloud, and why."""
NOT_ON_CLOUD = {"GET /rest/api/3/comment/{id}/properties/{key}"}
"""Comments come with their properties there."""
STARTED = "2026-11-20T09:00:00.000+0000"
MANY = 120


# --- the documents --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cloud(specproxy: Any) -> dict[str, Any]:
    """The documents of Jira Cloud, with what it enforces and they do not say."""
    rules = json.loads((SHARED / "tools/specproxy/rules/jira_cloud_v3.json").read_text())
    platform, software = (
        specproxy.load_document(SHARED / "specs" / f"{name}.json.gz")
        for name in ("jira-cloud-platform-v3", "jira-software-cloud")
    )
    listed = software["paths"]["/rest/agile/1.0/board"]["get"]["parameters"]
    next(one for one in listed if one["name"] == "type")["schema"] = {"type": "string"}  # declared as an empty object
    return {"/rest/agile": specproxy.Spec(software), "/rest": specproxy.Spec(platform, rules=rules)}


@pytest.fixture(scope="module")
def server(specproxy: Any) -> dict[str, Any]:
    """The document of Data Center 10.3, without its own mistakes."""
    return {"/rest": specproxy.Spec(mended(specproxy.load_document(SHARED / "specs/jira-dc-10.3.json.gz")))}


# --- what is said ---------------------------------------------------------------------------------------------------


@pytest.fixture
def pile() -> Iterator[Pile]:
    """A site with everything that a connector reads: versions, a board, sprints, booked time, the PMO's fields."""
    with a_pile() as (made, _):
        state = made.server.app.state
        with state.transaction():
            seed.add_field(state, SPRINT, "Sprint", planning.SPRINT_SCHEMA)
            seed.add_field(state, "customfield_10016", "Story Points", {"type": "number"})
            board = planning.add_board(state, "TEAM board", "TEAM")
            planning.add_sprint(state, board, "Sprint 1")
        _as_ann(made, "POST", "version", {"project": "TEAM", "name": "Launch", "releaseDate": "2026-12-01"})
        fields = {"fixVersions": [{"name": "Launch"}], SPRINT: 1, "duedate": "2026-12-24"}
        _as_ann(made, "PUT", "issue/TEAM-1", {"fields": fields})
        for key in ("TEAM-1", "BIG-1"):
            _as_ann(made, "POST", f"issue/{key}/worklog", {"timeSpentSeconds": 3600, "started": STARTED})
        wait(made, minutes=30)
        yield made


def wait(pile: Pile, minutes: int) -> None:
    """Let time go by on the site."""
    answer = requests.post(f"{pile.url}/__sandbox__/clock", json={"advance_s": minutes * 60}, timeout=10)
    assert answer.ok, answer.text


def _as_ann(pile: Pile, method: str, path: str, body: Any, api: str = "3") -> Any:
    answer = requests.request(
        method,
        f"{pile.url}/rest/api/{api}/{path}",
        json=body,
        headers={"Authorization": "Bearer ann-token"},
        timeout=10,
    )
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


@dataclass
class Clock:
    """The time; a test may move it on."""

    shift: dt.timedelta = dt.timedelta(0)

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.shift


def everything(desk: Any, pile: Pile, api: str, clock: Clock) -> None:
    """Every call that the connector makes: reading, writing each slot once and in bulk, taking everything back."""
    desk.scope = dataclasses.replace(
        desk.scope, projects=("TEAM", "DESK"), fields=FIELDS, project_fields=("name", "lead", "description"),
        slots=SLOTS, history=("status", "duedate", "assignee"), worklogs=True, comments=True,
        rollups={"program/cards": "DESK"}, pins={"mail": "accept"},
    )  # fmt: skip
    desk.connector.describe()
    pins = desk.connector.prepare(desk.scope, True).pins
    desk.scope = dataclasses.replace(desk.scope, pins={**desk.scope.pins, **pins})
    desk.connector.prepare(desk.scope, True)
    _unobserved(desk.pull())
    stands = _written(desk, pile)
    _in_bulk(desk, pile)
    _meanwhile(pile, api)
    _unobserved(desk.pull(desk.cursor))
    clock.shift += dt.timedelta(hours=3)
    _unobserved(desk.pull(desk.cursor))
    _unobserved(desk.pull())
    readings = list(desk.connector.read([one.slot for one in stands]))
    assert [(one.slot, one.why) for one in readings if one.value is None] == []
    _done(desk, [dataclasses.replace(one, before=one.after, after=None) for one in stands])
    _done(desk, pile.changes("BIG", "label", [None] * MANY, before="low"))
    _done(desk, pile.changes("BIG", "property", [None] * MANY, before=flag("low")))
    desk.connector.release(desk.scope)
    _gone(desk, pile)


def _gone(desk: Any, pile: Pile) -> None:
    """A project gets another key, an issue is put into the archive, and others are asked after."""
    state = pile.server.app.state
    with state.lock, state.transaction():
        moves.rename_project(state, "DESK", "HELP")
        moves.archive_issue(state, "TEAM-5", "u-ann")
    _unobserved(desk.pull(desk.cursor))
    asked = [*pile.ids("TEAM")[3:6], *pile.ids("BIG")[:1], "999999"]
    filtered = dataclasses.replace(desk.scope, query="duedate is not EMPTY")
    assert {"archived", "outside", "moved", "hidden"} == set(desk.connector.whereabouts(filtered, asked).values())


def _written(desk: Any, pile: Pile) -> list[Change]:
    """Every slot of a few issues, set and changed, and both rollups; gives what stands there in the end."""
    marks = {
        "property": flag("high"), "label": "high", "field": "high", "text_field": TEXT, "remote_link": LINK,
        "comment": TEXT,
    }  # fmt: skip
    home = pile.project("DESK")
    rollups = [
        Change(Slot("rollup", "program/cards", "status_issue"), None, PAGE, home, "program/cards"),
        Change(Slot("project", home, "project_property"), None, '{"late":3}', home),
    ]
    lacking = ("field", "text_field")
    in_desk = [
        one for slot, mark in marks.items() if slot not in lacking for one in pile.changes("DESK", slot, [mark] * 2)
    ]
    _done(desk, [one for slot, mark in marks.items() for one in pile.changes("TEAM", slot, [mark] * 2)])
    _done(desk, [*in_desk, *rollups])
    later = {slot: mark.replace("1 finding", "2 findings") for slot, mark in marks.items()}
    in_team = [one for slot in marks for one in pile.changes("TEAM", slot, [later[slot]] * 2, before=marks[slot])]
    _done(desk, in_team)
    return [*in_team, *in_desk, *rollups]


def _in_bulk(desk: Any, pile: Pile) -> None:
    """Many flags alike, and then each of its own."""
    _done(desk, pile.changes("BIG", "label", ["low"] * MANY))
    _done(desk, pile.changes("BIG", "property", [flag("low")] * MANY))
    _done(desk, pile.changes("BIG", "property", [flag("low", number) for number in range(MANY)], before=flag("low")))


def _meanwhile(pile: Pile, api: str) -> None:
    """Somebody edits, books time, comments, and an issue comes in from elsewhere."""
    _as_ann(pile, "PUT", "issue/TEAM-3", {"fields": {"summary": "Another"}}, api)
    _as_ann(pile, "POST", "issue/TEAM-1/worklog", {"timeSpentSeconds": 1800, "started": STARTED}, api)
    words = "/pmo waive DAT101 until 2026-12-31: agreed"
    _as_ann(pile, "POST", "issue/TEAM-1/comment", {"body": to_adf(words) if api == "3" else words}, api)
    state = pile.server.app.state
    with state.lock, state.transaction():
        moves.move_issue(state, "BIG-1", "TEAM", "u-ann")
    wait(pile, minutes=10)


def _unobserved(batches: Any) -> None:
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []


def _done(desk: Any, changes: list[Change]) -> None:
    receipts = list(desk.connector.push(changes))
    assert [(one.change.key, one.change.slot.name, one.why) for one in receipts if one.fate != "done"] == []
    assert len(receipts) == len(changes)


def unsaid(desk: Any, api: str) -> set[str]:
    """The calls of that kind of site that the connector has and did not make."""
    named = {one.name for one in pmosync_jira.ENDPOINTS if one.template.startswith((api, "/rest/agile"))}
    return named - desk.session.calls.keys()


def judged(desk: Any, specs: dict[str, Any], say: Callable[[], None]) -> Judge:
    """What the documents say to what the desk says."""
    judge = Judge(specs)
    desk.session.hooks["response"].append(judge)
    say()
    assert judge.wire == desk.session.calls.total(), "a call was not judged"
    return judge


def test_all_that_we_say_to_jira_cloud_is_in_its_documents(pile: Pile, cloud: dict[str, Any], open_jira: Any) -> None:
    clock = Clock()
    desk = open_jira(pile.url, token="bot-token", clock=clock)
    judge = judged(desk, cloud, lambda: everything(desk, pile, "3", clock))
    assert judge.wrong == set(EXPLAINED)
    assert judge.answered == set()
    assert unsaid(desk, "/rest/api/3") == NOT_ON_CLOUD


def test_the_document_of_cloud_breaks_its_own_rule_for_values_of_properties(cloud: dict[str, Any]) -> None:
    path, platform = "/rest/api/3/issue/properties/multi", cloud["/rest"]
    asked = platform.doc["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    headers = {"Content-Type": "application/json", "Authorization": "Basic x"}
    _, _, found = platform.check_request("POST", path, headers, json.dumps(asked["example"]).encode())
    assert [one["kind"] for one in found] == ["request_schema"] * len(found) != []


def test_all_that_we_say_to_a_data_center_is_in_its_document(
    pile: Pile, server: dict[str, Any], open_jira: Any
) -> None:
    datacenter.switch_on(pile.server.app.state)
    clock = Clock()
    desk = open_jira(pile.url, token="bot-token", deployment="data_center", clock=clock)
    judge = judged(desk, server, lambda: everything(desk, pile, "2", clock))
    assert judge.wrong == set()
    assert judge.answered == set()
    assert unsaid(desk, "/rest/api/2") == set()
