"""The sandbox's Asana takes rich text where and as the vendor takes it, and refuses the rest in the vendor's words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmosync.sandbox.answers import Refused
from pmosync.sandbox.asana import markup

from .asana_site import Site, small_site

HEADED = "<body><h1>Status</h1>All <strong>well</strong>.<hr/>Bye</body>"
TABLE = '<body><table><tr><td colspan="2">a</td></tr></table><img src="x" data-asana-gid="1"/></body>'


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<body>a &lt; b &amp; c &#8364;</body>", "a < b & c €"),
        ("<body>Two\nlines <em>and <u>more</u></em></body>", "Two\nlines and more"),
        (
            "<body>Open:<ul><li>one<ol><li>two</li></ol></li><li>three</li></ul>end</body>",
            "Open:\none\ntwo\nthree\nend",
        ),
        ('<body><a href="https://acme.example/x">there</a></body>', "there"),
        ('<body><a data-asana-gid="1208000000000002"/></body>', "1208000000000002"),
        ("<body><blockquote>said</blockquote><pre>code</pre></body>", "said\ncode"),
    ],
)
def test_what_is_allowed_everywhere_reads_as_plain_text(html: str, plain: str) -> None:
    assert {markup.check(html, where) for where in markup.ALLOWED} == {plain}


@pytest.mark.parametrize(
    "html",
    [
        "no body",
        "<body>a & b</body>",
        "<body>a < b</body>",
        "<body>open <strong></body>",
        "<body>&nbsp;</body>",
        "<body><p>paragraph</p></body>",
        "<body>line<br/>break</body>",
        "<body><div>block</div></body>",
        "<body><script>x</script></body>",
        "<body><STRONG>loud</STRONG></body>",
        '<body><strong class="x">said</strong></body>',
        '<body class="x">said</body>',
        '<body><a onclick="x">link</a></body>',
        "<body><li>alone</li></body>",
        "<body><ul>text<li>one</li></ul></body>",
        "<body><strong><ul><li>one</li></ul></strong></body>",
        "<body><!-- hidden --></body>",
        '<!DOCTYPE body [<!ENTITY a "b">]><body>&a;</body>',
        "<div><body>inside</body></div>",
        "<body>one</body><body>two</body>",
        17,
        None,
    ],
)
def test_what_is_no_rich_text_of_asanas_is_refused_everywhere(html: object) -> None:
    for where in markup.ALLOWED:
        with pytest.raises(Refused) as refusal:
            markup.check(html, where)
        assert (refusal.value.status, refusal.value.body["errors"][0]["message"]) == (400, "XML is invalid")


def test_headings_are_for_tasks_and_briefs_and_tables_for_briefs() -> None:
    taken = {
        (name, where)
        for name, html in (("headed", HEADED), ("table", TABLE))
        for where in markup.ALLOWED
        if _takes(html, where)
    }
    assert taken == {("headed", "task"), ("headed", "project"), ("headed", "brief"), ("table", "brief")}
    assert markup.check(HEADED, "task") == "Status\nAll well.\nBye"


def _takes(html: str, where: str) -> bool:
    try:
        markup.check(html, where)
    except Refused:
        return False
    return True


def test_a_refused_text_leaves_nothing_behind_wherever_it_was_sent(site: Site) -> None:
    task, before = site.gids["tasks"][0], site.control("GET", "state")
    wrong = "<body>Tom & Ann</body>"
    sent = [
        ("POST", f"/tasks/{task}/stories", {"html_text": wrong}),
        ("POST", "/status_updates", {"parent": site.gids["project"], "status_type": "on_track", "html_text": wrong}),
        ("PUT", f"/tasks/{task}", {"html_notes": wrong, "name": "New"}),
    ]
    for method, path, data in sent:
        answer = site.call(method, path, data=data)
        assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, "XML is invalid")
    assert site.control("GET", "state") == before
    site.write("PUT", f"/tasks/{task}", html_notes=HEADED)
    assert site.get(f"/tasks/{task}")["notes"] == "Status\nAll well.\nBye"


def test_an_asana_of_plain_text_only_refuses_all_rich_text_and_an_older_one_the_newer_tags(site: Site) -> None:
    path = f"/tasks/{site.gids['tasks'][0]}/stories"
    site.control("POST", "switches", {"asana": {"html": "plain-only"}})
    assert site.call("POST", path, data={"html_text": "<body>Hello</body>"}).status_code == 400
    assert site.write("POST", path, text="a < b")["text"] == "a < b"
    site.control("POST", "switches", {"asana": {"html": "narrow"}})
    assert site.write("POST", path, html_text="<body><em>Hello</em></body>")["text"] == "Hello"
    assert site.call("POST", path, data={"html_text": "<body><pre>Hello</pre></body>"}).status_code == 400
    site.control("POST", "switches", {"asana": {"html": None}})
    assert site.write("POST", path, html_text="<body><pre>Hello</pre></body>")["text"] == "Hello"
    assert site.call("POST", path, data={"text": "a", "html_text": "<body>a</body>"}).status_code == 400
