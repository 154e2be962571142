"""Checks the dates that live in versions and sprints: which one counts, and that none is stale for long."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from pmosync import mapping as mappings
from pmosync.contract import Batch, Choice, Record, Scope
from pmosync.discovery import suggest
from pmosync.errors import Misconfigured, Unavailable
from pmosync_jira import issues as fetching
from pmosync_jira.planning import SPRINT_FIELD, fingerprint, readers_of, sprint, version
from pmosync_jira.records import Decoder, asked_fields
from pmosync_jira.watch import Watch

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
FIX, RELEASE, SPRINT, END = (
    "fixVersions.latest", "fixVersions.latest.releaseDate", "customfield_10020.latest",
    "customfield_10020.latest.endDate",
)  # fmt: skip
FIELDS = ("summary", "duedate", FIX, RELEASE, SPRINT, END)
SEARCH, BULK, PROJECTS = "/rest/api/3/search/jql", "/rest/api/3/issue/bulkfetch", "/rest/api/3/project/search"
VERSIONS, ONE_SPRINT = "/rest/api/3/project/{id}/version", "/rest/agile/1.0/sprint/{id}"

# --- which one counts -------------------------------------------------------------------------------------------------

FIX_VERSIONS = {"id": "fixVersions", "clauseNames": ["fixVersion"], "schema": {"type": "array", "items": "version"}}
SPRINTS = {
    "id": "customfield_7", "clauseNames": ["cf[7]", "Sprint"],
    "schema": {"type": "array", "items": "json", "custom": SPRINT_FIELD, "customId": 7},
}  # fmt: skip


def a_version(number: int, on: str | None = None, *, released: bool = False, archived: bool = False) -> dict[str, Any]:
    found = {"id": str(number), "name": f"v{number}", "released": released, "archived": archived}
    return found | ({"releaseDate": on} if on else {})


def a_sprint(number: int, state: str, start: str = "", end: str = "", complete: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"id": number, "name": f"s{number}", "state": state, "boardId": 1, "goal": ""}
    dates = {"startDate": start, "endDate": end, "completeDate": complete}
    return found | {name: f"{day}T07:00:00.000Z" for name, day in dates.items() if day}


@pytest.mark.parametrize(("versions", "latest", "earliest"), [
    ([], None, None),
    ([a_version(1, "2026-03-01"), a_version(2, "2026-06-01")], "v2", "v1"),
    ([a_version(1, "2026-06-01", released=True), a_version(2, "2026-03-01")], "v1", "v2"),
    ([a_version(1, "2026-03-01"), a_version(2, "2026-06-01", archived=True)], "v1", "v1"),
    ([a_version(1, "2026-03-01", archived=True)], None, None),
    ([a_version(1), a_version(2, "2026-03-01", released=True)], "v2", "v2"),
    ([a_version(9), a_version(10)], "v10", "v9"),
    ([a_version(10, "2026-03-01"), a_version(9, "2026-03-01")], "v10", "v9"),
])  # fmt: skip
def test_of_several_versions_the_latest_and_the_earliest_that_are_not_archived_count(
    versions: list[dict[str, Any]], latest: str | None, earliest: str | None
) -> None:
    readers = readers_of(FIX_VERSIONS)
    for name, wanted in (("latest", latest), ("earliest", earliest)):
        found = readers[f"fixVersions.{name}"].read(versions)
        day = readers[f"fixVersions.{name}.releaseDate"].read(versions)
        assert (found and found.name) == wanted  # type: ignore[union-attr]
        dates = {one["name"]: one.get("releaseDate") for one in versions}
        assert (day and str(day)) == dates.get(wanted or "")


@pytest.mark.parametrize(("sprints", "latest"), [
    ([], None),
    ([a_sprint(1, "closed"), a_sprint(2, "active"), a_sprint(3, "future")], "s2"),
    ([a_sprint(1, "active", end="2026-03-09"), a_sprint(2, "ACTIVE", end="2026-03-02")], "s1"),
    ([a_sprint(1, "closed"), a_sprint(3, "future", start="2026-04-01"), a_sprint(2, "future", start="2026-05-01")],
     "s3"),
    ([a_sprint(1, "future"), a_sprint(2, "future", start="2026-05-01")], "s2"),
    ([a_sprint(1, "closed", complete="2026-03-09"), a_sprint(2, "closed", complete="2026-03-02")], "s1"),
    ([a_sprint(1, "closed", end="2026-03-09"), a_sprint(2, "closed", end="2026-03-02")], "s1"),
])  # fmt: skip
def test_of_several_sprints_the_active_one_counts_else_the_next_else_the_last(
    sprints: list[dict[str, Any]], latest: str | None
) -> None:
    found = readers_of(SPRINTS)["customfield_7.latest"].read(sprints)
    assert (found and found.name) == latest  # type: ignore[union-attr]


def test_state_is_the_category_of_the_one_that_counts_and_its_dates_are_fields_of_their_own() -> None:
    readers = readers_of(SPRINTS)
    raw = [a_sprint(1, "closed", "2026-03-02", "2026-03-16", "2026-03-17")]
    values = {name.removeprefix("customfield_7.latest"): reader.read(raw) for name, reader in readers.items()}
    assert values[""] == Choice("1", "s1", "closed")
    assert [str(values[name]) for name in (".startDate", ".endDate", ".completeDate")] == [
        "2026-03-02 07:00:00+00:00", "2026-03-16 07:00:00+00:00", "2026-03-17 07:00:00+00:00",
    ]  # fmt: skip
    released = readers_of(FIX_VERSIONS)[FIX].read([a_version(1, released=True)])
    assert released == Choice("1", "v1", "released")


@pytest.mark.parametrize("raw", [
    "com.atlassian.greenhopper.service.sprint.Sprint@1[id=1,state=ACTIVE]", [{"id": 1}], [None], 5,
    [a_sprint(1, "paused")], [a_sprint(1, "active") | {"endDate": "2026-03-02"}],
])  # fmt: skip
def test_a_sprint_of_another_shape_is_not_provided_and_costs_nothing_else(jira_like: Any, raw: Any) -> None:
    issue = {"id": "1", "key": "A-1", "fields": {
        "project": {"id": "1"}, "created": "2026-04-28T15:33:15.438+0200", "updated": "2026-04-28T15:33:15.438+0200",
        "customfield_7": raw, "fixVersions": [a_version(1, "2026-03-01")],
    }}  # fmt: skip
    record = jira_like.task(issue, Scope(fields=("customfield_7.latest.endDate", RELEASE)))
    assert record.values.keys() == {"created", RELEASE}


@pytest.fixture
def jira_like() -> Any:
    """A decoder for a site with versions and sprints."""
    session = SimpleNamespace(host="acme.example", base_url="https://acme.example")
    readers = readers_of(FIX_VERSIONS) | readers_of(SPRINTS)
    return Decoder(SimpleNamespace(session=session, links_at="https://acme.example", readers=readers))  # type: ignore[arg-type]


def test_the_same_instant_in_another_zone_has_the_same_fingerprint_and_another_date_has_not() -> None:
    embedded = a_sprint(1, "active", "2026-03-02", "2026-03-16")
    agile = embedded | {"startDate": "2026-03-02T09:00:00+02:00", "originBoardId": 1, "goal": "Another"}
    assert fingerprint(sprint(embedded)) == fingerprint(sprint(agile))
    assert fingerprint(sprint(embedded)) != fingerprint(sprint(embedded | {"state": "closed"}))
    moved = a_version(1, "2026-03-02"), a_version(1, "2026-03-03"), a_version(1)
    assert len({fingerprint(version(one)) for one in moved}) == 3


def test_only_the_field_that_holds_versions_or_sprints_is_asked_for() -> None:
    names = asked_fields(Scope(fields=(*FIELDS, "versions.earliest")))
    assert names[4:] == ["summary", "duedate", "fixVersions", "customfield_10020", "versions"]


# --- from a site ------------------------------------------------------------------------------------------------------


class Desk:
    """A connector whose clock can be moved, and the people who plan."""

    def __init__(self, sandbox: Any, open_jira: Any, fields: tuple[str, ...] = FIELDS) -> None:
        self.sandbox, self.now = sandbox, NOON
        self.jira = open_jira(sandbox.url, fields=fields, clock=lambda: self.now)
        self.twin = open_jira(sandbox.url, fields=fields)

    def later(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def pull(self) -> list[Batch]:
        return self.jira.pull(self.jira.cursor)  # type: ignore[no-any-return]

    def tasks(self, batches: list[Batch]) -> set[str]:
        return {record.key for batch in batches for record in batch.records if record.kind == "task"}

    def carrying(self, field: str, name: str) -> set[str]:
        found = ((record.key, record.values.get(field)) for record in self.jira.records.values())
        return {key for key, value in found if isinstance(value, Choice) and value.name == name}

    def is_true(self) -> bool:
        """Whether everything that is stored is what a whole pull by somebody else finds."""
        self.twin.pull()
        return bool(self.jira.records == self.twin.records)

    def version(self, name: str) -> str:
        for key in ("PAY", "LOAN"):
            for one in self.sandbox.jira("GET", f"project/{key}/versions"):
                if one["name"] == name:
                    return str(one["id"])
        raise AssertionError(name)

    def plan(self, name: str, /, **changed: Any) -> None:
        """Somebody edits a version."""
        self.sandbox.jira("PUT", f"version/{self.version(name)}", changed, token="person-1")

    def sprint(self, name: str, /, **changed: Any) -> None:
        """Somebody edits a sprint."""
        boards = self.agile("GET", "board")["values"]
        sprints = [one for board in boards for one in self.agile("GET", f"board/{board['id']}/sprint")["values"]]
        self.agile("POST", f"sprint/{next(one['id'] for one in sprints if one['name'] == name)}", changed)

    def agile(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the agile API as somebody who may do everything."""
        headers = {"Authorization": "Bearer person-1"}
        url = f"{self.sandbox.url}/rest/agile/1.0/{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()


