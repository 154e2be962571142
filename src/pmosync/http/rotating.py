"""A secret that its tool replaces whenever it is used, such as a refresh token: read and written back where it stands.

It keeps the promise that the new one is stored before it is needed, and that two programs that share it do not use the
same one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import core_schema


@dataclass(frozen=True, slots=True)
class RotatingSecret:
    """Where such a secret is kept. A connector's settings name this type, and get it instead of the secret itself."""

    reference: str
    """As it is written in the configuration, for messages: `file:secrets/jira-refresh`."""
    read: Callable[[], str] = field(repr=False)
    """The secret as it stands there now."""
    replace: Callable[[str], None] = field(repr=False)
    """Keep this one instead; it is on the disk when the call returns."""
    held: Callable[[], AbstractContextManager[None]] = field(repr=False)
    """While this is held no other thread or program of ours reads or replaces it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(_kept)


def _kept(value: object) -> RotatingSecret:
    if not isinstance(value, RotatingSecret):
        raise ValueError("each use replaces this secret: keep it in a file and write file:/path")
    return value
