"""A small portfolio made by hand: two programs, four projects, a site in trouble, and titles that mean harm."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from pmosync.reports.beside import Blind, Failing, Unobserved
from pmosync.reports.load import Load, Loaded, Total, Week
from pmosync.reports.portfolio import Entry, Report
from pmosync.rollup import Dimension, Figures, Health, Rollup
from pmosync.rollup.figures import Evidence

BERLIN = ZoneInfo("Europe/Berlin")
AS_OF = dt.datetime(2026, 11, 22, 2, 22, tzinfo=BERLIN)
READ_AT = dt.datetime(2026, 11, 22, 2, 10, tzinfo=BERLIN)

HOSTILE = (
    "<script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\"> | **b** _i_ `c` "
    "[x](javascript:alert) ![p](https://evil.example/p.png) https://evil.example www.evil.example @boss #1 &lt; "
    "~~s~~ :smile: \u202eltr \x1b[31mred\nnext"
)
DOWN = Unobserved("acme-asana", "", "", "it did not answer until 02:20; run again later")
REFUSED = Unobserved("acme-jira", "project:10002", "Core platform (PLAT)", "the account may not browse it")
OVERDUE = Failing("SCH201", "Overdue", "high", 6, "https://pmo.acme.example/standards/SCH201.html")
OWNERLESS = Failing("DAT101", "Open work has no owner", "medium", 2, "")


def health(colour: str, decided_by: str, reason: str, **dimensions: tuple[str, str]) -> Health:
    """A health whose other dimensions are not known."""
    missing = {
        "time": "no task has a due date",
        "cost": "the register has no baseline of effort",
        "scope": "the register has no baseline of tasks",
        "risk": "nothing in it is mapped as a risk",
    }
    known = {name: Dimension("grey", why) for name, why in missing.items()}
    known |= {name: Dimension(*one) for name, one in dimensions.items()}  # type: ignore[arg-type]
    return Health(colour, decided_by, reason, known)  # type: ignore[arg-type]


def figures(projects: int, tasks: int, done: int, late: int, findings: dict[str, int], **more: float) -> Figures:
    """Figures with estimates for every task, eight hours each."""
    made = Figures(
        projects=projects,
        tasks=tasks,
        open=tasks - done - int(more.get("cancelled", 0)),
        done=done,
        blocked=int(more.get("blocked", 0)),
        late=late,
        cancelled=int(more.get("cancelled", 0)),
        observed_tasks=int(more.get("observed", tasks)),
        effort_h=8.0 * tasks,
        effort_done_h=8.0 * done,
        findings=findings,
        waived=int(more.get("waived", 0)),
        failing_tasks=sum(findings.values()),
    )
    made.evidence = Evidence(leaves=tasks, estimated=tasks if more.get("estimated", 1) else 0)
    return made


def rollup(name: str, title: str, parent: str | None, told: Figures, well: Health, reported: str | None) -> Rollup:
    level = name.partition("/")[0]
    return Rollup(name, level, title, parent, (), (1,), True, 1, told, well, reported)  # type: ignore[arg-type]


def entry(one: Rollup, above: tuple[str, ...] = (), **more: object) -> Entry:
    told: dict[str, object] = {
        "key": "", "url": "", "phase": None, "sites": ("acme-jira",), "read_at": READ_AT, "standards": (), "failing": 0,
        "unobserved": (), "blind": (),
    }  # fmt: skip
    return Entry(rollup=one, depth=len(above), above=above, **{**told, **more})  # type: ignore[arg-type]


ENDING = {
    "id": "W-17", "standard": "SCH201", "scope": "program:digital", "until": "2026-11-30", "state": "ends",
    "findings": 3, "approved_by": "pmo@acme.example", "reason": "the vendor is late",
}  # fmt: skip


def loaded(hostile: str) -> Load:
    """Twelve weeks of three people: one has too much in two of them, of one nobody knows how long they work."""
    mondays = [dt.date(2026, 11, 16) + dt.timedelta(weeks=number) for number in range(12)]
    weeks = [Week(one, 44.0 if number in (1, 2) else 38.5, 0, None, 40.0) for number, one in enumerate(mondays)]
    unknown = [Week(one, 12.0, 0, None, None) for one in mondays]
    persons = (
        Loaded("ana@acme.example", "Ana Bell", "developer", tuple(weeks)),
        Loaded("acme-jira/7", hostile, None, tuple(unknown)),
        Loaded("bob@acme.example", "Bob Ray", "tester", tuple(Week(one, None, None, None, None) for one in mondays)),
    )
    totals = tuple(Total(one.week_on, 1, int(one.over), one.allocated_h, one.capacity_h) for one in weeks)
    return Load(3, totals, persons)


def sample(hostile: str = "Brand refresh") -> Report:
    """The whole report; one project has this title."""
    late = ("red", "6 of 40 tasks due by now are not done")
    red = health("red", "time", f"time: {late[1]}", time=late, scope=("green", "45 tasks, 44 planned"))
    top = "portfolio/organisation"
    entries = (
        entry(
            rollup(top, "Acme", None, figures(4, 130, 60, 7, {"critical": 1, "high": 7, "medium": 3}, observed=125,
                                              blocked=2, waived=1),
                   health("red", "project/pay", f"Instant payments: time: {late[1]}", time=late), "green"),
            standards=(OVERDUE, OWNERLESS), failing=3, unobserved=(DOWN, REFUSED), sites=("acme-asana", "acme-jira"),
        ),
        entry(
            rollup("program/digital", "Digital banking", top, figures(2, 75, 40, 6, {"high": 6, "medium": 2}),
                   health("red", "project/pay", f"Instant payments: time: {late[1]}", time=late), "green"),
            ("Acme",), failing=None, unobserved=(REFUSED,),
        ),
        entry(
            rollup("project/pay", "Instant payments", "program/digital",
                   figures(1, 45, 20, 6, {"high": 6, "medium": 2}, cancelled=1, blocked=1), red, "green"),
            ("Acme", "Digital banking"), key="PAY", url="https://acme.example/browse/PAY", phase="execution",
            standards=(OVERDUE, OWNERLESS), failing=2, blind=(Blind("estimate", ("EST401", "EST402")),),
        ),
        entry(
            rollup("project/plat", "Core platform", "program/digital", figures(1, 30, 20, 0, {}),
                   health("amber", "scope", "scope: 34 tasks, 31 planned", scope=("amber", "34 tasks, 31 planned"),
                          time=("green", "all 12 due tasks are done")), "amber"),
            ("Acme", "Digital banking"), key="PLAT", unobserved=(REFUSED,), phase="closing",
        ),
        entry(
            rollup("project/brand", hostile, top,
                   figures(1, 55, 20, 1, {"critical": 1, "high": 1, "medium": 1}, observed=50, estimated=0),
                   health("grey", "", "too little is known: time: no task has a due date"), "red"),
            ("Acme",), sites=("acme-asana",), unobserved=(DOWN,), url="javascript:document.title='hacked'",
            standards=(Failing("SCH202", hostile, "critical", 1, "javascript:alert(1)"),), failing=1,
        ),
        entry(
            rollup("project/new", "Not begun", top, figures(1, 0, 0, 0, {}),
                   health("grey", "", "too little is known"), None),
            ("Acme",), sites=("acme-asana",), read_at=None, unobserved=(DOWN,),
        ),
    )  # fmt: skip
    return Report("Acme", AS_OF, entries, (DOWN, REFUSED), (ENDING,), loaded(hostile))
