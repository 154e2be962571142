"""Says which scopes a call needs: the classic ones, or in their place the granular ones.

It keeps the promise that a token without the scope of a call is refused, whatever the account behind it may do.
"""

from __future__ import annotations

import re
from collections.abc import Collection

READ, WRITE, USER = "read:jira-work", "write:jira-work", "read:jira-user"
PROJECT, CONFIGURATION, WEBHOOK = "manage:jira-project", "manage:jira-configuration", "manage:jira-webhook"
READING_POSTS = r"/(search/jql|search/approximate-count|bulkfetch|comment/list|worklog/list|search)$"

# Of calls (methods, end of the path): the classic scopes, and the granular ones that stand in place of them. The
# first that fits counts.
NEEDED: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("GET", r"/(serverInfo|_edge/tenant_info)$", (), ()),
    ("POST", r"/permissions/check$", (), ("read:permission:jira",)),
    ("GET", r"/mypermissions$", (READ,), ("read:permission:jira",)),
    ("GET", r"/agile/1.0/board.*/sprint$", ("read:sprint:jira-software",), ("read:sprint:jira-software",)),
    ("GET", r"/agile/1.0/board", ("read:board-scope:jira-software",), ("read:board-scope:jira-software",)),
    ("GET", r"/agile/1.0/sprint", ("read:sprint:jira-software",), ("read:sprint:jira-software",)),
    ("POST|PUT", r"/agile/1.0/sprint", ("write:sprint:jira-software",), ("write:sprint:jira-software",)),
    ("GET|POST|PUT|DELETE", r"/webhook", (READ, WEBHOOK), ("read:webhook:jira", "write:webhook:jira")),
    ("GET", r"/(myself|user|user/search|users/search|users)$", (USER,), ("read:user:jira",)),
    ("GET", r"/field/\{[^}]*\}/context", (CONFIGURATION,), ("read:custom-field-contextual-configuration:jira",)),
    ("GET", r"/field", (READ,), ("read:field:jira",)),
    ("POST", r"/issue/bulkfetch$", (READ,), ("read:issue:jira",)),
    ("POST", r"/changelog/bulkfetch$", (READ,), ("read:issue.changelog:jira",)),
    ("GET", r"/changelog$", (READ,), ("read:issue.changelog:jira",)),
    ("GET|POST", READING_POSTS, (READ,), ("read:issue-details:jira",)),
    ("PUT|POST", r"/project/\{[^}]*\}/properties", (PROJECT,), ("write:project.property:jira",)),
    ("DELETE", r"/project/\{[^}]*\}/properties", (PROJECT,), ("delete:project.property:jira",)),
    ("GET", r"/project/\{[^}]*\}/properties", (READ,), ("read:project.property:jira",)),
    ("DELETE|POST", r"/project/\{[^}]*\}(/archive|/restore)?$", (CONFIGURATION,), ("delete:project:jira",)),
    ("PUT", r"/project/\{[^}]*\}$", (PROJECT,), ("write:project:jira",)),
    ("GET", r"/project", (READ,), ("read:project:jira",)),
    ("POST|PUT|DELETE", r"/version", (PROJECT,), ("write:project-version:jira",)),
    ("GET", r"/properties", (READ,), ("read:issue.property:jira",)),
    ("POST|PUT", r"/comment/.*/properties", (WRITE,), ("write:comment.property:jira",)),
    ("POST|PUT", r"/properties", (WRITE,), ("write:issue.property:jira",)),
    ("DELETE", r"/properties", (WRITE,), ("delete:issue.property:jira",)),
    ("GET", r"/comment", (READ,), ("read:comment:jira",)),
    ("POST|PUT", r"/comment", (WRITE,), ("write:comment:jira",)),
    ("DELETE", r"/comment", (WRITE,), ("delete:comment:jira",)),
    ("GET", r"/worklog", (READ,), ("read:issue-worklog:jira",)),
    ("GET", r"/remotelink", (READ,), ("read:issue.remote-link:jira",)),
    ("POST|PUT", r"/remotelink", (WRITE,), ("write:issue.remote-link:jira",)),
    ("DELETE", r"/remotelink", (WRITE,), ("delete:issue.remote-link:jira",)),
    ("GET", r"", (READ,), ("read:issue:jira",)),
    ("DELETE", r"/issue/\{[^}]*\}$", (WRITE,), ("delete:issue:jira",)),
    ("POST|PUT|DELETE", r"", (WRITE,), ("write:issue:jira",)),
)


def suffice(granted: Collection[str], method: str, template: str) -> bool:
    """Whether a token with these scopes may make a call, by its method and path pattern."""
    for methods, pattern, classic, granular in NEEDED:
        if method in methods.split("|") and re.search(pattern, template):
            return set(classic) <= set(granted) or (bool(granular) and set(granular) <= set(granted))
    return False
