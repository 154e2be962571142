"""The sandbox's event streams lose, forget and bubble as the vendor warns that they may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmosync.sandbox.asana.tables import WORKSPACE

from .asana_site import Site, small_site


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def _heard(site: Site, resource: str, sync: str) -> list[tuple[str, str]]:
    return [(event["resource"]["gid"], event["action"]) for event in site.events(resource, sync)["data"]]


def _rename(site: Site, times: int) -> list[tuple[str, str]]:
    """What a project's stream tells of so many renamed tasks."""
    sync = site.sync(site.gids["project"])
    for n in range(times):
        site.write("PUT", f"/tasks/{site.gids['tasks'][n % 5]}", name=f"Name {n}")
    return _heard(site, site.gids["project"], sync)


def test_a_lossy_stream_loses_the_same_events_each_time_and_a_share_of_them(site: Site) -> None:
    site.control("POST", "switches", {"asana": {"event_loss": 0.3}})
    first = _rename(site, 40)
    site.begin_again()
    site.control("POST", "switches", {"asana": {"event_loss": 0.3}})
    assert _rename(site, 40) == first
    assert 0.5 * 80 < len(first) < 0.9 * 80


def test_a_stream_that_loses_everything_still_gives_tokens(site: Site) -> None:
    site.control("POST", "switches", {"asana": {"event_loss": 1}})
    assert _rename(site, 3) == []
    assert site.call("POST", "/__sandbox__/switches").status_code == 404
    with pytest.raises(AssertionError, match="html"):
        site.control("POST", "switches", {"asana": {"html": "sometimes"}})


def test_tokens_live_as_long_as_the_switch_says_and_can_be_expired_at_once(site: Site) -> None:
    project, task = site.gids["project"], site.gids["tasks"][0]
    site.control("POST", "switches", {"asana": {"event_ttl_s": 3600}})
    old = site.sync(project)
    site.control("POST", "clock", {"advance_s": 3601})
    answer = site.call("GET", "/events", query={"resource": project, "sync": old})
    assert answer.status_code == 412
    fresh, other = answer.json()["sync"], site.sync(task)
    assert site.events(project, fresh)["data"] == []
    site.control("POST", "asana", {"expire_tokens": {"resource": project}})
    answer = site.call("GET", "/events", query={"resource": project, "sync": fresh})
    assert answer.status_code == 412
    assert site.events(project, answer.json()["sync"])["data"] == []
    assert site.events(task, other)["data"] == []
    site.control("POST", "asana", {"expire_tokens": {}})
    assert site.call("GET", "/events", query={"resource": task, "sync": other}).status_code == 412


def test_a_task_in_two_projects_and_what_is_under_it_is_heard_in_both(site: Site) -> None:
    gids = site.gids
    other = site.write("POST", f"/workspaces/{WORKSPACE}/projects", name="Other")["gid"]
    site.write("POST", f"/tasks/{gids['tasks'][0]}/addProject", project=other)
    tokens = {gid: site.sync(gid) for gid in (gids["project"], other)}
    site.write("POST", f"/tasks/{gids['grandchild']}/stories", text="Hello")
    site.write("PUT", f"/tasks/{gids['grandchild']}", name="Deep")
    heard = [_heard(site, gid, token) for gid, token in tokens.items()]
    assert heard[0] == heard[1]
    assert [action for gid, action in heard[0] if gid == gids["grandchild"]] == ["changed"]


def test_a_task_out_of_the_trash_is_told_as_undeleted_with_what_was_under_it(site: Site) -> None:
    gids, task = site.gids, site.gids["tasks"][0]
    site.write("DELETE", f"/tasks/{task}")
    sync = site.sync(gids["project"])
    site.control("POST", "asana", {"restore_task": {"task": task}})
    assert set(_heard(site, gids["project"], sync)) == {
        (gid, "undeleted") for gid in (task, gids["child"], gids["grandchild"])
    }
    assert site.get(f"/tasks/{gids['grandchild']}", opt_fields="name")["name"] == "Grandchild"
    assert task in [found["gid"] for found in site.get("/tasks", project=gids["project"])]


def test_a_service_account_hears_the_whole_workspace_a_thousand_events_at_a_time(site: Site) -> None:
    path = f"/workspaces/{WORKSPACE}/events"
    assert site.call("GET", path).status_code == 403
    site.control("POST", "switches", {"asana": {"service_account": "yes"}})
    assert site.call("GET", path, "ann").status_code == 403
    handshake = site.call("GET", path)
    assert handshake.status_code == 412
    for n in range(3):
        site.write("PUT", f"/tasks/{site.gids['hidden']}", "ann", name=f"Secret {n}")
    site.write("POST", f"/projects/{site.gids['project']}/sections", "ann", name="Later")
    sync = handshake.json()["sync"]
    body = site.call("GET", path, query={"sync": sync}).json()
    assert [(event["type"], event["action"]) for event in body["data"]] == [
        *([("task", "changed"), ("story", "added")] * 3),
        ("section", "added"),
    ]
    assert body["has_more"] is False
    with site.state.transaction():
        event = "SELECT created_at, user, body FROM asana_event LIMIT 1"
        for _ in range(1001):
            site.state.db.execute(f"INSERT INTO asana_event (created_at, user, body) {event}")
            n = site.state.tuples("SELECT max(n) FROM asana_event")[0][0]
            site.state.db.execute("INSERT INTO asana_event_scope VALUES (?, ?)", (WORKSPACE, n))
    more = site.call("GET", path, query={"sync": body["sync"]}).json()
    assert (len(more["data"]), more["has_more"]) == (1000, True)
    rest = site.call("GET", path, query={"sync": more["sync"]}).json()
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
