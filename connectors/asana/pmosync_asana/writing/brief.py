"""Keeps a section of ours in a project's brief: from its heading to its end mark, and nothing else of the brief.

It keeps the promise that what the owner wrote before and after stays byte for byte: the brief is read immediately
before it is written, and only the characters between our two marks are exchanged. Where one of the marks is missing
nobody can tell what is ours, so nothing is written. A brief is made only where there is none, and taken away only when
we made it and nothing is in it any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import asana

from pmosync.contract import Change, Reading, Receipt, Slot
from pmosync.errors import Refused
from pmosync.http import FateUnknown

from ..api import Api, Asked, one
from .markup import canonical_lines, canonical_text, lines_of, page

Json = dict[str, Any]
SLOT = "brief"
HEADING = "PMO status"
END = "End of PMO status."
"""The first words of the line that ends our section."""
TITLE = "PMO status"
"""Of a brief that we made; by it, and with nothing else in it, it is known as ours."""
POINTER = "project_brief.gid"
"""What to ask of a project, to know its brief."""
FIELDS = "title,html_text"

_BEGINS = re.compile(rf"<h([1-6])\b[^>]*>\s*{HEADING}\s*</h\1>", re.IGNORECASE)
_ENDS = re.compile(rf"<(em|i)\b[^>]*>\s*{re.escape(END)}[^<]*</\1>", re.IGNORECASE)
_NOTHING = re.compile(r"(?:\s|</?body\b[^>]*>)*")
"""A brief without anything in it."""
_LAST_LINE = f"{END} The lines above, up to the heading, are the PMO's and are kept up to date; all else is yours."


# --- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """A brief, taken apart: what comes before our section, the section, and what comes after it."""

    before: str
    section: str
    """Empty: there is none."""
    after: str


class Unclear(Exception):
    """Only one of our two marks is there."""


def parts(html: str) -> Parts:
    """Take a brief apart; without our section everything is the owner's, and ours would come at the end.

    Raises:
        Unclear: it cannot be told where our section begins or ends.
    """
    end = _ENDS.search(html)
    begins = [found for found in _BEGINS.finditer(html) if end is None or found.start() < end.start()]
    if end and begins:
        start = begins[-1].start()
        return Parts(html[:start], html[start : end.end()], html[end.end() :])
    if end or begins:
        there, gone = (f"the line '{END}'", f"the heading '{HEADING}'")[:: 1 if end else -1]
        raise Unclear(
            f"in the project brief {there} stands without {gone}, so nobody can tell what is the PMO's: "
            f"take {there} away, too (pmosync then writes its section anew)"
        )
    closing = html.rfind("</body>")
    if closing >= 0:
        return Parts(html[:closing], "", html[closing:])
    return Parts("<body>" if _NOTHING.fullmatch(html) else f"<body>{html}", "", "</body>")


def standing(html: str) -> str | None:
    """The mark in the slot, from a brief's text; None when there is no section of ours.

    Raises:
        Unclear: it cannot be told where our section begins or ends.
    """
    section = parts(html).section
    return "\n".join(lines_of(section, marked=True)[1:-1]) if section else None


def read(api: Api, briefs: Mapping[str, str | None]) -> dict[str, str | Refused | None]:
    """What stands in these projects, given the gids of their briefs; a refusal where that cannot be read or told."""
    found: dict[str, str | Refused | None] = dict.fromkeys(briefs, None)
    known = {project: brief for project, brief in briefs.items() if brief}
    bodies = api.each(Asked(f"/project_briefs/{brief}", FIELDS) for brief in known.values())
    for project, body in zip(known, bodies, strict=True):
        try:
            gone = isinstance(body, Refused) and body.status == 404
            found[project] = None if gone else body if isinstance(body, Refused) else standing(_html(one(body)))
        except Unclear as unclear:
            found[project] = Refused(str(unclear), status=0)
    return found


def readings(api: Api, slots: Sequence[Slot]) -> Iterator[Reading]:
    """What stands in these slots now."""
    pointers = api.each(Asked(f"/projects/{slot.id}", POINTER) for slot in slots)
    projects = dict(zip([slot.id for slot in slots], pointers, strict=True))
    briefs = {gid: pointer(one(body)) for gid, body in projects.items() if not isinstance(body, Refused)}
    found = {gid: body for gid, body in projects.items() if isinstance(body, Refused)} | read(api, briefs)
    for slot in slots:
        value = found[slot.id]
        yield Reading(slot, None, str(value)) if isinstance(value, Refused) else Reading(slot, value)


def pointer(project: Mapping[str, Any]) -> str | None:
    """The gid of a project's brief, where `POINTER` was asked for."""
    return (project.get("project_brief") or {}).get("gid")