@pytest.fixture
def desk(sandbox: Any, open_jira: Any) -> Desk:
    """A desk that has pulled everything, long after everything was last edited."""
    sandbox.advance(40 * 86400)
    found = Desk(sandbox, open_jira)
    found.jira.pull()
    found.jira.calls()
    return found


def test_a_full_pull_brings_the_dates_of_versions_and_sprints(desk: Desk) -> None:
    launch = next(r for r in desk.jira.records.values() if r.values.get(FIX) and r.values[FIX].name == "Launch")
    raw = desk.sandbox.jira("GET", f"issue/{launch.id}")["fields"]
    assert launch.values[FIX] == Choice(raw["fixVersions"][0]["id"], "Launch", "unreleased")
    assert launch.values[RELEASE] == dt.date.fromisoformat(raw["fixVersions"][0]["releaseDate"])
    running = next(r for r in desk.jira.tasks_of("MOB") if r.values[SPRINT] and r.values[SPRINT].category == "active")
    raw = desk.sandbox.jira("GET", f"issue/{running.id}")["fields"]["customfield_10020"][-1]
    assert running.values[END] == dt.datetime.fromisoformat(raw["endDate"])
    crm = desk.jira.tasks_of("CRM")[0]
    assert [crm.values[name] for name in (FIX, RELEASE, SPRINT, END)] == [None] * 4


