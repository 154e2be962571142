"""The shipped mappings load, and the two for public trackers read these trackers with hardly a gap.

The decoder here is the test's own and small on purpose: it says what the source files hold, without any connector.
"""

from __future__ import annotations

import datetime as dt
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pmosync.contract import (
    Capabilities,
    Catalog,
    Choice,
    Duration,
    FieldInfo,
    Link,
    Person,
    ProjectInfo,
    Record,
    Reference,
    SlotKind,
    Value,
)
from pmosync.mapping import SiteMapping, check, load, resolve

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "mappings"
DATA = ROOT.parent / "shared" / "data" / "jira"
TRACKERS = {"tidev": "tidev_appcelerator", "arrow": "apache_arrow"}
UTC = ZoneInfo("UTC")
SLOTS = Capabilities(
    slots=(
        SlotKind("property", "task", "json", 100),
        SlotKind("label", "task", "word", 0),
        SlotKind("project_property", "project", "json", 100),
    )
)

shared = pytest.mark.skipif(not DATA.is_dir(), reason="the reference data does not lie beside the project")


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_mapping_loads_and_writes_quietly(path: Path) -> None:
    mapping = load(path, None)
    assert {"title", "status", "assignee", "type", "priority"} <= mapping.mapped
    assert mapping.mapped_links == {"blocks"}
    assert mapping.mail == "never"


def test_the_mapping_of_both_trackers_reads_what_the_two_read() -> None:
    both = load(MAPPINGS / "public-trackers.yaml", None)
    for name in TRACKERS:
        one = load(MAPPINGS / f"{name}.yaml", None)
        assert set(one.projects) <= set(both.projects)
        assert set(one.task_fields()) <= set(both.task_fields())


# --- the source files -----------------------------------------------------------------------------------------------

INSTANTS = ("created", "updated", "resolutiondate")
DURATIONS = ("timeoriginalestimate", "timespent")
CHOICES = ("status", "issuetype", "priority", "resolution")


def value(name: str, raw: Any) -> Value:
    if raw is None:
        return None
    if name in INSTANTS:
        return dt.datetime.strptime(raw, "%Y-%m-%dT%H:%M:%S.%f%z")
    if name in CHOICES:
        return Choice(raw["id"], raw["name"], raw.get("statusCategory", {}).get("key"))
    if name in DURATIONS:
        return Duration(raw)
    match name:
        case "duedate":
            return dt.date.fromisoformat(raw)
        case "assignee":
            return Person(raw["name"], raw["displayName"], active=raw["active"])
        case "parent":
            return Reference("task", raw["id"])
        case "issuelinks":
            return tuple(link(one) for one in raw)
        case _:
            return str(raw)


def link(raw: Any) -> Link:
    outward = "outwardIssue" in raw
    other = raw["outwardIssue" if outward else "inwardIssue"]["id"]
    return Link(raw["type"]["id"], raw["type"]["name"], "outward" if outward else "inward", other)


def issues(folder: str) -> Iterator[Any]:
    with tarfile.open(DATA / folder / f"{folder}.tar.xz") as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".json"):
                content = archive.extractfile(member)
                assert content is not None
                found = json.load(content)
                if "fields" in found:
                    yield found


@cache
def records(tracker: str) -> tuple[Record, ...]:
    names = load(MAPPINGS / "public-trackers.yaml", None).task_fields()
    return tuple(
        Record(
            "task",
            issue["id"],
            issue["key"],
            "",
            issue["fields"]["updated"],
            (issue["fields"]["project"]["key"],),
            {name: value(name, issue["fields"][name]) for name in names if name in issue["fields"]},
        )
        for issue in issues(TRACKERS[tracker])
    )


def summed(mapping: SiteMapping, tracker: str) -> tuple[Counter[str], Counter[str], int]:
    """Gaps by field, counts of what was read, and the number of issues."""
    gaps: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for record in records(tracker):
        row = mapping.read_task(record, UTC)
        assert row is not None, f"{record.key} was left out"
        gaps.update({gap.field for gap in row.gaps})
        still_open = row.values["status"] not in ("done", "cancelled")
        counts["open"] += still_open
        counts["open without assignee"] += still_open and row.values["assignee"] is None
        counts["blocks"] += len(row.links)
        counts.update(name for name, read in row.values.items() if read is not None)
    return gaps, counts, len(records(tracker))


@pytest.mark.parametrize(
    ("tracker", "total", "open_", "unassigned"), [("tidev", 17166, 851, 385), ("arrow", 8905, 635, 629)]
)
@pytest.mark.slow
@pytest.mark.shared
@shared
def test_a_public_tracker_is_read_with_at_most_one_percent_of_gaps_per_field(
    tracker: str, total: int, open_: int, unassigned: int
) -> None:
    for name in (tracker, "public-trackers"):
        mapping = load(MAPPINGS / f"{name}.yaml", None)
        gaps, counts, issues_read = summed(mapping, tracker)
        assert issues_read == total
        assert {field: share for field in mapping.mapped if (share := gaps[field] / total) > 0.01} == {}
        assert (counts["open"], counts["open without assignee"]) == (open_, unassigned)
        assert counts["blocks"] > 500
        assert counts["created_at"] == counts["type"] == counts["status"] == total


@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.slow
@pytest.mark.shared
@shared
def test_every_name_in_a_trackers_mapping_occurs_in_the_tracker(tracker: str) -> None:
    options: dict[str, dict[str, Choice]] = {name: {} for name in CHOICES}
    links: dict[str, Choice] = {}
    for record in records(tracker):
        for name in CHOICES:
            found = record.values.get(name)
            if isinstance(found, Choice):
                options[name][found.id] = found
        for one in record.values.get("issuelinks") or ():  # type: ignore[union-attr]
            links[one.type] = Choice(one.type, one.name)  # type: ignore[union-attr]
    mapping = load(MAPPINGS / f"{tracker}.yaml", None)
    projects = tuple(ProjectInfo(key, key, key) for key in mapping.projects)
    catalog = Catalog(Person("bot"), _fields(mapping, options), projects, tuple(links.values()))
    assert [str(error) for error in check(mapping, catalog, SLOTS)] == []
    assert resolve(mapping, catalog).unresolved == ()


def _fields(mapping: SiteMapping, options: dict[str, dict[str, Choice]]) -> tuple[FieldInfo, ...]:
    kinds: dict[str, Any] = dict.fromkeys(INSTANTS, "instant") | dict.fromkeys(DURATIONS, "duration")
    kinds |= dict.fromkeys(CHOICES, "choice")
    kinds |= {"duedate": "date", "assignee": "person", "parent": "reference", "issuelinks": "list"}
    tasks = [
        FieldInfo(name, name, kinds.get(name, "text"), tuple(options.get(name, {}).values()))
        for name in mapping.task_fields()
    ]
    projects = [
        FieldInfo("name", "Name", "text", subject="project"),
        FieldInfo("lead", "Lead", "person", subject="project"),
    ]
    return (*tasks, *projects)
