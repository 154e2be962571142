"""An office on Asana alone where everything is switched on: all that can be read, and every slot there is.

Two projects and two portfolios, with people's own reports, briefs and comments among ours. The first project's owner
reports it green and we know it to be amber; the second has no baseline, so that its health is not known. Its own
standards ask for what is read beside projects and tasks, and each finds something from the beginning.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

from tests.acceptance.office import ASANA, PORTFOLIO, Forge, Office, State
from tests.acceptance.settled import GUIDANCE, OWN_PORTFOLIO, Person, opened, owner_of, without_ours
from tests.conftest import Sandbox

BRAND, HQ = "1202000000000001", "1202000000000002"
TOKENS = {"ASANA_TOKEN": "sandbox-asana-token"}
BOT = "1208000000000001"
SLOTS = "[field, text_field, tag, comment]", "[fields, portfolio_fields, status_update, portfolio_update, brief]"
FEWER = "[field]", "[fields, portfolio_fields]"
READ = "[history, worklogs, comments, budgets, allocations, goals]"
FIELDS = """\
  goals: goals
  budget_h: budget_time
  budget_used_h: budget_time_used
"""
REGISTER = f"""\
portfolios: [{{id: acme, title: Acme, home: {{{ASANA}: "{PORTFOLIO}"}}}}]
programs: [{{id: growth, title: Growth, portfolio: acme, home: {{{ASANA}: "{OWN_PORTFOLIO}"}}}}]
projects:
  - id: brand
    program: growth
    containers: [{ASANA}/{BRAND}]
    home: {{{ASANA}: "{PORTFOLIO}"}}
    baseline: {{tasks: 82}}
  - {{id: move, program: growth, containers: [{ASANA}/{HQ}], home: {{{ASANA}: "{PORTFOLIO}"}}}}
"""
STANDARD = """\
  - id: {id}
    title: It is about {id}
    subject: {subject}
    severity: medium
    when: {when}
    why: Others rely on it.
    fix: Say how it stands.
    serves: monitoring
    phase: any
    examples: {{fail: [{{{fail}}}], pass: [{{{good}}}]}}
