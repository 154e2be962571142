"""What judging costs: a million tasks and sixty standards, beside one statement of the same meaning written by hand.

    python benchmarks/judging.py [--write] [--tasks 1000000]

The thirty-eight standards about tasks of the shipped packs, and twenty-two more in their manner, are asked of a store
that is drawn by SQL (judging_made.py). judging.sql answers the same sixty; both are timed in turns in one process, and
their answers compared. Seconds are those of the CPU: a machine has other work to do. Memory is that of two processes on
a store without links: one makes it, derives, judges and settles all for the first time, one does it once more.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import harness
import judging_made
from harness import about, claim, table
from sqlalchemy import Connection, text

from pmosync import facts, judge, marks, settle
from pmosync.ladder import USUAL
from pmosync.standards import Standard, load_packs, parse_predicate
from pmosync.store import Store
from pmosync.store.tables import PER_MASK, place_of

ROUNDS = 3
CHANGED = 100
SLOWER, SMALLER, SMALLER_DERIVED, GROWN = 1.2, 500, 20, 1.2
STATEMENT = (Path(__file__).parent / "judging.sql").read_text()
ORDER = [line.rpartition("-- ")[2] for line in STATEMENT.splitlines() if "  -- " in line]
"""The standards in the order of the statement."""
MORE = {
    "BEN01": "due_on < start_on + 1d",
    "BEN02": "spent_h > 80 AND status = todo",
    "BEN03": "status = blocked AND priority = critical",
    "BEN04": "due_on BETWEEN today() AND today() + 2w AND status = todo",
    "BEN05": "type IN (epic, milestone) AND assignee IS EMPTY",
    "BEN06": "done_on > due_on",
    "BEN07": "done_on - start_on > 90d",
    "BEN08": "estimate_h / 8 > 10",
    "BEN09": "children > 20",
    "BEN10": "status IN (done, cancelled) AND done_on IS EMPTY",
    "BEN11": "coalesce(start_on, due_on) < 2020-01-01",
    "BEN12": "updated_at < created_at",
    "BEN13": "workdays_late BETWEEN 1 AND 5",
    "BEN14": "type != subtask AND parent IS EMPTY AND status = in_progress",
    "BEN15": "NOT (status = done OR status = cancelled) AND due_moves > 0",
    "BEN16": "reopenings > 0 AND status = done",
    "BEN17": "length(title) < 12",
    "BEN18": "priority IN (high, critical) AND due_on IS EMPTY",
    "BEN19": "spent_h > estimate_h * 2",
    "BEN20": "status = in_progress AND start_on > today()",
    "BEN21": "in_cycle = TRUE AND open_preds > 3",
    "BEN22": "resolution = 'Fixed' AND status = todo",
}
"""Predicates of standards that are shipped in no pack."""


def standards() -> list[Standard]:
    """The sixty, in the order of the statement."""
    packs = Path(judge.__file__).parent.parent / "standards" / "packs"
    shipped = {one.id: one for one in load_packs(sorted(path.stem for path in packs.glob("*.yaml")), Path())}
    like = shipped["SCH204"]
    made = {name: replace(like, id=name, when=parse_predicate(said, "task")) for name, said in MORE.items()}
    return [made[name] if name in made else shipped[name] for name in ORDER]


# --- in a process of its own ------------------------------------------------------------------------------------------


def make(path: Path, tasks: int) -> dict[str, float]:
    """A store with so many tasks, derived and judged once."""
    store = Store(path)
    judging_made.fill(store, tasks, linked=0)
    told: dict[str, float] = {}
    with store.begin() as connection:
        told["derive"] = _cpu(lambda: facts.derive(connection, everything=True, links_changed=True))
        told["first"] = _cpu(lambda: told.update(moves=_judge(connection, standards(), everything=True, settled=True)))
        connection.exec_driver_sql("ANALYZE")
    return {**told, "peak_mb": _peak_mb()}


def again(path: Path, tasks: int) -> dict[str, float]:
    """Derive and judge everything once more; the most memory that it took."""
    store = Store(path)
    with store.begin() as connection:
        told = {"derive": _cpu(lambda: facts.derive(connection, everything=True, links_changed=False))}
        told["judge"] = _cpu(lambda: _judge(connection, standards(), everything=True))
    return {**told, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def race(path: Path, tasks: int) -> dict[str, float]:
    """The judge and the statement in turns, then a hundred changed tasks."""
    store, asked = Store(path), standards()
    hand, ours = [], []
    for _ in range(ROUNDS):
        with _by_hand(store) as connection:
            hand.append(_cpu(lambda: connection.exec_driver_sql(STATEMENT)))
        with store.begin() as connection:
            ours.append(_cpu(lambda: _judge(connection, asked, everything=True)))
    with _by_hand(store) as connection:
        connection.exec_driver_sql(STATEMENT)
        differ = _differ(connection)
    judged, derived = [], []
    for number in range(2 * ROUNDS):
        with store.begin() as connection:
            _change(connection, tasks, number)
            derived.append(_cpu(lambda: facts.derive(connection, everything=False, links_changed=False)))
            judged.append(_cpu(lambda: _judge(connection, asked, everything=False)))
    both = [one + other for one, other in zip(derived, judged, strict=True)]
    ratio = sorted(one / other for one, other in zip(ours, hand, strict=True))[ROUNDS // 2]
    return {
        "hand": min(hand),
        "ours": min(ours),
        "ratio": ratio,
        "differ": differ,
        "judged": min(judged),
        "both": min(both),
    }


@contextmanager
def _by_hand(store: Store) -> Iterator[Connection]:
    with store.trial() as connection:
        connection.exec_driver_sql("CREATE TABLE by_hand (id INTEGER PRIMARY KEY, low INTEGER, high INTEGER)")
        yield connection


def _judge(connection: Connection, asked: list[Standard], *, everything: bool, settled: bool = False) -> int:
    """Judge, and turn what moved into findings where that is measured too; how many verdicts moved."""
    judged = judge.judge(connection, asked, everything=everything)
    count = 0

    def told() -> Iterator[list[settle.Moved]]:
        nonlocal count
        for some in judge.moves(connection, judged):
            count += len(some)
            yield [
                settle.Moved(one.subject, one.subject_id, one.standard, one.now == judge.FAIL, one.known)
                for one in some
            ]

    if settled:
        by_id = {one.id: one for one in asked}
        settle.settle(connection, told(), by_id, settle.Inputs(), marks.read_since, USUAL, everything=everything)
    else:
        count = sum(len(some) for some in judge.moves(connection, judged))
    judge.keep(connection, judged)
    return count


def _differ(connection: Connection) -> int:
    """How many answers of the judge are other ones than those of the statement."""
    bits = {row.standard: row.bit for row in connection.execute(text("SELECT standard, bit FROM standard_bit"))}
    found = 0
    for at, name in enumerate(ORDER):
        part, mask, shift = place_of(bits[name])
        column, here = ("low", "high")[at // PER_MASK], at % PER_MASK
        found += connection.exec_driver_sql(
            f"SELECT count(*) FROM by_hand h LEFT JOIN verdict v ON v.subject = 'task' AND v.subject_id = h.id "
            f"AND v.part = {part} WHERE (v.{mask} >> {shift} & 3) IS NOT (h.{column} >> {2 * here} & 3)"
        ).scalar_one()
    return found


def _change(connection: Connection, tasks: int, number: int) -> None:
    """A hundred tasks all over the store got another status and due date."""
    step = tasks // CHANGED
    ids = [1 + number + step * at for at in range(CHANGED)]
    rows = [(number % 7, one) for one in ids]
    connection.exec_driver_sql("UPDATE task SET status = 'in_progress', due_on = due_on + ? WHERE id = ?", rows)
    touched = "INSERT INTO touched (subject, subject_id, data, seed) VALUES ('task', ?, 1, 1)"
    connection.exec_driver_sql(touched, [(one,) for one in ids])


def _cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


# --- the report -------------------------------------------------------------------------------------------------------


def measured(what: str, path: Path, tasks: int) -> dict[str, float]:
    """What a process of its own found out."""
    command = [sys.executable, __file__, "--part", what, "--store", str(path), "--tasks", str(tasks)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def report(tasks: int, raced: dict[str, float], sizes: dict[int, tuple[dict[str, float], dict[str, float]]]) -> str:
    """The tables, and whether the claims held."""
    warm = sizes[tasks][1]
    rows = [
        ("the statement by hand", f"{raced['hand']:.2f}"),
        ("the judge", f"{raced['ours']:.2f}"),
        (f"the judge, {CHANGED} changed tasks", f"{raced['judged']:.4f}"),
        (f"deriving and judging {CHANGED} changed tasks", f"{raced['both']:.4f}"),
    ]
    held = [
        (
            f"{size:,}",
            f"{made['derive']:.1f}",
            f"{made['first']:.1f}",
            f"{made['moves']:,.0f}",
            f"{made['peak_mb']:.0f}",
            f"{again['derive']:.1f}",
            f"{again['judge']:.1f}",
            f"{again['peak_mb']:.0f}",
        )
        for size, (made, again) in sizes.items()
    ]
    full = warm["derive"] + warm["judge"]
    grown = [sizes[max(sizes)][at]["peak_mb"] / sizes[min(sizes)][at]["peak_mb"] for at in (0, 1)]
    claims = [
        claim(f"the {len(ORDER)} x {tasks:,} answers are the same: {raced['differ']:.0f} differ", not raced["differ"]),
        claim(
            f"judging everything takes at most {SLOWER:g} times what the statement takes: {raced['ratio']:.2f}, "
            f"the median of {ROUNDS} rounds in turns",
            raced["ratio"] <= SLOWER,
        ),
        claim(
            f"judging {CHANGED} changed tasks takes at most 1/{SMALLER} of it: 1/{raced['ours'] / raced['judged']:.0f}",
            raced["ours"] >= SMALLER * raced["judged"],
        ),
        claim(
            f"deriving and judging them at most 1/{SMALLER_DERIVED} of both in full: 1/{full / raced['both']:.0f}",
            full >= SMALLER_DERIVED * raced["both"],
        ),
        *(
            claim(
                f"memory is flat {when}: from {min(sizes):,} to {max(sizes):,} tasks it grows at most {GROWN:g} times: "
                f"{found:.2f}",
                found <= GROWN,
            )
            for when, found in zip(("the first time", "again"), grown, strict=True)
        ),
    ]
    heads = [
        "tasks",
        "derive, s",
        "judge and settle first, s",
        "findings then",
        "peak MB then",
        "derive again, s",
        "judge again, s",
        "peak MB again",
    ]
    return "\n".join(
        [table([f"{tasks:,} tasks, {len(ORDER)} standards", "CPU, s"], rows), "", table(heads, held), "", *claims]
    )


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        parts = {"make": make, "again": again, "race": race}
        print(json.dumps(parts[options.part](options.store, options.tasks)))
        return 0
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for tasks in (options.tasks // 10, options.tasks):
            path = Path(folder) / f"{tasks}.db"
            sizes[tasks] = measured("make", path, tasks), measured("again", path, tasks)
        raced = measured("race", path, options.tasks)
    told = f"`python benchmarks/judging.py --write`: {about('sqlalchemy')}.\n\n{report(options.tasks, raced, sizes)}"
    print(f"## Judging\n\n{told}")
    if options.write:
        harness.write("Judging", told)
    return 1 if "does not hold" in told else 0


if __name__ == "__main__":
    sys.exit(main())
