"""Every call that the Asana connector may make, and what may be done with it when its answer gets lost.

It keeps the promise that nothing that makes something new is ever sent twice without a look.
"""

from __future__ import annotations

from pmosync.http import Endpoint


def _read(template: str, group: str = "") -> Endpoint:
    return Endpoint("GET", template, repeatable=True, reads=True, group=group)


def _write(method: str, template: str, *, repeatable: bool) -> Endpoint:
    return Endpoint(method, template, repeatable=repeatable, reads=False)


ENDPOINTS: tuple[Endpoint, ...] = (
    _read("/users/me"),
    _read("/users"),
    _read("/users/{user_gid}/workspace_memberships"),
    _read("/workspaces/{workspace_gid}/custom_fields"),
    _read("/workspaces/{workspace_gid}/tags"),
    _read("/workspaces/{workspace_gid}/workspace_memberships"),
    _read("/projects"),
    _read("/projects/{project_gid}"),
    _read("/projects/{project_gid}/sections"),
    _read("/portfolios/{portfolio_gid}/items"),
    _read("/portfolios/{portfolio_gid}"),
    _read("/tasks"),
    _read("/tasks/{task_gid}"),
    _read("/tasks/{task_gid}/subtasks"),
    _read("/tasks/{task_gid}/stories"),
    _read("/status_updates"),
    _read("/project_briefs/{project_brief_gid}"),
    _read("/budgets"),
    _read("/goals"),
    _read("/allocations"),
    _read("/time_tracking_entries"),
    _read("/tasks/{task_gid}/time_tracking_entries"),
    _read("/portfolios"),
    _read("/custom_types"),
    _read("/events"),
    _read("/workspaces/{workspace_gid}/events"),
    _read("/custom_fields/{custom_field_gid}"),
    # These two have limits of their own.
    _read("/workspaces/{workspace_gid}/tasks/search", "search"),
    _read("/projects/{project_gid}/task_counts", "task_counts"),
    # A batch is judged by its actions; by itself it may neither be repeated nor sent by a run that only reads.
    _write("POST", "/batch", repeatable=False),
    _write("PUT", "/tasks/{task_gid}", repeatable=True),
    _write("PUT", "/projects/{project_gid}", repeatable=True),
    _write("PUT", "/portfolios/{portfolio_gid}", repeatable=True),
    # A tag that is there is not added twice, and one that is gone not removed: both change nothing then.
    _write("POST", "/tasks/{task_gid}/addTag", repeatable=True),
    _write("POST", "/tasks/{task_gid}/removeTag", repeatable=True),
    _write("POST", "/workspaces/{workspace_gid}/tags", repeatable=False),
    _write("DELETE", "/tags/{tag_gid}", repeatable=True),
    _write("POST", "/tasks/{task_gid}/stories", repeatable=False),
    _write("PUT", "/stories/{story_gid}", repeatable=True),
    _write("DELETE", "/stories/{story_gid}", repeatable=True),
    # Who does not follow any more cannot be taken away again: it changes nothing.
    _write("POST", "/tasks/{task_gid}/removeFollowers", repeatable=True),
    _write("POST", "/status_updates", repeatable=False),
    _write("DELETE", "/status_updates/{status_update_gid}", repeatable=True),
    _write("POST", "/projects/{project_gid}/project_briefs", repeatable=False),
    _write("PUT", "/project_briefs/{project_brief_gid}", repeatable=True),
    _write("DELETE", "/project_briefs/{project_brief_gid}", repeatable=True),
    _write("POST", "/custom_fields", repeatable=False),
    _write("DELETE", "/custom_fields/{custom_field_gid}", repeatable=True),
    _write("POST", "/custom_fields/{custom_field_gid}/enum_options", repeatable=False),
    _write("PUT", "/enum_options/{enum_option_gid}", repeatable=True),
    # Said twice, these are refused the second time and change nothing.
    _write("POST", "/projects/{project_gid}/addCustomFieldSetting", repeatable=True),
    _write("POST", "/projects/{project_gid}/removeCustomFieldSetting", repeatable=True),
    _write("POST", "/portfolios/{portfolio_gid}/addCustomFieldSetting", repeatable=True),
    _write("POST", "/portfolios/{portfolio_gid}/removeCustomFieldSetting", repeatable=True),
)
