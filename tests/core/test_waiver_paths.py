"""Every path agrees about what is waived: judging, marks and plan, report, and the lists of the command line.

A plain reading of each waiver in Python, written from docs/waivers.md alone, says what is right; waivers and clocks are
drawn at random, many of the clocks from the hours in which a waiver has lapsed on one site and not yet on the other.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from pmosync.cli import main
from pmosync.config import Config, load, load_register, terms_of
from pmosync.cycle import Setup, cycle
from pmosync.decisions import read_waivers
from pmosync.model import severity_rank
from pmosync.opening import standards_of
from pmosync.standards import Standard
from pmosync.store.tables import finding, task
from pmosync.workdays import date_of
from pmosync.yamlfile import dump
from tests.core.memory import Tool, World

ZONES = {"acme": ZoneInfo("Europe/Berlin"), "zulu": ZoneInfo("Pacific/Auckland")}
FIRST = dt.date(2026, 11, 20)
STANDARDS = ("SCH201", "SCH", "DAT102", "DAT", "DAT101")
MAY = {"boss@acme.example": 5, "ana@acme.example": 2, "li@acme.example": 0}
"""How grave a finding each person may waive."""

CONFIG = """\
organisation: Acme
timezone: Europe/Berlin
profile: controlling
register: projects.yaml
people: people.yaml
sites:
  acme: {connector: jira, base_url: "http://127.0.0.1:1", auth: {user: a@b.example, token: env:T}, mapping: acme.yaml}
  zulu: {connector: jira, base_url: "http://127.0.0.1:1", auth: {user: a@b.example, token: env:T}, mapping: zulu.yaml,
    timezone: Pacific/Auckland}
"""
REGISTER = """\
portfolios: [{id: banking, title: Banking}]
programs: [{id: core, title: Core, portfolio: banking}]
projects:
  - {id: pay, containers: [acme/p1, zulu/p1], program: core}
  - {id: lone, containers: [zulu/p2]}
