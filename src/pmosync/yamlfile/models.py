"""Finds which keys a pydantic model knows at a place, so that a misspelt key can be told the nearest one.

It only looks; what it cannot follow it leaves out, so that a hint is missing rather than wrong.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, RootModel


def keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> set[str]:
    """Names of the keys that the models at this location know."""
    here: list[Any] = [model]
    for part in loc:
        here = [inner for kind in here for inner in _inside(kind, part)] or here  # a union member's name: stay
    return {name for kind in here for name in _known(kind)}


def _known(kind: Any) -> Iterator[str]:
    for each in _alternatives(kind):
        if isinstance(each, type) and issubclass(each, BaseModel):
            for name, info in each.model_fields.items():
                yield info.alias or name


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    for each in _alternatives(kind):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield from (info.annotation for name, info in each.model_fields.items() if part in (name, info.alias))
        elif get_origin(each) is not None and get_args(each):
            mapping = isinstance(get_origin(each), type) and issubclass(get_origin(each), Mapping)
            if mapping == isinstance(part, str):
                yield get_args(each)[1 if mapping else 0]


def _alternatives(kind: Any) -> Iterator[Any]:
    origin = get_origin(kind)
    if origin is types.UnionType or str(origin) == "typing.Union":
        for each in get_args(kind):
            yield from _alternatives(each)
    elif isinstance(kind, type) and issubclass(kind, RootModel):
        yield from _alternatives(kind.model_fields["root"].annotation)
    elif hasattr(kind, "__metadata__"):  # Annotated
        yield from _alternatives(get_args(kind)[0])
    else:
        yield kind
