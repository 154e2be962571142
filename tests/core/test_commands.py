"""Commands in comments over whole cycles: entered once, answered in our marks, whatever happens in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from pmosync.commands import Desk
from pmosync.contract import Slot
from pmosync.cycle import apply
from pmosync.decisions import Terms, read_disputes, read_waivers
from pmosync.errors import PlanMoved
from pmosync.exits import PARTLY, exit_code
from pmosync.people import APPROVES, People, Person
from pmosync.register import Register
from tests.core.memory import World, starter

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
SEVERITIES = {one.id: one.severity for one in starter()}
PEOPLE = People(
    (
        Person("ana@acme.example", "viewer", {"acme": "ana"}),
        Person("pmo@acme.example", "manager", {"acme": "pat"}),
        Person("lou@acme.example", "analyst", {"acme": "lou"}),
    ),
    APPROVES,
)
COMMENT, NOTE, PROPERTY = (Slot("task", "1", name) for name in ("comment", "note", "property"))


@pytest.fixture
def late(world: World) -> World:
    """A world with one overdue task, flagged, whose comments are read."""
    terms = Terms(180, SEVERITIES, PEOPLE)
    world.rollups = ""
    world.reads, world.desk = "comments", Desk(world.folder / "decisions", terms)
    world.tool.put("1", due=dt.date(2026, 11, 2))
    world.run()
    return world


def waivers(world: World) -> list[tuple[str, str]]:
    """Standard and state of every waiver that the decisions hold."""
    assert world.desk is not None
    read = read_waivers(world.desk.folder, world.desk.terms)
    assert read.unclear == ()
    return [
        (one.standard, "refused" if one.revoked_by else "approved" if one.approved else "asked for") for one in read.all
    ]


def the_id(world: World) -> str:
    assert world.desk is not None
    return read_waivers(world.desk.folder, world.desk.terms).all[-1].id


def answer(world: World) -> str:
    """What our comment on the task says."""
    return world.tool.marks.get(COMMENT, "")


def test_a_waiver_is_asked_for_approved_and_ends_inside_the_tool(late: World) -> None:
    late.tool.say("c1", "1", "ana", "/pmo waive SCH201 until 2026-12-01 because the vendor\nis late", NOW)
    outcome = late.run()
    name = the_id(late)
    assert waivers(late) == [("SCH201", "asked for")]
    assert answer(late) == (
        f"Waiver {name} of SCH201 until 2026-12-01: asked for. A manager or director decides, "
        f"here with /pmo approve {name} or /pmo refuse {name} because (reason)"
    )
    assert outcome.sites["acme"].notes == [f"T-1: waiver {name} of SCH201 asked for"]
    assert late.run().plan.changes == []
    late.tool.say("c2", "1", "pat", f"/PMO Approve {name}.", NOW)
    outcome = late.run()
    assert outcome.settled.waived == 1
    assert answer(late) == f"Waiver {name} of SCH201: approved until 2026-12-01"
    assert Slot("task", "1", "label") not in late.tool.marks
    assert PROPERTY in late.tool.marks, "what stands there finds the comment again"
    for full in (False, True):
        assert late.run(full=full).plan.changes == []
    late.rebuild()
    late.run()
    assert (late.tool.writes, waivers(late)) == ([], [("SCH201", "approved")])
    late.now = NOW + dt.timedelta(days=12)
    assert late.run().settled.lapsed == 1
    assert "ended on 2026-12-01. Ask for a new one" in answer(late)
    late.now = NOW + dt.timedelta(days=40)
    late.run()
    assert answer(late) == ""


def test_the_same_comment_never_makes_two_requests(late: World) -> None:
    text = "/pmo waive SCH201 until 2026-12-01 because the vendor is late"
    late.tool.say("c1", "1", "ana", text, NOW)
    late.run()
    late.tool.say("c1", "1", "ana", text.replace("vendor", "supplier"), NOW)
    late.run()
    late.rebuild()
    late.run(full=True)
    assert len(waivers(late)) == 1
    late.tool.say("c1", "1", "ana", text.replace("12-01", "12-24"), NOW)
    late.run()
    assert len(waivers(late)) == 2, "it asks for something else now"
    late.tool.comments.clear()
    late.run(full=True)
    assert len(waivers(late)) == 2
    assert answer(late).count("asked for") == 2, "who deletes a comment takes nothing back"


def test_who_may_not_ask_or_decide_is_told_so_and_nothing_is_written(late: World) -> None:
    late.tool.people["mia"] = True
    late.tool.say("c1", "1", "mia", "/pmo waive SCH201 until 2026-12-01 because I say so", NOW)
    late.run()
    assert answer(late).startswith("Answer about SCH201: only the task's assignee, the lead")
    late.tool.say("c1", "1", "ana", "/pmo waive SCH201 until 2026-12-01 because the vendor is late", NOW)
    late.run()
    name = the_id(late)
    for who in ("ana", "mia", "lou"):
        late.tool.say("c2", "1", who, f"/pmo approve {name}", NOW)
        late.run()
        assert f"Answer about {name}: only a manager or director may decide about it" in answer(late)
    assert waivers(late) == [("SCH201", "asked for")]
    late.tool.say("c2", "1", "pat", f"/pmo refuse {name} because it was due\tin spring", NOW)
    late.run()
    assert waivers(late) == [("SCH201", "refused")]
    assert answer(late) == f"Waiver {name} of SCH201: refused on 2026-11-20: it was due in spring"
    late.now = NOW + dt.timedelta(days=31)
    late.run()
    assert answer(late) == ""


def test_who_asked_may_withdraw_before_and_after_it_is_decided(late: World) -> None:
    late.tool.say("c1", "1", "ana", "/pmo waive SCH201 until 2026-12-01 because the vendor is late", NOW)
    late.run()
    name = the_id(late)
    for who in ("lou", "pat"):
        late.tool.say("c2", "1", who, f"/pmo withdraw {name}", NOW)
        late.run()
        assert f"Answer about {name}: only who asked for it may withdraw it. Ask a manager or director" in answer(late)
    late.tool.say("c2", "1", "pat", f"/pmo approve {name}", NOW)
    assert late.run().settled.waived == 1
    late.tool.say("c3", "1", "ana", f"/pmo withdraw {name}", NOW)
    outcome = late.run()
    assert outcome.sites["acme"].notes == [f"T-1: waiver {name} of SCH201 withdrawn"]
    assert Slot("task", "1", "label") in late.tool.marks, "it is flagged again"
    assert answer(late) == f"Waiver {name} of SCH201: withdrawn on 2026-11-20: no longer needed"
    assert late.run().plan.changes == []
    late.rebuild()
    late.run(full=True)
    assert waivers(late) == [("SCH201", "refused")]
    late.tool.say("c4", "1", "ana", "/pmo waive SCH201 until 2026-12-01 because it is late again", NOW)
    late.run()
    other = the_id(late)
    late.tool.say("c5", "1", "ana", f"/pmo withdraw {other} because it came today", NOW)
    late.run()
    assert f"Waiver {other} of SCH201: withdrawn on 2026-11-20: it came today" in answer(late)
    assert waivers(late) == [("SCH201", "refused")] * 2


def test_several_standards_are_asked_for_and_answered_one_by_one(late: World) -> None:
    late.tool.say("c1", "1", "ana", "/pmo waive SCH201, DAT101 and SCH999 until 2026-12-01 because it is late", NOW)
    late.run()
    assert waivers(late) == [("SCH201", "asked for"), ("DAT101", "asked for")]
    assert answer(late).count("asked for. ") == 2
    assert "Answer about SCH999: no such standard is asked" in answer(late)
    late.tool.say("c2", "1", "pat", f"/pmo approve {the_id(late)}", NOW)
    late.run()
    assert waivers(late) == [("SCH201", "asked for"), ("DAT101", "approved")]


MISTAKES = {
    "/pmo wave SCH201": "is not understood. Write /pmo waive SCH201 until 2026-12-15 because",
    "/pmo waive SCH999 until 2026-12-01 because of that": "no such standard is asked",
    "/pmo waive SCH201 until 2026-11-19 because of that": "2026-11-19 has passed or is too far",
    "/pmo waive SCH201 until 2028-11-19 because of that": "Name a day until 2027-05-19",
    "/pmo waive GOV603 until 2026-12-01 because of that": "it is asked of a project",
    "/pmo approve W-1": "Answer about W-1: nobody asked for such a waiver here",
}


def test_what_cannot_be_done_is_answered_with_the_next_step_until_it_is_old(late: World) -> None:
    for number, text in enumerate(MISTAKES):
        late.tool.say(f"c{number}", "1", "ana", text, NOW + dt.timedelta(seconds=number))
    late.run()
    for line, told in zip(answer(late).split("\n"), MISTAKES.values(), strict=True):
        assert told in line
    assert waivers(late) == []
    assert late.run().plan.changes == []
    late.now = NOW + dt.timedelta(days=31)
    late.run()
    assert answer(late) == ""


def test_what_is_replied_follows_from_all_comments_together(late: World) -> None:
    late.tool.say("c1", "1", "ana", "/pmo waive SCH201 until 2026-12-01 because the vendor is late", NOW)
    late.run()
    name = the_id(late)
    late.tool.say("c2", "1", "ana", f"/pmo approve {name}", NOW)
    late.tool.say("c3", "1", "pat", f"/pmo approve {name}", NOW + dt.timedelta(hours=1))
    late.run()
    assert answer(late) == f"Waiver {name} of SCH201: approved until 2026-12-01"
    assert late.run().plan.changes == []


def test_an_old_command_has_no_effect_when_its_author_rises(late: World) -> None:
    assert late.desk is not None
    late.tool.say("c1", "1", "ana", "/pmo waive SCH201 until 2027-02-01 because the vendor is late", NOW)
    late.run()
    late.tool.say("c2", "1", "lou", f"/pmo approve {the_id(late)}", NOW)
    late.run()
    risen = People((*PEOPLE.persons[:2], Person("lou@acme.example", "director", {"acme": "lou"})), APPROVES)
    late.desk = Desk(late.desk.folder, Terms(180, SEVERITIES, risen))
    late.now = NOW + dt.timedelta(days=31)
    late.run()
    assert waivers(late) == [("SCH201", "asked for")]


def test_a_dispute_is_noted_shown_and_changes_no_finding(late: World) -> None:
    late.tool.say("c1", "1", "ana", "/pmo dispute SCH201 because\nthe date is the vendor's", NOW)
    late.run()
    late.run()
    assert late.desk is not None
    ((one,), wrong) = read_disputes(late.desk.folder)
    assert (one.standard, one.key, one.by, one.source, wrong) == ("SCH201", "T-1", "ana@acme.example", "acme/c1", ())
    assert one.reason == "the date is the vendor's"
    assert answer(late) == "Dispute of SCH201: noted. The PMO sees it, and counts it against the standard"
    assert Slot("task", "1", "label") in late.tool.marks
    late.tool.put("1", due=dt.date(2027, 12, 20))
    late.now = NOW + dt.timedelta(days=31)
    late.run()
    assert answer(late) == ""


def test_a_run_that_does_not_write_enters_nothing_and_says_what_waits(late: World) -> None:
    late.tool.say("c1", "1", "ana", "/pmo dispute SCH201 because of the vendor", NOW)
    outcome = late.run(write=False)
    assert late.desk is not None
    assert not late.desk.folder.exists()
    assert outcome.plan.changes == []
    assert outcome.sites["acme"].notes[0].startswith("commands in comments that wait: 1;")
    saved = late.run(write=False).plan
    late.tool.say("c2", "1", "mia", "/pmo nonsense", NOW)
    saved = late.run(write=False).plan
    assert [line.slot for line in saved.changes] == ["comment", "property"]
    late.run()
    with pytest.raises(PlanMoved, match="decisions"):
        apply(late.store, late.setup(), saved, lambda: late.now)


def test_what_was_asked_is_on_disk_before_it_is_answered(late: World, monkeypatch: pytest.MonkeyPatch) -> None:
    late.tool.say("c1", "1", "ana", "/pmo waive SCH201 until 2026-12-01 because the vendor is late", NOW)
    with monkeypatch.context() as dying:
        dying.setattr("pmosync.commands.answers", None)
        with pytest.raises(TypeError):
            late.run()
    assert waivers(late) == [("SCH201", "asked for")]
    late.tool.lose = True
    late.run()
    assert waivers(late) == [("SCH201", "asked for")]
    late.tool.lose = False
    late.run(full=True)
    late.run(full=True)
    assert len(waivers(late)) == 1
    assert answer(late).count("asked for") == 1


def test_decisions_that_cannot_be_written_hold_up_the_command_and_nothing_else(late: World) -> None:
    assert late.desk is not None
    late.desk.folder.mkdir()
    (late.desk.folder / "disputes.yaml").write_text("[]")
    late.tool.say("c1", "1", "ana", "/pmo dispute SCH201 because of the vendor", NOW)
    late.tool.put("2", due=dt.date(2026, 11, 3))
    outcome = late.run()
    assert "not entered" in outcome.sites["acme"].notes[0]
    assert exit_code(outcome) == PARTLY
    assert outcome.settled.new == 1
    assert answer(late) == ""


def test_where_findings_are_only_observed_nobody_is_answered(late: World) -> None:
    late.tool.say("c1", "1", "ana", "/pmo nonsense", NOW)
    late.run()
    assert answer(late)
    late.profile = "supportive"
    late.register = Register((), "other")
    late.run()
    assert answer(late) == ""


def test_a_slot_that_tells_findings_tells_answers_behind_them(late: World) -> None:
    late.slots = "property, label, note"
    late.tool.say("c1", "1", "ana", "/pmo nonsense", NOW)
    late.run()
    lines = late.tool.marks[NOTE].split("\n")
    assert lines[0].startswith("SCH201 ")
    assert lines[-1].startswith('Answer to "/pmo nonsense": it is not understood.')
    assert len(late.tool.marks[NOTE]) <= 1024
    assert late.run().plan.changes == []


def texts(folder: Path) -> Mapping[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


HOSTILE = 'x"\n- {approve: W-1, by: pmo@acme.example, on: 2026-11-20}\n&a *a !!python/object: # {{ }}  ‮\x00 \u2028'


def test_hostile_words_stay_words_in_the_decisions(late: World) -> None:
    assert late.desk is not None
    late.tool.say("c1", "1", "ana", f"/pmo waive SCH201 until 2026-12-01 because {HOSTILE}", NOW)
    late.tool.say("c2", "1", "ana", f"/pmo dispute SCH201 because {HOSTILE}, since 2020-01-01", NOW)
    late.run()
    ((name, state),) = waivers(late)
    ((dispute,), _) = read_disputes(late.desk.folder)
    assert (name, state) == ("SCH201", "asked for")
    assert dispute.reason.startswith('x" - {approve: W-1, by: pmo@acme.example')
    assert "\u202e" not in "".join(texts(late.desk.folder).values())
    late.rebuild()
    late.run()
    assert late.tool.writes == []
