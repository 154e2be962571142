"""What is suggested loads, fits the site, and guesses nothing."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmosync import mapping as mappings
from pmosync.contract import Capabilities, Catalog, Choice, FieldInfo, Person, ProjectInfo, Record, SlotKind
from pmosync.discovery import suggest, words
from pmosync.mapping import SiteMapping
from pmosync.mapping.grammar import own_name
from pmosync.yamlfile import load

STATUSES = (
    Choice("1", "To Do", "new"),
    Choice("2", "In Progress", "indeterminate"),
    Choice("3", "On Hold", "indeterminate"),
    Choice("4", "Done", "done"),
    Choice("5", "Won't Do", "done"),
    Choice("6", "Undefined", "undefined"),
)
TYPES = (
    Choice("1", "Epic", "1"),
    Choice("2", "Story", "0"),
    Choice("3", "Milestone", "0"),
    Choice("4", "Sub-task", "-1"),
    Choice("5", "Initiative", "2"),
)
JIRA = Catalog(
    account=Person("7", "PMO bot"),
    fields=(
        FieldInfo("summary", "Summary", "text"),
        FieldInfo("assignee", "Assignee", "person"),
        FieldInfo("duedate", "Due date", "date"),
        FieldInfo("resolutiondate", "Resolved", "instant"),
        FieldInfo("timeoriginalestimate", "Original estimate", "duration"),
        FieldInfo("timespent", "Time Spent", "duration"),
        FieldInfo("resolution", "Resolution", "choice", (Choice("1", "Done"),)),
        FieldInfo("parent", "Parent", "reference"),
        FieldInfo("created", "Created", "instant"),
        FieldInfo("status", "Status", "choice", STATUSES),
        FieldInfo("issuetype", "Issue Type", "choice", TYPES),
        FieldInfo("priority", "Priority", "choice", (Choice("1", "Highest"), Choice("2", "Low"), Choice("3", "Nice"))),
        FieldInfo("issuelinks", "Linked Issues", "list"),
        FieldInfo("customfield_10015", "Start date", "date", custom=True),
        FieldInfo("customfield_10016", "Story Points", "number", custom=True),
        FieldInfo("name", "Name", "text", subject="project"),
        FieldInfo("lead", "Lead", "person", subject="project"),
    ),
    projects=(ProjectInfo("10001", "PAY", "Payments"), ProjectInfo("10002", "OLD", "Old", archived=True)),
    link_types=(Choice("10000", "Blocks", "blocks"), Choice("10001", "Cloners", "clones")),
    zone="Europe/Berlin",
    estimated_with=("customfield_10016",),
)
JIRA_CAN = Capabilities(
    slots=(
        SlotKind("property", "task", "json", 32_000),
        SlotKind("label", "task", "word", 20),
        SlotKind("property", "project", "json", 32_000),
    ),
    query=True,
)
STAGE = FieldInfo(
    "771", "Stage", "choice", (Choice("1", "Waiting"), Choice("2", "Doing"), Choice("3", "Kühlung")), custom=True
)
REPORTED = tuple(
    Choice(name, name) for name in ("on_track", "at_risk", "off_track", "on_hold", "complete", "dropped", "partial")
)
ASANA = Catalog(
    account=Person("8", "PMO bot"),
    fields=(
        FieldInfo("name", "Name", "text"),
        FieldInfo("assignee", "Assignee", "person"),
        FieldInfo("start_on", "Start date", "date"),
        FieldInfo("start_at", "Start time", "instant"),
        FieldInfo("due_on", "Due date", "date"),
        FieldInfo("due_at", "Due time", "instant"),
        FieldInfo("completed", "Completed", "yes/no"),
        FieldInfo("completed_at", "Completed at", "instant"),
        FieldInfo("parent", "Parent task", "reference"),
        FieldInfo(
            "section", "Section", "choice", (Choice("5", "In progress"), Choice("6", "Ideas"), Choice("7", "Done"))
        ),
        FieldInfo("resource_subtype", "Type", "choice", (Choice("m", "milestone"), Choice("d", "default_task"))),
        FieldInfo("dependencies", "Waiting for", "list"),
        FieldInfo("actual_time_minutes", "Actual time", "duration"),
        STAGE,
        FieldInfo("772", "Geschätzte Zeit", "duration", custom=True),
        FieldInfo("773", "Priority", "choice", (Choice("1", "High"), Choice("2", "Low")), custom=True),
        FieldInfo("name", "Name", "text", subject="project"),
        FieldInfo("owner", "Owner", "person", subject="project"),
        FieldInfo("due_on", "Due date", "date", subject="project"),
        FieldInfo("status", "Status", "choice", REPORTED, subject="project"),
    ),
    projects=(ProjectInfo("1202000000000002", "1202000000000002", "Payments"),),
)
ASANA_CAN = Capabilities(
    slots=(
        SlotKind("field", "task", "word", 0),
        SlotKind("tag", "task", "word", 0, instead_of="field"),
        SlotKind("fields", "project", "measures", 0),
        SlotKind("portfolio_fields", "rollup", "measures", 0, levels=("program",), home="itself"),
    )
)


def fitting(catalog: Catalog, capabilities: Capabilities) -> tuple[SiteMapping, str]:
    """The suggestion, loaded, checked and resolved as a run would do it."""
    text = suggest("acme", catalog, capabilities)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "acme.yaml"
        path.write_text(text, "utf-8")
        mapping = mappings.load(path, None)
    assert [str(error) for error in mappings.check(mapping, catalog, capabilities)] == []
    return mappings.resolve(mapping, catalog), text


def status_of(mapping: SiteMapping, **values: object) -> object:
    record = Record("task", "1", "A-1", "https://x", "1", (), values)  # type: ignore[arg-type]
    row = mapping.read_task(record, ZoneInfo("UTC"))
    assert row is not None
    return row.values["status"]


def test_a_jira_site_gets_a_mapping_that_fits_it() -> None:
    mapping, text = fitting(JIRA, JIRA_CAN)
    assert mapping.unresolved == ()
    assert mapping.mapped >= {"title", "assignee", "start_on", "due_on", "done_on", "estimate_h", "spent_h", "parent"}
    assert mapping.mapped >= {"status", "type", "priority", "resolution"}
    assert mapping.mapped_links == {"blocks"}
    assert "customfield_10015" in mapping.task_fields()
    assert "customfield_10016" not in mapping.task_fields(), "points are no hours"
    assert "#  The boards estimate with 'Story Points' (customfield_10016): points are no hours" in text
    assert (mapping.write_task, mapping.write_project, mapping.mail) == (("property", "label"), ("property",), "never")
    assert "#  projects: [PAY]" in text, "without the archived one"


def test_an_asana_site_gets_a_mapping_that_fits_it() -> None:
    mapping, text = fitting(ASANA, ASANA_CAN)
    assert mapping.unresolved == ()
    assert mapping.mapped >= {"title", "assignee", "start_on", "due_on", "done_on", "estimate_h", "spent_h", "parent"}
    assert mapping.mapped >= {"status", "type", "priority"}
    assert {"772", "due_on", "due_at", "dependencies"} <= set(mapping.task_fields())
    assert mapping.project_fields() == ("name", "owner", "due_on", "status")
    assert '{custom: "Geschätzte Zeit"}' in text
    assert (mapping.write_task, mapping.write_project) == (("field", "tag"), ("fields", "portfolio_fields"))


def test_the_status_of_a_project_is_suggested_as_its_reported_health() -> None:
    mapping, text = fitting(ASANA, ASANA_CAN)
    record = Record("project", "1", "1", "https://x", "1", (), {})
    read = {
        status.id: mapping.read_project(replace(record, values={"status": status}), ZoneInfo("UTC"))
        for status in REPORTED
    }
    assert {name: row.values["reported_health"] for name, row in read.items()} == {
        "on_track": "green",
        "at_risk": "amber",
        "off_track": "red",
        "on_hold": "amber",
        "complete": "green",
        "dropped": "red",
        "partial": None,
    }
    assert [gap.value for gap in read["partial"].gaps] == ["partial"]
    assert "# not mapped, 'Status' (status): 'partial'" in text


def test_statuses_are_read_by_telling_names_first_and_by_category_then() -> None:
    mapping, _ = fitting(JIRA, JIRA_CAN)
    assert [status_of(mapping, status=status) for status in STATUSES] == [
        "todo",
        "in_progress",
        "blocked",
        "done",
        "cancelled",
        None,
    ]


def test_a_done_task_is_done_whatever_its_stage_says() -> None:
    mapping, _ = fitting(ASANA, ASANA_CAN)
    waiting, section = STAGE.options[0], Choice("5", "In progress")
    assert status_of(mapping, completed=True, **{"771": waiting}) == "done"
    assert status_of(mapping, completed=False, section=section, **{"771": waiting}) == "blocked"
    assert status_of(mapping, completed=False, section=section) == "in_progress"
    assert status_of(mapping, completed=False) == "todo"
    assert status_of(mapping, completed=False, section=Choice("7", "Done")) == "todo", "nobody completed it"


def test_every_line_says_why_and_what_fits_nothing_stands_in_a_comment() -> None:
    _, text = fitting(JIRA, JIRA_CAN)
    assert "due_on: duedate                           # 'Due date' (date)" in text
    assert "# not mapped, 'Status' (status): 'Undefined'" in text
    assert "# not mapped, 'Issue Type' (issuetype): 'Initiative'" in text
    assert "# not mapped, 'Priority' (priority): 'Nice'" in text
    assert "#   'Story Points' (customfield_10016), number" in text
    assert "# start_on: no field of the site is called like it (planned start of the project)" in text
    assert "# not mapped, 'Section' (section): 'Ideas', 'Done'" in fitting(ASANA, ASANA_CAN)[1]


def test_two_fields_with_one_name_are_left_for_a_person() -> None:
    twin = FieldInfo("customfield_2", "start DATE", "date", custom=True)
    mapping, text = fitting(replace(JIRA, fields=(*JIRA.fields, twin)), JIRA_CAN)
    assert "start_on" not in mapping.mapped
    assert "# start_on: 2 fields are called 'Start date': customfield_10015, customfield_2" in text


def test_a_field_of_another_kind_is_not_taken_for_its_name() -> None:
    fields = tuple(replace(info, kind="text") if info.name == "Start date" else info for info in JIRA.fields)
    assert "start_on" not in fitting(replace(JIRA, fields=fields), JIRA_CAN)[0].mapped  # type: ignore[arg-type]


def test_two_link_types_with_one_name_are_told_apart_or_left() -> None:
    shared = replace(JIRA, link_types=(Choice("1", "Blocks", "blocks"), Choice("2", "blocks", "blocks")))
    mapping, text = fitting(shared, JIRA_CAN)
    assert mapping.mapped_links == frozenset()
    assert "# link types of the site: 'Blocks' (1), 'blocks' (2)" in text


def test_no_word_stands_for_two_options() -> None:
    kinds = (words.STATUS, words.TYPE, words.PRIORITY, words.PHASE, words.DECISION, words.PROBABILITY, words.IMPACT)
    for known in kinds:
        folded = [{own_name(name) for name in names} for names in known.values()]
        assert sum(map(len, folded)) == len(set().union(*folded))


names = st.one_of(
    st.text(min_size=1, max_size=20),
    st.sampled_from(
        ["true", "null", "category=new", "- x", "a: b", "#", "'", '"', "1", "2026-02-30", "On Hold", "\u2028"]
    ),
)
options = st.lists(st.builds(Choice, st.text("123", min_size=1), names, st.sampled_from([None, "new", "done", "0"])))


@settings(max_examples=40, deadline=None)
@given(st.lists(names, max_size=5), options, options)
def test_whatever_a_site_calls_its_things_the_suggestion_fits(
    fields: list[str], statuses: list[Choice], stages: list[Choice]
) -> None:
    custom = [FieldInfo(f"c{n}", name, "date", custom=True) for n, name in enumerate(fields)]
    renamed = {"status": tuple(statuses), "771": tuple(stages)}
    for catalog, capabilities in ((JIRA, JIRA_CAN), (ASANA, ASANA_CAN)):
        known = [replace(info, options=renamed.get(info.id, info.options)) for info in catalog.fields]
        mapping, _ = fitting(replace(catalog, fields=(*known, *custom)), capabilities)
        assert mapping.unresolved == ()


@pytest.mark.parametrize("catalog", [JIRA, ASANA])
def test_the_same_site_gives_the_same_suggestion(catalog: Catalog) -> None:
    assert suggest("acme", catalog, JIRA_CAN) == suggest("acme", catalog, JIRA_CAN)


def test_what_happened_to_work_is_offered_in_a_comment_with_what_it_costs(tmp_path: Path) -> None:
    assert "read:" not in suggest("acme", JIRA, JIRA_CAN)
    updated = FieldInfo("updated", "Updated", "instant")
    catalog = replace(JIRA, fields=(*JIRA.fields, updated))
    text = suggest("acme", catalog, replace(JIRA_CAN, reads=("history", "worklogs")))
    assert "more requests" in text
    path = tmp_path / "acme.yaml"
    path.write_text(text, encoding="utf-8")
    assert mappings.load(path, None).reads == ()
    told = text.replace("# read: [history, worklogs]", "read: [history, worklogs]")
    assert "`updated_at: updated` below task" in told
    path.write_text(told.replace("\ntask:\n", "\ntask:\n  updated_at: updated\n"), encoding="utf-8")
    mapping = mappings.load(path, None)
    assert mapping.reads == ("history", "worklogs")
    assert "updated_at" in mapping.mapped


def test_what_few_tools_hold_of_a_project_is_suggested_and_in_a_comment_where_it_costs_requests() -> None:
    more = (
        FieldInfo("status_on", "Status date", "date", subject="project"),
        FieldInfo("team", "Team", "choice", subject="project"),
        FieldInfo("brief", "Has a brief", "yes/no", subject="project"),
        FieldInfo("goals", "Goals", "list", subject="project"),
        FieldInfo("budget_time", "Time budget", "duration", subject="project"),
        FieldInfo("budget_cost", "Cost budget", "duration", subject="project"),
    )
    catalog = replace(ASANA, fields=ASANA.fields + more)
    can = replace(ASANA_CAN, reads=("budgets", "goals"))
    mapping, text = fitting(catalog, can)
    assert set(mapping.project_fields()) >= {"status_on", "team", "brief"}
    for line in ("# goals: goals", "# budget_h: budget_time"):
        assert line in text
        text = text.replace(line, line.removeprefix("# "))
    text = text.replace("# read: [budgets, goals]", "read: [budgets, goals]")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "acme.yaml"
        path.write_text(text, "utf-8")
        mapping = mappings.load(path, None)
    assert mappings.check(mapping, catalog, can) == []
    assert set(mapping.project_fields()) >= {"goals", "budget_time"}
    assert "# template, budget_used_h, budget_cost, budget_used_cost: no field" in text, "money is no length of time"


def test_what_goes_by_numbers_is_offered_with_its_name(tmp_path: Path) -> None:
    projects = (ProjectInfo("1202", "1202", "Brand refresh"), ProjectInfo("1203", "1203", "Old", archived=True))
    catalog = replace(ASANA, projects=projects, portfolios=(Choice("1201", "Customer growth"),))
    _, text = fitting(catalog, ASANA_CAN)
    scope = text[text.index("scope: {}") : text.index("# Where pmosync writes")]
    lines = [" ".join(line.split()) for line in scope.splitlines()[1:5]]
    assert lines == [
        "# portfolios:", "# - \"1201\" # 'Customer growth'", "# projects:", "# - \"1202\" # 'Brand refresh'",
    ]  # fmt: skip
    file = tmp_path / "chosen.yaml"
    file.write_text(scope.replace("scope: {}", "scope:").replace("#  ", "  ").partition("\n\n")[0], "utf-8")
    assert load(file).data == {"scope": {"portfolios": ["1201"], "projects": ["1202"]}}
    many = tuple(ProjectInfo(str(gid), str(gid), f"Project {gid}") for gid in range(100))
    _, text = fitting(replace(catalog, projects=many), ASANA_CAN)
    assert "#    # and 60 more, which `pmosync discover --json` lists" in text
    assert "Project 39" in text
    assert "Project 40" not in text


LEVELS = tuple(
    Choice(str(n), name) for n, name in enumerate(("Rare", "Unlikely", "Possible", "Likely", "Almost certain"))
)


def custom(number: int, name: str, kind: str, *options: Choice, subject: str = "task") -> FieldInfo:
    return FieldInfo(f"c{number}", name, kind, options, subject=subject, custom=True)  # type: ignore[arg-type]


def test_what_the_pmo_keeps_of_tasks_is_suggested_by_name_and_type() -> None:
    more = (
        FieldInfo("description", "Description", "text"),
        custom(1, "% Complete", "number"), custom(2, "Actual start", "instant"), custom(3, "Risk score", "number"),
        custom(4, "Reviewed on", "date"), custom(5, "Decision date", "date"), custom(6, "Blocked reason", "text"),
        custom(7, "Risk treatment", "choice"), custom(8, "Percent done", "text"),
    )  # fmt: skip
    mapping, text = fitting(replace(JIRA, fields=JIRA.fields + more), JIRA_CAN)
    told = ("percent_done", "started_on", "risk_score", "reviewed_on", "decided_on", "blocked_reason", "risk_response")
    assert mapping.mapped >= set(told)
    assert {"c1", "c2", "c3", "c4", "c5", "c6", "c7"} <= set(mapping.task_fields())
    assert "description" not in mapping.task_fields(), "the whole text of every task is asked of a person first"
    assert "# description: description" in text
    assert "the whole text is read and stored" in text


def test_options_of_risks_phases_and_decisions_are_read_by_their_names() -> None:
    approvals = tuple(Choice(name, name) for name in ("pending", "approved", "rejected", "changes_requested"))
    phases = (Choice("1", "Initiating"), Choice("2", "Close-out"), Choice("3", "Warranty"))
    impacts = (Choice("1", "Negligible"), Choice("2", "Major"))
    more = (
        FieldInfo("approval_status", "Approval", "choice", approvals),
        custom(1, "Likelihood", "choice", *LEVELS), custom(2, "Impact", "choice", *impacts),
        custom(3, "Phase", "choice", *phases), custom(4, "Project phase", "choice", *phases, subject="project"),
    )  # fmt: skip
    mapping, text = fitting(replace(ASANA, fields=ASANA.fields + more), ASANA_CAN)
    record = Record("task", "1", "A-1", "https://x", "1", (), {})

    def read(name: str, field: str, options: tuple[Choice, ...]) -> list[object]:
        rows = [mapping.read_task(replace(record, values={field: option}), ZoneInfo("UTC")) for option in options]
        return [row.values[name] for row in rows if row]

    assert read("risk_probability", "c1", LEVELS) == ["very_low", "low", "medium", "high", "very_high"]
    assert read("risk_impact", "c2", impacts) == ["very_low", "high"]
    assert read("decision", "approval_status", approvals) == [None, "approved", "rejected", "changes_requested"]
    assert read("phase", "c3", phases) == ["initiation", "closing", None]
    assert text.count("# not mapped, 'Phase' (c3): 'Warranty'") == 1
    project = mapping.read_project(replace(record, kind="project", values={"c4": phases[0]}), ZoneInfo("UTC"))
    assert project.values["phase"] == "initiation"


def test_an_impact_is_one_of_a_risk_only_beside_a_probability() -> None:
    impact = custom(2, "Impact", "choice", Choice("1", "High"), Choice("2", "Low"))
    mapping, text = fitting(replace(ASANA, fields=(*ASANA.fields, impact)), ASANA_CAN)
    assert "risk_impact" not in mapping.mapped
    assert "#   'Impact' (c2), choice: 'High', 'Low'" in text


def test_a_list_whose_options_the_tool_does_not_tell_stands_in_a_comment(tmp_path: Path) -> None:
    more = (
        custom(1, "Probability", "choice"), custom(2, "Sprint", "list"), custom(3, "Sprint.latest", "choice"),
    )  # fmt: skip
    catalog = replace(JIRA, fields=JIRA.fields + more)
    mapping, text = fitting(catalog, JIRA_CAN)
    assert not mapping.mapped & {"risk_probability", "sprint_state"}
    assert "its options are not listed; if they are called very_low, low, medium, high, very_high" in text
    taken = text.replace("  # sprint_state:", "  sprint_state:").replace("  #   - {field: {c", "    - {field: {c")
    taken = taken.replace("  # risk_probability:", "  risk_probability:")
    path = tmp_path / "acme.yaml"
    path.write_text(taken, "utf-8")
    mapping = mappings.load(path, None)
    assert mappings.check(mapping, catalog, JIRA_CAN) == []
    assert mapping.mapped >= {"risk_probability", "sprint_state"}


def test_what_the_register_can_say_is_suggested_where_a_tool_says_it_for_certain() -> None:
    more = (
        custom(1, "Executive sponsor", "list", subject="project"),
        custom(2, "Project charter", "text", subject="project"),
        custom(3, "Lessons learned", "yes/no", subject="project"),
        custom(4, "Approved funding", "number", subject="project"),
        custom(5, "Benefits owner", "text", subject="project"),
        custom(6, "benefits Owner", "list", subject="project"),
    )
    mapping, text = fitting(replace(ASANA, fields=ASANA.fields + more), ASANA_CAN)
    assert {"c1", "c2", "c4"} <= set(mapping.project_fields())
    assert "c3" not in mapping.project_fields(), "a yes is no address"
    assert "# benefits_owner: 2 fields are called 'Benefits owner': c5, c6" in text
    told = " ".join(text.replace("\n  #", "").split())
    assert "path_to_green, exception_url: no field of the site is called like it; the register can say it" in told


def test_the_page_about_mappings_lists_every_name_that_a_suggestion_goes_by() -> None:
    page = Path("docs/mappings.md").read_text("utf-8")
    table = page[page.index("## What discover suggests") : page.index("## The model's fields")].casefold()
    groups = (*words.TASK_MORE.values(), *words.PROJECT_GOVERNED.values())
    names = [name for group in groups for some in group for name in some]
    names += [*words.PHASE_FIELDS, *words.DECISION_FIELDS, *words.PROBABILITY_FIELDS, *words.IMPACT_BESIDE]
    assert [name for name in [*names, *words.IMPACT_FIELDS] if name.casefold() not in table] == []
