"""Waivers and approvals are text that people keep under version control; nothing in it is guessed or rewritten."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pmosync.decisions import Approval, Terms, Waivers, append_approval, read_approvals, read_waivers
from pmosync.errors import Misconfigured
from pmosync.people import APPROVES, People, read_people
from pmosync.waiving import holding
from pmosync.workdays import day_number

GOOD = """\
# decided by the PMO board
- standard: SCH201
  subject: acme-jira/PAY-12
  reason: the vendor delivers in July
  requested_by: li@acme.example
  approved_by: pmo@acme.example
  approved_on: 2026-05-20
  until: 2026-07-31
- {id: W-7, standard: DAT, project: acme-asana/120, reason: migration, approved_by: pmo, approved_on: 2026-05-20,
   until: 2026-06-30}
"""
AT = dt.datetime(2026, 5, 20, 14, 30, tzinfo=dt.UTC)
APPROVAL = Approval(
    at=AT,
    site="acme-jira",
    verb="write",
    standards=("SCH201", "DAT101"),
    max_changes=500,
    until_at=AT + dt.timedelta(hours=24),
    reason="first roll-out: 'agreed' in the board",
    by="pmo@acme.example",
)


SEVERITIES = {"SCH201": "high", "SCH202": "critical", "DAT101": "low", "DAT105": "info"}
PEOPLE = """\
- {email: Pmo@acme.example, role: manager, accounts: {acme-jira: 5b10, acme-asana: 1201}}
- {email: ana@acme.example, role: analyst}
- {email: li@acme.example, role: lead}
"""


ANY = Terms()


def waivers(folder: Path, text: str, terms: Terms = ANY) -> Waivers:
    (folder / "waivers.yaml").write_text(text)
    return read_waivers(folder, terms)


def people(folder: Path, text: str = PEOPLE, **approves: str) -> People:
    (folder / "people.yaml").write_text(text)
    return read_people(folder / "people.yaml", {**APPROVES, **approves}, {"acme-jira": 1, "acme-asana": 2})


def test_a_waiver_names_standard_subject_term_and_who_decided(tmp_path: Path) -> None:
    read = waivers(tmp_path, GOOD)
    one, family = read.approved
    assert (read.unclear, read.requests) == ((), ())
    assert (one.standard, one.covers, one.site, one.key) == ("SCH201", "subject", "acme-jira", "PAY-12")
    assert (one.approved_on, one.until_on) == (dt.date(2026, 5, 20), dt.date(2026, 7, 31))
    assert (one.approved_by, one.requested_by) == ("pmo@acme.example", "li@acme.example")
    assert one.place == f"{tmp_path}/waivers.yaml:2:3"
    assert (family.id, family.covers, family.key, family.scope) == ("W-7", "project", "120", "project:acme-asana/120")
    assert one.id == waivers(tmp_path, GOOD.replace("# decided", "# approved")).all[0].id
    assert one.id != waivers(tmp_path, GOOD.replace("in July", "in June")).all[0].id


@pytest.mark.parametrize("name", ["ACM", "ACME101", "OUR-RULE_7", "NAMINGCONVENTION7"])
def test_a_waiver_may_name_every_id_that_a_pack_may_give(tmp_path: Path, name: str) -> None:
    read = waivers(tmp_path, GOOD.replace("SCH201", name))
    assert (read.all[0].standard, read.unclear) == (name, ())


@pytest.mark.parametrize(
    ("written", "covers", "scope"),
    [
        ("program: core", "program", "program:core"),
        ("portfolio: banking", "portfolio", "portfolio:banking"),
        ("where: type = risk AND due_on < today()", "where", "tasks where type = risk AND due_on < today ( )"),
        ("where: phase = closing\n  about: project", "where", "projects where phase = closing"),
        ("program: core\n  where: type = risk", "program", "program:core where type = risk"),
    ],
)
def test_a_waiver_may_be_about_more_than_one_item(tmp_path: Path, written: str, covers: str, scope: str) -> None:
    (one, _) = waivers(tmp_path, GOOD.replace("subject: acme-jira/PAY-12", written)).approved
    assert (one.covers, one.scope) == (covers, scope)


def test_a_waiver_holds_from_its_approval_to_its_last_day(tmp_path: Path) -> None:
    read = waivers(tmp_path, GOOD)
    first, last = day_number(dt.date(2026, 5, 20)), day_number(dt.date(2026, 7, 31))
    held = [{one for one in holding(read.rows(), day) if one != "W-7"} for day in (first - 1, first, last, last + 1)]
    assert held == [set(), {read.all[0].id}, {read.all[0].id}, set()]


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (("2026-07-31", "2026-02-30"), 8, "no day: 2026-02-30; the waiver counts as lapsed"),
        (("2026-07-31", "31.07.2026"), 8, "no day: 31.07.2026"),
        (("until: 2026-07-31", "until:"), 8, "until is missing"),
        (("2026-07-31", "2026-11-17"), 8, "more than 180 days after the approval"),
        (("2026-07-31", "2026-05-19"), 8, "after its last day"),
        (("  approved_on: 2026-05-20\n", ""), 2, "approved_on is missing"),
        (("  approved_by: pmo@acme.example\n", ""), 2, "approved_by is missing"),
        (("  subject: acme-jira/PAY-12\n", ""), 2, "never everything"),
        (("  subject: acme-jira/PAY-12\n", "  all: true\n"), 3, "unknown key 'all'"),
        (("PAY-12\n", "PAY-12\n  program: core\n"), 2, "names one subject"),
        (("acme-jira/PAY-12", "PAY-12"), 3, "names no subject"),
        (
            ("subject: acme-jira/PAY-12", "portfolio: organisation"),
            3,
            "everything that the register puts into no other",
        ),
        (("subject: acme-jira/PAY-12", "where: type = rsik"), 3, "did you mean 'risk'?"),
        (("subject: acme-jira/PAY-12", "where: type = risk\n  about: program"), 4, "nothing that a predicate is about"),
        (("acme-jira/PAY-12", "acme-jira/PAY-12\n  about: task"), 4, "about stands without where"),
        (("reason: the vendor delivers in July", "reason: ''"), 4, "reason is not a text"),
        (("approved_by: pmo@acme", "aproved_by: pmo@acme"), 6, "did you mean 'approved_by'?"),
        (("SCH201", "sch-201"), 2, "is no standard"),
        (("- standard: SCH201", "- id: two words\n  standard: SCH201"), 2, "cannot be an id"),
    ],
)
def test_a_waiver_that_is_not_clear_does_not_count_and_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, what: str
) -> None:
    read = waivers(tmp_path, GOOD.replace(*change))
    assert [waiver.id for waiver in read.all] == ["W-7"], "the others go on"
    (wrong,) = read.unclear
    assert wrong.where.startswith(f"{tmp_path}/waivers.yaml:{line}:")
    assert what in str(wrong)


def test_the_longest_term_is_the_organisations(tmp_path: Path) -> None:
    assert waivers(tmp_path, GOOD.replace("2026-07-31", "2026-11-16")).unclear == ()
    assert len(waivers(tmp_path, GOOD, Terms(longest_days=60)).unclear) == 1


def test_an_id_that_stands_twice_is_one_waiver(tmp_path: Path) -> None:
    read = waivers(tmp_path, GOOD + "- {id: W-7, standard: SCH, program: core, reason: r, until: 2026-06-30}\n")
    assert [one.standard for one in read.all] == ["SCH201", "DAT"]
    assert "stands twice" in str(read.unclear[0])


REQUEST = "- {id: W-1, standard: DAT105, subject: acme-jira/PAY-1, reason: r, until: 2026-06-30}\n"


def test_a_request_counts_for_nothing_until_somebody_approves_it(tmp_path: Path) -> None:
    read = waivers(tmp_path, REQUEST)
    assert ([one.id for one in read.requests], read.rows(), read.unclear) == (["W-1"], (), ())
    read = waivers(tmp_path, REQUEST + "- {approve: W-1, by: pmo, on: 2026-05-21}\n")
    (one,) = read.approved
    assert (one.approved_by, one.approved_on, read.requests) == ("pmo", dt.date(2026, 5, 21), ())


@pytest.mark.parametrize("rest", ["by: pmo, on: 2026-05-21, reason: fixed", "by: pmo, on: 2026-02-30", "because: x"])
def test_a_revoked_waiver_counts_no_more_however_it_was_revoked(tmp_path: Path, rest: str) -> None:
    read = waivers(tmp_path, f"{GOOD}- {{revoke: W-7, {rest}}}\n")
    assert [one.id for one in read.all if one.revoked_by] == ["W-7"]
    assert [row["waiver"] for row in read.rows()] == [read.all[0].id]
    assert len(read.unclear) == ("fixed" not in rest), "what is wrong with it is told"


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("{approve: W-2, by: pmo, on: 2026-05-21}", "no waiver 'W-2'"),
        ("{approve: W-1, on: 2026-05-21}", "by is missing"),
        ("{approve: W-1, by: pmo, on: soon}", "on is no day"),
        ("{approve: W-1, by: pmo, on: 2026-07-01}", "after its last day"),
        ("{approve: W-1, by: pmo, on: 2025-07-01}", "more than 180 days"),
    ],
)
def test_an_approval_of_a_waiver_that_is_not_clear_approves_nothing(tmp_path: Path, entry: str, what: str) -> None:
    read = waivers(tmp_path, f"{REQUEST}- {entry}\n")
    assert read.rows() == ()
    assert what in str(read.unclear[0])
    assert ":2:" in read.unclear[0].where


@pytest.mark.parametrize(
    ("standard", "by", "what"),
    [
        ("DAT105", "ana@acme.example", ""),
        ("DAT", "ANA@acme.example", ""),
        ("SCH201", "ana@acme.example", "ana@acme.example is analyst, which does not waive high"),
        ("SCH", "pmo@acme.example", ""),
        ("SCH202", "acme-jira/5b10", ""),
        ("SCH202", "acme-asana/1201", ""),
        ("SCH202", "acme-asana/5b10", "nobody in the people file"),
        ("DAT105", "li@acme.example", "li@acme.example is lead"),
        ("DAT105", "Ana Ferreira", "nobody in the people file"),
        ("DAT999", "pmo@acme.example", "no standard that is asked"),
    ],
)
def test_a_waiver_counts_when_the_role_of_who_approved_it_goes_so_far(
    tmp_path: Path, standard: str, by: str, what: str
) -> None:
    terms = Terms(severities=SEVERITIES, people=people(tmp_path))
    text = REQUEST.replace("DAT105", standard) + f"- {{approve: W-1, by: {by}, on: 2026-05-21}}\n"
    read = waivers(tmp_path, text, terms)
    assert len(read.rows()) == (not what)
    assert what in "".join(map(str, read.unclear))


def test_an_organisation_says_how_far_its_roles_go(tmp_path: Path) -> None:
    text = REQUEST + "- {approve: W-1, by: li@acme.example, on: 2026-05-21}\n"
    terms = Terms(severities=SEVERITIES, people=people(tmp_path, lead="info"))
    assert len(waivers(tmp_path, text, terms).rows()) == 1


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (("role: analyst", "role: boss"), 2, "'viewer', 'lead'"),
        (("role: analyst", "rule: analyst"), 2, "did you mean 'role'?"),
        (("ana@acme.example", "Ana"), 2, "no e-mail address"),
        (("ana@acme.example", "PMO@acme.example"), 2, "stands twice"),
        (("role: lead", "role: lead, accounts: {acme-jira: 5b10}"), 3, "stands twice"),
        (("acme-asana: 1201", "acme-asna: 1201"), 1, "no site 'acme-asna'"),
    ],
)
def test_a_people_file_that_is_wrong_is_refused_whole(
    tmp_path: Path, change: tuple[str, str], line: int, what: str
) -> None:
    with pytest.raises(Misconfigured, match=r"people\.yaml") as told:
        people(tmp_path, PEOPLE.replace(*change))
    assert what in str(told.value)
    assert f"people.yaml:{line}:" in str(told.value)


def test_no_file_and_a_file_of_comments_hold_no_decisions(tmp_path: Path) -> None:
    assert read_waivers(tmp_path / "nowhere", Terms()) == Waivers()
    assert waivers(tmp_path, "# - standard: SCH201\n\n") == Waivers()


def test_a_file_that_cannot_be_read_at_all_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"waivers.yaml:1:1.*\n.*\n.*\n.*hyphen"):
        waivers(tmp_path, "waivers: none\n")
    with pytest.raises(Misconfigured, match="not valid YAML"):
        waivers(tmp_path, "- standard: [SCH201\n")


def test_an_approval_reads_back_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "decisions"
    append_approval(folder, APPROVAL)
    append_approval(folder, APPROVAL)
    assert read_approvals(folder) == ((APPROVAL, APPROVAL), ())


@pytest.mark.parametrize("before", ["# kept by hand", "", "  - {at: now}\n", "- at: x\n  site: y"])
def test_appending_keeps_what_stands_there_letter_by_letter(tmp_path: Path, before: str) -> None:
    path = tmp_path / "approvals.yaml"
    path.write_text(before)
    append_approval(tmp_path, APPROVAL)
    assert path.read_text().startswith(before)
    assert read_approvals(tmp_path)[0] == (APPROVAL,)


@pytest.mark.parametrize("before", ["[]\n", "approvals: []\n"])
def test_a_file_that_an_entry_would_break_is_not_appended_to(tmp_path: Path, before: str) -> None:
    path = tmp_path / "approvals.yaml"
    path.write_text(before)
    with pytest.raises(Misconfigured, match="hyphen"):
        append_approval(tmp_path, APPROVAL)
    assert path.read_text() == before


def test_an_approval_counts_inside_its_time_only() -> None:
    assert APPROVAL.counts_at(AT)
    assert not APPROVAL.counts_at(AT + dt.timedelta(hours=24))
    assert not APPROVAL.counts_at(AT - dt.timedelta(seconds=1))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("max_changes: 500", "max_changes: many"), "no number of changes"),
        (("+00:00", ""), "no instant"),
        (("site: acme-jira", "sites: acme-jira"), "did you mean 'site'?"),
    ],
)
def test_an_approval_that_is_not_clear_does_not_count(tmp_path: Path, change: tuple[str, str], what: str) -> None:
    append_approval(tmp_path, APPROVAL)
    path = tmp_path / "approvals.yaml"
    path.write_text(path.read_text().replace(*change))
    found, (wrong,) = read_approvals(tmp_path)
    assert found == ()
    assert what in str(wrong)
