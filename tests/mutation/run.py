"""Breaks the cores on purpose, one small change at a time, and tells which changes no test notices.

mutmut makes the changes (mutants) and knows which tests reach which function; this script chooses which of them to
run, in which order and for how long, and counts by file. What was decided once is kept in `mutants/`, so a run that is
stopped, by the clock or by hand, goes on where it was. Run it by `make mutants`.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
MUTMUT = Path(sys.executable).with_name("mutmut")
FILES = ("plan", "judge", "judge.columns", "http", "cycle")
"""What is run, in this order. A package stands for its modules as well, as far as they are not named themselves."""
DECIDED = ("killed", "survived", "timeout", "no tests", "suspicious", "segfault")
NONE = "nothing.*"
"""A name that no mutant has: mutmut then makes the mutants, notes which test reaches what, and runs none."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs behind with it switched off
    asked = arguments()
    if mutmut("run", NONE, quiet=True) not in (0, 1):
        sys.exit("mutmut could not make the mutants: run `mutmut run` by hand to see why")
    before = statuses()
    if not before:
        sys.exit("there are no mutants: do the tests pass? Run `make test` first")
    until_s = time.monotonic() + 60 * asked.minutes
    for module in asked.modules or FILES:
        names = [name for name in before if module_of(name) == module]
        chosen = [name for name in names[:: asked.every] if wanted(before[name], again=asked.again)]
        left_s = until_s - time.monotonic()
        if chosen and left_s > 0:
            print(f"{module}: {len(chosen)} of {len(names)} mutants", flush=True)
            if mutmut("run", "--max-children", str(asked.processes), *chosen, limit_s=left_s, quiet=True):
                print(f"{module}: the tests fail without any change, or time ended before the first mutant")
    tell(statuses())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"some of: {', '.join(FILES)}; else all of them")
    parser.add_argument("--minutes", type=float, default=60, help="stop after so many, getting ready apart")
    parser.add_argument("--every", type=int, default=1, help="only each so-many-eth mutant, for a quick look")
    parser.add_argument("--again", action="store_true", help="run those again that were not killed")
    parser.add_argument("--processes", type=int, default=1, help="so many mutants at a time")
    asked = parser.parse_args()
    if unknown := set(asked.modules) - set(FILES):
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    return asked


def wanted(status: str, *, again: bool) -> bool:
    return status not in DECIDED or (again and status != "killed")


def file_of(name: str) -> str:
    """The module that a mutant changes, below `pmosync`."""
    return name.removeprefix("pmosync.").rpartition(".")[0]


def module_of(name: str) -> str:
    """The one of FILES that a mutant belongs to."""
    file = file_of(name)
    return file if file in FILES else file.partition(".")[0]


def statuses() -> dict[str, str]:
    """What became of each mutant, by name."""
    answer = subprocess.run(
        [MUTMUT, "results", "--all", "true"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    return dict(re.findall(r"^ +(\S+): (.+)$", answer.stdout, re.MULTILINE))


def mutmut(*words: str, limit_s: float | None = None, quiet: bool = False) -> int:
    """Run mutmut. At the limit it is interrupted, which it takes as a reason to keep what it has and end."""
    output = subprocess.DEVNULL if quiet else None
    with subprocess.Popen([MUTMUT, *words], cwd=ROOT, env=environment(), stdout=output, stderr=output) as running:
        try:
            return running.wait(limit_s)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            running.send_signal(signal.SIGINT)
            return running.wait()


def environment() -> dict[str, str]:
    """Without a PYTHONPATH: a folder on it that is not there yet, or that holds the real code, hides the mutants."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def tell(found: dict[str, str]) -> None:
    columns = ("mutants", "killed", "survived", "timeout", "no tests", "other", "not run")
    print("".join(f"{word:>14}" for word in ("file", *columns)))
    for file in sorted({file_of(name) for name in found}):
        counts = Counter(status for name, status in found.items() if file_of(name) == file)
        named = [counts[word] for word in columns[1:5]]
        open_ = sum(number for status, number in counts.items() if status not in DECIDED)
        total = counts.total()
        print("".join(f"{word:>14}" for word in (file, total, *named, total - sum(named) - open_, open_)))
    for name, status in sorted(found.items()):
        if status in DECIDED and status != "killed":
            print(f"{status}: {name}")
    print("`.venv/bin/mutmut show NAME` shows what was changed; docs/mutants.md says which of them are equivalent")


if __name__ == "__main__":
    main()
