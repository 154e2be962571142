"""Pulling issues: against a floor that only downloads, parses and stores; and against other people's readers of Jira.

    python benchmarks/jira_pull.py [--runs 5] [--issues N] [--no-rivals] [--environments DIR] [--write]

All clients ask the same sandbox, one after the other, in turns. The floor and pmosync go over http and are compared by
the CPU time of the client alone, from the first call to the last row (pmosync: typed records stored and normalised to
tasks). The rivals insist on https; for their table pmosync goes through the same TLS door, and all are whole processes,
compared by the clock: a machine that does other things as well spoils it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import harness
import pasts
import rivals
import tls
from harness import Run, Sandbox, about, claim, kept, office, run, sandbox, table

MOST_CPU = 4.0
LEAST_FASTER = 4.0
HERE = Path(__file__).parent
SAME = ("POST /rest/api/3/issue/bulkfetch", "POST /rest/api/3/search/jql", "GET /rest/api/3/users/search")
Found = dict[str, list[Run]]


def ours(place: Path, address: str, certificate: Path | None = None) -> Run:
    """One first pull of pmosync's, in a new folder."""
    office(place, address)
    trusted = {"REQUESTS_CA_BUNDLE": str(certificate)} if certificate else {}
    return _checked(run(place, [sys.executable, HERE / "ours.py", place], trusted))


def floor(place: Path, address: str, fields: Sequence[str]) -> Run:
    """One pull of the floor's."""
    place.mkdir()
    return _checked(run(place, [sys.executable, HERE / "floor.py", address, ",".join(fields), place / "floor.db"]))


def _checked(found: Run) -> Run:
    if found.code:
        raise SystemExit(f"a client ended with {found.code}: {found.errors[-2000:]}")
    return found


def against_the_floor(place: Path, served: Sandbox, runs: int) -> tuple[Found, dict[str, dict[str, int]]]:
    """Both in turns; and what each asked."""
    found: Found = {"floor": [], "pmosync": []}
    asked: dict[str, dict[str, int]] = {}
    fields = ours(place / "warm", served.url).told["fields"]
    for number in range(runs):
        for name in ("floor", "pmosync") if number % 2 else ("pmosync", "floor"):
            served.forget()
            here = place / f"{name}{number}"
            one = ours(here, served.url) if name == "pmosync" else floor(here, served.url, fields)
            found[name].append(one)
            asked[name] = served.requests()
    for endpoint in SAME:
        assert asked["floor"][endpoint] == asked["pmosync"][endpoint], f"{endpoint}: not the same calls: {asked}"
    issues = {one.told["issues"] for name in found for one in found[name]}
    assert len(issues) == 1, f"not the same issues: {issues}"
    return found, asked


def against_rivals(
    place: Path, served: Sandbox, runs: int, environments: Path
) -> tuple[Found, dict[str, int], dict[str, dict[str, int]]]:
    """Each in turns through the same door; how many issues each printed or stored, and what it asked."""
    found: Found = {}
    issues: dict[str, int] = {}
    asked: dict[str, dict[str, int]] = {}
    ready = [(rival, rivals.installed(rival.package, rival.version, environments)) for rival in rivals.RIVALS]
    served.control("POST", "switches", {"jira": {"old_search": True}})
    with tls.door(place, int(served.url.rpartition(":")[2])) as (address, certificate):
        for _, environment in ready:
            rivals.trust(environment, certificate)
        for number in range(runs):
            served.forget()
            one = ours(place / f"tls{number}", f"https://{address}", certificate)
            found.setdefault("pmosync", []).append(one)
            issues["pmosync"], asked["pmosync"] = one.told["issues"], served.requests()
            for rival, environment in ready:
                served.forget()
                one, count = rivals.pull(rival, environment, place / f"{rival.package}{number}", address)
                name = f"{rival.package} {rival.version}"
                found.setdefault(name, []).append(one)
                issues[name], asked[name] = count, served.requests()
    return found, issues, asked


