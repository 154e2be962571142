"""Requests of Asana, as the sandbox counts them: what a first pull, a quiet cycle, an edit and flags cost.

    python benchmarks/asana_requests.py [reads] [flags] [rivals] [--small] [--environments DIR] [--write]

* reads: a first pull of 100 projects with 10,000 tasks, of which 3,000 are subtasks; a cycle in which nothing moved;
  the one that asks what is asked once an hour; one subtask that somebody changed, on the first level and on the fifth;
  and a reconcile.
* flags: 1,000 flags in the same words (a field and a text field each), then cycles that have nothing to write.
* rivals: the same workspace through other people's readers of Asana, in turns, through the same https door.

Asana counts the actions of a batch one by one, and so does the first number; the second counts the requests that went
over the wire.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asana_made
import asana_rivals
import harness
from asana_made import Made
from asana_rivals import Brought, Reader
from harness import Run, Sandbox, about, claim, pmosync, run, sandbox, table

HERE = Path(__file__).parent
MOST_TRIPS = 500
PER_PROJECT = 8
MOST_BEYOND = 3
MOST_FLAG_TRIPS = 115
Counts = dict[str, dict[str, Any]]


def step(place: Path, served: Sandbox, counts: Counts, name: str, *arguments: str) -> Run:
    """One command, and what it asked."""
    served.forget()
    found = pmosync(place, *arguments)
    counts[name] = served.counted()
    if found.code:
        raise SystemExit(f"{name}: pmosync {' '.join(arguments)} ended with {found.code}: {found.told} {found.errors}")
    return found


# --- reads ------------------------------------------------------------------------------------------------------------


def reads(place: Path, state: Path, made: Made) -> str:
    """A first pull, quiet cycles, an edit of a subtask near the root and of one far from it, and a reconcile."""
    counts: Counts = {}
    with sandbox(state=state) as served:
        here = place / "reads"
        asana_made.office(here, served.url, asana_made.only(made.unowned[0]), push=True)
        step(here, served, counts, "first pull", "plan", "--full")
        step(here, served, counts, "next cycle", "sync")  # makes our fields, for the flags that come
        step(here, served, counts, "quiet cycle", "sync")
        step(here, served, counts, "quiet check", "check")
        _an_hour_later(here / "pmosync.db")
        step(here, served, counts, "once an hour", "sync")
        for name, gid in (("subtask changed", made.subtasks[0][0]), ("deepest changed", made.subtasks[-1][0])):
            edit(served, gid, {"name": f"{name} by somebody"})
            step(here, served, counts, name, "sync")
        step(here, served, counts, "reconcile", "reconcile")
    first, quiet = counts["first pull"], counts["quiet cycle"]["total"]
    most = made.parents + PER_PROJECT * len(made.projects)
    near, deep = (counts[name]["total"] - quiet for name in ("subtask changed", "deepest changed"))
    writes = sum(counts[name]["writes"] for name in counts if name != "next cycle")
    return "\n".join([
        f"Reading {made.told()}:", "", by_endpoint(counts), "",
        claim(f"first pull in at most {MOST_TRIPS} round trips: {first['round_trips']}",
              first["round_trips"] <= MOST_TRIPS),
        claim(f"first pull in at most {most} counted actions (tasks with subtasks, and {PER_PROJECT} a project):"
              f" {first['total']}", first["total"] <= most),
        claim(f"quiet cycle in at most {len(made.projects) + 1} counted actions: {quiet} in"
              f" {counts['quiet cycle']['round_trips']} round trips", quiet <= len(made.projects) + 1),
        claim(f"one changed subtask in at most {MOST_BEYOND} more: {near}; on the fifth level: {deep}",
              max(near, deep) <= MOST_BEYOND),
        claim(f"none but the one with the first flag writes: {writes}", writes == 0),
    ])  # fmt: skip


def _an_hour_later(store: Path) -> None:
    """Let the next cycle be one that asks what is asked once an hour."""
    database = sqlite3.connect(store)
    ((cursor,),) = database.execute("SELECT cursor FROM site")
    told = json.loads(cursor)
    told["looked_at"] = (dt.datetime.fromisoformat(told["looked_at"]) - dt.timedelta(hours=2)).isoformat()
    database.execute("UPDATE site SET cursor = ?", (json.dumps(told),))
    database.commit()
    database.close()


def edit(served: Sandbox, gid: str, values: Mapping[str, Any], person: int = 1) -> None:
    """What somebody does to a task."""
    request = urllib.request.Request(
        f"{served.url}/api/1.0/tasks/{gid}",
        method="PUT",
        data=json.dumps({"data": values}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {asana_made.PERSON.format(person)}"},
    )
    with urllib.request.urlopen(request):
        pass


# --- flags ------------------------------------------------------------------------------------------------------------


def flags(place: Path, state: Path, made: Made, count: int) -> str:
    """So many flags in the same words, where our fields are offered already; and cycles after it."""
    counts: Counts = {}
    with sandbox(state=state) as served:
        here = place / "flags"
        asana_made.office(here, served.url, asana_made.only(made.unowned[0]), push=True)
        step(here, served, counts, "one flag", "sync")
        asana_made.ask(here, asana_made.OWNER)
        step(here, served, counts, f"{count} flags", "sync")
        step(here, served, counts, "sync again", "sync")
        step(here, served, counts, "reconcile", "reconcile")
        step(here, served, counts, "reconcile again", "reconcile")
    flagged, shapes = _flagged(state)
    trips = counts[f"{count} flags"]["round_trips"]
    later = sum(counts[name]["writes"] for name in ("sync again", "reconcile", "reconcile again"))
    what = (
        f"{flagged - 1} more flags of {shapes} shape in at most {MOST_FLAG_TRIPS} requests, the reads of the cycle too"
    )
    right = flagged == count + 1 and shapes == 1
    head = (
        f"Writing {count} flags (a field and a text field each), after a sync with one such flag that made the fields"
    )
    return "\n".join([
        f"{head} and offered them to {len(made.projects)} projects:", "", by_endpoint(counts), "",
        claim(f"{what}: {trips}", right and trips <= MOST_FLAG_TRIPS),
        claim(f"later cycles write nothing: {later}", later == 0),
    ])  # fmt: skip


def _flagged(state: Path) -> tuple[int, int]:
    """How many tasks have both our fields filled, and how many different pairs of values there are."""
    database = sqlite3.connect(state)
    found = database.execute(
        "SELECT v.item, group_concat(v.value, ' / ') FROM (SELECT v.* FROM asana_value v JOIN asana_field f"
        " ON f.gid = v.field WHERE f.name IN ('PMO compliance', 'PMO reasons') ORDER BY v.field) v"
        " GROUP BY v.item HAVING count(*) = 2"
    ).fetchall()
    database.close()
    return len(found), len({values for _, values in found})


# --- rivals -----------------------------------------------------------------------------------------------------------


@dataclass
class Measured:
    """What one client cost and brought, first and after somebody renamed a subtask."""

    first: list[Run] = field(default_factory=list)
    again: list[Run] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)
    asked_again: dict[str, Any] = field(default_factory=dict)
    brought: Brought = field(default_factory=lambda: Brought(0, {}))
    saw: str = ""


def rivals(place: Path, state: Path, made: Made, runs: int, environments: Path) -> str:
    """Each in turns through the same door: what it asked, and what it brought of what there is."""
    found: dict[str, Measured] = {}
    ready = [
        (rival, asana_rivals.installed(rival.package, rival.version, environments)) for rival in asana_rivals.RIVALS
    ]
    with sandbox(state=state) as served, asana_rivals.door(place, served.url) as (address, certificate):
        for _, environment in ready:
            asana_rivals.lead_to(environment, certificate)
        for number in range(runs):
            readers: dict[str, Reader | Ours] = {"pmosync": Ours(place / f"ours{number}", address, certificate)}
            for rival, environment in ready:
                folder = place / f"{rival.package}{number}"
                readers[f"{rival.package} {rival.version}"] = Reader(rival, environment, folder, address, certificate)
            for name, reader in readers.items():
                _measure(found.setdefault(name, Measured()), served, reader, made, f"{number} for {name}")
    return _report_rivals(made, found)


def _measure(told: Measured, served: Sandbox, reader: Reader | Ours, made: Made, name: str) -> None:
    served.forget()
    one, told.brought = reader.first()
    told.first.append(one)
    told.asked = served.counted()
    subtask = made.subtasks[1][0]
    edit(served, subtask, {"name": name})
    served.forget()
    one, brought = reader.again()
    told.again.append(one)
    told.asked_again = served.counted()
    told.saw = "yes" if brought.names.get(subtask) == name else "no"


class Ours:
    """pmosync's pull through the same door."""

    def __init__(self, folder: Path, address: str, certificate: Path) -> None:
        asana_made.office(folder, f"https://{address}")
        self.folder, self.trusted = folder, {"REQUESTS_CA_BUNDLE": str(certificate)}

    def first(self) -> tuple[Run, Brought]:
        """A first pull, and what the store holds then."""
        return self._pull()

    def again(self) -> tuple[Run, Brought]:
        """The next one, and what the store holds then."""
        return self._pull("--again")

    def _pull(self, *more: str) -> tuple[Run, Brought]:
        found = run(self.folder, [sys.executable, HERE / "ours.py", self.folder, *more], self.trusted)
        if found.code:
            raise SystemExit(f"pmosync ended with {found.code}: {found.errors[-2000:]}")
        database = sqlite3.connect(self.folder / "pmosync.db")
        rows = database.execute("SELECT rid, body FROM record WHERE kind = 'task' AND gone = 0").fetchall()
        database.close()
        return found, Brought(len(rows), {gid: json.loads(body)["name"] for gid, body in rows})


