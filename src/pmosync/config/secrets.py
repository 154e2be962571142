"""Secrets stand in pmosync.yaml as references only: `env:NAME` or `file:/path`.

A secret that is written out is refused without being shown; a reference is followed only when its site is opened, and a
message names the reference, never what it leads to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from pmosync.errors import Misconfigured

KINDS = ("env:", "file:")


def is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith(KINDS) and value not in KINDS


def secret_paths(model: type[BaseModel]) -> set[tuple[str, ...]]:
    """Where in these settings a secret belongs, e.g. `("auth", "token")`."""
    return {
        (info.alias or name, *rest)
        for name, info in model.model_fields.items()
        for rest in _secrets_within(info.annotation)
    }


def _secrets_within(annotation: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        yield ()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from secret_paths(annotation)
    else:
        for inner in get_args(annotation):
            yield from _secrets_within(inner)


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


def replaced(data: object, values: Mapping[tuple[str, ...], str], at: tuple[str, ...] = ()) -> Any:
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
