"""Time and memory of pace, cycle times and forecasts of 20 and of 200 projects: it has to be linear in the items.

    python benchmarks/flow.py [--write]

Each project has 10,000 items, a third of them open; every tenth of the finished ones was finished in the last twelve
weeks. Each size is a process of its own, which tells the most memory it held while it filled and computed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness
from harness import about, claim, table

from pmosync import flow
from pmosync.model import BIT
from pmosync.store import Store, insert_all
from pmosync.store.tables import project, project_pace, site, task, task_project, touched

SIZES = (20, 200)
ITEMS = 10_000
TODAY = 20_700
MOST = 1.4
"""How much longer an item may take among ten times as many, with what caches of the processor cost."""


def made(number: int) -> Iterator[dict[str, Any]]:
    """The items of one project."""
    dice = random.Random(number)
    names = ("started_on", "done_on")
    for one in range(ITEMS):
        rid = str(number * ITEMS + one)
        status = "todo" if one % 3 == 0 else "in_progress" if one % 50 == 1 else "done"
        done = TODAY - dice.randint(1, 84 if one % 10 == 2 else 900) if status == "done" else None
        begun = None if status == "todo" else (done or TODAY) - dice.randint(0, 40)
        yield {
            "id": int(rid) + 1, "site": "one", "rid": rid, "key": rid, "url": "", "project_id": number, "type": "task",
            "status": status, "created_day": TODAY - 1000, "done_on": done, "started_on": begun,
            "offered": sum(BIT["task"][name] for name in names),
        }  # fmt: skip


def fill(store: Store, projects: int) -> None:
    """A store as a pull and a mapping leave it."""
    with store.begin() as connection:
        insert_all(connection, site, [{"name": "one", "today": TODAY}])
        rows = [
            {"id": number, "uid": f"p{number}", "site": "one", "key": f"P{number}", "url": ""}
            for number in range(projects)
        ]
        insert_all(connection, project, rows)
        for number in range(projects):
            items = list(made(number))
            insert_all(connection, task, items)
            insert_all(connection, task_project, [{"task_id": one["id"], "project_id": number} for one in items])
        connection.exec_driver_sql("ANALYZE")


def measure(projects: int) -> dict[str, float]:
    """A day's pass over everything, the same once more, and a pass over one project in which something moved."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "pmosync.db")
        fill(store, projects)
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times = []
        for turn in range(3):
            with store.begin() as connection:
                if turn == 2:
                    connection.execute(touched.insert(), {"subject": "project", "subject_id": 0})
                    connection.execute(task.update().where(task.c.id == 1).values(status="cancelled"))
                begin = time.process_time()
                flow.refresh(connection, everything=turn < 2)
                times.append(time.process_time() - begin)
                known = connection.execute(project_pace.select().where(project_pace.c.p85_finish_on.is_not(None))).all()
                assert len(known) == projects
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
        store.close()
    names = ("new_day_s", "again_s", "one_s")
    return {"projects": projects, **dict(zip(names, times, strict=True)), "memory_mb": grown / 1024}


def report(found: list[dict[str, float]]) -> str:
    """The table, and whether the claims held."""
    costs = [one["new_day_s"] / one["projects"] / ITEMS * 1e6 for one in found]
    rows = [
        (
            f"{one['projects']:,}", f"{one['projects'] * ITEMS:,}", f"{one['new_day_s']:.1f}", f"{cost:.1f}",
            f"{one['again_s']:.1f}", f"{one['one_s'] * 1000:.0f}", f"{one['memory_mb']:.0f}",
        )
        for one, cost in zip(found, costs, strict=True)
    ]  # fmt: skip
    heads = [
        "projects", "items", "a new day, CPU s", "µs per item", "the same day again, s", "one project, ms",
        "MB more at the peak",
    ]  # fmt: skip
    ratio, partial = costs[-1] / costs[0], found[-1]["one_s"] / found[0]["one_s"]
    told = f"ten times the projects cost at most {MOST:g} times as much for each item: {ratio:.2f}"
    flat = f"one project costs at most twice as much among ten times as many: {partial:.2f}"
    return "\n".join([table(heads, rows), "", claim(told, ratio <= MOST), claim(flat, partial <= 2)])


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.size:
        print(json.dumps(measure(options.size)))
        return 0
    found = []
    for size in SIZES:
        done = subprocess.run([sys.executable, __file__, "--size", str(size)], check=True, capture_output=True)
        found.append(json.loads(done.stdout))
    text = f"`python benchmarks/flow.py --write`: {about()}.\n\n{report(found)}"
    print(f"## Pace and forecast\n\n{text}")
    if options.write:
        harness.write("Pace and forecast", text)
    return 1 if "does not hold" in text else 0


if __name__ == "__main__":
    sys.exit(main())
