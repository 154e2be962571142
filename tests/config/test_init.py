"""Starting from nothing: what `init` writes can be used at once, and it overwrites nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from pmosync.config import Config, describe, load, load_register, open_site
from pmosync.contract import Capabilities, Catalog
from pmosync.decisions import Terms, Waivers, read_waivers
from pmosync.discovery import Answers, Initialised, SiteAnswer, init
from pmosync.errors import Misconfigured

NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)
ANSWERS = Answers(
    organisation='Acme "Söhne" & Co: PMO',
    timezone="Europe/Berlin",
    holidays="DE",
    sites=(
        SiteAnswer("acme-toy", "toy", "https://toy.example", user="pmo-bot@acme.example"),
        SiteAnswer("other", "toy", token="env:OTHER", more={"workspace": "120200"}),
    ),
)
ENVIRON = {"ACME_TOY_TOKEN": "toy-secret", "OTHER": "other-secret"}


def started(folder: Path, answers: Answers = ANSWERS, environ: dict[str, str] = ENVIRON) -> Initialised:
    def ask(config: Config, site: str) -> tuple[Catalog, Capabilities]:
        return describe(config, site, clock=lambda: NOW)

    return init(folder, answers, load=lambda path: load(path, environ), describe=ask)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_written_loads_and_opens_and_pushes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = started(folder)
    assert done.notes == ()
    assert files(folder) == [
        "decisions/waivers.yaml",
        "mappings/acme-toy.yaml",
        "mappings/other.yaml",
        "pmosync.yaml",
        "projects.yaml",
    ]
    config = load(folder / "pmosync.yaml", ENVIRON)
    assert config.organisation == ANSWERS.organisation
    assert (config.push, config.profile) == (False, "supportive")
    assert config.sites["other"].own["workspace"] == "120200"
    assert load_register(config).projects == ()
    assert read_waivers(config.decisions, Terms()) == Waivers()
    with open_site(config, "acme-toy", clock=lambda: NOW) as site:
        assert site.mapping.mapped >= {"title"}
        assert site.mapping.write_task == ("flag",)


def test_the_example_in_the_register_is_a_register(tmp_path: Path) -> None:
    names = ("acme-jira", "acme-asana")
    started(
        tmp_path / "new", replace(ANSWERS, sites=tuple(SiteAnswer(name, "toy", token="env:OTHER") for name in names))
    )
    path = tmp_path / "new/projects.yaml"
    example = path.read_text().replace("projects: []\n", "").partition("# projects:")[2].replace("\n# ", "\n")
    path.write_text(f"projects:{example}")
    (project,) = load_register(load(tmp_path / "new/pmosync.yaml", ENVIRON)).projects
    assert (project.id, dict(project.home)) == ("payments", {"acme-asana": "1201000000000001"})


def test_every_key_is_explained(tmp_path: Path) -> None:
    started(tmp_path / "new")
    lines = (tmp_path / "new/pmosync.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith(("#", " ")):
            assert lines[number - 1].startswith("#"), line


def test_no_secret_is_written(tmp_path: Path) -> None:
    started(tmp_path / "new")
    assert not any(
        "secret" in (tmp_path / "new" / name).read_text().replace("the secret", "") for name in files(tmp_path / "new")
    )
    assert 'token: "env:ACME_TOY_TOKEN"' in (tmp_path / "new/pmosync.yaml").read_text()


def test_a_token_that_is_written_out_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    answers = Answers("Acme", "UTC", (SiteAnswer("acme-toy", "toy", token="ATATT3x"),))
    with pytest.raises(Misconfigured, match="never the secret itself") as told:
        started(tmp_path / "new", answers)
    assert "ATATT3x" not in str(told.value)
    assert files(tmp_path / "new") == []


@pytest.mark.parametrize("name", ["pmosync.yaml", "projects.yaml", "mappings/other.yaml", "decisions/waivers.yaml"])
def test_a_file_that_exists_is_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "new"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("mine")
    with pytest.raises(Misconfigured, match="there is such a file already") as told:
        started(folder)
    assert str(folder / name) in str(told.value)
    assert files(folder) == [name]
    assert (folder / name).read_text() == "mine"


def test_a_site_that_cannot_be_reached_gets_no_mapping_and_a_next_step(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = started(folder, environ={"OTHER": "other-secret"})
    assert "mappings/acme-toy.yaml" not in files(folder)
    assert "mappings/other.yaml" in files(folder)
    (note,) = done.notes
    assert "set ACME_TOY_TOKEN" in note
    assert "pmosync discover acme-toy > " in note


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        (Answers("Acme", "Europe/Berln", ANSWERS.sites), "did you mean 'Europe/Berlin'?"),
        (Answers("Acme", "UTC", (SiteAnswer("a", "tyo"),)), "did you mean 'toy'?"),
        (Answers("Acme", "UTC", (SiteAnswer("A Site", "toy"),)), "no name for a site"),
        (Answers("", "UTC", ANSWERS.sites), "organisation"),
    ],
)
def test_answers_that_make_no_configuration_leave_nothing_behind(tmp_path: Path, answers: Answers, what: str) -> None:
    with pytest.raises(Misconfigured) as told:
        started(tmp_path / "new", answers)
    assert what in str(told.value)
    assert files(tmp_path / "new") == []
