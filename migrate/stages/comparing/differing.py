"""Two compared forms in, the paths at which they differ out, with both values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from migrate.model import JSON

UNORDERED = frozenset({"tools", "tool_resources", "attachments"})
"""Fields whose lists are bags: a changed member must not shift the others."""


@dataclass(frozen=True)
class Path:
    """Where two objects differ: a dotted path, and the value on each side (None: not there)."""

    path: str
    left: JSON
    right: JSON


def differing(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> list[Path]:
    """The differences of two compared forms, by field and then as deep as they go."""
    found: list[Path] = []
    for name in sorted(left.keys() | right.keys()):
        one, other = left.get(name), right.get(name)
        if one != other:
            found += _inside(name, one, other)
    return found


def _inside(name: str, one: JSON, other: JSON) -> list[Path]:
    if not isinstance(one, (dict, list)) or type(one) is not type(other):
        return [Path(name, one, other)]
    from deepdiff import DeepDiff  # 0.1 s to load, and most comparisons end before this line

    tree: Any = DeepDiff(one, other, ignore_order=name in UNORDERED, view="tree")
    found = [
        Path(name + _dotted(item.path(output_format="list")), _value(item.t1), _value(item.t2))
        for group in tree.values()
        for item in group
    ]
    return sorted(found, key=lambda path: path.path) or [Path(name, one, other)]


def _dotted(steps: list[Any]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _value(value: Any) -> JSON:
    return None if type(value).__name__ == "NotPresent" else value
