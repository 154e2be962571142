"""Peak memory of a first pull of 5,000 and of 50,000 issues, with and without histories and worklogs.

    python benchmarks/jira_memory.py [--small 5000] [--large 50000] [--write]

The large site is the real issues of two trackers and copies of them under other ids and keys; the small one is every
tenth of these. Each pull is a process of its own, which tells the most memory that it held.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from pathlib import Path

import harness
import pasts
from harness import Run, about, claim, kept, office, run, sandbox, table

MOST = 1.2
HERE = Path(__file__).parent
READS = {"issues": "", "issues, histories and worklogs": "\nread: [history, worklogs]\n"}


def grow(state: Path, count: int) -> None:
    """Copy issues, with their histories and worklogs, until there are so many."""
    database = sqlite3.connect(state)
    with database:
        (have,) = database.execute("SELECT count(*) FROM jira_issue").fetchone()
        shift = 10_000_000
        while have < count:
            some = f"(SELECT id FROM jira_issue WHERE id < 10000000 ORDER BY id LIMIT {count - have})"
            key = f"substr(key, 1, instr(key, '-')) || (number + {shift})"
            _copy(database, "jira_issue", some, {"id": f"id + {shift}", "key": key, "number": f"number + {shift}"})
            for table_name in ("jira_history", "jira_worklog"):
                last = f"(SELECT max(id) FROM {table_name})"
                moved = {"id": f"id + {last}", "issue_id": f"issue_id + {shift}"}
                _copy(database, table_name, some, moved, "issue_id")
            (have,) = database.execute("SELECT count(*) FROM jira_issue").fetchone()
            shift += 10_000_000
    database.close()


def _copy(database: sqlite3.Connection, name: str, ids: str, changed: dict[str, str], of: str = "id") -> None:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
    chosen = ", ".join(changed.get(column, column) for column in columns)
    database.execute(f"INSERT INTO {name} SELECT {chosen} FROM {name} WHERE {of} IN {ids}")


def measure(place: Path, state: Path, count: int) -> dict[str, Run]:
    """One first pull for each thing to read."""
    found = {}
    with sandbox(state=state) as served:
        for name, more in READS.items():
            here = place / f"{count} {name}"
            office(here, served.url, more)
            found[name] = run(here, [sys.executable, HERE / "ours.py", here])
            if found[name].code:
                raise SystemExit(f"the pull ended with {found[name].code}: {found[name].errors[-2000:]}")
    return found


def report(found: dict[int, dict[str, Run]]) -> str:
    """The table, and whether the claim held."""
    small, large = sorted(found)
    rows, claims = [], []
    for name in READS:
        peaks = [found[count][name].told["peak_mb"] for count in (small, large)]
        base = found[large][name].told["imported_mb"]
        ratio = peaks[1] / peaks[0]
        rows.append([
            name, f"{base:.0f}", f"{peaks[0]:.0f}", f"{peaks[1]:.0f}", f"{ratio:.2f}",
            f"{1024 * (peaks[1] - peaks[0]) / (large - small):.2f}",
        ])  # fmt: skip
        claims.append(claim(f"{name}: peak memory grows at most {MOST:g} times: {ratio:.2f}", ratio <= MOST))
    counts = [found[count]["issues"].told["issues"] for count in (small, large)]
    heads = [
        "read",
        "MB before the pull",
        *(f"peak MB, {count} issues" for count in counts),
        "ratio",
        "KB per issue more",
    ]
    return "\n".join([table(heads, rows), "", *claims])


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=5_000)
    parser.add_argument("--large", type=int, default=50_000)
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    options = parser.parse_args()
    folder = harness.shared_data()
    if folder is None:
        print("skipped: the trackers' exports are not beside the project (../shared/data/jira)")
        return 0
    found = {}
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        kept(place / "state.db", *(folder / name for name in harness.TRACKERS))
        pasts.add(place / "state.db")
        grow(place / "state.db", options.large)
        found[options.large] = measure(place, place / "state.db", options.large)
        pasts.thin(place / "state.db", options.small)
        found[options.small] = measure(place, place / "state.db", options.small)
    text = f"`python benchmarks/jira_memory.py --write`: {about('sqlalchemy', 'orjson')}.\n\n{report(found)}"
    print(f"## Peak memory of a first pull\n\n{text}")
    if options.write:
        harness.write("Peak memory of a first pull", text)
    return 1 if "does not hold" in text else 0


if __name__ == "__main__":
    sys.exit(main())
