"""Decides whether a webhook's JQL lets an issue through, and which JQL an app may register.

It keeps the promise that a deleted issue is judged as it was, and that what the subset for apps lacks is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from ...answers import Refused
from ...state import State
from .. import access, seed
from ..jql import Compiler
from ..jql_words import Value, Words, wrong
from .tables import Row

PROPERTY = re.compile(r"issue\.property\[([^\]]+)\](?:\.([\w.]+))?", re.IGNORECASE)
SUBSET = ("issuekey", "project", "issuetype", "status", "assignee", "reporter")
Condition = tuple[str, tuple[Any, ...]]


def condition(state: State, account_id: str, jql: str, *, subset: bool = False) -> Condition:
    """JQL as SQL over an issue's row; `subset`: only what an app may register."""
    if not jql.strip():
        return "1", ()
    words = Words(jql)
    user = seed.user_document(state, account_id) or {}
    compiler = Compiler(state, account_id, ZoneInfo(user.get("timeZone") or "UTC"))
    properties = _Properties(compiler, subset=subset)
    where = words.either(properties)
    if words.order() and subset:
        raise wrong("ORDER BY is unsupported")
    return where, tuple(compiler.parameters)


class _Properties:
    """What JQL means, issue properties included; in the subset for apps everything else is refused by name."""

    def __init__(self, compiler: Compiler, *, subset: bool) -> None:
        self._compiler = compiler
        self._subset = subset

    def empty(self, name: str) -> str:
        """Whether a field is empty."""
        if self._subset:
            raise wrong(f"The operator IS in the clause {name} is unsupported")
        return self._compiler.empty(name)

    def listed(self, name: str, values: list[Value], *, negated: bool) -> str:
        """Whether a field is one of the values."""
        operator, joint = ("!=", " AND ") if negated else ("=", " OR ")
        return joint.join(f"({self.compared(name, operator, value)})" for value in values)

    def compared(self, name: str, operator: str, value: Value) -> str:
        """Whether a field compares so with a value."""
        if self._subset and operator not in ("=", "!="):
            raise wrong(f"The operator {operator} in the clause {name} is unsupported")
        named = PROPERTY.fullmatch(name)
        if named and operator in ("=", "!="):
            path = "$" + (f".{named[2]}" if named[2] else "")
            self._compiler.parameters.extend((named[1], path, value.text))
            # without the property neither = nor != holds, as for every empty field
            return (
                "EXISTS (SELECT 1 FROM jira_property WHERE entity = 'issue' AND entity_id = jira_issue.id AND key = ? "
                f"AND CAST(json_extract(value, ?) AS TEXT) {operator} ?)"
            )
        if self._subset and self._compiler.field(name)["id"] not in SUBSET:
            raise wrong(f"The clause {name} is unsupported")
        return self._compiler.compared(name, operator, value)


class Matcher:
    """Judges the issues of one call, the deleted ones among them by the rows they had."""

    def __init__(self, state: State, gone: Iterable[Row]) -> None:
        self._state = state
        self._gone = {row["id"] for row in gone}
        self._conditions: dict[int, Condition | None] = {}
        if self._gone:
            state.db.execute("CREATE TEMP TABLE IF NOT EXISTS webhook_gone AS SELECT * FROM jira_issue WHERE 0")
            state.db.execute("DELETE FROM webhook_gone")
            for row in gone:
                marks = ", ".join(f":{name}" for name in row)
                state.db.execute(f"INSERT INTO webhook_gone ({', '.join(row)}) VALUES ({marks})", row)

    def lets(self, hook: Row, issue: Row) -> bool:
        """Whether a webhook is for this issue: its JQL holds, and an app's account sees it."""
        if hook["app"] and issue["id"] not in self._gone and not access.sees(self._state, hook["owner"], issue):
            return False
        if hook["id"] not in self._conditions:
            self._conditions[hook["id"]] = self._compiled(hook)
        found = self._conditions[hook["id"]]
        if found is None:
            return False
        source = "(SELECT * FROM temp.webhook_gone) AS jira_issue" if issue["id"] in self._gone else "jira_issue"
        return bool(
            self._state.tuples(f"SELECT 1 FROM {source} WHERE id = ? AND ({found[0]})", (issue["id"], *found[1]))
        )

    def _compiled(self, hook: Row) -> Condition | None:
        try:
            return condition(self._state, hook["owner"], hook["jql"])
        except Refused:
            # it named something, a project say, that is there no longer
            return None
