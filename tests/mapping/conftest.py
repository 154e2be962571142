"""What the mapping tests share: mapping files, records and a catalog of a small site."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from pmosync.contract import Catalog, Choice, FieldInfo, Person, ProjectInfo, Record
from pmosync.mapping import SiteMapping, load, resolve

STATUSES = (
    Choice("1", "To Do", "new"),
    Choice("2", "In Progress", "indeterminate"),
    Choice("3", "On Hold", "indeterminate"),
    Choice("4", "Done", "done"),
    Choice("5", "Won't Do", "done"),
)

HEALTHS = tuple(Choice(name, name) for name in ("on_track", "at_risk", "off_track", "on_hold"))

MAPPING = """\
site: acme-jira
scope: {projects: [PAY]}
project: {title: name, lead: lead}
task:
  title: summary
  assignee: assignee
  start_on: "Start date"
  due_on: [duedate, "Release"]
  done_on: resolutiondate
  estimate: {custom: "Estimated time"}
  resolution: resolution
  parent: parent
  status:
    - {field: status, values: {blocked: [on hold], cancelled: ["Won't Do"]}}
    - {field: status, values: {todo: category=new, in_progress: category=indeterminate, done: category=done}}
    - {default: report}
  priority:
    - {field: priority, values: {high: [High, Highest], low: ["10003"], empty: [None]}}
links: {blocks: {type: Blocks, direction: outward}}
write: {task: [property, label], project: [property], mail: never}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "mapping.yaml"
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    return write


@pytest.fixture
def catalog() -> Catalog:
    return Catalog(
        account=Person("bot", "PMO bot"),
        fields=(
            FieldInfo("summary", "Summary", "text"),
            FieldInfo("assignee", "Assignee", "person"),
            FieldInfo("status", "Status", "choice", STATUSES),
            FieldInfo("priority", "Priority", "choice", (Choice("10001", "High"), Choice("10003", "Low"))),
            FieldInfo("duedate", "Due date", "date"),
            FieldInfo("resolutiondate", "Resolved", "instant"),
            FieldInfo("resolution", "Resolution", "choice"),
            FieldInfo("created", "Created", "instant"),
            FieldInfo("parent", "Parent", "reference"),
            FieldInfo("issuelinks", "Linked issues", "list"),
            FieldInfo("customfield_1", "Start date", "date", custom=True),
            FieldInfo("customfield_2", "Release", "date", custom=True),
            FieldInfo("customfield_3", "Estimated time", "duration", custom=True),
            FieldInfo("customfield_4", "Points", "number", custom=True),
            FieldInfo("customfield_5", "Points", "number", custom=True),
            FieldInfo("customfield_6", "Approved", "yes/no", custom=True),
            FieldInfo("name", "Name", "text", subject="project"),
            FieldInfo("lead", "Lead", "person", subject="project"),
            FieldInfo("status", "Status", "choice", HEALTHS, subject="project"),
        ),
        projects=(ProjectInfo("10001", "PAY", "Payments"), ProjectInfo("10002", "PLAT", "Platform")),
        link_types=(Choice("10000", "Blocks", "blocks"), Choice("10002", "Relates", "relates to")),
    )


@pytest.fixture
def mapping(write: Callable[[str], Path], catalog: Catalog) -> SiteMapping:
    return resolve(load(write(MAPPING), None), catalog)


@pytest.fixture
def record() -> Callable[..., Record]:
    def record(**values: object) -> Record:
        return Record("task", "7", "PAY-7", "https://x.example/PAY-7", "1", ("project:10001",), values)  # type: ignore[arg-type]

    return record


@pytest.fixture
def evening() -> dt.datetime:
    """Late in the evening in UTC: the next day already in Berlin."""
    return dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)
