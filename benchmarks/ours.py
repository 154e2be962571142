"""pmosync's own pull as a process that can be measured: connector, records stored, tasks normalised, and nothing else.

    python benchmarks/ours.py FOLDER [--again] [--profile]

FOLDER holds a pmosync.yaml; with --again what changed since the last time is pulled. Prints what it used as JSON. Its
steps are those of a first cycle up to `normalise`; the account's own limits (in FOLDER) are the only thing that holds
it back.
"""

from __future__ import annotations

import cProfile
import datetime as dt
import json
import os
import pstats
import resource
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from pmosync import normalise
from pmosync.cli import spare
from pmosync.config import load
from pmosync.cycle import resolved
from pmosync.opening import ready
from pmosync.pull import pull
from pmosync.store import upsert
from pmosync.store.tables import site, task
from pmosync_jira.records import asked_fields

MB = 1024


def now() -> dt.datetime:
    """The clock."""
    return dt.datetime.now(dt.UTC)


def peak_mb() -> float:
    """The most memory that this process has held so far (`ru_maxrss` counts its parent, too)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    (line,) = [one for one in status.read_text().splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) / MB


def measure(folder: Path) -> dict[str, Any]:
    """A pull, stored and normalised."""
    os.chdir(folder)
    config = load(folder / "pmosync.yaml", os.environ)
    with ready(config, None, clock=now, watch=lambda _, one: one, warn=print, doing="benchmark") as found:
        (source,) = found.setup.sites
        again = "--again" in sys.argv
        if not again:
            source = resolved(source)  # names are looked up once in the life of a mapping, not with each pull
        imported_mb = peak_mb()
        wall_s, cpu_s = time.monotonic(), time.process_time()
        pulled = pull(found.store, source, full=not again, now=now())
        pulled_cpu_s = time.process_time() - cpu_s
        with found.store.begin() as connection:
            upsert(connection, site, [{"name": source.name}])
            normalise.normalise(connection, [source], found.setup.register, found.setup.profile)
            tasks = connection.scalar(select(func.count()).select_from(task))
        told: dict[str, Any] = {
            "issues": tasks,
            "cpu_s": time.process_time() - cpu_s,
            "wall_s": time.monotonic() - wall_s,
        }
        told |= {"pull_cpu_s": pulled_cpu_s, "imported_mb": imported_mb, "peak_mb": peak_mb()}
        if config.site(source.name).connector == "jira":
            told |= {"fields": asked_fields(source.scope())}
    if pulled.trouble or pulled.unobserved:
        raise SystemExit(f"the pull failed: {pulled.trouble} {pulled.unobserved}")
    return told


def main() -> None:
    """Measure and print; with --profile also where the time went."""
    folder = Path(sys.argv[1]).resolve()
    spare()
    if "--profile" not in sys.argv:
        print(json.dumps(measure(folder)))
        return
    profile = cProfile.Profile()
    print(json.dumps(profile.runcall(measure, folder)))
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
