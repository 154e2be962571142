"""Lists what a Jira site offers: its fields with their types, options, projects, link types, and who we are there.

It keeps the promise that it only reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pmosync.contract import Catalog, Choice, FieldInfo, ProjectInfo
from pmosync.errors import Refused, Unreadable

from .boards import estimation_fields
from .decode import ODD, choice, person, reader_of
from .own_fields import is_ours
from .planning import parts_of
from .site import Site

_PROJECT_FIELDS = (
    FieldInfo("name", "Name", "text", subject="project"),
    FieldInfo("key", "Key", "text", subject="project"),
    FieldInfo("lead", "Lead", "person", subject="project"),
    FieldInfo("category", "Category", "choice", subject="project"),
    FieldInfo("archived", "Archived", "yes/no", subject="project"),
    FieldInfo("description", "Description", "text", subject="project"),
)


def describe(site: Site) -> Catalog:
    """The catalog of the site."""
    try:
        return _catalog(site)
    except Refused as no:
        if no.status == 0:
            raise
        raise Unreadable(f"{no} Check that base_url is a Jira site.") from no
    except ODD as error:
        raise Unreadable(
            f"{site.session.host}: an answer is not of the shape that Jira documents "
            f"({type(error).__name__}: {error}). Check that base_url is a Jira site."
        ) from error


def _catalog(site: Site) -> Catalog:
    package = site.package
    server, me, projects = site.server(), package.myself(), site.projects(prop="")
    options = {
        name: tuple(options_of(site, name).values()) for name in ("status", "issuetype", "priority", "resolution")
    }
    fields = tuple(field for raw in site.fields if not is_ours(raw) for field in _fields(raw, options))
    link_types = tuple(
        Choice(str(t.raw["id"]), t.raw["name"], t.raw.get("outward")) for t in package.issue_link_types()
    )
    return Catalog(
        account=person(me),
        fields=fields + _PROJECT_FIELDS,
        projects=tuple(_project(site, raw) for raw in projects),
        link_types=link_types,
        zone=me.get("timeZone"),
        estimated_with=_estimated_with(site, projects),
        server=f"{site.deployment.title} {server.get('version', '')}".strip(),
    )


def _estimated_with(site: Site, projects: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What boards estimate with. Some estimate with a field of time, or count issues: then there is none."""
    ids = [str(raw["id"]) for raw in projects if not raw.get("archived")]
    used = Counter(estimation_fields(site.session, ids).values())
    return tuple(name for name, _ in used.most_common())


def options_of(site: Site, field_id: str) -> dict[str, Choice]:
    """The options of a field as they are now, by id: a status with its category."""
    lists = {"status": "statuses", "issuetype": "issue_types", "priority": "priorities", "resolution": "resolutions"}
    return {one.id: one for one in _options(getattr(site.package, lists[field_id])())} if field_id in lists else {}


def _options(resources: list[Any]) -> tuple[Choice, ...]:
    return tuple(choice(resource.raw) for resource in resources)


def _fields(raw: Mapping[str, Any], options: Mapping[str, tuple[Choice, ...]]) -> list[FieldInfo]:
    """A field, and what can be read out of it."""
    limited_to = ((raw.get("scope") or {}).get("project") or {}).get("id")
    field = FieldInfo(
        id=raw["id"],
        name=raw["name"],
        kind=reader_of(raw).kind,
        options=options.get(raw["id"], ()),
        projects=(str(limited_to),) if limited_to else (),
        custom=bool(raw.get("custom")),
    )
    return [field, *parts_of(field, raw)]


def _project(site: Site, raw: Mapping[str, Any]) -> ProjectInfo:
    return ProjectInfo(
        id=str(raw["id"]),
        key=raw["key"],
        name=raw["name"],
        url=f"{site.links_at}/projects/{raw['key']}",
        lead=person(raw["lead"]) if raw.get("lead") else None,
        archived=bool(raw.get("archived", False)),
    )
