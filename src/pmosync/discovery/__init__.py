"""The first steps with a site: a configuration to start from, and a mapping suggested from what the site offers.

Nothing that exists is overwritten, nothing is written to a tool, and what is written first says `push: off`.
"""

from __future__ import annotations

from pmosync.discovery.starting import Answers, Initialised, SiteAnswer, init
from pmosync.discovery.suggesting import discover, suggest

__all__ = ["Answers", "Initialised", "SiteAnswer", "discover", "init", "suggest"]
