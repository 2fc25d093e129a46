"""Where the findings of a comparison lead: each object to its page in the snapshot that has it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from migrate.archive.snapshots.reader import SnapshotReader
from migrate.reports.formats.html import ItemLinks
from migrate.reports.report import Report, ReportItem
from migrate.serve.pages.object_address import object_address
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.thread_words import words_of_thread

# Kinds that are shown in their thread.
IN_THREADS = ("message", "run", "run_step")
MAX_REMEMBERED_NAMES = 2_000


class FindingLinks:
    """Addresses and names for the findings of a comparison of two snapshots. What was removed leads to the
    left one, everything else to the right one."""

    def __init__(self, left: SnapshotReader, right: SnapshotReader) -> None:
        self._sides = (left, right)
        self._names = (NamedObjects(left), NamedObjects(right))
        self._name = lru_cache(MAX_REMEMBERED_NAMES)(self._find_name)

    def of(self, item: ReportItem) -> ItemLinks:
        """The links of a finding."""
        side = 1 if item.right_id else 0
        shown, old = self._sides[side], self._sides[0]
        parent_kind = "thread" if item.kind in IN_THREADS else "vector_store" if item.parent else ""
        was_there = bool(side and item.left_id)
        before = object_address(old, item.kind, item.left_id, item.left_parent) if was_there else ""
        return ItemLinks(
            object=object_address(shown, item.kind, item.right_id or item.left_id, item.parent),
            object_label=f"Open in snapshot {shown.info.id}",
            parent=object_address(shown, parent_kind, item.parent, "") if item.parent else "",
            parent_name=self._name(side, parent_kind, item.parent) if item.parent else "",
            before=before,
            before_label=f"as it was in snapshot {old.info.id}",
        )

    def with_names(self, report: Report) -> Report:
        """The report with the first words of threads for their names."""
        items = (
            replace(item, name=self._name(1 if item.right_id else 0, "thread", item.right_id or item.left_id))
            if item.kind == "thread" and not item.name
            else item
            for item in report.items
        )
        return replace(report, items=tuple(items))

    def _find_name(self, side: int, kind: str, id_: str) -> str:
        if kind == "thread":
            return words_of_thread(self._sides[side], id_)
        return self._names[side].store_name(id_)
