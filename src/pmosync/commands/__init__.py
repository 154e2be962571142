"""Commands in comments: `/pmo waive SCH201 until 2026-12-15 because ...` on a task, and the answers to them.

What somebody may ask is written to the decisions folder first and answered afterwards, in our own marks on the task;
who somebody is, the account says that wrote the comment.
"""

from __future__ import annotations

from pmosync.commands.answering import Answers, answers
from pmosync.commands.hearing import ASKERS, Asker, Desk, Heard, hear

__all__ = ["ASKERS", "Answers", "Asker", "Desk", "Heard", "answers", "hear"]