def _report_rivals(made: Made, found: Mapping[str, Measured]) -> str:
    roots, below = set(made.tasks), {gid for level in made.subtasks for gid in level}
    first, again = [], []
    for name, one in found.items():
        gids = one.brought.names.keys()
        kept = [f"{len(gids & roots)} of {len(roots)}", f"{len(gids & below)} of {len(below)}", one.brought.printed]
        first.append([name, *kept, *_costs(one.asked, one.first)])
        again.append([name, one.saw, *_costs(one.asked_again, one.again)])
    costs = ["counted actions", "round trips", "seconds", "CPU s", "peak MB"]
    times = len(found["pmosync"].first)
    lines = [
        f"The same workspace through other people's readers; whole processes in turns, {times} times:", "",
        table(["first pull", "tasks", "subtasks", "records", *costs], first), "",
        "Then somebody renames a subtask of a subtask:", "",
        table(["next pull", "sees it", *costs], again), "", "What each asked at first:", "",
    ]  # fmt: skip
    for name, one in found.items():
        calls = sorted(one.asked["by_endpoint"].items())
        lines.append(f"- {name}: " + ", ".join(f"`{endpoint}` {count}" for endpoint, count in calls))
    ours = found["pmosync"]
    whole = ours.brought.names.keys() == roots | below and ours.saw == "yes"
    said = "pmosync brings every task and subtask and nothing else, and sees the change"
    return "\n".join([*lines, "", claim(said, whole)])


