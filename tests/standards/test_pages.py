"""The guidance pages say what the pack says, need nothing but themselves, and are the same for the same input."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pmosync.standards import Standard, load_packs
from pmosync.standards.pages import INDEX, MARKER, pages

STARTER = load_packs(["starter"], Path())
BY_ID = {one.id: one for one in STARTER}
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as a reader meets it: tags that close in order, what it links to, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(one: Standard, **options: object) -> Page:
    return Page(pages([one], **options)[one.page])  # type: ignore[arg-type]


def test_there_is_one_page_for_each_standard_and_one_that_links_to_them_all() -> None:
    made = pages(STARTER)
    assert set(made) == {INDEX, *(f"{one.id}.html" for one in STARTER)}
    linked = [value for name, value in Page(made[INDEX]).attributes if name == "href"]
    assert sorted(map(str, linked)) == sorted(one.page for one in STARTER)


@pytest.mark.parametrize("one", STARTER, ids=lambda one: one.id)
def test_a_page_says_everything_that_the_pack_says(one: Standard) -> None:
    text = read(one).text
    for told in (one.id, one.title, one.why, one.fix, one.severity, str(one.fix_within_d), one.serves, one.pack):
        assert " ".join(told.split()).lower() in text.lower()
    for param in one.params.values():
        assert param.meaning in text
    for name in one.fields:
        assert name in text


@pytest.mark.parametrize("one", STARTER, ids=lambda one: one.id)
def test_the_condition_is_shown_whole_with_one_part_a_line(one: Standard) -> None:
    (shown,) = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", pages([one])[one.page], re.DOTALL)[:1]
    plain = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&#34;", '"')
    assert re.sub(r"\s", "", plain) == re.sub(r"\s", "", one.when.text)
    assert all(line.count("(") == line.count(")") for line in plain.splitlines())


def test_words_inside_parentheses_and_quotes_begin_no_line() -> None:
    pack_text = pages([BY_ID["DAT105"]])["DAT105.html"]
    assert "\nAND (status = in_progress OR (status = todo AND start_on &lt;= today() + $horizon))</code>" in pack_text


def test_the_examples_stand_in_tables_with_what_is_empty() -> None:
    text = read(BY_ID["DAT101"]).text
    assert "✗ Flagged status assignee created_at today todo empty 2026-11-16 2026-11-20" in text
    assert "blocked empty 2026-11-16 23:59 UTC 2026-11-20" in text
    assert "todo ana 2026-01-05 2026-11-20" in text[text.index("✓ Fine") :]


def test_numbers_and_answers_are_written_for_people() -> None:
    assert "✗ Flagged in_cycle yes" in read(BY_ID["LOG310"]).text
    assert "3 days : how long new work may wait for an owner. Your PMO may choose 0 days to 30 days." in (
        read(BY_ID["DAT101"]).text
    )


def test_the_days_to_fix_are_told_in_words() -> None:
    for days, told in ((0, "on the same day"), (1, "within 1 working day "), (5, "within 5 working days")):
        assert told in read(replace(BY_ID["SCH201"], fix_within_d=days)).text


def test_who_approved_exceptions_is_told_as_far_as_decisions_say() -> None:
    one = BY_ID["SCH201"]
    assert "approved" not in read(one).text, "no decisions were looked at"
    assert "Nobody has approved one so far." in read(one, approvers={}).text
    told = read(one, approvers={"SCH201": ["pmo@acme.example", "cio@acme.example", "pmo@acme.example"]}).text
    assert "So far they were approved by cio@acme.example, pmo@acme.example." in told


def test_the_organisation_is_named_where_it_is_known() -> None:
    assert "What the PMO of Acme asks of project work" in pages(STARTER, organisation="Acme")[INDEX]
    assert "What the PMO asks of project work" in pages(STARTER)[INDEX]


def test_no_flag_is_promised_for_a_project() -> None:
    assert "flag" not in read(BY_ID["GOV603"]).text.lower()
    assert "A task is flagged when this holds" in read(BY_ID["SCH201"]).text


def test_a_standard_that_is_only_observed_says_so() -> None:
    assert "no work is flagged" in read(replace(BY_ID["SCH201"], mode="observe")).text
    assert "no work is flagged" not in read(BY_ID["SCH201"]).text


@pytest.mark.parametrize("name", [INDEX, *(one.page for one in STARTER)])
def test_a_page_needs_nothing_but_itself(name: str) -> None:
    text = pages(STARTER)[name]
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [attribute for attribute, _ in page.attributes if attribute.startswith("on") or attribute == "src"]
    assert "url(" not in text
    assert "@import" not in text
    assert "://" not in text
    assert ("lang", "en") in page.attributes
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("title") == 1


def test_every_page_carries_our_mark_near_its_top() -> None:
    assert all(0 < text.index(MARKER) < 200 for text in pages(STARTER).values())


def test_what_a_pack_says_is_text_and_never_markup() -> None:
    evil = "<script>alert('&')</script>"
    one = replace(BY_ID["SCH201"], title=evil, why=evil, fix=evil, serves=evil, pack=evil)
    made = pages([one], organisation=evil, approvers={"SCH201": [evil]})
    for text in made.values():
        page = Page(text)
        assert "script" not in page.tags
        assert evil in page.text


def test_the_order_of_the_packs_changes_no_byte() -> None:
    assert pages(STARTER) == pages(tuple(reversed(STARTER)))
