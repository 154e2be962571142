"""Shows the Jira site's projects and issues as pages, the way the people of a team see them.

It keeps the promise that what a program wrote is as prominent on the page as Jira makes it.
"""

from __future__ import annotations

from ..call import Rule
from ..state import State


def rules(state: State) -> list[Rule]:
    """The pages."""
    return []
