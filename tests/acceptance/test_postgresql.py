"""PostgreSQL says of a filled store what SQLite says of it: projects of both tools, every shipped standard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from pmosync.judge import FAIL, PASS, SUBJECTS, UNKNOWN, answer, everywhere
from pmosync.judge.columns import SubjectColumns
from pmosync.model import Subject
from pmosync.standards import Standard, load_packs
from pmosync.store import Store
from pmosync.store.tables import metadata
from tests.acceptance.office import TOKENS, Office
from tests.acceptance.settled import TOOLS, UNHURRIED
from tests.standards.postgres import ABSENT, REQUIRED, cluster, programs

PACKS = Path(__file__).resolve().parents[2] / "src/pmosync/standards/packs"
SHIPPED = load_packs(sorted(path.stem for path in PACKS.glob("*.yaml")), Path())
AT_ONCE = 10

Masks = dict[tuple[Subject, int], dict[str, int]]


@pytest.mark.slow
def test_the_masks_of_a_filled_store_are_the_same_in_postgresql(office: Callable[..., Office]) -> None:
    if programs() is None:
        assert not REQUIRED, ABSENT
        pytest.skip(ABSENT)
    made = office(**TOOLS["both"], push="off", environ=TOKENS | UNHURRIED)
    made.edit("pmosync.yaml", "standards: [starter]", "standards: [full, dcma-14, flow, earned-value]")
    run = made.run("reconcile")
    assert run.code == 0, run
    store = Store(made.folder / "pmosync.db")
    with store.reading() as ours, cluster() as engine:
        with engine.begin() as theirs:
            copy(ours, theirs)
        with engine.connect() as theirs:
            here, there = masks(ours), masks(theirs)
    store.close()
    assert here.keys() == there.keys()
    assert {key: (said, there[key]) for key, said in here.items() if said != there[key]} == {}
    told = Counter(bits for said in here.values() for bits in said.values())
    assert min(told[bits] for bits in (PASS, FAIL, UNKNOWN)) > 100, told


def copy(ours: Connection, theirs: Connection) -> None:
    """The same store in another database."""
    metadata.create_all(theirs)
    theirs.execute(text("SET session_replication_role = replica"))
    for table in metadata.sorted_tables:
        rows = [dict(row) for row in ours.execute(select(table)).mappings()]
        if rows:
            theirs.execute(table.insert(), rows)


def masks(connection: Connection) -> Masks:
    """The two bits of each standard, by subject."""
    found: Masks = {}
    for subject in SUBJECTS:
        columns = SubjectColumns(subject, everywhere(connection, subject))
        asked = [one for one in SHIPPED if one.subject == subject]
        for begin in range(0, len(asked), AT_ONCE):
            some: list[Standard] = asked[begin : begin + AT_ONCE]
            bits = [answer(columns, one).label(one.id) for one in some]
            for number, *said in connection.execute(select(columns.id, *bits).select_from(columns.source())):
                found.setdefault((subject, number), {}).update(
                    {one.id: bits for one, bits in zip(some, said, strict=True)}
                )
    return found
