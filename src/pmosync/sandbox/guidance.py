"""Serves a folder of pages beside the two tools, as a web server of the project office would.

It keeps the promise that only files that lie in the folder itself are shown: no folders in it, nothing outside of it.
"""

from __future__ import annotations

import mimetypes
import re
from functools import partial
from pathlib import Path

from werkzeug.wrappers import Response

from .call import Call, Rule

PREFIX = "/guidance/"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def rules(folder: Path) -> list[Rule]:
    """The pages of a folder, which may be made and filled later."""
    show = partial(_file, folder.resolve())
    return [(("GET",), PREFIX, show), (("GET",), PREFIX + "{name}", show)]


def _file(folder: Path, call: Call) -> Response:
    if call.request.path == PREFIX.rstrip("/"):
        return Response("", 308, {"Location": PREFIX})  # else the links of the page would lead beside the folder
    name = call.args.get("name", "index.html")
    path = (folder / name).resolve() if NAME.fullmatch(name) else folder
    if path.parent != folder or not path.is_file():
        return Response("There is no such page.\n", 404, content_type="text/plain; charset=utf-8")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(path.read_bytes(), content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
