"""Gates: what has to be met before a project goes on into another phase, and how that was decided.

pmosync decides nothing here. The decision is read from the tool, from an approval or an issue that the mapping calls a
gate, or from the register; what is missing is what the standards found, what they cannot judge, and links that are not
there. What cannot be judged is missing, and says so.
"""

from __future__ import annotations

from pmosync.gates.decided import keep_decisions
from pmosync.gates.missing import keep_missing
from pmosync.gates.showing import ahead, rows, waits_for

__all__ = ["ahead", "keep_decisions", "keep_missing", "rows", "waits_for"]
