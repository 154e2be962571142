"""The container's steps and commands, carried out where no engine is: same steps, user, mounts and command lines."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import DEPLOY, Image, Ran, compose, documents

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

UID = 10001
TMP = {"target": "/tmp"}
TOKENS = {"acme-jira": "sandbox-jira-token", "acme-asana": "sandbox-asana-token"}
PORT = 8080
SITE = f"http://127.0.0.1:{PORT}"
INIT = (
    f"init --organisation Acme --timezone Europe/Berlin --profile controlling --jira-name acme-jira --jira {SITE} "
    f"--jira-user pmo-bot@acme.example --asana --asana-name acme-asana --asana-url {SITE}/api/1.0"
).split()
PORT_OPEN = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 1)"
WRITES = f"import json, urllib.request as u; print(json.load(u.urlopen('{SITE}/__sandbox__/requests'))['writes'])"


@dataclass
class Place:
    """A host's folder with the PMO's folder, tokens and the volume, and the image with them mounted as Compose says."""

    folder: Path
    image: Image

    @property
    def store(self) -> Path:
        return self.folder / "store" / "pmosync.db"

    def mounts(self) -> list[dict[str, Any]]:
        """The mounts of the Compose file, read from it."""
        service = compose()
        found = []
        for one in service["volumes"]:
            source = self.folder / ("store" if one["type"] == "volume" else one["source"])
            found.append({"source": str(source), "target": one["target"], "read_only": one.get("read_only", False)})
        for name in service["secrets"]:
            source = self.folder / "secrets" / name
            found.append({"source": str(source), "target": f"/run/secrets/{name}", "read_only": True})
        for one in service["tmpfs"]:
            target, _, options = one.partition(":")
            found.append({"target": target, "options": options})
        return found

    def run(self, *words: str, **how: Any) -> Ran:
        return self.image.run(*words, mounts=self.mounts(), read_only=compose()["read_only"], **how)


def owned(path: Path, mode: int) -> Path:
    os.chown(path, UID, UID)
    path.chmod(mode)
    return path


def listed(image: Image, folder: str) -> list[str]:
    done = image.run("ls", "-A", folder, whole=True)
    assert done.code == 0, done
    return done.out.split()


def wait_for(image: Image, port: int, patience_s: float = 30) -> None:
    until = time.monotonic() + patience_s
    while image.run("python", "-c", PORT_OPEN, str(port), whole=True).code:
        assert time.monotonic() < until, f"nobody listens on {port}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def place(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The first steps of docs/deploy.md: a folder, its tokens, `init` with the folder writable, the tokens as files."""
    folder = tmp_path_factory.mktemp("host")
    folder.chmod(0o755)
    for name in ("pmo", "store", "secrets"):
        (folder / name).mkdir()
        owned(folder / name, 0o700)
    for name, token in TOKENS.items():
        (folder / "secrets" / name).write_text(token)
        owned(folder / "secrets" / name, 0o400)
    sandbox = image.start("sandbox", "--port", str(PORT), mounts=[TMP])
    wait_for(image, PORT)
    try:
        writable = {"source": str(folder / "pmo"), "target": "/data"}
        tokens = {f"{name.upper().replace('-', '_')}_TOKEN": token for name, token in TOKENS.items()}
        begun = image.run(*INIT, mounts=[TMP, writable], env=tokens)
        assert begun.code == 0, begun
        path = folder / "pmo" / "pmosync.yaml"
        text = re.sub(
            r"env:(ACME_\w+)_TOKEN", lambda m: f"file:/run/secrets/{m[1].lower().replace('_', '-')}", path.read_text()
        )
        assert text.count("file:/run/secrets/") == len(TOKENS), text
        path.write_text(text.replace("push: off", "push: on"))
        yield Place(folder, image)
    finally:
        image.stop(sandbox)


# --- the image --------------------------------------------------------------------------------------------------------


def test_the_image_says_its_version_as_its_own_user_on_a_read_only_root(image: Image) -> None:
    told = image.run("--version", mounts=[TMP])
    assert (told.code, told.out) == (0, f"pmosync {image.said['labels']['org.opencontainers.image.version']}\n")
    who = image.run(
        "sh", "-c", "id -u; id -g; pwd; touch /x /opt/pmosync/x; grep -i ^capeff /proc/self/status", whole=True
    )
    assert who.out.split() == [str(UID), str(UID), "/data", "CapEff:", "0" * 16]
    assert who.err.count("Read-only file system") == 2


def test_the_user_could_change_nothing_but_its_folders_even_on_a_writable_root(image: Image) -> None:
    found = image.run(
        "find", "/opt", "/usr/share/pmosync", "/data", "/store", "/etc", "-writable", whole=True, read_only=False
    )
    assert [path for path in found.out.split() if not Path(path).is_symlink()] == ["/data", "/store"]
    modes = image.run("stat", "--format", "%n %a %u", "/data", "/store", whole=True)
    assert modes.out.splitlines() == [f"/data 700 {UID}", f"/store 700 {UID}"]


def test_the_image_holds_the_program_and_the_example_mappings_and_nothing_else_of_the_project(image: Image) -> None:
    packages = set(listed(image, "/opt/pmosync/lib/python3.11/site-packages"))
    assert {"pmosync", "pmosync_jira", "pmosync_asana"} <= packages
    assert not packages & {"pip", "pytest", "hatchling"}, "nothing installs or tests anything here"
    assert {"jira-cloud.yaml", "asana.yaml"} <= set(listed(image, "/usr/share/pmosync/mappings"))
    compiled = listed(image, "/opt/pmosync/lib/python3.11/site-packages/pmosync/__pycache__")
    assert "errors.cpython-311.pyc" in compiled, "compiled when built: a read-only root could not do it later"
    assert "build" not in listed(image, "/"), "the first stage stays behind"


