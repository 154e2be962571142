"""What the tests of the sandbox's webhooks stand on: a receiver on loopback, and an administrator at a desk."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from pmosync.sandbox.jira import planning, seed
from pmosync.sandbox.jira.webhooks import tables

ROOT = ("root@acme.example", "root-token")
OLD, NEW, DYNAMIC = "/rest/webhooks/1.0/webhook", "/rest/jira-webhook/1.0/webhooks", "/rest/api/3/webhook"
SECRET = "a secret of the receiver's"
TEXT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}]}
LINK = {"type": {"name": "Blocks"}, "inwardIssue": {"key": "PAY-3"}, "outwardIssue": {"key": "PAY-4"}}
TASK = {"project": {"key": "PAY"}, "issuetype": {"name": "Task"}, "summary": "New", "duedate": "2026-04-01"}
BULK = {
    "selectedIssueIdsOrKeys": ["PAY-4", "PAY-5"],
    "selectedActions": ["labels"],
    "sendBulkNotification": False,
    "editedFieldsInput": {
        "labelsFields": [{"fieldId": "labels", "bulkEditMultiSelectFieldOption": "ADD", "labels": [{"name": "pmo"}]}]
    },
}


@dataclass
class Got:
    """One request that the receiver got."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found

    @property
    def name(self) -> str:
        return str(self.body["webhookEvent"])


@dataclass
class Receiver:
    """A small server that keeps what it gets; it answers the given statuses first, then 200.

    It gives a secret that it is asked to give back (`echo`), as Asana wants it.
    """

    url: str = ""
    got: list[Got] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    echo: str | None = "X-Hook-Secret"

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.got]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    receiver.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            receiver.hold.wait(10)
            receiver.got.append(Got(self.path, dict(self.headers), raw))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            if receiver.echo and self.headers.get(receiver.echo):
                self.send_header(receiver.echo, self.headers[receiver.echo])
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield receiver
    receiver.hold.set()
    server.shutdown()
    server.server_close()


@dataclass
class Desk:
    """The site with an administrator at it."""

    site: Any
    receiver: Receiver

    def ask(self, method: str, path: str, body: Any = None, who: tuple[str, str] = ROOT) -> requests.Response:
        session: requests.Session = self.site.as_user(who)
        return session.request(method, f"{self.site.url}{path}", json=body, timeout=20)

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """A call that is taken."""
        answer = self.ask(method, path, body)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def hook(self, *events: str, **more: Any) -> dict[str, Any]:
        given = {"name": "PMO", "url": self.receiver.url, "events": events or tables.FOR_ADMINS, "secret": SECRET}
        found: dict[str, Any] = self.do("POST", OLD, given | more)
        return found

    def register(self, *webhooks: dict[str, Any], kind: str = "oauth", **more: Any) -> list[dict[str, Any]]:
        """Register webhooks of an app, which the administrator's account is marked as."""
        self.site.control("POST", "jira", {"mark_app": {"account_id": "u-root", "kind": kind, **more}})
        answer = self.do("POST", DYNAMIC, {"url": self.receiver.url, "webhooks": list(webhooks)})
        found: list[dict[str, Any]] = answer["webhookRegistrationResult"]
        return found

    def wait(self) -> dict[str, Any]:
        found: dict[str, Any] = self.site.control("POST", "webhooks/wait", {"seconds": 10})
        assert found["idle"]
        return found

    def later(self, seconds: float) -> None:
        self.site.control("POST", "clock", {"advance_s": seconds})
        self.wait()

    def log(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.site.control("GET", "webhooks")["deliveries"]
        return found

    def edit(self, key: str = "PAY-3", summary: str = "Edited") -> None:
        self.do("PUT", f"/rest/api/3/issue/{key}", {"fields": {"summary": summary}})


def at_desk(site: Any, receiver: Receiver) -> Desk:
    """The site with an administrator, who may do everything in two of its projects."""
    state = site.server.app.state
    with state.transaction():
        seed.add_user(state, "u-root", "Root", ROOT[0], admin=True)
        seed.add_token(state, "u-root", ROOT[1])
        planning.add_board(state, "Payments", "PAY")
        for key in ("PAY", "OPS"):
            seed.set_role(state, key, "u-root", "admin")
    return Desk(site, receiver)


def bearer(desk: Desk, path: str, **more: Any) -> requests.Response:
    """A call as Data Center takes it: with a token of the administrator."""
    headers = {"Authorization": f"Bearer {ROOT[1]}"}
    return requests.request(more.pop("method", "GET"), f"{desk.site.url}{path}", headers=headers, timeout=10, **more)
