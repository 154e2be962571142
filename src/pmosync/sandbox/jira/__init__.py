"""The sandbox's Jira Cloud site: its REST API (version 3, and version 2 with plain text), and its pages.

It keeps the promise that an edit is visible exactly where Jira shows it: in the issue, its history, and people's mail.
"""

from __future__ import annotations
