"""A PostgreSQL of the tests' own: made in a folder of its own, on a socket there, and gone with it.

It never runs as root, which PostgreSQL refuses, and listens on no network.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine

ABSENT = "PostgreSQL is not installed here, so nothing was asked of it: `apt-get install postgresql`"
REQUIRED = os.environ.get("POSTGRESQL") == "required"
_QUICK = "-F -c listen_addresses= -c full_page_writes=off -c shared_buffers=32MB -c max_connections=10"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest one; None where there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return folders[-1].parent if folders else None


@contextmanager
def cluster() -> Iterator[Engine]:
    """A running server with an empty database; call `programs` first."""
    where = programs()
    assert where is not None, ABSENT
    user = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(
            user, folder, where / "initdb", "-D", data, "-U", "pmosync", "-A", "trust", "-E", "UTF8", "-N", "--locale=C"
        )
        control = [where / "pg_ctl", "-D", data, "-s", "-w"]
        _run(user, folder, *control, "-l", folder / "log", "-o", f"{_QUICK} -k {folder}", "start")
        engine = create_engine(f"postgresql+psycopg://pmosync@/postgres?host={folder}")
        try:
            yield engine
        finally:
            engine.dispose()
            _run(user, folder, *control, "-m", "immediate", "stop")


def _unprivileged() -> str | None:
    """Whom to run it as; None: as ourselves."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(user: str | None, folder: Path, *command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]} as {user or getpass.getuser()}: {done.stdout}{done.stderr}"
