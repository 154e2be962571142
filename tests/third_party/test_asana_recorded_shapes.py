"""The sandbox's Asana answers in the shape in which a real one was recorded to answer the same call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmosync.sandbox.asana.tables import WORKSPACE
from tests.connectors import recordings
from tests.sandbox.asana_site import Site, small_site

pytestmark = pytest.mark.shared

PLAN = {"custom_fields", "custom_type", "custom_type_status_option"}
"""The recorded workspace has no custom fields: the document lists them for a whole task."""
MADE = {"custom_fields", "custom_field_settings", "current_status"}
"""The document lists them for a whole project; the recorded one has the newest update under its other name alone."""
MORE: dict[str, set[str]] = {
    "get-task": PLAN, "create-task": PLAN, "update-task": PLAN, "create-subtask": PLAN,
    "get-project": {"custom_field_settings"}, "create-project": MADE, "update-project": MADE,
    "get-user": {"workspaces"},
}  # fmt: skip
"""What the sandbox tells beyond the recording."""
LESS: dict[str, set[str]] = {
    "get-task": {"assignee_section"},
    "create-project": {"completed_by", "icon"},
    "update-project": {"completed_by", "icon"},
}
"""What the recording has and the sandbox does not tell unasked: nothing of ours reads it."""
OTHERWISE = {("get-task", "memberships"): ((), ("project", "section"))}
"""The recording shows a membership without anything in it; with which fields it was asked for is not known. The
connector takes such a task for one whose projects it is not told."""
PATTERNS = {"instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "day": r"\d{4}-\d\d-\d\d", "gid": r"\d{5,}"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with small_site() as started:
        yield started


def form(value: Any) -> Any:
    """What kind of thing a value is; of an object, which keys it has."""
    if isinstance(value, str):
        return next((name for name, pattern in PATTERNS.items() if re.fullmatch(pattern, value)), "text")
    if isinstance(value, dict):
        return tuple(sorted(value))
    return form(value[0]) if isinstance(value, list) and value else type(value).__name__


def asked(site: Site) -> dict[str, Any]:
    """The same calls, by the names of the recordings."""
    gids, task, project = site.gids, f"/tasks/{site.gids['tasks'][0]}", f"/projects/{site.gids['project']}"
    tag = {"tag": gids["tag"]}
    return {
        "get-task": site.get(task),
        "create-task": site.write("POST", "/tasks", "ann", name="x", workspace=WORKSPACE),
        "update-task": site.write("PUT", task, "ann", name="y"),
        "create-subtask": site.write("POST", f"{task}/subtasks", "ann", name="z"),
        "create-story-on-task": site.write("POST", f"{task}/stories", "ann", text="Hello"),
        "add-tag-to-task": site.write("POST", f"{task}/addTag", "ann", **tag),
        "remove-tag-from-task": site.write("POST", f"{task}/removeTag", "ann", **tag),
        "add-project-to-task": site.write("POST", f"{task}/addProject", "ann", project=gids["secret"]),
        "remove-project-from-task": site.write("POST", f"{task}/removeProject", "ann", project=gids["secret"]),
        "delete-task": site.call("DELETE", f"/tasks/{gids['tasks'][4]}", "ann").json()["data"],
        "get-project": site.get(project),
        "create-project": site.write("POST", "/projects", "ann", name="P", workspace=WORKSPACE),
        "update-project": site.write("PUT", project, "ann", name="Q"),
        "delete-project": site.call("DELETE", f"/projects/{gids['secret']}", "ann").json()["data"],
        "create-tag": site.write("POST", f"/workspaces/{WORKSPACE}/tags", "ann", name="T"),
        "get-tag": site.get(f"/tags/{gids['tag']}"),
        "get-user": site.get("/users/me"),
        "get-workspace": site.get(f"/workspaces/{WORKSPACE}"),
    }


def test_what_is_answered_has_the_keys_and_the_kinds_of_values_of_the_recordings(site: Site, shared: Path) -> None:
    recorded = {
        one.file.removesuffix(".test.json"): one.data["data"] for one in recordings.nango(shared / "data/asana/nango")
    }
    wrong, compared = {}, 0
    for name, ours in asked(site).items():
        real = recorded[name]
        assert ours.keys() - real.keys() == MORE.get(name, set()), name
        assert real.keys() - ours.keys() == LESS.get(name, set()), name
        for key in ours.keys() & real.keys():
            forms = form(real[key]), form(ours[key])
            compared += 1
            if forms[0] != forms[1] and not {"NoneType", "list"} & {*map(str, forms)}:
                wrong[name, key] = forms
    assert wrong == OTHERWISE
    assert compared > 200
