"""The same report in every format: complete, fit for its place, and deaf to what the tools' texts would like to be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from pmosync.model import SEVERITIES
from pmosync.reports import data, html, markdown, words
from pmosync.rollup import DIMENSIONS
from tests.reports.reading import FIGURES, Page, Told, from_markdown, from_text, printed
from tests.reports.sample import HOSTILE, sample

REPORT = sample()
IDS = [one.rollup.id for one in REPORT.entries]


def expected() -> Told:
    """Every figure, from the numbers of the JSON document, written as people read it."""
    told: Told = {}
    for one in data.document(REPORT)["rollups"]:
        shares = {name: "–" if one[name] is None else f"{round(100 * one[name])}%" for name in words.SHARES}
        told[one["id"]] = {
            **{name: str(one[name]) for name in (*words.COUNTS, *words.APART)},
            **shares,
            **{name: str(one["findings"].get(name, 0)) for name in SEVERITIES},
            "findings": str(sum(one["findings"].values())),
            "observed_tasks": f"{one['observed_tasks']} of {one['tasks']}",
        }
    return told


def figures(told: Told) -> Told:
    return {one: {name: found[name] for name in FIGURES} for one, found in told.items()}


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_terminal_shows_every_figure_of_the_document(width: int) -> None:
    assert figures(from_text(printed(REPORT, width), IDS)) == expected()


def test_the_markdown_table_shows_every_figure_of_the_document() -> None:
    assert figures(from_markdown(markdown.render(REPORT), IDS)) == expected()


def test_the_page_shows_every_figure_of_the_document_in_the_tree_and_at_the_top() -> None:
    page = Page(html.render(REPORT))
    assert figures(page.tree) == expected()
    assert figures(page.top) == {IDS[0]: expected()[IDS[0]]}


def everything() -> list[str]:
    """What all formats say beside the figures."""
    told = ["Sunday 22 November 2026, 02:22 UTC+1", "read 12 minutes ago (2026-11-22 02:10 UTC+1)"]
    told += ["Load of the weeks ahead", "Ana Bell (developer)", "▲ 44/40", "1 of 1", "12/–", "16 Nov", "1 Feb"]
    told.append("Hours to do / hours that can be worked, of 1 of 3 people; of the others one of the two is not known")
    told.append("waiver W-17 (SCH201, program:digital) ends on 2026-11-30: 3 findings will be back")
    for one in REPORT.entries:
        told.append(words.difference(one.rollup))
        if one.depth == 0 or one.rollup.level == "program":
            told.append(words.reason(one.rollup))
        if one.rollup.level == "project":
            told += [words.dimension(one.rollup, name) for name in DIMENSIONS]
            told += [each.title for each in one.standards]
        told += [words.unobserved(each) for each in one.unobserved]
        told += words.blind(one)
        told.append(words.missing(one))
    return told


def flat(text: str) -> str:
    """Without escapes, case and the ends of lines."""
    return " ".join(text.replace("\\", "").replace("&#39;", "'").split()).lower()


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_every_format_tells_reasons_differences_age_and_what_was_not_observed(form: str) -> None:
    pages = {"text": printed(REPORT, 400), "markdown": markdown.render(REPORT), "html": Page(html.render(REPORT)).text}
    page = flat(pages[form])
    assert [told for told in everything() if flat(told) not in page] == []


def test_grey_always_says_what_is_missing() -> None:
    for page in (printed(REPORT, 400), markdown.render(REPORT), Page(html.render(REPORT)).text):
        assert "not known: the register has no baseline of effort" in flat(page)
        assert "fewer than half of the tasks have an estimate" in flat(page) or "– unless half" in flat(page)


# --- the terminal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_none_is_cut(width: int) -> None:
    page = printed(sample(HOSTILE), width)
    assert max(len(line) for line in page.splitlines()) <= width
    assert "…" not in page


def test_a_title_cannot_steer_the_terminal() -> None:
    page = printed(sample(HOSTILE), 120)
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_the_site_that_was_not_observed_stands_beside_every_figure_at_the_top() -> None:
    top = printed(REPORT, 200).split("standard", 1)[0]
    for name in ("counts", "progress", "compliance", "findings", "observed"):
        (line,) = re.findall(rf"^  {name} .*$", top, re.MULTILINE)
        assert "(acme-asana, part of acme-jira not observed)" in line
    tree = printed(REPORT, 80).split("Programs and projects", 1)[1].split("\nInstant payments", 1)[0]
    tables = len(re.findall(r"^Acme ", tree, re.MULTILINE))
    assert tables > 1
    assert tree.count("(acme-asana not observed)") == 2 * tables


# --- Markdown ---------------------------------------------------------------------------------------------------------


def tokens(page: str) -> list[Any]:
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    return [inner for one in made for inner in (one, *(one.children or ()))]


def test_a_title_stays_text_in_markdown() -> None:
    page = markdown.render(sample(HOSTILE))
    found = tokens(page)
    harmless, calm = tokens(markdown.render(REPORT)), {"text", "text_special", "softbreak"}
    kinds = {one.type for one in found}
    assert kinds - calm == {one.type for one in harmless} - calm
    for kind in ("tr_open", "td_open", "heading_open", "strong_open", "link_open", "paragraph_open"):
        assert sum(one.type == kind for one in found) == sum(one.type == kind for one in harmless), kind
    assert {one.attrs["href"] for one in found if one.type == "link_open"} == {
        "https://acme.example/browse/PAY",
        "https://pmo.acme.example/standards/SCH201.html",
    }


def test_what_markdown_shows_of_a_hostile_title_is_the_title() -> None:
    shown = MarkdownIt("commonmark").parse(markdown.escaped(HOSTILE))[1].children or []
    assert "".join(one.content for one in shown).replace("\u200b", "") == words.plain(HOSTILE)


@pytest.mark.parametrize(
    "title", ["# a", "- a", "+ a", "1. a", "12) a", "> a", "=== a", "a @boss", "https://x.y", ":tada:"]
)
def test_no_title_begins_a_block_mentions_somebody_or_becomes_an_address(title: str) -> None:
    written = markdown.escaped(title)
    assert [one.type for one in MarkdownIt("commonmark").parse(written)] == [
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]
    assert not re.search(r"@\w|(?<!\\):[\w/]", written)


# --- the page ---------------------------------------------------------------------------------------------------------


def test_a_title_stays_text_on_the_page() -> None:
    page, harmless = Page(html.render(sample(HOSTILE))), Page(html.render(REPORT))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert words.plain(HOSTILE) in page.text
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_the_page_loads_nothing_runs_nothing_and_links_only_to_pages() -> None:
    text = html.render(sample(HOSTILE))
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    assert not any({"src", "srcset", "style", "xlink:href"} & attributes.keys() for _, attributes in page.tags)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    assert not re.search(r"url\(|@import|expression", style[1])
    addresses = {str(one["href"]) for tag, one in page.tags if tag == "a"}
    assert addresses == {"https://acme.example/browse/PAY", "https://pmo.acme.example/standards/SCH201.html"}
    policy = next(one["content"] for tag, one in page.tags if one.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_colours_are_words_and_shapes_too_and_tables_have_headers() -> None:
    text = html.render(REPORT)
    page = Page(text)
    for colour in words.SHAPES:
        pictures = text.count(f'<use href="#{colour}"/>')
        assert pictures
        assert len(re.findall(rf'<use href="#{colour}"/></svg>(?:<span>)?{colour}<', text)) == pictures
    rows = re.findall(r"<tr.*?</tr>", text, re.DOTALL)
    assert rows
    assert all('<th scope="' in row for row in rows)
    assert all("aria-label" in one or one.get("aria-hidden") for tag, one in page.tags if tag == "svg")


def channel(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    digits = colour.strip().lstrip("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    red, green, blue = (channel(int(digits[at : at + 2], 16)) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_text_stands_out_from_what_it_stands_on() -> None:
    style = Path(html.__file__).with_name("templates").joinpath("report.css").read_text("utf-8")
    themes = [
        dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(themes) == 3  # light, dark, paper
    for theme in themes:
        for text in ("ink", "soft", "accent", "green", "amber", "red", "grey"):
            for ground in ("paper", "ground"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme)
        for colour in words.SHAPES:
            for text in (colour, "ink", "soft"):
                assert contrast(theme[text], theme[f"{colour}-tint"]) >= 4.5, (text, colour, theme)
        for bar in ("bar", "critical", "high"):
            assert contrast(theme[bar], theme["paper"]) >= 3, (bar, theme)
