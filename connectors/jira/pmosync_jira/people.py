"""Brings people: everybody who has an account, and whoever else an issue names.

It keeps the promise that nobody is gone because a list could not be read: without it only those are known whom issues
name, and the scope `people` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pmosync.contract import Batch, Person, Record
from pmosync.errors import Refused

from .decode import person
from .records import Decoder
from .site import BrokenPaging, Site

SCOPE = "people"


@dataclass(slots=True)
class People:
    """The people of one pull."""

    site: Site
    decoder: Decoder
    named: dict[str, Person] = field(default_factory=dict)
    """By id, those whom issues name."""

    def saw(self, record: Record) -> None:
        """Remember everybody whom a record names."""
        for value in record.values.values():
            if isinstance(value, Person):
                self.named.setdefault(value.id, value)
            elif isinstance(value, tuple):
                for one in value:
                    if isinstance(one, Person):
                        self.named.setdefault(one.id, one)

    def everybody(self) -> Iterator[Batch]:
        """Everybody who has an account, and whoever else is named."""
        seen: set[str] = set()
        try:
            for page in self.site.deployment.users():
                users = [person(raw) for raw in page if raw.get("accountType") != "customer"]
                seen |= {who.id for who in users}
                yield Batch((), "observed", [self.decoder.person(who) for who in users])
        except (Refused, BrokenPaging) as no:
            yield from self.mentioned()
            yield Batch(
                (SCOPE,),
                "unobserved",
                why=f"The site's users could not be listed: {no} Known are those whom issues name. "
                "The global permission Browse users and groups lets pmosync list the others.",
            )
            return
        self.named = {name: who for name, who in self.named.items() if name not in seen}
        census = seen | set(self.named)
        yield from self.mentioned()
        yield Batch((SCOPE,), "complete", kinds=("person",), census=census)

    def mentioned(self) -> Iterator[Batch]:
        """Those whom issues name."""
        if self.named:
            yield Batch((), "observed", [self.decoder.person(who) for who in self.named.values()])
