"""The people who decide about waivers: by e-mail and by their tool accounts, each with the role that the PMO gave them.

A person is who an account or an e-mail says, never who a display name says: anybody can change theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, RootModel, StrictInt, StrictStr, StringConstraints

from pmosync.errors import Misconfigured
from pmosync.model import severity_rank
from pmosync.yamlfile import did_you_mean, load, together

Role = Literal["viewer", "lead", "analyst", "manager", "director"]

APPROVES: Mapping[str, str] = {"analyst": "low", "manager": "critical", "director": "critical"}
"""The worst severity that a role may waive, unless the configuration says otherwise; a role without one waives none."""
_EMAIL = re.compile(r"[^\s@/]+@[^\s@/]+")


@dataclass(frozen=True, slots=True)
class Person:
    """One person; `accounts` holds the id of the account on each site."""

    email: str
    role: str
    accounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class People:
    """All persons of `people.yaml`, and what their roles may waive."""

    persons: tuple[Person, ...]
    approves: Mapping[str, str] = field(default_factory=lambda: APPROVES)

    def named(self, who: str) -> Person | None:
        """The person of this e-mail, or of this account (`acme-jira/5b10ac8d`)."""
        site, slash, account = who.partition("/")
        if slash:
            return next((one for one in self.persons if one.accounts.get(site) == account), None)
        return next((one for one in self.persons if one.email == who.lower()), None)

    def may_waive(self, person: Person, severity: str) -> bool:
        """Whether the role of a person goes as far as this severity."""
        worst = self.approves.get(person.role)
        return worst is not None and severity_rank(severity) <= severity_rank(worst)

    def near(self, who: str) -> str:
        """What to write instead of somebody who is not there."""
        known = [one.email for one in self.persons]
        return did_you_mean(who, known) or "write the e-mail, or site/account, of somebody in people.yaml"


class _PersonEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    email: Annotated[StrictStr, StringConstraints(strip_whitespace=True)]
    role: Role
    accounts: dict[str, StrictStr | StrictInt] = {}


class _PeopleEntries(RootModel[list[_PersonEntry]]):
    model_config = ConfigDict(frozen=True)


def read_people(path: Path, approves: Mapping[str, str], sites: Mapping[str, object]) -> People:
    """The people file; anything that is wrong in it refuses it whole.

    Args:
        approves: the worst severity by role.
        sites: what the configuration calls its sites.
    """
    doc = load(path)
    if not isinstance(doc.data, list):
        raise doc.wrong((), f"{path.name} is a list of people", "start every entry with a hyphen: - email: ...")
    entries = doc.validated(_PeopleEntries).root
    wrong: list[Misconfigured] = []
    taken: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        if not _EMAIL.fullmatch(entry.email):
            wrong.append(doc.wrong((number, "email"), f"'{entry.email}' is no e-mail address", "write name@host"))
        for site in entry.accounts.keys() - sites.keys():
            hint = did_you_mean(site, list(sites)) or f"sites are {', '.join(sites)}"
            wrong.append(doc.wrong((number, "accounts", site), f"there is no site '{site}'", hint, key=True))
        places = {("", entry.email.lower()): "email", **{(s, str(a)): s for s, a in entry.accounts.items()}}
        for name, key in places.items():
            if name in taken:
                at = (number, key) if key == "email" else (number, "accounts", key)
                what = f"'{name[1]}' stands twice: here and in entry {taken[name] + 1}"
                wrong.append(doc.wrong(at, what, "an e-mail or account is one person: keep one"))
            taken.setdefault(name, number)
    if wrong:
        raise together(wrong, str(path))
    persons = (
        Person(one.email.lower(), one.role, {site: str(account) for site, account in one.accounts.items()})
        for one in entries
    )
    return People(tuple(persons), approves)
