"""Has our custom fields offered: by projects to their tasks, by portfolios to their projects and to themselves.

It keeps the promise that a place is asked for once and pinned, that what was refused is told and not tried again, and
that a portfolio is written to only after Asana has shown, or taken, a value of ours on the portfolio itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pmosync.errors import Refused

from ..api import Asked, one
from .look import AGAIN, OUTER, Look, lacks, why_refused
from .places import Place

Json = dict[str, Any]

OFFERED = "name,custom_field_settings.custom_field.gid"
OWN = "name,custom_fields.gid"
TAKEN = "taken away"
CAP = "take a field that nobody needs from this {kind}, if it has as many as Asana allows."


class Offerer:
    """Sees to it that our fields are where marks are written; `rows` are the projects as they were just listed."""

    def __init__(self, look: Look, places: Sequence[Place], rows: Mapping[str, Json]) -> None:
        self.look, self.api, self.pins = look, look.api, look.pins
        self.rows = rows
        self.of_tasks = [place for place in places if place.slot != "fields"]
        self.measures = [place for place in places if place.slot == "fields"]

    def homes(self, projects: Sequence[str]) -> dict[str, list[str]]:
        """Projects and portfolios by the portfolio that holds their rollup; one without such a place is limited."""
        homes: dict[str, list[str]] = {}
        for project in projects if "fields" in self.look.scope.slots else ():
            home = self.look.scope.homes.get(project, "")
            if home.isdigit():
                homes.setdefault(home, []).append(project)
            else:
                why = "no portfolio is named for it: give the gid of an Asana portfolio as its home in the register"
                self.look.limit([project], "fields", why, "a home")
        for portfolio in self.look.portfolios:
            if portfolio.isdigit():
                homes.setdefault(portfolio, []).append(portfolio)
            else:
                why = f"'{portfolio}' is not the gid of an Asana portfolio: correct the home in the register"
                self.look.limit([portfolio], "portfolio_fields", why)
        return homes

    def offer(self, projects: Sequence[str], homes: Mapping[str, Sequence[str]]) -> None:
        """Everywhere: a project's own fields come through a portfolio that it is in."""
        for project in projects:
            self._offer("project", project, self.of_tasks, [project])
        for portfolio, members in homes.items():
            self._offer("portfolio", portfolio, self.measures, members)
            self._members(portfolio, [member for member in members if member != portfolio])
        for portfolio in self.look.portfolios:
            if portfolio in homes:
                self._itself(portfolio)

    def _members(self, portfolio: str, projects: Sequence[str]) -> None:
        """Asana has no place for the values of a project that is not in the portfolio."""
        asked = [project for project in projects if f"member.{portfolio}.{project}" not in self.pins]
        if not asked:
            return
        try:
            items = self.api.pages(self.api.portfolios.get_items_for_portfolio, portfolio, opt_fields="name")
        except Refused as refusal:
            self.look.limit(asked, "fields", why_refused(refusal, f"portfolio {portfolio}"), lacks(refusal))
            return
        inside = {item["gid"] for item in items}
        for project in asked:
            if project in inside:
                self.pins[f"member.{portfolio}.{project}"] = "1"
            else:
                why = f"the project is not in portfolio {portfolio}: add it there, or name another home in the register"
                self.look.limit([project], "fields", why, "a place in it")

    # --- one place --------------------------------------------------------------------------------------------------

    def _offer(self, kind: str, gid: str, places: Sequence[Place], where: Sequence[str]) -> None:
        """Have these fields offered by a project to its tasks, or by a portfolio to its projects."""
        row = self.rows.get(gid, {})
        if "custom_field_settings" in row:
            self._taken_away(row, places)
        missing = [
            place
            for place in places
            if f"attached.{gid}.{self.pins.get(place.key, '')}" not in self.pins
            and (place.key in self.pins or not all(self.look.limited(each, place.slot) for each in where))
        ]
        if not missing:
            return
        found = row if "custom_field_settings" in row else self._read(kind, gid, OFFERED)
        for place in missing:
            if isinstance(found, Refused):
                self.look.limit(where, place.slot, why_refused(found, f"{kind} {gid}"), lacks(found))
            else:
                self._offer_one(kind, found, place, where)

    def _taken_away(self, row: Json, places: Sequence[Place]) -> None:
        """What was offered here and is not any more, somebody took away: that is left so, and told."""
        for place in places:
            field = self.pins.get(place.key, "")
            if self.pins.get(f"attached.{row['gid']}.{field}") and not _offers(row, field):
                del self.pins[f"attached.{row['gid']}.{field}"]
                self.pins[f"refused.{row['gid']}.{field}"] = TAKEN

    def _read(self, kind: str, gid: str, fields: str) -> Json | Refused:
        (body,) = self.api.batch([Asked(f"/{kind}s/{gid}", fields)])
        return body if isinstance(body, Refused) else one(body)

    def _offer_one(self, kind: str, found: Json, place: Place, where: Sequence[str]) -> None:
        gid, field = found["gid"], self.pins.get(place.key)
        refused = f"refused.{gid}.{field}"
        named = f"{kind} '{found.get('name', gid)}'"
        if field and _offers(found, field):
            self.pins[f"attached.{gid}.{field}"] = "0"
            self.pins.pop(refused, None)
        elif refused in self.pins:
            why = f"Asana refused to add the field '{place.name}' to {named} ({self.pins[refused]})"
            why = f"{why}: {_step(place)} {_again(gid)}"
            if self.pins[refused] == TAKEN:
                why = f"somebody took the field '{place.name}' from {named}: add it there by hand if it is wanted"
            self.look.limit(where, place.slot, why, "the field")
        else:
            self.look.writes.append(f"add the custom field '{place.name}' to {named}")
            if field and self.look.write:
                self._attach(kind, gid, field, place, where)

    def _attach(self, kind: str, gid: str, field: str, place: Place, where: Sequence[str]) -> None:
        body = {"data": {"custom_field": field, "is_important": True}}
        try:
            if kind == "project":
                self.api.projects.add_custom_field_setting_for_project(body, gid, {"opt_fields": "custom_field.gid"})
            else:
                self.api.portfolios.add_custom_field_setting_for_portfolio(body, gid)
        except Refused as refusal:
            if refusal.status == 400 and self._offered_now(kind, gid, field):
                self.pins[f"attached.{gid}.{field}"] = "1"  # sent again after a lost answer
                return
            pin = f"refused.{gid}.{field}"
            self.pins[pin] = str(refusal.status)
            step = CAP.format(kind=kind) if refusal.status == 400 else _step(place)
            why = f"{why_refused(refusal, f'{kind} {gid}')}: {step} {_again(gid)}"
            self.look.limit(where, place.slot, why, lacks(refusal) or "room for a field")
            return
        self.pins[f"attached.{gid}.{field}"] = "1"

    def _offered_now(self, kind: str, gid: str, field: str) -> bool:
        found = self._read(kind, gid, OFFERED)
        return not isinstance(found, Refused) and _offers(found, field)

    # --- a portfolio's own values -----------------------------------------------------------------------------------

    def _itself(self, portfolio: str) -> None:
        """Find out whether the portfolio has values of its own for our fields.

        The vendor's document says that fields on a portfolio reach what is in it, and that a portfolio has values of
        its own, but not which fields those are for. So what is shown counts, and where nothing is shown, a clearing of
        nothing is tried: it changes nothing, and is refused where there is no place.
        """
        gids = [self.pins.get(place.key) for place in self.measures]
        asked = [gid for gid in gids if gid and f"own.{portfolio}.{gid}" not in self.pins]
        if None in gids or not asked or self.look.limited(portfolio, "portfolio_fields"):
            return
        found = self._read("portfolio", portfolio, OWN)
        if isinstance(found, Refused):
            why = why_refused(found, f"portfolio {portfolio}")
            self.look.limit([portfolio], "portfolio_fields", why, lacks(found))
            return
        refused = f"refused.own.{portfolio}"
        shown = {entry["gid"] for entry in found.get("custom_fields") or ()}
        name = f"portfolio '{found.get('name', portfolio)}'"
        if not set(asked) <= shown and refused in self.pins:
            self._without(portfolio, name, f"({self.pins[refused]})")
        elif not set(asked) <= shown and not self.look.write:
            self.look.writes.append(f"see whether {name} takes values for the custom fields of the PMO")
        elif set(asked) <= shown or self._takes(portfolio, name, [gid for gid in asked if gid not in shown]):
            self.pins.update({f"own.{portfolio}.{gid}": "1" for gid in asked})
            self.pins.pop(refused, None)

    def _takes(self, portfolio: str, name: str, gids: Sequence[str]) -> bool:
        self.look.writes.append(f"see whether {name} takes values for the custom fields of the PMO")
        body = {"data": {"custom_fields": dict.fromkeys(gids)}}
        try:
            self.api.portfolios.update_portfolio(body, portfolio, {"opt_fields": OWN})
        except Refused as refusal:
            self.pins[f"refused.own.{portfolio}"] = str(refusal.status)
            self._without(portfolio, name, f"({refusal.status}): {refusal}")
            return False
        return True

    def _without(self, portfolio: str, name: str, why: str) -> None:
        pin = f"refused.own.{portfolio}"
        self.look.limit(
            [portfolio],
            "portfolio_fields",
            f"Asana has no place for values of {name} itself {why}: {OUTER}. {AGAIN.format(pin=pin)}",
            "an outer portfolio",
        )


def _offers(found: Json, field: str) -> bool:
    return any((s.get("custom_field") or {}).get("gid") == field for s in found.get("custom_field_settings") or ())


def _again(gid: str) -> str:
    return AGAIN.format(pin=f"refused.{gid}.")


def _step(place: Place) -> str:
    return f"make the account an editor there, or add the field '{place.name}' by hand."
