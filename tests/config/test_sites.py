"""Opening a site: secrets are followed now, limits are shared, and everything that was opened is closed again."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses

from pmosync.config import open_connector, open_site, open_sites
from pmosync.errors import Misconfigured, Refused, Unauthorized

from .conftest import Configured


def clock() -> dt.datetime:
    return dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)


def opened() -> list[Any]:
    """The connectors that the toy's module has made."""
    return list(sys.modules["toytool"].opened)


def test_an_open_site_has_its_connector_zone_mapping_and_lock_file(configured: Configured, folder: Path) -> None:
    with open_site(configured(), "acme-toy", clock=clock) as site:
        assert (site.name, site.zone) == ("acme-toy", ZoneInfo("Europe/Berlin"))
        assert site.capabilities.slots[0].name == "flag"
        assert site.mapping.write_task == ("flag",)
        assert site.lock_path == folder / "mappings/acme-toy.lock.yaml"
        assert site.connector.describe().projects[0].key == "PAY"
        assert site.for_cycle({"1": "home"}, {}).homes == {"1": "home"}


def test_a_link_to_pages_that_are_published_nowhere_is_refused(configured: Configured, folder: Path) -> None:
    mapping = folder / "mappings/acme-toy.yaml"
    mapping.write_text(mapping.read_text().replace("[flag]", "[flag, pointer]"))
    with pytest.raises(Misconfigured) as caught:
        open_site(configured(), "acme-toy", clock=clock)
    assert caught.value.where == f"{mapping}:4:22"
    assert "'pointer' leads to the page of a standard" in caught.value.what
    assert "`pmosync standards docs`" in caught.value.hint
    published = configured(("push: on", "push: on\nguidance: https://pmo.acme.example/"))
    with open_site(published, "acme-toy", clock=clock) as site:
        assert site.mapping.write_task == ("flag", "pointer")


def test_the_secret_reaches_the_connector_and_no_text(configured: Configured) -> None:
    with open_site(configured(), "acme-toy", clock=clock) as site:
        (toy,) = opened()
        assert toy.settings.auth.token.get_secret_value() == "toy-secret"
        assert "toy-secret" not in repr(site)


def test_a_secret_can_stand_in_a_file_beside_the_configuration(configured: Configured) -> None:
    with open_site(configured(), "other", clock=clock):
        assert opened()[0].settings.auth.token.get_secret_value() == "other-secret"


def test_no_secret_is_read_before_its_site_is_opened(configured: Configured, folder: Path) -> None:
    (folder / "secret.txt").unlink()
    config = configured(environ={"TOY_TOKEN": "toy-secret"})
    with open_site(config, "acme-toy", clock=clock):
        pass
    with pytest.raises(Misconfigured, match=r"file:secret\.txt cannot be read: No such file"):
        open_site(config, "other", clock=clock)


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({}, "the environment variable of env:TOY_TOKEN is not set"),
        ({"TOY_TOKEN": " "}, "the environment variable of env:TOY_TOKEN is empty"),
        ({"TOY_TOKEN": "abc\nX-Injected: yes"}, "holds a line break"),
    ],
)
def test_a_missing_secret_names_its_reference_and_its_line(
    configured: Configured, folder: Path, environ: dict[str, str], what: str
) -> None:
    with pytest.raises(Misconfigured) as told:
        open_site(configured(environ=environ), "acme-toy", clock=clock)
    assert f"{folder}/pmosync.yaml:11:" in str(told.value)
    assert what in str(told.value)
    assert "Injected" not in str(told.value)


def test_an_empty_secret_file_is_told(configured: Configured, folder: Path) -> None:
    (folder / "secret.txt").write_text("\n")
    with pytest.raises(Misconfigured, match=r"the file of file:secret\.txt is empty"):
        open_site(configured(), "other", clock=clock)


def test_a_secret_that_the_connector_does_not_accept_is_not_shown(configured: Configured) -> None:
    with pytest.raises(Misconfigured) as told:
        open_site(configured(environ={"TOY_TOKEN": "x9"}), "acme-toy", clock=clock)
    assert "auth.token does not fit" in str(told.value)
    assert "env:TOY_TOKEN" in str(told.value)
    assert "x9" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_sites_with_the_same_credential_share_one_limiter(configured: Configured) -> None:
    config = configured(("file:secret.txt", "env:TOY_TOKEN"))
    for site in (sites := open_sites(config, ["acme-toy", "other"], clock=clock)):
        site.close()
    assert sites[0].session.limiter is sites[1].session.limiter


def test_sites_with_different_credentials_do_not_share_a_limiter(configured: Configured) -> None:
    for site in (sites := open_sites(configured(), ["acme-toy", "other"], clock=clock)):
        site.close()
    assert sites[0].session.limiter is not sites[1].session.limiter


def test_when_one_site_cannot_be_opened_the_others_are_closed(configured: Configured) -> None:
    config = configured(("    timezone: Asia/Tokyo", "    workspace: broken"))
    with pytest.raises(Unauthorized):
        open_sites(config, ["acme-toy", "other"], clock=clock)
    assert [toy.closed for toy in opened()] == [True]


def test_closing_a_site_closes_its_connector(configured: Configured) -> None:
    with open_site(configured(), "acme-toy", clock=clock):
        assert opened()[0].closed is False
    assert opened()[0].closed is True


@responses.activate
def test_a_read_only_site_cannot_write_and_a_call_never_logs_the_secret(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    responses.get("https://toy.example/me", json={"token": "toy-secret"}, status=404)
    with (
        caplog.at_level(logging.DEBUG),
        open_site(configured(), "acme-toy", clock=clock, read_only=True) as site,
        pytest.raises(Refused) as told,
    ):
        site.session.call("GET", "/me")
    assert site.session.read_only
    assert "toy-secret" not in caplog.text + str(told.value)


def test_a_site_without_a_mapping_can_be_looked_at_and_not_opened(configured: Configured, folder: Path) -> None:
    (folder / "mappings/acme-toy.yaml").unlink()
    config = configured()
    with open_connector(config, "acme-toy", clock=clock) as site:
        assert site.connector.describe().account.name == "PMO bot"
    with pytest.raises(Misconfigured, match=r"pmosync.yaml:12:.*there is no mapping") as told:
        open_site(config, "acme-toy", clock=clock)
    assert "pmosync discover acme-toy" in str(told.value)


def test_a_mapping_of_another_site_is_refused(configured: Configured) -> None:
    config = configured(("mapping: mappings/acme-toy.yaml", "mapping: mappings/other.yaml"))
    with pytest.raises(Misconfigured, match="is for the site 'other'"):
        open_site(config, "acme-toy", clock=clock)


def test_an_address_with_a_password_in_it_is_refused_without_showing_it(configured: Configured) -> None:
    config = configured(("base_url: https://toy.example", "base_url: https://me:hunter2@toy.example"))
    with pytest.raises(Misconfigured, match=r"pmosync.yaml:10:") as told:
        open_site(config, "acme-toy", clock=clock)
    assert "hunter2" not in str(told.value)