def test_a_quiet_cycle_asks_for_versions_and_open_sprints_once_an_hour_and_reads_no_issue(desk: Desk) -> None:
    quiet = {PROJECTS: 1, SEARCH: 1}
    desk.pull()
    assert desk.jira.calls() == quiet
    desk.later(3599)
    desk.pull()
    assert desk.jira.calls() == quiet
    desk.later(1)
    assert desk.tasks(desk.pull()) == set()
    assert desk.jira.calls() == quiet | {VERSIONS: 2, ONE_SPRINT: 6}
    desk.pull()
    assert desk.jira.calls() == quiet


def test_a_mapping_without_such_fields_pays_nothing(sandbox: Any, open_jira: Any) -> None:
    desk = Desk(sandbox, open_jira, ("summary", "duedate"))
    desk.jira.pull()
    desk.jira.calls()
    desk.later(7200)
    desk.pull()
    assert desk.jira.calls() == {PROJECTS: 1, SEARCH: 1}
    assert desk.jira.cursor["planning"]["known"] == []


def test_a_release_that_is_put_off_is_known_after_an_hour_and_only_its_issues_are_read(desk: Desk) -> None:
    inside = desk.carrying(FIX, "Launch")
    desk.plan("Launch", releaseDate="2030-01-31")
    assert desk.tasks(desk.pull()) == set()
    desk.later(3600)
    batches = desk.pull()
    assert desk.tasks(batches) == inside != set()
    assert {desk.jira.by_key(key).values[RELEASE] for key in inside} == {dt.date(2030, 1, 31)}
    assert all(batch.state == "observed" and not batch.scopes for batch in batches)
    assert desk.is_true()
    desk.later(3600)
    assert desk.tasks(desk.pull()) == set()


