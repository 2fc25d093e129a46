"""The result of `diff` as report and JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from migrate.reports.commands.ls import mask_value_at
from migrate.reports.commands.snapshot import unmatched_text
from migrate.reports.formats.terminal import terminal_text as plain
from migrate.reports.report import ItemDetail, ObjectCounts, Report, ReportItem, sort_items
from migrate.reports.values import number_of

CHANGE_ACTIONS = ("added", "removed", "changed")


def diff_document(found: Any) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "differences": len(found.changes),
        "changes": [_change(change) for change in found.changes],
        "compared": found.compared,
        "unread": found.unread,
        "ignored": [asdict(row) for row in found.ignored],
        "expired_rules": list(found.expired),
        "left_out": list(found.left_out),
        "unmatched": list(found.unmatched),
    }


def _change(change: Any) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "left_id": change.left_id or None,
        "right_id": change.right_id or None,
        "name": change.name,
        "action": change.action,
        "paths": [path.path for path in change.paths],
        "values": [_values(path) for path in change.paths],
        "guessed": change.guessed,
        "paired_by": change.paired_by,
        "left_parent": change.left_parent or None,
        "right_parent": change.right_parent or None,
        "since": change.since or None,
    }


def _values(path: Any) -> dict[str, Any]:
    left, right = (mask_value_at(path.path, value) for value in (path.left, path.right))
    return {"path": path.path, "left": left, "right": right}


def diff_report(
    found: Any,
    left: str,
    right: str,
    made_at: str = "",
    version: str = "",
    pictures: tuple[tuple[str, Any], ...] = (),
) -> Report:
    """What differs between two estates, and how many objects were compared."""
    count, total = len(found.changes), sum(found.compared.values())
    ignored = tuple(found.ignored)
    hidden = sum(rule.count for rule in ignored)
    by_action = Counter(change.action for change in found.changes)
    more = f"; {hidden:,} ignored by rules" if hidden else ""
    gaps = f"; {number_of(len(found.unread), 'listing')} not compared" if found.unread else ""
    return Report(
        command="diff",
        title=f"{left} -> {right}",
        left=left,
        right=right,
        ok=not count and not found.unread and not found.unmatched,
        last_line=f"{number_of(count, 'difference')} in {number_of(total, 'object')}{more}{gaps}",
        summary=(
            ("compared", total),
            *((action, by_action[action]) for action in CHANGE_ACTIONS),
            *((("ignored", hidden),) if ignored else ()),
            *((("not compared", len(found.unread)),) if found.unread else ()),
        ),
        counts=_counts(found),
        items=sort_items([_item(change) for change in found.changes]),
        gaps=tuple(found.unread),
        ignored=ignored,
        expired=tuple(found.expired),
        left_out=tuple(found.left_out),
        notes=tuple(map(unmatched_text, found.unmatched)),
        pictures=pictures,
        made_at=made_at,
        version=version,
    )


def _counts(found: Any) -> ObjectCounts:
    by_kind = Counter((change.kind, change.action) for change in found.changes)
    kinds = dict.fromkeys([*found.compared, *(change.kind for change in found.changes)])
    return ObjectCounts(
        ("compared", *CHANGE_ACTIONS),
        tuple(
            (kind, (found.compared.get(kind, 0), *(by_kind[kind, action] for action in CHANGE_ACTIONS)))
            for kind in kinds
        ),
    )


def _item(change: Any) -> ReportItem:
    how = change.paired_by
    if change.guessed:
        note = f"paired by guess: {how}" if how else "paired by guess"
    else:
        note = f"paired by {how}" if how and change.action == "changed" else ""
    values = [_values(path) for path in change.paths]
    return ReportItem(
        section="differences",
        verdict=change.action,
        kind=change.kind,
        name=change.name,
        left_id=change.left_id,
        right_id=change.right_id,
        severity="warning",
        details=tuple(ItemDetail(one["path"], one["left"], one["right"]) for one in values),
        note=note,
        since=change.since,
    )


def diff_text(found: Any, left: str, right: str) -> str:
    """In words, nothing cut short."""
    return plain(diff_report(found, left, right), whole=True)
