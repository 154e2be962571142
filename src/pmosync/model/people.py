"""The fields of people, of their weeks, of the months of a role, and of portfolios. All of them are computed."""

from __future__ import annotations

from pmosync.model.field import Field, Type

WORK = "work_observed"
"""Whether all the work was observed that somebody has."""
PROJECTS = "projects_observed"
"""Whether all the projects of a portfolio were."""

PERSON = (
    Field("role", Type.TEXT, "what they work as, by the people file", source="people"),
    Field(
        "hours_per_week",
        Type.NUMBER,
        "working hours a week, by the people file or the configuration; unknown where neither says",
        source="fact",
        unit="h",
    ),
    Field(
        "training_valid_until_on",
        Type.DATE,
        "the last day for which the people file says that they are trained",
        source="people",
    ),
    Field(
        "active",
        Type.YESNO,
        "whether any of their accounts is active; unknown where no tool says",
        source="fact",
    ),
    Field(
        "open_tasks",
        Type.NUMBER,
        "tasks that they are assigned to and that are neither done nor cancelled, on all sites together",
        source="fact",
        observed=WORK,
    ),
    Field(
        "wip",
        Type.NUMBER,
        "those of them that are in progress, without milestones, requests and tasks that have children",
        source="fact",
        observed=WORK,
    ),
    Field(
        "unplanned_tasks",
        Type.NUMBER,
        "open tasks of theirs that no week can be given, because the estimate or due_on is missing",
        source="fact",
        observed=WORK,
        calendar=True,
    ),
)

PERSON_WEEK = (
    Field("week_on", Type.DATE, "the Monday of the week: of this one, or of one of the eleven after it", source="fact"),
    Field("role", Type.TEXT, "what they work as, by the people file", source="people"),
    Field(
        "allocated_h",
        Type.NUMBER,
        "what is left of their work, as far as its dates put it into this week; unknown while none of their open "
        "tasks has both an estimate and a due_on",
        source="fact",
        unit="h",
        observed=WORK,
        day=True,
        calendar=True,
        shows=("week_on", "promised_h"),
    ),
    Field(
        "capacity_h",
        Type.NUMBER,
        "working hours of the week without holidays and absences; unknown where nobody says how long they work",
        source="fact",
        unit="h",
        day=True,
        calendar=True,
        shows=("week_on",),
    ),
    Field(
        "promised_h",
        Type.NUMBER,
        "the time of the week that is promised to projects; unknown where none is",
        source="fact",
        unit="h",
        observed="promises_observed",
        day=True,
        calendar=True,
    ),
)

ROLE_MONTH = (
    Field("month_on", Type.DATE, "the first day of the month: of this one, or of one of the three after it", "fact"),
    Field("role", Type.TEXT, "what these people work as, by the people file", source="fact"),
    Field("people", Type.NUMBER, "how many people work as that", source="fact"),
    Field(
        "demand_h",
        Type.NUMBER,
        "what is left of the work of these people, as far as its dates put it into this month, without requests; "
        "unknown while no open task of theirs has both an estimate and a due_on",
        source="fact",
        unit="h",
        observed=WORK,
        day=True,
        calendar=True,
        shows=("month_on", "role", "requested_h", "people"),
    ),
    Field(
        "requested_h",
        Type.NUMBER,
        "the same of their open requests, which would come on top if all of them were accepted",
        source="fact",
        unit="h",
        observed=WORK,
        day=True,
        calendar=True,
        shows=("month_on", "role"),
    ),
    Field(
        "capacity_h",
        Type.NUMBER,
        "working hours of these people in the month without holidays and absences; unknown when it is of one of them",
        source="fact",
        unit="h",
        day=True,
        calendar=True,
        shows=("month_on", "role"),
    ),
)

PORTFOLIO = (
    Field("projects", Type.NUMBER, "projects in it", source="fact"),
    Field(
        "open_tasks",
        Type.NUMBER,
        "tasks in its projects that are neither done nor cancelled",
        source="fact",
        observed=PROJECTS,
    ),
    Field(
        "top_priority_share",
        Type.NUMBER,
        "share of its open tasks with a known priority whose priority is critical, 0 to 1; unknown when none is known",
        source="fact",
        observed=PROJECTS,
        shows=("open_tasks", "projects"),
    ),
    Field(
        "reported_red_share",
        Type.NUMBER,
        "share of its projects with a reported health that are reported red, 0 to 1; unknown when none is reported",
        source="fact",
        observed=PROJECTS,
        shows=("projects",),
    ),
)
