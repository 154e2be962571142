"""Requests, as the sandbox counts them: what a first pull, a quiet cycle, flags and comments cost.

    python benchmarks/jira_requests.py [reads] [flags] [comments] [--flags 1000] [--comments 10000] [--write]

* reads: the real issues of two trackers with histories and worklogs; then a cycle in which nothing moved.
* flags: so many flags that are all alike, and so many of which no two are; then a cycle that has nothing to write.
* comments: a comment on each of so many issues, while connections break before and after the comment was made, and
  the server fails and asks to wait; runs follow until one has nothing to write.

Polls of asynchronous tasks are reads and are shown apart.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
import made
import pasts
from harness import Run, Sandbox, about, claim, kept, office, pmosync, sandbox, table

EVERYTHING = "issues, histories, worklogs"
READS = "\nread: [history, worklogs]\n"
POLLS = ("GET /rest/api/3/bulk/queue/{taskId}", "GET /rest/api/3/task/{taskId}")
MOST_READS, QUIET = 500, 2
MOST_ALIKE, MOST_DIFFERENT = 2, 20
MOST_ROUNDS = 12
Counts = dict[str, dict[str, int]]


def step(place: Path, served: Sandbox, counts: Counts, name: str, *arguments: str, codes: Sequence[int] = (0,)) -> Run:
    """One command, and what it asked."""
    served.forget()
    found = pmosync(place, *arguments)
    counts[name] = served.requests()
    if found.code not in codes:
        raise SystemExit(f"{name}: pmosync {' '.join(arguments)} ended with {found.code}: {found.told} {found.errors}")
    return found


# --- reads ------------------------------------------------------------------------------------------------------------


def reads(place: Path, folder: Path) -> str:
    """A first pull with everything, and quiet cycles after it."""
    counts: Counts = {}
    kept(place / "real.db", *(folder / name for name in harness.TRACKERS))
    added = pasts.add(place / "real.db")
    with sandbox(state=place / "real.db") as served:
        for name, more in (("issues", ""), (EVERYTHING, READS)):
            office(place / name, served.url, more)
            step(place / name, served, counts, f"first pull: {name}", "plan", "--full")
            step(place / name, served, counts, f"next cycle: {name}", "check")
            step(place / name, served, counts, f"quiet cycle: {name}", "check")
    first, quiet = (sum(counts[f"{what}: {EVERYTHING}"].values()) for what in ("first pull", "quiet cycle"))
    plain = sum(counts["quiet cycle: issues"].values())
    made_up = ", ".join(f"{count} {name}" for name, count in added.items())
    return "\n".join([
        f"Reading (the exports of two public trackers; made from their own dates: {made_up}):", "",
        _by_endpoint(counts), "",
        claim(f"first pull with histories and worklogs in at most {MOST_READS} requests: {first}", first <= MOST_READS),
        claim(f"quiet cycle in {QUIET}: {plain}; with histories and worklogs {quiet}", max(plain, quiet) <= QUIET),
    ])  # fmt: skip


# --- flags ------------------------------------------------------------------------------------------------------------


def flags(place: Path, count: int) -> str:
    """Flags that are alike, and flags that are not."""
    counts: Counts = {}
    claims: list[str] = []
    for name, different, most in (("alike", False, MOST_ALIKE), ("different", True, MOST_DIFFERENT)):
        made.site(place / f"{name}.db", count)
        with sandbox(state=place / f"{name}.db") as served:
            here = place / name
            made.office(here, served.url, different=different, slots="property, label")
            step(here, served, counts, f"{name}: plan", "plan", "--full", codes=(0, 10, 12))
            step(here, served, counts, f"{name}: sync", "sync")
            step(here, served, counts, f"{name}: sync again", "sync")
            step(here, served, counts, f"{name}: reconcile", "reconcile")
        flagged, shapes = _flagged(place / f"{name}.db")
        wrote = _writes(counts[f"{name}: sync"])
        later = _writes(counts[f"{name}: sync again"]) + _writes(counts[f"{name}: reconcile"])
        right = flagged == count and shapes == (count if different else 1)
        claims.append(
            claim(f"{flagged} flags of {shapes} shapes in at most {most} writes: {wrote}", right and wrote <= most)
        )
        claims.append(claim(f"later cycles write nothing: {later}", later == 0))
    return "\n".join([f"Writing {count} flags (a property and a label each):", "", _by_endpoint(counts), "", *claims])


def _flagged(state: Path) -> tuple[int, int]:
    """How many issues have our property, and how many different values of it there are."""
    database = sqlite3.connect(state)
    where = "FROM jira_property WHERE entity = 'issue' AND key = 'pmosync.compliance'"
    (found,) = database.execute(f"SELECT count(*) {where}").fetchone()
    (shapes,) = database.execute(f"SELECT count(DISTINCT value) {where}").fetchone()
    database.close()
    return found, shapes


# --- comments ---------------------------------------------------------------------------------------------------------


def comments(place: Path, count: int) -> str:
    """A comment on each issue, under faults, until nothing is left to write."""
    counts: Counts = {}
    made.site(place / "comments.db", count)
    rounds = 0
    with sandbox(state=place / "comments.db") as served:
        here = place / "comments"
        made.office(here, served.url, different=False, slots="property, comment", mail="accept")
        faults = list(_faults(count))
        served.control("POST", "faults", faults)
        while True:
            rounds += 1
            step(here, served, counts, f"run {rounds}", "sync", codes=(0, 1, 11))
            if rounds == MOST_ROUNDS or not _writes(counts[f"run {rounds}"]):
                break
        served.control("DELETE", "faults")
        step(here, served, counts, "reconcile", "reconcile")
    database = sqlite3.connect(place / "comments.db")
    per_issue = Counter(n for (n,) in database.execute("SELECT count(*) FROM jira_comment GROUP BY issue_id"))
    database.close()
    told = Counter(fault["kind"] for fault in faults)
    once = per_issue == {1: count}
    silent = _writes(counts["reconcile"]) == 0 and _writes(counts[f"run {rounds}"]) == 0
    return "\n".join([
        f"{count} comments, under {len(faults)} faults ({', '.join(f'{kind} {n}' for kind, n in told.items())}):", "",
        _by_endpoint(counts), "",
        claim(f"each issue has one comment of ours, none has two: {dict(per_issue)} (comments: issues)", once),
        claim(f"after {rounds - 1} runs nothing is left to write, nor for a reconcile", silent),
    ])  # fmt: skip


def _faults(count: int) -> list[dict[str, Any]]:
    """Troubles that meet the making of comments, spread over the run."""
    kinds: list[dict[str, Any]] = [
        {"kind": "cut_after"},
        {"kind": "cut_before"},
        {"kind": "status", "status": 500},
        {"kind": "retry_after", "value": "1"},
        {"kind": "truncated"},
        {"kind": "status", "status": 503},
    ]
    match = {"tool": "jira", "method": "POST", "path": "/comment$"}
    every = max(5, count // 60)
    return [
        {**kinds[number % len(kinds)], "match": match, "after": after, "times": 1}
        for number, after in enumerate(range(every // 2, count, every))
    ]


# --- the report -------------------------------------------------------------------------------------------------------


def _writes(calls: Mapping[str, int]) -> int:
    """Calls that change something: what is no read, no question by POST and no poll."""
    asks = ("/search/jql", "/bulkfetch", "/permissions/check", "/worklog/list", "/comment/list", "/changelog/bulkfetch")
    return sum(n for name, n in calls.items() if not name.startswith("GET ") and not name.endswith(asks))


def _by_endpoint(counts: Counts) -> str:
    names = sorted({name for calls in counts.values() for name in calls})
    rows: list[list[object]] = [
        [f"`{name}`", *(calls.get(name, 0) or "" for calls in counts.values())] for name in names
    ]
    polls = [sum(calls.get(name, 0) for name in POLLS) for calls in counts.values()]
    writes = [_writes(calls) for calls in counts.values()]
    totals = [sum(calls.values()) for calls in counts.values()]
    rows.append(["**all**", *totals])
    rows.append(["of them writes", *writes])
    rows.append(["of them polls of tasks", *polls])
    return table(["endpoint", *counts], rows)


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], "reads", "flags", "comments"], default=[])
    parser.add_argument("--flags", type=int, default=1000)
    parser.add_argument("--comments", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    options = parser.parse_args()
    wanted = options.parts or ["reads", "flags", "comments"]
    texts = []
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        folder = harness.shared_data()
        if "reads" in wanted and folder is None:
            print("reads skipped: the trackers' exports are not beside the project (../shared/data/jira)")
        elif "reads" in wanted and folder:
            texts.append(reads(place, folder))
        if "flags" in wanted:
            texts.append(flags(place, options.flags))
        if "comments" in wanted:
            texts.append(comments(place, options.comments))
    text = "\n\n".join([f"`python benchmarks/jira_requests.py --write`: {about('requests')}.", *texts])
    print(f"## Requests\n\n{text}")
    if options.write:
        harness.write("Requests", text)
    return 1 if "does not hold" in text else 0


if __name__ == "__main__":
    sys.exit(main())
