"""When an object was made, as its service says."""

from __future__ import annotations

from collections.abc import Mapping

from migrate.model.entity import JSON


def made_at(body: Mapping[str, JSON], unknown: float) -> float:
    """Seconds since 1970; `unknown` where a body does not tell (items of conversations never do)."""
    value = body.get("created_at")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
        return float(value)
    return unknown
