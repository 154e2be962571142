"""Shows the sandbox's front page: the projects of both tools.

It keeps the promise that everything there is to see can be reached from it.
"""

from __future__ import annotations

from functools import partial

from werkzeug.wrappers import Response

from .answers import page
from .call import Call, Rule
from .state import State


def rules(state: State, guidance: str = "") -> list[Rule]:
    """The front page, with a link to the guidance pages where they are served."""
    return [(("GET",), "/", partial(_front, guidance))]


def _front(guidance: str, call: Call) -> Response:
    state = call.state
    jira = state.rows(
        "SELECT key, name, (SELECT count(*) FROM jira_issue WHERE project_id = p.id) AS items, "
        "json_extract(document, '$.projectCategory.name') AS category FROM jira_project AS p ORDER BY name"
    )
    asana = state.rows(
        "SELECT gid, name, (SELECT count(*) FROM asana_placement WHERE project = p.gid) AS items "
        "FROM asana_project AS p ORDER BY name"
    )
    return page("index.html", jira=jira, asana=asana, guidance=guidance, now=f"{state.now():%A, %d %B %Y, %H:%M} UTC")
