"""The command line in this process: a folder with a configuration for the sandbox, and what a run printed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pmosync.cli import main, terminal

MAPPINGS = Path(__file__).parents[2] / "mappings"

CONFIG = """\
organisation: Acme
timezone: Europe/Berlin
profile: controlling
push: {push}
sites:
  acme-jira:
    connector: jira
    base_url: {url}
    auth: {{user: pmo-bot@acme.example, token: env:ACME_JIRA_TOKEN}}
    limits: {{per_second: 100, writes_in_flight: 16}}
    mapping: mappings/acme-jira.yaml
  acme-asana:
    connector: asana
    base_url: {url}/api/1.0
    auth: {{token: env:ACME_ASANA_TOKEN}}
    mapping: mappings/acme-asana.yaml
"""


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def terminal_of_80(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal of 80 columns, none of the developer's settings, and logging as it was afterwards."""
    log = logging.getLogger("pmosync")
    handlers, level = list(log.handlers), log.level
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("PMOSYNC_CONFIG", raising=False)
    terminal.out.cache_clear()
    terminal.err.cache_clear()
    yield
    log.handlers[:] = handlers
    log.setLevel(level)
    terminal.out.cache_clear()
    terminal.err.cache_clear()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line in the current folder."""

    def command(*line: str) -> Ran:
        capsys.readouterr()
        code = main(list(line))
        caught = capsys.readouterr()
        return Ran(code, caught.out, caught.err)

    return command


def write_config(folder: Path, url: str, *, push: str = "on", more: str = "") -> None:
    """A configuration with the mappings that are shipped."""
    (folder / "mappings").mkdir(exist_ok=True)
    for name, shipped in (("acme-jira", "jira-cloud"), ("acme-asana", "asana")):
        (folder / f"mappings/{name}.yaml").write_text((MAPPINGS / f"{shipped}.yaml").read_text("utf-8"), "utf-8")
    (folder / "pmosync.yaml").write_text(CONFIG.format(url=url, push=push) + more, "utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the commands run in, with the sandbox's tokens in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACME_JIRA_TOKEN", "sandbox-jira-token")
    monkeypatch.setenv("ACME_ASANA_TOKEN", "sandbox-asana-token")
    return tmp_path
