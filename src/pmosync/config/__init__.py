"""What the PMO configured: pmosync.yaml, the register, and the sites opened as they say.

A mistake in a file is told with file, line, what and the fix before anything is read from a tool or written to one.
"""

from __future__ import annotations

from pmosync.config.deciding import load_people, terms_of
from pmosync.config.doctor import Check, doctor
from pmosync.config.expiry import expiry_note
from pmosync.config.load import Config, SiteConfig, load
from pmosync.config.register import homes_of, load_register
from pmosync.config.sites import (
    Opened,
    OpenSite,
    credentials,
    describe,
    load_mapping,
    open_connector,
    open_site,
    open_sites,
)

__all__ = [
    "Check",
    "Config",
    "OpenSite",
    "Opened",
    "SiteConfig",
    "credentials",
    "describe",
    "doctor",
    "expiry_note",
    "homes_of",
    "load",
    "load_mapping",
    "load_people",
    "load_register",
    "open_connector",
    "open_site",
    "open_sites",
    "terms_of",
]
