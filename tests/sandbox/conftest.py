"""A small Jira site on loopback for the sandbox's own tests: two people, a bot, three projects."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from pmosync.sandbox.asana import seed as asana_seed
from pmosync.sandbox.asana import tables as asana_tables
from pmosync.sandbox.jira import datacenter, seed
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State

SHARED = Path(__file__).resolve().parents[3] / "shared"
BOT = ("bot@acme.example", "bot-token")
ANN = ("ann@acme.example", "ann-token")
LONG_AGO = datetime(2026, 1, 5, 8, 30, 0, 123000, tzinfo=UTC)


@dataclass
class Site:
    """A running sandbox and the ways to reach it."""

    url: str
    server: Server
    version: str = "3"

    def as_user(self, who: tuple[str, str] = BOT) -> requests.Session:
        session = requests.Session()
        if self.version == "3":
            session.auth = who
        else:
            session.headers["Authorization"] = f"Bearer {who[1]}"
        session.headers["Accept"] = "application/json"
        return session

    def api(self, path: str) -> str:
        return f"{self.url}/rest/api/{self.version}{path}"

    def control(self, method: str, name: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/__sandbox__/{name}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def fault(self, kind: str, **options: Any) -> None:
        self.control("POST", "faults", [{"kind": kind, **options}])

    def asana(self, path: str, **query: Any) -> requests.Response:
        headers = {"Authorization": "Bearer asana-token"}
        return requests.get(f"{self.url}/api/1.0{path}", params=query, headers=headers, timeout=10)

    def search(
        self, jql: str, fields: list[str] | None = None, size: int = 50, who: tuple[str, str] = BOT
    ) -> list[Any]:
        """All issues of a query, page by page."""
        session, found, token = self.as_user(who), [], None
        while True:
            body = {"jql": jql, "fields": fields or ["key"], "maxResults": size}
            answer = session.post(self.api("/search/jql"), json=body | ({"nextPageToken": token} if token else {}))
            assert answer.status_code == 200, answer.text
            found += answer.json()["issues"]
            token = answer.json().get("nextPageToken")
            if token is None:
                return found


def fill(state: State) -> None:
    """PAY (Ann leads, 230 issues), OPS (the bot administers it, 6 issues), SEC (hidden from the bot, 2 issues)."""
    seed.add_user(state, "u-bot", "PMO bot", BOT[0])
    seed.add_user(state, "u-ann", "Ann Østergård", ANN[0], time_zone="America/New_York")
    seed.add_user(state, "u-ben", "Ben Gone", "ben@acme.example", active=False)
    seed.add_token(state, "u-bot", BOT[1])
    seed.add_token(state, "u-ann", ANN[1])
    seed.add_field(state, "customfield_10015", "Start date", {"type": "date"})
    seed.add_field(state, "customfield_10016", "Story point estimate", {"type": "number"}, ["PAY"])
    for key, lead in (("PAY", "u-ann"), ("OPS", "u-bot"), ("SEC", "u-ann")):
        seed.add_project(state, key, f"Project {key}", lead, category="Finance" if key == "PAY" else None)
    seed.set_role(state, "SEC", "u-bot", "none")
    when: dict[str, Any] = {"created_at": LONG_AGO, "updated_at": LONG_AGO}
    seed.add_issue(state, "PAY", "Epic", "Move payments", reporter="u-ann", **when)
    for number in range(2, 231):
        status = "In Progress" if number % 3 == 0 else "To Do"
        due = date(2026, 3, 1 + number % 28) if number % 2 else None
        seed.add_issue(
            state, "PAY", "Task", f"Step {number}", status=status, due_on=due, parent_key="PAY-1",
            assignee="u-ann" if number % 5 else None, reporter="u-ann", labels=["team"] if number == 7 else (), **when,
        )  # fmt: skip
    for number in range(1, 7):
        seed.add_issue(state, "OPS", "Task", f"Operate {number} <b>&", assignee="u-ann", reporter="u-ann", **when)
    for _ in range(2):
        seed.add_issue(state, "SEC", "Task", "Secret", **when)
    seed.add_link(state, "Blocks", "PAY-2", "OPS-1")


def fill_asana(state: State) -> None:
    """One project with five tasks and one without."""
    asana_seed.add_workspace(state, "Acme")
    bot = asana_seed.add_user(state, "PMO bot", BOT[0])
    asana_seed.add_token(state, bot, "asana-token")
    for name in ("Move", "Rest"):
        project = asana_seed.add_project(state, name, bot, created_at=LONG_AGO)
        section = asana_seed.add_section(state, project, "To do", created_at=LONG_AGO)
        when = {"created_at": LONG_AGO, "modified_at": LONG_AGO}
        for number in range(5 if name == "Move" else 0):
            asana_seed.add_task(state, f"Box {number}", project=project, section=section, **when)


@pytest.fixture(scope="session")
def _server() -> Iterator[tuple[Server, bytes]]:
    state = State(as_of=date(2026, 3, 2))
    seed.prepare(state)
    asana_tables.prepare(state)
    with state.transaction():
        fill(state)
        fill_asana(state)
    server = Server(state)
    server.start()
    yield server, state.snapshot()
    server.stop()


@pytest.fixture
def site(_server: tuple[Server, bytes]) -> Site:
    """The site as it was filled, without faults and limits, and with an empty request log."""
    server, snapshot = _server
    app = server.app
    app.state.restore(snapshot)
    app.faults.replace([])
    app.limits.replace({})
    app.log.clear()
    return Site(server.url, server)


@pytest.fixture
def data_center(site: Site) -> Site:
    """The same site, as Data Center answers it; calls sign in with a personal access token."""
    datacenter.switch_on(site.server.app.state)
    return Site(site.url, site.server, version="2")


@pytest.fixture(scope="session")
def jira_spec() -> Any:
    """The vendor's own document as a checker of requests and answers."""
    specproxy = _specproxy("jira-cloud-platform-v3.json.gz")
    return specproxy.Spec(specproxy.load_document(str(SHARED / "specs/jira-cloud-platform-v3.json.gz")))


@pytest.fixture(scope="session")
def asana_spec() -> Any:
    """The same of Asana."""
    specproxy = _specproxy("asana_oas.json.gz")
    return specproxy.Spec(specproxy.load_document(str(SHARED / "specs/asana_oas.json.gz")))


@pytest.fixture(scope="session")
def specproxy() -> Any:
    """The checker's module, for a document that has to be mended before it is read."""
    return _specproxy("jira-dc-10.3.json.gz")


def _specproxy(name: str) -> Any:
    tool, document = SHARED / "tools/specproxy/specproxy.py", SHARED / "specs" / name
    if not tool.exists() or not document.exists():
        pytest.skip("the vendor's document does not lie beside the project (../shared/specs)")
    spec = importlib.util.spec_from_file_location("specproxy", tool)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["specproxy"] = module
    spec.loader.exec_module(module)
    return module
