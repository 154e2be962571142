"""The verbs about waivers: list, add, approve, revoke.

They ask no site. What they write is one entry at the end of the decisions file, read back as what it means before it is
written; nothing that stands there is changed, and nothing is written when anything is wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from pmosync import reports
from pmosync.cli.options import AsJson, common, configured
from pmosync.cli.terminal import give_json, say, table, warn
from pmosync.config import Config, terms_of
from pmosync.decisions import WAIVERS, Terms, Waiver, Waivers, read_waivers
from pmosync.decisions.files import append
from pmosync.decisions.waivers import SCOPES, made_id, not_allowed, waivers_in
from pmosync.errors import Misconfigured
from pmosync.model import FIELDS
from pmosync.opening import standards_of, stored
from pmosync.people import Person
from pmosync.waiving import holding
from pmosync.workdays import day_number
from pmosync.yamlfile import Doc, did_you_mean

waivers_app = typer.Typer(no_args_is_help=True, help="Approved, expiring exceptions.", rich_markup_mode=None)

As = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Who decides: an e-mail, or site/account, in people.yaml.")
]
Name = Annotated[str, typer.Argument(metavar="ID", help="As `waivers list` shows it.")]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every verb looks at."""

    config: Config
    terms: Terms
    read: Waivers
    today: dt.date

    def waiver(self, name: str) -> Waiver:
        """The waiver of this id."""
        found = self.read.get(name)
        if found is None:
            known = [one.id for one in self.read.all]
            hint = did_you_mean(name, known) or "`pmosync waivers list --all` shows them"
            raise Misconfigured(f"there is no waiver '{name}' that is clear", hint=hint)
        return found

    def person(self, who: str, waiver: Waiver) -> Person:
        """Somebody whose role goes as far as the waiver."""
        if self.terms.people is None:
            hint = f"write people: people.yaml into {self.config.path}, and in it who may approve what"
            raise Misconfigured("nobody is known who may decide about waivers", where="--as", hint=hint)
        severity = self.terms.severity(waiver.standard)
        if trouble := not_allowed(who, severity, waiver.standard, self.terms.people):
            raise Misconfigured(trouble[0], where="--as", hint=trouble[1])
        person = self.terms.people.named(who)
        assert person is not None
        return person

    def append(self, entry: Mapping[str, Any], meant: Callable[[Waivers], bool]) -> None:
        """Add an entry to the file, when the file will then say what is meant."""

        def check(future: Doc) -> None:
            after = waivers_in(future, self.terms)
            if not meant(after):
                new = [one for one in after.unclear if str(one) not in {str(old) for old in self.read.unclear}]
                told = new[0] if new else None
                raise Misconfigured(
                    told.what if told else "the entry would not mean what was asked",
                    where="nothing was written",
                    hint=told.hint if told else "look at the file",
                )

        append(self.config.decisions / WAIVERS, entry, check)


def _desk(context: typer.Context) -> _Desk:
    options = common(context)
    config = configured(options)
    terms = terms_of(config, standards_of(config))
    today = options.clock()().astimezone(config.zone).date()
    return _Desk(config, terms, read_waivers(config.decisions, terms), today)


# --- list -------------------------------------------------------------------------------------------------------------


@waivers_app.command("list")
def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Lapsed and revoked ones, too.")] = False,
    ending: Annotated[
        str | None, typer.Option("--ending", metavar="30d", help="Those that hold and end within so many days.")
    ] = None,
    unused: Annotated[bool, typer.Option("--unused", help="Those that hold and waive nothing.")] = False,
    lapsed: Annotated[bool, typer.Option("--lapsed", help="Those that hold no more.")] = False,
    json: AsJson = False,
) -> None:
    """Waivers that hold, and requests that wait for an approval."""
    if sum((all_, ending is not None, unused, lapsed)) > 1:
        raise Misconfigured(
            "--all, --ending, --unused and --lapsed ask for different things", hint="leave all but one out"
        )
    desk = _desk(context)
    until = None if ending is None else desk.today + dt.timedelta(days=_days(ending))
    rows = [row for row in _rows(desk) if _wanted(row, until, all_=all_, unused=unused, lapsed=lapsed)]
    if json:
        unclear = [{"where": one.where, "what": one.what, "hint": one.hint} for one in desk.read.unclear]
        give_json({"waivers": rows, "unclear": unclear})
        return
    for mistake in desk.read.unclear:
        warn(str(mistake))
    if not rows:
        say("no waivers")
        return
    table(
        ("id", "standard", "state", "until", ">waives", "whom", "reason"),
        [
            (one["id"], one["standard"], one["state"], one["until"], one["findings"], one["scope"], one["reason"])
            for one in rows
        ],
        fixed=(0, 1, 2, 3, 4),
    )


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,4})d?", text)
    if not found:
        raise Misconfigured(f"'{text}' is no number of days", where="--ending", hint="write 30d")
    return int(found[1])


def _rows(desk: _Desk) -> list[reports.Row]:
    """Every waiver that is clear, as plain data."""
    held = holding(desk.read.rows(), day_number(desk.today))
    uses: Mapping[str, int] = {}
    if desk.config.store.exists():
        with stored(desk.config) as store, store.reading() as connection:
            uses = reports.uses(connection)
    return [
        {
            "id": one.id,
            "standard": one.standard,
            "scope": one.scope,
            "state": _state(one, held, desk.today),
            "approved_on": one.approved_on and one.approved_on.isoformat(),
            "approved_by": one.approved_by or None,
            "until": one.until_on.isoformat(),
            "requested_by": one.requested_by or None,
            "revoked_by": one.revoked_by or None,
            "reason": one.reason,
            "findings": uses.get(one.id),
            "place": one.place,
        }
        for one in desk.read.all
    ]


