"""The sandbox's Jira Cloud site: its REST API (version 3, and version 2 with plain text), and its pages.

It keeps the promise that an edit is visible exactly where Jira shows it: in the issue, its history, and people's mail.
"""

from __future__ import annotations

from ..call import Rule
from ..state import State
from . import bulk, edit, pages, search, site, talk


def rules(state: State) -> list[Rule]:
    """Everything the site answers; version 2 of the API, also called latest, has the same resources as version 3."""
    api = [*search.rules(state), *edit.rules(state), *talk.rules(state), *site.rules(state), *bulk.rules(state)]
    older = [
        (methods, path.replace("/rest/api/3/", f"/rest/api/{version}/"), handler)
        for version in ("2", "latest")
        for methods, path, handler in api
    ]
    return [*api, *older, *pages.rules(state)]
