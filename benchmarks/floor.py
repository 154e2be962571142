"""The floor: the least that a client of Jira can do. Downloads, parses with `json`, stores the raw JSON in SQLite.

    python benchmarks/floor.py URL FIELDS DATABASE

A plain loop over the same calls, pages and fields that pmosync asks for on a first pull, one after the other. It
decodes nothing, checks nothing, waits for nothing and cannot go on where it stopped. Prints what it used as JSON.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any

import requests

API = "/rest/api/3"
PROJECTS = "TIMOB,ALOY,AC,DAEMON,MOD,ARROW"
PROPERTIES = ["pmosync.compliance", "pmosync.status"]
SCHEMA = "CREATE TABLE raw (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id))"


def main() -> None:
    """Pull everything once."""
    url, fields, path = sys.argv[1:]
    session = requests.Session()
    session.auth = ("pmo-bot@acme.example", "sandbox-jira-token")
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(SCHEMA)
    wall_s, cpu_s = time.monotonic(), time.process_time()
    for kind, rows in pages(session, url, fields.split(",")):
        with database:
            database.executemany(
                "INSERT OR REPLACE INTO raw VALUES (?, ?, ?)", [(kind, one["id"], json.dumps(one)) for one in rows]
            )
    told = {"cpu_s": time.process_time() - cpu_s, "wall_s": time.monotonic() - wall_s}
    (issues,) = database.execute("SELECT count(*) FROM raw WHERE kind = 'issue'").fetchone()
    database.close()
    print(json.dumps({"issues": issues, **told, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def pages(session: requests.Session, url: str, fields: list[str]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What is there, page by page."""
    params: dict[str, Any] = {"expand": "lead", "properties": "pmosync.rollup", "status": ["live", "archived"]}
    found = call(session, "GET", f"{url}{API}/project/search", params=params | {"keys": PROJECTS.split(",")})
    yield "project", found["values"]
    ids: list[str] = []
    query = f"project in ({', '.join(one['id'] for one in found['values'])}) ORDER BY id ASC"
    body: dict[str, Any] = {"jql": query, "fields": ["id"], "maxResults": 5000}
    while True:
        found = call(session, "POST", f"{url}{API}/search/jql", json=body)
        ids += [one["id"] for one in found["issues"]]
        if found["isLast"]:
            break
        body["nextPageToken"] = found["nextPageToken"]
    for first in range(0, len(ids), 100):
        asked = {"issueIdsOrKeys": ids[first : first + 100], "fields": fields, "properties": PROPERTIES}
        yield "issue", call(session, "POST", f"{url}{API}/issue/bulkfetch", json=asked)["issues"]
    seen = 0
    while True:
        found = call(session, "GET", f"{url}{API}/users/search", params={"startAt": seen, "maxResults": 1000})
        if not found:
            return
        seen += len(found)
        yield "person", [{"id": one["accountId"], **one} for one in found]


def call(session: requests.Session, method: str, url: str, **options: Any) -> Any:
    """One call, parsed."""
    answer = session.request(method, url, timeout=60, **options)
    answer.raise_for_status()
    return json.loads(answer.content)


if __name__ == "__main__":
    main()
