"""Remove snapshots from an archive, with everything that only they held; the journal and the id map stay.

All of it is one transaction: a program that is killed leaves either all or nothing. Numbers of snapshots
that are gone are not given again, so that no plan can mean another snapshot than the one it was made from.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from migrate.archive.database import Archive
from migrate.archive.hashes import body_id
from migrate.archive.packs.reader import BodyReader
from migrate.archive.prune import sweep_blobs, sweep_listings
from migrate.model.json_depth import loads
from migrate.model.results.archive import ForgetResult, VacuumResult

ARCHIVE_IN_USE_REASON = "another program reads the archive; the room is free when it ends"

FILE_SPANS_SQL = (
    "SELECT f.endpoint_id, r.pack_id, r.place, r.count FROM (SELECT DISTINCT n.endpoint_id, s.manifest_id "
    "FROM snapshots n CROSS JOIN scopes s ON s.snapshot_id = n.id AND s.kind = 'file' "
    "AND s.parent_id = '') f CROSS JOIN spans r ON r.manifest_id = f.manifest_id"
)


def forget_snapshots(archive: Archive, snapshots: Collection[int]) -> ForgetResult:
    """Remove these snapshots."""
    conn = archive.conn
    # Enforced, each row that goes would make SQLite look through tables that have no index for it.
    conn.execute("PRAGMA foreign_keys = OFF")
    try:
        with archive.transaction():
            sizes = _file_bytes(conn)
            _keep_number(conn)
            gone = conn.execute(
                "DELETE FROM snapshots WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(sorted(snapshots)),),
            ).rowcount
            removed = sweep_listings(archive)
            _sweep_contents(conn)
            files = sweep_blobs(conn)
            conn.execute("DELETE FROM endpoints WHERE id NOT IN (SELECT endpoint_id FROM snapshots)")
            left = _file_bytes(conn)
    finally:
        conn.execute("PRAGMA foreign_keys = ON")
    return ForgetResult(gone, removed["manifests"], removed["bodies"], files, sizes - left)


def _sweep_contents(conn: sqlite3.Connection) -> None:
    """Forget whose bytes they were where no snapshot of the estate lists the file."""
    conn.execute("CREATE TEMP TABLE listed_files (endpoint_id, file_id, PRIMARY KEY (endpoint_id, file_id))")
    bodies = BodyReader(conn)
    for endpoint, pack, place, count in conn.execute(FILE_SPANS_SQL):
        texts = bodies.pack(pack, place + count)[1][place : place + count]
        conn.executemany(
            "INSERT OR IGNORE INTO listed_files VALUES (?, ?)",
            [(endpoint, body_id(loads(text))) for text in texts],
        )
    conn.execute("DELETE FROM contents WHERE (endpoint_id, file_id) NOT IN (SELECT * FROM listed_files)")
    conn.execute("DROP TABLE listed_files")


def vacuum_archive(archive: Archive) -> VacuumResult:
    """Rewrite the archive without its free pages. What was removed cannot be found in the
    file afterwards. Needs room while it works; without it, nothing changes."""
    before = _bytes(archive)
    try:
        archive.conn.execute("VACUUM")
        busy = archive.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return VacuumResult(before, _bytes(archive), str(error))
    return VacuumResult(before, _bytes(archive), ARCHIVE_IN_USE_REASON if busy else "")


def _keep_number(conn: sqlite3.Connection) -> None:
    """Note the highest number that was given: `user_version` is part of the transaction and of the file."""
    given = conn.execute("SELECT coalesce(max(id), 0) FROM snapshots").fetchone()[0]
    noted = conn.execute("PRAGMA user_version").fetchone()[0]
    conn.execute(f"PRAGMA user_version = {max(int(given), int(noted))}")


def _file_bytes(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT coalesce(sum(size), 0) FROM blobs").fetchone()[0])


def _bytes(archive: Archive) -> int:
    pages = archive.conn.execute("PRAGMA page_count").fetchone()[0]
    return int(pages) * int(archive.conn.execute("PRAGMA page_size").fetchone()[0])