"""
BUDGET, GOALS, PROMISED, BOOKED, MOVED, REPORT = STANDARDS = tuple(f"OWN80{n}" for n in range(1, 7))
ASKED = (
    (BUDGET, "project", "budget_used_h > 0 AND budget_h < 3000", "budget_used_h: 9, budget_h: 8",
     "budget_used_h: 9, budget_h: 4000"),
    (GOALS, "project", "goals = 1", "goals: 1", "goals: 2"),
    (PROMISED, "project", "allocated_until_on > today()", "allocated_until_on: 2026-11-21",
     "allocated_until_on: 2026-11-19"),
    (BOOKED, "task", "logged_h > 1", "logged_h: 2", "logged_h: 1"),
    (MOVED, "task", "due_moves > 1", "due_moves: 2", "due_moves: 1"),
    (REPORT, "project", "reported_on < today() - 3d", "reported_on: 2026-11-01", "reported_on: 2026-11-19"),
)  # fmt: skip


def whole(folder: Path, sandbox: Sandbox, forge: Forge, *, fewer: bool = False, **options: Any) -> Office:
    """The office before it has run; with `fewer` slots the mapping asks only for what stands in fields."""
    chosen: dict[str, Any] = {"asana": (BRAND, HQ), "register": REGISTER, "extra": GUIDANCE, "environ": dict(TOKENS)}
    chosen["site_lines"] = ("max_wait_s: 2",)
    office = Office(folder, sandbox, forge, jira=None, **{**chosen, **options})
    names = ("id", "subject", "when", "fail", "good")
    own = "".join(STANDARD.format(**dict(zip(names, asked, strict=True))) for asked in ASKED)
    office.write("own.yaml", f"pack: own\ntoday: 2026-11-20\nstandards:\n{own}")
    office.edit("pmosync.yaml", "standards: [starter]", "standards: [starter, own.yaml]")
    mapping = f"mappings/{ASANA}.yaml"
    office.edit(mapping, "\nread: []\n", f"\nread: {READ}\n")
    office.edit(mapping, "\nproject:\n", f"\nproject:\n{FIELDS}")
    office.edit(mapping, "\ntask:\n", "\ntask:\n  updated_at: updated\n")
    office.edit(mapping, "task: [field, text_field, tag]", f"task: {SLOTS[0]}")
    office.edit(mapping, "project: [fields, portfolio_fields]", f"project: {SLOTS[1]}")
    if fewer:
        opt_in(office, to=FEWER, before=SLOTS)
    return office


def opt_in(office: Office, to: tuple[str, str] = SLOTS, before: tuple[str, str] = FEWER) -> None:
    """Ask for other slots."""
    for kind, one, other in zip(("task", "project"), before, to, strict=True):
        office.edit(f"mappings/{ASANA}.yaml", f"  {kind}: {one}", f"  {kind}: {other}")


def people_at_work(sandbox: Sandbox) -> None:
    """What people did before we came: they moved a due date again and again, and left a comment and a tag there."""
    state = sandbox.state()
    placed = {row["task"] for row in state["asana_placement"] if row["project"] == BRAND}
    task = next(
        row
        for row in state["asana_task"]
        if row["gid"] in placed and row["assignee"] and row["due_on"] and not row["completed"] and not row["parent"]
    )
    gid, owner = str(task["gid"]), owner_of(sandbox, task["gid"])
    for days in (40, 41, 42):
        day = dt.date.fromisoformat(task["due_on"]) + dt.timedelta(days=days)
        owner.edit(ASANA, gid, due_on=day.isoformat())
    owner.asana("POST", f"tasks/{gid}/stories", {"text": "It waits for the agency <b>& co</b>."})
    owner.asana("POST", f"tasks/{gid}/addTag", {"tag": state["asana_tag"][0]["gid"]})


def person(sandbox: Sandbox, gid: str) -> Person:
    """Somebody by gid, signed in."""
    people = [row["gid"] for row in sandbox.state()["asana_user"] if row["gid"] != BOT]
    return Person(sandbox, 1 + sorted(people).index(gid))


def fine(office: Office) -> list[str]:
    """Tasks of the first project alone in work or to be done, with an owner, about which nothing was ever found."""
    homes: dict[str, list[str]] = {}
    for row in office.sandbox.state()["asana_placement"]:
        homes.setdefault(row["task"], []).append(row["project"])
    with opened(office) as store:
        rows = store.execute(
            "SELECT rid FROM task WHERE status IN ('todo', 'in_progress') AND type = 'task' AND assignee IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.subject = 'task' AND f.subject_id = task.id) ORDER BY id"
        )
        return [rid for (rid,) in rows if homes.get(rid) == [BRAND]]


# --- what is compared -------------------------------------------------------------------------------------------------


def of_people(state: State) -> State:
    """A state with nothing of it that pmosync may have put there, comments, updates and our part of briefs included.

    Briefs that we made are left out whole, those of others lose what stands between our two lines.
    """
    rest = without_ours(state)
    rest["asana_comment"] = [row for row in rest["asana_comment"] if row["created_by"] != BOT]
    rest["asana_status_update"] = [row for row in rest["asana_status_update"] if row["author"] != BOT]
    rest["asana_brief"] = [
        {"gid": row["gid"], "title": row["title"], "html_text": _around_ours(row["html_text"])}
        for row in rest["asana_brief"]
        if row["title"] != "PMO status"
    ]
    return rest


def _around_ours(html: str) -> str:
    before, heading, ours = html.partition("<h1>PMO status</h1>")
    if not heading:
        return html
    _, end, after = ours.partition("End of PMO status.")
    assert end
    return before + after.partition("</em>")[2]


def told(sandbox: Sandbox) -> Counter[str]:
    """How many people Asana told of something by us, by why."""
    found = sandbox.control("GET", "asana/notifications")
    return Counter(one["why"] for one in found if one["by"] == BOT)


def comments(state: State) -> list[str]:
    """The tasks with a comment of ours, each as often as it has one."""
    return sorted(row["task"] for row in state["asana_comment"] if row["created_by"] == BOT)


def updates(state: State) -> list[dict[str, Any]]:
    """Our status updates, the oldest first."""
    return sorted((row for row in state["asana_status_update"] if row["author"] == BOT), key=lambda row: row["gid"])


def last_changes(office: Office) -> dict[str, int]:
    """When each task was changed last by anybody but us, as the store knows it."""
    with opened(office) as store:
        return dict(store.execute("SELECT rid, updated_at FROM task").fetchall())
