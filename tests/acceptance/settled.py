"""What the acceptance tests share: an office that has settled, what people do meanwhile, and what is ours in a state.

A settled office has run once. It is made once per worker and put back in milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.office import ASANA, JIRA, PORTFOLIO, TOKENS, Forge, Office, Saved, State
from tests.conftest import Sandbox

FEW_JIRA, FEW_ASANA = ("PAY", "PLAT", "CRM"), ("1202000000000001", "1202000000000003")
TOOLS: Mapping[str, Mapping[str, Any]] = {
    "jira": {"jira": FEW_JIRA, "asana": None},
    "asana": {"asana": FEW_ASANA, "jira": None},
    "server": {"jira": FEW_JIRA, "asana": None, "data_center": True},
    "both": {"jira": FEW_JIRA, "asana": FEW_ASANA},
    "both, with a server": {"jira": FEW_JIRA, "asana": FEW_ASANA, "data_center": True},
    "all": {},
}
"""A few projects of one tool (Jira also as Data Center) or of both, or all twelve."""
UNHURRIED = {
    "PMOSYNC_SITES__ACME_JIRA__LIMITS__PER_SECOND": "100",
    "PMOSYNC_SITES__ACME_JIRA__LIMITS__WRITES_IN_FLIGHT": "16",
    "PMOSYNC_SITES__ACME_JIRA__INDEX_LAG_S": "0",
}
"""The sandbox has no limits of its own and its search shows everything at once, so the tests need not wait."""
OWN_PORTFOLIO = "1201000000000002"
"""The Asana portfolio that holds the rollup of the whole organisation among its own fields."""
GUIDANCE = "guidance: https://pmo.acme.example/standards/\n"
PROPERTY = "pmosync."
LABELS = {f"pmo-{severity}" for severity in ("critical", "high", "medium", "low", "info")}
DAY_S = 24 * 3600


# --- offices --------------------------------------------------------------------------------------------------------


def furnished(folder: Path, sandbox: Sandbox, forge: Forge, tools: str = "both", **options: Any) -> Office:
    """An office with a register and published guidance, so that every slot there is gets used."""
    environ = TOKENS | (UNHURRIED if tools != "asana" else {})
    chosen = {**TOOLS[tools], "environ": environ, "register": register(sandbox.state(), TOOLS[tools])}
    office = Office(folder, sandbox, forge, **{**chosen, "extra": GUIDANCE, **options})
    if office.jira is not None:
        name = f"mappings/{JIRA}.yaml"
        office.edit(name, "task: [property, label]", "task: [property, label, remote_link]")
        office.edit(name, "project: [project_property]", "project: [project_property, status_issue]")
    return office


def register(state: State, tools: Mapping[str, Any]) -> str:
    """The projects of these tools, as the PMO would list them."""
    lines = ["projects:"]
    keys = tools.get("jira", ()), tools.get("asana", ())
    for row in state["jira_project"] if keys[0] is not None else ():
        if not keys[0] or row["key"] in keys[0]:
            lines += [f"  - {{id: J-{row['key']}, containers: [{JIRA}/{row['key']}], phase: execution}}"]
    for row in state["asana_project"] if keys[1] is not None else ():
        if not keys[1] or row["gid"] in keys[1]:
            home = f"{{{ASANA}: '{PORTFOLIO}'}}"
            lines += [f"  - {{id: A-{row['gid']}, containers: [{ASANA}/{row['gid']}], home: {home}}}"]
    if keys[0] is not None:
        lines.append(f"home: {{{JIRA}: PMO}}")
    if keys[1] is not None:
        home = f"{{{ASANA}: '{OWN_PORTFOLIO}'}}"
        lines.append(f"portfolios: [{{id: organisation, title: Acme, home: {home}}}]")
    return "\n".join(lines) + "\n"


def settle(office: Office) -> Saved:
    """Run until nothing is left to do, and remember that."""
    first = office.run("reconcile")
    assert first.code == 0, first
    assert first.writes, "there is something to flag in the generated organisation"
    echo = office.run("sync")
    assert (echo.code, echo.writes) == (0, 0), "links that were written are seen once more, and nothing comes of it"
    return office.save()


def forget_store(office: Office) -> None:
    """Delete the store, as somebody would who lost it."""
    for path in office.folder.glob("pmosync.db*"):
        if path.is_file():
            path.unlink()


# --- what the store holds ---------------------------------------------------------------------------------------------


@contextmanager
def opened(office: Office) -> Iterator[sqlite3.Connection]:
    """The office's store, to look at."""
    connection = sqlite3.connect(f"file:{office.folder / 'pmosync.db'}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def findings(office: Office) -> dict[tuple[str, str, str], tuple[str, int]]:
    """Every finding that counts: site, item and standard, with its state and the day that it is known since."""
    with opened(office) as store:
        rows = store.execute(
            "SELECT f.site, f.subject || ' ' || coalesce(t.rid, c.rid, h.key, w.title, r.title, p.key), f.standard,"
            " f.state, f.since"
            " FROM finding f LEFT JOIN task t ON f.subject = 'task' AND t.id = f.subject_id"
            " LEFT JOIN container c ON f.subject = 'project' AND c.project_id = f.subject_id"
            " LEFT JOIN human h ON f.subject = 'person' AND h.id = f.subject_id"
            " LEFT JOIN person_week w ON f.subject = 'person_week' AND w.id = f.subject_id"
            " LEFT JOIN role_month r ON f.subject = 'role_month' AND r.id = f.subject_id"
            " LEFT JOIN portfolio p ON f.subject = 'portfolio' AND p.id = f.subject_id"
            " WHERE f.state <> 'resolved'"
        )
        return {
            (site, item, standard): ("open" if state == "new" else state, since)
            for site, item, standard, state, since in rows
        }


def events(office: Office) -> int:
    """How many times a finding of this office ever changed."""
    with opened(office) as store:
        return int(store.execute("SELECT count(*) FROM event").fetchone()[0])


def flagged(office: Office, site: str) -> list[str]:
    """The ids of tasks with exactly one finding."""
    with opened(office) as store:
        rows = store.execute(
            "SELECT t.rid FROM finding f JOIN task t ON f.subject = 'task' AND t.id = f.subject_id"
            " WHERE f.state <> 'resolved' AND f.site = ? GROUP BY t.rid HAVING count(*) = 1 ORDER BY t.id",
            (site,),
        )
        return [rid for (rid,) in rows]


def spotless(office: Office, site: str) -> list[str]:
    """The ids of open tasks with an owner and a due date to come, that stand alone and that nothing is found about."""
    with opened(office) as store:
        rows = store.execute(
            "SELECT t.rid FROM task t JOIN site s ON s.name = t.site JOIN task_fact k ON k.task_id = t.id"
            " WHERE t.site = ? AND t.status IN ('todo', 'in_progress') AND t.assignee IS NOT NULL"
            " AND t.due_on > s.today + 9 AND t.created_day < s.today - 9 AND k.children = 0"
            " AND t.type NOT IN ('milestone', 'epic')"
            " AND NOT EXISTS (SELECT 1 FROM link l WHERE l.site = t.site AND t.rid IN (l.pred, l.succ))"
            " AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.subject = 'task' AND f.subject_id = t.id)"
            " ORDER BY t.id",
            (site,),
        )
        return [rid for (rid,) in rows]


# --- what people do ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Somebody of the organisation at work; the first one administers Jira."""

    sandbox: Sandbox
    number: int = 1

    @property
    def token(self) -> str:
        """What they sign in with."""
        return f"person-{self.number}"

    def jira(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One call of Jira's API as this person."""
        return self.sandbox.jira(method, path, body, token=self.token, **query)

    def asana(self, method: str, path: str, body: Any = None) -> Any:
        """One call of Asana's API as this person; the body without its `data`."""
        sent = None if body is None else {"data": body}
        return (self.sandbox.asana(method, path, sent, token=self.token) or {}).get("data")

    def edit(self, site: str, item: str, **fields: Any) -> None:
        """Change fields of an issue or a task, by the names of its tool."""
        if site == JIRA:
            self.jira("PUT", f"issue/{item}", {"fields": fields})
        else:
            self.asana("PUT", f"tasks/{item}", fields)


def owner_of(sandbox: Sandbox, task: str) -> Person:
    """Who an Asana task is assigned to: they may edit it, wherever it is."""
    state = sandbox.state()
    gid = next(row["assignee"] for row in state["asana_task"] if row["gid"] == task)
    people = [row["gid"] for row in state["asana_user"] if not row["email"].startswith("pmo-bot")]
    return Person(sandbox, 1 + sorted(people).index(gid))


def abandon(sandbox: Sandbox, site: str, item: str) -> None:
    """Somebody gives work up, which then has no owner and gets a finding."""
    person = Person(sandbox) if site == JIRA else owner_of(sandbox, item)
    person.edit(site, item, assignee=None)


# --- what is ours in a state ------------------------------------------------------------------------------------------


def as_told(state: State) -> State:
    """A state without the numbers and instants that Jira itself gives to an issue of ours when it is made."""
    own = {row["entity_id"]: row["value"]["id"] for row in state["jira_property"] if row["key"] == "pmosync.status"}
    given = {"key": "", "number": 0, "created_ms": 0, "updated_ms": 0, "position": 0}
    issues = [
        row | {"id": own[row["id"]]} | {name: value for name, value in given.items() if name in row}
        if row["id"] in own
        else row
        for row in state["jira_issue"]
    ]
    properties = [row | {"entity_id": own.get(row["entity_id"], row["entity_id"])} for row in state["jira_property"]]
    return {**state, "jira_issue": issues, "jira_property": properties}


def without_ours(state: State) -> State:
    """A state of both tools with nothing of it that pmosync may have put there."""
    ours = {row["gid"] for row in state.get("asana_field", []) if row["name"].startswith("PMO ")}
    rest = {name: [dict(row) for row in rows] for name, rows in state.items()}
    for row in rest.get("jira_issue", []):
        labels = row["fields"].get("labels")
        if labels:
            row["fields"] = row["fields"] | {"labels": [label for label in labels if label not in LABELS]}
    own = {row["entity_id"] for row in rest.get("jira_property", []) if row["key"] == "pmosync.status"}
    rest["jira_issue"] = [row for row in rest.get("jira_issue", []) if row["id"] not in own]
    links = rest.get("jira_remote_link", [])
    rest["jira_remote_link"] = [row for row in links if not (row["global_id"] or "").startswith(PROPERTY)]
    rest["jira_property"] = [row for row in rest["jira_property"] if not row["key"].startswith(PROPERTY)]
    rest["asana_field"] = [row for row in rest["asana_field"] if row["gid"] not in ours]
    for table in ("asana_option", "asana_setting", "asana_value"):
        rest[table] = [row for row in rest[table] if row["field"] not in ours]
    return rest
