"""`<site>.lock.yaml`: what names were resolved to once, and what was found or made on the site, by id.

Kept under version control beside the mapping: as long as it stands, renaming a field in the tool changes nothing.
Written whole and sorted, so that equal pins give an equal file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pmosync.errors import Misconfigured
from pmosync.yamlfile import dump, load, together

COMMENT = """\
What pmosync looked up or made on this site, by id. Written by pmosync; keep it under version control.
A name that stands here is not looked up again, so renaming a field in the tool changes nothing.
Remove a line to have it looked up again."""


def read_lock(path: Path) -> dict[str, str]:
    """The pins; none when the file does not exist yet."""
    if not path.exists():
        return {}
    doc = load(path)
    if not isinstance(doc.data, dict):
        raise doc.wrong((), "a lock file is a list of names with ids", "remove the file: pmosync writes it again")
    errors = [
        doc.wrong((name,), f"'{name}' has no id", "remove the line: pmosync looks it up again")
        for name, value in doc.data.items()
        if not isinstance(value, str | int) or isinstance(value, bool)
    ]
    if errors:
        raise together(errors, where=str(path))
    return {name: str(value) for name, value in doc.data.items()}


def write_lock(path: Path, pins: Mapping[str, str]) -> None:
    """Write the pins, sorted; a file that already says the same is left alone."""
    text = dump(dict(sorted(pins.items())), comment=COMMENT)
    temporary = path.with_name(f".{path.name}.new")
    try:
        if path.exists() and path.read_text("utf-8") == text:
            return
        temporary.write_text(text, "utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise Misconfigured(
            f"cannot be written: {error.strerror}", where=str(path), hint="check the path and the permissions"
        ) from None