def _costs(asked: Mapping[str, Any], runs: Sequence[Run]) -> list[object]:
    middle = [statistics.median(each) for each in zip(*((r.seconds, r.cpu_s, r.peak_mb) for r in runs), strict=True)]
    return [asked["total"], asked["round_trips"], f"{middle[0]:.1f}", f"{middle[1]:.1f}", f"{middle[2]:.0f}"]


# --- the report -------------------------------------------------------------------------------------------------------


def by_endpoint(counts: Counts) -> str:
    """A table of calls; then the sums as Asana counts them, as they went over the wire, and the writes."""
    names = sorted({name for report in counts.values() for name in report["by_endpoint"]})
    rows: list[list[object]] = [
        [f"`{name}`", *(report["by_endpoint"].get(name, 0) or "" for report in counts.values())] for name in names
    ]
    for title, key in (
        ("**counted actions**", "total"), ("**round trips**", "round_trips"), ("writes among the actions", "writes"),
    ):  # fmt: skip
        rows.append([title, *(report[key] for report in counts.values())])
    return table(["endpoint", *counts], rows)


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], "reads", "flags", "rivals"], default=[])
    parser.add_argument("--small", action="store_true", help="a tenth of everything, for a quick look")
    parser.add_argument("--rival-runs", type=int, default=1)
    parser.add_argument("--environments", type=Path, help="where the rivals are installed, to use them again")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    options = parser.parse_args()
    wanted = options.parts or ["reads", "flags", "rivals"]
    share = 10 if options.small else 1
    os.environ["MADE_TOKEN"] = asana_made.BOT
    texts = []
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        for part in wanted:  # each begins with the same workspace, untouched
            state, count = place / f"{part}.db", 1000 // share
            made = asana_made.site(
                state, projects=100 // share, tasks=10_000 // share, subtasks=3_000 // share, unowned=count + 1
            )
            if part == "reads":
                texts.append(reads(place, state, made))
            elif part == "flags":
                texts.append(flags(place, state, made, count))
            else:
                environments = (options.environments or place / "environments").resolve()
                texts.append(rivals(place, state, made, options.rival_runs, environments))
    text = "\n\n".join([f"`python benchmarks/asana_requests.py --write`: {about('requests', 'asana')}.", *texts])
    print(f"## Requests of Asana\n\n{text}")
    if options.write:
        harness.write("Requests of Asana", text)
    return 1 if "does not hold" in text else 0


if __name__ == "__main__":
    sys.exit(main())
