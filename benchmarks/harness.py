"""What every benchmark needs: real trackers, a sandbox that serves them, an office set up for it, a clock for the CPU.

The sandbox is a process of its own and so is every client that is measured: what one costs is never counted for the
other. CPU time is what a process used on any core; wall-clock depends on what else the machine does.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TRACKERS = {"tidev_appcelerator": "tidev", "apache_arrow": "arrow"}
SITE = "public-trackers"
USER, TOKEN = "pmo-bot@acme.example", "sandbox-jira-token"
CONFIG = """\
organisation: Public trackers
timezone: Europe/Berlin
calendar: {{workdays: mon-fri, holidays: DE}}
store: sqlite:///pmosync.db
profile: controlling
push: on
sites:
  public-trackers:
    connector: jira
    base_url: {url}
    auth: {{user: pmo-bot@acme.example, token: env:TRACKER_TOKEN}}
    limits: {{per_second: {per_second}}}
    mapping: mappings/public-trackers.yaml
standards: [starter]
guard: {{max_share: 30%, max_changes: 5000}}
"""


def shared_data() -> Path | None:
    """The folder of real data beside the project, where there is one."""
    folder = ROOT.parent / "shared" / "data" / "jira"
    return folder if all((folder / name).is_dir() for name in TRACKERS) else None


def about(*packages: str) -> str:
    """What was measured with: versions and the machine."""
    found = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return ", ".join([f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", *found]) + (
        f"; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end"
    )


# --- the sandbox ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    url: str
    pid: int

    def control(self, method: str, name: str, body: Any = None) -> Any:
        """One call of the control API, which is never counted."""
        request = urllib.request.Request(
            f"{self.url}/__sandbox__/{name}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def requests(self) -> dict[str, int]:
        """The calls since the last `forget`, by endpoint."""
        found: dict[str, int] = self.counted()["by_endpoint"]
        return found

    def counted(self) -> dict[str, Any]:
        """All that was counted since the last `forget`: each action of a batch is a call, the batch one round trip."""
        found: dict[str, Any] = self.control("GET", "requests")
        return found

    def forget(self) -> None:
        """Count from nothing again."""
        self.control("DELETE", "requests")

    def cpu_s(self) -> float:
        """CPU seconds that the server has used so far; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def sandbox(*loads: Path, state: Path | None = None) -> Iterator[Sandbox]:
    """A sandbox that serves these exports, or what stands in a state file already."""
    command = [sys.executable, "-m", "pmosync.sandbox", "--port", "0"]
    for folder in loads:
        command += ["--load", str(folder)]
    if state:
        command += ["--state", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Sandbox(json.loads(process.stdout.readline())["url"], process.pid)
    finally:
        process.terminate()
        process.wait(timeout=60)


def kept(state: Path, *loads: Path) -> None:
    """Load exports into a state file, for sandboxes that come later and for whoever adds rows to it by hand."""
    with sandbox(*loads, state=state):
        pass


# --- the client -------------------------------------------------------------------------------------------------------


def office(folder: Path, url: str, more: str = "", per_second: float = 100.0) -> None:
    """The files of an ordinary set-up; `more` is added to the mapping."""
    (folder / "mappings").mkdir(parents=True)
    shutil.copy(ROOT / "mappings" / "public-trackers.yaml", folder / "mappings")
    with (folder / "mappings" / "public-trackers.yaml").open("a") as file:
        file.write(more)
    (folder / "pmosync.yaml").write_text(CONFIG.format(url=url, per_second=per_second))


@dataclass
class Run:
    """One command: what it said, how long it took, what it used, and the most memory its process held."""

    told: Any
    code: int
    seconds: float
    cpu_s: float
    peak_mb: float
    errors: str = ""


def run(
    folder: Path, command: Sequence[str | Path], environment: Mapping[str, str] | None = None, out: Path | None = None
) -> Run:
    """A process of its own, measured by the system; what it prints is read as JSON, or goes to a file."""
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(out.open("wb+")) if out else stack.enter_context(tempfile.TemporaryFile("wb+"))
        errors = stack.enter_context(tempfile.TemporaryFile("wb+"))
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, "TRACKER_TOKEN": TOKEN, **(environment or {})},
            stdout=file,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
        file.seek(0)
        told = None if out else json.loads(file.read() or b"null")
    return Run(told, process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)


def pmosync(folder: Path, *arguments: str) -> Run:
    """One pmosync command, as an operator gives it."""
    return run(folder, [Path(sys.executable).with_name("pmosync"), *arguments, "--json"])


# --- the report -------------------------------------------------------------------------------------------------------


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def write(title: str, text: str) -> None:
    """Put a section into RESULTS.md in place of the one with the same title."""
    path = ROOT / "benchmarks" / "RESULTS.md"
    head, *sections = path.read_text().split("\n## ")
    kept_ones = {section.partition("\n")[0]: section.partition("\n")[2].strip("\n") for section in sections}
    kept_ones[title] = text.strip("\n")
    told = [f"## {name}\n\n{body.lstrip()}" for name, body in kept_ones.items()]
    path.write_text("\n\n".join([head.strip("\n"), *told]) + "\n")


def claim(what: str, holds: bool) -> str:
    """One line that says whether a claim held."""
    return f"- {'holds' if holds else '**does not hold**'}: {what}"
