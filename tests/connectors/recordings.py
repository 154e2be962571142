"""Reads the recorded answers of real Jira sites that lie beside the project, and finds what a connector decodes.

Every answer is walked to its last object, and each object that has the shape of an issue, a field, a person and so on
is named so; where the answers come from does not matter.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

csv.field_size_limit(10_000_000)


@dataclass(frozen=True)
class Recorded:
    """One recorded answer."""

    file: str
    data: Any
    """The body as data; None when it was empty, text when it was no JSON."""
    method: str = "GET"
    url: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    """The body as it came, where the recording has it."""

    @property
    def call(self) -> str:
        """The call without its address and query."""
        path = "/rest" + self.url.partition("/rest")[2] if "/rest" in self.url else self.url
        return f"{self.method} {path.partition('?')[0]}"


def har(folder: Path) -> Iterator[Recorded]:
    """HAR files."""
    for path in sorted(folder.glob("*.har")):
        for entry in json.loads(path.read_text())["log"]["entries"]:
            asked, got = entry["request"], entry["response"]
            headers = {one["name"]: one["value"] for one in got["headers"]}
            text = got["content"].get("text") or ""
            yield Recorded(path.name, _data(text), asked["method"], asked["url"], got["status"], headers, text)


def cassettes(folder: Path) -> Iterator[Recorded]:
    """Cassettes of calls, those of Jira alone: Bugzilla's and others' are in between."""
    for path in sorted(folder.glob("*.yaml")):
        recorded = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for one in recorded["interactions"]:
            asked, got = one["request"], one["response"]
            if "/rest/api/2/" not in asked["uri"]:
                continue
            text = got["body"]["string"]
            if isinstance(text, bytes):
                text = (gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text).decode()
            headers = {name: values[0] for name, values in got["headers"].items()}
            yield Recorded(path.name, _data(text), asked["method"], asked["uri"], got["status"]["code"], headers, text)


def nango(folder: Path) -> Iterator[Recorded]:
    """Calls with their headers, by method and path; one path may have been called several times."""
    for path in sorted(folder.glob("*.json")):
        for method, calls in json.loads(path.read_text())["api"].items():
            for url, got in calls.items():
                for one in got if isinstance(got, list) else [got]:
                    headers, data = one.get("headers") or {}, one["response"]
                    yield Recorded(path.name, data, method.upper(), url, one["status"], headers)


def documents(folder: Path) -> Iterator[Recorded]:
    """JSON files, each an answer."""
    for path in sorted(folder.rglob("*.json")):
        yield Recorded(str(path.relative_to(folder)), _data(path.read_text()))


def tables(folder: Path) -> Iterator[Recorded]:
    """Tables of raw answers: one JSON text in each row's column `data`."""
    for path in sorted(folder.glob("*.csv*")):
        for row in csv.DictReader(io.StringIO(_unpacked(path).lstrip())):
            yield Recorded(path.name, json.loads(row["data"]), url=row["url"])


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a packed table."""
    return list(csv.DictReader(io.StringIO(_unpacked(path))))


def _unpacked(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()


def _data(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


# --- shapes ---------------------------------------------------------------------------------------------------------

SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("permission", ("id", "key", "havePermission")),
    ("server", ("baseUrl", "versionNumbers")),
    ("link", ("id", "type", "inwardIssue")),
    ("link", ("id", "type", "outwardIssue")),
    ("remote link", ("id", "object")),
    ("worklog", ("id", "timeSpentSeconds", "started")),
    ("comment", ("id", "body", "created")),
    ("change", ("id", "items", "created")),
    ("link type", ("id", "name", "inward", "outward")),
    ("issue type", ("id", "name", "subtask")),
    ("status", ("id", "name", "statusCategory")),
    ("version", ("id", "name", "released")),
    ("sprint", ("id", "name", "state")),
    ("transition", ("id", "name", "to")),
    ("field", ("id", "name", "clauseNames")),
    ("screen field", ("name", "schema", "required")),
    ("priority", ("id", "name", "statusColor")),
    ("project", ("id", "key", "name")),
    ("person", ("accountId", "displayName")),
    ("person", ("name", "displayName", "active")),
    ("made", ("id", "key", "self")),
    ("other choice", ("id", "name", "self")),
)
"""An object is the first of these whose keys it has."""

HELD: Mapping[str, str] = {"priority": "priority", "resolution": "resolution", "components": "component"}
"""What an object under this key is, where its own shape says little."""


def shape(raw: Mapping[str, Any], key: str) -> str | None:
    """What an object is, from its keys and from where it stands."""
    if raw.get("type") == "doc" and isinstance(raw.get("content"), list):
        return "document"
    fields = raw.get("fields")
    if isinstance(fields, dict) and "key" in raw:
        return "issue" if {"project", "created", "updated"} <= set(fields) else "mention"
    if "statusCategory" in raw and not isinstance(raw["statusCategory"], dict):
        return None
    for name, keys in SHAPES:
        if all(one in raw for one in keys):
            return name
    return HELD.get(key) if "id" in raw and "name" in raw else None


def shapes(data: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every object in an answer that is something, with what it is; also those inside others."""
    if isinstance(data, list):
        for item in data:
            yield from shapes(item, key)
    elif isinstance(data, dict):
        found = shape(data, key)
        if found:
            yield found, data
        if found == "document":
            return
        for name, item in data.items():
            yield from shapes(item, name)
