"""Where the findings of a comparison lead: each object to its page in the snapshot that has it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from migrate.archive.snapshots.reader import SnapshotReader
from migrate.reports.formats.html import ItemLinks
from migrate.reports.report import Report, ReportItem
from migrate.serve.addresses import PageLinks
from migrate.serve.pages.run_address import run_address
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
        self._links = (PageLinks(left.info.id), PageLinks(right.info.id))
        self._names = (NamedObjects(left), NamedObjects(right))
        self._name = lru_cache(MAX_REMEMBERED_NAMES)(self._find_name)

    def of(self, item: ReportItem) -> ItemLinks:
        """The links of a finding."""
        side = 1 if item.right_id else 0
        parent_kind = "thread" if item.kind in IN_THREADS else "vector_store" if item.parent else ""
        links, old = self._links[side], self._links[0]
        was_there = bool(side and item.left_id)
        return ItemLinks(
            object=self._address(side, item.kind, item.right_id or item.left_id, item.parent),
            object_label=f"Open in snapshot {links.snapshot}",
            parent=links.object(parent_kind, item.parent) if item.parent else "",
            parent_name=self._name(side, parent_kind, item.parent) if item.parent else "",
            before=self._address(0, item.kind, item.left_id, item.left_parent) if was_there else "",
            before_label=f"as it was in snapshot {old.snapshot}",
        )

    def _address(self, side: int, kind: str, id_: str, parent: str) -> str:
        """The page that shows an object of a side: its own, or that of its thread or store."""
        links = self._links[side]
        if kind == "message":
            return links.message(parent, id_)
        if kind in IN_THREADS:
            return run_address(links, self._sides[side], kind, id_, parent)
        if kind == "vector_store_file":
            return links.vector_store(parent)
        return links.object(kind, id_)

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
