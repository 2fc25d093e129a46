"""Losses in, the items of a report out: what will not arrive as it was, each with its way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migrate.reports.report import Detail, Item
from migrate.reports.values import number_of

SEVERITY = {"blocked": "error", "lost": "warning", "adapted": "notice"}
EVERY = "*"


def unaccepted(rows: Iterable[Any]) -> list[Any]:
    """Losses that nobody agreed to."""
    return [row for row in rows if row.grade != "adapted" and not row.accepted]


def items(rows: Iterable[Any]) -> list[Item]:
    """One item per object, grade and whether it was accepted, with a detail for each field."""
    found: dict[tuple[str, str, str, str, bool], list[Any]] = {}
    for row in rows:
        agreed = row.accepted and row.grade != "adapted"
        found.setdefault((row.kind, row.parent, row.id, row.grade, agreed), []).append(row)
    return [_item(*key, fields) for key, fields in found.items()]


def _item(kind: str, parent: str, id_: str, grade: str, agreed: bool, rows: list[Any]) -> Item:
    return Item(
        section="losses",
        verdict=grade,
        kind=kind,
        name=rows[0].name if id_ != EVERY else rows[0].name or "every one",
        left_id="" if id_ == EVERY else id_,
        parent=parent,
        severity="notice" if agreed else SEVERITY[grade],
        details=tuple(
            Detail(EVERY_FIELD if row.field == EVERY else row.field, reason=row.reason, way_out=row.way_out)
            for row in rows
        ),
        note="accepted" if agreed else "",
    )


EVERY_FIELD = "the whole object"


def last_line(rows: Iterable[Any]) -> str:
    """What is left to accept."""
    left = len(unaccepted(rows))
    if left:
        return f"{number_of(left, 'loss', 'losses')} not accepted; --accept-loss FIELD or all"
    return "no loss left to accept"