def _state(one: Waiver, held: frozenset[str], today: dt.date) -> str:
    if one.id in held:
        return "holds"
    if one.revoked_by:
        return "revoked"
    if one.approved_on is None:
        return "requested"
    return "begins later" if one.approved_on > today else "lapsed"


def _wanted(row: reports.Row, until: dt.date | None, *, all_: bool, unused: bool, lapsed: bool) -> bool:
    state = row["state"]
    if all_:
        return True
    if lapsed:
        return state in ("lapsed", "revoked")
    if unused:
        return bool(state == "holds" and row["findings"] == 0)
    if until is not None:
        return bool(state == "holds" and row["until"] <= until.isoformat())
    return state in ("holds", "requested", "begins later")


# --- add, approve, revoke ---------------------------------------------------------------------------------------------


@waivers_app.command("add")
def add(
    context: typer.Context,
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SUBJECT",
            help="acme-jira/PAY-12, project:acme-jira/PAY, program:ID, portfolio:ID; tasks or projects with --where.",
        ),
    ],
    standard: Annotated[str, typer.Argument(metavar="STANDARD", help="An id, or the letters of a family.")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which it shall hold.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the standard is not to be met.")],
    requested_by: Annotated[str, typer.Option("--requested-by", metavar="NAME", help="Who asks.")] = "",
    where: Annotated[
        str, typer.Option("--where", metavar="PREDICATE", help="Only what this is true of, as in a standard.")
    ] = "",
) -> None:
    """Ask for a waiver: a request that counts for nothing until it is approved."""
    desk = _desk(context)
    last = _last_day(until, desk)
    entry: dict[str, Any] = {
        "standard": standard,
        **_scope(subject, where),
        "reason": reason,
        **({"requested_by": requested_by} if requested_by else {}),
        "until": last,
    }
    name = made_id(entry)
    if desk.read.get(name) is not None:
        raise Misconfigured(f"the same waiver stands there already: {name}", hint=f"pmosync waivers approve {name}")
    desk.append({"id": name, **entry}, lambda after: name in {one.id for one in after.requests})
    say(f"requested: {name}, for {standard} until {last}; it counts for nothing until somebody approves it:")
    say(f"  pmosync waivers approve {name} --as PERSON")


def _last_day(text: str, desk: _Desk) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise Misconfigured(f"'{text}' is no day", where="--until", hint="write 2026-12-31") from None
    longest = desk.terms.longest_days
    if not desk.today <= day <= desk.today + dt.timedelta(days=longest):
        hint = f"name a day from {desk.today} to {desk.today + dt.timedelta(days=longest)}"
        raise Misconfigured(f"a waiver until {day} has passed or is too long", where="--until", hint=hint)
    return day


def _scope(subject: str, where: str) -> dict[str, str]:
    """What stands in the file for a subject as it is written on the command line."""
    kind, colon, name = subject.partition(":")
    about = {f"{one}s": one for one in FIELDS}
    narrowed = {"where": where} if where else {}
    if subject in about:
        if not where:
            raise Misconfigured("a waiver is never about everything", where=subject, hint="say which with --where")
        return {"where": where, "about": about[subject]}
    if colon and kind in SCOPES and kind != "subject":
        return {kind: name, **narrowed}
    return {"subject": subject, **narrowed}


@waivers_app.command("approve")
def approve(context: typer.Context, name: Name, who: As) -> None:
    """Approve a request: the waiver holds from today."""
    desk = _desk(context)
    waiver = desk.waiver(name)
    if waiver.revoked_by or waiver.approved_on is not None or waiver.until_on < desk.today:
        was = "revoked" if waiver.revoked_by else "approved already" if waiver.approved_on else "only asked for until"
        day = f" {waiver.until_on}" if was.endswith("until") else ""
        raise Misconfigured(f"waiver {name} was {was}{day}", hint="ask for a new one with `pmosync waivers add`")
    person = desk.person(who, waiver)
    desk.append(
        {"approve": name, "by": person.email, "on": desk.today},
        lambda after: name in {one.id for one in after.approved},
    )
    say(f"approved: {name} of {waiver.standard} for {waiver.scope}, from {desk.today} to {waiver.until_on}")


@waivers_app.command("revoke")
def revoke(
    context: typer.Context,
    name: Name,
    who: As,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it holds no more.")],
) -> None:
    """End a waiver, or refuse a request."""
    desk = _desk(context)
    waiver = desk.waiver(name)
    if waiver.revoked_by:
        raise Misconfigured(f"waiver {name} was revoked already", hint="`pmosync waivers list --all` shows it")
    person = desk.person(who, waiver)
    entry = {"revoke": name, "by": person.email, "on": desk.today, "reason": reason}
    desk.append(entry, lambda after: len(after.unclear) == len(desk.read.unclear) and _revoked(after, name))
    say(f"revoked: {name} of {waiver.standard} for {waiver.scope}")


def _revoked(after: Waivers, name: str) -> bool:
    found = after.get(name)
    return found is not None and bool(found.revoked_by)
