"""Read the facts of one snapshot: what it has and lacks, what changed since the one before, what ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from migrate.archive.snapshots.changes import compare_listings, compare_members, file_bytes
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.model.results.archive import SnapshotInfo
from migrate.model.results.overview import KindChange, Overview
from migrate.stages.estate import Estate
from migrate.stages.retirements import retiring_in_snapshot

# Gaps that are listed; the others are counted.
MAX_GAPS_LISTED = 20
# Kind without a parent -> the kind of its members whose changes belong to it.
COMPARED_KINDS = {"assistant": "", "thread": "message", "file": "", "vector_store": "vector_store_file"}


def read_overview(snapshot: SnapshotReader, day: date) -> Overview:
    """The facts of a snapshot. `day`: from which days until an end are counted."""
    missing = [gap for gap in snapshot.missing() if not gap.expected]
    incomplete = snapshot.incomplete()
    before = previous_of_estate(snapshot)
    files, size = file_bytes(snapshot.conn, snapshot.endpoint)
    return Overview(
        info=snapshot.info,
        counts=snapshot.counts(),
        missing=tuple(missing[:MAX_GAPS_LISTED]),
        missing_total=len(missing),
        expected=snapshot.gaps()[1],
        incomplete=tuple(incomplete[:MAX_GAPS_LISTED]),
        incomplete_total=len(incomplete),
        files_with_bytes=files,
        file_bytes=size,
        before=before,
        changes=tuple(_changes(snapshot, before)) if before else (),
        retiring=retiring_in_snapshot(Estate(snapshot), day),
    )


def previous_of_estate(snapshot: SnapshotReader) -> SnapshotInfo | None:
    """The newest earlier snapshot of the same estate that was read to its end, and filtered only where this
    one is."""
    earlier = [
        info
        for info in list_snapshots(snapshot.conn)
        if info.id < snapshot.info.id
        and (info.type, info.url) == (snapshot.info.type, snapshot.info.url)
        and not info.interrupted
        and info.options.get("shard") == snapshot.info.options.get("shard")
    ]
    unfiltered = [info for info in earlier if not info.is_filtered or snapshot.info.is_filtered]
    return unfiltered[-1] if unfiltered else None


def _changes(snapshot: SnapshotReader, before: SnapshotInfo) -> Iterator[KindChange]:
    for kind, member_kind in COMPARED_KINDS.items():
        numbers = (before.id, snapshot.info.id)
        if change := compare_listings(snapshot.conn, *numbers, kind):
            members = compare_members(snapshot.conn, *numbers, member_kind) if member_kind else None
            yield replace(change, members=members)
