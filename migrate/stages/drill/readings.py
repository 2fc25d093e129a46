"""The age of the newest complete snapshot of each kind: what was created since would be lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from migrate.archive.connections import SqlConnection
from migrate.archive.id_map import Side
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.model import KINDS
from migrate.model.results.archive import SnapshotInfo
from migrate.model.results.drill import KindReading


def newest_readings(conn: SqlConnection, side: Side, now: datetime) -> tuple[KindReading, ...]:
    """For each kind, the newest snapshot of one place that read all of its objects."""
    snapshots = [
        info
        for info in reversed(list_snapshots(conn))
        if (info.type, info.url) == (side.type, side.url) and _reads_everything(info)
    ]
    found: dict[str, KindReading] = {}
    for info in snapshots:
        if len(found) == len(KINDS):
            break
        complete = set(_complete_kinds(SnapshotReader(conn, info)))
        for kind in complete - found.keys():
            found[kind] = _reading(conn, kind, info, now)
    return tuple(found.get(kind, KindReading(kind)) for kind in KINDS)


def _reads_everything(info: SnapshotInfo) -> bool:
    """Whether a snapshot was meant to read a whole estate, and reached its end."""
    return not (info.interrupted or info.is_filtered or "shard" in info.options)


def _complete_kinds(snapshot: SnapshotReader) -> Iterator[str]:
    """The kinds of which every listing was read to its end, and every object."""
    gaps = {kind for kind, _, _ in snapshot.incomplete()}
    gaps |= {gap.kind for gap in snapshot.missing() if not gap.expected}
    options = snapshot.info.options
    for kind, form in KINDS.items():
        if gaps & {kind, form.parent} or (not form.replayed and options.get("runs") is False):
            continue
        if snapshot.listing_state(form.parent or kind)[0] == "complete":
            yield kind


def _reading(conn: SqlConnection, kind: str, info: SnapshotInfo, now: datetime) -> KindReading:
    began = datetime.fromisoformat(info.started_at)
    remark = SnapshotReader(conn, info).listing_state(KINDS[kind].parent or kind)[1]
    age_s = max(0, int((now - began).total_seconds()))
    return KindReading(kind, info.id, info.started_at, age_s, remark)
