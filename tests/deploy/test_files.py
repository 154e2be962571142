"""deploy/ and the Dockerfile: each as what would run it judges it, without a cluster, and whether they agree."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pmosync.config import load
from tests.deploy.conftest import DEPLOY, ROOT, compose, module, program

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())


PMOSYNC_YAML = """\
organisation: Acme
timezone: Europe/Berlin
sites:
  acme-jira:
    connector: jira
    base_url: https://acme.atlassian.net
    auth: {user: pmo-bot@acme.example, token: env:ACME_JIRA_TOKEN}
    mapping: mappings/acme-jira.yaml
  acme-asana:
    connector: asana
    auth: {token: env:ACME_ASANA_TOKEN}
    mapping: mappings/acme-asana.yaml
"""


def steps() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their values."""
    text = (ROOT / "Dockerfile").read_bytes()
    parsed = module("dockerfile_parse").DockerfileParser(fileobj=io.BytesIO(text)).structure
    return [(one["instruction"], one["value"]) for one in parsed]


def last(instruction: str) -> str:
    return [value for name, value in steps() if name == instruction][-1]


# --- the image --------------------------------------------------------------------------------------------------------


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = subprocess.run([program("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_has_two_stages_on_one_pinned_base_and_a_user_of_numbers() -> None:
    found = steps()
    bases = [value.split()[0] for name, value in found if name == "FROM"]
    assert len(bases) == 2
    assert set(bases) == {"python:${PYTHON}"}
    pinned = dict(value.split("=") for name, value in found if name == "ARG")["PYTHON"]
    assert re.fullmatch(r"3\.11\.\d+-slim-bookworm", pinned), "a full version, not a moving tag"
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last("USER"))
    assert not [value for name, value in found if name == "ADD"]
    assert last("STOPSIGNAL") == "SIGTERM"
    assert (last("ENTRYPOINT"), last("CMD")) == ('["pmosync"]', '["daemon"]')


def test_no_secret_can_get_into_a_layer() -> None:
    secret = re.compile("token|secret|password", re.IGNORECASE)
    assert not [step for step in steps() if step[0] in ("ARG", "ENV") and secret.search(step[1])]
    patterns = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert patterns[0] == "*", "what is not named stays outside"
    named = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    copied = {
        word for name, value in steps() if name == "COPY" and "--from" not in value for word in value.split()[:-1]
    }
    assert named == copied


def test_every_file_of_deploy_names_the_image_of_this_version() -> None:
    named = re.findall(r"image: (\S+)", "".join(path.read_text("utf-8") for path in DEPLOY.rglob("*.yaml")))
    assert named
    assert set(named) == {f"pmosync:{VERSION}"}
    assert f"ARG VERSION={VERSION}\n" in (ROOT / "Dockerfile").read_text("utf-8")


# --- Compose ----------------------------------------------------------------------------------------------------------


def test_the_compose_file_is_one() -> None:
    text = (DEPLOY / "compose/compose.yaml").read_text("utf-8")
    file = module("compose_spec").PyCompose.from_yaml(text)
    file.validate()
    assert file.service_names() == ["pmosync"]


def test_compose_takes_every_right_that_pmosync_does_not_need() -> None:
    service = compose()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["user"] == last("USER")
    assert "privileged" not in service
    assert "cap_add" not in service
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    writable = {one["target"] for one in service["volumes"] if not one.get("read_only")}
    assert writable == {"/data/mappings", "/data/decisions", "/store"}


def test_compose_and_the_image_ask_the_daemon_the_same() -> None:
    in_image = last("HEALTHCHECK").split("CMD", 1)[1]
    in_compose = compose()["healthcheck"]["test"]
    assert in_compose[0] == "CMD"
    assert in_compose[1:] == json.loads(in_image)


# --- systemd ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units in a folder, with a program that is there in the place of pmosync."""
    there = shutil.which("true")
    for name in UNITS:
        text = (DEPLOY / "systemd" / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("/opt/pmosync/bin/pmosync", str(there)), "utf-8")
    return tmp_path


def test_systemd_takes_every_unit_without_a_word(units: Path) -> None:
    line = [program("systemd-analyze"), "verify", *(str(units / name) for name in UNITS)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_systemd_finds_little_that_a_service_could_do_to_the_machine(name: str, units: Path) -> None:
    line = [program("systemd-analyze"), "security", "--offline=yes", "--threshold=20", str(units / name)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def unit(name: str) -> dict[str, list[str]]:
    """The settings of a unit; those that stand several times with all their values."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / name).read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_what_mends_itself_wakes_nobody_and_what_does_not_stays_failed() -> None:
    for name in ("pmosync-sync.service", "pmosync-reconcile.service"):
        assert unit(name)["SuccessExitStatus"] == ["11 13"]
        assert "Restart" not in unit(name), "the timer runs it again"
    daemon = unit("pmosync.service")
    assert (daemon["Restart"], daemon["RestartPreventExitStatus"]) == (["on-failure"], ["2"])
    assert "SuccessExitStatus" not in daemon


def test_the_tokens_of_a_unit_reach_the_configuration_as_references(tmp_path: Path) -> None:
    path = tmp_path / "pmosync.yaml"
    path.write_text(PMOSYNC_YAML, "utf-8")
    for name in (name for name in UNITS if name.endswith(".service")):
        settings = unit(name)
        given = {line.partition(":")[0] for line in settings["LoadCredential"]}
        environ = dict(
            line.replace("%d", f"/run/credentials/{name}").replace("%S", "/var/lib").split("=", 1)
            for line in settings["Environment"]
        )
        config = load(path, environ)
        assert config.store == Path("/var/lib/pmosync/pmosync.db")
        tokens = {site.name: site.own["auth"]["token"] for site in config.sites.values()}
        assert tokens == {site: f"file:/run/credentials/{name}/{site}" for site in given}


# --- cron -------------------------------------------------------------------------------------------------------------


def crontab() -> Iterator[tuple[str, str, str]]:
    """When, who and what, as cron reads a file of /etc/cron.d."""
    for line in (DEPLOY / "cron/pmosync").read_text("utf-8").splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            *when, user, command = line.split(maxsplit=6)
            yield " ".join(when), user, command


def test_cron_runs_sync_often_and_reconcile_at_night_as_a_user_of_its_own() -> None:
    cronsim = module("cronsim")
    lines = list(crontab())
    assert [command for _, _, command in lines] == [
        "cd /srv/pmosync && pmosync sync --quiet",
        "cd /srv/pmosync && pmosync reconcile --quiet",
    ]
    assert {user for _, user, _ in lines} == {"pmosync"}
    assert not [command for _, _, command in lines if "%" in command], "cron takes a percent sign for a new line"
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    often, nightly = (cronsim.CronSim(when, midnight) for when, _, _ in lines)
    assert [(next(often)).minute for _ in range(4)] == [15, 30, 45, 0]
    assert (next(nightly), next(nightly)) == (midnight.replace(hour=2), midnight.replace(day=21, hour=2))


def test_a_file_for_cron_ends_with_a_line_end_and_nobody_but_its_owner_can_write_it() -> None:
    path = DEPLOY / "cron/pmosync"
    assert path.read_bytes().endswith(b"\n"), "cron leaves out a last line without one"
    assert path.stat().st_mode & 0o133 == 0, "cron refuses a file that others can write, or that is executable"
    assert "." not in path.name, "cron leaves out names with a dot"
