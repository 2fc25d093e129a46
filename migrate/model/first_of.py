"""The first names of a list, and the number of the others."""

from __future__ import annotations

from collections.abc import Sequence


def first_of(names: Sequence[object], limit: int, separator: str = ", ", joint: str = " and") -> str:
    """`a, b and 7 more`: at most `limit` names, for a list that may be as long as an estate."""
    rest = len(names) - limit
    return separator.join(map(str, names[:limit])) + (f"{joint} {rest:,} more" if rest > 0 else "")
