"""A function with all that a target wants to be said of it."""

from __future__ import annotations

from collections.abc import Mapping

from migrate.codecs.adapt.context import Ledger, Target
from migrate.model import JSON

NOTHING_SAID: dict[str, JSON] = {
    "description": "",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}
"""What means the same as leaving it out."""


def whole_function(function: Mapping[str, JSON], target: Target, ledger: Ledger) -> dict[str, JSON]:
    """The function with what the target requires; only an invented emptiness is told."""
    said = {k: v for k, v in function.items() if v is not None}
    added = {name: NOTHING_SAID[name] for name in target.profile.functions_say if name not in said}
    empty = [name for name in added if name != "strict"]
    if empty:
        what = " and ".join(empty)
        ledger.adapted("tools", f"function {said['name']} gets an empty {what}: the target requires it")
    return {**said, **added}
