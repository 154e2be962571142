"""`standards docs` fills a folder with pages, writes only what changed, and touches nothing that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmosync.standards.pages import MARKER

from .conftest import Run, write_config

WAIVER = """\
- standard: SCH
  subject: acme-jira/PAY-12
  reason: the vendor delivers in January
  approved_by: cio@acme.example
  approved_on: 2026-11-20
  until: 2026-12-31
"""


def own_pack(folder: Path, *names: str) -> None:
    """A pack of the organisation's own with standards of these ids."""
    entries = [
        f"  - id: {name}\n    title: Late\n    subject: task\n    severity: high\n    when: due_on < today()\n"
        "    why: Others wait.\n    fix: Set a date.\n    serves: deadlines\n    phase: any\n"
        "    examples: {fail: [{due_on: 2026-11-19}], pass: [{due_on: 2026-11-20}]}\n"
        for name in names
    ]
    (folder / "own.yaml").write_text("pack: own\ntoday: 2026-11-20\nstandards:\n" + "".join(entries), "utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_same_input_gives_the_same_bytes_and_writes_nothing_again(folder: Path, run: Run) -> None:
    first = run("standards", "docs", "--out", "pages", "--pack", "starter", "--json")
    assert first.code == 0
    assert len(first.data["written"]) == 25
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (folder / "pages").iterdir()}
    again = run("standards", "docs", "--out", "pages", "--pack", "starter", "--json")
    assert (again.data["written"], again.data["removed"], len(again.data["unchanged"])) == ([], [], 25)
    assert before == {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (folder / "pages").iterdir()}


def test_the_pages_are_those_of_the_configuration(folder: Path, run: Run) -> None:
    write_config(folder, "http://127.0.0.1:1", more="standards: [own.yaml]\nguidance: https://pmo.acme.example/s\n")
    own_pack(folder, "ACME101")
    (folder / "decisions").mkdir()
    ran = run("standards", "docs", "--out", "pages")
    assert (ran.code, names(folder / "pages")) == (0, ["ACME101.html", "index.html"])
    assert "2 pages written, 0 as they were, 0 removed" in ran.out
    assert "https://pmo.acme.example/s/" in ran.out
    assert "What the PMO of Acme asks" in (folder / "pages/index.html").read_text("utf-8")


def test_the_pages_name_who_approved_waivers_of_a_family(folder: Path, run: Run) -> None:
    write_config(folder, "http://127.0.0.1:1")
    (folder / "decisions").mkdir()
    (folder / "decisions/waivers.yaml").write_text(WAIVER + "- standard: DAT101\n", "utf-8")
    ran = run("--now", "2026-11-20T12:00:00Z", "standards", "docs", "--out", "pages")
    assert ran.code == 0
    assert "guidance: https://..." in ran.out
    assert "decisions/waivers.yaml:7" in ran.err, "a waiver that is not clear is told"
    assert "approved by cio@acme.example" in (folder / "pages/SCH201.html").read_text("utf-8")
    assert "Nobody has approved one" in (folder / "pages/DAT101.html").read_text("utf-8")


def test_the_page_of_a_standard_that_left_is_removed_and_nothing_else(folder: Path, run: Run) -> None:
    own_pack(folder, "ACME101", "ACME102")
    assert run("standards", "docs", "--out", "pages", "--pack", "own.yaml").code == 0
    pages = folder / "pages"
    (pages / "ACME103.html").write_text("<title>our own page</title>")
    (pages / "notes.html").write_text(MARKER)
    (pages / "ACME104.html").symlink_to(pages / "ACME101.html")
    (pages / "ACME105.html").mkdir()
    (pages / "logo.png").write_bytes(b"\x89PNG")
    own_pack(folder, "ACME102")
    assert run("standards", "docs", "--out", "pages", "--pack", "own.yaml", "--json").data["removed"] == [
        "ACME101.html"
    ]
    kept = ["ACME102.html", "ACME103.html", "ACME104.html", "ACME105.html", "index.html", "logo.png", "notes.html"]
    assert names(pages) == kept


@pytest.mark.parametrize("content", [b"<h1>Welcome to Acme</h1>", b"\xff\xfe", b""])
def test_a_page_of_somebody_else_is_not_replaced(folder: Path, run: Run, content: bytes) -> None:
    (folder / "site").mkdir()
    (folder / "site/index.html").write_bytes(content)
    ran = run("standards", "docs", "--out", "site", "--pack", "starter")
    assert ran.code == 2
    assert "site/index.html: this is no page that pmosync wrote" in " ".join(ran.err.split())
    assert names(folder / "site") == ["index.html"], "nothing was written"
    assert (folder / "site/index.html").read_bytes() == content


def test_a_link_in_the_folder_is_not_followed(folder: Path, run: Run) -> None:
    assert run("standards", "docs", "--out", "pages", "--pack", "starter").code == 0
    elsewhere = folder / "elsewhere.html"
    (folder / "pages/index.html").replace(elsewhere)
    (folder / "pages/index.html").symlink_to(elsewhere)
    assert run("standards", "docs", "--out", "pages", "--pack", "starter").code == 2


def test_a_folder_that_cannot_be_made_is_told(folder: Path, run: Run) -> None:
    (folder / "pages").write_text("a file")
    ran = run("standards", "docs", "--out", "pages", "--pack", "starter")
    assert ran.code == 2
    assert "pages: cannot be written" in ran.err
