"""How a project or portfolio is reported in the sandbox's Asana, and portfolios inside of portfolios."""

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


def _report(site: Site, parent: str, status: str, token: str = "bot") -> str:
    made = site.write("POST", "/status_updates", token, parent=parent, status_type=status, title="Week 9", text="Words")
    return str(made["gid"])


@pytest.mark.parametrize("kind", ["project", "portfolio"])
def test_the_newest_status_update_is_what_its_parent_shows(site: Site, kind: str) -> None:
    path, asked = f"/{kind}s/{site.gids[kind]}", "current_status_update.(status_type|created_at|title)"
    assert site.get(path)["current_status_update"] is None
    _report(site, site.gids[kind], "on_track")
    second = _report(site, site.gids[kind], "off_track")
    shown = site.get(path, opt_fields=asked)["current_status_update"]
    assert (shown["gid"], shown["status_type"], shown["created_at"][:10]) == (second, "off_track", "2026-03-02")
    site.write("DELETE", f"/status_updates/{second}")
    assert site.get(path, opt_fields=asked)["current_status_update"]["status_type"] == "on_track"


def test_updates_are_listed_for_one_parent_and_from_a_moment_on(site: Site) -> None:
    first = _report(site, site.gids["project"], "on_track")
    _report(site, site.gids["portfolio"], "at_risk")
    found = site.get("/status_updates", parent=site.gids["project"], opt_fields="status_type,author.name")
    assert [(one["gid"], one["status_type"], one["author"]["name"]) for one in found] == [
        (first, "on_track", "PMO bot")
    ]
    later = {"parent": site.gids["project"], "created_since": "2026-03-09T00:00:00.000Z"}
    assert site.get("/status_updates", **later) == []


def test_an_update_mails_the_projects_members_and_is_heard_on_its_stream(site: Site) -> None:
    sync = site.sync(site.gids["project"])
    _report(site, site.gids["project"], "at_risk")
    assert [(mail["recipient"], mail["why"]) for mail in site.control("GET", "mail")] == [
        ("ann@acme.example", "status update")
    ]
    heard = site.events(site.gids["project"], sync)["data"]
    assert [(event["type"], event["action"], event["parent"]["gid"]) for event in heard] == [
        ("status_update", "added", site.gids["project"])
    ]


def test_what_is_no_status_or_no_place_for_one_is_refused(site: Site) -> None:
    good = {"parent": site.gids["project"], "status_type": "on_track", "text": "Fine"}
    for wrong in ({"status_type": "green"}, {"text": ""}, {"parent": "x"}, {"status_type": None}):
        assert site.call("POST", "/status_updates", data={**good, **wrong}).status_code == 400
    assert site.call("POST", "/status_updates", data={**good, "parent": site.gids["tasks"][0]}).status_code == 404
    assert site.call("POST", "/status_updates", data={**good, "parent": site.gids["secret"]}).status_code == 403
    gid = _report(site, site.gids["project"], "on_track")
    assert site.call("DELETE", f"/status_updates/{gid}", "ann").status_code == 403
    assert site.call("GET", "/status_updates").status_code == 400


def test_each_kind_of_parent_has_its_statuses_and_its_followers_hear(site: Site) -> None:
    gids = site.gids
    order = {"add_goal": {"name": "Move well", "owner": gids["ann"], "created_at": "2026-02-02T09:00:00+00:00"}}
    goal = site.control("POST", "asana", order)["add_goal"]
    parents = {"project": gids["project"], "portfolio": gids["portfolio"], "goal": goal}
    taken = {
        kind: {
            status
            for status in ("on_track", "dropped", "on_hold", "complete", "achieved", "partial", "missed")
            if site.call("POST", "/status_updates", data={"parent": gid, "status_type": status, "text": "x"}).ok
        }
        for kind, gid in parents.items()
    }
    of_work = {"on_track", "dropped", "on_hold", "complete"}
    of_goals = {"on_track", "dropped", "achieved", "partial", "missed"}
    assert taken == {"project": of_work, "portfolio": of_work, "goal": of_goals}
    told = site.control("GET", "asana/notifications")
    assert {(line["recipient_name"], line["why"], line["about"]) for line in told} == {
        ("Ann", "status_update", gids["project"]),
        ("Ann", "status_update", goal),
    }
    assert len(told) == len(of_work) + len(of_goals)


