"""The verbs of the first steps with a site: init, doctor, discover, mapping check.

They read the tools and change nothing there; of our own files only those of `init` are written, and only where there
are none yet.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from os import environ
from pathlib import Path
from typing import Annotated

import typer

from pmosync import mapping as mappings
from pmosync import reports
from pmosync.cli.authoring import tested
from pmosync.cli.options import AsJson, Common, common, configured
from pmosync.cli.terminal import give_json, say, table
from pmosync.config import Config, describe, load, load_mapping
from pmosync.config import doctor as examined
from pmosync.discovery import Answers, SiteAnswer, suggest
from pmosync.discovery import init as started
from pmosync.errors import Misconfigured
from pmosync.exits import DONE, WRONG
from pmosync.opening import chosen, standards_of, stored

mapping_app = typer.Typer(no_args_is_help=True, help="What the fields of a site mean.", rich_markup_mode=None)

SIGNS = {"ok": "ok", "warn": "look", "bad": "BAD"}


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the files go.")] = Path(),
    organisation: Annotated[str | None, typer.Option("--organisation", metavar="NAME")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", metavar="ZONE", help="Such as Europe/Berlin.")] = None,
    holidays: Annotated[str, typer.Option("--holidays", metavar="COUNTRY", help="Such as DE or DE-BY.")] = "",
    profile: Annotated[str, typer.Option("--profile", help="supportive, controlling or directive.")] = "supportive",
    jira: Annotated[str | None, typer.Option("--jira", metavar="URL", help="A Jira site.")] = None,
    jira_user: Annotated[str, typer.Option("--jira-user", metavar="EMAIL", help="The account that we work as.")] = "",
    jira_name: Annotated[str, typer.Option("--jira-name", metavar="NAME")] = "jira",
    jira_token: Annotated[str, typer.Option("--jira-token", metavar="REF", help="env:NAME or file:/path.")] = "",
    asana: Annotated[bool, typer.Option("--asana", help="An Asana site.")] = False,
    asana_url: Annotated[str, typer.Option("--asana-url", metavar="URL", hidden=True)] = "",
    asana_workspace: Annotated[str, typer.Option("--asana-workspace", metavar="GID")] = "",
    asana_name: Annotated[str, typer.Option("--asana-name", metavar="NAME")] = "asana",
    asana_token: Annotated[str, typer.Option("--asana-token", metavar="REF", help="env:NAME or file:/path.")] = "",
) -> None:
    """Write the files to start from; push is off, so the first runs only observe."""
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    if jira is None and not asana and asks:
        jira = _asked("Address of the Jira site (empty: none)") or None
        asana = typer.confirm("An Asana site?", err=True)
    if jira and not jira_user and asks:
        jira_user = _asked("E-mail address of the Jira account (empty: the token is a personal access token)")
    if jira and not jira_user and ".atlassian.net" in jira:  # a Data Center's token names no user
        raise _missing("--jira-user")
    sites = []
    if jira:
        sites.append(SiteAnswer(jira_name, "jira", jira, jira_user, jira_token))
    if asana or asana_url:
        more = {"workspace": asana_workspace} if asana_workspace else {}
        sites.append(SiteAnswer(asana_name, "asana", asana_url, token=asana_token, more=more))
    if not sites:
        raise Misconfigured("no site is named", hint="name one: --jira URL --jira-user EMAIL, or --asana")
    organisation = organisation or _given(asks, "Name of the organisation", "--organisation")
    timezone = timezone or _given(asks, "Time zone, such as Europe/Berlin", "--timezone")
    clock = common(context).clock()
    made = started(
        folder,
        Answers(organisation, timezone, tuple(sites), holidays, profile),
        load=lambda path: load(path, environ),
        describe=lambda config, name: describe(config, name, clock=clock),
    )
    for path in made.files:
        say(f"written: {path}")
    for note in made.notes:
        say(note)
    where = "" if folder == Path() else f" --config {folder / 'pmosync.yaml'}"
    say(f"next: read the mappings over, then `pmosync doctor{where}` and `pmosync plan{where}`")


def _given(asks: bool, question: str, option: str) -> str:
    """An answer, asked for on a terminal only."""
    if answer := _asked(question) if asks else "":
        return answer
    raise _missing(option)


def _missing(option: str) -> Misconfigured:
    return Misconfigured(f"{option} is missing", hint=f"write {option} and a value")


def _asked(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False, err=True)).strip()


def doctor(context: typer.Context, json: AsJson = False) -> None:
    """Look whether everything is in place, and say what to do where it is not."""
    options = common(context)
    config = configured(options)
    checks = examined(config, clock=options.clock(), standards=lambda: tested(standards_of(config)))
    bad = sum(check.state == "bad" for check in checks)
    if json:
        give_json(
            {
                "checks": [
                    {"name": check.name, "state": check.state, "what": check.what, "next_step": check.next_step}
                    for check in checks
                ],
                "bad": bad,
            }
        )
    else:
        table(
            ("", "", ""),
            [
                (
                    SIGNS[check.state],
                    check.name,
                    f"{check.what}\n→ {check.next_step}" if check.next_step else check.what,
                )
                for check in checks
            ],
            fixed=(0, 1),
        )
        look = sum(check.state == "warn" for check in checks)
        well = f"nothing is wrong; {look} to look at" if look else "everything is in place"
        say(f"{bad} to set right" if bad else well)
    raise typer.Exit(WRONG if bad else DONE)


def discover(
    context: typer.Context, site: Annotated[str, typer.Argument(metavar="SITE")], json: AsJson = False
) -> None:
    """Suggest a mapping from what a site offers: `pmosync discover SITE > mappings/SITE.yaml`."""
    options = common(context)
    config = configured(options)
    catalog, capabilities = describe(config, config.site(site).name, clock=options.clock())
    text = suggest(site, catalog, capabilities)
    if json:
        give_json(
            {
                "site": site,
                "server": catalog.server,
                "account": catalog.account.name or catalog.account.id,
                "projects": [
                    {"id": one.id, "key": one.key, "name": one.name, "archived": one.archived}
                    for one in catalog.projects
                ],
                "portfolios": [{"id": one.id, "name": one.name} for one in catalog.portfolios],
                "fields": [
                    {
                        "id": one.id,
                        "name": one.name,
                        "kind": one.kind,
                        "subject": one.subject,
                        "options": [option.name for option in one.options],
                    }
                    for one in catalog.fields
                ],
                "mapping": text,
            }
        )
    else:
        sys.stdout.write(text)


@mapping_app.command("check")
def check(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[SITE]...", help="Default: all sites.")] = None,
    json: AsJson = False,
) -> None:
    """Compare mappings with what their sites offer; tell what does not fit and what the last run could not read."""
    options = common(context)
    config = configured(options)
    wrong = {name: _wrong(config, name, options) for name in chosen(config, names)}
    gaps = _gaps(config, list(wrong))
    if json:
        mistakes = {
            name: [{"where": one.where, "what": one.what, "hint": one.hint} for one in found]
            for name, found in wrong.items()
        }
        give_json({"sites": mistakes, "gaps": gaps})
    else:
        for name, found in wrong.items():
            for one in found:
                say(str(one))
            say(f"{name}: {f'{len(found)} to set right' if found else 'the mapping fits the site'}")
        for row in gaps:
            say(f"not read: {row['site']} {row['field']} = {row['value']!r}: {row['why']} ({row['records']} records)")
    raise typer.Exit(WRONG if any(wrong.values()) else DONE)


def _wrong(config: Config, name: str, options: Common) -> Sequence[Misconfigured]:
    mapping = load_mapping(config, name)
    catalog, capabilities = describe(config, name, clock=options.clock())
    return mappings.check(mapping, catalog, capabilities)


def _gaps(config: Config, names: Sequence[str]) -> list[reports.Row]:
    """What the last run could not read; nothing when there was none."""
    if not config.store.exists():
        return []
    with stored(config) as store, store.reading() as connection:
        return reports.gaps(connection, names)
