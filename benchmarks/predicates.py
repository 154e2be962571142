"""40,000 random predicates on 400 edge-case rows of each subject: the same three-valued answers everywhere?

    python benchmarks/predicates.py [--write] [--seed 20261120] [--predicates 40000]

Each is asked of SQLite, of PostgreSQL where it is installed, and of the plain reading of the language in
tests/standards/reading.py. The predicates are about every field of the model, and are the same for the same seed; the
first one about which two of the three disagree is printed with its row, and ends the run.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack

import harness
from harness import about, claim, table
from sqlalchemy import Engine, text

from pmosync.model import FIELDS

sys.path.insert(0, str(harness.ROOT))

from tests.standards import edges, postgres

ROWS = 400


def main() -> int:
    """Compare and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--seed", type=int, default=20_261_120)
    parser.add_argument("--predicates", type=int, default=40_002)
    options = parser.parse_args()
    begin, cpu = time.monotonic(), time.process_time()
    with ExitStack() as stack:
        engines = [edges.sqlite()]
        if postgres.programs():
            engines.append(stack.enter_context(postgres.cluster()))
        else:
            print(postgres.ABSENT)
        names = [_name(engine) for engine in engines]
        try:
            told = edges.compare(engines, options.seed, options.predicates, ROWS)
        except AssertionError as disagreement:
            print(f"seed {options.seed}: {disagreement}")
            return 1
    answers = [f"{said}: {told[value]:,}" for said, value in (("yes", True), ("no", False), ("unknown", None))]
    rows = [(", ".join([*names, "plain Python"]), f"{sum(told.values()):,}", ", ".join(answers), 0)]
    heads = ["asked", "answers of each", "of them", "differ"]
    asked = sum(told.values()) // ROWS  # as many for each kind of subject
    said = f"{asked:,} random predicates about {', '.join(FIELDS)}, on {ROWS} edge-case rows of each"
    took = f"{time.monotonic() - begin:.0f} s, of which {time.process_time() - cpu:.0f} s in Python and SQLite"
    lines = [table(heads, rows), "", claim(f"{said}: the same answers everywhere ({took})", True)]
    told_by = f"`python benchmarks/predicates.py --write`, seed {options.seed}: {about('sqlalchemy')}."
    report = "\n".join([told_by, "", *lines])
    print(f"## Predicates\n\n{report}")
    if options.write:
        harness.write("Predicates", report)
    return 0


def _name(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return "SQLite"
    with engine.connect() as connection:
        return f"PostgreSQL {str(connection.scalar(text('SHOW server_version'))).split()[0]}"


if __name__ == "__main__":
    sys.exit(main())
