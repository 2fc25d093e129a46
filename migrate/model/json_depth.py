"""Read JSON from others; report documents that are nested too deeply, the same way on every Python.

An interpreter's own limit is another one in each version (and counts whoever called), so a body that one of
them reads whole another would not. Ours is one number, below what any of them can do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from migrate.model.input_limits import MAX_JSON_DEPTH

# Calls inside each other that the interpreter must allow: some twenty for each level of a document, as the
# comparison of two values needs.
MIN_RECURSION_LIMIT = 4_000
# A text, which may hold any sign, or a bracket.
_TEXT_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


class JSONTooDeep(ValueError):
    """A document has more levels than are taken."""


def loads(text: str, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """As `json.loads`. Raises `JSONTooDeep`, and `ValueError` for what is no JSON."""
    check_json_depth(text)
    return json.loads(text, parse_constant=parse_constant)


def check_json_depth(text: str) -> None:
    """Raises `JSONTooDeep`. Costs next to nothing where there are fewer brackets than levels allowed."""
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH.maximum:
        return
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(text):
        sign = found[0]
        if sign in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH.maximum:
                raise JSONTooDeep(f"it is nested too deeply: {MAX_JSON_DEPTH.describe()}")
        elif sign in "]}":
            depth -= 1
