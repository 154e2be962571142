"""Days at an Asana that loses events: how far the store is from the truth, with and without asking person by person.

    python benchmarks/asana_events.py [--hours 24] [--loss 0.1] [--lose events edits] [--write]

People make 20 edits an hour: dates, owners, ticks, sections, homes, parents, new tasks, deletions; of tasks and of
subtasks. Each tenth event reaches no stream (on a second day all events of each tenth edit: most edits make several),
and every hour the token of one project is one that the server does not take any more. Two stores follow by a sync
every five minutes: one asks once an hour, for each person who has a task, `GET /tasks?assignee=&workspace=&
modified_since=`, the other never does. Both sweep each project every hour. At the end both reconcile. The truth is
read from the sandbox's own tables, task by task.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import sqlite3
import sys
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asana_made
import harness
from asana_made import Made
from harness import Sandbox, about, claim, sandbox, table

from pmosync.config import load
from pmosync.cycle import resolved
from pmosync.opening import ready
from pmosync.pull import pull
from pmosync.site import Site
from pmosync.store import Store

STEP_S = 300
STEPS = 12
EDITS = 20
DELAY_S = 60
TOKEN_LIFE_S = 3000
"""Below an hour, so that a token of an hour ago is one that the server does not take."""
OTHERS = "something done to another task"
DAYS = {"events": "Single events are lost", "edits": "All events of an edit are lost together"}
SEES = """\
What asking person by person sees: changed tasks that somebody is assigned to, subtasks on every level among them, and
assigned tasks that were put into one more project. What it does not: tasks without an assignee, which wait for the
sweep of the project, subtasks without one, what was deleted, and what left a project, which wait for the reconcile.
Most edits make several events and one of them is enough: where single events are lost it finds little, where a stream
is silent about whole edits it finds much. It costs one call an hour for each person who has a task."""
View = dict[str, Any]


# --- the truth --------------------------------------------------------------------------------------------------------


def truth(state: Path) -> dict[str, View]:
    """Every task that is in a project or hangs under one that is, as the server has it."""
    database = sqlite3.connect(f"file:{state}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    tasks = {row["gid"]: row for row in database.execute("SELECT * FROM asana_task WHERE trashed = 0")}
    homes: dict[str, set[str]] = {gid: set() for gid in tasks}
    sections: dict[str, set[str]] = {gid: set() for gid in tasks}
    for row in database.execute("SELECT task, project, section FROM asana_placement"):
        if row["task"] in tasks:
            homes[row["task"]].add(row["project"])
            sections[row["task"]].add(row["section"])
    values: dict[str, dict[str, Any]] = {gid: {} for gid in tasks}
    for row in database.execute("SELECT item, field, value FROM asana_value"):
        if row["item"] in tasks:
            values[row["item"]][row["field"]] = json.loads(row["value"])
    ties: dict[str, set[tuple[str, str]]] = {gid: set() for gid in tasks}
    for row in database.execute("SELECT task, depends_on FROM asana_dependency"):
        if row["task"] in tasks and row["depends_on"] in tasks:
            ties[row["task"]].add(("inward", row["depends_on"]))
            ties[row["depends_on"]].add(("outward", row["task"]))
    database.close()

    def projects(gid: str) -> set[str]:
        found: set[str] = set()
        while gid in tasks:
            found |= homes[gid]
            gid = tasks[gid]["parent"]
        return found

    return {
        gid: {
            "name": row["name"], "completed": bool(row["completed"]), "assignee": row["assignee"],
            "due_on": row["due_on"], "start_on": row["start_on"], "parent": row["parent"],
            "approval_status": row["approval_status"], "projects": projects(gid), "section": sections[gid],
            "values": values[gid], "ties": ties[gid],
        }
        for gid, row in tasks.items()
        if projects(gid) and not row["is_separator"]
    }  # fmt: skip


def stored(path: Path) -> dict[str, View]:
    """Every task of a store, in the same words."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    scopes: dict[int, set[str]] = {}
    for number, name in database.execute("SELECT record_id, scope FROM record_scope"):
        scopes.setdefault(number, set()).add(name.removeprefix("project:"))
    found = {
        gid: _view(json.loads(body), scopes.get(number, set()))
        for number, gid, body in database.execute("SELECT id, rid, body FROM record WHERE kind = 'task' AND gone = 0")
    }
    database.close()
    return found


