"""Find the snapshot of a user's argument: by its number, by its tag, or by the word `latest`."""

from __future__ import annotations

from pathlib import Path

from migrate.archive.connections import SqlConnection
from migrate.archive.snapshots.reader import list_snapshots, newest_unfiltered
from migrate.errors import BadUsage
from migrate.model.results.archive import SnapshotInfo

# The name of the newest snapshot that was not filtered.
LATEST_SNAPSHOT = "latest"


def find_snapshot_named(conn: SqlConnection, path: Path, which: str) -> SnapshotInfo:
    """The snapshot of an archive that a number, a tag (the newest one that has it) or `latest` means. `path`:
    of the archive, for messages. Raises `BadUsage`."""
    snapshots = list_snapshots(conn)
    if not snapshots:
        raise BadUsage(f"{path} contains no snapshot yet", todo=f"take one: snapshot ESTATE -o {path}")
    if which == LATEST_SNAPSHOT:
        return newest_unfiltered(snapshots)
    for info in reversed(snapshots):
        if which in (str(info.id), info.tag):
            return info
    names = ", ".join(f"{info.id}{f' ({info.tag})' if info.tag else ''}" for info in snapshots)
    raise BadUsage(f"{path} has no snapshot {which!r}", f"it has {names}", f"list them: snapshots {path}")
