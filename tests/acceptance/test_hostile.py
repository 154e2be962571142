"""A server that misbehaves: the exit code and the next step are told, no flag moves wrongly, and it is all made good.

Every case begins at the same settled state with the same day's work of people in both tools. One run meets the trouble,
one more runs undisturbed; then both servers hold what they hold where nothing ever went wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.office import Forge, Office, Run, Saved, State, difference
from tests.acceptance.workday import HOME, PROJECTS, Mark, lengthen, marks, settled, touch, work
from tests.conftest import Sandbox

pytestmark = pytest.mark.slow

NIGHT_S = 20 * 3600
"""Another day, and Asana still knows where its streams of events were."""
READ = {
    "jira": {"tool": "jira", "path": "/search/jql$"},
    "asana": {"tool": "asana", "method": "GET", "path": "/events$"},
}
WRITE = {"jira": {"tool": "jira", "write": True}, "asana": {"tool": "asana", "write": True}}
LATER = "Try again later"
ADVICE = {"jira": "Check the user and the token", "asana": "The token may be revoked or mistyped"}
ASKED_AT_ONCE = 3
"""The catalogue and the events of two projects of Asana: sent before the first of them is refused."""
HASTY = "0.2"
"""The patience of a run that is to give up at once, in seconds."""


@dataclass(frozen=True)
class Base:
    """Where every case begins, and how it ends when nothing goes wrong."""

    saved: Saved
    before: Mapping[Mark, Any]
    undisturbed: Mapping[str, State]
    """The servers after each verb."""


@dataclass(frozen=True)
class Case:
    """One kind of trouble, and what a run makes of it."""

    name: str
    faults: Sequence[Mapping[str, Any]]
    code: int
    words: Sequence[str] = ()
    """What the messages say."""
    verb: str = "sync"
    environ: Mapping[str, str] = field(default_factory=dict)
    frozen: Sequence[str] = ()
    """Projects where no mark may have moved while the trouble lasted."""
    healer: str = ""
    """The verb that makes it good, if it is another one: credentials that were refused rest until somebody asks."""


def reading(tool: str, kind: str, **more: Any) -> dict[str, Any]:
    """A fault of a tool's reads. What happens to a connection happens to a whole batch."""
    together = tool == "asana" and kind in ("cut_before", "truncated", "not_json", "hang")
    match = {"tool": tool, "path": "/batch$", "write": False} if together else READ[tool]
    return {"kind": kind, "match": match, **more}


def writing(tool: str, kind: str, **more: Any) -> dict[str, Any]:
    """A fault of a tool's writes."""
    return {"kind": kind, "match": WRITE[tool], **more}


def hasty(tool: str, **more: str) -> dict[str, str]:
    """A run that gives up on a tool quickly."""
    prefix = f"PMOSYNC_SITES__ACME_{tool.upper()}__"
    return {f"{prefix}{name.upper()}": value for name, value in {"max_wait_s": HASTY, **more}.items()}


def cases() -> Iterator[Case]:
    """Everything that a server may do to a run."""
    yield from too_many_requests()
    yield from failing()
    yield from cut()
    yield from nonsense()
    yield from expired()
    yield from shut_off()
    yield from silent()


def too_many_requests() -> Iterator[Case]:
    for tool in ("jira", "asana"):
        told = ["asks us to wait 1847 s", "It may go on at", "run again then"]
        yield Case(f"{tool} reads wait 2 s", [reading(tool, "retry_after", value="2", times=1)], 0)
        yield Case(f"{tool} writes wait 2 s", [writing(tool, "retry_after", value="2", times=1)], 0)
        yield Case(f"{tool} reads wait for no told time", [reading(tool, "retry_after", times=1)], 0)
        yield Case(f"{tool} writes wait for no told time", [writing(tool, "retry_after", times=1)], 0)
        yield Case(
            f"{tool} reads would wait half an hour",
            [reading(tool, "retry_after", value="1847")],
            11,
            told,
            frozen=PROJECTS[tool],
        )
        yield Case(
            f"{tool} writes would wait half an hour", [writing(tool, "retry_after", value="1847", after=1)], 11, told
        )


def failing() -> Iterator[Case]:
    for tool in ("jira", "asana"):
        for status in (500, 502, 503, 504):
            for fault, name in ((reading, "reads"), (writing, "writes")):
                passing = [fault(tool, "status", status=status, times=1)]
                yield Case(
                    f"{tool} {name} meet a passing {status}",
                    passing,
                    0,
                )
                yield Case(
                    f"{tool} {name} meet a lasting {status}",
                    [fault(tool, "status", status=status)],
                    11,
                    [str(status), LATER],
                    environ=hasty(tool),
                    frozen=PROJECTS[tool],
                )


