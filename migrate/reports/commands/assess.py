"""The result of `assess` as report and JSON: what a move would keep, change, lose and block."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.model.results.plan import ASSESS_GRADES
from migrate.reports.commands import plan
from migrate.reports.commands.snapshot import expected_gaps_text, hidden_text
from migrate.reports.formats.terminal import terminal_text as plain
from migrate.reports.report import ObjectCounts, Report, sort_items


def assess_document(found: Any) -> dict[str, Any]:
    """As a JSON document: `rows` has a line for every object and field."""
    kept = [{**asdict(row), "grade": "kept", "reason": "", "way_out": ""} for row in found.kept]
    lost = [asdict(row) for row in found.losses]
    return {
        "source": found.source,
        "target": found.target,
        "totals": found.totals,
        "kinds": {
            kind: {grade: counts[grade] for grade in ASSESS_GRADES} for kind, counts in found.kinds.items()
        },
        "losses": lost,
        "rows": [*kept, *lost],
        "unread": list(found.unread),
        "expected_gaps": found.expected_gaps,
        "hidden": list(found.hidden),
    }


def assess_report(
    found: Any, made_at: str = "", version: str = "", pictures: tuple[tuple[str, Any], ...] = ()
) -> Report:
    """Fields by kind and grade, then every loss."""
    rows = tuple(
        (kind, tuple(counts[grade] for grade in ASSESS_GRADES)) for kind, counts in found.kinds.items()
    )
    return Report(
        command="assess",
        title=f"{found.source} -> {found.target}",
        left=found.source,
        right=found.target,
        ok=not plan.unaccepted_losses(found.losses),
        last_line=plan.losses_last_line(found.losses),
        summary=tuple((grade, found.totals[grade]) for grade in ASSESS_GRADES),
        counts=ObjectCounts(ASSESS_GRADES, rows, "fields"),
        items=sort_items(plan.loss_items(found.losses)),
        gaps=tuple(found.unread),
        notes=tuple(filter(None, [expected_gaps_text(found.expected_gaps), *map(hidden_text, found.hidden)])),
        pictures=pictures,
        made_at=made_at,
        version=version,
    )


def assess_text(found: Any) -> str:
    """In words."""
    return plain(assess_report(found))
