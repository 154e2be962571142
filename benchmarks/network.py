"""Time and memory of the network pass over 10,000 and over 100,000 linked tasks: it has to be linear in both.

    python benchmarks/network.py [--write]

Each project has a hundred tasks with one to three predecessors each among the ten before them, so that chains are long,
and every tenth project waits for another one. Each size is a process of its own, which tells the most memory it held.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time

import harness
from harness import about, claim, table

from pmosync.network import Work, solve

SIZES = (10_000, 100_000)
MOST = 1.6
"""How much longer a task may take among ten times as many, with what caches of the processor cost."""


def made(count: int) -> tuple[dict[int, Work], list[tuple[int, int]]]:
    """So many tasks and their links."""
    dice = random.Random(1)
    works: dict[int, Work] = {}
    links = []
    for number in range(count):
        place = number % 100
        length = dice.randint(1, 8)
        works[number] = Work(place * 2 + length, length, 260 if number // 100 % 2 else None)
        before = dice.sample(range(max(0, place - 10), place), min(place, dice.randint(1, 3)))
        links += [(number - place + one, number) for one in before]
        if place == 0 and number // 100 % 10 == 1:
            links.append((number - 1, number))
    return works, links


def measure(count: int) -> dict[str, float]:
    """The best of three passes, in this process."""
    works, links = made(count)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        network = solve(works, links)
        best = min(best, time.process_time() - begin)
    assert len(network.places) == count
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
    return {"tasks": count, "links": len(links), "cpu_s": best, "memory_mb": grown / 1024}


def report(found: list[dict[str, float]]) -> str:
    """The table, and whether the claim held."""
    costs = [one["cpu_s"] / one["tasks"] * 1e6 for one in found]
    rows = [
        (f"{one['tasks']:,}", f"{one['links']:,}", f"{one['cpu_s']:.2f}", f"{cost:.1f}", f"{one['memory_mb']:.0f}")
        for one, cost in zip(found, costs, strict=True)
    ]
    ratio = costs[-1] / costs[0]
    heads = ["linked tasks", "links", "CPU, s", "µs per task", "MB more at the peak"]
    told = f"ten times the tasks cost at most {MOST:g} times as much for each: {ratio:.2f}"
    return "\n".join([table(heads, rows), "", claim(told, ratio <= MOST)])


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
    text = f"`python benchmarks/network.py --write`: {about()}.\n\n{report(found)}"
    print(f"## The network pass\n\n{text}")
    if options.write:
        harness.write("The network pass", text)
    return 1 if "does not hold" in text else 0


if __name__ == "__main__":
    sys.exit(main())
