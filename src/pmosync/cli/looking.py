"""The verbs that only look: findings, and standards list, show and docs.

They ask no site and change nothing that a run reads; what they show is what the last run found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from pmosync import reports
from pmosync.cli.options import AsJson, AsOf, Packs, SiteNames, common, configured, day_of
from pmosync.cli.publishing import approvers, publish
from pmosync.cli.telling import tell_findings
from pmosync.cli.terminal import give_json, say, shown, table, warn
from pmosync.config import Config, load_register, terms_of
from pmosync.config.modes import load_modes
from pmosync.cycle import Outcome
from pmosync.decisions import read_waivers
from pmosync.errors import Misconfigured
from pmosync.model import FIELDS, SEVERITIES
from pmosync.modes import modes_of
from pmosync.opening import chosen, read_decisions, standards_of, stored
from pmosync.reports import ACTIVE, STATES, Row, Wanted
from pmosync.reports.ahead import ahead
from pmosync.standards import Standard, load_packs
from pmosync.standards.pages import bounded, pages, spelled
from pmosync.workdays import day_number
from pmosync.yamlfile import did_you_mean

SHOWN = 20
NOT_PUBLISHED = "publish the folder, and write guidance: https://... into pmosync.yaml: flags then lead to its pages"

standards_app = typer.Typer(no_args_is_help=True, help="What the PMO asks of work.", rich_markup_mode=None)


def one_of(options: Collection[str], word: str, kind: str, where: str) -> str:
    """A word that somebody wrote, when it is one of these."""
    if word not in options:
        hint = did_you_mean(word, options) or f"there are {', '.join(options)}"
        raise Misconfigured(f"there is no {kind} '{word}'", where=where, hint=hint)
    return word


def findings(
    context: typer.Context,
    site: SiteNames = None,
    standard: Annotated[
        list[str] | None, typer.Option("--standard", metavar="ID", help="An id, or the letters that ids start with.")
    ] = None,
    project: Annotated[list[str] | None, typer.Option("--project", metavar="KEY", help="A key or register id.")] = None,
    severity: Annotated[list[str] | None, typer.Option("--severity", help=f"{', '.join(SEVERITIES)}.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help=f"{', '.join(STATES)}; default: active.")] = None,
    items: Annotated[
        bool, typer.Option("--items", help="One by one, with dates and the values that show why.")
    ] = False,
    persons: Annotated[
        bool, typer.Option("--persons", help="With --items: findings about persons too. For them and their lead alone.")
    ] = False,
    as_of: AsOf = None,
    json: AsJson = False,
) -> None:
    """Show what the last run found, or what a run on a later day would find."""
    options = common(context)
    config = configured(options)
    standards = standards_of(config)
    known = {one.id for one in standards} | {one.id.rstrip("0123456789") for one in standards}
    wanted = Wanted(
        sites=chosen(config, site),
        standards=[one_of(sorted(known), word, "standard", "--standard") for word in standard or ()],
        projects=project or (),
        severities=[one_of(SEVERITIES, word, "severity", "--severity") for word in severity or ()],
        states=[one_of(STATES, word, "state", "--state") for word in state or ()] or ACTIVE,
        persons=persons,
    )
    today = options.clock()().astimezone(config.zone).date()
    day = as_of and day_of(as_of, today)
    with looked(config, standards, day or None) as (connection, outcome):
        found: dict[str, Any] = {
            "as_of": day and day.isoformat(),
            "standards": reports.by_standard(connection, standards, wanted),
            "projects": reports.projects(connection, standards, wanted),
            "read": reports.freshness(connection, wanted.sites),
            "unobserved": reports.unobserved(connection, wanted.sites),
            "blind": reports.blind_standards(connection),
            "gaps": reports.gaps(connection, wanted.sites),
            "limitations": reports.limitations(connection, wanted.sites),
            "waivers": reports.ending(connection, day_number(day or today)),
        }
        if items:
            found["items"] = list(reports.items(connection, standards, config.workdays, config.ladder, wanted))
    for one in project or ():
        if not any(one in (row["project"], row["key"]) for row in found["projects"]):
            one_of([row["key"] for row in found["projects"]], one, "project", "--project")
    if json:
        give_json(found)
        return
    if day and outcome is not None:
        tell_ahead(day, outcome)
    _tell_findings(found)


def _tell_findings(found: Mapping[str, Any]) -> None:
    """Findings one by one, when they were asked for; else by standard and project, with how old they are."""
    if "items" in found:
        tell_items(found["items"])
        return
    tell_standards(found["standards"])
    say("")
    tell_projects(found["projects"])
    for row in found["read"]:
        say(f"{row['site']}: read {row['read_at'] or 'never'}, proven complete {row['proven_at'] or 'never'}")
    _tell_unknown(found)


@contextmanager
def looked(
    config: Config, standards: Sequence[Standard], day: dt.date | None
) -> Iterator[tuple[Connection, Outcome | None]]:
    """The stored data as the last run left it; with a day, as a run on that day would leave it."""
    with stored(config) as store:
        if day is None:
            with store.reading() as connection:
                yield connection, None
            return
        decisions = read_decisions(config, standards)
        for mistake in decisions.unclear:
            warn(str(mistake))
        register = load_register(config)
        modes = modes_of(config.profile, register, load_modes(config, register, standards))
        rows, calendar = decisions.waivers.rows(), config.workdays
        with ahead(store, standards, rows, calendar, day, modes, config.ladder) as seen:
            yield seen


def tell_ahead(day: dt.date, outcome: Outcome) -> None:
    """What comes and goes until that day."""
    say(f"as it will be on {day} if nothing changes until then; nothing was read or written", "bold")
    tell_findings(outcome)


def tell_standards(rows: Sequence[Row]) -> None:
    """Findings by standard."""
    if not rows:
        say("no findings")
        return
    disputed = any(row["disputed"] for row in rows)
    table(
        ("standard", "severity", ">findings", *([">disputed"] if disputed else []), "what is missing"),
        [
            (row["id"], row["severity"], row["findings"], *([_disputed(row)] if disputed else []), row["title"])
            for row in rows
        ],
        fixed=(0, 1, 2, 3) if disputed else (0, 1, 2),
    )


def _disputed(row: Row) -> str:
    """How many findings of a standard somebody disputes, and their share."""
    return f"{row['disputed']} ({row['disputed_share']:.0%})" if row["disputed"] else ""


def tell_projects(rows: Sequence[Row]) -> None:
    """The rollup of each project."""
    table(
        ("project", "title", ">open", ">late", ">done", ">findings", ">comply", "worst"),
        [
            (
                row["key"] if "/" in row["project"] else row["project"],
                row["title"] or "",
                row["open"],
                row["late"],
                f"{row['progress']:.0%}" if row["progress"] is not None else None,
                sum(row["findings"].values()),
                f"{row['compliance']:.0%}" if row["compliance"] is not None else None,
                row["worst"] if row["observed"] else "not observed",
            )
            for row in rows
        ],
        fixed=(2, 3, 4, 5, 6),
    )


def tell_items(rows: Sequence[Row]) -> None:
    """Findings one by one."""
    table(
        ("item", "standard", "severity", "since", "fix by", "what shows it"),
        [(row["key"], row["standard"], row["severity"], row["since"], row["fix_by"], _shows(row)) for row in rows],
        fixed=(1, 2, 3, 4),
    )
    say(f"{len(rows)} findings")


def _shows(row: Row) -> str:
    """What shows a finding, and whether somebody disputes it."""
    return f"{'disputed; ' if row['disputed'] else ''}{_evidence(row['evidence'])}"


def _evidence(values: Row) -> str:
    return ", ".join(f"{name} {'empty' if value is None else shown(value)}" for name, value in values.items())


def _tell_unknown(found: Mapping[str, Any]) -> None:
    """What nothing can be said about, and why."""
    for row in found["unobserved"]:
        say(f"not observed: {row['site']} {row['scope']}: {row['why']}")
    for row in found["blind"]:
        say(f"blind: {row['standard']} in {row['projects']} projects: {row['fields']} not provided there")
    for row in found["gaps"][:SHOWN]:
        say(f"not read: {row['site']} {row['field']} = {row['value']!r}: {row['why']} ({row['records']})")
    if len(found["gaps"]) > SHOWN:
        say(f"… and {len(found['gaps']) - SHOWN} more values that the mappings do not read; see --json")
    for row in found["waivers"][:SHOWN]:
        say(reports.told(row))
    if len(found["waivers"]) > SHOWN:
        say(f"… and {len(found['waivers']) - SHOWN} more waivers to look at; see --json")


# --- standards --------------------------------------------------------------------------------------------------------


@standards_app.command("list")
def list_(context: typer.Context, json: AsJson = False) -> None:
    """All standards that are asked."""
    standards = standards_of(configured(common(context)))
    if json:
        give_json([_brief(one) for one in standards])
        return
    rows = [(one.id, one.severity, one.subject, one.title, one.pack) for one in standards]
    table(("id", "severity", "subject", "title", "pack"), rows, fixed=(0, 1, 2))


@standards_app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID")],
    json: AsJson = False,
) -> None:
    """One standard: why it is asked, how to meet it, and exactly when it fails."""
    standards = {one.id: one for one in standards_of(configured(common(context)))}
    one = standards[one_of(list(standards), name, "standard", "standards show")]
    if json:
        give_json(_whole(one))
        return
    say(f"{one.id}  {one.title}", "bold")
    rows = [
        ("severity", f"{one.severity}; fix within {one.fix_within_d} working days"),
        ("subject", one.subject),
        *([("mode", one.mode)] if one.mode else []),
        ("why", one.why),
        ("fix", one.fix),
        *([("applies to", spelled(one.applies_to.text))] if one.applies_to else []),
        ("fails when", spelled(one.when.text)),
        *((f"${param.name}", f"{bounded(param)}: {param.meaning}") for param in one.params.values()),
        *((field, FIELDS[one.subject][field].meaning) for field in sorted(one.fields)),
        ("serves", one.serves),
        ("phase", one.phase),
        ("pack", f"{one.pack} ({len(one.examples)} examples)"),
        ("version", _version(one)),
    ]
    table(("", ""), rows, fixed=(0,))
    table(
        ("example", "values"),
        [(example.kind, _evidence(reports.evidence(one.subject, example.values))) for example in one.examples],
        fixed=(0,),
    )


@standards_app.command("docs")
def docs(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder that is published.")],
    pack: Packs = None,
    json: AsJson = False,
) -> None:
    """Write a page for each standard, for the teams that are asked: what, why, and how to fix it."""
    options = common(context)
    if pack:
        standards, organisation, given, address = load_packs(pack, Path()), "", None, ""
    else:
        config = configured(options)
        standards, organisation, address = standards_of(config), config.organisation, config.guidance
        decided = read_waivers(config.decisions, terms_of(config, standards))
        given = approvers(decided.approved, standards)
        for mistake in decided.unclear:
            warn(str(mistake))
    done = publish(pages(standards, organisation=organisation, approvers=given), out)
    if json:
        give_json({"written": done.written, "unchanged": done.unchanged, "removed": done.removed})
        return
    say(f"{out}: {len(done.written)} pages written, {len(done.unchanged)} as they were, {len(done.removed)} removed")
    if not pack:
        say(f"publish the folder as {address}" if address else NOT_PUBLISHED)


def _version(one: Standard) -> str:
    since = f", since {one.since}" if one.since else ""
    return f"{one.version}{since}{f', to be reviewed by {one.review_by}' if one.review_by else ''}"


def _brief(one: Standard) -> Row:
    return {"id": one.id, "title": one.title, "severity": one.severity, "subject": one.subject, "pack": one.pack}


def _whole(one: Standard) -> Row:
    return {
        **_brief(one),
        "why": one.why,
        "fix": one.fix,
        "applies_to": spelled(one.applies_to.text) if one.applies_to else None,
        "when": spelled(one.when.text),
        "params": {param.name: {"value": param.value, "meaning": param.meaning} for param in one.params.values()},
        "fields": {field: FIELDS[one.subject][field].meaning for field in sorted(one.fields)},
        "serves": one.serves,
        "phase": one.phase,
        "mode": one.mode,
        "fix_within_d": one.fix_within_d,
        "version": one.version,
        "since": one.since and one.since.isoformat(),
        "review_by": one.review_by and one.review_by.isoformat(),
        "place": one.place,
        "examples": [
            {
                "kind": example.kind,
                "values": reports.evidence(one.subject, example.values),
                "not_provided": sorted(example.not_provided),
            }
            for example in one.examples
        ],
    }
