"""The result of `diff` as report and JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.masked_values import mask_value_at
from migrate.model.object_diff import FieldDifference
from migrate.model.results.diff import Change, DiffResult
from migrate.model.secrets import mask_text
from migrate.reports.commands.archive import unmatched_text
from migrate.reports.commands.retirements import report_endings, retiring_document
from migrate.reports.report import ItemDetail, ObjectCounts, Report, ReportItem, sort_items
from migrate.reports.text_table import number_of

CHANGE_ACTIONS = ("added", "removed", "changed")


def diff_document(result: DiffResult) -> dict[str, JSON]:
    """The JSON document of `diff`."""
    return {
        "differences": len(result.changes),
        "changes": [change_document(change) for change in result.changes],
        "compared": result.compared,
        "unread": result.unread,
        "ignored": [asdict(row) for row in result.ignored],
        "expired_rules": list(result.expired),
        "left_out": list(result.left_out),
        "unmatched": list(result.unmatched),
        **_retiring_document(result),
    }


def _retiring_document(result: DiffResult) -> dict[str, JSON]:
    """The keys of `retiring_document`, each row with its side."""
    documents = [(side, retiring_document(retiring)) for side, retiring in result.retiring]
    return {
        key: [{"side": side, **row} for side, document in documents for row in document[key]]
        for key in retiring_document(None)
    }


def change_document(change: Change) -> dict[str, JSON]:
    """One object that differs, as JSON."""
    return {
        "kind": change.kind,
        "left_id": change.left_id or None,
        "right_id": change.right_id or None,
        "name": mask_text(change.name),
        "action": change.action,
        "paths": [mask_text(path.path) for path in change.paths],
        "values": [masked_values(path) for path in change.paths],
        "guessed": change.guessed,
        "paired_by": change.paired_by,
        "left_parent": change.left_parent or None,
        "right_parent": change.right_parent or None,
        "since": change.since or None,
    }


def masked_values(difference: FieldDifference) -> dict[str, JSON]:
    """A path with both values, without credentials."""
    left, right = (mask_value_at(difference.path, value) for value in (difference.left, difference.right))
    return {"path": mask_text(difference.path), "left": left, "right": right}


def diff_report(result: DiffResult, left: str, right: str) -> Report:
    """What differs between two estates, and how many objects were compared."""
    count, total = len(result.changes), sum(result.compared.values())
    hidden = sum(rule.count for rule in result.ignored)
    by_action = Counter(change.action for change in result.changes)
    ignored = f"; {hidden:,} ignored by rules" if hidden else ""
    gaps = f"; {number_of(len(result.unread), 'listing')} not compared" if result.unread else ""
    return Report(
        command="diff",
        title=f"{left} -> {right}",
        left=left,
        right=right,
        ok=not count and not result.unread and not result.unmatched,
        last_line=f"{number_of(count, 'difference')} in {number_of(total, 'object')}{ignored}{gaps}",
        summary=(
            ("compared", total),
            *((action, by_action[action]) for action in CHANGE_ACTIONS),
            *((("ignored", hidden),) if result.ignored else ()),
            *((("not compared", len(result.unread)),) if result.unread else ()),
        ),
        counts=_counts(result),
        items=sort_items([_item(change) for change in result.changes]),
        gaps=tuple(result.unread),
        ignored=result.ignored,
        expired=result.expired,
        left_out=result.left_out,
        notes=tuple(map(unmatched_text, result.unmatched)),
        endings=tuple(
            ending
            for side, retiring in result.retiring
            for ending in report_endings(retiring, f"on the {side}" if len(result.retiring) > 1 else "")
        ),
    )


def _counts(result: DiffResult) -> ObjectCounts:
    by_kind = Counter((change.kind, change.action) for change in result.changes)
    kinds = dict.fromkeys([*result.compared, *(change.kind for change in result.changes)])
    return ObjectCounts(
        ("compared", *CHANGE_ACTIONS),
        tuple(
            (kind, (result.compared.get(kind, 0), *(by_kind[kind, action] for action in CHANGE_ACTIONS)))
            for kind in kinds
        ),
    )


def _item(change: Change) -> ReportItem:
    if change.guessed:
        note = "paired by guess" + (f": {change.paired_by}" if change.paired_by else "")
    else:
        paired = change.paired_by and change.action == "changed"
        note = f"paired by {change.paired_by}" if paired else ""
    return ReportItem(
        section="differences",
        verdict=change.action,
        kind=change.kind,
        name=mask_text(change.name),
        left_id=change.left_id,
        right_id=change.right_id,
        parent=change.right_parent if change.right_id else change.left_parent,
        left_parent=change.left_parent,
        severity="warning",
        details=tuple(ItemDetail(**masked_values(path)) for path in change.paths),
        note=note,
        since=change.since,
    )
