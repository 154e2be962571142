"""What differs between Jira Cloud and Jira Data Center, behind one name; each of the two is a small adapter.

It keeps the promise that a caller never asks which of them it speaks to: it names issues, projects and permissions, and
the adapter knows the calls. Both are under the same contract tests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, Protocol

from pmosync.errors import Refused, Unreadable
from pmosync.http import PoliteSession

Name = Literal["cloud", "data_center"]

FETCHED = 100
"""Issues that are fetched together: Jira Cloud's limit."""
RECONCILED = 50
"""Issues that a search can be told to look at as they are now."""
PAGE = 100
"""Rows per page where Jira caps pages that carry fields."""

Rows = list[dict[str, Any]]


class BrokenPaging(Exception):
    """A list could not be read to its end; the text says what came instead."""


class Deployment(Protocol):
    """The calls that differ. Rows are Jira's JSON; both adapters give the same shape where callers look."""

    name: Name
    title: str
    """For people: `Jira Cloud`."""
    api: str
    """Where the platform's calls are: `/rest/api/3`."""
    bulk: bool
    """Whether many issues can be edited, and many histories read, with one call."""

    def projects(self, named: Sequence[str], *, description: bool, prop: str) -> Rows:
        """Projects with lead, and with `properties` holding `prop` where it names one; those that are named (by key or
        id; at least these) or all that the account sees, archived ones too."""
        ...

    def renamed(self, name: str) -> str | None:
        """The id of the project that was called like this key before; None: there is none that the account sees."""
        ...

    def trashed(self, named: Sequence[str]) -> Collection[str]:
        """Which of these project keys or ids are in the trash, as far as the account may know."""
        ...

    def search(
        self, where: str, fields: Sequence[str], *, projects: Sequence[str] = (), size: int = PAGE,
        properties: Sequence[str] = (), fresh: Sequence[str] = (),
    ) -> Iterator[Rows]:  # fmt: skip
        """Pages of the issues that match, in the stable order of their ids. Raises `BrokenPaging` when the end is not
        proven.

        Args:
            where: JQL without ORDER BY; empty with `projects`.
            projects: ids of the projects to search; none: `where` says it all.
            properties: keys of our properties. Data Center gives them of issues that bear a label of ours.
            fresh: ids, up to 50, of issues that are to be judged as they are now, where the site's index can be told.
        """
        ...

    def fetch(
        self, ids: Sequence[str], fields: Sequence[str], properties: Sequence[str],
        everywhere_in: Collection[str] | None = None, *, history: bool = False,
    ) -> tuple[Rows, set[str]]:  # fmt: skip
        """Up to 100 issues with our properties, and the ids that Jira cannot give just now. Hidden ones lack.

        Args:
            everywhere_in: projects where our properties may stand without a label of ours; None: everywhere. In others
                an issue without a label may come without `properties`: nothing is known of them then.
            history: with the whole history of each, where a bulk call does not give it.
        """
        ...

    def shown(self, ids: Sequence[str], fields: Sequence[str]) -> Rows:
        """Up to 100 issues as they can be seen one by one, the archived ones, too. Hidden ones lack."""
        ...

    def changed_since(self, at_ms: int) -> str:
        """The JQL condition that finds what was updated at an instant (ms since 1970) or later."""
        ...

    def users(self) -> Iterator[Rows]:
        """Pages of everybody who has an account."""
        ...

    def granted(
        self, permissions: Sequence[str], everywhere: Sequence[str], project_ids: Sequence[str]
    ) -> tuple[set[str], dict[str, set[str]]]:
        """Which global permissions of `everywhere` the account has, and the projects where it has each of
        `permissions`."""
        ...

    def document(self, page: str) -> Any:
        """A page of ours (see the form `page`) as a long text field takes it."""
        ...

    def page(self, document: Any) -> str:
        """The page that a long text field shows."""
        ...


def rows_of(page: Any, name: str, host: str) -> Rows:
    """The rows of an answer."""
    rows = page.get(name) if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise Unreadable(f"{host}: an answer came without its {name}. Check that base_url is a Jira site.")
    return rows


def must_read(session: PoliteSession, method: str, path: str, **options: Any) -> Any:
    """A call without which nothing of the site can be read."""
    try:
        return session.call(method, path, **options).data
    except Refused as no:
        if no.status == 0:
            raise
        raise Unreadable(f"{no} Check that base_url is a Jira site, and `deployment` if it is set.") from no


def project_of_old_key(session: PoliteSession, api: str, name: str) -> str | None:
    """The id of the project that a key leads to: one that was renamed answers to its old keys, too."""
    answer = session.call("GET", f"{api}/project/{name}", expect=(403, 404))
    return str(answer.data["id"]) if answer.status == 200 and isinstance(answer.data, dict) else None
