"""Our section of a project's brief: written between two marks, with the owner's text around it left to the letter."""

from __future__ import annotations

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Change, Receipt, Scope, Slot
from pmosync_asana.writing import brief

from .asana_kit import Client, client
from .test_asana_status_update import project

PAGE = (
    "PMO status: Move: amber\nHealth: amber. <Late> & more.\n"
    "# Figures\n- Tasks: 3\n- See https://pmo.acme.example/x\nDone."
)
NEXT = "PMO status: Move: green\nHealth: green.\n# Figures\n- Tasks: 4"
OWNER = (
    "<body><h1>Why we move</h1>The <em>lease</em> ends.\n\n<ul><li>May</li></ul>"
    "<table><tr><td>a &amp; b</td></tr></table>  \n</body>"
)


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client; nothing has to be pulled for this."""
    return client(sandbox)


def briefs(sandbox: Sandbox) -> dict[str, str | None]:
    """The gids of the briefs, by project."""
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    rows = sandbox.asana("GET", "projects", workspace=workspace, limit=100, opt_fields="project_brief.gid")["data"]
    return {row["gid"]: (row["project_brief"] or {}).get("gid") for row in rows}


def without_a_brief(sandbox: Sandbox) -> str:
    return next(gid for gid, held in briefs(sandbox).items() if held is None)


def with_a_brief(sandbox: Sandbox, html: str = OWNER) -> str:
    gid = without_a_brief(sandbox)
    given = {"data": {"title": "Project brief", "html_text": html}}
    sandbox.asana("POST", f"projects/{gid}/project_briefs", given)
    return gid


def held(sandbox: Sandbox, gid: str) -> str | None:
    """The text of a project's brief."""
    there = briefs(sandbox)[gid]
    return str(sandbox.asana("GET", f"project_briefs/{there}")["data"]["html_text"]) if there else None


def edit(sandbox: Sandbox, gid: str, html: str) -> None:
    """The owner writes."""
    sandbox.asana("PUT", f"project_briefs/{briefs(sandbox)[gid]}", {"data": {"html_text": html}})


def write(asana: Client, gid: str, after: str | None, before: str | None = None) -> Receipt:
    (receipt,) = asana.connector.push([Change(Slot("project", gid, "brief"), before, after, gid, "Move")])
    return receipt


def test_the_owners_text_stays_as_it_is_around_our_section(sandbox: Sandbox, asana: Client) -> None:
    gid = with_a_brief(sandbox)
    assert (write(asana, gid, PAGE).value, write(asana, gid, PAGE).fate) == (PAGE, "done")
    html = held(sandbox, gid) or ""
    assert html.startswith(OWNER.removesuffix("</body>"))
    added = html.replace("</body>", "<h2>And then?</h2>We stay.</body>").replace("The <em>lease", "Our <em>lease")
    edit(sandbox, gid, added)
    assert write(asana, gid, NEXT, PAGE).value == NEXT
    html = held(sandbox, gid) or ""
    assert html.endswith("</em><h2>And then?</h2>We stay.</body>")
    assert [r.value for r in asana.connector.read([Slot("project", gid, "brief")])] == [NEXT]
    sandbox.forget_requests()
    assert write(asana, gid, NEXT, NEXT).value == NEXT
    assert sandbox.requests()["writes"] == 0
    assert write(asana, gid, None, NEXT).fate == "done"
    rest = OWNER.replace("The <em>lease", "Our <em>lease").removesuffix("</body>")
    assert held(sandbox, gid) == f"{rest}<h2>And then?</h2>We stay.</body>"
    assert not sandbox.control("GET", "asana/notifications")


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_brief_is_made_where_there_is_none_and_goes_when_only_ours_was_in_it(
    sandbox: Sandbox, asana: Client, kind: str
) -> None:
    gid = without_a_brief(sandbox)
    sandbox.fault({"kind": kind, "times": 1, "match": {"path": "/project_briefs$", "method": "POST"}})
    first = write(asana, gid, PAGE)
    assert first.fate in ("done", "unknown")
    assert write(asana, gid, PAGE).value == PAGE
    assert write(asana, gid, None, PAGE).fate == "done"
    assert held(sandbox, gid) is None
    write(asana, gid, PAGE)
    html = held(sandbox, gid) or ""
    edit(sandbox, gid, html.replace("</body>", "Mine</body>"))
    write(asana, gid, None, PAGE)
    assert held(sandbox, gid) == "<body>Mine</body>"


