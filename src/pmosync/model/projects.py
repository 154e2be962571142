"""The fields and facts of a project. New ones come last: bits of those that a site can offer are kept in stores."""

from __future__ import annotations

from pmosync.model.earned import EARNED
from pmosync.model.field import ALLOCATED, BASELINED, NETWORK, Field, Type
from pmosync.model.flow import PROJECT_FLOW
from pmosync.model.words import HEALTHS, PHASES

HIGH_FLOAT_D = 44
"""Working days of total float, two months, above which a link is probably missing."""

PROJECT = (
    Field("title", Type.TEXT, "what the project is called"),
    Field("lead", Type.PERSON, "the project manager"),
    Field("start_on", Type.DATE, "planned start of the project"),
    Field("due_on", Type.DATE, "planned end of the project"),
    Field("phase", Type.OPTION, "where the project stands in its life", source="register", options=PHASES),
    Field("sponsor", Type.TEXT, "who owns the business case", source="register"),
    Field("charter_url", Type.TEXT, "where the signed charter is", source="register"),
    Field("archived", Type.YESNO, "whether the tool shows it as archived", source="core"),
    Field("tasks", Type.NUMBER, "tasks in it", source="fact"),
    Field("open_tasks", Type.NUMBER, "tasks in it that are neither done nor cancelled", source="fact"),
    Field(
        "mapping_coverage",
        Type.NUMBER,
        "share of its tasks that the mapping could read without a gap, 0 to 1; unknown in an empty project",
        source="fact",
    ),
    Field("reported_health", Type.OPTION, "how its manager reports it", options=HEALTHS),
    Field("reported_on", Type.DATE, "the day of that report"),
    Field("team", Type.TEXT, "the team that it belongs to"),
    Field("template", Type.TEXT, "what it was made from"),
    Field("has_brief", Type.YESNO, "whether it has a brief that says what it is for"),
    Field("goals", Type.NUMBER, "how many goals it serves, a strategic_goal among them", counted=True, read="goals"),
    Field("budget_h", Type.NUMBER, "the time that may be spent on it", unit="h", read="budgets"),
    Field("budget_used_h", Type.NUMBER, "the time of that budget that is used up", unit="h", read="budgets"),
    Field("budget_cost", Type.NUMBER, "the money that may be spent on it", read="budgets"),
    Field("budget_used_cost", Type.NUMBER, "the money of that budget that is used up", read="budgets"),
    Field(
        "allocated_people",
        Type.NUMBER,
        "how many people have or had time promised to it",
        source="allocations",
        observed=ALLOCATED,
    ),
    Field(
        "allocated_until_on",
        Type.DATE,
        "the last day for which time is promised to it",
        source="allocations",
        observed=ALLOCATED,
    ),
    Field(
        "missing_logic_share",
        Type.NUMBER,
        "share of its open pieces of work that lack a predecessor, a successor or both, 0 to 1; unknown when it has "
        "none, or no links are read",
        source="fact",
        observed=NETWORK,
    ),
    Field(
        "high_float_share",
        Type.NUMBER,
        f"share of its open pieces of work with a known total float that have more than {HIGH_FLOAT_D} working days of "
        "it, 0 to 1; unknown when none is known",
        source="fact",
        observed=NETWORK,
        day=True,
        calendar=True,
    ),
    Field(
        "negative_float_tasks",
        Type.NUMBER,
        "how many of its open pieces of work would miss the due date of a project that they lead to; unknown when no "
        "such date or no float is known",
        source="fact",
        observed=NETWORK,
        day=True,
        calendar=True,
        needs=("due_on",),
    ),
    Field(
        "critical_path_ok",
        Type.YESNO,
        "whether a delay of 600 working days on its critical task moves what is planned last by as much, through the "
        "links inside the project; unknown when no open work is linked, dates are missing there, or it has a circle",
        source="fact",
        observed=NETWORK,
        calendar=True,
    ),
    Field(
        "cpli",
        Type.NUMBER,
        "critical path length index: (working days to its planned end + its total float) / working days to its planned "
        "end; 1 when the plan just keeps the due date. Unknown without a due date, without open work, or when linked "
        "open work has no dates",
        source="fact",
        observed=NETWORK,
        day=True,
        calendar=True,
        needs=("due_on",),
    ),
    Field(
        "unresourced_share",
        Type.NUMBER,
        "share of its open pieces of work of a working day or longer that have no assignee, 0 to 1; unknown when none "
        "is that long or has both dates",
        source="fact",
        observed=NETWORK,
        calendar=True,
    ),
    Field("max_task_due_on", Type.DATE, "the latest due_on among its open tasks", source="fact"),
    *PROJECT_FLOW,
    Field(
        "baseline_on",
        Type.DATE,
        "the day on which its first baseline was set; empty when it has none",
        source="fact",
        observed=BASELINED,
    ),
    Field(
        "baselined_share",
        Type.NUMBER,
        "share of its open pieces of work that stand in its baseline with a due date, 0 to 1; unknown without a "
        "baseline, and when nothing is open",
        source="fact",
        observed=BASELINED,
    ),
    Field(
        "baseline_changed_on",
        Type.DATE,
        "the day on which its baseline was set again last; empty when it was set once, or never",
        source="fact",
        observed=BASELINED,
    ),
    Field(
        "last_change_approved_on",
        Type.DATE,
        "the day of the latest setting again of its baseline that a gate or an approved change stands behind; empty "
        "when there is none",
        source="fact",
        observed=BASELINED,
    ),
    Field(
        "missed_share",
        Type.NUMBER,
        "share of its pieces of work due by their baseline before today that were finished later, or are not, 0 to 1 "
        "(DCMA 11). Unknown when none was due, or nobody knows on which day one of them was finished",
        source="fact",
        observed=BASELINED,
        day=True,
    ),
    Field(
        "bei",
        Type.NUMBER,
        "baseline execution index (DCMA 14): its finished pieces of work over those that were due before today, both "
        "of those with a due date in its baseline; unknown when none was due",
        source="fact",
        observed=BASELINED,
        day=True,
    ),
    Field(
        "hit_share",
        Type.NUMBER,
        "share of its pieces of work due by their baseline within the last 28 days before today that were finished by "
        "then, 0 to 1. Unknown when none was due, or nobody knows on which day one of them was finished",
        source="fact",
        observed=BASELINED,
        day=True,
    ),
    Field(
        "scope_unit",
        Type.OPTION,
        "what its growth is counted in: hours where at least half of the baselined and half of the added work is "
        "estimated, else tasks; unknown without a baseline",
        source="fact",
        options=("hours", "tasks"),
        observed=BASELINED,
    ),
    Field(
        "scope_growth",
        Type.NUMBER,
        "what was added since its baseline over what stands in it, in estimated hours or in tasks. Only leaves count, "
        "without cancelled ones and without what was broken out of a baselined leaf; unknown without a baseline",
        source="fact",
        observed=BASELINED,
        shows=("scope_unit",),
    ),
    Field(
        "approved_change_share",
        Type.NUMBER,
        "what changes add that were approved since its baseline, over what stands in it, in the unit of scope_growth; "
        "unknown without a baseline",
        source="fact",
        observed=BASELINED,
    ),
    Field("phase_due_on", Type.DATE, "the day on which its present phase is to end", source="register"),
    Field("project_class", Type.TEXT, "its kind, by which the PMO asks more or less of it", source="register"),
    Field("lessons_url", Type.TEXT, "where its lessons learned are", source="register"),
    Field("closure_url", Type.TEXT, "where its closure report is", source="register"),
    Field("benefits_owner", Type.TEXT, "who follows up its benefits", source="register"),
    Field("strategic_goal", Type.TEXT, "the goal of the organisation that it serves", source="register"),
    Field("priority_score", Type.NUMBER, "how it was scored among the others", source="register"),
    Field("priority_scored_on", Type.DATE, "the day of that score", source="register"),
    Field("funded", Type.NUMBER, "the money that was released for it", source="register"),
    Field("spent", Type.NUMBER, "the money that was spent on it", source="register"),
    Field("path_to_green", Type.TEXT, "what brings it back, when it is not green", source="register"),
    Field("exception_url", Type.TEXT, "where the exception is that waits for a decision", source="register"),
    Field(
        "missing_mandatory_fields",
        Type.NUMBER,
        "how many of the fields that its class makes mandatory are empty; unknown where none is, and one of them is "
        "not provided",
        source="governance",
        shows=("missing_mandatory",),
    ),
    Field("missing_mandatory", Type.TEXT, "these fields", source="governance"),
    Field("tolerances", Type.TEXT, "how far it may leave its baseline, as agreed for it or its class", "governance"),
    Field(
        "tolerance_breaches",
        Type.NUMBER,
        "how many of its tolerances are exceeded by what is expected at its end, as its health is computed; "
        "unknown where none is, and one of them cannot be measured",
        source="governance",
        day=True,
        calendar=True,
        shows=("tolerances", "breached"),
    ),
    Field(
        "breached", Type.TEXT, "these tolerances, with what is expected", source="governance", day=True, calendar=True
    ),
    Field(
        "exception_reports_open",
        Type.NUMBER,
        "open tasks in it of the type exception, and one more where the register names an exception_url",
        source="governance",
    ),
    Field(
        "execution_tasks_started",
        Type.NUMBER,
        "tasks in it of the phase execution that are in progress or done",
        source="governance",
    ),
    Field(
        "gate_approved_for",
        Type.OPTION,
        "the phase that the last of its gates that was approved leads to",
        source="governance",
        options=PHASES,
    ),
    Field("gate_decision_on", Type.DATE, "the day of the latest decision about one of its gates", source="governance"),
    Field(
        "computed_health",
        Type.OPTION,
        "its health as computed from its tasks; unknown while it is grey",
        source="fact",
        options=HEALTHS,
        day=True,
        calendar=True,
    ),
    Field(
        "last_activity_on",
        Type.DATE,
        "the latest day on which anybody but pmosync changed a task in it; unknown where no histories are read",
        source="fact",
    ),
    Field(
        "next_waiver_ends_on",
        Type.DATE,
        "the last day of the waiver that ends first among those that hold for it or for a task in it",
        source="fact",
        day=True,
    ),
    *EARNED,
    Field(
        "leads",
        Type.NUMBER,
        "links between open tasks by which one begins on or before the day on which what it waits for is finished; "
        "unknown when no such link has both dates",
        source="fact",
        observed=NETWORK,
    ),
    Field(
        "lag_share",
        Type.NUMBER,
        "share of the links between open tasks with both dates that have a lag, 0 to 1: working days lie between the "
        "finish of the latest that a task waits for and its start. Unknown when no link has both dates",
        source="fact",
        observed=NETWORK,
        calendar=True,
    ),
    Field(
        "non_fs_share",
        Type.NUMBER,
        "share of the links between open tasks that are not finish to start, 0 to 1; unknown without links, and where "
        "the mapping reads no links of other types",
        source="fact",
        observed=NETWORK,
    ),
    Field(
        "hard_constraint_share",
        Type.NUMBER,
        "share of its open pieces of work whose dates are fixed or may not be later, 0 to 1; unknown where the mapping "
        "does not read date_constraint",
        source="fact",
    ),
    Field(
        "milestones_open",
        Type.NUMBER,
        "its milestones that are neither done nor cancelled",
        source="governance",
    ),
    Field(
        "longest_milestone_gap_d",
        Type.NUMBER,
        "days of the calendar in the longest time ahead without a milestone: from today to the next open one, from one "
        "to another, or from the last to the end of the project; unknown without milestones and without an end",
        source="governance",
        unit="days",
        day=True,
    ),
)
