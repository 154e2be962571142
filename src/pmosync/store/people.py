"""The store's tables about people, what they have to do and can do, and about portfolios.

What is said about persons here is read by judging and by reports only: nothing of it is ever written to a tool.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from pmosync.model import Subject
from pmosync.store.tables import metadata, project, task


def _observed(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("1"))


human = Table(
    "human",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),  # the e-mail, else site/account
    Column("site", Text, nullable=False),  # whose local day is theirs: the first one by name that they are on
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("title", Text),  # their name
    Column("role", Text),
    Column("hours_per_week", Float),
    Column("days_per_week", Integer, nullable=False),
    Column("training_valid_until_on", Integer),
    Column("active", Integer),
    Column("listed", Integer, nullable=False),  # whether the people file has them
)
"""One row for everybody, however many accounts they have."""

account = Table(
    "account",
    metadata,
    Column("site", Text, nullable=False),
    Column("rid", Text, nullable=False),
    Column("human_id", Integer, nullable=False),
    PrimaryKeyConstraint("site", "rid"),
    Index("account_human", "human_id"),
)
"""Whose account it is."""

absence = Table(
    "absence",
    metadata,
    Column("human_id", Integer, nullable=False),
    Column("start_on", Integer, nullable=False),
    Column("end_on", Integer, nullable=False),  # included; absences of one person never overlap
    PrimaryKeyConstraint("human_id", "start_on"),
)

human_fact = Table(
    "human_fact",
    metadata,
    Column("human_id", Integer, primary_key=True),
    Column("tasks", Integer, nullable=False),  # open or not
    Column("open_tasks", Integer, nullable=False),
    Column("wip", Integer, nullable=False),
    Column("planned_tasks", Integer, nullable=False),
    Column("unplanned_tasks", Integer, nullable=False),
    _observed("work_observed"),
)

period = Table(
    "period",
    metadata,
    Column("kind", Text, nullable=False),  # week | month
    Column("no", Integer, nullable=False),  # counted from 1970 on
    Column("label", Text, nullable=False),
    Column("start_on", Integer, nullable=False),  # what it is called by
    Column("from_on", Integer, nullable=False),  # from where on it is counted: never before this week
    Column("to_on", Integer, nullable=False),
    Column("before_w", Integer, nullable=False),  # working days up to the day before it, and up to its last day
    Column("last_w", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "no"),
)
"""The weeks and months ahead that load is computed for; they move on with the first week of the calendar."""

person_week = Table(
    "person_week",
    metadata,
    Column("id", Integer, primary_key=True),  # of the person and the week
    Column("human_id", Integer, nullable=False),
    Column("site", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("title", Text),
    Column("week_on", Integer, nullable=False),
    Column("role", Text),
    Column("listed", Integer, nullable=False),
    Column("allocated_h", Float),
    Column("requested_h", Float),
    Column("capacity_h", Float),
    Column("promised_h", Float),
    _observed("work_observed"),
    _observed("promises_observed"),
    Index("person_week_human", "human_id"),
)

person_month = Table(
    "person_month",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("human_id", Integer, nullable=False),
    Column("month_on", Integer, nullable=False),
    Column("no", Integer, nullable=False),
    Column("role", Text),
    Column("allocated_h", Float),
    Column("requested_h", Float),
    Column("capacity_h", Float),
    _observed("work_observed"),
    Index("person_month_human", "human_id"),
    Index("person_month_role", "role"),
)
"""What the months of a role are made of."""

role = Table("role", metadata, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))
"""Numbers of roles, so that the months of a role keep theirs."""

role_month = Table(
    "role_month",
    metadata,
    Column("id", Integer, primary_key=True),  # of the role and the month
    Column("site", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("title", Text),
    Column("month_on", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("people", Integer, nullable=False),
    Column("demand_h", Float),
    Column("requested_h", Float),
    Column("capacity_h", Float),
    _observed("work_observed"),
)

portfolio = Table(
    "portfolio",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),  # its id in the register
    Column("site", Text, nullable=False),  # the first one by name that a project of it is on
    Column("url", Text, nullable=False, server_default=""),
    Column("title", Text),
    Column("projects", Integer, nullable=False),
    Column("open_tasks", Integer, nullable=False),
    Column("top_priority_share", Float),
    Column("reported_red_share", Float),
    _observed("projects_observed"),
    UniqueConstraint("key"),
)

SUBJECT_TABLES: Mapping[Subject, Table] = {
    "task": task,
    "project": project,
    "person": human,
    "person_week": person_week,
    "role_month": role_month,
    "portfolio": portfolio,
}
"""Each with the number, the site, the key, the page and the title of what standards are about."""
