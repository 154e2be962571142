"""The sandbox's Jira Cloud site: its REST API (version 3, and version 2 with plain text), and its pages.

It keeps the promise that an edit is visible exactly where Jira shows it: in the issue, its history, and people's mail.
"""

from __future__ import annotations

from ..call import Rule
from ..state import State
from . import edit, pages, search, site, talk


def rules(state: State) -> list[Rule]:
    """Everything the site answers; version 2 of the API has the same resources as version 3."""
    api = [*search.rules(state), *edit.rules(state), *talk.rules(state), *site.rules(state)]
    version_2 = [(methods, path.replace("/rest/api/3/", "/rest/api/2/"), handler) for methods, path, handler in api]
    return [*api, *version_2, *pages.rules(state)]
