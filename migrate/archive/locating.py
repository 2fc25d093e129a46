"""An id in, the snapshots of an archive that hold an object of it out."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.archive.query import Asked
from migrate.archive.snapshots.reader import SnapshotReader, snapshots


def snapshots_holding(conn: Asked, object_id: str, other_than: int | None = None) -> Iterator[int]:
    """Their numbers, the newest first."""
    for info in reversed(snapshots(conn)):
        if info.id != other_than and SnapshotReader(conn, info).find(object_id):
            yield info.id


def elsewhere(snapshot: SnapshotReader, object_id: str) -> str:
    """Where an object is that a snapshot does not have, in words: '; snapshot 2 has it', or ''."""
    number = next(snapshots_holding(snapshot.conn, object_id, snapshot.info.id), None)
    return "" if number is None else f"; snapshot {number} has it"
