"""Asana's refusals: the status and the error body that a client meets.

Every refusal is the vendor's shape, `{"errors": [{"message", "help"}]}`, so a client's error handling is exercised.
"""

from __future__ import annotations

from pmosync.sandbox.answers import Refused, error_body


def refused(status: int, message: str) -> Refused:
    return Refused(status, error_body("asana", message))


def bad(message: str) -> Refused:
    return refused(400, message)


def payment_required(what: str) -> Refused:
    return refused(402, f"{what} are only available to premium users and workspaces.")


def forbidden(message: str = "You do not have access to this resource.") -> Refused:
    return refused(403, message)


def unknown(kind: str, gid: str) -> Refused:
    return refused(404, f"{kind}: Unknown object: {gid}")
