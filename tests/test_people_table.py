"""The people file as a table that was saved from Excel: the same persons, and every mistake with its row and column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pmosync.config import load, load_people
from pmosync.errors import Misconfigured
from pmosync.people import APPROVES, Person, read_people

SITES = {"acme-jira": 1, "acme-asana": 2}
PAGE = Path(__file__).parent.parent / "docs/load.md"
TABLE = """\
email;role;acme-jira;works_as;hours_per_week;absences;training_valid_until
Pmo@acme.example;Manager;5b10;;;;
ana@acme.example;;;"developer; ""app"" team";32,5;2026-12-21 to 2027-01-01, 05.03.2027;30.6.2027
;;;;;;
li@acme.example;lead;007;;40;;2027-06-30
"""


def persons(folder: Path, text: str | bytes, name: str = "people.csv") -> tuple[Person, ...]:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return read_people(folder / name, APPROVES, SITES).persons


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def test_the_table_on_the_page_says_what_the_yaml_on_the_page_says(tmp_path: Path) -> None:
    (table,) = blocks("csv")
    (plain,) = (text for text in blocks("yaml") if "works_as" in text)
    assert persons(tmp_path, table) == persons(tmp_path, plain, "people.yaml")


def test_a_mistake_is_told_as_the_page_shows_it(tmp_path: Path) -> None:
    (shown,) = blocks("text")
    row = shown.splitlines()[1].partition(" | ")[2]
    with pytest.raises(Misconfigured, match="half") as told:
        persons(tmp_path, f"email,role,acme-jira,hours_per_week\n{row}\n")
    assert str(told.value).replace(f"{tmp_path}/", "") == shown.rstrip("\n")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_as_excel_writes_it_in_any_language(tmp_path: Path, separator: str) -> None:
    rows = [["email", "hours_per_week"], ["ana@acme.example", '"32,5"'], ["li@acme.example", ""]]
    text = "\r\n".join(separator.join(row) for row in rows)
    assert [(one.email, one.hours_per_week) for one in persons(tmp_path, b"\xef\xbb\xbf" + text.encode())] == [
        ("ana@acme.example", 32.5),
        ("li@acme.example", None),
    ]


def test_a_table_and_yaml_say_the_same(tmp_path: Path) -> None:
    plain = """\
- {email: pmo@acme.example, role: manager, accounts: {acme-jira: 5b10}}
- email: ana@acme.example
  works_as: 'developer; "app" team'
  hours_per_week: 32.5
  absences: [{from: 2026-12-21, to: 2027-01-01}, {from: 2027-03-05, to: 2027-03-05}]
  training_valid_until: 2027-06-30
- {email: li@acme.example, role: lead, accounts: {acme-jira: "007"}, hours_per_week: 40.0,
   training_valid_until: 2027-06-30}
"""
    assert persons(tmp_path, TABLE) == persons(tmp_path, plain, "people.yaml")
    config = "organisation: Acme\ntimezone: Europe/Berlin\npeople: people.csv\nsites:\n"
    lines = [f"  {site}: {{connector: asana, mapping: m.yaml, auth: {{token: env:T}}}}\n" for site in SITES]
    (tmp_path / "pmosync.yaml").write_text(config + "".join(lines), "utf-8")
    people = load_people(load(tmp_path / "pmosync.yaml", {}))
    assert people is not None
    assert people.named("acme-jira/007") == people.named("LI@acme.example")


@pytest.mark.parametrize(
    ("change", "place", "what", "advice"),
    [
        (("Manager", "boss"), "2:18", "'viewer', 'lead'", ""),
        (("works_as", "worksas"), "1:22", "there is no column 'worksas'", "did you mean 'works_as'?"),
        (("works_as", "salary"), "1:22", "there is no column 'salary'", "and for accounts the sites: acme-jira"),
        (("works_as", "EMAIL"), "1:22", "two columns are called 'EMAIL'", "keep one"),
        (("works_as", ""), "3:20", "stands in a column without a name", "write its name into the first line"),
        ((";;40;", ";;40;;;;x;"), "5:33", "'x' stands in a column without a name", "clear it"),
        (("ana@acme.example", "Ana"), "3:1", "'Ana' is no e-mail address", "write name@host"),
        (("li@", "PMO@"), "5:1", "stands twice", "keep one"),
        (("007", "5b10"), "5:22", "stands twice", "keep one"),
        (("007", "1,2E+15"), "5:22", "a number that Excel has rounded", "format the column as text"),
        (("32,5", "half"), "3:46", "hours_per_week: 'half' is no number", "32 or 32.5"),
        (("32,5", "400"), "3:46", "less than or equal to 168", ""),
        (("32,5", "nan"), "3:46", "hours_per_week", ""),
        (("30.6.2027", "6/30/2027"), "3:88", "'6/30/2027' is no day that is clear", "format the column as text"),
        (("30.6.2027", "31.6.2027"), "3:88", "'31.6.2027' is no day that is clear", "2026-11-20"),
        (("05.03.2027", "2026-12-31"), "3:51", "overlaps the one from 2026-12-21", "write them as one"),
        (("to 2027-01-01", "to 2025-01-01"), "3:51", "ends before it begins", "first day"),
        (('team";', "team;"), "3:20", "this quotation mark is not closed", "at the end of the cell"),
        (('team";', 'team"!;'), "3:20", "behind the closing quotation mark", "twice"),
        (("li@acme.example;lead", ";lead"), "5:1", "email is missing", "add it"),
    ],
)
def test_a_mistake_in_a_table_is_told_with_its_row_and_column(
    tmp_path: Path, change: tuple[str, str], place: str, what: str, advice: str
) -> None:
    assert change[0] in TABLE
    with pytest.raises(Misconfigured, match=r"people\.csv") as told:
        persons(tmp_path, TABLE.replace(*change))
    assert f"people.csv:{place}" in str(told.value)
    assert what in str(told.value)
    assert advice in str(told.value)


def test_all_mistakes_of_a_table_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="2 mistakes") as told:
        persons(tmp_path, TABLE.replace("32,5", "half").replace(";40;", ";full;"))
    assert "people.csv:3:46" in str(told.value)
    assert "people.csv:5:27" in str(told.value)


def test_a_row_behind_a_cell_of_several_lines_keeps_its_place(tmp_path: Path) -> None:
    text = 'email,absences\nana@acme.example,"2026-12-21 to 2027-01-01\n2027-03-05"\nli@acme.example,soon\n'
    with pytest.raises(Misconfigured, match=r"people\.csv:4:17: absences: 'soon' is no day"):
        persons(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("people.xlsx", b"PK\x03\x04", "save it as CSV UTF-8"),
        ("people.csv", "email,works_as\nana@acme.example,Köchin\n".encode("cp1252"), "in Excel: CSV UTF-8"),
        ("people.csv", b"", "there are no names of columns"),
        ("people.csv", b";;;\n", "there are no names of columns"),
    ],
)
def test_what_is_no_table_of_text_is_refused_with_the_way_out(
    tmp_path: Path, name: str, text: bytes, what: str
) -> None:
    with pytest.raises(Misconfigured, match=name) as told:
        persons(tmp_path, text, name)
    assert what in str(told.value)


def test_a_table_without_persons_is_an_empty_people_file(tmp_path: Path) -> None:
    assert persons(tmp_path, "email,role\n") == ()
