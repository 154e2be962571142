"""A secret that its tool replaces: where it may stand, and how it is written back."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from pmosync.config import credentials, load, open_connector
from pmosync.config.secrets import rotating
from pmosync.errors import Misconfigured, Unavailable

CONFIG = """\
organisation: Acme
timezone: Europe/Berlin
sites:
  acme-jira:
    connector: jira
    base_url: https://api.atlassian.com/ex/jira/1324a887-45db-1bf4-1e99-ef0ff456d421
    auth:
      oauth:
        client_id: app
        client_secret: env:APP_SECRET
        refresh_token: file:refresh
    mapping: m.yaml
"""
ENVIRON = {"APP_SECRET": "app-secret", "REFRESH": "first-refresh"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "refresh"
    path.parent.mkdir()
    path.write_text("first-refresh\n")
    path.chmod(0o640)
    return path


def written(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "pmosync.yaml"
    path.write_text(text)
    return path


def test_it_is_read_anew_and_written_back_in_one_piece_with_the_same_mode(file: Path) -> None:
    secret = rotating("file:refresh", file.parent, "")
    assert secret.read() == "first-refresh"
    before = file.stat().st_ino
    with secret.held():
        secret.replace("second-refresh")
    assert secret.read() == "second-refresh"
    assert file.stat().st_ino != before, "another file took its place"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in file.parent.iterdir()) == ["refresh", "refresh.lock"]
    assert stat.S_IMODE((file.parent / "refresh.lock").stat().st_mode) == 0o600


def test_a_link_to_the_file_stays_a_link(file: Path) -> None:
    link = file.parent / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(file)
    rotating("file:link", link.parent, "").replace("second-refresh")
    assert link.is_symlink()
    assert file.read_text() == "second-refresh\n"


def test_a_write_that_fails_leaves_the_old_secret_and_nothing_beside_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Misconfigured, match=r"p.yaml:3: file:refresh cannot be written back: No space left") as caught:
        rotating("file:refresh", file.parent, "p.yaml:3").replace("second-refresh")
    assert "second-refresh" not in str(caught.value)
    assert file.read_text() == "first-refresh\n"
    assert [path.name for path in file.parent.iterdir()] == ["refresh"]


def test_only_one_at_a_time_holds_it_and_who_waits_too_long_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmosync.config.secrets.HELD_S", 0.1)
    one, other = (rotating("file:refresh", file.parent, "") for _ in range(2))
    order: list[str] = []

    def second() -> None:
        with (
            pytest.raises(Unavailable, match="another run has been replacing the secret of file:refresh"),
            other.held(),
        ):
            order.append("both")

    with one.held():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        time.sleep(0)
        order.append("one")
    with other.held():
        order.append("other")
    assert order == ["one", "other"]


def test_an_environment_variable_is_refused_at_load_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, CONFIG.replace("file:refresh", "env:REFRESH"))
    with pytest.raises(Misconfigured, match="cannot stand in an environment variable") as caught:
        load(path, ENVIRON)
    assert "pmosync.yaml:11:24" in str(caught.value)
    assert "file:/path" in caught.value.hint
    assert "first-refresh" not in str(caught.value)


def test_a_refresh_token_that_is_written_out_is_refused_without_being_shown(tmp_path: Path) -> None:
    path = written(tmp_path, CONFIG.replace("file:refresh", "eyJhbGciOi"))
    with pytest.raises(Misconfigured, match=r"a secret is written out in auth\.oauth\.refresh_token") as caught:
        load(path, ENVIRON)
    assert "eyJhbGciOi" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told_before_the_secret_is_used(file: Path) -> None:
    config = load(written(file.parent), ENVIRON)
    file.parent.chmod(0o500)
    try:
        with pytest.raises(Misconfigured, match="file:refresh cannot be written back"):
            open_connector(config, "acme-jira", clock=lambda: None)  # type: ignore[arg-type, return-value]
    finally:
        file.parent.chmod(0o700)


def test_a_replaced_secret_is_another_credential_for_who_was_refused(file: Path) -> None:
    config = load(written(file.parent), ENVIRON)
    before = credentials(config, "acme-jira")
    assert credentials(config, "acme-jira") == before
    file.write_text("by a person\n")
    assert credentials(config, "acme-jira") != before
    file.unlink()
    assert credentials(config, "acme-jira") not in ("", before)
