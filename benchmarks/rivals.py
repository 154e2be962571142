"""Other people's readers of Jira, unchanged, each in an environment of its own outside the repository.

* `tap-jira` (Singer): one stream, `issues`, selected; `*all` fields and `expand=changelog,transitions` are its own.
* `airbyte-source-jira` (Airbyte): one stream, `issues`, full refresh; `*all` fields and `expand=renderedFields,...` are
  its own. The newest release on the index still uses the search that Jira Cloud removed: the sandbox keeps it alive.

Both build `https://` addresses themselves and trust only the certificates of their own `certifi`: the door's is added
there, to a data file of their environment; none of their code is touched. What they print goes to a file.
"""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import TOKEN, USER, Run, run

SINCE = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Rival:
    """A program, and how it is asked for the issues of a site."""

    package: str
    version: str
    prepare: Callable[[Path, Path, str], list[str]]
    """(environment, folder, address) -> command; writes its files into the folder."""
    count: Callable[[dict[str, Any]], bool]
    """Whether a line that it printed is an issue."""


def _tap(environment: Path, folder: Path, address: str) -> list[str]:
    program, config = str(environment / "bin" / "tap-jira"), folder / "config.json"
    _write(config, {
        "start_date": SINCE, "username": USER, "password": TOKEN, "base_url": address, "user_agent": "benchmark",
    })  # fmt: skip
    found = subprocess.run([program, "--config", str(config), "--discover"], capture_output=True, text=True, check=True)
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        for one in stream["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = stream["tap_stream_id"] == "issues"
            elif stream["tap_stream_id"] == "issues":
                one["metadata"]["selected"] = True
    _write(folder / "catalog.json", catalog)
    return [program, "--config", str(config), "--properties", str(folder / "catalog.json")]


def _airbyte(environment: Path, folder: Path, address: str) -> list[str]:
    program, config = str(environment / "bin" / "source-jira"), folder / "config.json"
    _write(config, {"domain": address, "email": USER, "api_token": TOKEN, "start_date": SINCE})
    found = subprocess.run([program, "discover", "--config", str(config)], capture_output=True, text=True, check=True)
    messages = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    (catalog,) = [one["catalog"] for one in messages if one["type"] == "CATALOG"]
    (issues,) = [one for one in catalog["streams"] if one["name"] == "issues"]
    asked = {"stream": issues, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    _write(folder / "catalog.json", {"streams": [asked]})
    return [program, "read", "--config", str(config), "--catalog", str(folder / "catalog.json")]


RIVALS = (
    Rival("tap-jira", "2.6.0", _tap, lambda one: one.get("type") == "RECORD" and one.get("stream") == "issues"),
    Rival(
        "airbyte-source-jira", "4.0.0", _airbyte,
        lambda one: one.get("type") == "RECORD" and one["record"]["stream"] == "issues",
    ),
)  # fmt: skip


def installed(package: str, version: str, folder: Path) -> Path:
    """The environment of a rival, made when it is not there yet."""
    environment = folder / package
    if not (environment / "installed").exists():
        venv.create(environment, with_pip=True, clear=True)
        pip = str(environment / "bin" / "pip")
        subprocess.run([pip, "install", "--quiet", f"{package}=={version}"], check=True)
        (environment / "installed").touch()
    return environment


def trust(environment: Path, certificate: Path) -> None:
    """Add a certificate to those that the environment's `certifi` holds."""
    python = str(environment / "bin" / "python")
    where = "import certifi; print(certifi.where())"
    path = Path(subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip())
    original = path.with_suffix(".original")
    if not original.exists():
        original.write_bytes(path.read_bytes())
    path.write_bytes(original.read_bytes() + b"\n" + certificate.read_bytes())


def pull(rival: Rival, environment: Path, folder: Path, address: str) -> tuple[Run, int]:
    """What one pull of all issues cost, and how many issues it printed."""
    folder.mkdir()
    out = folder / "out.jsonl"
    found = run(folder, rival.prepare(environment, folder, address), out=out)
    if found.code:
        raise SystemExit(f"{rival.package} ended with {found.code}: {found.errors[-2000:]}")
    with out.open() as lines:
        count = sum(rival.count(json.loads(line)) for line in lines if line.startswith("{"))
    out.unlink()
    return found, count


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data))
