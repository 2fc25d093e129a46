"""An assessment, shown: what a move would keep, change, lose and refuse."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports import losses
from migrate.reports.tables import table

GRADES = ("kept", "adapted", "lost", "blocked")


def as_dict(found: Any) -> dict[str, Any]:
    """As a JSON document: `rows` has a line for every object and field."""
    kept = [{**asdict(row), "grade": "kept", "reason": "", "way_out": ""} for row in found.kept]
    lost = [row.model_dump() for row in found.losses]
    return {
        "source": found.source,
        "target": found.target,
        "totals": found.totals,
        "kinds": {kind: {grade: counts[grade] for grade in GRADES} for kind, counts in found.kinds.items()},
        "losses": lost,
        "rows": [*kept, *lost],
        "unread": list(found.unread),
    }


def as_text(found: Any) -> str:
    """Fields by kind and grade, then every loss."""
    rows = [(kind, *(counts[grade] for grade in GRADES)) for kind, counts in found.kinds.items()]
    lines = [
        f"{found.source} -> {found.target}",
        table([*rows, ("all", *found.totals.values())], ("fields of", *GRADES)),
        *losses.lines(found.losses, "in the JSON document"),
        *(f"not in the snapshot: {gap}" for gap in found.unread),
        losses.last_line(found.losses),
    ]
    return "\n".join(filter(None, lines))