def _view(body: Mapping[str, Any], projects: set[str]) -> View:
    def first(name: str, tag: str) -> Any:
        found = body.get(name)
        return found[tag][0] if found else None

    custom = {name: _custom(value) for name, value in body.items() if name.isdigit() and value not in (None, [])}
    links = [link["l"] for name in ("dependencies", "dependents") for link in body.get(name) or ()]
    section = first("section", "c")
    parent = body.get("parent")
    return {
        "name": body["name"], "completed": body["completed"], "assignee": first("assignee", "p"),
        "due_on": (body["due_on"] or {}).get("d"), "start_on": (body["start_on"] or {}).get("d"),
        "parent": parent["r"][1] if parent else None, "approval_status": first("approval_status", "c"),
        "projects": projects, "section": {section} - {None},
        "values": custom, "ties": {(link[2], link[3]) for link in links},
    }  # fmt: skip


def _custom(value: Any) -> Any:
    """A custom value as the server keeps it: an option's gid, or minutes."""
    if isinstance(value, dict):
        return value["c"][0] if "c" in value else value["s"] / 60
    return value


def differing(true: Mapping[str, View], known: Mapping[str, View]) -> dict[str, str]:
    """The tasks of which the store does not say what the server says, and where they differ first."""
    found = dict.fromkeys(true.keys() - known.keys(), "not there")
    found |= dict.fromkeys(known.keys() - true.keys(), "still there")
    for gid in true.keys() & known.keys():
        one, other = true[gid], known[gid]
        for name in one:
            same = other[name] <= one[name] if name == "section" else one[name] == other[name]
            if not same or (name == "section" and bool(one[name]) != bool(other[name])):
                found[gid] = name
                break
    return found


# --- people -----------------------------------------------------------------------------------------------------------


