"""What the official `asana` package can ask of Asana and our sandbox does not have, and why."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import asana

ADMINISTRATION = "what administrators of a workspace do; the sandbox has it done by its control calls"
NOT_READ = "nothing that pmosync reads or writes; a PMO's rules are not about it"
JOBS = "makes much at once and answers with a job to wait for; the control calls make as much at once"
OLD = "deprecated; what stands in its place is there"
AREAS = {
    "AIStudioUsageAPIApi": NOT_READ,
    "AccessRequestsApi": ADMINISTRATION,
    "AgentsApi": NOT_READ,
    "AttachmentsApi": NOT_READ,
    "AuditLogAPIApi": ADMINISTRATION,
    "ExportsApi": JOBS,
    "JobsApi": JOBS,
    "OooEntriesApi": NOT_READ,
    "OrganizationExportsApi": JOBS,
    "PortfolioMembershipsApi": OLD,
    "ProjectMembershipsApi": OLD,
    "ProjectPortfolioSettingsApi": NOT_READ,
    "ProjectStatusesApi": OLD,
    "RatesApi": NOT_READ,
    "ReactionsApi": NOT_READ,
    "RolesApi": ADMINISTRATION,
    "RulesApi": NOT_READ,
    "TaskTemplatesApi": JOBS,
    "TeamMembershipsApi": ADMINISTRATION,
    "TimeTrackingCategoriesApi": NOT_READ,
    "TimesheetApprovalStatusesApi": NOT_READ,
    "TypeaheadApi": "a search for people who type; the connector knows every name from its lists",
    "UserTaskListsApi": NOT_READ,
}
"""Areas that are not there at all."""
PARTS = {
    "CustomFieldSettingsApi": ({"get_custom_field_settings_for_goal", "get_custom_field_settings_for_team"}, NOT_READ),
    "CustomFieldsApi": ({"insert_enum_option_for_custom_field"}, NOT_READ),
    "GoalsApi": (
        {
            "add_custom_field_setting_for_goal", "add_followers", "create_goal_metric",
            "remove_custom_field_setting_for_goal", "remove_followers", "update_goal_metric",
        },
        NOT_READ,
    ),
    "MembershipsApi": ({"create_membership", "delete_membership", "update_membership"}, ADMINISTRATION),
    "PortfoliosApi": (
        {"add_members_for_portfolio", "duplicate_portfolio", "remove_members_for_portfolio"}, ADMINISTRATION,
    ),
    "ProjectTemplatesApi": ({"delete_project_template", "instantiate_project"}, JOBS),
    "ProjectsApi": (
        {
            "add_followers_for_project", "add_members_for_project", "create_project_for_team", "duplicate_project",
            "project_save_as_template", "remove_followers_for_project", "remove_members_for_project",
            "rollup_project", "search_projects_for_workspace",
        },
        ADMINISTRATION,
    ),
    "SectionsApi": ({"insert_section_for_project"}, NOT_READ),
    "StoriesApi": ({"create_story_for_goal", "get_stories_for_goal"}, NOT_READ),
    "TagsApi": ({"update_tag"}, NOT_READ),
    "TasksApi": (
        {
            "add_dependents_for_task", "duplicate_task", "get_task_for_custom_id", "get_tasks_for_user_task_list",
            "remove_dependents_for_task", "rollup_task",
        },
        NOT_READ,
    ),
    "TeamsApi": ({"add_user_for_team", "create_team", "remove_user_for_team", "update_team"}, ADMINISTRATION),
    "UsersApi": (
        {"get_favorites_for_user", "get_user_for_workspace", "update_user", "update_user_for_workspace"},
        ADMINISTRATION,
    ),
    "WorkspacesApi": (
        {"add_user_for_workspace", "remove_user_for_workspace", "update_workspace"}, ADMINISTRATION,
    ),
}  # fmt: skip
"""Of areas that are there, what is not."""
_CALL = re.compile(r"def (\w+)_with_http_info\(.*?call_api\(\s*'([^']+)', '(\w+)'", re.DOTALL)


def calls() -> Iterator[tuple[str, str, str, str]]:
    """Every call of the package: its area, its name, its method and its path."""
    for area, found in inspect.getmembers(asana, inspect.isclass):
        if area.endswith("Api"):
            for name, path, method in _CALL.findall(Path(inspect.getfile(found)).read_text()):
                yield area, name, method, path


def is_gap(area: str, name: str) -> bool:
    """Whether the sandbox does not have it."""
    return area in AREAS or name in PARTS.get(area, (set(), ""))[0]
