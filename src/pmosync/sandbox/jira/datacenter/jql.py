"""Reads JQL as Data Center does, over the Cloud mode's compiler: names of people, Epic Link, Parent Link, keys.

It keeps the promise that a comparison of ids is Jira's own: it holds inside the project of the issue that is named,
by the number in the key, and an issue that is not there makes the query wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo

from ...answers import Refused
from ...state import State, from_json
from .. import access, issues, switches
from ..jql import INSTANTS, USERS, Compiler, Query
from ..jql_words import Value, Words, wrong
from .fields import EPIC_LINK, PARENT_LINK, Links
from .people import account_called

PROJECT_KEY = "(SELECT p.key FROM jira_project AS p WHERE p.id = jira_issue.project_id)"


def compile_jql(state: State, account_id: str, text: str, strict: bool) -> Query:
    """The SQL of a query; not `strict`: what names something unknown matches nothing in place of failing."""
    parser = Words(text)
    user = state.row("SELECT document FROM jira_user WHERE account_id = ?", (account_id,))
    zone = ZoneInfo((from_json(user["document"]) if user else {}).get("timeZone") or "UTC")
    compiler = Compiler(state, account_id, zone)
    reader = _Reader(state, account_id, compiler, strict=strict)
    where = "1" if parser.peek_word() in ("", "ORDER") else parser.either(reader)
    order = [term for name, down in parser.order() for term in reader.order(name, down)]
    order = order or reader.order("key", True)
    seen = access.searchable(state, account_id)
    return Query(f"({where}) AND {seen}", compiler.parameters, [*order, ("id", False)])


class _Reader:
    """Turns one restriction at a time into SQL; what is the same in both modes the Cloud mode's compiler does."""

    def __init__(self, state: State, account_id: str, compiler: Compiler, *, strict: bool) -> None:
        self._state = state
        self._account_id = account_id
        self._compiler = compiler
        self._strict = strict
        self._links = Links(state)
        self._epoch = switches.get(state, "epoch_jql") == "accepted"

    def order(self, name: str, descending: bool) -> list[tuple[str, bool]]:
        """The SQL to order by: an issue's key is its project's and then its number."""
        if self._compiler.field(name)["id"] == "issuekey":
            return [(PROJECT_KEY, descending), ("number", descending)]
        return [(self._compiler.order(name), descending)]

    def empty(self, name: str) -> str:
        """Whether a field is empty."""

        def make() -> str:
            link = self._condition(self._compiler.field(name))
            return f"NOT coalesce(({link}), 0)" if link else self._compiler.empty(name)

        return self._tried(make, "0")

    def listed(self, name: str, values: list[Value], *, negated: bool) -> str:
        """Whether a field is one of the values."""
        if not negated and self._tried(lambda: self._compiler.field(name)["id"], "") == "issuekey":
            return self._keys(name, values)
        sql = [f"({self.compared(name, '!=' if negated else '=', value)})" for value in values]
        return (" AND " if negated else " OR ").join(sql)

    def compared(self, name: str, operator: str, value: Value) -> str:
        """Whether a field compares so with a value."""
        return self._tried(lambda: self._compared(name, operator, value), "1" if operator.startswith("!") else "0")

    def _tried(self, make: Callable[[], str], otherwise: str) -> str:
        bound = len(self._compiler.parameters)
        try:
            return make()
        except Refused:
            if self._strict:
                raise
            del self._compiler.parameters[bound:]
            return otherwise

    def _compared(self, name: str, operator: str, value: Value) -> str:
        field = self._compiler.field(name)
        link = self._condition(field)
        if link:
            return f"({link}) AND {self._compiler.compared('parent', operator, value)}"
        if field["id"] == "issuekey" and operator not in ("=", "!="):
            return self._range(name, operator, value)
        if (field["id"] in USERS or field.get("schema", {}).get("type") == "user") and not value.function:
            value = Value(account_called(self._state, value.text) or value.text)
        if field["id"] == "project":
            self._need_live(name, value)
        if field["id"] in INSTANTS and not self._epoch and re.fullmatch(r"-?\d{5,}", value.text):
            raise wrong(f"Date value '{value.text}' for field '{name}' is invalid. Valid formats include: "
                        "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. "
                        "'-5d', '4w 2d'.")  # fmt: skip
        return self._compiler.compared(name, operator, value)

    def _condition(self, field: dict[str, Any]) -> str | None:
        """What an issue's parent must be for a field to tell it; None: the field tells no parent."""
        subtask = f"coalesce(type_id, '') IN ({_quoted(self._links.of_level(-1))})"
        above = f"SELECT p.id FROM jira_issue AS p WHERE p.type_id IN ({_quoted(self._links.of_level(1))})"
        in_epic = f"type_id IN ({_quoted(self._links.of_level(0))}) AND parent_id IN ({above})"
        kind = field.get("schema", {}).get("custom")
        if field["id"] == "parent":
            return f"{subtask} AND parent_id IS NOT NULL"
        if kind == EPIC_LINK:
            return in_epic
        return f"NOT {subtask} AND parent_id IS NOT NULL AND NOT ({in_epic})" if kind == PARENT_LINK else None

    def _named(self, name: str, value: Value) -> dict[str, Any]:
        """The issue that a value names."""
        row = issues.find(self._state, value.text)
        if row is None or not access.sees(self._state, self._account_id, row):
            what = "A value with ID" if value.text.isdigit() else "An issue with key"
            raise wrong(f"{what} '{value.text}' does not exist for field '{name}'.")
        return row

    def _range(self, name: str, operator: str, value: Value) -> str:
        row = self._named(name, value)
        self._compiler.parameters.extend((row["project_id"], row["number"]))
        return f"project_id = ? AND number {operator} ?"

    def _keys(self, name: str, values: list[Value]) -> str:
        """Whether an issue is one of many: in one list, for SQL's expressions may not be as deep as it is long."""
        found: list[int] = []
        for value in values:
            try:
                found.append(self._named(name, value)["id"])
            except Refused:
                if self._strict:
                    raise
        self._compiler.parameters.extend(found)
        return f"id IN ({', '.join('?' * len(found))})"

    def _need_live(self, name: str, value: Value) -> None:
        """An archived project is to a query as if it were not there."""
        sql = (
            "SELECT 1 FROM jira_project WHERE (key = :it COLLATE NOCASE OR name = :it COLLATE NOCASE "
            "OR CAST(id AS TEXT) = :it) AND id IN (SELECT project_id FROM jira_project_state WHERE status = 'archived')"
        )
        if self._state.row(sql, {"it": value.text}):
            raise wrong(f"The value '{value.text}' does not exist for the field '{name}'.")


def _quoted(ids: Iterable[str]) -> str:
    return ", ".join("'" + one.replace("'", "''") + "'" for one in ids)
