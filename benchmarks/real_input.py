"""Two real public trackers, 26,071 issues, through the whole cycle: pull, judge, push, and a second run.

    python benchmarks/real_input.py [--write]

Starts the sandbox with the exports, runs the command line as an operator would, counts the source files with code that
shares nothing with pmosync, and compares. With --write the figures go into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import harness
from harness import SITE, TRACKERS, office, pmosync, sandbox, shared_data

from pmosync.store.tables import place_of

TITLE = "Real input: 26,071 issues of two public trackers"


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
        part, mask, shift = place_of(bit)
        kinds = connection.execute(
            f"SELECT ({mask} >> ?) & 3, count(*) FROM verdict WHERE part = ? AND subject = "
            "(CASE WHEN ? IN ('GOV603', 'PRT906') THEN 'project' ELSE 'task' END) GROUP BY 1",
            (shift, part, standard),
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
    exports = [folder / name for name in TRACKERS]
    with tempfile.TemporaryDirectory() as place, sandbox(*exports) as served:
        here = Path(place)
        office(here, served.url)
        runs = {
            "first plan (pull, judge)": pmosync(here, "plan", "--full"),
            "sync (push)": pmosync(here, "sync"),
            "sync again": pmosync(here, "sync"),
            "reconcile": pmosync(here, "reconcile"),
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
    lines = [f"`python benchmarks/real_input.py --write`: {harness.about()}, which sandbox and client share.", ""]
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
    print(f"## {TITLE}\n\n{text}")
    if arguments.write:
        harness.write(TITLE, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
