"""What a plan changes in existing objects, from old to new, in bounded memory and without credentials."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from migrate.model import JSON, Entity
from migrate.model.masked_values import mask_value_at
from migrate.model.message_label import object_label
from migrate.model.object_diff import FieldDifference
from migrate.model.results.plan import ChangeRow, PathChange

# Characters of one value in a plan, and of all values together.
MAX_PLAN_VALUE_CHARS, MAX_PLAN_VALUES_CHARS = 20_000, 16_000_000
# Equal characters that stay before and behind what differs in two long texts.
EQUAL_CHARS_KEPT = 400
LEFT_OUT = "(left out: this plan has too many values; diff shows them)"

ConflictOutcome = Literal["", "overwritten", "kept", "created beside"]


def change_row(
    entity: Entity,
    existing: Entity,
    differences: Iterable[FieldDifference],
    conflict: ConflictOutcome = "",
) -> ChangeRow:
    """What changes in `existing`, the counterpart of `entity` on the target. `differences`: from its value
    today to what is written."""
    return ChangeRow(
        kind=entity.kind,
        left_id=existing.id,
        right_id=entity.id,
        name=object_label(entity),
        paths=tuple(map(_path_change, differences)),
        left_parent=existing.parent,
        right_parent=entity.parent,
        conflict=conflict,
    )


class ChangeLog:
    """The changes of a plan. From a number of characters on, only their paths are kept."""

    def __init__(self) -> None:
        self.rows: list[ChangeRow] = []
        self._room = MAX_PLAN_VALUES_CHARS

    def add(self, row: ChangeRow) -> None:
        """Note the changes of one object."""
        self._room -= sum(_length(path.left) + _length(path.right) for path in row.paths)
        if self._room < 0:
            row = replace(row, paths=tuple(PathChange(path.path, right=LEFT_OUT) for path in row.paths))
        self.rows.append(row)


def _path_change(difference: FieldDifference) -> PathChange:
    left, right = (mask_value_at(difference.path, value) for value in (difference.left, difference.right))
    if isinstance(left, str) and isinstance(right, str) and max(len(left), len(right)) > MAX_PLAN_VALUE_CHARS:
        left, right = _without_equal_ends(left, right)
    return PathChange(difference.path, _shortened(left), _shortened(right))


def _without_equal_ends(left: str, right: str) -> tuple[str, str]:
    """Two texts, with a mark in place of most of what is equal at their beginnings and their ends."""
    start = _equal_chars(left, right)
    end = _equal_chars(left[start:][::-1], right[start:][::-1])
    first, last = max(start - EQUAL_CHARS_KEPT, 0), max(end - EQUAL_CHARS_KEPT, 0)

    def cut(text: str) -> str:
        head = f"[{first:,} equal characters]" if first else ""
        tail = f"[{last:,} equal characters]" if last else ""
        return f"{head}{text[first : len(text) - last]}{tail}"

    return cut(left), cut(right)


def _equal_chars(left: str, right: str) -> int:
    """The number of characters with which both texts begin."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(left), len(right)))


def _shortened(value: JSON) -> JSON:
    """A value, or the beginning of its text or JSON where it is too long."""
    length = _length(value)
    if length <= MAX_PLAN_VALUE_CHARS:
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:MAX_PLAN_VALUE_CHARS]}[{length - MAX_PLAN_VALUE_CHARS:,} more characters]"


def _length(value: JSON) -> int:
    """Characters of a text, or of the JSON of any other value."""
    return len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False))
