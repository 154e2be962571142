"""Time booked in Asana: which tasks are asked, what is gone, and what a plan without time tracking means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from tests.connectors.asana_small import PAST, WORKSPACE, Small, fields_that, small

from pmosync.contract import Batch, Duration, Person, Reference
from pmosync.sandbox.asana import planseed
from pmosync_asana import decode
from pmosync_asana.pulling import worklogs
from pmosync_asana.pulling.worklogs import Worklogs

ENTRIES = "/tasks/{task_gid}/time_tracking_entries"


@pytest.fixture(scope="module")
def running() -> Iterator[Small]:
    with small() as started:
        yield started


@pytest.fixture
def asana(running: Small) -> Small:
    running.begin_again()
    return running


def book(asana: Small, task: str, *minutes: int, on: str = "2026-02-03") -> list[str]:
    day = dt.date.fromisoformat(on)
    return [asana.have(planseed.add_time_entry, task, asana.gids["ann"], n, day, created_at=PAST) for n in minutes]


def pull(asana: Small, *tasks: str, whole: bool = False, proven: bool = True) -> list[Batch]:
    """One pull of these tasks: what is stored, and the batches at its end."""
    reading = Worklogs(asana.api, asana.known, WORKSPACE, whole=whole)
    records = [asana.task(gid) for gid in tasks]
    asana.forget()
    booked = reading.of(records)
    asana.keep(booked.records)
    for key in booked.gone:
        del asana.records[key]
    return list(reading.finish([asana.gids["project"]], proven=proven))


def stored(asana: Small) -> dict[str, float]:
    return {gid: record.values["spent"].seconds / 60 for (_, gid), record in asana.records.items()}  # type: ignore[union-attr]


def test_entries_come_with_their_task_their_author_and_the_day_that_they_are_for(asana: Small) -> None:
    first, second, *_ = asana.gids["tasks"]
    gids = book(asana, first, 90, 30)
    (ended,) = pull(asana, first, second, asana.gids["child"], whole=True)
    assert asana.asked() == {ENTRIES: 1, "trips": 1}, "a task without booked time is not asked"
    entry = asana.records["worklog", f"{first}/0"]
    assert entry.values == {
        "task": Reference("task", first), "author": Person(asana.gids["ann"], "Ann"),
        "started": dt.date(2026, 2, 3), "spent": Duration(5400.0),
    }  # fmt: skip
    assert (entry.key, entry.scopes) == (gids[0], ("worklogs",))
    assert (ended.state, set(ended.census)) == ("complete", {f"{first}/0", f"{first}/1"})


def test_ten_tasks_with_booked_time_cost_one_round_trip_and_the_first_of_all_one_more(asana: Small) -> None:
    tasks = [*asana.gids["tasks"], asana.gids["child"], asana.gids["grandchild"]]
    for gid in tasks:
        book(asana, gid, 15)
    pull(asana, *tasks, whole=True)
    assert asana.asked() == {ENTRIES: 7, "trips": 2}


def test_an_entry_that_was_deleted_is_gone_when_its_task_is_read_again(asana: Small) -> None:
    task, other, *_ = asana.gids["tasks"]
    gids = book(asana, task, 10, 20, 30)
    book(asana, other, 40)
    pull(asana, task, other)
    before = asana.task(task).version
    asana.site.call("DELETE", f"/time_tracking_entries/{gids[0]}", "ann")
    assert asana.task(task).version != before, "a sweep sees by the version that the booked time has changed"
    assert pull(asana, task) == []
    assert stored(asana) == {f"{task}/0": 20, f"{task}/1": 30, f"{other}/0": 40}
    asana.site.call("PUT", f"/time_tracking_entries/{gids[1]}", "ann", data={"duration_minutes": 25})
    pull(asana, task)
    assert stored(asana)[f"{task}/0"] == 25


def test_however_many_entries_a_task_loses_all_are_gone_without_a_call(asana: Small) -> None:
    task = asana.gids["tasks"][0]
    book(asana, task, *range(1, 106))
    pull(asana, task)
    assert len(stored(asana)) == 105, "the second page is read"
    reading = Worklogs(asana.api, asana.known, WORKSPACE, whole=False)
    asana.forget()
    gone = reading.of([], gone=[task]).gone
    assert len(gone) == len(set(gone)) == 105
    assert asana.asked() == {"trips": 0}


def test_a_reconcile_asks_only_the_tasks_whose_entries_the_list_of_the_workspace_has_otherwise(asana: Small) -> None:
    tasks = asana.gids["tasks"]
    gids = {task: book(asana, task, 10, 20) for task in tasks}
    pull(asana, *tasks, whole=True)
    (ended,) = pull(asana, *tasks, whole=True)
    assert asana.asked() == {"/time_tracking_entries": 1, "trips": 1}
    assert set(ended.census) == set(stored(asana))
    assert len(ended.census) == 10
    asana.site.call("DELETE", f"/time_tracking_entries/{gids[tasks[0]][1]}", "ann")
    asana.site.call("PUT", f"/time_tracking_entries/{gids[tasks[1]][0]}", "ann", data={"entered_on": "2026-02-09"})
    asana.site.call("PUT", f"/time_tracking_entries/{gids[tasks[2]][0]}", "ann", data={"duration_minutes": 15})
    asana.site.call("PUT", f"/time_tracking_entries/{gids[tasks[2]][1]}", "ann", data={"duration_minutes": 15})
    asana.site.write("POST", f"/tasks/{tasks[3]}/time_tracking_entries", "ann", duration_minutes=5)
    (ended,) = pull(asana, *tasks, whole=True)
    assert asana.asked() == {"/time_tracking_entries": 1, ENTRIES: 4, "trips": 2}
    assert set(stored(asana)) - set(ended.census) == {f"{tasks[0]}/1"}
    assert asana.records["worklog", f"{tasks[1]}/0"].values["started"] == dt.date(2026, 2, 9)
    assert stored(asana)[f"{tasks[2]}/1"] == 15
    assert stored(asana)[f"{tasks[3]}/2"] == 5


def test_where_the_list_of_the_workspace_is_refused_every_task_is_asked(asana: Small) -> None:
    tasks = asana.gids["tasks"]
    for task in tasks:
        book(asana, task, 10)
    pull(asana, *tasks, whole=True)
    asana.fail(400, "^/api/1.0/time_tracking_entries$")
    (ended,) = pull(asana, *tasks, whole=True)
    assert asana.asked() == {"/time_tracking_entries": 1, ENTRIES: 5, "trips": 3}
    assert (ended.state, set(ended.census)) == ("complete", set(stored(asana)))


def test_a_task_that_is_deleted_meanwhile_concludes_nothing(asana: Small) -> None:
    task, other, *_ = asana.gids["tasks"]
    book(asana, task, 10)
    book(asana, other, 20)
    pull(asana, task, other)
    reading, records = Worklogs(asana.api, asana.known, WORKSPACE, whole=False), [asana.task(task), asana.task(other)]
    asana.site.call("DELETE", f"/tasks/{task}", "ann")
    booked = reading.of(records)
    assert [record.id for record in booked.records] == [f"{other}/0"]
    assert booked.gone == []


def test_a_plan_without_time_tracking_is_told_and_nothing_is_taken_for_gone(asana: Small) -> None:
    task = asana.gids["tasks"][0]
    book(asana, task, 10)
    pull(asana, task)
    asana.lack(time_tracking="no")
    (told,) = pull(asana, task, *asana.gids["tasks"][1:], whole=True)
    assert (told.scopes, told.state) == (("worklogs",), "unobserved")
    assert "no time tracking" in told.why
    assert "Take `worklogs` out of `read`" in told.why
    assert stored(asana) == {f"{task}/0": 10}


def test_where_nothing_is_booked_one_call_tells_whether_it_could_be(asana: Small) -> None:
    (told,) = pull(asana, *asana.gids["tasks"], whole=True)
    assert (told.state, list(told.census)) == ("complete", [])
    assert asana.asked() == {"/time_tracking_entries": 1, "trips": 1}
    asana.lack(time_tracking="no")
    (told,) = pull(asana, *asana.gids["tasks"], whole=True)
    assert told.state == "unobserved"
    assert pull(asana, *asana.gids["tasks"]) == [], "between two reconciles nothing is asked"
    assert asana.asked() == {"trips": 0}


def test_without_a_proof_about_every_project_nothing_is_complete(asana: Small) -> None:
    book(asana, asana.gids["tasks"][0], 10)
    (told,) = pull(asana, asana.gids["tasks"][0], whole=True, proven=False)
    assert (told.state, told.scopes, told.records) == ("observed", ("worklogs",), ())


def test_a_refusal_makes_the_time_unobserved_with_the_next_step(asana: Small) -> None:
    task = asana.gids["tasks"][0]
    book(asana, task, 10)
    asana.fail(403, "/time_tracking_entries$")
    (told,) = pull(asana, task)
    assert told.state == "unobserved"
    assert "let the account see time tracking" in told.why


def test_a_task_that_does_not_say_how_much_is_booked_is_asked() -> None:
    silent = decode.task({"gid": "1", "name": "x"}, {"project:2"}, {})
    told = decode.task({"gid": "1", "name": "x", "actual_time_minutes": None}, {"project:2"}, {})
    assert (worklogs._booked(silent), worklogs._booked(told)) == (True, False)


def test_the_fields_of_entries_are_those_of_the_vendors_document() -> None:
    assert fields_that("/tasks/{task_gid}/time_tracking_entries", worklogs.FIELDS) == set()
