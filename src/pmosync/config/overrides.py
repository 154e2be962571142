"""Environment variables that override pmosync.yaml: `PMOSYNC_PUSH=off`, `PMOSYNC_SITES__ACME_JIRA__BASE_URL=...`.

A variable that looks like an override and is none is refused: `PMOSYNC_PUHS=off` that silently leaves push on would be
the worst kind of typing mistake.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic_settings import EnvSettingsSource, SettingsError

from pmosync.config.schema import LATER, Keys
from pmosync.errors import Misconfigured
from pmosync.yamlfile import did_you_mean

PREFIX = "PMOSYNC_"
CONFIG_VARIABLE = "PMOSYNC_CONFIG"
"""Names the configuration file itself."""

log = logging.getLogger("pmosync.config")

KNOWN = {info.alias or name for name, info in Keys.model_fields.items()}


def overrides(environ: Mapping[str, str], sites: Collection[str], secrets: Collection[str]) -> dict[str, Any]:
    """What the environment says about the keys of the file, nested as in the file.

    Args:
        sites: names of the sites in the file; in a variable `-` is written `_`.
        secrets: names of variables that the file refers to as secrets: they are no overrides.
    """
    ours = {name: value for name, value in environ.items() if name.upper().startswith(PREFIX) and name not in secrets}
    _refuse_mistakes(sorted(ours))
    source = EnvSettingsSource(Keys)
    source.env_vars = written = {name.lower(): value for name, value in ours.items()}
    try:
        found = source()
    except SettingsError as error:
        raise Misconfigured(str(error), where="environment variables", hint="write it as JSON") from None
    if isinstance(found.get("sites"), dict):
        keys = _as_written(found["sites"], "pmosync_sites", written)
        found["sites"] = {_site(name, sites): value for name, value in keys.items()}
    return found


def variable(at: tuple[str | int, ...]) -> str:
    """The variable that overrides what stands there."""
    return PREFIX + "__".join(str(part).upper().replace("-", "_") for part in at)


def leaves(data: object, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where the overridden values stand."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaves(value, (*at, key))
    else:
        yield at


def laid_over(data: Any, over: Mapping[str, Any]) -> Any:
    """The file's data with the overrides in it."""
    if not isinstance(data, dict):
        return dict(over)
    merged = dict(data)
    for key, value in over.items():
        merged[key] = laid_over(data.get(key), value) if isinstance(value, dict) else value
    return merged


def _as_written(data: Any, name: str, written: Mapping[str, str]) -> Any:
    """Keys of connectors are not known here, so `120200`, which may be an id, stays the text that it is."""
    if isinstance(data, dict):
        return {key: _as_written(value, f"{name}__{key}", written) for key, value in data.items()}
    return data if isinstance(data, list) else written.get(name, data)


def _refuse_mistakes(names: Collection[str]) -> None:
    for name in names:
        key, *nested = name.upper().removeprefix(PREFIX).lower().split("__")
        if key in KNOWN or name == CONFIG_VARIABLE:
            continue
        if key in LATER:
            raise Misconfigured(LATER[key], where=f"environment variable {name}", hint="unset it")
        group = next(
            (
                known
                for known in ("sites", "calendar", "guard", "schedule", "daemon", "waivers")
                if key.startswith(known + "_")
            ),
            None,
        )
        hint = "write nested keys with two underscores: PMOSYNC_GUARD__MAX_CHANGES" if group else ""
        hint = hint or did_you_mean(key, KNOWN)
        if hint or nested:
            raise Misconfigured(
                f"there is no key '{key}'", where=f"environment variable {name}", hint=hint or "unset it"
            )
        log.warning("environment variable %s is no key of pmosync.yaml and is ignored", name)


def _site(name: str, sites: Collection[str]) -> str:
    by_variable = {site.replace("-", "_").lower(): site for site in sites}
    if name not in by_variable:
        raise Misconfigured(
            f"there is no site '{name}'",
            where=f"environment variable {variable(('sites', name))}__...",
            hint=did_you_mean(name, by_variable) or "write the site into the configuration file first",
        )
    return by_variable[name]
