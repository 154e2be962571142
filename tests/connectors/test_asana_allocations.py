"""Time of people that is promised to Asana's projects: one list tells all of it, or says why it does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from tests.connectors.asana_small import WORKSPACE, Small, fields_that, small

from pmosync.contract import Duration, Person, Reference
from pmosync.sandbox.asana import planseed, seed
from pmosync_asana.pulling import allocations as module
from pmosync_asana.pulling.allocations import allocations

FROM, TO = dt.date(2026, 3, 2), dt.date(2026, 3, 27)


@pytest.fixture(scope="module")
def running() -> Iterator[Small]:
    with small() as started:
        yield started


@pytest.fixture
def asana(running: Small) -> Small:
    running.begin_again()
    return running


def promise(asana: Small, assignee: str, project: str = "", **effort: object) -> str:
    return str(asana.have(planseed.add_allocation, project or asana.gids["project"], assignee, FROM, TO, **effort))


def test_a_share_a_number_of_hours_and_a_placeholder_come_as_what_they_are(asana: Small) -> None:
    project, ann = asana.gids["project"], asana.gids["ann"]
    half = promise(asana, ann, effort_type="percent", effort=50)
    hours = promise(asana, ann, effort_type="hours", effort=12)
    nobody = promise(asana, asana.have(planseed.add_placeholder, "A tester"), effort_type=None, effort=None)
    asana.forget()
    batch = allocations(asana.api, WORKSPACE, [project])
    assert asana.asked() == {"/allocations": 1, "trips": 1}
    assert (batch.scopes, batch.state, batch.kinds) == (("allocations",), "complete", ("allocation",))
    assert set(batch.census) == {half, hours, nobody}
    found = {record.id: record.values for record in batch.records}
    assert found[half] == {
        "project": Reference("project", project), "person": Person(ann), "start_on": FROM, "end_on": TO,
        "share": 0.5, "weekly": None,
    }  # fmt: skip
    assert (found[hours]["share"], found[hours]["weekly"]) == (None, Duration(12 * 3600.0))
    assert [found[nobody][name] for name in ("person", "share", "weekly")] == [None, None, None]


def test_only_what_is_promised_to_projects_in_scope_counts(asana: Small) -> None:
    other = asana.have(seed.add_project, "Other", asana.gids["ann"], created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    kept = promise(asana, asana.gids["ann"])
    promise(asana, asana.gids["ann"], other)
    batch = allocations(asana.api, WORKSPACE, [asana.gids["project"]])
    assert [record.id for record in batch.records] == list(batch.census) == [kept]


def test_the_version_moves_with_the_promise_and_what_was_taken_back_is_in_no_census(asana: Small) -> None:
    gids = [promise(asana, asana.gids["ann"], effort=effort) for effort in (10, 20)]
    before = {
        record.id: record.version for record in allocations(asana.api, WORKSPACE, [asana.gids["project"]]).records
    }
    asana.site.call("PUT", f"/allocations/{gids[0]}", "ann", data={"effort": {"type": "percent", "value": 15}})
    asana.site.call("DELETE", f"/allocations/{gids[1]}", "ann")
    (after,) = allocations(asana.api, WORKSPACE, [asana.gids["project"]]).records
    assert (after.id, after.values["share"]) == (gids[0], 0.15)
    assert after.version != before[after.id]


def test_a_list_is_read_to_its_end(asana: Small) -> None:
    for _ in range(103):
        promise(asana, asana.gids["ann"])
    assert len(allocations(asana.api, WORKSPACE, [asana.gids["project"]]).records) == 103


def test_where_asana_wants_a_project_named_the_projects_are_asked_one_by_one(asana: Small) -> None:
    kept = [promise(asana, asana.gids["ann"]) for _ in range(2)]
    refusal = {"kind": "status", "status": 400, "match": {"path": "/allocations$"}, "times": 1}
    asana.site.control("POST", "faults", [refusal])
    batch = allocations(asana.api, WORKSPACE, [asana.gids["project"]])
    assert (batch.state, sorted(batch.census)) == ("complete", sorted(kept))


@pytest.mark.parametrize(("status", "words"), [(402, "it takes a higher plan"), (403, "let the account see")])
def test_what_a_plan_or_a_right_hides_is_unobserved_with_the_next_step(asana: Small, status: int, words: str) -> None:
    promise(asana, asana.gids["ann"])
    asana.lack(allocations="no") if status == 402 else asana.fail(status, "/allocations")
    batch = allocations(asana.api, WORKSPACE, [asana.gids["project"]])
    assert (batch.scopes, batch.state, batch.records) == (("allocations",), "unobserved", ())
    assert words in batch.why
    assert "take `allocations` out of `read`" in batch.why.replace("Take", "take")


def test_the_fields_of_allocations_are_those_of_the_vendors_document() -> None:
    assert fields_that("/allocations", module.FIELDS) == set()
