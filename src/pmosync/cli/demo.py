"""The verb `demo`: the main job on this machine, from an empty folder to a second run that writes nothing.

Every step is a command that a person would type, run as it stands here; the sandbox says how many writes it saw, and
nothing is left running.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import requests
import typer

from pmosync import reports
from pmosync.cli.options import Common, configured
from pmosync.cli.terminal import out, say
from pmosync.errors import Misconfigured, Unavailable
from pmosync.exits import DONE, PARTLY, STOPPED
from pmosync.opening import stored

Verb = Callable[[Sequence[str]], int]
"""Runs one command line; returns its exit code."""

JIRA, ASANA = "acme-jira", "acme-asana"
OFFICE = "PMO"
"""The Jira project of the project office: status issues live there, and it is no project of its own."""
GUIDANCE = "guidance"
"""The folder of the guidance pages, which the sandbox serves."""
TOKENS = {"ACME_JIRA_TOKEN": "sandbox-jira-token", "ACME_ASANA_TOKEN": "sandbox-asana-token"}
PATIENCE_S = 30.0
SHOWN = 14
REPORT_SHOWN = 30

PHASES = ("execution", "execution", "planning", "execution", "execution", "closing")
SPONSORS = ("Hanna Weber", "Marcus Hale", "Ingrid Larsen")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The running sandbox."""

    url: str
    process: subprocess.Popen[bytes]

    def control(self, method: str, name: str) -> Any:
        """One of its control calls."""
        answer = requests.request(method, f"{self.url}/__sandbox__/{name}", timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def asana(self, path: str, **params: str) -> list[dict[str, Any]]:
        """What its Asana answers to the account of pmosync."""
        headers = {"Authorization": f"Bearer {TOKENS['ACME_ASANA_TOKEN']}"}
        answer = requests.get(f"{self.url}/api/1.0{path}", params=params, headers=headers, timeout=PATIENCE_S)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]
        return found


def demo(run: Verb, keep: Path | None, port: int) -> int:
    """Show it all; returns the exit code."""
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pmosync-demo-")))
        if keep is not None and (keep / "pmosync.yaml").exists():
            raise Misconfigured("there is a demo already", where=str(keep), hint="name another folder, or remove it")
        folder.mkdir(parents=True, exist_ok=True)
        stack.enter_context(_environment())
        sandbox = stack.enter_context(running(port, folder))
        stack.enter_context(contextlib.chdir(folder))
        code = _show(run, sandbox)
        if keep is not None:
            _wait(sandbox, folder)
    say("The sandbox is stopped, and nothing is left running.")
    return code


def _show(run: Verb, sandbox: Sandbox) -> int:
    _first_steps(run, sandbox)
    _guidance(run, sandbox)
    _chapter("What would be written, and why? Nothing is, yet: push is off.")
    _excerpt(run, ["plan"], SHOWN, begin="item ")
    _chapter("It looks right, so let us switch on: push: on in pmosync.yaml.")
    path = Path("pmosync.yaml")
    path.write_text(path.read_text("utf-8").replace("push: off", "push: on"), "utf-8")
    _excerpt(run, ["reconcile"], SHOWN)
    _chapter("What was found, by standard, and where the projects stand.")
    _typed(run, ["findings"])
    _chapter("The same for those who steer: health, and why.")
    _excerpt(run, ["report"], REPORT_SHOWN)
    _chapter("Two pages worth looking at, as their teams see them now:")
    config = configured(Common())
    with stored(config) as store, store.reading() as connection:
        for site, key, url in reports.flagged_pages(connection):
            out().print(f"  {site} {key}: {url}", soft_wrap=True)
    out().print(f"  and where their flags lead: {config.guidance}", soft_wrap=True)
    _chapter("Once more, with nothing changed. The sandbox counts what reaches it:")
    sandbox.control("DELETE", "requests")
    _typed(run, ["reconcile", "--quiet"])
    seen = sandbox.control("GET", "requests")
    say(f"{seen['writes']} writes ({seen['reads']} reads), as the sandbox counted them", "bold")
    return DONE if seen["writes"] == 0 else PARTLY


def _first_steps(run: Verb, sandbox: Sandbox) -> None:
    _chapter("A bank called Acme has seven projects in Jira and five in Asana. Its PMO starts here.")
    for name, token in TOKENS.items():
        say(f"$ export {name}={token}", "bold")
    _typed(
        run,
        f"init --organisation Acme --timezone Europe/Berlin --profile controlling --jira-name {JIRA} "
        f"--jira {sandbox.url} --jira-user pmo-bot@acme.example --asana --asana-name {ASANA} "
        f"--asana-url {sandbox.url}/api/1.0".split(),
    )
    _chapter("Both sites were discovered and their mappings suggested. Do they fit?")
    _excerpt(run, ["discover", JIRA], SHOWN)
    _typed(run, ["mapping", "check"])
    _chapter("The PMO writes down its projects: programs, phases, sponsors, and where rollups go.")
    found = _projects(run)
    portfolio = sandbox.asana("/portfolios", workspace=sandbox.asana("/workspaces")[0]["gid"], owner="me")[0]["gid"]
    Path("projects.yaml").write_text(register(found, portfolio), "utf-8")
    say(f"written: projects.yaml, {len(found)} projects")