"""
PEOPLE = """\
- {email: boss@acme.example, role: director}
- {email: ana@acme.example, role: analyst}
- {email: li@acme.example, role: lead}
"""
SCOPES: tuple[dict[str, str], ...] = (
    {"subject": "acme/T-1"}, {"subject": "zulu/T-1"}, {"subject": "zulu/4"}, {"project": "acme/p1"},
    {"project": "zulu/pay"}, {"project": "zulu/p2"}, {"program": "core"}, {"portfolio": "banking"},
    {"portfolio": "organisation"}, {"where": "type = risk"}, {"where": "due_on < today()"},
    {"program": "core", "where": "type = risk"}, {"portfolio": "organisation", "where": "due_on < today()"},
    {"where": "start_on < today()"},
)  # fmt: skip


EDGE = {
    "id": "W-edge", "standard": "SCH", "portfolio": "banking", "reason": "r", "until": FIRST + dt.timedelta(days=1),
    "approved_by": "boss@acme.example", "approved_on": FIRST,
}  # fmt: skip
HOURS = tuple(60 * hour + 30 for hour in (10, 11, 22, 23))
"""Minutes of the day, UTC: half an hour before and after midnight in Auckland and in Berlin."""


@dataclass
class Office:
    """Two sites in two zones, and the files of their PMO."""

    world: World
    tools: Mapping[str, Tool]
    capture: pytest.CaptureFixture[str]
    config: Config
    standards: tuple[Standard, ...]

    def setup(self, waivers: Any) -> Setup:
        folder = self.world.folder
        self.world.register = load_register(self.config)
        setups = []
        for name, tool in self.tools.items():
            self.world.tool = tool
            (one,) = self.world.setup().sites
            setups.append(replace(one, zone=ZONES[name], lock_path=folder / f"{name}.lock.yaml"))
        return replace(self.world.setup(), sites=setups, waivers=waivers, standards=self.standards)

    def run(self) -> None:
        """One cycle with what the decisions file says."""
        waivers = read_waivers(self.config.decisions, terms_of(self.config, self.standards))
        cycle(self.world.store, self.setup(waivers.rows()), lambda: self.world.now, write=True)

    def tell(self, *line: str) -> Any:
        self.capture.readouterr()
        code = main([*line, "--json", "--now", self.world.now.isoformat()])
        assert code == 0
        return json.loads(self.capture.readouterr().out)


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PMOSYNC_CONFIG", raising=False)
    for name, text in (("pmosync", CONFIG), ("projects", REGISTER), ("people", PEOPLE)):
        Path(f"{name}.yaml").write_text(text)
    os.mkdir("decisions")
    tools = {name: Tool(name) for name in ZONES}
    for tool in tools.values():
        tool.projects["p2"] = {"name": "Two"}
        tool.put("1", due=dt.date(2026, 11, 2))
        tool.put("2", due=dt.date(2026, 11, 2), type="Risk", assignee=None, status="Doing")
        tool.put("3", project="p2", due=dt.date(2026, 11, 2), assignee=None)
        tool.put("4", project="p2", assignee=None, status="Waiting", start=dt.date(2026, 11, 2))
    config = load(Path("pmosync.yaml"), {})
    return Office(World(tmp_path), tools, capsys, config, standards_of(config))


def draw(chance: random.Random) -> list[dict[str, Any]]:
    """Some entries of a decisions file."""
    entries: list[dict[str, Any]] = []
    for number in range(chance.randint(1, 7)):
        entry: dict[str, Any] = {"id": f"W-{number}", "standard": chance.choice(STANDARDS), "reason": "r"}
        entry |= chance.choice(SCOPES)
        entry["until"] = FIRST + dt.timedelta(days=chance.choice((0, 1, 1, 2, 2, 3, 200)))
        approval = {"by": chance.choice(list(MAY)), "on": FIRST + dt.timedelta(days=chance.choice((-30, -1, 0, 1)))}
        how = chance.randint(0, 9)
        if how < 6:
            entry |= {"approved_by": approval["by"], "approved_on": approval["on"]}
        entries.append(entry)
        if 5 < how < 8:
            entries.append({"approve": entry["id"], **approval})
        if how in (0, 7):
            entries.append({"revoke": entry["id"], "by": "boss@acme.example", "on": FIRST, "reason": "r"})
    return entries


# --- a plain reading of docs/waivers.md -------------------------------------------------------------------------------


def sound(entries: list[dict[str, Any]], severities: Mapping[str, str]) -> list[dict[str, Any]]:
    """The waivers that count at all, with who approved them and when."""
    revoked = {one["revoke"] for one in entries if "revoke" in one}
    found = []
    for one in entries:
        everything = one.get("portfolio") == "organisation" and "where" not in one
        if "standard" not in one or one["id"] in revoked or everything:
            continue
        later = [each for each in entries if each.get("approve") == one["id"]]
        by = one.get("approved_by") or (later[0]["by"] if later else None)
        on = one.get("approved_on") or (later[0]["on"] if later else None)
        if by is None or not 0 <= (one["until"] - on).days <= 180:
            continue
        named = [severity for name, severity in severities.items() if is_named(one["standard"], name)]
        if max(severity_rank(severity) for severity in named) <= MAY[by]:
            found.append({**one, "on": on})
    return found


def is_named(written: str, standard: str) -> bool:
    return written in (standard, standard.rstrip("0123456789"))


def reaches(waiver: Mapping[str, Any], site: str, number: str, tool: Tool, day: dt.date) -> bool:
    held = tool.tasks[number]
    lone = site == "zulu" and held["projects"] == ("p2",)
    apart = site == "acme" and held["projects"] == ("p2",)
    names = {f"{site}/T-{number}", f"{site}/{number}"}
    projects = {"zulu/p2", "zulu/lone"} if lone else {"acme/p2"} if apart else {"acme/p1", "acme/pay", "zulu/pay"}
    inside = not lone and not apart
    predicates = {
        "type = risk": held["type"] == "Risk",
        "due_on < today()": held["due"] < day,
        "start_on < today()": held["start"] is not None and held["start"] < day,
    }
    scopes = {
        "subject": lambda key: key in names,
        "project": lambda key: key in projects,
        "program": lambda key: key == "core" and inside,
        "portfolio": lambda key: inside if key == "banking" else not inside,
        "where": lambda text: predicates[text],
    }
    return all(scopes[key](waiver[key]) for key in scopes if key in waiver)


# --- the property -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "days_drawn"), [(0, 2), *(pytest.param(seed, 8, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_judge_plan_report_and_command_line_agree_at_every_hour(office: Office, seed: int, days_drawn: int) -> None:
    chance = random.Random(seed)
    severities = {one.id: one.severity for one in office.standards}
    waived_ever, apart = 0, 0
    for step in range(days_drawn):
        entries = [*draw(chance), EDGE]
        Path("decisions/waivers.yaml").write_text("".join(dump([one]) for one in entries))
        counted = sound(entries, severities)
        day = FIRST + dt.timedelta(days=chance.randint(-1, 3) if step else 1)
        minute = chance.choice((*HOURS, *HOURS, chance.randrange(1440))) if step else HOURS[1]
        office.world.now = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) + dt.timedelta(minutes=minute)
        days = {site: office.world.now.astimezone(zone).date() for site, zone in ZONES.items()}
        office.run()
        failing = failures(office)
        until: dict[tuple[str, str, str], dt.date] = {}
        uses: Counter[str] = Counter()
        for site, number, standard in failing:
            for one in counted:
                holds = is_named(one["standard"], standard) and one["on"] <= days[site] <= one["until"]
                if holds and reaches(one, site, number, office.tools[site], days[site]):
                    key = (site, number, standard)
                    until[key] = max(one["until"], until.get(key, one["until"]))
                    uses[one["id"]] += 1
        assert {key: last for key, last in failing.items() if last is not None} == until
        assert flagged(office) == {key for key in failing if key not in until}
        told = office.tell("findings", "--items", "--state", "waived")["items"]
        assert {(one["site"], one["key"].removeprefix("T-"), one["standard"]): one["waived_until"] for one in told} == {
            key: last.isoformat() for key, last in until.items()
        }
        rollups = office.tell("report")["rollups"]
        assert sum(one["waived"] for one in rollups if one["parent"] is None) == len(until)
        listed = {one["id"]: one for one in office.tell("waivers", "list", "--all")["waivers"]}
        assert {name: one["findings"] for name, one in listed.items() if one["findings"]} == uses
        today = {one["id"] for one in counted if one["on"] <= days["acme"] <= one["until"]}
        assert {name for name, one in listed.items() if one["state"] == "holds"} == today
        waived_ever += len(until)
        apart += days["acme"] != days["zulu"] and any(one["until"] == days["acme"] for one in counted)
    assert waived_ever > 0
    assert apart > 0


def failures(office: Office) -> dict[tuple[str, str, str], dt.date | None]:
    """What fails, by site, task and standard, with the last day of its waiver, as the store has it."""
    with office.world.store.reading() as connection:
        rows = connection.execute(
            select(task.c.site, task.c.rid, finding.c.standard, finding.c.state, finding.c.waived_until)
            .join(finding, finding.c.subject_id == task.c.id)
            .where(finding.c.subject == "task", finding.c.state != "resolved")
        ).all()
    assert all((row.state == "waived") == (row.waived_until is not None) for row in rows)
    return {
        (row.site, row.rid, row.standard): None if row.waived_until is None else date_of(row.waived_until)
        for row in rows
    }


def flagged(office: Office) -> set[tuple[str, str, str]]:
    """What stands on the tasks in the tools."""
    return {
        (site, slot.id, one["id"])
        for site, tool in office.tools.items()
        for slot, text in tool.marks.items()
        if slot.name == "property"
        for one in json.loads(text)["findings"]
    }