def test_an_update_cannot_be_changed_and_comes_in_pages_the_newest_first(site: Site) -> None:
    made = [_report(site, site.gids["project"], status) for status in ("on_track", "at_risk", "off_track")]
    for method in ("PUT", "PATCH"):
        assert site.call(method, f"/status_updates/{made[0]}", data={"text": "Other"}).status_code == 405
    query = {"parent": site.gids["project"], "limit": 2}
    first = site.call("GET", "/status_updates", query=query).json()
    rest = site.call("GET", "/status_updates", query={**query, "offset": first["next_page"]["offset"]}).json()
    assert [one["gid"] for one in first["data"] + rest["data"]] == made[::-1]
    assert rest["next_page"] is None
    sent = {"parent": site.gids["project"], "status_type": "on_track", "text": "x", "author": site.gids["ann"]}
    assert site.call("POST", "/status_updates", data=sent).status_code == 400
    html = f'<body><strong>Late</strong> <a data-asana-gid="{site.gids["ann"]}"/></body>'
    rich = site.write("POST", "/status_updates", parent=site.gids["portfolio"], status_type="at_risk", html_text=html)
    shown = site.get(f"/status_updates/{rich['gid']}", opt_fields="text,html_text")
    assert (shown["html_text"], shown["text"]) == (html, f"Late {site.gids['ann']}")
    assert [line["why"] for line in site.control("GET", "asana/notifications")][-1] == "mention"


def test_a_portfolio_in_a_portfolio_is_listed_as_one_and_takes_the_values_of_the_outer_one(site: Site) -> None:
    inner = site.write("POST", "/portfolios", workspace=WORKSPACE, name="Program", color="light-green")["gid"]
    outer = f"/portfolios/{site.gids['portfolio']}"
    site.write("POST", f"{outer}/addItem", item=inner)
    listed = site.get(f"{outer}/items", opt_fields="name,resource_type")
    assert [(one["resource_type"], one["name"]) for one in listed] == [("project", "Move"), ("portfolio", "Program")]
    site.write("POST", f"{outer}/addCustomFieldSetting", custom_field=site.gids["estimate"])
    site.write("PUT", f"/portfolios/{inner}", custom_fields={site.gids["estimate"]: 5})
    site.write("PUT", outer, custom_fields={site.gids["estimate"]: 6})
    site.control("POST", "asana", {"portfolio_values": "parent"})
    site.write("PUT", f"/portfolios/{inner}", custom_fields={site.gids["estimate"]: 7})
    assert site.call("PUT", outer, data={"custom_fields": {site.gids["estimate"]: 8}}).status_code == 400
    site.write("POST", f"{outer}/removeItem", item=inner)
    assert len(site.get(f"{outer}/items")) == 1
    assert site.call("POST", f"{outer}/addItem", data={"item": site.gids["portfolio"]}).status_code == 400


def test_a_tag_that_is_put_on_a_task_leaves_a_story_and_an_event_and_mails_nobody(site: Site) -> None:
    task, sync = site.gids["tasks"][0], site.sync(site.gids["project"])
    site.write("POST", f"/tasks/{task}/addTag", tag=site.gids["tag"])
    site.write("POST", f"/tasks/{task}/addTag", tag=site.gids["tag"])
    site.write("POST", f"/tasks/{task}/removeTag", tag=site.gids["tag"])
    site.write("POST", f"/tasks/{task}/removeTag", tag=site.gids["tag"])
    heard = site.events(site.gids["project"], sync)["data"]
    changes = [event["change"] for event in heard if event["type"] == "task"]
    assert [(change["field"], change["action"]) for change in changes] == [("tags", "added"), ("tags", "removed")]
    stories = site.get(f"/tasks/{task}/stories")
    assert [story["resource_subtype"] for story in stories] == ["added_to_tag", "removed_from_tag"]
    assert site.control("GET", "mail") == []
