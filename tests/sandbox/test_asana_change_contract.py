"""What the sandbox's Asana tells of changes agrees with the vendor's document: stories, events, webhooks, updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asana
import pytest

from pmosync.sandbox.asana import changeshapes
from pmosync.sandbox.asana.tables import WORKSPACE

from .asana_site import Site, disagreements, small_site
from .webhook_desk import listening

STORY = ",".join(changeshapes.STORY)
WEBHOOK = ",".join((*changeshapes.WEBHOOK, "resource.name"))


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def _changes(site: Site) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """A call for every kind of change that leaves a story, and what reads them."""
    gids, task = site.gids, f"/tasks/{site.gids['tasks'][0]}"
    fields = {}
    for kind in ("date", "people", "multi_enum"):
        wanted: dict[str, Any] = {"name": f"A {kind}", "resource_subtype": kind, "workspace": WORKSPACE}
        wanted |= {"enum_options": [{"name": "One", "color": "red"}]} if kind == "multi_enum" else {}
        made = site.write("POST", "/custom_fields", **wanted)
        site.write("POST", f"/projects/{gids['project']}/addCustomFieldSetting", custom_field=made["gid"])
        option = [one["gid"] for one in made.get("enum_options", [])]
        fields[made["gid"]] = {"date": {"date": "2026-04-01"}, "people": [gids["ann"]]}.get(kind, option)
    stage = gids["stages"]["Doing"]
    # the document has every value as a text, though it describes lists and objects
    site.write("PUT", task, custom_fields=fields)
    yield "PUT", task, {"custom_fields": {gids["stage"]: stage, gids["loud"]: "x", gids["estimate"]: "3"}}
    yield "PUT", task, {"name": "New", "assignee": None, "due_at": "2026-04-01T09:00:00.000Z", "html_notes": "<body/>"}
    yield "PUT", task, {"assignee": gids["ann"], "start_on": "2026-03-30", "due_on": "2026-04-02"}
    yield "PUT", task, {"completed": True, "resource_subtype": "milestone", "start_on": None}
    yield "PUT", task, {"completed": False, "resource_subtype": "approval"}
    yield "PUT", task, {"approval_status": "changes_requested"}
    yield "POST", f"{task}/setParent", {"parent": gids["tasks"][1]}
    # described as what takes a parent away, and not allowed by its schema
    site.write("POST", f"{task}/setParent", parent=None)
    yield "POST", f"{task}/addTag", {"tag": gids["tag"]}
    yield "POST", f"{task}/addDependencies", {"dependencies": [gids["tasks"][1]]}
    yield "POST", f"/sections/{gids['doing']}/addTask", {"task": gids["tasks"][0]}
    yield "POST", f"{task}/stories", {"html_text": "<body><strong>Hi</strong></body>", "is_pinned": True}
    yield "GET", f"{task}/stories?limit=100&opt_fields={STORY}", None
    yield "GET", f"{task}/stories?limit=2", None
    last = site.get(f"{task}/stories")[-1]["gid"]
    yield "PUT", f"/stories/{last}?opt_fields={STORY}", {"text": "Edited", "is_pinned": False}
    yield "GET", f"/stories/{last}", None
    yield "PUT", f"/stories/{last}", {"html_text": "<body><p>No</p></body>"}
    yield "DELETE", f"/stories/{last}", None
    yield "GET", f"/workspaces/{WORKSPACE}/events", None
    yield "GET", f"/events?resource={gids['project']}", None
    yield "GET", f"/events?resource={gids['project']}&sync={_since_start(site)}", None


def _since_start(site: Site) -> str:
    """A token from which the project's stream has an event of every kind."""
    sync = site.sync(site.gids["project"])
    site.write("POST", f"/projects/{site.gids['project']}/sections", name="Later")
    site.write("PUT", f"/projects/{site.gids['project']}", name="Moved")
    site.write("POST", "/status_updates", parent=site.gids["project"], status_type="complete", text="Done")
    site.write("POST", "/tasks", name="Short", projects=[site.gids["project"]])
    site.write("POST", f"/tasks/{site.gids['child']}/setParent", parent=site.gids["tasks"][2])
    site.write("DELETE", f"/tasks/{site.gids['grandchild']}")
    site.control("POST", "asana", {"restore_task": {"task": site.gids["grandchild"]}})
    return sync


@pytest.mark.shared
def test_every_kind_of_story_and_event_agrees_with_the_vendors_document(site: Site, asana_spec: Any) -> None:
    assert disagreements(site, asana_spec, _changes(site)) == []


def _reports(site: Site) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    goal = site.control(
        "POST",
        "asana",
        {"add_goal": {"name": "Move well", "owner": site.gids["ann"], "created_at": "2026-02-02T09:00:00+00:00"}},
    )
    sent = {"parent": goal["add_goal"], "status_type": "partial", "title": "Nearly", "text": "Half"}
    yield "POST", "/status_updates", sent
    yield "POST", "/status_updates", {**sent, "status_type": "complete"}
    yield "GET", f"/status_updates?parent={goal['add_goal']}&limit=1&opt_fields=title,text,html_text,status_type", None
    yield "POST", "/status_updates", {"parent": site.gids["portfolio"], "status_type": "on_hold", "text": "Waits"}
    yield "GET", "/status_updates/1212000000000001", None
    yield "DELETE", "/status_updates/1212000000000001", None


@pytest.mark.shared
def test_status_updates_of_all_parents_agree_with_the_vendors_document(site: Site, asana_spec: Any) -> None:
    assert disagreements(site, asana_spec, _reports(site)) == []


@pytest.mark.shared
def test_webhooks_agree_with_the_vendors_document_and_its_package_makes_one(site: Site, asana_spec: Any) -> None:
    with listening() as receiver:
        made = {"resource": site.gids["project"], "target": receiver.url}
        filters = [{"resource_type": "task", "action": "changed", "fields": ["name"]}]
        hook = "/webhooks/1240000000000001"
        calls: list[tuple[str, str, dict[str, Any] | None]] = [
            ("POST", "/webhooks", {**made, "filters": filters}),
            ("POST", "/webhooks", {**made, "target": "http://192.0.2.1/hook"}),
            ("GET", f"/webhooks?workspace={WORKSPACE}&limit=1", None),
            ("GET", f"{hook}?opt_fields={WEBHOOK}", None),
            ("GET", hook, None),
            ("PUT", hook, {"filters": [{"resource_type": "story"}]}),
            ("DELETE", hook, {}),
        ]
        assert disagreements(site, asana_spec, calls) == []
        configuration = asana.Configuration()
        configuration.host, configuration.access_token = f"{site.server.url}/api/1.0", "bot"
        hooks = asana.WebhooksApi(asana.ApiClient(configuration))
        gid = hooks.create_webhook({"data": made}, {})["gid"]
        assert [one["gid"] for one in hooks.get_webhooks(WORKSPACE, {})] == [gid]
        hooks.delete_webhook(gid)
