"""An organisation's office for tests: a folder with configuration, mappings and register, pointing at the sandbox.

`run` starts `pmosync` as a process of its own and returns what a cron job would see: exit code, texts, and what the
servers counted. Offices are saved and put back together with the sandbox, so a test begins from a settled state in
milliseconds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import Sandbox

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
JIRA, ASANA = "acme-jira", "acme-asana"
TOKENS = {"JIRA_TOKEN": "sandbox-jira-token", "ASANA_TOKEN": "sandbox-asana-token"}
PORTFOLIO = "1201000000000001"
KILLED = -9

State = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Run:
    """What one command did."""

    code: int
    out: str
    err: str
    requests: Mapping[str, Any]
    """As the sandbox counted them: total, reads, writes, by_endpoint, by_tool, log."""
    points: Sequence[str] = ()
    """Where the run could have been killed, up to where it was."""

    @property
    def text(self) -> str:
        """Both texts with every line break as a blank, for looking for words."""
        return " ".join((self.out + "\n" + self.err).split())

    @property
    def json(self) -> Any:
        """The document of a command with --json."""
        return json.loads(self.out)

    @property
    def writes(self) -> int:
        """How many writes the servers counted."""
        return int(self.requests["writes"])

    def __str__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Forge:
    """The warm process that starts commands; `close` ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.forge"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, order: Mapping[str, Any]) -> int:
        """Run one command; its exit code, or minus the signal that ended it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the process that starts commands has ended"
        return int(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=10)


@dataclass
class Office:
    """A folder to run commands in.

    Args:
        jira: keys of the projects in scope; empty: all; None: no Jira site.
        asana: gids of the projects in scope; empty: all; None: no Asana site.
        register: the text of projects.yaml; empty: no register.
        extra: more lines for pmosync.yaml.
        site_lines: more keys of both sites, e.g. `max_wait_s: 3`.
        data_center: the Jira site is a Data Center, signed in to with a personal access token.
    """

    folder: Path
    sandbox: Sandbox
    forge: Forge
    jira: Sequence[str] | None = ()
    asana: Sequence[str] | None = ()
    profile: str = "controlling"
    push: str = "on"
    guard: str = "{max_share: 100%, max_changes: 2000}"
    register: str = ""
    extra: str = ""
    site_lines: Sequence[str] = ()
    data_center: bool = False
    environ: dict[str, str] = field(default_factory=lambda: dict(TOKENS))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.data_center:
            self.sandbox.be_data_center()
        self.write("pmosync.yaml", self._config())
        if self.jira is not None:
            self.write(f"mappings/{JIRA}.yaml", _mapping("jira-cloud.yaml", {"projects": list(self.jira)}))
        if self.asana is not None:
            scope = {"projects": list(self.asana), "portfolios": [PORTFOLIO] if not self.asana else []}
            self.write(f"mappings/{ASANA}.yaml", _mapping("asana.yaml", scope))

    # --- files ------------------------------------------------------------------------------------------------------

    def write(self, name: str, text: str) -> Path:
        """Write a file of the office."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        """A file of the office."""
        return (self.folder / name).read_text(encoding="utf-8")

    def edit(self, name: str, before: str, after: str) -> None:
        """Change a piece of a file that stands there exactly once."""
        text = self.read(name)
        assert text.count(before) == 1, f"{name} has {text.count(before)} times {before!r}"
        self.write(name, text.replace(before, after))

    def _config(self) -> str:
        lines = [
            "organisation: Acme",
            "timezone: Europe/Berlin",
            "calendar: {workdays: mon-fri, holidays: DE}",
            "store: sqlite:///pmosync.db",
            f"profile: {self.profile}",
            f"push: {self.push}",
            "sites:",
        ]
        url = self.sandbox.url
        if self.jira is not None:
            user = "" if self.data_center else "user: pmo-bot@acme.example, "
            auth = f"{{{user}token: env:JIRA_TOKEN}}"
            lines += [f"  {JIRA}:", "    connector: jira", f"    base_url: {url}", f"    auth: {auth}"]
            lines += [f"    mapping: mappings/{JIRA}.yaml", *(f"    {line}" for line in self.site_lines)]
        if self.asana is not None:
            lines += [f"  {ASANA}:", "    connector: asana", f"    base_url: {url}/api/1.0"]
            lines += ["    auth: {token: env:ASANA_TOKEN}", f"    mapping: mappings/{ASANA}.yaml"]
            lines += [f"    {line}" for line in self.site_lines]
        lines += ["standards: [starter]", f"guard: {self.guard}"]
        if self.register:
            self.write("projects.yaml", self.register)
            lines.append("register: projects.yaml")
        return "\n".join(lines) + f"\n{self.extra}"

    # --- commands ---------------------------------------------------------------------------------------------------

    def run(
        self,
        *line: str,
        environ: Mapping[str, str] | None = None,
        trace: bool = False,
        kill_at: int | None = None,
    ) -> Run:
        """Run `pmosync` with this line, at the sandbox's present instant.

        Args:
            environ: more variables.
            trace: tell the points where the run could be killed.
            kill_at: kill the process at this point of its run, counted from 1.
        """
        self.sandbox.forget_requests()
        beside = self.folder.parent / f"{self.folder.name}.run"
        beside.mkdir(exist_ok=True)
        points = beside / "points"
        points.unlink(missing_ok=True)
        watched = trace or kill_at is not None
        code = self.forge.start(
            {
                "line": [*line, "--now", self.now()],
                "folder": str(self.folder),
                "environ": {"COLUMNS": "200", **self.environ, **(environ or {})},
                "out": str(beside / "out"),
                "err": str(beside / "err"),
                "trace": str(points) if watched else "",
                "kill_at": kill_at,
            }
        )
        return Run(
            code,
            (beside / "out").read_text(encoding="utf-8"),
            (beside / "err").read_text(encoding="utf-8"),
            self.sandbox.requests(),
            points.read_text(encoding="utf-8").splitlines() if points.exists() else (),
        )

    def now(self) -> str:
        """The sandbox's present instant: both sides live in the same day, also around midnight."""
        return str(self.sandbox.control("POST", "clock", {"advance_s": 0})["now"])

    # --- beginning again --------------------------------------------------------------------------------------------

    def save(self) -> Saved:
        """Remember the folder and the sandbox as they are now."""
        number = self.sandbox.snapshot()
        copy = self.folder.parent / f"{self.folder.name}.saved{number}"
        shutil.copytree(self.folder, copy)
        return Saved(self, number, copy)


