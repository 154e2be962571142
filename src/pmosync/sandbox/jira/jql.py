"""Reads JQL and turns it into SQL over the issues: the subset that clients of a PMO use.

It keeps the promise that a query is answered exactly or refused with Jira's 400: what the subset lacks is never
quietly left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..state import State, from_json
from . import access, issues, planning
from .jql_words import COMPARISONS, Value, Words, wrong
from .tables import CATEGORIES

THINGS = {"issuetype": ("issuetype", "type_id"), "status": ("status", "status_id"),
          "priority": ("priority", "priority_id"), "resolution": ("resolution", "resolution_id")}  # fmt: skip
USERS = {"assignee": "assignee", "reporter": "reporter"}
INSTANTS = {"created": "created_ms", "updated": "updated_ms", "resolutiondate": "resolved_ms"}
NUMBERS = ("timeoriginalestimate", "timeestimate", "timespent", "workratio")
NAMED_LISTS = ("components",)
SPRINTS_BY_STATE = {"opensprints": "state != 'closed'", "closedsprints": "state = 'closed'",
                    "futuresprints": "state = 'future'"}  # fmt: skip
ORDERS = {"issuekey": "id", "created": "created_ms", "updated": "updated_ms", "duedate": "due",
          "resolutiondate": "resolved_ms", "project": "project_id", "status": "status_id",
          "priority": "priority_id", "assignee": "assignee", "reporter": "reporter", "issuetype": "type_id",
          "summary": "json_extract(fields, '$.summary')"}  # fmt: skip
RELATIVE = re.compile(r"([+-]?)(\d+)([wdhm])", re.IGNORECASE)
UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True)
class Query:
    """A WHERE clause with its parameters, and the ORDER BY terms: (SQL, descending)."""

    where: str
    parameters: list[Any]
    order: list[tuple[str, bool]]


def compile_jql(state: State, account_id: str, text: str) -> Query:
    """The SQL of a query, as the account may ask it."""
    parser = Words(text)
    user = state.row("SELECT document FROM jira_user WHERE account_id = ?", (account_id,))
    zone = ZoneInfo((from_json(user["document"]) if user else {}).get("timeZone") or "UTC")
    compiler = Compiler(state, account_id, zone)
    if parser.peek_word() in ("", "ORDER"):
        raise wrong("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    where = parser.either(compiler)
    order = [(compiler.order(name), descending) for name, descending in parser.order()]
    return Query(f"({where}) AND {access.searchable(state, account_id)}", compiler.parameters, order)


class Compiler:
    """Turns one restriction at a time into SQL, collecting the parameters in order."""

    def __init__(self, state: State, account_id: str, zone: ZoneInfo) -> None:
        self._state = state
        self._account_id = account_id
        self._zone = zone
        self.parameters: list[Any] = []
        self._clauses: dict[str, dict[str, Any]] = {}
        for row in state.rows("SELECT document FROM jira_field"):
            document = from_json(row["document"])
            for name in (*document["clauseNames"], document["name"]):
                self._clauses.setdefault(name.lower(), document)

    def field(self, name: str) -> dict[str, Any]:
        """The field a clause names."""
        found = self._clauses.get(name.lower())
        if found is None:
            raise wrong(f"Field '{name}' does not exist or you do not have permission to view it.")
        return found

    def order(self, name: str) -> str:
        """The SQL to order by."""
        field = self.field(name)
        if field["custom"]:
            return f"json_extract(fields, '$.{field['id']}')"
        if field["id"] not in ORDERS:
            raise wrong(f"Not able to sort using field '{name}'.")
        return ORDERS[field["id"]]

    def empty(self, name: str) -> str:
        """Whether a field is empty."""
        field_id = self.field(name)["id"]
        if field_id in ("project", "issuekey"):
            return "0"
        if field_id in THINGS:
            return f"{THINGS[field_id][1]} IS NULL"
        if field_id in USERS:
            return f"{USERS[field_id]} IS NULL"
        if field_id in INSTANTS:
            return f"{INSTANTS[field_id]} IS NULL"
        if field_id == "duedate":
            return "due IS NULL"
        if field_id == "parent":
            return "parent_id IS NULL"
        value = f"json_extract(fields, '$.{field_id}')"
        return f"coalesce({value}, '') IN ('', '[]')"

    def listed(self, name: str, values: list[Value], *, negated: bool) -> str:
        """Whether a field is one of the values; an empty field is none of them, nor is it "not in" them."""
        if negated:
            return " AND ".join(f"({self.compared(name, '!=', value)})" for value in values)
        return " OR ".join(f"({self.compared(name, '=', value)})" for value in values)

    def compared(self, name: str, operator: str, value: Value) -> str:
        """Whether a field compares so with a value."""
        field = self.field(name)
        field_id = field["id"]
        kind = self._kind(field)
        if operator not in kind[0]:
            raise wrong(f"The operator '{operator}' is not supported by the '{name}' field.")
        return kind[1](name, field_id, operator, value)

    def _kind(self, field: dict[str, Any]) -> tuple[tuple[str, ...], Callable[[str, str, str, Value], str]]:
        field_id, schema = field["id"], field.get("schema", {})
        same = ("=", "!=")
        if field_id in ("project", "statusCategory") or field_id in THINGS:
            known = {"project": self._project, "statusCategory": self._category}
            return (*COMPARISONS,) if field_id == "priority" else same, known.get(field_id, self._thing)
        if field_id in USERS:
            return same, self._user
        if field_id in INSTANTS:
            return COMPARISONS, self._instant
        if field_id == "duedate" or schema.get("type") == "date":
            return COMPARISONS, self._date
        if field_id == "issuekey":
            return COMPARISONS, self._issue
        if field_id == "parent":
            return same, self._parent
        if field_id in NAMED_LISTS:
            return same, self._named
        if field_id in planning.VERSION_FIELDS:
            return same, self._version
        if schema.get("custom") == planning.SPRINT_TYPE:
            return same, self._sprint
        if field_id in NUMBERS or schema.get("type") == "number":
            return COMPARISONS, self._number
        if field_id == "labels" or (schema.get("type"), schema.get("items")) == ("array", "string"):
            return same, self._label
        if field_id in ("summary", "description", "environment") or schema.get("type") == "string":
            return ("~", "!~"), self._text
        if schema.get("type") == "option":
            return same, self._option
        raise wrong(f"This sandbox cannot search by the field '{field['name']}'.")

    def _bind(self, *values: Any) -> None:
        self.parameters.extend(values)

    def _project(self, name: str, field_id: str, operator: str, value: Value) -> str:
        sql = "SELECT id FROM jira_project WHERE key = ? COLLATE NOCASE OR name = ? COLLATE NOCASE OR id = ?"
        row = self._state.row(sql, (value.text, value.text, value.text if value.text.isdigit() else -1))
        if row is None:
            old = "SELECT number AS id FROM jira_old_key WHERE key = ? COLLATE NOCASE AND kind = 'project'"
            row = self._state.row(old, (value.text,))
        if row is None or not access.finds_project(self._state, self._account_id, row["id"]):
            raise wrong(f"The value '{value.text}' does not exist for the field '{name}'.")
        self._bind(row["id"])
        return f"project_id {operator} ?"

    def _thing(self, name: str, field_id: str, operator: str, value: Value) -> str:
        kind, column = THINGS[field_id]
        sql = "SELECT id FROM jira_thing WHERE kind = ? AND (name = ? COLLATE NOCASE OR id = ?)"
        ids = [row["id"] for row in self._state.rows(sql, (kind, value.text, value.text))]
        if field_id == "resolution" and value.text.lower() == "unresolved":
            return f"{column} IS NULL" if operator == "=" else f"{column} IS NOT NULL"
        if not ids:
            raise wrong(f"The value '{value.text}' does not exist for the field '{name}'.")
        if operator not in ("=", "!="):
            # priority 1 is the highest: "greater" means more urgent
            turned = operator.translate(str.maketrans("<>", "><"))
            self._bind(int(ids[0]))
            return f"CAST({column} AS INTEGER) {turned} ?"
        self._bind(*ids)
        return f"{column} {'NOT ' if operator == '!=' else ''}IN ({', '.join('?' * len(ids))})"

    def _category(self, name: str, field_id: str, operator: str, value: Value) -> str:
        wanted = value.text.lower()
        keys = [key for key, (number, _, label) in CATEGORIES.items() if wanted in (key, label.lower(), str(number))]
        if not keys:
            raise wrong(f"The value '{value.text}' does not exist for the field '{name}'.")
        self._bind(keys[0])
        own = "SELECT id FROM jira_thing WHERE kind = 'status' AND json_extract(document, '$.statusCategory.key') = ?"
        return f"status_id {'NOT ' if operator == '!=' else ''}IN ({own})"

    def _user(self, name: str, field_id: str, operator: str, value: Value) -> str:
        if value.function and value.text.lower() == "currentuser":
            self._bind(self._account_id)
            return f"{field_id} {operator} ?"
        sql = (
            "SELECT account_id FROM jira_user WHERE account_id = ? OR json_extract(document, '$.emailAddress') = ? "
            "OR json_extract(document, '$.displayName') = ?"
        )
        row = self._state.row(sql, (value.text,) * 3)
        if row is None:
            raise wrong(f"The value '{value.text}' does not exist for the field '{name}'.")
        self._bind(row["account_id"])
        return f"{field_id} {operator} ?"

    def _instant(self, name: str, field_id: str, operator: str, value: Value) -> str:
        self._bind(self._milliseconds(name, value))
        return f"{INSTANTS[field_id]} {operator} ?"

    def _date(self, name: str, field_id: str, operator: str, value: Value) -> str:
        moment = datetime.fromtimestamp(self._milliseconds(name, value) / 1000, self._zone)
        self._bind(moment.date().isoformat())
        column = "due" if field_id == "duedate" else f"json_extract(fields, '$.{field_id}')"
        return f"{column} {operator} ?"

    def _milliseconds(self, name: str, value: Value) -> int:
        """An operand as an instant: epoch milliseconds, a date in the caller's own zone, `-3d`, or a function."""
        now = self._state.now().astimezone(self._zone)
        text = value.argument if value.function else value.text
        if value.function:
            now = self._function(value, now)
        relative = RELATIVE.fullmatch(text)
        if relative:
            amount = timedelta(**{UNITS[relative[3].lower()]: int(relative[2])})
            return int((now - amount if relative[1] == "-" else now + amount).timestamp() * 1000)
        if value.function and not text:
            return int(now.timestamp() * 1000)
        if re.fullmatch(r"-?\d{5,}", text):
            return int(text)
        for form in ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d"):
            try:
                return int(datetime.strptime(text, form).replace(tzinfo=self._zone).timestamp() * 1000)
            except ValueError:
                continue
        raise wrong(
            f"Date value '{text}' for field '{name}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        )

    def _function(self, value: Value, now: datetime) -> datetime:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        known = {
            "now": now,
            "startofday": midnight,
            "endofday": midnight + timedelta(days=1) - timedelta(milliseconds=1),
            "startofweek": midnight - timedelta(days=(now.weekday() + 1) % 7),
            "startofmonth": midnight.replace(day=1),
        }
        if value.text.lower() not in known:
            raise wrong(f"Unable to find JQL function '{value.text}()'.")
        return known[value.text.lower()]

    def _issue(self, name: str, field_id: str, operator: str, value: Value) -> str:
        row = issues.find(self._state, value.text)
        if operator not in ("=", "!="):
            self._bind(int(value.text) if value.text.isdigit() else (row or {"id": 0})["id"])
            return f"id {operator} ?"
        if row is None or not access.sees(self._state, self._account_id, row):
            what = "A value with ID" if value.text.isdigit() else "An issue with key"
            raise wrong(f"{what} '{value.text}' does not exist for field '{name}'.")
        self._bind(row["id"])
        return f"id {operator} ?"

    def _parent(self, name: str, field_id: str, operator: str, value: Value) -> str:
        return self._issue(name, field_id, operator, value).replace("id ", "parent_id ", 1)

    def _named(self, name: str, field_id: str, operator: str, value: Value) -> str:
        self._bind(value.text, value.text)
        found = (
            f"EXISTS (SELECT 1 FROM json_each(fields, '$.{field_id}') AS one "
            "WHERE json_extract(one.value, '$.name') = ? COLLATE NOCASE OR json_extract(one.value, '$.id') = ?)"
        )
        filled = f"coalesce(json_extract(fields, '$.{field_id}'), '[]') != '[]'"
        return found if operator == "=" else f"{filled} AND NOT {found}"

    def _version(self, name: str, field_id: str, operator: str, value: Value) -> str:
        """A version by id or name; a loaded export has no versions of its own, but its issues name them."""
        ids = planning.versions_called(self._state, self._account_id, value.text)
        if not ids:
            if self._state.row("SELECT 1 FROM jira_issue WHERE loaded"):
                return self._named(name, field_id, operator, value)
            raise wrong(f"The value '{value.text}' does not exist for the field '{name}'.")
        return self._one_of(field_id, operator, [str(number) for number in ids])

    def _sprint(self, name: str, field_id: str, operator: str, value: Value) -> str:
        if value.function:
            condition = SPRINTS_BY_STATE.get(value.text.lower())
            if condition is None:
                raise wrong(f"Unable to find JQL function '{value.text}()'.")
            ids = [row["id"] for row in self._state.rows(f"SELECT id FROM jira_sprint WHERE {condition}")]
            return self._one_of(field_id, operator, ids)
        ids = planning.sprints_called(self._state, self._account_id, value.text)
        if not ids:
            what = "id" if value.text.isdigit() else "name"
            raise wrong(f"Sprint with {what} '{value.text}' does not exist or you do not have permission to view it.")
        return self._one_of(field_id, operator, ids)

    def _one_of(self, field_id: str, operator: str, ids: Sequence[Any]) -> str:
        """Whether a list that refers to others by id holds one of these."""
        self._bind(*ids)
        found = (
            f"EXISTS (SELECT 1 FROM json_each(fields, '$.{field_id}') AS one "
            f"WHERE json_extract(one.value, '$.id') IN ({', '.join('?' * len(ids))}))"
        )
        filled = f"coalesce(json_extract(fields, '$.{field_id}'), '[]') != '[]'"
        return found if operator == "=" else f"{filled} AND NOT {found}"

    def _number(self, name: str, field_id: str, operator: str, value: Value) -> str:
        try:
            self._bind(float(value.text))
        except ValueError:
            raise wrong(f"The value '{value.text}' for the field '{name}' is not a number.") from None
        return f"json_extract(fields, '$.{field_id}') {operator} ?"

    def _label(self, name: str, field_id: str, operator: str, value: Value) -> str:
        self._bind(value.text)
        found = f"EXISTS (SELECT 1 FROM json_each(fields, '$.{field_id}') AS one WHERE one.value = ? COLLATE NOCASE)"
        filled = f"coalesce(json_extract(fields, '$.{field_id}'), '[]') != '[]'"
        return found if operator == "=" else f"{filled} AND NOT {found}"

    def _option(self, name: str, field_id: str, operator: str, value: Value) -> str:
        self._bind(value.text)
        return f"json_extract(fields, '$.{field_id}.value') {operator} ? COLLATE NOCASE"

    def _text(self, name: str, field_id: str, operator: str, value: Value) -> str:
        """All words occur somewhere: Jira's index also knows word forms, which this does not."""
        words = value.text.replace("*", "").replace('"', "").split()
        self._bind(*(f"%{word}%" for word in words))
        found = " AND ".join(f"json_extract(fields, '$.{field_id}') LIKE ?" for _ in words) or "0"
        return found if operator == "~" else f"NOT coalesce(({found}), 0)"
