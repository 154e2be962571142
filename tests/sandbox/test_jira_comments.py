"""Comments of the sandbox's Jira: what they carry, who reads and changes them, whom they mail, and what they move."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pmosync.sandbox.jira import seed

ANN = ("ann@acme.example", "ann-token")
BOT = ("bot@acme.example", "bot-token")
OURS = {"key": "pmosync.flag", "value": {"id": 1}}


def document(text: str) -> dict[str, Any]:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


def send(site: Any, method: str, path: str, body: Any = None, who: Any = BOT) -> Any:
    return site.as_user(who).request(method, site.api(path), json=body)


def post(site: Any, key: str, text: str = "Hi", who: Any = BOT, **more: Any) -> Any:
    return send(site, "POST", f"/issue/{key}/comment", {"body": document(text)} | more, who)


def updated(site: Any, key: str) -> str:
    return str(send(site, "GET", f"/issue/{key}").json()["fields"]["updated"])


def test_a_comment_is_found_again_by_the_property_it_was_posted_with(site: Any) -> None:
    made = post(site, "PAY-3", properties=[OURS]).json()
    assert made["properties"] == [OURS]
    body = {"ids": [int(made["id"]), 999]}
    assert "properties" not in send(site, "POST", "/comment/list", body).json()["values"][0]
    found = send(site, "POST", "/comment/list?expand=properties", body).json()
    assert [(one["id"], one["properties"]) for one in found["values"]] == [(made["id"], [OURS])]
    listed = send(site, "GET", "/issue/PAY-3/comment?expand=properties").json()["comments"]
    assert [one["properties"] for one in listed] == [[OURS]]
    assert send(site, "POST", "/comment/list", {"ids": list(range(1001))}).status_code == 400


def test_a_new_comment_mails_and_moves_the_date_without_a_history(site: Any) -> None:
    before = updated(site, "PAY-3")
    post(site, "PAY-3")
    mails = site.control("GET", "mail")
    assert [(one["recipient"], one["why"]) for one in mails] == [("ann@acme.example", "commented")]
    assert updated(site, "PAY-3") > before
    assert send(site, "GET", "/issue/PAY-3/changelog").json()["total"] == 0


def test_a_comment_is_changed_without_mail_when_the_call_says_so(site: Any) -> None:
    number = post(site, "PAY-3", properties=[OURS]).json()["id"]
    path = f"/issue/PAY-3/comment/{number}"
    assert send(site, "PUT", f"{path}?notifyUsers=false", {"body": document("Better")}).status_code == 200
    assert len(site.control("GET", "mail")) == 1
    assert send(site, "GET", f"{path}?expand=properties").json()["properties"] == [OURS]
    site.control("POST", "switches", {"jira": {"quiet_comment_needs_admin": True}})
    assert send(site, "PUT", f"{path}?notifyUsers=false", {"body": document("Best")}).status_code == 403
    assert send(site, "PUT", path, {"body": document("Best")}).status_code == 200
    assert len(site.control("GET", "mail")) == 2


def test_who_may_not_change_a_comment_is_refused(site: Any) -> None:
    number = post(site, "OPS-1", who=ANN).json()["id"]
    path = f"/issue/OPS-1/comment/{number}"
    ben = ("ben@acme.example", "ben-token")
    seed.add_token(site.server.app.state, "u-ben", ben[1])
    assert send(site, "PUT", path, {"body": document("Mine")}, ben).status_code == 400
    assert send(site, "DELETE", path, None, ben).status_code == 400
    changed = send(site, "PUT", path, {"body": document("Ours")}).json()
    assert (changed["author"]["accountId"], changed["updateAuthor"]["accountId"]) == ("u-ann", "u-bot")
    assert send(site, "DELETE", path).status_code == 204
    site.control("POST", "switches", {"jira": {"withdrawn": ["ADD_COMMENTS"]}})
    assert post(site, "OPS-1").status_code == 400


def test_properties_of_a_comment_move_no_date_and_mail_nobody(site: Any) -> None:
    number = post(site, "PAY-3").json()["id"]
    before, path = updated(site, "PAY-3"), f"/comment/{number}/properties"
    assert send(site, "PUT", f"{path}/p", {"a": 1}).status_code == 201
    assert send(site, "PUT", f"{path}/p", {"a": 2}).status_code == 200
    assert [one["key"] for one in send(site, "GET", path).json()["keys"]] == ["p"]
    assert send(site, "GET", f"{path}/p").json()["value"] == {"a": 2}
    assert send(site, "DELETE", f"{path}/p").status_code == 204
    assert send(site, "GET", f"{path}/p").status_code == 404
    assert (updated(site, "PAY-3"), len(site.control("GET", "mail"))) == (before, 1)
    assert send(site, "GET", "/comment/x/properties").status_code == 400


def test_a_comment_for_a_circle_is_read_by_nobody_else(site: Any) -> None:
    role = {"type": "role", "value": "Administrators"}
    number = post(site, "PAY-3", who=ANN, visibility=role).json()["id"]
    assert send(site, "GET", "/issue/PAY-3/comment", who=ANN).json()["comments"][0]["visibility"] == role
    assert send(site, "GET", "/issue/PAY-3/comment").json()["total"] == 0
    assert send(site, "GET", "/issue/PAY-3?fields=comment").json()["fields"]["comment"]["total"] == 0
    assert send(site, "GET", f"/issue/PAY-3/comment/{number}").status_code == 404
    assert send(site, "POST", "/comment/list", {"ids": [int(number)]}).json()["values"] == []
    assert post(site, "PAY-3", visibility={"type": "user", "value": "x"}).status_code == 400


def test_a_comment_in_a_service_project_is_public_unless_its_property_says_otherwise(site: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        seed.add_project(state, "HELP", "Help desk", "u-ann", kind="service_desk")
        when = datetime(2026, 1, 5, tzinfo=UTC)
        seed.add_issue(state, "HELP", "Task", "Printer", created_at=when, updated_at=when)
    internal = {"key": "sd.public.comment", "value": {"internal": True}}
    assert post(site, "HELP-1").json()["jsdPublic"] is True
    assert post(site, "HELP-1", properties=[internal]).json()["jsdPublic"] is False
    assert post(site, "PAY-3", properties=[internal]).json()["jsdPublic"] is True


def test_comments_come_by_page_oldest_first_or_the_other_way(site: Any) -> None:
    for number in range(3):
        post(site, "PAY-3", f"Number {number}")

    def texts(query: str) -> list[str]:
        found = send(site, "GET", f"/issue/PAY-3/comment?{query}").json()["comments"]
        return [one["body"]["content"][0]["content"][0]["text"] for one in found]

    assert texts("maxResults=2") == ["Number 0", "Number 1"]
    assert texts("maxResults=2&startAt=2&orderBy=created") == ["Number 2"]
    assert texts("maxResults=2&orderBy=-created") == ["Number 2", "Number 1"]
    assert send(site, "GET", "/issue/PAY-3/comment?orderBy=author").status_code == 400


@pytest.mark.parametrize(("most", "statuses"), [(2, [201, 201, 413]), (0, [201, 201, 201])])
def test_an_issue_takes_as_many_comments_as_the_switch_says(site: Any, most: int, statuses: list[int]) -> None:
    site.control("POST", "switches", {"jira": {"comments_per_issue": most}})
    assert [post(site, "PAY-3").status_code for _ in range(3)] == statuses
