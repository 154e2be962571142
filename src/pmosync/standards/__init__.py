"""Standards: what the PMO asks of work, read from YAML packs and compiled to SQL conditions.

Pure: packs are read and checked here, and nothing is run. A wrong word in a pack is an error with file, line, caret and
the word that was probably meant; it is never a standard that silently finds nothing.
"""

from __future__ import annotations

from pmosync.standards.checker import parse_predicate
from pmosync.standards.compiler import Columns, fold, verdict
from pmosync.standards.pack import is_shipped, load_folder, load_packs, other_pack, shipped_packs
from pmosync.standards.place import underlined
from pmosync.standards.scan import Mistake
from pmosync.standards.standard import (
    FIX_WITHIN_D,
    Example,
    ExampleKind,
    Param,
    Standard,
    can_fail,
    fail_condition,
    scope_condition,
)
from pmosync.standards.syntax import Predicate

__all__ = [
    "FIX_WITHIN_D",
    "Columns",
    "Example",
    "ExampleKind",
    "Mistake",
    "Param",
    "Predicate",
    "Standard",
    "can_fail",
    "fail_condition",
    "fold",
    "is_shipped",
    "load_folder",
    "load_packs",
    "other_pack",
    "parse_predicate",
    "scope_condition",
    "shipped_packs",
    "underlined",
    "verdict",
]
