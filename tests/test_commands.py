"""What comments ask: the words that people write, and those that nobody should have written."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

import pytest

from pmosync.commands.parsing import (
    FORMS,
    LONGEST,
    MOST,
    QUOTED,
    REASON,
    Decide,
    Object,
    Unclear,
    Waive,
    Withdraw,
    read_commands,
)
from tests.docs.pages import DOCS

DAY = dt.date(2026, 12, 15)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/pmo waive SCH201 until 2026-12-15 because of the vendor", Waive("SCH201", DAY, "of the vendor")),
        ("/PMO  Waive: sch201, until 2026-12-15, because: of\n\nthe  vendor", Waive("SCH201", DAY, "of the vendor")),
        ("/pmo dispute DAT105 because it is because", Object("DAT105", "it is because")),
        ("/pmo approve W-1a2b3c4d.", Decide("W-1a2b3c4d")),
        ("/pmo refuse W-1a2b3c4d because no", Decide("W-1a2b3c4d", "no")),
        ("/pmo withdraw W-1a2b3c4d", Withdraw("W-1a2b3c4d")),
        ("/pmo Withdraw: W-1a2b3c4d, because it came", Withdraw("W-1a2b3c4d", "it came")),
        ("/pmo dispute SCH201 because \u202ea\u200b\x00\u2028\x85b", Object("SCH201", "a b")),
    ],
)
def test_a_command_means_what_it_says_however_it_is_typed(text: str, meant: object) -> None:
    assert read_commands(text) == (meant,)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("/pmo", " or ".join(FORMS.values())),
        ("/pmo wiave SCH201", FORMS["waive"]),
        ("/pmo waive SCH201 because of that", FORMS["waive"]),
        ("/pmo waive SCH201 until 2026-12-15", FORMS["waive"]),
        ("/pmo waive SCH201 until 15.12.2026 because x", f"the last day as year, month and day: {FORMS['waive']}"),
        ("/pmo waive SCH201 until ٢٠٢٦-١٢-١٥ because x", f"the last day as year, month and day: {FORMS['waive']}"),
        ("/pmo waive SCH201 until 2026-02-30 because x", "a day that exists, for 2026-02-30 does not"),
        ("/pmo dispute SCH201 DAT105 because x", FORMS["dispute"]),
        ("/pmo dispute '; DROP TABLE because x", FORMS["dispute"]),
        ("/pmo dispute SCH201 because ", FORMS["dispute"]),
        ("/pmo approve", FORMS["approve"]),
        ("/pmo approve W-1 W-2", FORMS["approve"]),
        ("/pmo refuse W-1", FORMS["refuse"]),
        ("/pmo withdraw", FORMS["withdraw"]),
        ("/pmo withdraw SCH201 SCH204", FORMS["withdraw"]),
        ("/pmo withdraw W-1 because", FORMS["withdraw"]),
        ("/pmo waive until 2026-12-15 because x", FORMS["waive"]),
        ("/pmo waive and until 2026-12-15 because x", FORMS["waive"]),
        ("/pmo waive SCH201 to 5 until 2026-12-15 because x", FORMS["waive"]),
        (f"/pmo dispute SCH201 because {'x' * (REASON + 1)}", f"a reason of at most {REASON} characters"),
    ],
)
def test_what_is_no_command_says_what_to_write_instead(text: str, instead: str) -> None:
    (one,) = read_commands(text)
    assert isinstance(one, Unclear)
    assert instead in one.instead
    assert len(one.said) <= QUOTED


def test_each_line_that_begins_anew_is_a_command_and_there_are_not_too_many() -> None:
    text = "/pmo dispute SCH201 because a\nb\n/pmo approve W-1\nhello /pmo approve W-2\n"
    first, second = read_commands(text)
    assert first == Object("SCH201", "a b")
    assert isinstance(second, Unclear)
    many = read_commands("/pmo approve W-1\n" * 200)
    assert len(many) == MOST + 1
    assert isinstance(many[-1], Unclear)


@pytest.mark.parametrize(
    "named",
    ["SCH201 SCH204 DAT105", "SCH201, SCH204, DAT105", "sch201,SCH204 and DAT105", "SCH201 SCH204 SCH201 DAT105"],
)
def test_a_request_that_names_several_standards_is_one_for_each(named: str) -> None:
    each = tuple(Waive(standard, DAY, "of the vendor") for standard in ("SCH201", "SCH204", "DAT105"))
    assert read_commands(f"/pmo waive {named} until 2026-12-15 because of the vendor") == each


def test_several_standards_count_as_several_commands() -> None:
    names = " ".join(f"SCH{number}" for number in range(200, 200 + MOST))
    assert len(read_commands(f"/pmo waive {names} until 2026-12-15 because x")) == MOST
    first, second = read_commands(f"/pmo approve W-1\n/pmo waive {names} until 2026-12-15 because x")
    assert first == Decide("W-1")
    assert isinstance(second, Unclear)
    assert second.instead == f"at most {MOST} commands into one comment"


def test_whatever_is_written_stays_bounded_and_visible() -> None:
    hostile = "".join(map(chr, range(0x2100))) * 3
    for text in (
        f"/pmo {hostile}",
        f"/pmo dispute SCH201 because {hostile[:400]}",
        "/pmo " * 100_000,
        "\n/pmo" * 9_999,
    ):
        for one in read_commands(text):
            words = one.said if isinstance(one, Unclear) else one.reason if isinstance(one, Object) else ""
            assert len(words) <= max(QUOTED, REASON)
            assert not [sign for sign in words if unicodedata.category(sign)[0] == "C"]
    assert read_commands("x" * LONGEST + "\n/pmo approve W-1") == ()


def test_the_commands_that_the_pages_show_are_commands() -> None:
    text = "".join((DOCS / name).read_text("utf-8") for name in ("commands.md", "teams.md"))
    shown = re.findall(r"`(/pmo \w+ [^`\n]+)`|^    (/pmo .+)$", text, re.MULTILINE)
    found = [read_commands(one or other) for one, other in shown]
    assert {type(one) for some in found for one in some} == {Waive, Object, Decide, Withdraw}
    assert len(found) == 10