def test_where_one_of_our_marks_is_missing_nothing_is_written_and_a_person_is_asked(
    sandbox: Sandbox, asana: Client
) -> None:
    half = "<body><h1>PMO status</h1>All is well.</body>"
    gid = with_a_brief(sandbox, half)
    receipt = write(asana, gid, PAGE)
    assert receipt.fate == "refused"
    assert "the heading 'PMO status' stands without the line 'End of PMO status.'" in receipt.why
    (reading,) = asana.connector.read([Slot("project", gid, "brief")])
    assert "take the heading 'PMO status' away, too" in reading.why
    assert write(asana, gid, None, PAGE).fate == "refused"
    assert held(sandbox, gid) == half
    with pytest.raises(brief.Unclear, match=r"the line 'End of PMO status.' stands without"):
        brief.standing("<body>Text<em>End of PMO status. And so on.</em></body>")


WIDE = """<body>Mine
<h1 class="x"> PMO status </h1>
<strong>T: red</strong>

<h2>A</h2>
<ul>
<li>b &#38; c</li>
</ul>
d
<em>End of PMO status. All else is yours.</em>
Hers</body>"""
NARROW = """<body>Mine
<h2>PMO status</h2><b>T: red</b><h3>A</h3><ul><li>b &amp;&nbsp;c</li></ul>d<br/><i>End of PMO status.</i>
Hers</body>"""


@pytest.mark.parametrize("stored", [WIDE, NARROW])
def test_our_section_is_found_in_whatever_asana_makes_of_it(stored: str) -> None:
    assert brief.standing(stored) == "T: red\n# A\n- b & c\nd"
    found = brief.parts(stored)
    assert (found.before, found.after) == ("<body>Mine\n", "\nHers</body>")


def test_a_heading_of_the_owner_with_our_words_is_not_ours() -> None:
    html = f"<body><h1>PMO status</h1>Ask Ann.{brief.written('T')}</body>"
    assert brief.parts(html).before == "<body><h1>PMO status</h1>Ask Ann."
    assert brief.parts("").before + brief.parts("<body/>").after == "<body></body>"


def test_a_plan_without_briefs_and_a_project_that_is_not_ours_are_told_with_the_next_step(
    sandbox: Sandbox, asana: Client
) -> None:
    gid = with_a_brief(sandbox)
    scope = Scope((gid, project(sandbox)), slots=("brief",))
    assert asana.connector.prepare(scope, False).limitations == ()
    sandbox.fault({"kind": "status", "status": 402, "match": {"path": "/project_briefs/"}})
    (limit,) = asana.connector.prepare(scope, False).limitations
    assert (limit.project, limit.slot, limit.lacks) == ("*", "brief", "a paid plan")
    assert "leave `brief` out of `write`" in limit.why
    assert "leave `brief` out of `write`" in write(asana, gid, PAGE).why
    sandbox.fault({"kind": "status", "status": 403, "match": {"path": "/project_briefs/", "method": "PUT"}})
    assert "Make the account an editor of the project" in write(asana, gid, PAGE).why
    assert held(sandbox, gid) == OWNER
    estimate = asana.connector.cost([Change(Slot("project", gid, "brief"), None, PAGE)]).calls
    assert estimate["PUT /project_briefs/{project_brief_gid}"] == 1
