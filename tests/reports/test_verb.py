"""The verb `report`: where the report goes, and what it says when there is nothing to report or nowhere to put it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pmosync.store import Store, write_meta
from tests.cli.conftest import Run, write_config
from tests.reports.test_portfolio import add_project

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def office(folder: Path) -> Path:
    """A folder with a store that knows one project; no site is there to be asked."""
    write_config(folder, NOBODY)
    store = Store(folder / "pmosync.db")
    with store.begin() as connection:
        add_project(connection, 1, "pay", [("acme-jira", "10001")])
        write_meta(connection, "judged", "1")
    store.close()
    return folder


def test_it_is_reported_without_asking_any_site(run: Run, office: Path) -> None:
    ran = run("report")
    assert (ran.code, ran.err) == (0, "")
    assert "The pay project" in ran.out


def test_without_a_store_it_says_what_to_do(run: Run, folder: Path) -> None:
    write_config(folder, NOBODY)
    ran = run("report")
    assert ran.code == 2
    assert "there is no store" in ran.err
    assert "pmosync sync" in ran.err


def test_in_a_store_where_nothing_was_judged_it_says_what_to_do(run: Run, folder: Path) -> None:
    write_config(folder, NOBODY)
    Store(folder / "pmosync.db").close()
    ran = run("report", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "nothing was judged yet" in ran.err
    assert "pmosync sync" in ran.err


def test_in_a_store_without_projects_it_says_where_to_look(run: Run, office: Path) -> None:
    (office / "pmosync.db").unlink()
    store = Store(office / "pmosync.db")
    with store.begin() as connection:
        write_meta(connection, "judged", "1")
    store.close()
    ran = run("report")
    assert ran.code == 2
    assert "no project to report on" in ran.err
    assert "pmosync doctor" in ran.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["--format", "pdf"], "there is no format 'pdf'"),
        (["--format", "markdwn"], "markdown"),
        (["--format", "html", "--json"], "leave one of them out"),
        (["--project", "pya"], "did you mean 'pay'"),
        (["--out", "."], "name a file in it"),
        (["--out", "nowhere/report.html"], "there is no folder nowhere"),
        (["--out", "/dev/null"], "no plain file"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_next_step(run: Run, office: Path, line: list[str], told: str) -> None:
    before = sorted(office.iterdir())
    ran = run("report", *line)
    assert (ran.code, ran.out) == (2, "")
    assert told in " ".join(ran.err.split())
    assert sorted(office.iterdir()) == before


def test_a_file_that_cannot_be_replaced_stays_whole_and_nothing_is_left_beside_it(
    run: Run, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = office / "report.html"
    path.write_text("yesterday's", "utf-8")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    ran = run("report", "--format", "html", "--out", "report.html")
    assert ran.code == 2
    assert "No space left on device" in ran.err
    assert path.read_text("utf-8") == "yesterday's"
    assert not list(office.glob(".report*"))


def test_a_link_is_followed_and_stays_a_link(run: Run, office: Path) -> None:
    (office / "shelf").mkdir()
    (office / "report.html").symlink_to("shelf/portfolio.html")
    assert run("report", "--format", "html", "--out", "report.html", "--quiet").out == ""
    assert (office / "report.html").is_symlink()
    assert (office / "shelf/portfolio.html").read_text("utf-8").startswith("<!doctype html>")
