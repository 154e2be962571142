"""The search that Jira Cloud removed: it answers only where a switch keeps it alive."""

from __future__ import annotations

from .conftest import BOT, Site

SEARCH = "/rest/api/3/search"


def test_the_removed_search_is_gone_unless_a_switch_keeps_it_alive(site: Site) -> None:
    bot = site.as_user(BOT)
    asked = {"jql": "project = PAY ORDER BY id ASC", "maxResults": "2"}
    assert bot.get(site.url + SEARCH, params=asked).status_code == 410
    site.control("POST", "switches", {"jira": {"old_search": True}})
    assert bot.get(site.url + SEARCH, params=asked).status_code == 200


def test_the_removed_search_pages_by_offset_and_gives_every_issue_once(site: Site) -> None:
    bot = site.as_user(BOT)
    site.control("POST", "switches", {"jira": {"old_search": True}})
    jql = "project = PAY ORDER BY id ASC"
    listed = bot.post(f"{site.url}{SEARCH}/jql", json={"jql": jql, "fields": ["id"], "maxResults": 5000}).json()[
        "issues"
    ]
    seen: list[str] = []
    while True:
        params = {"jql": jql, "startAt": str(len(seen)), "maxResults": "2", "fields": "summary"}
        page = bot.get(site.url + SEARCH, params=params).json()
        assert page["total"] == len(listed)
        assert page["startAt"] == len(seen)
        assert all(set(one["fields"]) == {"summary"} for one in page["issues"])
        seen += [one["id"] for one in page["issues"]]
        if not page["issues"]:
            break
    assert seen == [one["id"] for one in listed]
    assert len(seen) > 2


def test_a_search_tells_the_moves_that_an_issue_can_make_where_it_is_asked_to(site: Site) -> None:
    bot = site.as_user(BOT)
    asked = {"jql": "project = PAY", "fields": "summary", "expand": "transitions"}
    page = bot.get(f"{site.url}{SEARCH}/jql", params=asked).json()
    moves = bot.get(f"{site.url}/rest/api/3/issue/{page['issues'][0]['id']}/transitions").json()["transitions"]
    assert moves
    assert all(one["transitions"] == moves for one in page["issues"])
