"""What decisions are measured by: the standards that are asked, the people file, and the longest term of a waiver."""

from __future__ import annotations

from collections.abc import Iterable

from pmosync.config.load import Config
from pmosync.decisions import Terms
from pmosync.people import People, read_people
from pmosync.standards import Standard


def load_people(config: Config) -> People | None:
    """The people file that the configuration names; None when it names none."""
    return None if config.people is None else read_people(config.people, config.approves, config.sites)


def terms_of(config: Config, standards: Iterable[Standard] | None) -> Terms:
    """What a waiver is measured by.

    Args:
        standards: that are asked; None: they are not known.
    """
    severities = None if standards is None else {one.id: one.severity for one in standards}
    return Terms(config.longest_waiver_d, severities, load_people(config))