def test_time_zones_are_known_without_those_of_the_system(image: Image) -> None:
    ask = "from zoneinfo import ZoneInfo; print(ZoneInfo('Europe/Berlin'))"
    assert image.run("python", "-c", ask, whole=True, env={"PYTHONTZPATH": ""}).out == "Europe/Berlin\n"


# --- its work ---------------------------------------------------------------------------------------------------------


def test_from_the_first_look_to_a_run_that_writes_nothing_with_the_mounts_of_compose(place: Place) -> None:
    checked = place.run("doctor")
    assert checked.code == 0, checked
    first = place.run("sync")
    assert first.code == 0, first
    assert (place.store.stat().st_mode & 0o777, place.store.stat().st_uid) == (0o600, UID)
    written = int(place.run("python", "-c", WRITES, whole=True).out)
    assert written > 0
    second = place.run("reconcile", "--quiet")
    assert (second.code, second.out) == (0, ""), second
    assert int(place.run("python", "-c", WRITES, whole=True).out) == written
    assert {path.name for path in (place.folder / "pmo/mappings").glob("*.lock.yaml")} == {
        "acme-jira.lock.yaml",
        "acme-asana.lock.yaml",
    }


def test_in_the_mounts_of_compose_only_mappings_decisions_the_store_and_tmp_can_be_written(place: Place) -> None:
    tries = ("/data/x", "/data/pmosync.yaml", "/data/mappings/x", "/data/decisions/x", "/store/x", "/tmp/x", "/run/x",
             "/run/secrets/acme-jira", "/var/tmp/x", "/home/x")  # fmt: skip
    script = 'for path; do if (: >> "$path") 2>/dev/null; then echo "$path"; rm "$path"; fi; done'
    done = place.run("sh", "-c", script, "sh", *tries, whole=True)
    assert done.out.split() == ["/data/mappings/x", "/data/decisions/x", "/store/x", "/tmp/x"]


def test_the_daemon_runs_as_compose_starts_it_is_healthy_and_stops_within_ten_seconds(place: Place) -> None:
    path = place.folder / "pmo" / "pmosync.yaml"
    if "schedule:" not in path.read_text():
        path.write_text(path.read_text() + 'schedule: {sync: "* * * * *", reconcile: "0 2 * * *"}\n')
    number = place.image.start(*compose()["command"], mounts=place.mounts(), read_only=compose()["read_only"])
    try:
        wait_for(place.image, 9464)
        checked = place.run(*compose()["healthcheck"]["test"][1:], whole=True)
        assert checked.code == 0, checked
        read = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
        assert "pmosync_cycle_age_seconds" in place.run("python", "-c", read, whole=True).out
    finally:
        begun = time.monotonic()
        ended = place.image.stop(number)
    assert time.monotonic() - begun < 10
    assert ended.code == 0, ended


def test_the_health_check_believes_only_an_answer_of_200(image: Image) -> None:
    check = image.said["healthcheck"]
    assert image.run(*check, whole=True).code != 0, "nobody is there"
    for status, healthy in ((200, True), (503, False)):
        server = (
            "from http.server import BaseHTTPRequestHandler as H, HTTPServer\n"
            "class Daemon(H):\n"
            "    def do_GET(self):\n"
            f"        self.send_response({status} if self.path == '/healthz' else 404); self.end_headers()\n"
            "HTTPServer(('127.0.0.1', 9464), Daemon).serve_forever()"
        )
        number = image.start("python", "-c", server, whole=True)
        try:
            wait_for(image, 9464)
            proxied = image.run(*check, whole=True, env={"http_proxy": "http://127.0.0.1:1"})
            assert (proxied.code == 0) is healthy, (status, proxied)
        finally:
            image.stop(number)


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def test_the_first_container_of_a_pod_lays_the_folder_out_and_leaves_what_pmosync_wrote(
    image: Image, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    files = {
        "folder/pmosync.yaml": "new", "folder/projects.yaml": "new", "mappings/acme-jira.yaml": "new",
        "mappings/acme-jira.lock.yaml": "from the ConfigMap", "mappings/acme-asana.lock.yaml": "from the ConfigMap",
        "decisions/waivers.yaml": "new", "decisions/approvals.yaml": "from the ConfigMap", "standards/": "",
        "data/pmosync.yaml": "old", "data/mappings/acme-jira.yaml": "old",
        "data/mappings/acme-jira.lock.yaml": "written",
        "data/decisions/waivers.yaml": "old", "data/decisions/approvals.yaml": "written",
    }  # fmt: skip
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text(text)
    for path in (tmp_path / "data", *(tmp_path / "data").rglob("*")):
        owned(path, 0o755 if path.is_dir() else 0o644)
    first = documents(DEPLOY / "kubernetes/daemon.yaml")[0]["spec"]["template"]["spec"]["initContainers"][0]
    mounts = [
        {
            "source": str(tmp_path / ("data" if one["name"] == "pmosync" else one["name"])),
            "target": one["mountPath"],
            "read_only": one.get("readOnly", False),
        }
        for one in first["volumeMounts"]
    ]
    done = image.run(*first["command"], *first["args"], whole=True, mounts=mounts)
    assert done.code == 0, done
    data = tmp_path / "data"
    assert {str(path.relative_to(data)): path.read_text() for path in data.rglob("*.yaml")} == {
        "pmosync.yaml": "new",
        "projects.yaml": "new",
        "mappings/acme-jira.yaml": "new",
        "mappings/acme-jira.lock.yaml": "written",
        "mappings/acme-asana.lock.yaml": "from the ConfigMap",
        "decisions/waivers.yaml": "new",
        "decisions/approvals.yaml": "written",
    }
