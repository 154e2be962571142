"""Checks that what we write in wiki markup shows what was meant, and comes back line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmosync_jira.wiki import to_page, to_wiki

SIGNS = "\\{}[]*_+^~|!?-#h1.bq &;:/()'\"9éß漢"
words = st.text(st.sampled_from(SIGNS), min_size=1, max_size=24).map(str.strip).filter(bool)
lines = st.tuples(st.sampled_from(("", "# ", "- ")), words).map("".join)


@given(st.lists(lines, max_size=8))
def test_a_page_comes_back_as_it_was_written(written: list[str]) -> None:
    page = "\n".join(line.strip() for line in written)
    assert to_page(to_wiki(page)) == page


@pytest.mark.parametrize(
    ("line", "markup"),
    [
        ("{code} and *stars*", "\\{code\\} and \\*stars\\*"),
        ("h1. no heading", "\\h1. no heading"),
        ("C:\\temp", "C:&#92;temp"),
        ("see https://pmo.acme.example/a_b_c-d.html, please", "see https://pmo.acme.example/a_b_c-d.html, please"),
        ("[link|https://evil.example]", "\\[link\\|https://evil.example\\]"),
    ],
)
def test_signs_of_people_are_no_markup(line: str, markup: str) -> None:
    assert to_wiki(line) == markup
    assert to_page(markup) == line


def test_headings_and_lists_stand_apart() -> None:
    page = "Amber\n# Findings\n- one\n- two\nDone."
    assert to_wiki(page) == "Amber\n\nh3. Findings\n\n* one\n* two\n\nDone."
