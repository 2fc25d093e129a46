"""What a plan changes in existing objects, as items of a report and as JSON: the records of `diff`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from migrate.model.entity import JSON
from migrate.model.object_diff import FieldDifference
from migrate.model.results.diff import Change
from migrate.model.results.plan import ChangeRow
from migrate.reports.commands.diff import change_document
from migrate.reports.report import ItemDetail, ReportItem

OTHERS_CHANGED_IT = "others changed it since the last move"
CONFLICT_NOTES = {
    "overwritten": OTHERS_CHANGED_IT,
    "kept": f"{OTHERS_CHANGED_IT}; their version is kept",
    "created beside": "another object than the last move left; one is created beside it",
}


def planned_change_document(row: ChangeRow) -> dict[str, JSON]:
    """The record of `diff` for an object that a plan changes, from the target (left) to what is written
    (right), and what becomes of a conflict."""
    paths = tuple(FieldDifference(path.path, path.left, path.right) for path in row.paths)
    change = Change(
        row.kind,
        row.left_id,
        row.right_id,
        row.name,
        "changed",
        paths,
        left_parent=row.left_parent,
        right_parent=row.right_parent,
    )
    return {**change_document(change), "conflict": row.conflict or None}


def change_details(row: ChangeRow | None, fields: Iterable[str] = ()) -> tuple[ItemDetail, ...]:
    """Old and new value at each path; the name alone of a field of which no path is known."""
    paths = row.paths if row is not None else ()
    with_paths = {re.split(r"[.\[]", path.path)[0] for path in paths}
    return (
        *(ItemDetail(path.path, path.left, path.right) for path in paths),
        *(ItemDetail(field) for field in fields if field not in with_paths),
    )


def conflict_notes(row: ChangeRow | None) -> list[str]:
    """What to say beside an object that others changed."""
    return [CONFLICT_NOTES[row.conflict]] if row is not None and row.conflict else []


def kept_conflict_item(row: ChangeRow) -> ReportItem:
    """An object that others changed and that stays as it is, with what would have been written."""
    return change_item(row, "conflict", CONFLICT_NOTES["kept"])


def change_item(row: ChangeRow, verdict: str, note: str = "") -> ReportItem:
    """One object with its changes."""
    return ReportItem(
        section="actions",
        verdict=verdict,
        kind=row.kind,
        name=row.name,
        left_id=row.right_id,
        right_id=row.left_id,
        parent=row.right_parent,
        details=change_details(row),
        note=note,
    )