def report_floor(found: Found) -> str:
    """The first table, and whether the claim held."""
    issues = found["floor"][0].told["issues"]
    middle = {name: statistics.median(one.told["cpu_s"] for one in some) for name, some in found.items()}
    rows = [
        [
            name,
            f"{middle[name]:.2f}",
            " ".join(f"{one.told['cpu_s']:.2f}" for one in some),
            f"{middle[name] / middle['floor']:.2f}",
            f"{1000 * middle[name] / issues:.3f}",
            f"{statistics.median(one.cpu_s for one in some):.2f}",
        ]
        for name, some in found.items()
    ]
    stored = statistics.median(one.told["pull_cpu_s"] for one in found["pmosync"])
    rows.append(["pmosync without normalising", f"{stored:.2f}", "", f"{stored / middle['floor']:.2f}", "", ""])
    ratio = middle["pmosync"] / middle["floor"]
    heads = ["client", "CPU s (median)", "each run", "times the floor", "ms per issue", "whole process, CPU s"]
    return "\n".join([
        f"{issues} issues, median of {len(found['floor'])} runs in turns.", "", table(heads, rows), "",
        claim(f"pulled, normalised and stored for at most {MOST_CPU:g} times the CPU of the floor: {ratio:.2f}",
              ratio <= MOST_CPU),
    ])  # fmt: skip


def report_rivals(found: Found, issues: dict[str, int], asked: dict[str, dict[str, int]]) -> str:
    """The second table, and whether the claim held."""
    speed = {name: issues[name] / statistics.median(one.seconds for one in some) for name, some in found.items()}
    rows = [
        [
            name, issues[name], sum(asked[name].values()), f"{issues[name] / speed[name]:.1f}",
            f"{statistics.median(one.cpu_s for one in some):.1f}",
            f"{statistics.median(one.peak_mb for one in some):.0f}",
            f"{speed[name]:.0f}", f"{speed['pmosync'] / speed[name]:.1f}",
        ]
        for name, some in found.items()
    ]  # fmt: skip
    heads = ["client", "issues", "requests", "seconds", "CPU s", "peak MB", "issues per second", "pmosync is faster by"]
    slowest = min(speed["pmosync"] / speed[name] for name in speed if name != "pmosync")
    lines = [table(heads, rows), "", "What each asked:", ""]
    for name, calls in asked.items():
        lines.append(f"- {name}: " + ", ".join(f"`{endpoint}` {count}" for endpoint, count in sorted(calls.items())))
    lines += ["", claim(f"at least {LEAST_FASTER:g} times faster than each of them: {slowest:.1f}",
                        slowest >= LEAST_FASTER)]  # fmt: skip
    return "\n".join(lines)


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rival-runs", type=int, default=1)
    parser.add_argument("--issues", type=int, help="only so many, for a quick look")
    parser.add_argument("--no-rivals", action="store_true")
    parser.add_argument("--environments", type=Path, help="where the rivals are installed, to use them again")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    options = parser.parse_args()
    folder = harness.shared_data()
    if folder is None:
        print("skipped: the trackers' exports are not beside the project (../shared/data/jira)")
        return 0
    parts: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        kept(place / "state.db", *(folder / name for name in harness.TRACKERS))
        added = pasts.add(place / "state.db")
        if options.issues:
            pasts.thin(place / "state.db", options.issues)
        with sandbox(state=place / "state.db") as served:
            parts.append(report_floor(against_the_floor(place, served, options.runs)[0]))
            if not options.no_rivals:
                environments = (options.environments or place / "environments").resolve()
                parts.append(report_rivals(*against_rivals(place, served, options.rival_runs, environments)))
    text = _headed(parts, added)
    print(f"## Pulling issues\n\n{text}")
    if options.write:
        harness.write("Pulling issues", text)
    return 1 if "does not hold" in text else 0


def _headed(parts: Sequence[str], added: dict[str, Any]) -> str:
    made = ", ".join(f"{count} {name}" for name, count in added.items())
    head = [
        f"`python benchmarks/jira_pull.py --write`: {about('requests', 'orjson', 'sqlalchemy')}.",
        f"The exports of two public trackers, and made from their own dates: {made}.",
    ]
    return "\n\n".join(["\n".join(head), *parts])


if __name__ == "__main__":
    sys.exit(main())
