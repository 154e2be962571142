"""A small Asana of known content on loopback, and a client that sends what it is told and checks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import requests

from pmosync.sandbox.asana import seed, tables
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State

AS_OF = date(2026, 3, 2)
PAST = datetime(2026, 2, 2, 8, 0, 0, 123000, tzinfo=UTC)


@dataclass
class Site:
    server: Server
    state: State
    gids: dict[str, Any]
    session: requests.Session
    start: bytes

    def begin_again(self) -> None:
        """Everything as it was when the server started."""
        self.state.restore(self.start)

    def call(self, method: str, path: str, token: str = "bot", **sent: Any) -> requests.Response:
        """`query` and `data` are sent as Asana wants them."""
        body = {"json": {"data": sent["data"]}} if "data" in sent else {}
        heads = {"Authorization": f"Bearer {token}"}
        url = f"{self.server.url}/api/1.0{path}"
        return self.session.request(method, url, params=sent.get("query"), headers=heads, timeout=10, **body)

    def get(self, path: str, token: str = "bot", **query: Any) -> Any:
        answer = self.call("GET", path, token, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def write(self, method: str, path: str, token: str = "bot", **data: Any) -> Any:
        answer = self.call(method, path, token, data=data)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["data"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.server.url}/__sandbox__/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def sync(self, resource: str) -> str:
        """A token that hears what happens from now on."""
        answer = self.call("GET", "/events", query={"resource": resource})
        assert answer.status_code == 412
        return str(answer.json()["sync"])

    def events(self, resource: str, sync: str) -> dict[str, Any]:
        answer = self.call("GET", "/events", query={"resource": resource, "sync": sync})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


Sent = tuple[str, str, dict[str, Any] | None]
"""One call: method, path with query, and what goes into `data`."""


def disagreements(site: Site, spec: Any, calls: Iterable[Sent]) -> list[str]:
    """Make the calls, and say where one or its answer is not as the vendor's document has it, or fails unplanned."""
    wrong = []
    for method, path, data in calls:
        answer = site.call(method, path, **({"data": data} if data is not None else {}))
        sent = answer.request
        body = sent.body if isinstance(sent.body, bytes) else (sent.body or "").encode()
        name, operation, found = spec.check_request(method, f"/api/1.0{path}", sent.headers, body)
        if operation is not None:
            found += spec.check_response(name, operation, answer.status_code, answer.headers, answer.content)
        wrong += [(method, path, f["kind"], f["where"], f["message"]) for f in found if f["severity"] == "error"]
        assert answer.status_code < 500
    return [str(line)[:300] for line in wrong]


@contextmanager
def small_site() -> Iterator[Site]:
    """Two people and a bot, two projects, five tasks, a subtask of a subtask, fields and a portfolio."""
    state = State(as_of=AS_OF)
    server = Server(state)
    with state.transaction():
        gids = _fill(state)
    server.start()
    with requests.Session() as session:
        yield Site(server, state, gids, session, state.snapshot())
    server.stop()


def _fill(state: State) -> dict[str, Any]:
    seed.add_workspace(state, "Acme")
    bot = seed.add_user(state, "PMO bot", "pmo-bot@acme.example")
    ann = seed.add_user(state, "Ann", "ann@acme.example")
    bob = seed.add_user(state, "Bob", "bob@acme.example", active=False)
    for token, user in (("bot", bot), ("ann", ann), ("bob", bob)):
        seed.add_token(state, user, token)
    project = seed.add_project(state, "Move", ann, created_at=PAST, members={bot: "editor"})
    secret = seed.add_project(state, "Board", ann, created_at=PAST, privacy="private")
    todo, doing = (seed.add_section(state, project, name, created_at=PAST) for name in ("To do", "In progress"))
    seed.add_section(state, secret, "Board only", created_at=PAST)
    stage = seed.add_field(state, "Stage", "enum", options=[("Waiting", "orange"), ("Doing", "blue")])
    estimate = seed.add_field(state, "Estimated time", "number", asana_created_field="estimated_time")
    loud = seed.add_field(state, "Loud", "text", notifications=True)
    for field in (stage, estimate, loud):
        seed.add_setting(state, "project", project, field)
    tasks = [
        seed.add_task(
            state, f"Task {n}", created_at=PAST, modified_at=PAST, project=project, section=todo, assignee=ann,
            created_by=ann, due_on="2026-03-10",
        )
        for n in range(5)
    ]  # fmt: skip
    child = seed.add_task(state, "Child", created_at=PAST, modified_at=PAST, parent=tasks[0])
    grandchild = seed.add_task(state, "Grandchild", created_at=PAST, modified_at=PAST, parent=child)
    hidden = seed.add_task(
        state, "Hidden", created_at=PAST, modified_at=PAST, project=secret,
        section=tables.scalar(state, "SELECT gid FROM asana_section WHERE project = ?", secret),
    )  # fmt: skip
    portfolio = seed.add_portfolio(state, "PMO portfolio", bot, created_at=PAST, items=[project])
    tag = seed.add_tag(state, "urgent", created_at=PAST)
    return {
        "bot": bot, "ann": ann, "bob": bob, "project": project, "secret": secret, "todo": todo, "doing": doing,
        "stage": stage, "stages": seed.options(state, stage), "estimate": estimate, "loud": loud, "tasks": tasks,
        "child": child, "grandchild": grandchild, "hidden": hidden, "portfolio": portfolio, "tag": tag,
    }  # fmt: skip
