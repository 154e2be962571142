"""Shows the sandbox's front page: the projects of both tools.

It keeps the promise that everything there is to see can be reached from it.
"""

from __future__ import annotations

from .call import Rule
from .state import State


def rules(state: State) -> list[Rule]:
    """The front page."""
    return []
