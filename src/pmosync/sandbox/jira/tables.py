"""Creates the Jira site's tables and the things every Jira site has: fields, statuses, types, priorities, link types.

It keeps the promise that documents are stored as they are answered, with SITE in place of the site's address.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..state import State, as_json, from_json
from . import switches

SITE = "\ue000"
"""Stands for `http://127.0.0.1:PORT` in stored documents; a private-use character, which nobody types."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS jira_user (
    account_id TEXT PRIMARY KEY, admin INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jira_field (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, document TEXT NOT NULL, projects TEXT);
CREATE TABLE IF NOT EXISTS jira_option (
    id INTEGER PRIMARY KEY, field_id TEXT NOT NULL, value TEXT NOT NULL, disabled INTEGER NOT NULL,
    UNIQUE (field_id, value));
CREATE TABLE IF NOT EXISTS jira_thing (
    kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS jira_project (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jira_role (
    project_id INTEGER NOT NULL, account_id TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (project_id, account_id));
CREATE TABLE IF NOT EXISTS jira_credential (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, account_id TEXT NOT NULL, scopes TEXT NOT NULL, client TEXT NOT NULL,
    expires_ms INTEGER, spent_ms INTEGER);
CREATE TABLE IF NOT EXISTS jira_grant (
    project_id INTEGER NOT NULL, account_id TEXT NOT NULL, permission TEXT NOT NULL, granted INTEGER NOT NULL,
    PRIMARY KEY (project_id, account_id, permission));
CREATE TABLE IF NOT EXISTS jira_hidden (
    issue_id INTEGER NOT NULL, account_id TEXT NOT NULL, PRIMARY KEY (issue_id, account_id));
CREATE TABLE IF NOT EXISTS jira_archived (issue_id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jira_project_state (
    project_id INTEGER PRIMARY KEY, status TEXT NOT NULL, at_ms INTEGER NOT NULL, actor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jira_old_key (key TEXT PRIMARY KEY, kind TEXT NOT NULL, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS jira_issue (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, number INTEGER NOT NULL, project_id INTEGER NOT NULL,
    type_id TEXT, status_id TEXT, priority_id TEXT, resolution_id TEXT, assignee TEXT, reporter TEXT,
    parent_id INTEGER, due TEXT, created_ms INTEGER, updated_ms INTEGER, resolved_ms INTEGER,
    loaded INTEGER NOT NULL, fields TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jira_issue_project ON jira_issue (project_id, id);
CREATE INDEX IF NOT EXISTS jira_issue_parent ON jira_issue (parent_id);
CREATE INDEX IF NOT EXISTS jira_issue_updated ON jira_issue (updated_ms);
CREATE TABLE IF NOT EXISTS jira_before (
    n INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL, there INTEGER NOT NULL, properties TEXT NOT NULL, id INTEGER,
    key TEXT, number INTEGER, project_id INTEGER, type_id TEXT, status_id TEXT, priority_id TEXT, resolution_id TEXT,
    assignee TEXT, reporter TEXT, parent_id INTEGER, due TEXT, created_ms INTEGER, updated_ms INTEGER,
    resolved_ms INTEGER, loaded INTEGER, fields TEXT);
CREATE TABLE IF NOT EXISTS jira_link (
    id INTEGER PRIMARY KEY, type_id TEXT NOT NULL, inward_id INTEGER NOT NULL, outward_id INTEGER NOT NULL,
    UNIQUE (type_id, inward_id, outward_id));
CREATE INDEX IF NOT EXISTS jira_link_inward ON jira_link (inward_id);
CREATE INDEX IF NOT EXISTS jira_link_outward ON jira_link (outward_id);
CREATE TABLE IF NOT EXISTS jira_property (
    entity TEXT NOT NULL, entity_id INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (entity, entity_id, key));
CREATE TABLE IF NOT EXISTS jira_remote_link (
    id INTEGER PRIMARY KEY, issue_id INTEGER NOT NULL, global_id TEXT, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jira_remote_link_issue ON jira_remote_link (issue_id);
CREATE TABLE IF NOT EXISTS jira_comment (
    id INTEGER PRIMARY KEY, issue_id INTEGER NOT NULL, author TEXT NOT NULL, created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL, body TEXT NOT NULL, properties TEXT NOT NULL, editor TEXT, visibility TEXT);
CREATE INDEX IF NOT EXISTS jira_comment_issue ON jira_comment (issue_id);
CREATE TABLE IF NOT EXISTS jira_watcher (
    issue_id INTEGER NOT NULL, account_id TEXT NOT NULL, PRIMARY KEY (issue_id, account_id));
CREATE TABLE IF NOT EXISTS jira_history (
    id INTEGER PRIMARY KEY, issue_id INTEGER NOT NULL, author TEXT NOT NULL, created_ms INTEGER NOT NULL,
    items TEXT NOT NULL, metadata TEXT);
CREATE INDEX IF NOT EXISTS jira_history_issue ON jira_history (issue_id);
CREATE TABLE IF NOT EXISTS jira_worklog (
    id INTEGER PRIMARY KEY, issue_id INTEGER NOT NULL, author TEXT NOT NULL, editor TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL, seconds INTEGER NOT NULL,
    comment TEXT NOT NULL, visibility TEXT NOT NULL, properties TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jira_worklog_issue ON jira_worklog (issue_id);
CREATE INDEX IF NOT EXISTS jira_worklog_updated ON jira_worklog (updated_ms);
CREATE TABLE IF NOT EXISTS jira_worklog_gone (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS jira_version (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT,
    archived INTEGER NOT NULL, released INTEGER NOT NULL, start_on TEXT, release_on TEXT);
CREATE TABLE IF NOT EXISTS jira_component (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, lead TEXT);
CREATE TABLE IF NOT EXISTS jira_board (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, project_id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS jira_board_estimate (board_id INTEGER PRIMARY KEY, field_id TEXT);
CREATE TABLE IF NOT EXISTS jira_sprint (
    id INTEGER PRIMARY KEY, board_id INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, goal TEXT NOT NULL,
    start_at TEXT, end_at TEXT, complete_at TEXT);
CREATE TABLE IF NOT EXISTS jira_task (id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jira_task_open (id TEXT PRIMARY KEY, queue TEXT NOT NULL);
"""

MOVING = ("jira_history", "jira_task", "jira_task_open", "jira_switch", "jira_worklog_gone", "jira_before",
          "jira_credential")  # fmt: skip
"""Tables that are no part of what two equal sites have in common."""

CATEGORIES = {
    "new": (2, "blue-gray", "To Do"),
    "indeterminate": (4, "yellow", "In Progress"),
    "done": (3, "green", "Done"),
    "undefined": (1, "medium-gray", "No Category"),
}
STATUSES = [
    ("To Do", "new"),
    ("In Progress", "indeterminate"),
    ("On Hold", "indeterminate"),
    ("In Review", "indeterminate"),
    ("Done", "done"),
    ("Won't Do", "done"),
    ("Waiting for Vendor", "indeterminate"),
    ("Parked", "undefined"),
]
TYPES = [
    ("Epic", 1, "A large piece of work that is made of several others."),
    ("Story", 0, "Something a user wants."),
    ("Task", 0, "A small, distinct piece of work."),
    ("Bug", 0, "A problem or error."),
    ("Milestone", 0, "A point in time that the plan must reach."),
    ("Sub-task", -1, "A piece of work that is part of a larger one."),
]
PRIORITIES = [
    ("Highest", "#d04437"),
    ("High", "#f15C75"),
    ("Medium", "#f79232"),
    ("Low", "#707070"),
    ("Lowest", "#999999"),
]
RESOLUTIONS = ["Done", "Won't Do", "Duplicate", "Cannot Reproduce"]
LINK_TYPES = [
    ("Blocks", "is blocked by", "blocks"),
    ("Cloners", "is cloned by", "clones"),
    ("Duplicate", "is duplicated by", "duplicates"),
    ("Relates", "relates to", "relates to"),
]
# id, name, type, items, extra clause names, orderable, searchable
FIELDS: list[tuple[str, str, str, str | None, tuple[str, ...], bool, bool]] = [
    ("issuetype", "Issue Type", "issuetype", None, ("issuetype", "type"), True, True),
    ("project", "Project", "project", None, ("project",), False, True),
    ("summary", "Summary", "string", None, ("summary",), True, True),
    ("description", "Description", "string", None, ("description",), True, True),
    ("environment", "Environment", "string", None, ("environment",), True, True),
    ("status", "Status", "status", None, ("status",), False, True),
    ("assignee", "Assignee", "user", None, ("assignee",), True, True),
    ("reporter", "Reporter", "user", None, ("reporter",), True, True),
    ("creator", "Creator", "user", None, ("creator",), False, True),
    ("priority", "Priority", "priority", None, ("priority",), True, True),
    ("labels", "Labels", "array", "string", ("labels",), True, True),
    ("components", "Components", "array", "component", ("component",), True, True),
    ("fixVersions", "Fix versions", "array", "version", ("fixVersion",), True, True),
    ("versions", "Affects versions", "array", "version", ("affectedVersion",), True, True),
    ("duedate", "Due date", "date", None, ("due", "duedate"), True, True),
    ("created", "Created", "datetime", None, ("created", "createdDate"), False, True),
    ("updated", "Updated", "datetime", None, ("updated", "updatedDate"), False, True),
    ("resolution", "Resolution", "resolution", None, ("resolution",), True, True),
    ("resolutiondate", "Resolved", "datetime", None, ("resolutiondate", "resolved"), False, True),
    ("statuscategorychangedate", "Status Category Changed", "datetime", None, ("statusCategoryChangedDate",), False,
     True),
    ("statusCategory", "Status Category", "statusCategory", None, ("statusCategory",), False, True),
    ("parent", "Parent", "issuelink", None, ("parent",), False, True),
    ("issuelinks", "Linked Issues", "array", "issuelinks", ("issueLink",), True, True),
    ("subtasks", "Sub-tasks", "array", "issuelinks", ("subtasks",), False, False),
    ("issuekey", "Key", "string", None, ("id", "issue", "issuekey", "key"), False, True),
    ("timeoriginalestimate", "Original estimate", "number", None, ("originalEstimate", "timeoriginalestimate"), False,
     True),
    ("timeestimate", "Remaining Estimate", "number", None, ("remainingEstimate", "timeestimate"), False, True),
    ("timespent", "Time Spent", "number", None, ("timespent",), False, True),
    ("timetracking", "Time tracking", "timetracking", None, (), True, False),
    ("aggregatetimeoriginalestimate", "Σ Original Estimate", "number", None, (), False, False),
    ("aggregatetimeestimate", "Σ Remaining Estimate", "number", None, (), False, False),
    ("aggregatetimespent", "Σ Time Spent", "number", None, (), False, False),
    ("workratio", "Work Ratio", "number", None, ("workratio",), False, True),
    ("watches", "Watchers", "watches", None, ("watchers",), False, True),
    ("comment", "Comment", "comments-page", None, ("comment",), True, True),
    ("attachment", "Attachment", "array", "attachment", ("attachments",), True, True),
    ("worklog", "Log Work", "array", "worklog", (), True, False),
]  # fmt: skip
CUSTOM_TYPES = {
    "date": "com.atlassian.jira.plugin.system.customfieldtypes:datepicker",
    "datetime": "com.atlassian.jira.plugin.system.customfieldtypes:datetime",
    "number": "com.atlassian.jira.plugin.system.customfieldtypes:float",
    "option": "com.atlassian.jira.plugin.system.customfieldtypes:select",
    "user": "com.atlassian.jira.plugin.system.customfieldtypes:userpicker",
    "string": "com.atlassian.jira.plugin.system.customfieldtypes:textfield",
    "text": "com.atlassian.jira.plugin.system.customfieldtypes:textarea",
    "array": "com.atlassian.jira.plugin.system.customfieldtypes:labels",
    "any": "com.atlassian.jira.plugin.system.customfieldtypes:readonlyfield",
}


def prepare(state: State, *, standard: bool = True) -> None:
    """Create the tables; `standard` also adds statuses, types, priorities, resolutions and link types when none are."""
    state.define(SCHEMA)
    state.define(switches.SCHEMA)
    for name, kind in (("editor", "TEXT"), ("visibility", "TEXT")):
        # a state that was saved before comments had them
        if not state.row("SELECT 1 FROM pragma_table_info('jira_comment') WHERE name = ?", (name,)):
            state.define(f"ALTER TABLE jira_comment ADD COLUMN {name} {kind};")
    for table in MOVING:
        state.leave_out(table)
    state.leave_out(
        "jira_issue", "updated_ms", "created_ms", "resolved_ms", "updated", "created", "resolutiondate",
        "statuscategorychangedate",
    )  # fmt: skip
    for table in ("jira_comment", "jira_worklog"):
        state.leave_out(table, "id", "created_ms", "updated_ms")
    for table in ("jira_remote_link", "jira_link"):
        state.leave_out(table, "id")
    with state.transaction():
        if not state.row("SELECT 1 FROM jira_field"):
            for field in FIELDS:
                _add_system_field(state, *field)
        if standard and not state.row("SELECT 1 FROM jira_thing"):
            _add_standard_things(state)


def add_thing(state: State, kind: str, thing_id: str, name: str, document: dict[str, Any]) -> None:
    """Add a status, issuetype, priority, resolution or issueLinkType."""
    state.db.execute(
        "INSERT OR REPLACE INTO jira_thing (kind, id, name, document) VALUES (?, ?, ?, ?)",
        (kind, thing_id, name, as_json(document)),
    )


def things(state: State, kind: str) -> list[dict[str, Any]]:
    """All statuses, issue types, ..., in the order they were added."""
    rows = state.rows("SELECT document FROM jira_thing WHERE kind = ? ORDER BY rowid", (kind,))
    return [from_json(row["document"]) for row in rows]


def thing(state: State, kind: str, reference: str) -> dict[str, Any] | None:
    """One of them, by its id or its name."""
    row = state.row(
        "SELECT document FROM jira_thing WHERE kind = ? AND (id = ? OR name = ? COLLATE NOCASE) ORDER BY id = ? DESC",
        (kind, reference, reference, reference),
    )
    return from_json(row["document"]) if row else None


def types_of(state: State, project: dict[str, Any]) -> list[dict[str, Any]]:
    """The types of issue that can be made in a project, by its row."""
    offered = from_json(project["document"]).get("types")
    return [one for one in things(state, "issuetype") if not offered or one["name"] in offered]


def status_document(status_id: str, name: str, category: str) -> dict[str, Any]:
    """A status as issues embed it."""
    number, colour, label = CATEGORIES[category]
    return {
        "self": f"{SITE}/rest/api/3/status/{status_id}",
        "description": "",
        "iconUrl": f"{SITE}/images/icons/statuses/generic.png",
        "name": name,
        "id": status_id,
        "statusCategory": {
            "self": f"{SITE}/rest/api/3/statuscategory/{number}",
            "id": number,
            "key": category,
            "colorName": colour,
            "name": label,
        },
    }


def stamp(milliseconds: int) -> str:
    """An instant as Jira writes it: milliseconds, and an offset without a colon."""
    instant = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}+0000"


def milliseconds(instant: datetime) -> int:
    """An instant as milliseconds since 1970, exactly."""
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000


def milliseconds_of(text: str | None) -> int | None:
    """What `stamp` wrote, or an export did, as milliseconds."""
    return milliseconds(datetime.fromisoformat(text)) if text else None


def _add_system_field(
    state: State, field_id: str, name: str, kind: str, items: str | None,
    clauses: tuple[str, ...], orderable: bool, searchable: bool,
) -> None:  # fmt: skip
    schema = {"type": kind, "system": field_id} | ({"items": items} if items else {})
    document = {
        "id": field_id,
        "key": field_id,
        "name": name,
        "custom": False,
        "orderable": orderable,
        "navigable": field_id not in ("comment", "attachment", "worklog", "timetracking"),
        "searchable": searchable,
        "clauseNames": list(clauses),
        "schema": schema,
    }
    if field_id == "issuekey":
        del document["schema"]
    state.db.execute(
        "INSERT INTO jira_field (id, name, document) VALUES (?, ?, ?)", (field_id, name, as_json(document))
    )


def _add_standard_things(state: State) -> None:
    for number, (name, category) in enumerate(STATUSES, 10000):
        add_thing(state, "status", str(number), name, status_document(str(number), name, category))
    for number, (name, level, description) in enumerate(TYPES, 10100):
        document = {
            "self": f"{SITE}/rest/api/3/issuetype/{number}", "id": str(number), "description": description,
            "iconUrl": f"{SITE}/images/icons/issuetypes/{name.lower()}.svg", "name": name,
            "subtask": level == -1, "hierarchyLevel": level,
        }  # fmt: skip
        add_thing(state, "issuetype", str(number), name, document)
    for number, (name, colour) in enumerate(PRIORITIES, 1):
        document = {
            "self": f"{SITE}/rest/api/3/priority/{number}", "statusColor": colour, "description": "",
            "iconUrl": f"{SITE}/images/icons/priorities/{name.lower()}.svg", "name": name, "id": str(number),
        }  # fmt: skip
        add_thing(state, "priority", str(number), name, document)
    for number, name in enumerate(RESOLUTIONS, 10000):
        document = {
            "self": f"{SITE}/rest/api/3/resolution/{number}",
            "id": str(number),
            "description": "",
            "name": name,
        }
        add_thing(state, "resolution", str(number), name, document)
    for number, (name, inward, outward) in enumerate(LINK_TYPES, 10000):
        document = {
            "id": str(number), "name": name, "inward": inward, "outward": outward,
            "self": f"{SITE}/rest/api/3/issueLinkType/{number}",
        }  # fmt: skip
        add_thing(state, "issueLinkType", str(number), name, document)
