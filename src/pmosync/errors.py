"""What can go wrong, sorted by what happens next.

PmosyncError
├── Misconfigured        the person at the keyboard changes a file or a command (exit 2)
├── SiteTrouble          one site is left out of this run, the others go on
│   ├── Unauthorized     never tried again: a person changes the credentials
│   ├── Unavailable      tried again at the next run, or after `retry_after_s`
│   └── Unreadable       the answer makes no sense: nothing of it is believed
├── Refused              one call was answered with a no; what it was for is unobserved or not written
├── Locked               another run works on this: come back later (exit 13)
├── GuardRefused         the plan changes too much: a person approves it (exit 12)
├── PlanMoved            the saved plan no longer fits what is there: plan again (exit 2)
└── StoreTrouble         the store cannot be used as it is (exit 1)

Every message says where, what, and the next step; none of them carries a secret.
"""

from __future__ import annotations


class PmosyncError(Exception):
    """Something that pmosync expected could happen; the text is meant for people."""


class Misconfigured(PmosyncError):
    """A file, option or argument is wrong.

    Args:
        what: the problem, with the value in it.
        where: file, line and column, or the option; empty when there is no place.
        hint: the next step to take.
        excerpt: the line at fault with a caret under the place, when there is one.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "", excerpt: str = "") -> None:
        self.what, self.where, self.hint, self.excerpt = what, where, hint, excerpt
        lines = [f"{where}: {what}" if where else what]
        if excerpt:
            lines.append(excerpt)
        if hint:
            lines.append(f"  → {hint}")
        super().__init__("\n".join(lines))


class SiteTrouble(PmosyncError):
    """A whole site cannot be read or written in this run."""


class Unauthorized(SiteTrouble):
    """The site does not accept the credentials. Never retried: more tries can lock the account."""


class Unavailable(SiteTrouble):
    """The site does not answer, or asks for more patience than this run has.

    Args:
        retry_after_s: seconds the site asked to wait; None when it did not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class Unreadable(SiteTrouble):
    """The site answered with something that its own documentation does not know."""


class Refused(PmosyncError):
    """The site said no to one call.

    Args:
        status: the HTTP status.
        body: the decoded answer, as far as it could be decoded (never with secrets in it).
        headers: the answer's headers, lower-case names.
    """

    def __init__(self, message: str, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers or {}
        super().__init__(message)


class Locked(PmosyncError):
    """Another run holds the lock."""


class GuardRefused(PmosyncError):
    """The plan is larger than the guard allows without an approval."""


class PlanMoved(PmosyncError):
    """A saved plan was made for a state that is no longer there."""


class StoreTrouble(PmosyncError):
    """The store is newer than this pmosync, damaged, or cannot be written."""