def _html(brief: Mapping[str, Any]) -> str:
    return str(brief.get("html_text") or "")


# --- writing --------------------------------------------------------------------------------------------------------


def written(text: str) -> str:
    """Our section for a page."""
    return f"<h1>{HEADING}</h1>{page(text)}<em>{escape(_LAST_LINE, quote=False)}</em>"


class Briefs:
    """One push of sections."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._briefs = asana.ProjectBriefsApi(api.tasks.api_client)

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Write or take away; every refusal is a receipt."""
        return self.api.session.map(self._write, list(changes))

    def _write(self, change: Change) -> Receipt:
        try:
            brief = self._look(change.slot.id)
            if change.after is None:
                return self._clear(change, brief)
            return self._make(change) if brief is None else self._put(change, brief, change.after)
        except Unclear as unclear:
            return Receipt(change, "refused", why=f"{_named(change)}: {unclear}")
        except Refused as refusal:
            return _refused(change, refusal)
        except FateUnknown as lost:
            return self._look_again(change, lost)

    def _look(self, project: str) -> Json | None:
        """The project's brief as it is now; None when it has none."""
        gid = pointer(one(self.api.projects.get_project(project, {"opt_fields": POINTER})))
        if gid is None:
            return None
        try:
            return one(self._briefs.get_project_brief(gid, {"opt_fields": FIELDS}))
        except Refused as refusal:
            if refusal.status == 404:  # deleted between the two calls
                return None
            raise

    def _put(self, change: Change, brief: Json, text: str) -> Receipt:
        there = parts(_html(brief))
        if there.section and canonical_lines(standing(_html(brief)) or "") == canonical_lines(text):
            return Receipt(change, "done", standing(_html(brief)))
        return self._done(change, self._sent(brief, there.before + written(text) + there.after))

    def _sent(self, brief: Json, html: str) -> Any:
        body = {"data": {"html_text": html}}
        return self._briefs.update_project_brief(body, brief["gid"], {"opt_fields": FIELDS})

    def _make(self, change: Change) -> Receipt:
        data = {"title": TITLE, "html_text": f"<body>{written(change.after or '')}</body>"}
        body = self._briefs.create_project_brief({"data": data}, change.slot.id, {"opt_fields": FIELDS})
        return self._done(change, body)

    def _clear(self, change: Change, brief: Json | None) -> Receipt:
        there = parts(_html(brief)) if brief else Parts("", "", "")
        if brief is None or not there.section:
            return Receipt(change, "done")
        left = there.before + there.after
        if brief.get("title") == TITLE and _NOTHING.fullmatch(left):
            self._briefs.delete_project_brief(brief["gid"])
        else:
            self._sent(brief, left)
        return Receipt(change, "done")

    def _look_again(self, change: Change, lost: FateUnknown) -> Receipt:
        """A project has one brief at most; whether ours arrived is seen at once."""
        brief = self._look(change.slot.id)
        value = standing(_html(brief)) if brief else None
        if value is not None and value == canonical_text(change.after or ""):
            return Receipt(change, "done", value)
        return Receipt(change, "unknown", why=f"{_named(change)}: {lost}")

    def _done(self, change: Change, body: Any) -> Receipt:
        return Receipt(change, "done", standing(_html(one(body))))


def cost(change: Change) -> Iterator[str]:
    """The calls for one section."""
    yield from ("GET /projects/{project_gid}", "GET /project_briefs/{project_brief_gid}")
    yield "PUT /project_briefs/{project_brief_gid}"


def why_not(refusal: Refused) -> str:
    """Why briefs may not be written, with the next step."""
    steps = {
        402: "Project briefs need a paid plan of Asana: leave `brief` out of `write`.",
        403: "Make the account an editor of the project, or leave `brief` out of `write`.",
    }
    return f"{refusal} {steps.get(refusal.status, '')}".rstrip()


def _named(change: Change) -> str:
    return change.key or change.slot.id


def _refused(change: Change, refusal: Refused) -> Receipt:
    """What Asana did not take; to clear what is gone is done."""
    if change.after is None and refusal.status == 404:
        return Receipt(change, "done")
    return Receipt(change, "refused", why=f"{_named(change)}: {why_not(refusal)}")
