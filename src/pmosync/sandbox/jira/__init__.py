"""The sandbox's Jira Cloud site: its REST APIs (platform version 3, version 2 with plain text, agile), its pages.

It keeps the promise that an edit is visible exactly where Jira shows it: in the issue, its history, and people's mail.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from ..call import Call, Handler, Rule
from ..state import State
from . import (
    agile,
    bulk,
    bulk_properties,
    credentials,
    edit,
    fields,
    histories,
    links,
    pages,
    projects,
    properties,
    remote_links,
    search,
    site,
    talk,
    tasks,
    versions,
    worklogs,
)

PARTS = (
    search, edit, fields, talk, links, remote_links, site, projects, properties, bulk, bulk_properties, histories,
    versions, worklogs,
)  # fmt: skip


def rules(state: State) -> list[Rule]:
    """Everything the site answers; version 2 of the API, also called latest, has the same resources as version 3."""
    api = [rule for part in PARTS for rule in part.rules(state)]
    older = [
        (methods, path.replace("/rest/api/3/", f"/rest/api/{version}/"), handler)
        for version in ("2", "latest")
        for methods, path, handler in api
    ]
    return [
        (methods, path, _after_tasks(handler))
        for methods, path, handler in [
            *api,
            *older,
            *agile.rules(state),
            *credentials.rules(state),
            *pages.rules(state),
        ]
    ]


def _after_tasks(handler: Handler) -> Handler:
    """A handler that sees the site with the work of all tasks done whose time has come."""

    def handle(call: Call) -> Response:
        tasks.finish_due(call)
        return handler(call)

    return handle
