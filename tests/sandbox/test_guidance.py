"""The sandbox serves a folder of guidance pages as a web server would, and nothing that lies elsewhere."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import requests

from pmosync.sandbox.__main__ import main
from pmosync.sandbox.asana import tables
from pmosync.sandbox.jira import seed
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pages, and what must not be shown: a folder, a hidden file, a link to outside, and a file beside."""
    pages = tmp_path / "pages"
    (pages / "inner").mkdir(parents=True)
    (pages / "inner/page.html").write_text("inner")
    (pages / "index.html").write_text("<h1>What the PMO asks – alles</h1>", "utf-8")
    (pages / "SCH201.html").write_text("<h1>Overdue</h1>")
    (pages / ".hidden.html").write_text("hidden")
    (tmp_path / "secret.html").write_text("secret")
    (pages / "link.html").symlink_to(tmp_path / "secret.html")
    return pages


def serve(folder: Path | None) -> Iterator[Server]:
    state = State(None, date(2026, 11, 20))
    seed.prepare(state)
    tables.prepare(state)
    server = Server(state, 0, folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    yield from serve(folder)


def status(server: Server, path: str, method: str = "GET") -> int:
    """The answer to a path exactly as it stands: a client of more manners would tidy it up first."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_pages_are_served_and_the_front_page_leads_to_them(server: Server) -> None:
    assert 'href="/guidance/"' in requests.get(server.url, timeout=10).text
    index = requests.get(f"{server.url}/guidance", timeout=10)
    assert index.url == f"{server.url}/guidance/"
    assert index.text == "<h1>What the PMO asks – alles</h1>"
    page = requests.get(f"{server.url}/guidance/SCH201.html", timeout=10)
    assert (page.text, page.headers["Content-Type"]) == ("<h1>Overdue</h1>", "text/html; charset=utf-8")
    log = requests.get(f"{server.url}/__sandbox__/requests", timeout=10).json()
    assert log["total"] == 0, "pages are no calls of a program"


@pytest.mark.parametrize(
    "path",
    [
        "/guidance/nothing.html",
        "/guidance/inner",
        "/guidance/inner/page.html",
        "/guidance/inner%2Fpage.html",
        "/guidance/../secret.html",
        "/guidance/%2e%2e/secret.html",
        "/guidance/..%2fsecret.html",
        "/guidance/%2e%2e%2fsecret.html",
        "/guidance/..",
        "/guidance/.hidden.html",
        "/guidance/link.html",
        "/guidance//secret.html",
        "/guidance/SCH201.html%00",
    ],
)
def test_only_files_of_the_folder_itself_are_served(server: Server, path: str) -> None:
    assert status(server, path) == 404


def test_nobody_can_write_there(server: Server, folder: Path) -> None:
    assert status(server, "/guidance/SCH201.html", "PUT") == 405
    assert (folder / "SCH201.html").read_text() == "<h1>Overdue</h1>"


def test_pages_that_are_written_later_are_served_without_a_restart(tmp_path: Path) -> None:
    for server in serve(tmp_path / "later"):
        assert status(server, "/guidance/") == 404
        (tmp_path / "later").mkdir()
        (tmp_path / "later/index.html").write_text("there")
        assert status(server, "/guidance/") == 200


def test_without_a_folder_there_is_no_guidance() -> None:
    for server in serve(None):
        assert status(server, "/guidance/") == 404
        assert "/guidance/" not in requests.get(server.url, timeout=10).text


def test_the_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--guidance DIR" in capsys.readouterr().out