@dataclass(frozen=True)
class Saved:
    """A state of an office and its sandbox to go back to."""

    office: Office
    number: int
    copy: Path

    def restore(self) -> Office:
        """Everything as it was when it was saved, and nothing goes wrong any more."""
        self.office.sandbox.heal()
        self.office.sandbox.restore(self.number)
        if self.office.data_center:
            self.office.sandbox.be_data_center()
        shutil.rmtree(self.office.folder)
        shutil.copytree(self.copy, self.office.folder)
        return self.office


def _mapping(shipped: str, scope: Mapping[str, Sequence[str]]) -> str:
    text = (MAPPINGS / shipped).read_text(encoding="utf-8")
    assert text.count("\nscope: {}\n") == 1
    kept = {name: list(values) for name, values in scope.items() if values}
    return text.replace("\nscope: {}\n", f"\nscope: {json.dumps(kept)}\n")


def difference(one: State, other: State) -> list[str]:
    """Where two states differ, one line per row; empty when they are equal."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        left = {json.dumps(row, sort_keys=True) for row in one.get(table, [])}
        right = {json.dumps(row, sort_keys=True) for row in other.get(table, [])}
        found += [f"{table} - {row}" for row in sorted(left - right)]
        found += [f"{table} + {row}" for row in sorted(right - left)]
        if len(one.get(table, [])) != len(other.get(table, [])):
            found.append(f"{table}: {len(one.get(table, []))} rows, then {len(other.get(table, []))}")
    return found
