"""What the tests of deploy/ share: the files as data, and the image as it is built where no engine is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

REQUIRED = os.environ.get("DEPLOY_VALIDATORS") == "required"
"""Set where everything has to be looked at: what is missing then fails, and is skipped elsewhere."""


def missing(what: str) -> None:
    """Skip, or fail where everything has to be looked at."""
    if REQUIRED:
        pytest.fail(f"{what}; DEPLOY_VALIDATORS=required does not let this pass")
    pytest.skip(f"{what}; `make check-deploy` installs what is to be had")


def module(name: str) -> ModuleType:
    """A validator that is a Python package."""
    try:
        return import_module(name)
    except ImportError:
        missing(f"the package {name} is not installed")
        raise


def program(name: str) -> str:
    """A validator that is a program, beside this Python or on the path."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        missing(f"the program {name} is not installed")
    return str(found)


def documents(path: Path) -> list[dict[str, Any]]:
    """The YAML documents of a file, read as Docker and Kubernetes read them."""
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def compose() -> dict[str, Any]:
    """The service of the Compose file."""
    found: dict[str, Any] = documents(DEPLOY / "compose/compose.yaml")[0]["services"]["pmosync"]
    return found


@dataclass(frozen=True)
class Ran:
    """What one command did in the image."""

    code: int
    out: str
    err: str


@dataclass
class Image:
    """The image, and a way to run commands in it, each in mounts of its own and without network but loopback."""

    process: subprocess.Popen[str]
    said: dict[str, Any]
    """What the Dockerfile says about how to run it."""

    def run(self, *words: str, **how: Any) -> Ran:
        """Run the entry point with these words; whole: exactly these words, as the health check and a shell are run."""
        return Ran(**self.ask(request(words, **how)))

    def start(self, *words: str, **how: Any) -> int:
        """The same, left running; the number is for `stop`."""
        return int(self.ask(request(words, **how) | {"background": True})["pid"])

    def stop(self, number: int, timeout_s: float = 30) -> Ran:
        """Send the signal that the Dockerfile names, and wait for the end."""
        return Ran(**self.ask({"stop": number, "timeout_s": timeout_s}))

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the engine ended; see the lines above"
        answer: dict[str, Any] = json.loads(line)
        return answer


def request(
    words: Sequence[str],
    mounts: Sequence[dict[str, Any]] = (),
    env: dict[str, str] | None = None,
    whole: bool = False,
    read_only: bool = True,
    timeout_s: float = 60,
) -> dict[str, Any]:
    return {
        "words": list(words), "mounts": list(mounts), "env": env or {}, "whole": whole,
        "read_only": read_only, "timeout_s": timeout_s, "background": False,
    }  # fmt: skip


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The Dockerfile's own steps carried out on this machine's base, once for all tests."""
    module("dockerfile_parse")
    module("docker")
    if sys.platform != "linux" or os.geteuid() != 0:
        missing("the container's steps need Linux and root, to mount")
    enter = ["unshare", "--mount", "--propagation", "private"]
    tried = subprocess.run([*enter, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    if tried.returncode:
        missing(f"this machine does not let us mount: {tried.stderr.strip()}")
    work = tmp_path_factory.mktemp("image")
    line = [*enter, sys.executable, str(Path(__file__).with_name("engine.py")), str(ROOT), str(work)]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said, "the image could not be built; see the lines above"
        yield Image(process, json.loads(said))
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()
