"""A tool that exists in these tests only, published the way a third party publishes a connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pmosync.config import Config, load

TOY = """
import datetime
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pmosync.contract import Capabilities, Catalog, FieldInfo, Limitation, Person, Prepared, ProjectInfo, SlotKind
from pmosync.errors import Unauthorized
from pmosync.http import Endpoint, Expiry, Limits, Notice


class Auth(BaseModel):
    model_config = ConfigDict(extra="forbid")
    user: str = ""
    token: SecretStr = Field(min_length=3)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    base_url: str = "https://toy.example"
    auth: Auth
    workspace: str | None = None
    calls_per_minute: float = 60


ENDPOINTS = (Endpoint("GET", "/me", True, True),)
capabilities = Capabilities(slots=(SlotKind("flag", "task", "word", 20), SlotKind("pointer", "task", "link", 255)))
opened = []


def limits(settings):
    return Limits(per_minute=settings.calls_per_minute)


class Toy:
    capabilities = capabilities

    def __init__(self, settings, session, clock):
        self.settings, self.session, self.closed = settings, session, False

    def describe(self):
        if self.settings.workspace == "announcing":
            self.session.notices["a"] = Notice("a", "a change comes", "put it off", urgent=True)
            self.session.notices["b"] = Notice("b", "a change that is none of ours")
        if self.settings.workspace == "online":
            self.session.call("GET", "/me")
        if self.settings.auth.token.get_secret_value() == "expired":
            raise Unauthorized("toy.example: the token is not accepted")
        return Catalog(
            account=Person("7", "PMO bot"),
            fields=(FieldInfo("title", "Title", "text"), FieldInfo("state", "State", "text")),
            projects=(ProjectInfo("1", "PAY", "Payments"),),
            zone="Europe/Berlin",
            server="Toy 1",
        )

    def prepare(self, scope, write):
        assert not write and self.session.read_only
        if self.settings.workspace == "limited":
            return Prepared(limitations=(Limitation("PAY", "flag", "no permission to edit"),))
        if self.settings.workspace == "narrow":
            told = [Limitation("1", "flag", "PAY: no permission to edit", "Edit"), Limitation("*", "field", "no field")]
            why = "{}: no permission to edit"
            told += [Limitation(f"P{n}", "flag", why.format(f"P{n}"), "Edit") for n in range(9)]
            return Prepared(limitations=tuple(told))
        return Prepared(writes=("the field PMO compliance",))

    def close(self):
        self.closed = True


def open(settings, session, clock):
    if settings.workspace == "broken":
        raise Unauthorized("toy.example: no such workspace")
    if settings.workspace and settings.workspace.startswith("ends "):
        ends_on = datetime.date.fromisoformat(settings.workspace.removeprefix("ends "))
        session.expiry = lambda ask: Expiry("the token", ends_on, "make a new one") if ask else None
    opened.append(Toy(settings, session, clock))
    return opened[-1]
"""

CONFIG = """\
organisation: Acme
timezone: Europe/Berlin
calendar: {workdays: mon-fri, holidays: DE}
store: sqlite:///pmosync.db
profile: controlling
push: on
sites:
  acme-toy:
    connector: toy
    base_url: https://toy.example
    auth: {user: bot, token: env:TOY_TOKEN}
    mapping: mappings/acme-toy.yaml
  other:
    connector: toy
    auth: {token: file:secret.txt}
    mapping: mappings/other.yaml
    timezone: Asia/Tokyo
register: projects.yaml
decisions: decisions/
standards: [starter]
guard: {max_share: 30%, max_changes: 2000}
"""

MAPPING = """\
site: acme-toy
scope: {projects: [PAY]}
task: {title: title, status: state}
write: {task: [flag]}
"""


@pytest.fixture(autouse=True)
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package of the connector, on the import path for one test."""
    packages = tmp_path / "packages"
    info = packages / "toytool-1.0.dist-info"
    info.mkdir(parents=True)
    (packages / "toytool.py").write_text(TOY)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toytool\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pmosync.connectors]\ntoy = toytool\nbroken = toytool_missing\n")
    monkeypatch.syspath_prepend(str(packages))
    yield
    import sys

    sys.modules.pop("toytool", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that the configuration names."""
    place = tmp_path / "acme"
    (place / "mappings").mkdir(parents=True)
    (place / "mappings/acme-toy.yaml").write_text(MAPPING)
    (place / "mappings/other.yaml").write_text(MAPPING.replace("acme-toy", "other"))
    (place / "secret.txt").write_text("other-secret\n")
    (place / "projects.yaml").write_text("projects: []\n")
    (place / "pmosync.yaml").write_text(CONFIG)
    return place


Configured = Callable[..., Config]


@pytest.fixture
def configured(folder: Path) -> Configured:
    """Loads the configuration with texts in it replaced, and with an environment."""

    def build(*changes: tuple[str, str], environ: Mapping[str, str] | None = None) -> Config:
        text = CONFIG
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = folder / "pmosync.yaml"
        path.write_text(text)
        return load(path, {"TOY_TOKEN": "toy-secret"} if environ is None else environ)

    return build
