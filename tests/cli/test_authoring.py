"""The tools of those who write standards: standards test, lint and diff on a store that an earlier run left."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from tests.cli.conftest import Run, write_config
from tests.cli.test_json import documented, keys_of, prefixes
from tests.core.memory import Tool, World

from pmosync.standards.pack import load_packs, shipped_packs

pytestmark = pytest.mark.slow

NOW = ("--now", "2026-11-20T12:00:00+00:00")
PACK = """\
pack: acme
today: 2026-11-20
standards:
  - id: ACME1
    title: Far too late
    subject: task
    severity: high
    when: status = todo AND due_on < today() - $grace
    params:
      grace: {default: 3d, min: 0d, max: 2w, meaning: how late it may be}
    why: Others plan by this date and wait for it.
    fix: Set a date that you believe in.
    serves: monitoring
    phase: execution
    examples:
      fail: [{status: todo, due_on: 2026-11-16}]
      pass: [{status: done}]
"""


@pytest.fixture
def office(folder: Path) -> World:
    """A folder with a configuration and the store of a run: thirty tasks, eight of them late."""
    write_config(folder, "http://127.0.0.1:1")
    (folder / "mine.yaml").write_text(PACK)
    world = World(folder, tool=Tool("acme-jira"))
    for number in range(1, 31):
        due = dt.date(2026, 11, 20 - number) if number <= 8 else dt.date(2026, 12, 11)
        world.tool.put(f"{number:02}", due=due)
    world.run()
    world.store.close()
    return world


def stored(folder: Path) -> str:
    return hashlib.sha256((folder / "pmosync.db").read_bytes()).hexdigest()


def test_lint_says_each_thing_in_one_line_with_file_line_and_next_step(run: Run, folder: Path, office: World) -> None:
    text = PACK.replace("    why:", "    review_by: 2026-11-01\n    why:").replace(
        "$grace\n", "$grace AND in_cycle = TRUE\n"
    )
    (folder / "mine.yaml").write_text(text)
    ran = run("standards", "lint", "--pack", "mine.yaml", *NOW)
    assert ran.code == 14
    review, never, total = (line for line in wide(ran.out))
    assert review == (
        "mine.yaml:4:5: ACME1 was to be reviewed by 2026-11-01 → read it with those who are asked, then move review_by"
    )
    assert never == (
        "mine.yaml:4:5: ACME1 never fires: all 30 tasks meet it "
        "→ check that it asks what you mean; tighten it, or leave it out"
    )
    assert total == "1 standards, 2 notes"


def wide(text: str) -> list[str]:
    """The lines before they were folded into the terminal."""
    return (
        text.replace("\n", " ")
        .replace("  ", " ")
        .strip()
        .replace(" mine.yaml", "\nmine.yaml")
        .replace(" 1 standards", "\n1 standards")
        .splitlines()
    )


def test_lint_of_a_sound_pack_is_silent_and_a_parameter_that_is_not_used_is_refused_at_once(
    run: Run, folder: Path, office: World
) -> None:
    ran = run("standards", "lint", "--pack", "mine.yaml", *NOW)
    assert (ran.code, ran.out) == (0, "1 standards, 0 notes\n")
    (folder / "mine.yaml").write_text(PACK.replace(" - $grace", ""))
    ran = run("standards", "lint", "--pack", "mine.yaml", *NOW)
    assert ran.code == 2
    assert "mine.yaml:10:7: no predicate uses $grace" in ran.err
    assert "→ use it, or remove it" in ran.err


def test_without_a_store_lint_says_what_can_be_seen_without_data(run: Run, folder: Path) -> None:
    write_config(folder, "http://127.0.0.1:1")
    (folder / "mine.yaml").write_text(PACK.replace("ACME1", "SCH101"))
    ran = run("standards", "lint", "--pack", "mine.yaml")
    assert ran.code == 14
    assert "the family SCH belongs to the shipped packs" in " ".join(ran.out.split())
    assert "there is no store" in ran.out
    assert not (folder / "pmosync.db").exists()
    ran = run("standards", "lint", "--json")
    assert (ran.code, ran.data) == (0, {"standards": 24, "data": False, "notes": []})


def test_diff_says_what_would_appear_and_vanish_and_writes_nothing(run: Run, folder: Path, office: World) -> None:
    (folder / "next.yaml").write_text(PACK.replace("default: 3d", "default: 5d").replace("2026-11-16", "2026-11-14"))
    before = stored(folder)
    ran = run("standards", "diff", "mine.yaml", "next.yaml")
    assert ran.code == 0
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "ACME1 changed task still 1 0 2 Far too late" in lines
    assert "ACME1 vanishes: acme-jira T-04 Deliver part 04" in lines
    assert lines[-1] == "0 findings would appear and 2 vanish; nothing was written"
    assert run("standards", "diff", "mine.yaml", "next.yaml", "--detailed-exitcode").code == 10
    ran = run("standards", "diff", "mine.yaml", "mine.yaml", "--detailed-exitcode")
    assert (ran.code, ran.out) == (0, "both find the same\n")
    assert stored(folder) == before


def test_diff_takes_shipped_packs_and_folders_of_packs(run: Run, folder: Path, office: World) -> None:
    (folder / "old").mkdir()
    (folder / "new").mkdir()
    assert "there is no pack in this folder" in run("standards", "diff", "old", "starter").err
    (folder / "old/a.yaml").write_text(PACK)
    (folder / "new/a.yaml").write_text(PACK.replace("    why:", "    version: 2\n    why:"))
    (folder / "new/b.yml").write_text(PACK.replace("ACME1", "ACME2").replace("default: 3d", "default: 2d"))
    found = run("standards", "diff", "old", "new", "--json").data
    assert found["appear"] == 6
    (one,) = found["standards"]
    assert (one["id"], one["change"], one["version_before"], one["version_after"]) == ("ACME2", "new", None, 1)
    assert [each["key"] for each in one["first_appear"]] == ["T-03", "T-04", "T-05", "T-06", "T-07"]
    ran = run("standards", "diff", "starter", "mine.yaml")
    assert "SCH201 removed task" in " ".join(ran.out.split())


def test_diff_without_a_store_names_the_next_step(run: Run, folder: Path) -> None:
    write_config(folder, "http://127.0.0.1:1")
    ran = run("standards", "diff", "starter", "history")
    assert ran.code == 2
    assert "run `pmosync sync` first" in ran.err


def test_the_test_of_standards_covers_every_shipped_pack_whatever_is_asked(run: Run, folder: Path) -> None:
    write_config(folder, "http://127.0.0.1:1", more="standards: [mine.yaml]\n")
    (folder / "mine.yaml").write_text(PACK)
    shipped = load_packs(shipped_packs(), folder)
    assert run("standards", "test", "--json").data["standards"] == 1 + len(shipped)
    assert run("standards", "test", "--pack", "mine.yaml", "--json").data == {
        "standards": 1,
        "examples": 2,
        "failed": [],
    }
    wrong = PACK.replace("2026-11-16", "2026-11-17")
    (folder / "mine.yaml").write_text(wrong)
    ran = run("standards", "test")
    assert ran.code == 2
    assert "mine.yaml:16:14: ACME1 should answer fail and answers pass" in ran.out


def test_the_documents_have_exactly_the_keys_that_are_described(run: Run, folder: Path, office: World) -> None:
    text = PACK.replace("ACME1", "ACME2").replace("default: 3d", "default: 2d")
    (folder / "next.yaml").write_text(text)
    for verb, *line in (
        ("lint", "--pack", "mine.yaml", "--pack", "next.yaml", "--pack", "starter"),
        ("diff", "mine.yaml", "next.yaml"),
    ):
        described = documented()[f"standards {verb}"]
        seen = set(keys_of(run("standards", verb, *line, "--json").data))
        above = {part for key in described for part in prefixes(key)}
        assert described <= seen <= described | above


def test_a_look_ahead_tells_what_will_be_overdue_and_keeps_nothing(run: Run, folder: Path, office: World) -> None:
    before = run("findings", "--items", "--json", *NOW).data
    assert before["as_of"] is None
    ahead = run("findings", "--as-of", "+4w", "--state", "new", "--standard", "SCH201", "--items", "--json", *NOW).data
    assert ahead["as_of"] == "2026-12-18"
    assert {row["since"] for row in ahead["items"]} == {"2026-12-18"}
    assert len(ahead["items"]) == 22
    ran = run("findings", "--as-of", "2026-12-18", *NOW)
    assert "as it will be on 2026-12-18 if nothing changes until then" in " ".join(ran.out.split())
    assert "findings: 22 new, 0 resolved" in ran.out
    assert run("findings", "--items", "--json", *NOW).data == before


def test_check_ahead_judges_what_is_stored_and_asks_no_site(run: Run, folder: Path, office: World) -> None:
    ran = run("check", "--as-of", "+4w", "--fail-on", "high", "--json", *NOW)
    assert ran.code == 14
    assert ran.data["failing"] == 30
    assert ran.data["findings"]["causes"] == {"time": 22}
    assert set(ran.data) == {"exit", "findings", "switched_off", "as_of", "standards", "failing"}
    assert run("check", "--as-of", "+4w", "--fail-on", "critical", *NOW).code == 0
    assert "30 findings are high or worse" in run("check", "--as-of", "+4w", "--fail-on", "high", *NOW).out


def test_a_day_that_is_none_is_refused_with_how_to_write_it(run: Run, folder: Path, office: World) -> None:
    for word in ("next week", "7d", "-7d", "+7", "2026-02-30", "+99999w", "2026-11-19"):
        ran = run("findings", "--as-of", word, *NOW)
        assert ran.code == 2, word
        assert "--as-of: " in ran.err
        assert "→" in ran.err
    assert run("check", "--as-of", "+7d", "--full", *NOW).code == 2