@dataclass
class People:
    """Who edit, by the same dice each time."""

    served: Sandbox
    state: Path
    made: Made
    dice: random.Random
    silent: float
    """The share of the edits of which no stream tells anything."""
    did: Counter[str] = field(default_factory=Counter)
    last: dict[str, str] = field(default_factory=dict)
    """What was done to each task last."""

    def edit(self) -> None:
        """One edit of a random kind."""
        now = truth(self.state)
        if self.silent:
            self.served.control("POST", "asana", {"event_loss": float(self.dice.random() < self.silent)})
        kinds = list(KINDS)
        (kind,) = self.dice.choices(kinds, [KINDS[name][0] for name in kinds])
        for gid in KINDS[kind][1](self, now):
            self.last[gid] = kind
        self.did[kind] += 1

    def pick(self, now: Mapping[str, View], subtask: bool | None = None) -> str:
        """A task; a subtask or not where that matters."""
        return self.dice.choice(
            sorted(gid for gid, one in now.items() if subtask is None or subtask == (one["parent"] is not None))
        )

    def call(self, method: str, path: str, data: Mapping[str, Any]) -> Any:
        """One call of one of them."""
        person = self.dice.randrange(1, len(self.made.people) + 1)
        token = asana_made.PERSON.format(person)
        request = urllib.request.Request(
            f"{self.served.url}/api/1.0{path}",
            method=method,
            data=json.dumps({"data": data}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as refusal:
            raise SystemExit(f"{method} {path} {data}: {refusal.read().decode()}") from refusal

    def values(self) -> dict[str, Any]:
        """What is changed in a task itself."""
        day = dt.date(2027, 1, 1) + dt.timedelta(days=self.dice.randrange(300))
        return self.dice.choice([
            {"due_on": day.isoformat()}, {"assignee": self.dice.choice(self.made.people)}, {"assignee": None},
            {"name": f"Renamed {sum(self.did.values())}"}, {"completed": True}, {"completed": False},
        ])  # fmt: skip


def _change(subtask: bool) -> Callable[[People, Mapping[str, View]], list[str]]:
    def act(people: People, now: Mapping[str, View]) -> list[str]:
        gid = people.pick(now, subtask)
        people.call("PUT", f"/tasks/{gid}", people.values())
        return [gid]

    return act


def _section(people: People, now: Mapping[str, View]) -> list[str]:
    gid = people.pick(now, subtask=False)
    project = people.dice.choice(sorted(now[gid]["projects"]))
    database = sqlite3.connect(f"file:{people.state}?mode=ro", uri=True)
    rows = database.execute("SELECT gid FROM asana_section WHERE project = ? ORDER BY gid", (project,)).fetchall()
    database.close()
    people.call("POST", f"/sections/{people.dice.choice(rows)[0]}/addTask", {"task": gid})
    return [gid]


def _home(people: People, now: Mapping[str, View]) -> list[str]:
    gid = people.pick(now)
    others = sorted(set(people.made.projects) - now[gid]["projects"])
    people.call("POST", f"/tasks/{gid}/addProject", {"project": people.dice.choice(others)})
    return [gid]


def _leave(people: People, now: Mapping[str, View]) -> list[str]:
    gid = people.pick(now, subtask=False)
    people.call("POST", f"/tasks/{gid}/removeProject", {"project": people.dice.choice(sorted(now[gid]["projects"]))})
    return [gid, *_under(gid, now)]


def _parent(people: People, now: Mapping[str, View]) -> list[str]:
    gid = people.pick(now, subtask=True)
    below = _under(gid, now)
    above = people.dice.choice(sorted(one for one in now if one not in (gid, *below) and now[one]["parent"] is None))
    people.call("POST", f"/tasks/{gid}/setParent", {"parent": above})
    return [gid, *below]


def _make(people: People, now: Mapping[str, View]) -> list[str]:
    if people.dice.random() < 0.5:
        made = people.call("POST", f"/tasks/{people.pick(now)}/subtasks", {"name": "New subtask"})
    else:
        made = people.call("POST", "/tasks", {"name": "New", "projects": [people.dice.choice(people.made.projects)]})
    return [made["gid"]]


def _delete(people: People, now: Mapping[str, View]) -> list[str]:
    gid = people.pick(now)
    people.call("DELETE", f"/tasks/{gid}", {})
    return [gid, *_under(gid, now)]


def _wait(people: People, now: Mapping[str, View]) -> list[str]:
    gid, before = people.pick(now), people.pick(now)
    if gid == before or any(other == before for _, other in now[gid]["ties"]):
        return []
    people.call("POST", f"/tasks/{gid}/addDependencies", {"dependencies": [before]})
    return [gid, before]


def _under(gid: str, now: Mapping[str, View]) -> list[str]:
    found = [one for one in now if now[one]["parent"] == gid]
    return found + [below for one in found for below in _under(one, now)]


KINDS: dict[str, tuple[int, Callable[[People, Mapping[str, View]], list[str]]]] = {
    "task changed": (7, _change(False)), "subtask changed": (6, _change(True)), "other section": (2, _section),
    "one more project": (1, _home), "out of a project": (1, _leave), "other parent": (1, _parent),
    "new": (2, _make), "deleted": (1, _delete), "waits for another": (1, _wait),
}  # fmt: skip


# --- two stores -------------------------------------------------------------------------------------------------------


@dataclass
class Follower:
    """One store that follows the workspace."""

    name: str
    folder: Path
    served: Sandbox
    store: Store
    source: Site
    asked: Counter[str] = field(default_factory=Counter)
    hours: list[dict[str, tuple[str, str]]] = field(default_factory=list)
    """At the end of each hour: the tasks of which it is wrong, what was done to them last, and where it is wrong."""

    def pull(self, now: dt.datetime, *, full: bool = False) -> None:
        """One sync, or a reconcile, up to where records are stored."""
        os.chdir(self.folder)
        self.served.forget()
        pulled = pull(self.store, self.source, full=full, now=now)
        if pulled.trouble or pulled.unobserved:
            raise SystemExit(f"{self.name}: {pulled.trouble} {pulled.unobserved}")
        self.asked.update(self.served.requests())

    def differing(self, true: Mapping[str, View]) -> dict[str, str]:
        """Where this store is wrong."""
        return differing(true, stored(self.folder / "pmosync.db"))

    def tokens(self) -> dict[str, str]:
        """The token of each project's stream."""
        database = sqlite3.connect(self.folder / "pmosync.db")
        ((cursor,),) = database.execute("SELECT cursor FROM site")
        database.close()
        found: dict[str, str] = json.loads(cursor)["sync"]
        return found

    def wear_out(self, project: str, token: str) -> None:
        """Give a project a token that was good long ago."""
        database = sqlite3.connect(self.folder / "pmosync.db")
        ((cursor,),) = database.execute("SELECT cursor FROM site")
        told = json.loads(cursor)
        told["sync"][project] = token
        database.execute("UPDATE site SET cursor = ?", (json.dumps(told),))
        database.commit()
        database.close()


def day(place: Path, options: argparse.Namespace, edits: bool) -> str:
    """The whole day, and what is told of it; `edits`: all events of an edit are lost together."""
    state = place / "day.db"
    made = asana_made.site(
        state, projects=options.projects, tasks=options.tasks, subtasks=3 * options.tasks // 10, unowned=50, people=20
    )
    with sandbox(state=state) as served, ExitStack() as stack:
        at = [_advance(served, 0)]
        people = People(served, state, made, random.Random(7), options.loss if edits else 0)
        followers = [
            _follower(stack, place / repair, served, repair, lambda: at[0]) for repair in ("off", "hourly")
        ]  # fmt: skip
        for follower in followers:
            follower.pull(at[0], full=True)
        first = {follower.name: follower.tokens() for follower in followers}
        served.control(
            "POST", "asana",
            {"event_loss": 0 if edits else options.loss, "event_delay_s": DELAY_S, "event_ttl_s": TOKEN_LIFE_S},
        )  # fmt: skip
        before = {follower.name: sum(follower.asked.values()) for follower in followers}
        for hour in range(options.hours):
            moments = Counter(people.dice.randrange(STEPS) for _ in range(EDITS))
            for step in range(STEPS):
                for _ in range(moments[step]):
                    people.edit()
                at[0] = _advance(served, STEP_S)
                if step == STEPS - 1:
                    project = made.projects[hour % len(made.projects)]
                    for follower in followers:
                        follower.wear_out(project, first[follower.name][project])
                for follower in followers:
                    follower.pull(at[0])
            true = truth(state)
            for follower in followers:
                wrong = follower.differing(true)
                follower.hours.append({gid: (people.last.get(gid, OTHERS), wrong[gid]) for gid in wrong})
        spent = {follower.name: sum(follower.asked.values()) - before[follower.name] for follower in followers}
        at[0] = _advance(served, STEP_S)
        true, after = truth(state), {}
        for follower in followers:
            follower.pull(at[0], full=True)
            after[follower.name] = follower.differing(true)
    return _report(options, edits, made, people, followers, spent, after, true)


def _advance(served: Sandbox, seconds: float) -> dt.datetime:
    return dt.datetime.fromisoformat(served.control("POST", "clock", {"advance_s": seconds})["now"])


def _follower(
    stack: ExitStack, folder: Path, served: Sandbox, repair: str, clock: Callable[[], dt.datetime]
) -> Follower:
    asana_made.office(folder, served.url)
    config_path = folder / "pmosync.yaml"
    config_path.write_text(config_path.read_text().replace("    mapping:", f"    repair: {repair}\n    mapping:"))
    os.chdir(folder)
    config = load(config_path, os.environ)
    opened = ready(config, None, clock=clock, watch=lambda _, one: one, warn=print, doing="benchmark")
    found = stack.enter_context(opened)
    (source,) = found.setup.sites
    return Follower(repair, folder, served, found.store, resolved(source))


# --- the report -------------------------------------------------------------------------------------------------------


def _report(
    options: argparse.Namespace, edits: bool, made: Made, people: People, followers: Sequence[Follower],
    spent: Mapping[str, int], after: Mapping[str, Mapping[str, str]], true: Mapping[str, View],
) -> str:  # fmt: skip
    off, hourly = followers
    lost = "edits told by no event at all" if edits else "events lost"
    rows = [
        [hour, hour * EDITS, _split(one, true), _split(other, true)]
        for hour, (one, other) in enumerate(zip(off.hours, hourly.hours, strict=True), 1)
    ]
    done = [[kind, people.did[kind] or "", *_counts(followers, 0, kind)] for kind in (*KINDS, OTHERS)]
    names = sorted({where for follower in followers for hour in follower.hours for _, where in hour.values()})
    where = [[name, *_counts(followers, 1, name)] for name in names]
    wrong = [sum(map(len, follower.hours)) for follower in followers]
    more = (spent["hourly"] - spent["off"]) / options.hours
    spent_on = (
        f"{spent['off']} without, {spent['hourly']} with it ({more:.1f} an hour more for {len(made.people)} people)"
    )
    head = f"{made.told()}; {options.hours} hours, {options.hours * EDITS} edits, {options.loss:.0%} of the {lost}"
    lines = [
        f"{head}, one token an hour worn out, a sync every {STEP_S // 60} minutes.",
        "Tasks (of them subtasks) of which the store did not say what the server says, after each full hour's sync:",
        table(["hour", "edits so far", "without the repair", "with it"], rows),
        f"All hours together: {wrong[0]} without, {wrong[1]} with it. By what was done to the task last:",
        table(["edit", "how often", "without", "with"], done),
        "By where they differ first:",
        table(["field", "without", "with"], where),
        f"Counted actions of {options.hours * STEPS} syncs: {spent_on}.",
        "\n".join(_equal(follower, after[follower.name], len(true)) for follower in followers),
    ]
    return "\n\n".join(lines)


def _equal(follower: Follower, left: Mapping[str, str], count: int) -> str:
    how = f"after the reconcile the store (repair: {follower.name}) equals the server, task by task, {count} tasks"
    return claim(f"{how}: {len(left)} differ {dict(Counter(left.values())) if left else ''}".rstrip(), not left)


def _counts(followers: Sequence[Follower], which: int, name: str) -> list[int]:
    return [
        sum(1 for hour in follower.hours for told in hour.values() if told[which] == name) for follower in followers
    ]


def _split(wrong: Mapping[str, object], true: Mapping[str, View]) -> str:
    below = sum(1 for gid in wrong if gid in true and true[gid]["parent"] is not None)
    return f"{len(wrong)} ({below})"


def main() -> int:
    """Measure and print; with --write also into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--loss", type=float, default=0.1, help="share of the events that no stream tells")
    parser.add_argument("--lose", nargs="*", choices=list(DAYS), help="single events, or all of an edit")
    parser.add_argument("--projects", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    options = parser.parse_args()
    os.environ["MADE_TOKEN"] = asana_made.BOT
    back = Path.cwd()
    with tempfile.TemporaryDirectory() as temporary:
        texts = []
        for kind in options.lose or DAYS:
            (Path(temporary) / kind).mkdir()
            texts.append(f"### {DAYS[kind]}\n\n{day(Path(temporary) / kind, options, kind == 'edits')}")
        os.chdir(back)
    text = f"`python benchmarks/asana_events.py --write`: {about('requests', 'asana')}."
    text = "\n\n".join([text, SEES, *texts])
    print(f"## Days of lost events at Asana\n\n{text}")
    if options.write:
        harness.write("Days of lost events at Asana", text)
    return 1 if "does not hold" in text else 0


if __name__ == "__main__":
    sys.exit(main())
