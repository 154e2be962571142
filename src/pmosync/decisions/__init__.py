"""What people decided: waivers, disputes, accepted findings, baselines, approvals of plans that the guard held back.

Decisions are text under version control, in files that only grow: pmosync appends whole entries and never rewrites what
stands there. One that is not clear does not count; it is reported with file and line, and the run goes on.
"""

from __future__ import annotations

from pmosync.decisions.accepted import ACCEPTED, Accepted, Debt, keep_accepted, put_right, read_accepted
from pmosync.decisions.approvals import APPROVALS, Approval, append_approval, read_approvals
from pmosync.decisions.baselines import Baselines, keep_baselines, read_baselines
from pmosync.decisions.disputes import DISPUTES, Dispute, read_disputes
from pmosync.decisions.waivers import LONGEST_DAYS, WAIVERS, Terms, Waiver, Waivers, read_waivers

__all__ = [
    "ACCEPTED",
    "APPROVALS",
    "DISPUTES",
    "LONGEST_DAYS",
    "WAIVERS",
    "Accepted",
    "Approval",
    "Baselines",
    "Debt",
    "Dispute",
    "Terms",
    "Waiver",
    "Waivers",
    "append_approval",
    "keep_accepted",
    "keep_baselines",
    "put_right",
    "read_accepted",
    "read_approvals",
    "read_baselines",
    "read_disputes",
    "read_waivers",
]
