"""Finds the issues that hold a rollup each, and reads the page that stands in them.

It keeps the promise that such an issue is found without a store, by one label that a search knows and one property that
makes it ours: an issue with the label alone is somebody's, and is never touched. None of them is ever a task.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Batch, Record
from pmosync.errors import Refused, Unreadable

from .decode import ODD, person
from .marks import STATUS_LABEL, STATUS_PROPERTY, TITLE_LIMIT
from .pages import alike
from .site import FETCHED, IDS, BrokenPaging, Site

log = logging.getLogger("pmosync.jira")

SLOT = "status_issue"
SCOPE = "rollups"
FIELDS = ("summary", "description", "labels", "project", "creator")
UNLABELLED = f"(the label {STATUS_LABEL} is missing)"
"""Stands at the end of a page whose issue a search no longer finds: so the label comes back with the next write."""


@dataclass(frozen=True, slots=True)
class StatusIssue:
    """One issue of ours."""

    id: str
    key: str
    project: str
    """The id of the project that it is in."""
    creator: str
    rollup: str
    page: str
    """What stands there: the page as we wrote it while summary and description still say it, else what they say."""


@dataclass(frozen=True, slots=True)
class Found:
    """A complete look: the issue of each rollup, and what else bears our property by mistake."""

    by_rollup: Mapping[str, StatusIssue]
    doubles: tuple[StatusIssue, ...] = ()

    def all_of(self, rollup: str) -> list[StatusIssue]:
        """Everything that we ever made for a rollup."""
        here = self.by_rollup.get(rollup)
        return [*([here] if here else []), *(one for one in self.doubles if one.rollup == rollup)]


@dataclass(slots=True)
class Known:
    """What one connector saw or made: it finds an issue also while a search lags or after its label was taken away."""

    ids: dict[str, str] = field(default_factory=dict)
    """Ids of status issues, by rollup."""
    whole: bool = False
    """Whether a full pull looked."""


def look(site: Site, known: Collection[str] = ()) -> Found:
    """Every status issue that the account sees, and those of the `known` ids that the search leaves out.

    The search lags behind what was written and may answer with old text; so it only names the issues.
    """
    query = f'labels = "{STATUS_LABEL}"'
    listed = [str(row["id"]) for page in site.search(query, ["id"], IDS) for row in page]
    ids = list(dict.fromkeys((*listed, *sorted(known))))
    chunks = [ids[first : first + FETCHED] for first in range(0, len(ids), FETCHED)]
    issues: list[dict[str, Any]] = []
    for some, failed in site.session.map(lambda chunk: site.fetch(chunk, FIELDS), chunks):
        if failed:
            raise BrokenPaging("Jira cannot give some of the status issues just now")
        issues += some
    hidden = set(listed) - {str(issue["id"]) for issue in issues}
    if hidden:
        raise BrokenPaging("Jira listed status issues and then did not show them")
    return _sorted(site, issues)


def _sorted(site: Site, issues: Iterable[Mapping[str, Any]]) -> Found:
    """The oldest issue of a rollup is the one; another is left alone and told."""
    by_rollup: dict[str, StatusIssue] = {}
    doubles: list[StatusIssue] = []
    for issue in sorted(issues, key=lambda one: int(one["id"])):
        one = read_issue(site, issue)
        if one is None:
            continue
        first = by_rollup.setdefault(one.rollup, one)
        if first is not one:
            doubles.append(one)
            log.warning(
                "%s: %s and %s both hold the rollup %s. The first is kept up to date; delete the other.",
                site.session.host, first.key, one.key, one.rollup,
            )  # fmt: skip
    return Found(by_rollup, tuple(doubles))


def is_status_issue(issue: Mapping[str, Any]) -> bool:
    """Whether an issue, asked with our properties, is a place for a rollup and thereby no task."""
    return STATUS_PROPERTY in (issue.get("properties") or {})


def read_issue(site: Site, issue: Mapping[str, Any]) -> StatusIssue | None:
    """A status issue as it stands; None for what is not ours."""
    ours = (issue.get("properties") or {}).get(STATUS_PROPERTY)
    if not isinstance(ours, dict) or not ours.get("id"):
        return None
    try:
        fields = issue["fields"]
        body = site.deployment.page(fields.get("description"))
        shown = _joined(str(fields["summary"]), body)
        text = str(ours.get("text") or "")
        title, _, rest = text.partition("\n")
        page = text if alike(shown, _joined(summary_of(title), rest)) else shown
        if STATUS_LABEL not in fields["labels"]:
            page = _joined(page, UNLABELLED)
        creator = person(fields["creator"]).id if fields.get("creator") else ""
        return StatusIssue(
            str(issue["id"]), str(issue["key"]), str(fields["project"]["id"]), creator, str(ours["id"]), page
        )
    except ODD as error:
        raise Unreadable(
            f"{site.session.host}: a status issue came without what every issue has "
            f"({type(error).__name__}: {error}). Check that base_url is a Jira site; if it is, report this."
        ) from None


def summary_of(title: str) -> str:
    """A title as the summary of an issue, which Jira limits."""
    return title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1] + "…"


def _joined(title: str, body: str) -> str:
    return f"{title}\n{body}" if body else title


def record(site: Site, rollup: str, issue_id: str, key: str, page: str | None) -> Record:
    """The record of a status issue. Its version is the issue's id, by which it is found when a search lags."""
    return Record(
        kind="rollup",
        id=rollup,
        key=key,
        url=f"{site.links_at}/browse/{key}",
        version=issue_id,
        scopes=(SCOPE,),
        values={},
        marks={SLOT: page},
    )


def pull(site: Site, stored: Collection[str], known: Known) -> Iterator[Batch]:
    """All status issues, and the proof that there are no others; `stored` are the ids that a store remembers."""
    try:
        found = look(site, {*stored, *known.ids.values()})
    except (Refused, BrokenPaging) as no:
        why = f"The status issues could not be read: {str(no).rstrip('.')}. The next run looks again."
        yield Batch((SCOPE,), "unobserved", why=why)
        return
    known.ids = {rollup: one.id for rollup, one in found.by_rollup.items()}
    known.whole = True
    records = [record(site, one.rollup, one.id, one.key, one.page) for one in found.by_rollup.values()]
    yield Batch((), "observed", records)
    yield Batch((SCOPE,), "complete", kinds=("rollup",), census=tuple(found.by_rollup))
