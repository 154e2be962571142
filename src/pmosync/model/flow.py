"""The fields and facts about how work flows, and about the PMO's records: risks, issues and changes."""

from __future__ import annotations

from pmosync.model.field import NETWORK, Field, Type
from pmosync.model.words import LEVELS, SPRINTS

TASK_FLOW = (
    Field(
        "started_on",
        Type.DATE,
        "the day on which work on it began; from the history, the day on which it first came to be in progress",
    ),
    Field("blocked_reason", Type.TEXT, "what blocks it"),
    Field("risk_response", Type.TEXT, "how a risk is answered: avoided, reduced, transferred or accepted"),
    Field("risk_probability", Type.OPTION, "how likely a risk is", options=LEVELS),
    Field("risk_impact", Type.OPTION, "how much it would cost if it happened", options=LEVELS),
    Field(
        "risk_score",
        Type.NUMBER,
        "how grave a risk is, 1 to 25; where no field tells it, probability × impact, each from 1 (very_low) to 5 "
        "(very_high)",
    ),
    Field("reviewed_on", Type.DATE, "the day on which it was last looked through"),
    Field("decided_on", Type.DATE, "the day on which it was decided about"),
    Field(
        "description_chars",
        Type.NUMBER,
        "how long its description is; 0 where there is none",
        unit="characters",
        measured=True,
    ),
    Field("sprint_state", Type.OPTION, "how far the sprint is that it stands in", options=SPRINTS),
    Field(
        "cycle_d",
        Type.NUMBER,
        "days of the calendar that it took, from started_on to done_on, both counted; unknown until it is done",
        source="fact",
        unit="days",
        needs=("started_on", "done_on"),
    ),
    Field(
        "age_d",
        Type.NUMBER,
        "days of the calendar since started_on, of work that is in progress or blocked; 0 on the first day",
        source="fact",
        unit="days",
        day=True,
        needs=("started_on",),
    ),
    Field(
        "blocked_d",
        Type.NUMBER,
        "days of the calendar since it came to be blocked; unknown of what is not blocked",
        source="fact",
        unit="days",
        day=True,
        needs=("status_since_at",),
    ),
    Field(
        "cycle_p85_d",
        Type.NUMBER,
        "days of the calendar within which 85 of 100 items of its type were finished in its project, among those that "
        "were finished in the 84 days before today; unknown of fewer than 11",
        source="fact",
        unit="days",
        day=True,
        needs=("started_on", "done_on"),
    ),
    Field(
        "children_started",
        Type.NUMBER,
        "how many of its children are in progress, blocked or done",
        source="fact",
        observed="children_observed",
    ),
    Field(
        "mitigations_open",
        Type.NUMBER,
        "of a risk, how many of its children and of the tasks that it waits for are neither done nor cancelled; "
        "unknown of anything else",
        source="fact",
        observed=NETWORK,
    ),
)

PROJECT_FLOW = (
    Field("wip", Type.NUMBER, "its items that are in progress or blocked", source="fact"),
    Field(
        "oldest_d",
        Type.NUMBER,
        "days of the calendar since started_on of the item that has been in progress or blocked for longest; unknown "
        "where none is, or no start is known",
        source="fact",
        unit="days",
        day=True,
    ),
    Field(
        "throughput_week",
        Type.NUMBER,
        "items finished in a week, on average over the 84 days before today (since its first item, where that came "
        "later); unknown of a project younger than 14 days, or where no finish has a day",
        source="fact",
        unit="items",
        day=True,
    ),
    Field(
        "cycle_p85_d",
        Type.NUMBER,
        "days of the calendar within which 85 of 100 items were finished, among those that were finished in the 84 "
        "days before today; unknown of fewer than 11",
        source="fact",
        unit="days",
        day=True,
    ),
    Field(
        "p50_finish_on",
        Type.DATE,
        "the day by which its open items will be finished with a chance of one half, at the pace of the 84 days before "
        "today; at most ten years ahead. Unknown where nothing is open, or fewer than 11 were finished",
        source="fact",
        day=True,
    ),
    Field(
        "p85_finish_on",
        Type.DATE,
        "the same with a chance of 85 %",
        source="fact",
        day=True,
    ),
    Field("open_risks", Type.NUMBER, "tasks of type risk that are neither done nor cancelled", source="fact"),
    Field("open_issues", Type.NUMBER, "tasks of type issue that are neither done nor cancelled", source="fact"),
    Field("open_changes", Type.NUMBER, "tasks of type change that are neither done nor cancelled", source="fact"),
    Field(
        "top_risk_score", Type.NUMBER, "the highest risk_score of its open risks; unknown where none has one", "fact"
    ),
    Field(
        "risk_exposure", Type.NUMBER, "the risk_scores of its open risks, added up; unknown where none has one", "fact"
    ),
)
