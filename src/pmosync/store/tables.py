"""The store's tables: what was pulled, what was made of it, what we want to stand in the tools and what stands there.

Everything except `mark` (what we wrote, and meant to write) is derived and can be rebuilt from the tools. Days are
numbers (days since 1970-01-01), instants are microseconds UTC, yes/no is 0 or 1, options are the model's words.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()


def _flag(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text(str(default)))


meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
"""Schema version, and the hashes of what the last judging was made from."""

site = Table(
    "site",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cursor", Text),
    Column("mapping", Text),  # hash of the mapping that the tasks were made with
    Column("pulled_at", BigInteger),
    Column("proven_at", BigInteger),  # the last complete pull
    Column("today", Integer),  # the local day that was judged last
    Column("today_w", Integer),
    Column("yesterday_w", Integer),  # of the day before: from there the work of today is counted
    Column("trouble", Text),  # why the whole site is unobserved; empty when it is not
    _flag("worklogs_observed", 1),  # whether the time booked on it is; 1 as well where nobody asks for it
    _flag("allocations_observed", 1),  # the same of the time promised to projects
    _flag("projects_observed", 1),  # whether all its projects are, so that what is not there can be called missing
)

scope = Table(
    "scope",
    metadata,
    Column("site", Text, nullable=False),
    Column("scope", Text, nullable=False),
    _flag("observed"),
    Column("why", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("site", "scope"),
)

record = Table(
    "record",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rid", Text, nullable=False),  # the tool's id
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("hash", Text, nullable=False),  # of what people can change: values, key, scopes, history; never of marks
    Column("body", Text, nullable=False),  # the values as pulled
    _flag("gone"),
    _flag("dirty", 1),  # not normalised yet
    Column("history", Text),  # the moves as pulled; NULL: none were asked for
    Column("fate", Text, nullable=False, server_default=""),  # of one that is gone: what became of it, if known
    UniqueConstraint("site", "kind", "rid"),
    Index("record_dirty", "dirty", sqlite_where=text("dirty = 1"), postgresql_where=text("dirty = 1")),
)

record_scope = Table(
    "record_scope",
    metadata,
    Column("record_id", Integer, nullable=False),
    Column("scope", Text, nullable=False),
    PrimaryKeyConstraint("record_id", "scope"),
    Index("record_scope_scope", "scope"),
)

project = Table(
    "project",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),  # the register's id, else site/id
    Column("site", Text, nullable=False),  # whose local day is its day
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text),
    Column("lead", Text),
    Column("start_on", Integer),
    Column("due_on", Integer),
    Column("phase", Text),
    Column("sponsor", Text),
    Column("charter_url", Text),
    Column("program", Text),  # its id in the register, or made of the name that the register gives
    Column("portfolio", Text),
    _flag("archived"),
    _flag("mode"),  # how hard standards in general are asked: 0 observe, 1 advise, 2 require
    Column("policy", Text, nullable=False, server_default=""),  # how hard each standard is asked: see `asked`
    Column("offered", BigInteger, nullable=False, server_default=text("0")),  # bit per project field
    Column("task_offered", BigInteger, nullable=False, server_default=text("0")),  # bit per task field
    _flag("observed", 1),
    _flag("seq"),  # grows whenever data in it changed
    Column("reported_health", Text),
    Column("baseline_due_on", Integer),
    Column("baseline_tasks", Integer),
    Column("baseline_effort_h", Float),
    Column("reported_on", Integer),
    Column("team", Text),
    Column("template", Text),
    Column("has_brief", Integer),
    Column("goals", Float),
    Column("budget_h", Float),
    Column("budget_used_h", Float),
    Column("budget_cost", Float),
    Column("budget_used_cost", Float),
    _flag("has_epics"),  # whether any of its tasks is of that type
    Column("phase_due_on", Integer),
    Column("project_class", Text),
    Column("lessons_url", Text),
    Column("closure_url", Text),
    Column("benefits_owner", Text),
    Column("strategic_goal", Text),
    Column("priority_score", Float),
    Column("priority_scored_on", Integer),
    Column("funded", Float),
    Column("spent", Float),
    Column("path_to_green", Text),
    Column("exception_url", Text),
    Column("missing_mandatory_fields", Integer),
    Column("missing_mandatory", Text),
    Column("tolerances", Text),
    Column("tolerance_time_d", Integer),
    Column("tolerance_cost_share", Float),
    Column("tolerance_scope_share", Float),
    Column("hour_cost", Float),  # what an hour of the baseline costs; NULL: earned value is counted in hours
    _flag("half_when_begun"),  # whether begun work counts half, where no share is told; else nothing
)

project_gate = Table(
    "project_gate",
    metadata,
    Column("project_id", Integer, nullable=False),
    Column("gate", Text, nullable=False),  # its id
    Column("position", Integer, nullable=False),  # among the gates that the project passes
    Column("opens", Text, nullable=False),  # the phase that it leads to
    Column("decision", Text),  # NULL: none yet
    Column("decided_on", Integer),
    Column("decided_by", Text),
    Column("record", Text),  # the task that holds the decision, as site/KEY
    Column("url", Text),
    Column("void", Text),  # a decision of somebody who does not decide, in words
    Column("missing", Text),  # what is missing, as JSON; NULL once it is approved
    PrimaryKeyConstraint("project_id", "gate"),
)
"""The gates that each project passes, and how each was decided."""

project_health = Table(
    "project_health",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("computed_health", Text),
    Column("tolerance_breaches", Integer),
    Column("breached", Text),
)
"""What the figures of a project say on the day that was judged last."""

container = Table(
    "container",
    metadata,
    Column("record_id", Integer, primary_key=True),  # a project record of a tool
    Column("project_id", Integer, nullable=False),
    Column("site", Text, nullable=False),
    Column("rid", Text, nullable=False),
    UniqueConstraint("site", "rid"),
    Index("container_project", "project_id"),
)

task = Table(
    "task",
    metadata,
    Column("id", Integer, primary_key=True),  # the record's id
    Column("site", Text, nullable=False),
    Column("rid", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("project_id", Integer),
    Column("title", Text),
    Column("status", Text),
    Column("type", Text),
    Column("priority", Text),
    Column("assignee", Text),
    Column("start_on", Integer),
    Column("due_on", Integer),
    Column("done_on", Integer),
    Column("created_at", BigInteger),
    Column("created_day", Integer),
    Column("estimate_h", Float),
    Column("spent_h", Float),
    Column("resolution", Text),
    Column("parent", Text),  # the tool's id of the parent
    Column("status_mapped", Integer),
    Column("offered", BigInteger, nullable=False, server_default=text("0")),
    _flag("gaps"),
    _flag("observed", 1),
    Column("updated_at", BigInteger),
    Column("updated_day", Integer),
    Column("status_since_at", BigInteger),
    Column("status_since_day", Integer),
    Column("due_moves", Integer),
    Column("reopenings", Integer),
    _flag("linkable", 1),  # whether links are read there
    _flag("links_typed"),  # whether links of other types than finish to start are
    Column("started_on", Integer),
    Column("blocked_reason", Text),
    Column("risk_response", Text),
    Column("risk_probability", Text),
    Column("risk_impact", Text),
    Column("risk_score", Float),
    Column("reviewed_on", Integer),
    Column("decided_on", Integer),
    Column("description_chars", Float),
    Column("sprint_state", Text),
    Column("phase", Text),
    Column("decision", Text),
    Column("percent_done", Float),
    Column("date_constraint", Text),
    UniqueConstraint("site", "rid"),
    Index("task_parent", "site", "parent"),
    Index("task_project_id", "project_id"),
    Index("task_title", "project_id", "title"),
    Index("task_assignee", "site", "assignee"),
    Index("task_gate", "type", sqlite_where=text("type = 'gate'"), postgresql_where=text("type = 'gate'")),
)

task_project = Table(
    "task_project",
    metadata,
    Column("task_id", Integer, nullable=False),
    Column("project_id", Integer, nullable=False),
    PrimaryKeyConstraint("task_id", "project_id"),
    Index("task_project_project", "project_id"),
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", Text, nullable=False),
    Column("rid", Text, nullable=False),
    Column("name", Text),
    Column("email", Text),
    Column("active", Integer),
    UniqueConstraint("site", "rid"),
)

link = Table(
    "link",
    metadata,
    Column("owner_id", Integer, nullable=False),  # the record that told us; both ends may
    Column("site", Text, nullable=False),
    Column("pred", Text, nullable=False),
    Column("succ", Text, nullable=False),
    PrimaryKeyConstraint("owner_id", "pred", "succ"),
    Index("link_pred", "site", "pred"),
    Index("link_succ", "site", "succ"),
)

other_link = Table(
    "other_link",
    metadata,
    Column("owner_id", Integer, nullable=False),  # as in `link`
    Column("site", Text, nullable=False),
    Column("pred", Text, nullable=False),
    Column("succ", Text, nullable=False),
    Column("type", Text, nullable=False),
    PrimaryKeyConstraint("owner_id", "pred", "succ", "type"),
    Index("other_link_pred", "site", "pred"),
    Index("other_link_succ", "site", "succ"),
)
"""Links of other types than finish to start: they are counted, and move no date."""

task_move = Table(
    "task_move",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("task_id", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("field", Text, nullable=False),
    Column("before", Text),  # as text: an option, an ISO date, a number, the tool's id of a person or task
    Column("after", Text),
    Column("by", Text),  # the tool's id of the person
    Index("task_move_task", "task_id"),
)
"""The history of tasks in the words of the model, where the mapping reads it; NULL is empty, or not known."""

worklog = Table(
    "worklog",
    metadata,
    Column("id", Integer, primary_key=True),  # the record's id
    Column("site", Text, nullable=False),
    Column("task", Text, nullable=False),  # the tool's id of the task
    Column("person", Text),
    Column("at", BigInteger),  # NULL: the tool tells the day alone
    Column("day", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Index("worklog_task", "site", "task"),
)
"""The time booked on tasks, entry by entry, where the mapping reads it."""

allocation = Table(
    "allocation",
    metadata,
    Column("id", Integer, primary_key=True),  # the record's id
    Column("site", Text, nullable=False),
    Column("project", Text, nullable=False),  # the tool's id of the project
    Column("person", Text),  # NULL: nobody is named
    Column("start_on", Integer, nullable=False),
    Column("end_on", Integer, nullable=False),  # included
    Column("share", Float),  # of the person's working time; either this or the next
    Column("weekly_s", Float),
    Index("allocation_project", "site", "project"),
)
"""The time of people that is promised to projects, entry by entry, where the mapping reads it."""

project_baseline = Table(
    "project_baseline",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("file", Text, nullable=False),  # the one that counts; empty: none is clear
    Column("hash", Text, nullable=False),
    Column("set_on", Integer),
    Column("first_set_on", Integer),
    Column("changed_on", Integer),  # when it was set again last; NULL: it was set once
    Column("decided_on", Integer),  # the latest setting again that a gate or an approved change stands behind
    Column("due_on", Integer),
    Column("budget_h", Float),
    Column("budget_cost", Float),
    Column("tasks", Integer),
    Column("leaves", Integer),  # tasks that were nobody's parent
    Column("estimated", Integer),  # those of them with an estimate
    Column("effort_h", Float),  # the estimates of those
    Column("changes_tasks", Integer),  # what changes in the register add that were approved since
    Column("changes_h", Float),
    _flag("observed", 1),  # 0: a file about it is not clear
)
"""The baseline that counts of each project that has one, read from the decisions folder."""

task_baseline = Table(
    "task_baseline",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project_id", Integer, nullable=False),  # whose baseline it is
    Column("task_id", Integer),  # NULL: the task is not there (any more)
    Column("site", Text, nullable=False),
    Column("rid", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("type", Text),
    _flag("work"),  # a piece of work: no milestone, no summary, no sub-task
    _flag("leaf"),  # nobody's parent
    Column("start_on", Integer),
    Column("due_on", Integer),
    Column("estimate_h", Float),
    Index("task_baseline_task", "task_id"),
    Index("task_baseline_rid", "site", "rid"),
    Index("task_baseline_project", "project_id"),
)
"""The tasks of those baselines. A task of several projects may stand in the baseline of each."""

project_scope = Table(
    "project_scope",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("work", Integer, nullable=False),  # open pieces of work
    Column("baselined", Integer, nullable=False),  # those of them that have a due date in the baseline
    Column("added", Integer, nullable=False),  # planned leaves that are not in it, nor under a leaf of it
    Column("added_estimated", Integer, nullable=False),
    Column("added_h", Float, nullable=False),
    Column("change_tasks", Integer, nullable=False),  # what changes add that were approved since, in the tools
    Column("change_h", Float, nullable=False),
)
"""What became of the plan of each project with a baseline; made with the facts."""

gap = Table(
    "gap",
    metadata,
    Column("record_id", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("tool_field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("why", Text, nullable=False),
    Index("gap_record", "record_id"),
)

task_fact = Table(
    "task_fact",
    metadata,
    Column("task_id", Integer, primary_key=True),
    Column("assignee_active", Integer),
    Column("due_w", Integer),
    Column("children", Integer, nullable=False),
    Column("children_open", Integer, nullable=False),
    Column("children_observed", Integer, nullable=False),
    Column("open_preds", Integer, nullable=False),
    Column("latest_pred_due_on", Integer),
    Column("preds_observed", Integer, nullable=False),
    Column("in_cycle", Integer, nullable=False),
    Column("cycle", Text),
    Column("cycle_observed", Integer, nullable=False),
    Column("logged_h", Float),
    Column("logged_on", Integer),
    Column("missing_pred", Integer),  # NULL where it is no open piece of work, or no links are read
    Column("missing_succ", Integer),
    Column("workdays", Integer),  # working days from start_on to due_on, both counted
    _flag("is_work"),  # an open task that is no milestone and no summary
    Column("finish_w", Integer),  # these six as in task_network; without links, by its own dates
    Column("least_w", Integer),
    Column("late_w", Integer),
    Column("after_w", Integer),
    Column("end_w", Integer),
    Column("end_least_w", Integer),
    _flag("network_observed", 1),
    Column("parent_found", Integer),
    Column("parent_due_on", Integer),
    _flag("parent_observed", 1),
    Column("last_child_done_on", Integer),
    _flag("undated_external_preds"),
    _flag("dup_titles"),
    _flag("titles_observed", 1),
    Column("due_is_workday", Integer),
    _flag("children_started"),
    Column("mitigations_open", Integer),
    Column("baseline_start_on", Integer),
    Column("baseline_due_on", Integer),
    Column("baseline_estimate_h", Float),
    Column("slip_d", Integer),
    _flag("baseline_observed", 1),
    Column("owner_absent_d", Integer),
    _flag("dated_links"),  # from open tasks that it waits for, where it has a start and they a finish
    _flag("leads"),  # those of them by which it begins before the other is finished
    _flag("lags"),  # 1 when working days lie between the latest of them and its start
    _flag("other_links"),  # from open tasks, of other types than finish to start
)

project_pace = Table(
    "project_pace",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("day", Integer, nullable=False),  # the local day that it was computed for
    Column("inputs", Text, nullable=False),  # what it was computed from: items left, and those finished on each day
    Column("throughput_week", Float),
    Column("p50_finish_on", Integer),
    Column("p85_finish_on", Integer),
)
"""How fast a project is, and when it will be finished at that pace: see `pmosync.flow`."""

type_pace = Table(
    "type_pace",
    metadata,
    Column("project_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("cycle_p85_d", Integer, nullable=False),
    PrimaryKeyConstraint("project_id", "type"),
)
"""Within how many days most items of a type are finished in a project, on the day that `project_pace` tells."""

task_network = Table(
    "task_network",
    metadata,
    Column("task_id", Integer, primary_key=True),
    Column("chain", Integer, nullable=False),  # the lowest task of its group of linked tasks
    Column("finish_w", Integer),
    Column("least_w", Integer),
    Column("late_w", Integer),
    Column("after_w", Integer),
    Column("end_w", Integer),
    Column("end_least_w", Integer),
    _flag("observed", 1),
    Index("task_network_chain", "chain"),
)
"""Tasks with links, and where the open ones stand in the network: see `pmosync.network.Place`."""

project_network = Table(
    "project_network",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("due_on", Integer),  # that the places of its tasks were computed with
    Column("critical_path_ok", Integer),
)

task_cycle = Table(
    "task_cycle",
    metadata,
    Column("task_id", Integer, primary_key=True),
    Column("cycle", Text, nullable=False),
    Column("observed", Integer, nullable=False),
)
"""Tasks that stand in a circle of links; made by the network pass whenever links change."""

project_fact = Table(
    "project_fact",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("tasks", Integer, nullable=False),
    Column("open_tasks", Integer, nullable=False),
    Column("mapping_coverage", Float),
    Column("allocated_people", Integer),
    Column("allocated_until_on", Integer),
    _flag("allocations_observed", 1),
    Column("missing_logic_share", Float),
    Column("unresourced_share", Float),
    Column("critical_path_ok", Integer),
    Column("due_w", Integer),
    Column("end_w", Integer),  # when the last of it is finished, as `finish_w` and `least_w` of a task say it
    Column("end_least_w", Integer),
    _flag("network_observed", 1),
    Column("max_task_due_on", Integer),
    _flag("wip"),
    Column("oldest_started_on", Integer),
    _flag("open_risks"),
    _flag("open_issues"),
    _flag("open_changes"),
    Column("top_risk_score", Float),
    Column("risk_exposure", Float),
    Column("baseline_on", Integer),
    Column("baselined_share", Float),
    Column("baseline_changed_on", Integer),
    Column("last_change_approved_on", Integer),
    Column("scope_unit", Text),
    Column("scope_growth", Float),
    Column("approved_change_share", Float),
    _flag("baseline_observed", 1),
    Column("execution_tasks_started", Integer),
    Column("exception_reports_open", Integer),
    Column("last_activity_on", Integer),
    _flag("top_tasks"),  # open ones of the highest priority, and those whose priority is known
    _flag("ranked_tasks"),
    Column("leads", Integer),
    Column("lag_share", Float),
    Column("non_fs_share", Float),
    Column("hard_constraint_share", Float),
    _flag("milestones_open"),
)

project_earned = Table(
    "project_earned",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("unit", Text),  # h | money; NULL: there is no budget
    Column("bac", Float),  # in hours, or in money where an hour has a cost; so are all but the shares and indices
    Column("ev", Float),
    Column("ac", Float),
    Column("cv", Float),
    Column("cpi", Float),
    Column("eac", Float),
    Column("eac_own", Float),
    Column("etc", Float),
    Column("vac", Float),
    Column("vac_share", Float),
    Column("tcpi_bac", Float),
    Column("tcpi_eac", Float),
    Column("es_weeks", Float),
    Column("plan_begin_on", Integer),  # the first and the last planned day; NULL where the plan has no curve
    Column("plan_end_on", Integer),
    Column("ev_last_on", Integer),
    Column("ac_last_on", Integer),
    _flag("earned_observed", 1),
    _flag("cost_observed", 1),
)
"""Earned value of the projects that have a baseline: see `pmosync.earned`."""

project_pv = Table(
    "project_pv",
    metadata,
    Column("project_id", Integer, nullable=False),
    Column("at_w", Integer, nullable=False),
    Column("pv", Float, nullable=False),
    Column("slope", Float, nullable=False),  # what each working day from here on adds, up to the next bend
    PrimaryKeyConstraint("project_id", "at_w"),
)
"""Planned value as a curve: its bends."""

calendar = Table(
    "calendar",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("n", Integer, nullable=False),  # working days up to and including this day
)

standard_bit = Table(
    "standard_bit", metadata, Column("standard", Text, primary_key=True), Column("bit", Integer, nullable=False)
)
"""Two bits of the verdict masks belong to a standard for good."""

asked = Table(
    "asked",
    metadata,
    Column("policy", Text, nullable=False),
    Column("standard", Text, nullable=False),
    Column("mode", Integer, nullable=False),  # 0 observe, 1 advise, 2 require
    Column("began", Integer),  # the first day that it is required; NULL: always
    Column("persist_d", Integer, nullable=False),
    Column("fix_within_d", Integer, nullable=False),
    PrimaryKeyConstraint("policy", "standard"),
)
"""How hard each standard is asked of the projects that share a policy."""

standard_state = Table(
    "standard_state",
    metadata,
    Column("standard", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("trouble", Text, nullable=False, server_default=""),  # why it was switched off
    Column("subject", Text, nullable=False, server_default=""),  # empty: an older version judged by it
)

blind = Table(
    "blind",
    metadata,
    Column("project_id", Integer, nullable=False),
    Column("standard", Text, nullable=False),
    Column("fields", Text, nullable=False),
    PrimaryKeyConstraint("standard", "project_id"),
)

PER_MASK = 30
"""Standards in one mask: two bits each stay clear of the sign of a 64-bit number."""
MASKS = ("mask_0", "mask_1", "mask_2", "mask_3")
"""The masks of one row: more than a hundred standards are asked of a subject in one go."""


def _masks(name: str) -> Table:
    """A table of masks. The row with part 0 has the first four masks of its subject, and so on."""
    return Table(
        name,
        metadata,
        Column("subject", Text, nullable=False),
        Column("subject_id", Integer, nullable=False),
        Column("part", Integer, nullable=False),
        *(Column(mask, BigInteger) for mask in MASKS),  # NULL: none of its standards is about such subjects
        PrimaryKeyConstraint("subject", "subject_id", "part"),
        sqlite_with_rowid=False,
    )


verdict = _masks("verdict")
"""What each standard says of each subject; see `place_of`."""

fresh = _masks("fresh")
"""The rows that this cycle found otherwise than they stand in `verdict`; empty between cycles. It is not kept in
memory: the first time it has all rows."""


def place_of(bit: int) -> tuple[int, str, int]:
    """Where the verdict of a standard is: the part, the column, and the first of two bits."""
    mask, at = divmod(bit, PER_MASK)
    return mask // len(MASKS), MASKS[mask % len(MASKS)], 2 * at


finding = Table(
    "finding",
    metadata,
    Column("subject", Text, nullable=False),
    Column("subject_id", Integer, nullable=False),
    Column("standard", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("state", Text, nullable=False),  # new | open | escalated | waived | accepted | resolved
    Column("since", Integer, nullable=False),
    Column("resolved_on", Integer),
    Column("waived_until", Integer),
    Column("evidence", Text, nullable=False, server_default="{}"),
    Column("causes", Text, nullable=False, server_default=""),
    _flag("mode"),  # how hard it is asked: 0 observe, 1 advise, 2 require
    Column("step", Integer),  # of the notice ladder, see `pmosync.ladder`; NULL: not known yet
    Column("climb_w", Integer),  # the working-day index from which it climbs; NULL: it does not
    Column("accepted_on", Integer),
    Column("acceptance_ended", Integer),  # the day of the acceptance that ended when it was put right
    PrimaryKeyConstraint("subject", "subject_id", "standard"),
    Index("finding_state", "state"),
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_id", Integer, nullable=False),
    Column("standard", Text, nullable=False),
    Column("was", Text, nullable=False),
    Column("now", Text, nullable=False),
    Column("causes", Text, nullable=False),
    Index("event_subject", "subject", "subject_id"),
)
"""What happened to findings, one row a change, with its causes."""

waiver = Table(
    "waiver",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("waiver", Text, nullable=False),  # its id in the decisions file
    Column("covers", Text, nullable=False),  # subject | project | program | portfolio | where
    Column("site", Text, nullable=False),  # of a subject or project
    Column("key", Text, nullable=False),  # of the subject or project in the tool; of a program or portfolio its id
    Column("predicate", Text, nullable=False),  # empty: all that it covers
    Column("about", Text, nullable=False),  # what the predicate is about: task | project
    Column("standard", Text, nullable=False),  # an id, or the letters that ids begin with
    Column("approved_on", Integer, nullable=False),  # the first day that it holds
    Column("until", Integer, nullable=False),  # the last day that it holds
    Column("reason", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("scope", Text, nullable=False),  # whom it is about, in words
)
"""The approved waivers of the decisions file, read anew in every cycle."""

dispute = Table(
    "dispute",
    metadata,
    Column("dispute", Text, primary_key=True),  # its id in the decisions file
    Column("standard", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("key", Text, nullable=False),  # of the task or project in the tool, or its id
    Column("reason", Text, nullable=False),
    Index("dispute_subject", "site", "key", "standard"),
)
"""The disputes of the decisions file, read anew in every cycle."""

acceptance = Table(
    "acceptance",
    metadata,
    Column("subject", Text, nullable=False),
    Column("site", Text, nullable=False),  # of a task; of a project empty
    Column("name", Text, nullable=False),  # the tool's id of a task, the uid of a project
    Column("standard", Text, nullable=False),
    Column("accepted_on", Integer, nullable=False),
    PrimaryKeyConstraint("subject", "site", "name", "standard"),
)
"""The findings that the decisions file says are accepted, and were never put right."""

waiver_subject = Table(
    "waiver_subject",
    metadata,
    Column("about", Text, nullable=False),
    Column("predicate", Text, nullable=False),
    Column("subject_id", Integer, nullable=False),
    PrimaryKeyConstraint("about", "predicate", "subject_id"),
)
"""What the predicates of waivers are true of."""

waiver_project = Table(
    "waiver_project",
    metadata,
    Column("project_id", Integer, nullable=False),
    Column("waiver_id", Integer, nullable=False),  # of a row in `waiver`
    PrimaryKeyConstraint("project_id", "waiver_id"),
)
"""The projects that waivers are about, or about tasks in them; kept where a standard asks when waivers end."""

wanted = Table(
    "wanted",
    metadata,
    Column("site", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("rid", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=""),  # the home of a rollup
    Column("title", Text, nullable=False, server_default=""),
    _flag("seq"),  # of a rollup: grows whenever data in it changed
    Column("told", Text, nullable=False, server_default=""),  # what answers in it are made from, by hashes
    PrimaryKeyConstraint("site", "subject", "rid", "slot"),
)
"""The marks that should stand; a slot without a row should be empty."""

mark = Table(
    "mark",
    metadata,
    Column("site", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("rid", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("there", Text),  # what stood there when it was last read or written
    Column("wrote", Text),  # what we wrote last, as the tool had it afterwards
    Column("intent", Text),  # what we were about to write when we last began
    Column("intent_at", BigInteger),  # when that was, until its fate is known
    _flag("written"),  # whether we ever wrote or recognised something there
    _flag("contests"),  # how often somebody changed it since `contest_day`
    Column("contest_day", Integer),
    Column("why", Text, nullable=False, server_default=""),  # why it could not be read
    Column("event_id", Integer, nullable=False, server_default=text("0")),  # the last event that it tells
    Column("inputs", Text, nullable=False, server_default=""),  # what the written value was made from, by hashes
    Column("wrote_on", Integer),  # the site's day of our last writing; NULL: not known
    Column("later_on", Integer),  # the day on which the tool's connector put a writing off
    Column("later", Text, nullable=False, server_default=""),  # why it did
    PrimaryKeyConstraint("site", "subject", "rid", "slot"),
)

limitation = Table(
    "limitation",
    metadata,
    Column("site", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("site", "project", "slot"),
)

scratch = MetaData()
"""Tables that live for one transaction."""

touched = Table(
    "touched",
    scratch,
    Column("subject", Text, nullable=False),
    Column("subject_id", Integer, nullable=False),
    _flag("data"),  # because a record changed (else because a mapping did)
    _flag("seed"),  # changed itself (else the neighbour of one that did)
    PrimaryKeyConstraint("subject", "subject_id"),
    prefixes=["TEMPORARY"],
)
"""Subjects that this cycle has to look at again."""

linked = Table(
    "linked",
    scratch,
    Column("task_id", Integer, primary_key=True),
    prefixes=["TEMPORARY"],
)
"""Tasks of the groups that the network pass looks at."""

census = Table(
    "census",
    scratch,
    Column("rid", Text, primary_key=True),
    prefixes=["TEMPORARY"],
)
"""The ids that a complete pull saw."""
