"""Our texts as Asana's XML: taken by the sandbox's check in their place, and read back as they were, also changed."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pmosync.sandbox.asana.markup import check
from pmosync_asana.writing import brief, comment_slot, markup

NASTY = (
    "<b>&amp;", "</body>", "]]>", "a\x00b\ud800", "  - x", "# # y", "- ", "&lt;\u00a0&#10;", "\u2028z\r\n\tq", "\ufeff",
    "https://a.example/x?y=\"1\"&z='2'", "(see https://app.asana.com/0/profile/12, please)", "https://", "<!-- -->",
    "End of PMO status.", "PMO status", "PMO: what is open here", "\ufffe\x85|\x1f|\x7f", "http://\u200basana.com",
)  # fmt: skip
texts = st.lists(st.one_of(st.text(max_size=40), st.sampled_from(NASTY)), max_size=6).map("\n".join)


@given(texts)
@example("\n".join(NASTY))
def test_any_text_becomes_a_comment_that_asana_takes_and_that_comes_back(text: str) -> None:
    xml = markup.note(comment_slot.HEADING, text)
    shown = check(xml, "comment")
    story = {"gid": "1", "type": "comment", "created_by": {"gid": "9"}, "html_text": xml, "text": shown}
    assert comment_slot.standing([story], "9") == markup.canonical_text(text)
    plain = {**story, "html_text": None, "text": markup.plain(comment_slot.HEADING, text)}
    assert comment_slot.standing([plain], "9") == markup.canonical_text(text)
    assert not re.search(r"https?://[a-z.]*asana\.com", shown)
    assert not [link for link in ElementTree.fromstring(xml).iter("a") if "asana.com" in link.attrib["href"][:24]]


@given(texts, texts.map(lambda text: f"<p>{len(text)}</p> "))
@example("\n".join(("Title", *NASTY)), "\n")
def test_any_page_becomes_a_section_that_a_brief_takes_and_the_rest_stays_as_it_is(text: str, owner: str) -> None:
    text = markup.canonical_text(text) or "Title"
    assert check(f"<body>{brief.written(text)}</body>", "brief")
    before = brief.parts(f"<body>{owner}</body>")
    html = before.before + brief.written(text) + before.after
    assert brief.standing(html) == text
    taken = brief.parts(html)
    assert taken.before + taken.after == f"<body>{owner}</body>"


@given(texts)
def test_the_canonical_text_is_its_own_canonical_text(text: str) -> None:
    once = markup.canonical_text(text)
    assert markup.canonical_text(once) == once


WIDE = """<body><strong>PMO: what is open here</strong><ul>
 <li>A &amp; B</li>

<li>see <a href="https://x.example/" data-asana-type="url">https://x.example</a></li>
</ul></body>"""
NARROW = "<body>PMO:&#160;what is open here<br/>A&nbsp;&#38; B<br>see https://x.example\n</body>"
ODD = (
    "<body><p><b>PMO: what is open here</b></p><ol><li>A &amp;  B<p></p></li>"
    '<li>see <a href="https://x.example"/></li></ol></body>'
)


@pytest.mark.parametrize("stored", [WIDE, NARROW, ODD])
def test_what_asana_makes_of_a_comment_reads_as_it_was_written(stored: str) -> None:
    story = {"gid": "1", "type": "comment", "created_by": {"gid": "9"}, "html_text": stored}
    assert comment_slot.standing([story], "9") == "A & B\nsee https://x.example"
    assert comment_slot.standing([story], "8") is None


def test_a_page_looks_like_a_page() -> None:
    page = "Cards: amber\nHealth: amber. Late.\nAnd more.\n# Figures\n- Tasks: 3\n- <b>\nEnd"
    assert markup.page(page) == (
        "<strong>Cards: amber</strong>\nHealth: amber. Late.\nAnd more.\n<h2>Figures</h2>"
        "<ul><li>Tasks: 3</li><li>&lt;b&gt;</li></ul>End\n"
    )
    link = markup.inline("read https://pmo.example/a?b&c, now")
    assert link == 'read <a href="https://pmo.example/a?b&amp;c">https://pmo.example/a?b&amp;c</a>, now'
