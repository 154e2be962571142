"""A secret that each use replaces is no edit of the files; one that a person puts there is noticed where it matters."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

import pytest

from pmosync.config import credentials
from pmosync.config.secrets import rotating
from pmosync.daemon.desks import Desks
from pmosync.daemon.stopping import Stop
from pmosync.daemon.telling import Told

MAPPING = Path(__file__).parents[2] / "mappings/jira-cloud.yaml"
CONFIG = """\
organisation: Acme
timezone: Europe/Berlin
sites:
  acme-jira:
    connector: jira
    base_url: https://api.atlassian.com/ex/jira/1324a887-45db-1bf4-1e99-ef0ff456d421
    auth: {oauth: {client_id: app, client_secret: file:secret, refresh_token: file:refresh}}
    mapping: acme-jira.yaml
"""


def test_the_daemon_keeps_its_site_open_when_a_refresh_token_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "pmosync.yaml").write_text(CONFIG)
    (tmp_path / "acme-jira.yaml").write_text(MAPPING.read_text("utf-8"), "utf-8")
    (tmp_path / "refresh").write_text("first")
    (tmp_path / "secret").write_text("app-secret")
    noon = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    desks = Desks(tmp_path / "pmosync.yaml", {}, lambda: noon, Stop(), Told())
    opened, edition = desks.desk("acme-jira").waiting, desks.edition
    refused_with = credentials(edition.config, "acme-jira")
    rotating("file:refresh", tmp_path, "").replace("second")
    assert desks.refresh() is edition
    assert desks.desk("acme-jira").waiting is opened
    assert caplog.text == ""
    assert credentials(edition.config, "acme-jira") != refused_with, "whoever was refused is tried with the new one"
    (tmp_path / "secret").write_text("another app-secret")
    assert desks.refresh() is not edition
    assert desks.desk("acme-jira").waiting is not opened
    desks.close()
