"""What a command did and what it left where it was stopped, as text and as JSON: the records of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.results.apply import WorkRow
from migrate.reports.commands.changes import change_details, planned_change_document
from migrate.reports.formats.terminal import report_item_text
from migrate.reports.report import ReportItem
from migrate.reports.text_table import number_of

MAX_ROWS_SHOWN = 40
# Action -> the verdict of a plan with the same sign.
VERDICT_OF_ACTION = {"remove": "delete", "restore": "update"}


def work_document(rows: Sequence[WorkRow]) -> list[dict[str, JSON]]:
    """The rows as JSON, with the records of `diff` for what is changed."""
    return [
        {**asdict(row), "change": planned_change_document(row.change) if row.change else None} for row in rows
    ]


def stopped_lines(done: Sequence[WorkRow], left: Sequence[WorkRow], verb: str) -> Iterator[str]:
    """Both lists, each cut after `MAX_ROWS_SHOWN` rows; nothing where the command was not stopped. `verb`:
    what the command does with objects, such as `carried out`."""
    if not done and not left:
        return
    for title, rows in ((f"done: {len(done):,} {verb}", done), (f"left: {len(left):,} not {verb}", left)):
        yield title
        yield from (report_item_text(_item(row)) for row in rows[:MAX_ROWS_SHOWN])
        if len(rows) > MAX_ROWS_SHOWN:
            yield f"  and {len(rows) - MAX_ROWS_SHOWN:,} more; all of them: --json"


def _item(row: WorkRow) -> ReportItem:
    note = "" if row.messages is None or not row.messages else f"with {number_of(row.messages, 'message')}"
    return ReportItem(
        section="actions",
        verdict=VERDICT_OF_ACTION.get(row.action, row.action),
        kind=row.kind,
        name=row.name or (row.change.name if row.change else ""),
        left_id=row.id,
        right_id=row.target_id,
        parent=row.parent,
        details=change_details(row.change),
        note="with messages that were not counted" if row.messages is None else note,
    )
