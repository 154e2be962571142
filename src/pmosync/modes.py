"""How hard each standard is asked of each project on a day: observe, advise or require.

| level | says it in |
|---|---|
| organisation | its `profile`, and entries of `modes` that name none of the others |
| portfolio, program, project | their `profile` in the register, and entries of `modes` that name them |

Of one standard a level says what its most exact entry says: one that names the id, then the longest beginning of it,
then one for all standards; of equal ones the one that began last. Going down, each level may ask harder. It may ask
more softly only as far as `least` in the entry above it allows; what goes further does not count. A standard that
has a `mode` in its pack is never asked harder than that.

Nothing here asks what day it is: days are given, so each site is asked by its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, select, update

from pmosync.contract import canonical
from pmosync.model import MODE_OF_PROFILE, MODES
from pmosync.register import Register
from pmosync.standards import Standard
from pmosync.store import read_meta, write_meta
from pmosync.store.tables import asked, project, site

AskingLevel = Literal["organisation", "portfolio", "program", "project"]
LEVELS: tuple[AskingLevel, ...] = ("organisation", "portfolio", "program", "project")
"""Highest first: who stands above may allow what is below to be softer."""
OBSERVE, ADVISE, REQUIRE = range(len(MODES))


@dataclass(frozen=True, slots=True)
class Said:
    """What a level says about all standards, a family or one."""

    level: AskingLevel
    name: str
    """The id in the register; of the organisation empty."""
    mode: int
    standard: str = ""
    """An id, or the beginning of ids; empty: all."""
    least: int | None = None
    """How soft levels below may ask; None: not softer than this."""
    from_on: int | None = None
    """The first day; None: always."""
    place: str = field(default="", compare=False)
    """`file:line:column`, for messages."""

    @property
    def words(self) -> tuple[str, int, int | None, int | None]:
        """What is said, whoever says it."""
        return self.standard, self.mode, self.least, self.from_on

    def covers(self, standard: str) -> bool:
        """Whether it is about a standard; about the empty id is only what is about all."""
        rest = standard[len(self.standard) :]
        return not self.standard or (standard.startswith(self.standard) and (not rest or rest.isdigit()))


Chain = tuple[tuple[Said, ...], ...]
"""What the levels say that a project stands under, itself last; levels that say nothing are left out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How hard a standard is asked of a project on a day."""

    mode: int
    floor: int
    """How soft a level below may ask."""
    by: Said | None
    """Who decided it."""


@dataclass(frozen=True)
class Modes:
    """What everybody says."""

    said: tuple[Said, ...]

    @cached_property
    def _by_level(self) -> Mapping[tuple[str, str], tuple[Said, ...]]:
        found: dict[tuple[str, str], tuple[Said, ...]] = {}
        for one in self.said:
            found[one.level, one.name] = (*found.get((one.level, one.name), ()), one)
        return found

    def chain(self, portfolio: str | None, program: str | None, uid: str | None) -> Chain:
        """What stands above and in a project; None: there is no such level."""
        names = zip(LEVELS, ("", portfolio, program, uid), strict=True)
        levels = (self._by_level.get((level, name)) for level, name in names if name is not None)
        return tuple(level for level in levels if level)


def modes_of(profile: str, register: Register, said: Iterable[Said] = ()) -> Modes:
    """What the organisation's profile, the register and the configuration say together."""
    top = Said("organisation", "", MODES.index(MODE_OF_PROFILE[profile]))
    groups = [
        Said(one.level, one.id, MODES.index(MODE_OF_PROFILE[one.profile]), place=one.place)
        for one in register.groups
        if one.profile
    ]
    projects = [
        Said("project", one.id, MODES.index(MODE_OF_PROFILE[one.profile]), place=one.place)
        for one in register.projects
        if one.profile
    ]
    return Modes((top, *groups, *projects, *said))


def ask(chain: Chain, standard: str, day: int) -> Asked:
    """How hard a standard is asked on a day, the bound of its pack apart; of the empty id: standards in general."""
    mode, floor, by = OBSERVE, OBSERVE, None
    for level in chain:
        told = [one for one in level if one.covers(standard) and (one.from_on is None or one.from_on <= day)]
        if told:
            by = max(reversed(told), key=lambda one: (len(one.standard), -1 if one.from_on is None else one.from_on))
            mode = max(by.mode, floor)
            floor = mode if by.least is None else max(floor, by.least)
    return Asked(mode, floor, by)


def began(chain: Chain, standard: str, day: int) -> int | None:
    """The first day of the time in which it is asked as hard as on a day; None: it always was."""
    mode = ask(chain, standard, day).mode
    days = {one.from_on for level in chain for one in level if one.covers(standard) and one.from_on is not None}
    first = None
    for change in sorted((one for one in days if one <= day), reverse=True):
        if ask(chain, standard, change).mode != mode:
            return first
        first = change
    before = first is not None and ask(chain, standard, first - 1).mode == mode
    return None if before else first


def hardest(standard: Standard) -> int:
    """The mode beyond which a standard is never asked."""
    return REQUIRE if standard.mode is None else MODES.index(standard.mode)


# --- the tables -------------------------------------------------------------------------------------------------------


def keep_modes(connection: Connection, modes: Modes, standards: Sequence[Standard], ladder: str) -> bool:
    """Store how hard each standard is asked of each project on its site's day.

    Projects of which the same is asked share a policy.

    Args:
        ladder: the hash of the notice ladder, for the return value.

    Returns:
        Whether somebody changed how hard is asked; that a day began which was announced is no change.
    """
    policies: dict[str, list[dict[str, Any]]] = {}
    known: dict[Any, str] = {}
    moved = []
    rows = select(project.c.id, project.c.uid, project.c.program, project.c.portfolio, project.c.policy, site.c.today)
    for row in connection.execute(rows.join(site, site.c.name == project.c.site)):
        chain = modes.chain(row.portfolio, row.program, row.uid)
        key = (row.today, *(tuple(one.words for one in level) for level in chain))
        if key not in known:
            told = [_asked(chain, one, row.today) for one in standards]
            known[key] = _short(told)
            policies[known[key]] = told
        if row.policy != known[key]:
            moved.append({"number": row.id, "now": known[key]})
    if moved:
        connection.execute(update(project).where(project.c.id == bindparam("number")).values(policy=bindparam("now")),
                           moved)  # fmt: skip
    if set(connection.scalars(select(asked.c.policy).distinct())) != set(policies):
        connection.execute(delete(asked))
        told = [{"policy": name, **one} for name, rows in policies.items() for one in rows]
        if told:
            connection.execute(asked.insert(), told)
    now = digest(modes, standards, ladder)
    if read_meta(connection, "asked") == now:
        return False
    write_meta(connection, "asked", now)
    return True


def _asked(chain: Chain, standard: Standard, day: int) -> dict[str, Any]:
    mode = min(hardest(standard), ask(chain, standard.id, day).mode)
    return {
        "standard": standard.id,
        "mode": mode,
        "began": began(chain, standard.id, day) if mode == REQUIRE else None,
        "persist_d": standard.persist_d,
        "fix_within_d": standard.fix_within_d,
    }


def digest(modes: Modes, standards: Sequence[Standard], ladder: str) -> str:
    """Changes whenever somebody changes how hard is asked."""
    terms = sorted((one.id, one.mode or "", one.persist_d, one.fix_within_d) for one in standards)
    said = sorted(canonical([one.level, one.name, *one.words]) for one in modes.said)
    return _short([terms, said, ladder])


def _short(data: object) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()[:16]
