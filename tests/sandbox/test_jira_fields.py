"""Select and text fields of the sandbox's Jira: who learns their options, what they take, where they are on offer."""

from __future__ import annotations

from typing import Any

import pytest

from pmosync.sandbox.jira import options, seed

ANN = ("ann@acme.example", "ann-token")
ROOT = ("root@acme.example", "root-token")
SELECT, LONG = "customfield_10050", "customfield_10052"
TEXT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Why"}]}]}


@pytest.fixture
def fields(site: Any) -> Any:
    """The site with a select field, offered in OPS only, a long text, and an administrator of Jira."""
    state = site.server.app.state
    with state.transaction():
        choices = ("Compliant", "Watch", "Old")
        seed.add_field(state, SELECT, "PMO compliance", {"type": "option"}, ["OPS"], choices=choices)
        options.disable(state, SELECT, "Old")
        seed.add_field(state, LONG, "PMO reasons", {"type": "text"})
        seed.add_user(state, "u-root", "Root", ROOT[0], admin=True)
        seed.add_token(state, "u-root", ROOT[1])
    return site


def get(site: Any, path: str, who: Any = ANN) -> Any:
    return site.as_user(who).get(site.api(path))


def test_only_an_administrator_of_jira_reads_contexts_and_options(fields: Any) -> None:
    assert get(fields, f"/field/{SELECT}/context").status_code == 403
    context = get(fields, f"/field/{SELECT}/context", ROOT).json()["values"][0]
    assert context["isGlobalContext"] is False
    path = f"/field/{SELECT}/context/{context['id']}/option"
    assert get(fields, path).status_code == 403
    found = [(one["value"], one["disabled"]) for one in get(fields, path, ROOT).json()["values"]]
    assert found == [("Compliant", False), ("Watch", False), ("Old", True)]
    assert get(fields, f"/field/{SELECT}/context/1/option", ROOT).status_code == 404
    assert get(fields, "/field/duedate/context", ROOT).status_code == 404


def test_whoever_edits_and_creates_learns_the_options_of_fields_that_are_on_offer(fields: Any) -> None:
    edited = get(fields, "/issue/OPS-1/editmeta").json()["fields"]
    assert [one["value"] for one in edited[SELECT]["allowedValues"]] == ["Compliant", "Watch"]
    assert SELECT not in get(fields, "/issue/PAY-3/editmeta").json()["fields"]
    task = next(one["id"] for one in get(fields, "/issuetype").json() if one["name"] == "Task")
    made = get(fields, f"/issue/createmeta/OPS/issuetypes/{task}?maxResults=200").json()["fields"]
    assert [one["allowedValues"][0]["id"] for one in made if one["fieldId"] == SELECT] == ["10100"]
    assert get(fields, "/issue/createmeta/OPS/issuetypes/1").status_code == 400


def test_who_may_edit_in_bulk_learns_the_fields_that_all_chosen_issues_have(fields: Any) -> None:
    bulk = get(fields, "/bulk/issues/fields?issueIdsOrKeys=OPS-1,OPS-2").json()["fields"]
    options_of = {one["id"]: one.get("fieldOptions") for one in bulk}
    assert options_of[SELECT][1] == {"optionId": 10101, "value": "Watch", "isDisabled": False}
    both = get(fields, "/bulk/issues/fields?issueIdsOrKeys=OPS-1,PAY-3").json()["fields"]
    assert (LONG in [one["id"] for one in both], SELECT in [one["id"] for one in both]) == (True, False)


@pytest.mark.parametrize("value", [{"value": "Watch"}, {"id": "10101"}])
def test_an_option_is_set_by_its_id_or_value(fields: Any, value: Any) -> None:
    assert put(fields, "OPS-1", {SELECT: value}).status_code == 204
    found = get(fields, "/issue/OPS-1").json()["fields"][SELECT]
    assert (found["id"], found["value"]) == ("10101", "Watch")
    log = get(fields, "/issue/OPS-1/changelog").json()["values"][-1]["items"][0]
    assert (log["field"], log["fieldId"], log["to"], log["toString"]) == ("PMO compliance", SELECT, "10101", "Watch")
    assert put(fields, "OPS-1", {SELECT: None}).status_code == 204
    assert get(fields, "/issue/OPS-1").json()["fields"][SELECT] is None


def put(site: Any, key: str, values: Any) -> Any:
    return site.as_user().put(site.api(f"/issue/{key}"), json={"fields": values})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("OPS-1", {SELECT: {"value": "Old"}}),
        ("OPS-1", {SELECT: {"id": "9"}}),
        ("OPS-1", {SELECT: "Watch"}),
        ("PAY-3", {SELECT: {"value": "Watch"}}),
        ("OPS-1", {LONG: "text in version 3"}),
    ],
)
def test_an_option_or_field_that_is_not_on_offer_is_refused_under_the_field(fields: Any, key: str, values: Any) -> None:
    answer = put(fields, key, values)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(values))


def test_a_long_text_is_a_document_in_version_3_and_text_in_version_2(fields: Any) -> None:
    assert put(fields, "OPS-1", {LONG: TEXT}).status_code == 204
    assert get(fields, "/issue/OPS-1").json()["fields"][LONG] == TEXT
    old = f"{fields.url}/rest/api/2/issue/OPS-1"
    assert fields.as_user().get(old).json()["fields"][LONG] == "Why"
    assert fields.as_user().put(old, json={"fields": {LONG: "Else"}}).status_code == 204
    found = fields.search('project = OPS AND "PMO reasons" ~ Else', ["key"])
    assert [one["key"] for one in found] == ["OPS-1"]
