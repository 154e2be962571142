"""Builds the sandbox's answers: JSON bodies, pages, and the refusals that handlers raise.

It keeps the promise that an error body has the shape the vendor's has, and that whatever a page shows is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import orjson
from werkzeug.wrappers import Response

JSON = "application/json;charset=UTF-8"

_pages = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


class Refused(Exception):
    """A handler refuses the request: nothing of it is applied and this is the answer. `body` None: no body at all."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is `body` as JSON."""
    answer = Response(orjson.dumps(body), status=status, content_type=JSON)
    answer.headers.update(headers or {})
    return answer


def empty_answer(status: int = 204) -> Response:
    """An answer without a body."""
    answer = Response(b"", status=status)
    del answer.headers["Content-Type"]
    return answer


def page(template: str, status: int = 200, **values: Any) -> Response:
    """An HTML page from `templates/`; every value is escaped."""
    text = _pages.get_template(template).render(**values)
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def error_body(tool: str, message: str) -> dict[str, Any]:
    """One error message in the shape of the tool."""
    if tool == "asana":
        return {
            "errors": [
                {
                    "message": message,
                    "help": "For more information on API status codes and how to handle "
                    "them, read the docs on errors: https://developers.asana.com/docs/errors",
                }
            ]
        }
    return {"errorMessages": [message], "errors": {}}


def refusal_answer(refused: Refused) -> Response:
    """The answer a refusal asks for."""
    if refused.body is None:
        answer = empty_answer(refused.status)
        answer.headers.update(refused.headers)
        return answer
    return json_answer(refused.body, refused.status, refused.headers)
