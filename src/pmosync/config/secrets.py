"""Secrets stand in pmosync.yaml as references only: `env:NAME` or `file:/path`.

A secret that is written out is refused without being shown; a reference is followed only when its site is opened, and a
message names the reference, never what it leads to. A secret that its tool replaces is written back in one piece.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

from filelock import FileLock, Timeout
from pydantic import BaseModel, SecretStr

from pmosync.errors import Misconfigured, Unavailable
from pmosync.http import RotatingSecret

KINDS = ("env:", "file:")

HELD_S = 60.0
"""How long to wait for another run that replaces the same secret."""


def is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith(KINDS) and value not in KINDS


def secret_paths(model: type[BaseModel], kinds: tuple[type, ...] = (SecretStr, RotatingSecret)) -> set[tuple[str, ...]]:
    """Where in these settings a secret belongs, e.g. `("auth", "token")`."""
    return {
        (info.alias or name, *rest)
        for name, info in model.model_fields.items()
        for rest in _secrets_within(info.annotation, kinds)
    }


def _secrets_within(annotation: Any, kinds: tuple[type, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(annotation, type) and issubclass(annotation, kinds):
        yield ()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from secret_paths(annotation, kinds)
    else:
        for inner in get_args(annotation):
            yield from _secrets_within(inner, kinds)


def rotating_paths(model: type[BaseModel]) -> set[tuple[str, ...]]:
    """Where in these settings a secret belongs that its tool replaces."""
    return secret_paths(model, (RotatingSecret,))


def references(data: object, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Every reference in these keys, by where it stands."""
    if isinstance(data, Mapping):
        return {path: text for key, value in data.items() for path, text in references(value, (*at, key)).items()}
    return {at: str(data)} if is_reference(data) else {}


def written_out(data: object, places: Collection[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Where something else than a reference stands in the place of a secret, or of the keys around one."""
    return sorted({found for at in places if (found := _no_reference(data, at)) is not None})


def _no_reference(data: object, at: tuple[str, ...]) -> tuple[str, ...] | None:
    for depth, key in enumerate(at):
        if not isinstance(data, Mapping):
            return None if data is None else at[:depth]
        data = data.get(key)
    return None if data is None or is_reference(data) else at


def replaced(data: object, values: Mapping[tuple[str, ...], object], at: tuple[str, ...] = ()) -> Any:
    """The same keys with these values in the place of references."""
    if isinstance(data, Mapping):
        return {key: replaced(value, values, (*at, key)) for key, value in data.items()}
    return values.get(at, data)


def follow(reference: str, environ: Mapping[str, str], folder: Path, where: str) -> str:
    """The secret that a reference leads to.

    Args:
        folder: what the path of a `file:` reference is relative to.
        where: the line of the reference, for the message.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        text = environ.get(name, "").strip()
        if not text:
            problem = "empty" if name in environ else "not set"
            raise Misconfigured(
                f"the environment variable of {reference} is {problem}", where=where, hint=f"set {name} and run again"
            )
    else:
        text = _read(reference, folder / name, where)
    if any(not char.isprintable() for char in text):
        raise Misconfigured(
            f"what {reference} leads to holds a line break or a control character",
            where=where,
            hint="store the secret alone, on one line",
        )
    return text


def _read(reference: str, path: Path, where: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(
            f"{reference} cannot be read: {why}", where=where, hint="check the path and who may read the file"
        ) from None
    if not text:
        raise Misconfigured(f"the file of {reference} is empty", where=where, hint="write the secret into it")
    return text


# --- secrets that are replaced ----------------------------------------------------------------------------------------


def replaceable(reference: str, folder: Path, where: str) -> None:
    """Refuse a secret that its tool replaces where it could not be written back."""
    real = Path(os.path.realpath(folder / reference.partition(":")[2]))
    if not os.access(real.parent, os.W_OK):
        raise _unwritable(reference, PermissionError(0, "its folder is not writable"), where)


def rotating(reference: str, folder: Path, where: str) -> RotatingSecret:
    """A secret that its tool replaces, by its `file:` reference; nothing is read yet.

    Args:
        folder: what its path is relative to.
        where: the line of the reference, for messages.
    """
    path = folder / reference.partition(":")[2]

    def held() -> Any:
        return _held(reference, path, where)

    return RotatingSecret(
        reference,
        read=lambda: follow(reference, {}, folder, where),
        replace=lambda text: _replace(reference, path, text, where),
        held=held,
    )


@contextmanager
def _held(reference: str, path: Path, where: str) -> Iterator[None]:
    """Alone with the secret, by a lock beside it."""
    real = Path(os.path.realpath(path))
    lock = FileLock(real.with_name(f"{real.name}.lock"), timeout=HELD_S, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise Unavailable(
            f"another run has been replacing the secret of {reference} for {HELD_S:.0f} s. Run again later; if it "
            "stays, look for a run that hangs."
        ) from None
    except OSError as error:
        raise _unwritable(reference, error, where) from None
    try:
        yield
    finally:
        lock.release()


def _replace(reference: str, path: Path, text: str, where: str) -> None:
    """Put another secret into the file: all of it or nothing, on the disk, and readable for the same people."""
    real = Path(os.path.realpath(path))
    made = ""
    try:
        mode = stat.S_IMODE(real.stat().st_mode)
        handle, made = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(made, real)
        _settle(real.parent)
    except OSError as error:
        with suppress(OSError):
            Path(made).unlink(missing_ok=True)
        raise _unwritable(reference, error, where) from None


def _settle(folder: Path) -> None:
    """Let the folder remember its new entry, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(reference: str, error: OSError, where: str) -> Misconfigured:
    return Misconfigured(
        f"{reference} cannot be written back: {error.strerror}",
        where=where,
        hint="each use replaces this secret: let this account write the file and its folder, make room there, and run "
        "again at once; if the old one is not taken any more, sign in anew",
    )
