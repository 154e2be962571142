"""Other people's readers of Asana, unchanged, each in an environment of its own outside the repository.

* `tap-asana` (Singer): the streams `projects`, `users`, `tasks` and `subtasks`; its own fields. It signs in by OAuth.
* `airbyte-source-asana` (Airbyte): `projects`, `users` and `tasks`, full refresh; it has no stream of subtasks.

Both have `app.asana.com` written into them. In their environments, and only there, that name leads to the door: a
`sitecustomize` answers the question for its address, and the door's certificate stands beside those that `certifi`
holds. None of their code is touched. What they print goes to a file.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rivals
import tls
from asana_made import BOT
from harness import Run, run
from rivals import SINCE, installed

__all__ = ["RIVALS", "Brought", "Reader", "Rival", "door", "installed", "lead_to"]

HOST = "app.asana.com"
DOOR = "ASANA_DOOR_PORT"
LEADS = f"""\
import os, socket

_ask = socket.getaddrinfo


def _answer(host, port, *rest, **more):
    if host in ({HOST!r}, {HOST.encode()!r}) and os.environ.get({DOOR!r}):
        host, port = "127.0.0.1", int(os.environ[{DOOR!r}])
    return _ask(host, port, *rest, **more)


socket.getaddrinfo = _answer
"""
WANTED = ("projects", "users", "tasks", "subtasks")


@dataclass(frozen=True)
class Rival:
    """A program, and how it is asked for the tasks of a workspace."""

    package: str
    version: str
    prepare: Callable[[Path, Path, dict[str, str]], list[str]]
    """(environment, folder, variables) -> command; writes its files into the folder."""
    task: Callable[[dict[str, Any]], dict[str, Any] | None]
    """The task that a line it printed is about, if it is about one."""


@dataclass(frozen=True)
class Brought:
    """What a client brought of the tasks and subtasks."""

    printed: int
    """Records, with those that came twice."""
    names: Mapping[str, str]
    """By gid."""


def _tap(environment: Path, folder: Path, variables: dict[str, str]) -> list[str]:
    program, config = str(environment / "bin" / "tap-asana"), folder / "config.json"
    _write(config, {
        "start_date": SINCE, "client_id": "1", "client_secret": "secret", "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
        "refresh_token": BOT,
    })  # fmt: skip
    found = subprocess.run(
        [program, "--config", str(config), "--discover"], capture_output=True, text=True, check=True, env=variables
    )
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        stream["metadata"].append({"breadcrumb": [], "metadata": {}})
        for one in stream["metadata"]:
            if not one["breadcrumb"] or stream["tap_stream_id"] in WANTED:
                one["metadata"]["selected"] = stream["tap_stream_id"] in WANTED
    _write(folder / "catalog.json", catalog)
    return [program, "--config", str(config), "--catalog", str(folder / "catalog.json")]


def _tap_task(line: dict[str, Any]) -> dict[str, Any] | None:
    return line["record"] if line.get("type") == "RECORD" and line["stream"] in ("tasks", "subtasks") else None


def _airbyte(environment: Path, folder: Path, variables: dict[str, str]) -> list[str]:
    program, config = str(environment / "bin" / "source-asana"), folder / "config.json"
    _write(config, {"credentials": {"option_title": "PAT Credentials", "personal_access_token": BOT}})
    found = subprocess.run(
        [program, "discover", "--config", str(config)], capture_output=True, text=True, check=True, env=variables
    )
    messages = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    (catalog,) = [one["catalog"] for one in messages if one["type"] == "CATALOG"]
    asked = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in catalog["streams"]
        if stream["name"] in WANTED
    ]
    _write(folder / "catalog.json", {"streams": asked})
    return [program, "read", "--config", str(config), "--catalog", str(folder / "catalog.json")]


def _airbyte_task(line: dict[str, Any]) -> dict[str, Any] | None:
    return line["record"]["data"] if line.get("type") == "RECORD" and line["record"]["stream"] == "tasks" else None


RIVALS = (
    Rival("tap-asana", "2.5.1", _tap, _tap_task),
    Rival("airbyte-source-asana", "1.7.2", _airbyte, _airbyte_task),
)


def door(folder: Path, url: str) -> contextlib.AbstractContextManager[tuple[str, Path]]:
    """A door before a sandbox that is Asana's for them: it knows its name and answers apps that ask for a token."""
    return tls.door(folder, int(url.rpartition(":")[2]), HOST, BOT)


def lead_to(environment: Path, certificate: Path) -> None:
    """Make Asana's name lead to the door there, and the door be trusted."""
    rivals.trust(environment, certificate)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "sitecustomize.py").write_text(LEADS)


class Reader:
    """A rival that reads a workspace, once and then again."""

    def __init__(self, rival: Rival, environment: Path, folder: Path, address: str, certificate: Path) -> None:
        folder.mkdir()
        self.rival, self.folder = rival, folder
        # `requests` prefers what a machine's variables name to what `certifi` holds
        self.leading = {DOOR: address.rpartition(":")[2], "REQUESTS_CA_BUNDLE": str(certificate)}
        found = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **self.leading}
        self.command = rival.prepare(environment, folder, found)

    def first(self) -> tuple[Run, Brought]:
        """What a pull of everything cost, and what it printed."""
        return self._pull(self.command)

    def again(self) -> tuple[Run, Brought]:
        """The same for the next pull, from where the first one ended if the rival can do that."""
        state = self.folder / "state.json"
        return self._pull([*self.command, "--state", str(state)] if state.exists() else self.command)

    def _pull(self, command: list[str]) -> tuple[Run, Brought]:
        out = self.folder / "out.jsonl"
        found = run(self.folder, command, self.leading, out=out)
        if found.code:
            raise SystemExit(f"{self.rival.package} ended with {found.code}: {found.errors[-2000:]}")
        names: dict[str, str] = {}
        printed = 0
        with out.open() as lines:
            for line in lines:
                told = json.loads(line) if line.startswith("{") else {}
                if told.get("type") == "STATE" and "value" in told:
                    _write(self.folder / "state.json", told["value"])
                if task := self.rival.task(told):
                    printed += 1
                    names[task["gid"]] = task["name"]
        out.unlink()
        return found, Brought(printed, names)


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data))
