from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator

from pmosync.errors import Misconfigured
from pmosync.yamlfile import did_you_mean, dump, load, together


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def refused(path: Path, content: str | bytes) -> Misconfigured:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Misconfigured) as caught:
        load(path)
    return caught.value


def test_scalars_are_read_as_yaml_1_2_means_them(file: Path) -> None:
    file.write_text(
        "a: yes\nb: true\nc: 012\nd: 0o12\ne: 1e3\nf: 2026-03-01\ng: '1'\nh: ~\ni:\nj: 1:30\nk: {x: [1, .5]}\n"
    )
    assert load(file).data == {
        "a": "yes", "b": True, "c": 12, "d": 10, "e": 1000.0, "f": dt.date(2026, 3, 1), "g": "1", "h": None, "i": None,
        "j": "1:30", "k": {"x": [1, 0.5]},
    }  # fmt: skip


def test_keys_are_text_as_written(file: Path) -> None:
    file.write_text("1202: {true: 2026-01-01}\n")
    assert load(file).data == {"1202": {"true": dt.date(2026, 1, 1)}}


def test_places_name_line_and_column_of_value_and_key(file: Path) -> None:
    file.write_text("a:\n  - {b: 1,\n     c: two}\n")
    doc = load(file)
    assert doc.place(("a", 0, "c")) == f"{file}:3:9"
    assert doc.place_of_key(("a", 0, "c")) == f"{file}:3:6"
    assert doc.place(("a", 0, "nowhere", 3)) == f"{file}:2:5"


def test_a_complaint_shows_the_line_with_a_caret(file: Path) -> None:
    file.write_text("a: 1\nb: {due: duedat}\n")
    error = load(file).wrong(("b", "due"), "no such field", "did you mean 'duedate'?")
    assert str(error) == (
        f"{file}:2:10: no such field\n  2 | b: {{due: duedat}}\n    |          ^\n  → did you mean 'duedate'?"
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "twice (first in line 1)"),
        ("a:\n\t- 1\n", 2, "tab"),
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: 1\nb: *x\n", 2, "anchors"),
        ("a: 1\n&k b: 2\n", 2, "plain text"),
        ("a: !!python/object:os.system x\n", 1, "tags"),
        ("a: !x [1]\n", 1, "tags"),
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: 1\nb: c: d\n", 2, "mapping values"),
        ("a: 1\nb: [1,\nc: 2\n", 2, "expected"),
        ("a: 1\nb: 'x\nc: 2\n", 2, "end of stream"),
        ("a: 1\nb: \x07\n", 2, "control character"),
        ("a: 2026-02-30\n", 1, "no such day"),
        ("? [a]\n: b\n", 1, "plain text"),
        ("a: " + "[" * 100 + "\n", 1, "deeper"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_line_and_a_hint(
    file: Path, text: str, line: int, says: str
) -> None:
    error = refused(file, text)
    assert error.where.startswith(f"{file}:{line}:")
    assert says in error.what
    assert error.hint


def test_text_that_is_not_utf8_is_refused_with_its_line(file: Path) -> None:
    error = refused(file, b"a: 1\nb: M\xfcller\n")
    assert error.where == f"{file}:2:5"
    assert "UTF-8" in error.what


def test_a_file_larger_than_a_megabyte_is_refused_without_reading_it(file: Path) -> None:
    error = refused(file, "# " + "x" * 1_000_000)
    assert "1 MB" in error.what
    assert error.hint


def test_a_file_that_is_not_there_is_told_with_its_path(file: Path) -> None:
    with pytest.raises(Misconfigured, match="no such file") as caught:
        load(file)
    assert caught.value.where == str(file)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n")
    assert load(file).data == {"a": 1, "b": "x\n"}


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: int = 1


class Root(BaseModel):
    model_config = ConfigDict(extra="forbid")
    mode: Literal["observe", "advise"] = "observe"
    items: list[Item] = []
    by_name: Annotated[dict[str, Item] | None, Field(alias="by-name")] = None
    share: int | None = None
    token: str = ""

    @field_validator("token")
    @classmethod
    def _reference(cls, value: str) -> str:
        if value and not value.startswith("env:"):
            raise ValueError("a secret is given by reference")
        return value


def test_every_error_of_a_model_is_told_at_once_with_its_own_line(file: Path) -> None:
    file.write_text("mode: advice\nitems:\n  - {name: a, sise: 2}\n  - {size: many}\nby-name: {x: {nam: a}}\nmod: 1\n")
    with pytest.raises(Misconfigured) as caught:
        load(file).validated(Root)
    text = str(caught.value)
    assert f"{file}:1:7: mode: should be 'observe' or 'advise', not 'advice'" in text
    assert "did you mean 'advise'?" in text
    assert f"{file}:3:15: unknown key 'sise'" in text
    assert "did you mean 'size'?" in text
    assert f"{file}:4:12: items.1.size: should be a valid integer, not 'many'" in text
    assert "items.1.name is missing" in text
    assert f"{file}:5:15: unknown key 'nam'" in text
    assert f"{file}:6:1: unknown key 'mod'" in text
    assert "did you mean 'mode'?" in text
    assert text.startswith(f"{file}: 6 mistakes"), "a misspelt key is not missing as well"


def test_a_file_that_fits_becomes_the_model(file: Path) -> None:
    file.write_text("items: [{name: a}]\nby-name: {b: {name: b, size: 2}}\n")
    assert load(file).validated(Root) == Root.model_validate(
        {"items": [{"name": "a"}], "by-name": {"b": {"name": "b", "size": 2}}}
    )


@pytest.mark.parametrize("line", ["token: hunter2 and more", 'x: {token: "hunter2", y: 1}', "api_key: 'hunter2"])
def test_a_literal_secret_is_never_shown(file: Path, line: str) -> None:
    file.write_text(line + "\n")
    with pytest.raises(Misconfigured) as caught:
        load(file).validated(Root)
    assert "hunter2" not in str(caught.value)


def test_the_nearest_word_is_offered_and_only_if_it_is_near() -> None:
    assert did_you_mean("Asignee", ["assignee", "status"]) == "did you mean 'assignee'?"
    assert did_you_mean("xyz", ["assignee", "status"]) == ""


def test_several_errors_become_one_and_a_single_one_stays_as_it_is() -> None:
    one, two = Misconfigured("a", where="f:1:1"), Misconfigured("b", where="f:2:1")
    assert together([one]) is one
    assert str(together([one, two], where="f")) == "f: 2 mistakes\nf:1:1: a\nf:2:1: b"


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.dates()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co", "Zl", "Zp"]), max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("ab:# -'\"{}é1.", min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc xyz:/", min_size=1, max_size=12), plain, min_size=1, max_size=4))
def test_what_pmosync_writes_it_reads_back_the_same(data: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        path.write_text(dump(data, comment="Written by a test."), "utf-8")
        again = load(path).data
    assert again == data
    assert list(again) == list(data)