def cut() -> Iterator[Case]:
    for tool in ("jira", "asana"):
        yield Case(f"{tool} cuts a write before it is applied", [writing(tool, "cut_before", times=1)], 0)
        yield Case(f"{tool} cuts a write after it was applied", [writing(tool, "cut_after", times=1)], 0)
        yield Case(f"{tool} cuts a read", [reading(tool, "cut_before", times=1)], 0)
        yield Case(
            f"{tool} cuts every write after it was applied",
            [writing(tool, "cut_after", after=1)],
            11,
            ["cut the connection", LATER],
            environ=hasty(tool),
        )


def nonsense() -> Iterator[Case]:
    for tool in ("jira", "asana"):
        every = PROJECTS[tool]
        yield Case(
            f"{tool} cuts its answers in half",
            [reading(tool, "truncated")],
            11,
            ["cut the connection before its answer was complete", LATER],
            environ=hasty(tool),
            frozen=every,
        )
        yield Case(f"{tool} cuts one answer in half", [reading(tool, "truncated", times=1)], 0)
        yield Case(
            f"{tool} answers with a web page", [reading(tool, "not_json")], 11, ["web page", "base_url"], frozen=every
        )
    search, tasks = {"tool": "jira", "path": "/search/jql$"}, {"tool": "asana", "path": "/tasks$"}
    first = PROJECTS["asana"][:1]
    yield Case(
        "jira repeats a page token",
        [{"kind": "repeat_token", "match": search}],
        11,
        ["the same page again", "The next run tries again"],
        frozen=PROJECTS["jira"],
    )
    yield Case(
        "jira sends an empty page with a token",
        [{"kind": "empty_page", "match": search}],
        11,
        ["an empty page", "The next run tries again"],
        frozen=PROJECTS["jira"],
    )
    yield Case(
        "asana repeats a page token",
        [{"kind": "repeat_token", "match": tasks}],
        11,
        ["read already", "Try again"],
        verb="reconcile",
        frozen=first,
    )
    yield Case(
        "asana sends an empty page with a token",
        [{"kind": "empty_page", "match": tasks}],
        11,
        ["an empty page", "Try again"],
        verb="reconcile",
        frozen=PROJECTS["asana"],
    )


def expired() -> Iterator[Case]:
    yield Case(
        "asana's offset expires",
        [{"kind": "expired_offset", "match": {"tool": "asana"}, "times": 1}],
        0,
        verb="reconcile",
    )
    yield Case("asana's sync tokens expire", [{"kind": "expired_sync", "match": {"tool": "asana"}}], 0)


def shut_off() -> Iterator[Case]:
    for kind, status in (("forbidden", "403"), ("missing", "404")):
        for verb in ("sync", "reconcile"):
            for tool, project in (("jira", "CRM"), ("asana", PROJECTS["asana"][0])):
                fault = {"kind": kind, "project": project, "match": {"tool": tool}}
                yield Case(
                    f"a project of {tool} answers {status} to {verb}",
                    [fault],
                    11,
                    [project, "permission"],
                    verb=verb,
                    frozen=[project],
                )
                yield Case(
                    f"a project of {tool} answers {status} to {verb} after its first call",
                    [{**fault, "after": 1}],
                    11,
                    [project, "permission"],
                    verb=verb,
                    frozen=[project],
                )
    for tool in ("jira", "asana"):
        denied = {"kind": "unauthorized", "match": {"tool": tool}}
        words = ["does not accept the credentials", ADVICE[tool]]
        options: dict[str, Any] = {"words": words, "healer": "reconcile"}
        yield Case(f"{tool} refuses the credentials", [denied], 11, frozen=PROJECTS[tool], **options)
        late = [writing(tool, "unauthorized")]
        yield Case(f"{tool} takes the credentials back before writing", late, 11, **options)


def silent() -> Iterator[Case]:
    for tool in ("jira", "asana"):
        yield Case(
            f"{tool} hangs",
            [reading(tool, "hang", seconds=5)],
            11,
            ["gave no answer within 0.3 s", LATER],
            environ=hasty(tool, timeout_s="0.3"),
            frozen=PROJECTS[tool],
        )
        yield Case(
            f"{tool} hangs over writes",
            [writing(tool, "hang", seconds=1)],
            11,
            ["gave no answer within 0.3 s", LATER],
            environ=hasty(tool, timeout_s="0.3"),
        )


ALIKE = () if os.environ.get("EVERY_POINT") else (" 502", " 503", " 504", " after its first call")
"""Cases that are met like others here: with EVERY_POINT=1 they are tried, too."""
CASES = [pytest.param(case, id=case.name) for case in cases() if not case.name.endswith(ALIKE)]


