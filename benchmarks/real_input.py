"""Two real public trackers, 26,071 issues, through the whole cycle: pull, judge, push, and a second run.

    python benchmarks/real_input.py [--write]

Starts the sandbox with the exports, runs the command line as an operator would, counts the source files with code that
shares nothing with pmosync, and compares. With --write the figures go into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TRACKERS = {"tidev_appcelerator": "tidev", "apache_arrow": "arrow"}
SITE = "public-trackers"
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
    mapping: mappings/public-trackers.yaml
standards: [starter]
guard: {{max_share: 30%, max_changes: 5000}}
"""


@dataclass
class Run:
    """One command: what it said, how long it took, and the most memory its process held."""

    told: dict[str, Any]
    code: int
    seconds: float
    peak_mb: float


def shared_data() -> Path | None:
    """The folder of real data beside the project, where there is one."""
    folder = ROOT.parent / "shared" / "data" / "jira"
    return folder if all((folder / name).is_dir() for name in TRACKERS) else None


def counted(folder: Path) -> dict[str, dict[str, int]]:
    """Issues, open ones and open ones without assignee, straight from the source files."""
    found = {}
    for name, short in TRACKERS.items():
        numbers: Counter[str] = Counter()
        (archive,) = folder.joinpath(name).glob("*.tar.xz")
        with tarfile.open(archive) as files:
            for member in files:
                if not member.isfile():
                    continue
                file = files.extractfile(member)
                assert file is not None
                fields = json.load(file)["fields"]
                is_open = fields["status"]["statusCategory"]["key"] != "done"
                numbers["issues"] += 1
                numbers["open"] += is_open
                numbers["open without assignee"] += is_open and not fields.get("assignee")
        found[short] = dict(numbers)
    return found


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """A sandbox that serves the trackers."""
    command = [sys.executable, "-m", "pmosync.sandbox", "--port", "0"]
    for name in TRACKERS:
        command += ["--load", str(folder / name)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(timeout=20)


def office(folder: Path, url: str) -> None:
    """The files of an ordinary set-up."""
    (folder / "mappings").mkdir()
    shutil.copy(ROOT / "mappings" / "public-trackers.yaml", folder / "mappings")
    (folder / "pmosync.yaml").write_text(CONFIG.format(url=url))


def run(folder: Path, *arguments: str) -> Run:
    """One pmosync command in a process of its own."""
    environment = {**os.environ, "TRACKER_TOKEN": "sandbox-jira-token"}
    begin = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("pmosync")), *arguments, "--json"],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        out.seek(0)
        text = out.read()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(json.loads(text), process.returncode, seconds, _megabytes(usage))


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024


def judged(store: Path) -> dict[str, Any]:
    """What the store holds afterwards: tasks by tracker, verdicts by standard, blind standards."""
    connection = sqlite3.connect(store)
    tracker = "CASE WHEN key LIKE 'ARROW-%' THEN 'arrow' ELSE 'tidev' END"
    open_ = "coalesce(status, '') NOT IN ('done', 'cancelled')"
    rows = connection.execute(
        f"SELECT {tracker}, count(*), sum({open_}), sum({open_} AND assignee IS NULL) FROM task GROUP BY 1"
    )
    tasks = {name: {"issues": n, "open": o, "open without assignee": w} for name, n, o, w in rows}
    verdicts = {}
    for standard, bit in connection.execute("SELECT standard, bit FROM standard_bit ORDER BY 1").fetchall():
        kinds = connection.execute(
            "SELECT (mask >> ?) & 3, count(*) FROM verdict WHERE word = ? AND subject = "
            "(CASE WHEN ? IN ('GOV603', 'PRT906') THEN 'project' ELSE 'task' END) GROUP BY 1",
            (2 * (bit % 30), bit // 30, standard),
        )
        names = ("pass", "fail", "unknown", "out of scope")
        verdicts[standard] = {names[kind]: number for kind, number in kinds}
    blind = connection.execute(
        "SELECT b.standard, group_concat(p.key, ', '), b.fields FROM blind b JOIN project p ON p.id = b.project_id "
        "GROUP BY b.standard, b.fields ORDER BY 1"
    ).fetchall()
    gaps = dict(connection.execute("SELECT field, count(*) FROM gap GROUP BY field").fetchall())
    return {"tasks": tasks, "verdicts": verdicts, "blind": blind, "gaps": gaps}


def measure(folder: Path) -> dict[str, Any]:
    """The whole rehearsal; raises when a promise does not hold."""
    source = counted(folder)
    with tempfile.TemporaryDirectory() as place, sandbox(folder) as url:
        here = Path(place)
        office(here, url)
        runs = {
            "first plan (pull, judge)": run(here, "plan", "--full"),
            "sync (push)": run(here, "sync"),
            "sync again": run(here, "sync"),
            "reconcile": run(here, "reconcile"),
        }
        store = judged(here / "pmosync.db")
    assert store["tasks"] == source, f"lost or misread: {store['tasks']} is not {source}"
    for name, one in runs.items():
        assert one.code == 0, f"{name}: exit {one.code}: {one.told}"
    for name in ("sync again", "reconcile"):
        assert runs[name].told["sites"][SITE]["requests"]["writes"] == 0, f"{name} wrote"
    return {"source": source, "runs": runs, **store}


def report(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["## Real input: 26,071 issues of two public trackers", ""]
    lines += ["`python benchmarks/real_input.py --write` (sandbox and client share two cores)", ""]
    lines += ["| run | seconds | peak MB | reads | writes |", "|---|---|---|---|---|"]
    for name, one in found["runs"].items():
        calls = one.told["sites"][SITE]["requests"]
        lines.append(f"| {name} | {one.seconds:.1f} | {one.peak_mb:.0f} | {calls['reads']} | {calls['writes']} |")
    lines += [
        "",
        "Requests of the first plan and of the push:",
        "",
        "| endpoint | first plan | sync (push) |",
        "|---|---|---|",
    ]
    first, pushed = (
        found["runs"][name].told["sites"][SITE]["requests"]["by_endpoint"]
        for name in ("first plan (pull, judge)", "sync (push)")
    )
    lines += [f"| `{name}` | {first.get(name, 0)} | {pushed.get(name, 0)} |" for name in sorted({*first, *pushed})]
    lines += ["", "| tracker | issues | open | open without assignee |", "|---|---|---|---|"]
    lines += [f"| {name} | " + " | ".join(str(n) for n in one.values()) + " |" for name, one in found["source"].items()]
    lines += ["", "The store and an independent count of the source files agree. Gaps: "]
    lines[-1] += ", ".join(f"{name} {n}" for name, n in found["gaps"].items()) or "none."
    lines += ["", "| standard | fail | pass | unknown | out of scope |", "|---|---|---|---|---|"]
    for name, kinds in found["verdicts"].items():
        numbers = [str(kinds.get(kind, 0)) for kind in ("fail", "pass", "unknown", "out of scope")]
        lines.append(f"| {name} | {' | '.join(numbers)} |")
    lines += ["", "Blind (the projects offer no such field):", ""]
    lines += [f"- {standard} in {projects}: {fields}" for standard, projects, fields in found["blind"]]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    folder = shared_data()
    if folder is None:
        print("skipped: the trackers' exports are not beside the project (../shared/data/jira)")
        return 0
    text = report(measure(folder))
    print(text)
    if arguments.write:
        (ROOT / "benchmarks" / "RESULTS.md").write_text(
            f"# Results\n\nPython {sys.version.split()[0]}, 2 cores.\n\n{text}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
