"""Writes the files that an organisation starts from: configuration, mappings, register, decisions.

Nothing that exists is overwritten, no secret is written, and the configuration says `push: off`: the first runs only
observe.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pmosync.contract import Capabilities, Catalog
from pmosync.discovery.suggesting import suggest
from pmosync.errors import Misconfigured, PmosyncError

CONFIG = "pmosync.yaml"
REGISTER = "projects.yaml"
WAIVERS = "decisions/waivers.yaml"

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class SiteAnswer:
    """One site: `token` is a reference such as `env:NAME`; empty: the variable that its name suggests."""

    name: str
    connector: str
    base_url: str = ""
    user: str = ""
    token: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    """Other keys of the connector, e.g. `workspace`."""

    @property
    def reference(self) -> str:
        return self.token or f"env:{self.name.upper().replace('-', '_')}_TOKEN"


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` has to know."""

    organisation: str
    timezone: str
    sites: tuple[SiteAnswer, ...]
    holidays: str = ""
    profile: str = "supportive"


@dataclass(frozen=True, slots=True)
class Initialised:
    """The files that were written, and what is left to do, a sentence each."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def init(
    folder: Path,
    answers: Answers,
    *,
    load: Callable[[Path], C],
    describe: Callable[[C, str], tuple[Catalog, Capabilities]],
) -> Initialised:
    """Write the files of a new organisation, or nothing at all.

    Args:
        load: reads the configuration and says what is wrong with it; what was written is then removed again.
        describe: asks a site what it offers; a site that cannot be asked gets no mapping yet.
    """
    _refuse_secrets(answers)
    mappings = {site.name: folder / f"mappings/{site.name}.yaml" for site in answers.sites}
    texts = {
        folder / CONFIG: config_text(answers),
        folder / REGISTER: _REGISTER,
        folder / WAIVERS: _WAIVERS,
    }
    for path in (*texts, *mappings.values()):
        if path.exists():
            raise Misconfigured(
                "there is such a file already", where=str(path), hint="move it away, or start elsewhere"
            )
    for path, text in texts.items():
        _write(path, text)
    try:
        config = load(folder / CONFIG)
    except Misconfigured:
        for path in texts:
            path.unlink()
        raise
    files, notes = list(texts), []
    for site, path in mappings.items():
        try:
            catalog, capabilities = describe(config, site)
        except PmosyncError as error:
            notes.append(f"{path} is not written yet. {error}\n  → then run `pmosync discover {site} > {path}`")
            continue
        _write(path, suggest(site, catalog, capabilities))
        files.append(path)
    return Initialised(tuple(files), tuple(notes))


def config_text(answers: Answers) -> str:
    """pmosync.yaml with every key explained."""
    holidays = _text(answers.holidays) if answers.holidays else "null"
    sites = "\n".join(_site_text(site) for site in answers.sites)
    return _CONFIG.format(
        organisation=_text(answers.organisation),
        timezone=_text(answers.timezone),
        holidays=holidays,
        profile=_text(answers.profile),
        sites=sites,
    )


def _site_text(site: SiteAnswer) -> str:
    user = f"user: {_text(site.user)}, " if site.user else ""
    address = f"    base_url: {_text(site.base_url)}\n" if site.base_url else ""
    more = "".join(f"    {key}: {_text(value)}\n" for key, value in site.more.items())
    return (
        f"  {site.name}:\n    connector: {_text(site.connector)}\n{address}"
        "    # the token is named by env:NAME or file:/path, never the secret itself\n"
        f"    auth: {{{user}token: {_text(site.reference)}}}\n{more}"
        f"    mapping: mappings/{site.name}.yaml\n"
    )


def _refuse_secrets(answers: Answers) -> None:
    for site in answers.sites:
        if not site.reference.startswith(("env:", "file:")):
            raise Misconfigured(
                f"the token of {site.name} is written out",
                hint="name where it stands: env:NAME or file:/path; never the secret itself",
            )


def _write(path: Path, text: str) -> None:
    """A new file; one that appeared in the meantime is left as it is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Misconfigured(f"cannot be written: {error.strerror}", where=str(path), hint="check the folder") from None


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=not value.isprintable())


_CONFIG = """\
# What pmosync knows about your organisation. Every key can be overridden by an environment variable:
# PMOSYNC_PUSH=on, nested keys with two underscores: PMOSYNC_GUARD__MAX_CHANGES=500.
organisation: {organisation}

# The time zone in which a day begins and ends; a site can have its own.
timezone: {timezone}

# The working days, and the country (DE, or with a region DE-BY) or the dates of the holidays.
calendar: {{workdays: mon-fri, holidays: {holidays}}}

# Where pmosync keeps what it derived. It can be deleted: the next run builds it again.
store: sqlite:///pmosync.db

# How hard standards are asked. supportive: report only | controlling and directive: flag (gates come later).
profile: {profile}

# off: sync and reconcile observe and plan, and write nothing. Look at `pmosync plan`; when it is right, write on.
push: off

# The Jira and Asana sites. The mapping of a site says what its fields mean.
sites:
{sites}
# The list of the PMO's projects, and what no tool holds about them.
register: projects.yaml

# What people decide: waivers and approvals. Keep this folder under version control.
decisions: decisions/

# Shipped packs by name, your own files by path.
standards: [starter]

# A plan that changes more than this share of the subjects, or more than so many marks, waits for an approval.
guard: {{max_share: 30%, max_changes: 2000}}
"""

_REGISTER = """\
# The PMO's projects. Without an entry, every project of a tool is a project of its own.
#
# projects:
#   - id: payments
#     title: Payments
#     containers: [acme-jira/PAY, acme-asana/1202000000000002]   # site/key; they count as one project
#     phase: execution              # initiation, planning, execution, closing, closed
#     sponsor: Ada Lovelace
#     charter_url: https://acme.example/payments/charter
#     program: core
#     portfolio: banking
#     profile: directive            # instead of the organisation's
#     home: {acme-asana: "1201000000000001"}   # the portfolio in which Asana shows its rollup; `discover` lists them
projects: []
"""

_WAIVERS = """\
# Waivers: written, approved, expiring exceptions. Only ever add to this file, and keep it under version control.
#
# - standard: SCH201                # one standard, or SCH for all that start so
#   subject: acme-jira/PAY-12       # or project: acme-jira/PAY, program: core, portfolio: banking, where: type = risk
#   reason: the vendor delivers in July
#   requested_by: li@acme.example
#   approved_by: pmo@acme.example
#   approved_on: 2026-05-20
#   until: 2026-07-31               # the last day on which it counts; at most 180 days after the approval
"""