def _guidance(run: Verb, sandbox: Sandbox) -> None:
    _chapter("Teams shall be able to read what is asked of them, and why. Each standard gets a page.")
    _typed(run, ["standards", "docs", "--out", GUIDANCE])
    address = f"{sandbox.url}/{GUIDANCE}/"
    with Path("pmosync.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n# Where the pages of the standards are published.\nguidance: {address}\n")
    path = Path(f"mappings/{JIRA}.yaml")
    text = path.read_text("utf-8").replace("  task: [property, label]", "  task: [property, label, remote_link]")
    path.write_text(text, "utf-8")
    say(f"They are published as {address} and written into pmosync.yaml; Jira's mapping now writes remote_link, too.")


def register(projects: Sequence[tuple[str, str, str]], portfolio: str) -> str:
    """The register's text.

    Args:
        projects: site, key and name of each.
        portfolio: the Asana portfolio through which rollups are shown.
    """
    lines = [f"home: {{{JIRA}: {OFFICE}}}", "projects:"]
    for n, (site, key, name) in enumerate(projects):
        lines += [
            f"  - id: {key.lower() if site == JIRA else name.split()[-1].lower()}",
            f"    title: {orjson.dumps(name).decode()}",
            f'    containers: ["{site}/{key}"]',
            f"    phase: {PHASES[n % len(PHASES)]}",
            f"    sponsor: {SPONSORS[n % len(SPONSORS)]}",
            f"    program: {orjson.dumps(_program(n)).decode()}",
        ]
        if site == ASANA:
            lines.append(f'    home: {{{site}: "{portfolio}"}}')
    return "\n".join(lines) + "\n"


def _program(n: int) -> str:
    return ("Digital banking", "Operations renewal", "Customer growth")[n % 3]


def _projects(run: Verb) -> list[tuple[str, str, str]]:
    """Every project of both sites but the project office's own, as `discover --json` lists them."""
    found = []
    for site in (JIRA, ASANA):
        _, text = _captured(run, ["discover", site, "--json"])
        listed = orjson.loads(text)["projects"]
        found += [(site, one["key"], one["name"]) for one in listed if (site, one["key"]) != (JIRA, OFFICE)]
    return found


# --- the stage --------------------------------------------------------------------------------------------------------


def _chapter(text: str) -> None:
    say("")
    say(text, "italic")


def _typed(run: Verb, line: Sequence[str]) -> None:
    """Show a command and run it."""
    say(f"$ pmosync {' '.join(line)}", "bold")
    _succeeded(line, run(line))


def _excerpt(run: Verb, line: Sequence[str], shown: int, begin: str = "") -> None:
    """Show a command, run it, and show how its answer (from the line that begins so) goes on, without its end."""
    say(f"$ pmosync {' '.join(line)}", "bold")
    code, text = _captured(run, line)
    _succeeded(line, code)
    lines = list(itertools.dropwhile(lambda each: not each.startswith(begin), text.splitlines()))
    for each in lines[:shown]:
        out().print(each, soft_wrap=True)
    if len(lines) > shown:
        say(f"… {len(lines) - shown} more lines")


def _captured(run: Verb, line: Sequence[str]) -> tuple[int, str]:
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        code = run(line)
    return code, caught.getvalue()


def _succeeded(line: Sequence[str], code: int) -> None:
    if code == STOPPED:
        raise KeyboardInterrupt
    if code:
        raise Misconfigured(f"`pmosync {' '.join(line)}` ended with {code}", hint="see the lines above")


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """The tokens, and none of the settings of a real configuration; afterwards all is as it was."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PMOSYNC_")]:
        del os.environ[name]
    os.environ.update(TOKENS)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def running(port: int, folder: Path) -> Iterator[Sandbox]:
    """The sandbox as a process of its own, stopped in the end, also when this process is asked to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = [sys.executable, "-m", "pmosync.sandbox", "--port", str(port), "--guidance", str(folder / GUIDANCE)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Unavailable("the sandbox did not start: see the lines above; is the port taken? Try `--port 0`")
        yield Sandbox(orjson.loads(line)["url"], process)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(sandbox: Sandbox, folder: Path) -> None:
    say("")
    say(f"The files are in {folder}; the sandbox is at {sandbox.url} until you press Enter.", "bold")
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        input()


Keep = Annotated[
    Path | None, typer.Option("--keep", metavar="DIR", help="Keep the files here, and the sandbox until Enter.")
]
Port = Annotated[int, typer.Option("--port", help="Of the sandbox; 0 takes a free one.")]