@pytest.fixture(scope="module")
def base(sandbox_process: tuple[Sandbox, int], forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A settled office after a day of people's work, and how undisturbed runs end there."""
    sandbox, beginning = sandbox_process
    sandbox.heal()
    sandbox.restore(beginning)
    folder = tmp_path_factory.mktemp("hostile") / "office"
    lengthen(sandbox)
    office = settled(lambda **options: Office(folder, sandbox, forge, **options))
    sandbox.advance(NIGHT_S)
    work(sandbox)
    touch(sandbox)
    saved, before = office.save(), marks(sandbox.state())
    undisturbed = {}
    for verb in ("sync", "reconcile"):
        saved.restore()
        for wanted in (12, 0):
            run = office.run(verb)
            assert run.code == 0, run
            assert (run.writes >= 12) if wanted else (run.writes == 0), run
        undisturbed[verb] = sandbox.state()
    return Base(saved, before, undisturbed)


@pytest.mark.parametrize("case", CASES)
def test_trouble_is_told_moves_no_flag_wrongly_and_is_made_good(base: Base, case: Case) -> None:
    office = base.saved.restore()
    office.sandbox.fault(*(dict(fault) for fault in case.faults))
    run = office.run(case.verb, environ=case.environ)
    office.sandbox.heal()
    assert run.code == case.code, run
    for word in case.words:
        assert word in run.text, run
    assert "defect" not in run.text, run
    right = base.undisturbed[case.verb]
    unmoved(base, marks(office.sandbox.state()), marks(right), case.frozen)
    healer = case.healer or case.verb
    healed = office.run(healer)
    assert healed.code == 0, f"{run}\n{healed}"
    right, now = base.undisturbed[healer], office.sandbox.state()
    if healer == "sync":  # figures wait for reconcile, unless their health changed: they may tell of another moment
        right, now = without_rollups(right), without_rollups(now)
    left = difference(right, now)
    assert not left, "\n".join([*left, str(run), str(healed)])


def without_rollups(state: State) -> State:
    """A state without the marks about projects as a whole."""
    projects = {row["gid"] for row in state["asana_project"]}
    return {
        **state,
        "jira_property": [row for row in state["jira_property"] if row["key"] != "pmosync.rollup"],
        "asana_value": [row for row in state["asana_value"] if row["item"] not in projects],
    }


def unmoved(base: Base, now: Mapping[Mark, Any], right: Mapping[Mark, Any], frozen: Sequence[str]) -> None:
    """Each mark is what it was, or what it has to become; where nothing was observed it is what it was."""
    for mark in now.keys() | right.keys() | base.before.keys():
        allowed = [base.before.get(mark)] if mark[0] in frozen else [base.before.get(mark), right.get(mark)]
        assert now.get(mark) in allowed, f"{mark} is {now.get(mark)}, not {allowed}"


def test_wrong_credentials_everywhere_end_the_run_and_are_never_tried_twice(base: Base) -> None:
    office = base.saved.restore()
    run = office.run("sync", environ={"JIRA_TOKEN": "expired", "ASANA_TOKEN": "taken-back"})
    assert run.code == 1, run
    for advice in ADVICE.values():
        assert advice in run.text
    asked = calls(run)
    assert asked["jira"] == 1, run.requests["log"]
    assert 1 <= asked["asana"] <= ASKED_AT_ONCE, run.requests["log"]
    assert marks(office.sandbox.state()) == base.before
    assert office.run("sync").code == 0
    assert not difference(base.undisturbed["sync"], office.sandbox.state())


def test_wrong_credentials_on_one_site_leave_the_other_to_be_done(base: Base) -> None:
    office = base.saved.restore()
    run = office.run("sync", environ={"JIRA_TOKEN": "expired"})
    assert run.code == 11, run
    assert run.requests["by_tool"]["jira"] == 1
    assert office.run("sync").code == 0
    assert not difference(base.undisturbed["sync"], office.sandbox.state())


def calls(run: Run) -> dict[str, int]:
    """How often each tool was asked."""
    return dict(run.requests["by_tool"])


LOST = {"kind": "cut_after", "match": {"tool": "asana", "method": "POST", "path": "(custom_fields|FieldSetting)$"}}


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        pytest.param([{**LOST, "times": 1}], 0, id="the first answer"),
        pytest.param([{**LOST, "after": 8, "times": 1}], 0, id="a later answer"),
        pytest.param([{**LOST, "after": 1}], 11, id="all answers but one"),
        pytest.param([{**LOST, "kind": "cut_before", "times": 1}], 0, id="the first question"),
    ],
)
def test_an_answer_lost_while_our_own_fields_are_made_makes_no_second_field(
    sandbox: Sandbox, forge: Forge, tmp_path: Path, faults: list[dict[str, Any]], code: int
) -> None:
    beginning = sandbox.snapshot()
    states = []
    for name, wrong, expected in (("twin", [], 0), ("office", faults, code)):
        sandbox.restore(beginning)
        office = Office(tmp_path / name, sandbox, forge, jira=None, asana=PROJECTS["asana"][:1], register=HOME)
        sandbox.fault(*wrong)
        run = office.run("reconcile", environ=hasty("asana") if expected else {})
        sandbox.heal()
        assert run.code == expected, run
        assert office.run("reconcile").code == 0
        states.append(sandbox.state())
    assert not difference(*states)