@pytest.mark.parametrize(("name", "changed"), [
    ("Launch", {"released": True}), ("Launch", {"archived": True}), ("2.0", {"name": "Two"}),
    ("Launch", {"releaseDate": None}),
])  # fmt: skip
def test_every_edit_of_a_version_that_a_mapping_can_read_is_noticed(
    desk: Desk, name: str, changed: dict[str, Any]
) -> None:
    desk.plan(name, **changed)
    desk.later(3600)
    assert desk.tasks(desk.pull())
    assert desk.is_true()


@pytest.mark.parametrize(("name", "changed"), [
    ("MOB Sprint 4", {"endDate": "2030-01-31T07:00:00.000Z"}), ("MOB Sprint 4", {"state": "closed"}),
    ("PAY Sprint 5", {"state": "active"}), ("PAY Sprint 6", {"startDate": "2030-01-31T07:00:00.000Z"}),
    ("PAY Sprint 6", {"name": "Some day"}),
])  # fmt: skip
def test_a_sprint_that_is_moved_started_or_closed_is_noticed(desk: Desk, name: str, changed: dict[str, Any]) -> None:
    inside = desk.carrying(SPRINT, name)
    desk.sprint(name, **changed)
    desk.later(3600)
    assert desk.tasks(desk.pull()) == inside != set()
    assert desk.is_true()


def test_a_closed_sprint_is_not_asked_for_again(desk: Desk) -> None:
    desk.sprint("MOB Sprint 4", state="closed")
    desk.later(3600)
    desk.pull()
    desk.jira.calls()
    desk.later(3600)
    desk.pull()
    assert desk.jira.calls()[ONE_SPRINT] == 5


def test_an_issue_that_shows_another_date_tells_of_all_others_at_once(desk: Desk) -> None:
    inside = desk.carrying(FIX, "Launch")
    desk.plan("Launch", releaseDate="2030-01-31")
    one = sorted(inside)[0]
    desk.sandbox.jira("PUT", f"issue/{one}", {"fields": {"summary": "Another"}}, token="person-1")
    assert desk.tasks(desk.pull()) == inside
    assert desk.is_true()


def test_a_new_version_of_an_edited_issue_is_watched_from_then_on(desk: Desk) -> None:
    new = {"project": "CRM", "name": "New", "releaseDate": "2029-01-31"}
    made = desk.sandbox.jira("POST", "version", new, token="person-1")
    body = {"fields": {"fixVersions": [{"id": made["id"]}]}}
    desk.sandbox.jira("PUT", "issue/CRM-3", body, token="person-1")
    desk.pull()
    desk.sandbox.jira("PUT", f"version/{made['id']}", {"releaseDate": "2029-02-28"}, token="person-1")
    desk.later(3600)
    assert desk.tasks(desk.pull()) == {"CRM-3"}
    assert desk.jira.by_key("CRM-3").values[RELEASE] == dt.date(2029, 2, 28)


