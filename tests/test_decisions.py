"""Waivers and approvals are text that people keep under version control; nothing in it is guessed or rewritten."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pmosync.decisions import Approval, Waiver, append_approval, read_approvals, read_waivers
from pmosync.errors import Misconfigured

TODAY = dt.date(2026, 5, 20)
GOOD = """\
# decided by the PMO board
- standard: SCH201
  subject: acme-jira/PAY-12
  reason: the vendor delivers in July
  requested_by: li@acme.example
  approved_by: pmo@acme.example
  until: 2026-07-31
- {standard: DAT, project: acme-asana/1202000000000002, reason: migration, approved_by: pmo, until: 2026-06-30}
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


def waivers(folder: Path, text: str) -> tuple[tuple[Waiver, ...], tuple[Misconfigured, ...]]:
    (folder / "waivers.yaml").write_text(text)
    return read_waivers(folder, TODAY)


def test_a_waiver_names_standard_subject_term_and_who_decided(tmp_path: Path) -> None:
    (one, family), wrong = waivers(tmp_path, GOOD)
    assert wrong == ()
    assert (one.standard, one.site, one.covers, one.key) == ("SCH201", "acme-jira", "subject", "PAY-12")
    assert (one.until_on, one.approved_by, one.requested_by) == (
        dt.date(2026, 7, 31),
        "pmo@acme.example",
        "li@acme.example",
    )
    assert one.place == f"{tmp_path}/waivers.yaml:2:3"
    assert (family.covers, family.key) == ("project", "1202000000000002")


@pytest.mark.parametrize("name", ["ACM", "ACME101", "OUR-RULE_7", "NAMINGCONVENTION7"])
def test_a_waiver_may_name_every_id_that_a_pack_may_give(tmp_path: Path, name: str) -> None:
    (one, _), wrong = waivers(tmp_path, GOOD.replace("SCH201", name))
    assert (one.standard, wrong) == (name, ())


def test_a_waiver_counts_on_its_last_day_and_not_on_the_next(tmp_path: Path) -> None:
    (one, _), _ = waivers(tmp_path, GOOD)
    assert one.counts_on(dt.date(2026, 7, 31))
    assert not one.counts_on(dt.date(2026, 8, 1))


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (("2026-07-31", "2026-02-30"), 7, "no day: 2026-02-30; the waiver counts as lapsed"),
        (("2026-07-31", "31.07.2026"), 7, "no day: 31.07.2026"),
        (("2026-07-31", ""), 7, "until is missing"),
        (("2026-07-31", "2027-05-21"), 7, "more than 365 days ahead"),
        (("  subject: acme-jira/PAY-12\n", ""), 2, "never everything"),
        (("  subject: acme-jira/PAY-12\n", "  all: true\n"), 3, "unknown key 'all'"),
        (("acme-jira/PAY-12", "PAY-12"), 3, "names no subject"),
        (("reason: the vendor delivers in July", "reason: ''"), 4, "reason is not a text"),
        (("approved_by: pmo@acme", "aproved_by: pmo@acme"), 6, "did you mean 'approved_by'?"),
        (("SCH201", "sch-201"), 2, "is no standard"),
    ],
)
def test_a_waiver_that_is_not_clear_does_not_count_and_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, what: str
) -> None:
    found, (wrong,) = waivers(tmp_path, GOOD.replace(*change))
    assert [waiver.standard for waiver in found] == ["DAT"], "the others go on"
    assert wrong.where.startswith(f"{tmp_path}/waivers.yaml:{line}:")
    assert what in str(wrong)


def test_a_waiver_up_to_a_year_ahead_counts(tmp_path: Path) -> None:
    found, wrong = waivers(tmp_path, GOOD.replace("2026-07-31", "2027-05-20"))
    assert len(found) == 2
    assert wrong == ()


def test_no_file_and_a_file_of_comments_hold_no_decisions(tmp_path: Path) -> None:
    assert read_waivers(tmp_path / "nowhere", TODAY) == ((), ())
    assert waivers(tmp_path, "# - standard: SCH201\n\n") == ((), ())


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
