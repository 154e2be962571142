"""The verbs about where the counting begins: what was accepted when a standard was first asked, what was planned.

What they decide is appended to the decisions folder and never rewritten.
"""

from __future__ import annotations

import typer

baseline_app = typer.Typer(
    no_args_is_help=True, help="What was accepted as it was, and what was planned.", rich_markup_mode=None
)