def test_a_version_that_moves_while_everything_is_read_is_the_same_in_all_its_issues_and_soon_right(
    sandbox: Any, open_jira: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FETCHED", 4)
    desk = Desk(sandbox, open_jira)
    desk.jira.scope = desk.twin.scope = dataclasses.replace(desk.jira.scope, projects=("PAY",))
    for batch in desk.jira.connector.pull(desk.jira.scope, None, desk.jira.known):
        desk.jira.keep(batch)
        if desk.tasks([batch]) and desk.now == NOON:
            desk.later(1)
            desk.plan("Follow-up", releaseDate="2030-01-31")
            desk.plan("Launch", releaseDate="2029-01-31")
            desk.plan("Closed pilot", releaseDate="2028-01-31")
    for name in ("Launch", "Follow-up", "Closed pilot"):
        assert len({desk.jira.by_key(key).values[RELEASE] for key in desk.carrying(FIX, name)}) == 1
    assert dt.date(2029, 1, 31) in {desk.jira.by_key(key).values[RELEASE] for key in desk.carrying(FIX, "Launch")}
    desk.later(3600)
    desk.pull()
    assert desk.is_true()


def test_what_moves_again_while_it_is_read_anew_is_asked_for_in_the_next_run() -> None:
    def issue(day: str) -> dict[str, Any]:
        return {"fields": {"project": {"id": "10"}, "fixVersions": [a_version(1, day)]}}

    watch = Watch(None, 3600)  # type: ignore[arg-type]
    fields = [["fixVersions", "version", "fixVersion"]]
    watch.begin((), {"fields": fields, "asked_s": NOON.timestamp(), "known": [["version", "1", "old", ["10"]]]}, NOON)
    watch.saw(issue("2026-03-01"))
    assert list(watch.take_moved()) == [("version", "1")]
    watch.saw(issue("2026-03-01"))
    assert watch.cursor()["asked_s"] == NOON.timestamp()
    watch.saw(issue("2026-03-02"))
    assert watch.cursor() == {"fields": fields, "asked_s": 0.0, "known": [["version", "1", "", ["10"]]]}


# --- what Jira does not tell ------------------------------------------------------------------------------------------


NARROW = {"code": 401, "message": "Unauthorized; scope does not match"}


@pytest.mark.parametrize(("status", "body"), [(403, None), (404, None), (401, NARROW)])
@pytest.mark.parametrize("path", ["/rest/agile/", "/project/[0-9]+/version$"])
def test_what_jira_does_not_tell_is_read_from_the_issues_and_never_taken_as_unchanged(
    desk: Desk, status: int, body: Any, path: str
) -> None:
    desk.plan("Launch", releaseDate="2030-01-31")
    desk.sprint("MOB Sprint 4", endDate="2030-01-31T07:00:00.000Z")
    desk.sandbox.fault({"kind": "status", "status": status, "body": body, "times": None, "match": {"path": path}})
    desk.later(3600)
    batches = desk.pull()
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []
    desk.sandbox.heal()
    assert desk.is_true()


def test_the_project_of_a_deleted_version_is_read_whole(desk: Desk) -> None:
    desk.sandbox.jira("DELETE", f"version/{desk.version('1.1')}", token="person-1")
    desk.later(3600)
    batches = desk.pull()
    loan = desk.jira.by_key("LOAN").id
    assert {s for batch in batches if batch.state == "complete" for s in batch.scopes} == {f"project:{loan}"}
    assert desk.carrying(FIX, "1.1") == set()
    assert desk.is_true()
    assert len([one for one in desk.jira.cursor["planning"]["known"] if one[3] == [loan]]) == 2


def test_the_projects_of_a_sprint_that_nobody_knows_any_more_are_read_whole(desk: Desk) -> None:
    mob = desk.jira.by_key("MOB").id
    desk.jira.cursor["planning"]["known"].append(["sprint", "4711", "abc", [mob]])
    desk.later(3600)
    batches = desk.pull()
    assert {s for batch in batches if batch.state == "complete" for s in batch.scopes} == {f"project:{mob}"}
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []
    assert "4711" not in str(desk.jira.cursor["planning"])


def test_issues_that_cannot_be_read_anew_leave_their_projects_unobserved_until_they_are_read_whole(desk: Desk) -> None:
    desk.plan("Launch", releaseDate="2030-01-31")
    desk.sandbox.fault({"kind": "status", "status": 403, "times": None, "match": {"path": "bulkfetch"}})
    desk.later(3600)
    pay = desk.jira.by_key("PAY").id
    lost = {scope for batch in desk.pull() if batch.state == "unobserved" for scope in batch.scopes}
    assert lost == {f"project:{pay}"}
    assert pay not in desk.jira.cursor["projects"]
    desk.sandbox.heal()
    desk.pull()
    assert desk.is_true()


def test_trouble_with_the_whole_site_while_asking_leaves_the_cursor_where_it_was(desk: Desk) -> None:
    before = desk.jira.cursor
    desk.sandbox.fault({"kind": "status", "status": 503, "times": None, "match": {"path": "/rest/agile/"}})
    desk.later(3600)
    with pytest.raises(Unavailable):
        desk.pull()
    assert desk.jira.cursor is before


def test_a_cursor_of_an_earlier_version_of_pmosync_starts_over_inside_the_same_pull(desk: Desk) -> None:
    old = {name: value for name, value in desk.jira.cursor.items() if name not in ("planning", "format")}
    batches = desk.jira.pull(old)
    assert any(batch.state == "complete" for batch in batches)
    assert desk.jira.cursor["planning"]["known"]


# --- in a mapping -----------------------------------------------------------------------------------------------------

MAPPING = """\
site: acme-jira
task:
  title: summary
  status: {field}
  start_on: Sprint.latest.startDate
  due_on: [duedate, fixVersions.latest.releaseDate, Sprint.latest.endDate]
"""
STATUS = "[{field: status, values: {done: category=done}}]"


def resolved(desk: Desk, folder: Path, text: str) -> Any:
    file = folder / "acme-jira.yaml"
    file.write_text(text, "utf-8")
    catalog = desk.jira.connector.describe()
    found = mappings.resolve(mappings.load(file, None), catalog)
    return found, mappings.check(found, catalog, desk.jira.connector.capabilities)


def test_a_mapping_names_them_by_id_or_by_the_name_of_their_field(desk: Desk, tmp_path: Path) -> None:
    mapping, wrong = resolved(desk, tmp_path, MAPPING.replace("{field}", STATUS))
    assert wrong == []
    assert mapping.pins["task/Sprint.latest.endDate"] == END
    assert {RELEASE, END, "customfield_10020.latest.startDate"} <= set(mapping.task_fields())
    zone = ZoneInfo("Europe/Berlin")
    day, late = dt.date(2030, 1, 31), dt.datetime(2030, 2, 27, 23, 30, tzinfo=dt.UTC)

    def due(**values: Any) -> Any:
        record = Record("task", "1", "A-1", "", "1", ("project:1",), {"duedate": None, RELEASE: None, **values})
        return mapping.read_task(record, zone).values["due_on"]

    assert due(**{RELEASE: day, END: late}) == day
    assert due(**{END: late}) == dt.date(2030, 2, 28)
    assert due(**{END: None}) is None


def test_what_holds_no_date_is_refused_as_one(desk: Desk, tmp_path: Path) -> None:
    text = MAPPING.replace("{field}", STATUS).replace("Sprint.latest.startDate", "Fix versions.latest")
    _, wrong = resolved(desk, tmp_path, text)
    assert "'Fix versions.latest' is a field of kind choice" in str(wrong[0])
    with pytest.raises(Misconfigured, match=r"did you mean 'Sprint\.latest\.startDate'"):
        resolved(desk, tmp_path, text.replace("Fix versions.latest", "Sprint.latest.starts"))


def test_the_state_of_a_sprint_can_say_where_work_stands(desk: Desk, tmp_path: Path) -> None:
    steps = "[{field: Sprint.latest, values: {in_progress: category=active, todo: category=future}}]"
    mapping, wrong = resolved(desk, tmp_path, MAPPING.replace("{field}", steps))
    assert wrong == []
    record = Record("task", "1", "A-1", "", "1", ("project:1",), {SPRINT: Choice("4", "Sprint 4", "active")})
    assert mapping.read_task(record, ZoneInfo("UTC")).values["status"] == "in_progress"


def test_discover_tells_of_them_in_the_line_of_their_field(desk: Desk) -> None:
    text = suggest("acme-jira", desk.jira.connector.describe(), desk.jira.connector.capabilities)
    lines = [line for line in text.splitlines() if "latest" in line]
    assert lines.pop(0).startswith('  #   - {field: {custom: "Sprint.latest"}, values'), "offered for sprint_state"
    assert len(lines) == 3
    assert lines[0].startswith("#   'Fix versions' (fixVersions), list")
    assert "fixVersions.latest.releaseDate" in lines[0]
    assert "customfield_10020.latest.endDate" in lines[2]
