"""A site made for counting writes: one project with so many open issues, whose flags are all alike or all different.

All alike: no issue has an owner, and one standard asks for one. All different: 31 standards ask about the estimate,
each for a little more, and 31 about the due date; so every pair of an estimate and a due date has findings of its own.
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from harness import TOKEN, USER

from pmosync.sandbox.asana import tables as asana_tables
from pmosync.sandbox.jira import seed
from pmosync.sandbox.state import State

KEY = "MANY"
STEPS = 31
BEGIN = dt.date(2030, 1, 1)
CREATED = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
CONFIG = """\
organisation: Many
timezone: Europe/Berlin
calendar: {{workdays: mon-fri, holidays: DE}}
store: sqlite:///pmosync.db
profile: controlling
push: on
sites:
  many:
    connector: jira
    base_url: {url}
    auth: {{user: {user}, token: env:TRACKER_TOKEN}}
    limits: {{per_second: 100}}
    mapping: mappings/many.yaml
standards: [standards/many.yaml]
guard: {{max_share: 100%, max_changes: 1000000}}
"""
MAPPING = """\
site: many
scope: {{projects: [MANY]}}
project: {{title: name, lead: lead}}
task:
  title: summary
  assignee: assignee
  due_on: duedate
  estimate: timeoriginalestimate
  status:
    - {{field: status, values: {{todo: category=new, in_progress: category=indeterminate, done: category=done}}}}
    - {{default: report}}
write: {{task: [{slots}], mail: {mail}}}
"""
OWNER = ("OWN001", "high", "Open work has no owner", "assignee IS EMPTY", "{}", "{assignee: ana}")


def site(path: Path, count: int) -> None:
    """A state file with the issues."""
    state = State(str(path), dt.datetime.now(dt.UTC).date())
    seed.prepare(state)
    asana_tables.prepare(state)
    with state.transaction():
        seed.add_user(state, "pmo-bot", "PMO bot", USER)
        seed.add_token(state, "pmo-bot", TOKEN)
        seed.add_project(state, KEY, "Many", None)
        seed.set_role(state, KEY, "pmo-bot", "admin")
        for number in range(1, count + 1):  # the first pair would have no finding
            seed.add_issue(
                state, KEY, "Task", f"Piece {number}", created_at=CREATED, updated_at=CREATED,
                estimate_s=3600 * (number % (STEPS + 1)), due_on=BEGIN + dt.timedelta(days=number // (STEPS + 1) % 32),
            )  # fmt: skip
    state.close()


def office(folder: Path, url: str, *, different: bool, slots: str, mail: str = "never") -> None:
    """The files of a set-up whose standards make all flags alike, or all different."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "mappings").mkdir(parents=True)
    (folder / "standards").mkdir()
    (folder / "pmosync.yaml").write_text(CONFIG.format(url=url, user=USER))
    (folder / "mappings" / "many.yaml").write_text(MAPPING.format(slots=slots, mail=mail))
    rules = [*_steps()] if different else [OWNER]
    (folder / "standards" / "many.yaml").write_text(
        "pack: many\ntoday: 2026-11-20\nstandards:\n" + "".join(map(_rule, rules))
    )


def _steps() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for step in range(1, STEPS + 1):
        severity = ("low", "medium", "high")[step % 3]
        day = (BEGIN + dt.timedelta(days=step)).isoformat()
        title = f"Estimate of {step} hours or more"
        fail, passes = f"{{estimate_h: {step}}}", "{estimate_h: 0}"
        found.append((f"EST{step:03}", severity, title, f"estimate_h >= {step}", fail, passes))
        title, fail, passes = f"Due on {day} or later", f"{{due_on: {day}}}", f"{{due_on: {BEGIN}}}"
        found.append((f"DUE{step:03}", severity, title, f"due_on >= {day}", fail, passes))
    return found


def _rule(rule: tuple[str, ...]) -> str:
    name, severity, title, when, fail, passes = rule
    return f"""\
  - id: {name}
    title: "{title}"
    subject: task
    severity: {severity}
    when: {when}
    why: For counting.
    fix: Change it.
    serves: counting
    phase: planning
    examples:
      fail: [{fail}]
      pass: [{passes}]
"""
