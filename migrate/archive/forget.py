"""Remove snapshots from an archive, with everything that only they had. The journal and the id map stay.

All of it is one transaction: a program that is killed removes either everything or nothing. Numbers of
removed snapshots are not used again, so no plan can refer to another snapshot than the one it was made from.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from itertools import groupby

from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.hashes import body_id
from migrate.archive.packs import BODIES_PER_PACK, FORGOTTEN_BODY, BodyReader, Pack, decompress, split_bodies
from migrate.archive.snapshots.writer import reserve_snapshot_numbers
from migrate.archive.text_index.removal import IndexSweep
from migrate.model.input_limits import loads
from migrate.model.results.archive import ForgetResult, VacuumResult

ARCHIVE_IN_USE_REASON = "another program reads the archive; the space is free when it ends"

FILE_SPANS_SQL = (
    "SELECT f.endpoint_id, r.pack_id, r.place, r.count FROM (SELECT DISTINCT n.endpoint_id, s.manifest_id "
    "FROM snapshots n CROSS JOIN scopes s ON s.snapshot_id = n.id AND s.kind = 'file' "
    "AND s.parent_id = '') f CROSS JOIN spans r ON r.manifest_id = f.manifest_id"
)


def forget_snapshots(archive: Archive, snapshots: Collection[int]) -> ForgetResult:
    """Remove these snapshots."""
    conn = archive.conn
    # With foreign keys, SQLite would scan tables without an index for each row that is removed.
    conn.execute("PRAGMA foreign_keys = OFF")
    try:
        with archive.transaction():
            bytes_before = _file_bytes(conn)
            reserve_snapshot_numbers(conn)
            snapshot_count = conn.execute(
                "DELETE FROM snapshots WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(sorted(snapshots)),),
            ).rowcount
            index = IndexSweep(conn)
            removed = sweep_listings(archive, index)
            _sweep_contents(conn)
            files = sweep_blobs(conn, index)
            index.finish()
            conn.execute("DELETE FROM endpoints WHERE id NOT IN (SELECT endpoint_id FROM snapshots)")
            bytes_after = _file_bytes(conn)
    finally:
        conn.execute("PRAGMA foreign_keys = ON")
    return ForgetResult(
        snapshot_count,
        removed["manifests"],
        removed["bodies"],
        files,
        bytes_before - bytes_after,
        index.removed,
        index.is_emptied,
    )


def _sweep_contents(conn: sqlite3.Connection) -> None:
    """Remove the link from a file to its bytes where no snapshot of the estate lists the file."""
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
    """Rewrite the archive without its free pages. What was removed is not in the file afterwards. Needs free
    disk space meanwhile; without it, nothing changes."""
    before = archive.size_bytes()
    try:
        archive.conn.execute("VACUUM")
        busy = archive.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return VacuumResult(before, archive.size_bytes(), str(error))
    return VacuumResult(before, archive.size_bytes(), ARCHIVE_IN_USE_REASON if busy else "")


def _file_bytes(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT coalesce(sum(size), 0) FROM blobs").fetchone()[0])


# Table -> statement that removes the rows that nothing refers to, in this order.
SWEEP_STATEMENTS = {
    "missing": "DELETE FROM missing WHERE snapshot_id NOT IN (SELECT id FROM snapshots)",
    "listed": "DELETE FROM listed WHERE snapshot_id NOT IN (SELECT id FROM snapshots)",
    "parents": "DELETE FROM parents WHERE id NOT IN (SELECT parent_id FROM listed)",
    "manifests": "DELETE FROM manifests WHERE id NOT IN (SELECT manifest_id FROM listed)",
    "spans": "DELETE FROM spans WHERE manifest_id NOT IN (SELECT id FROM manifests)",
}

BLOB_SWEEP_STATEMENTS = {
    "blobs": "DELETE FROM blobs WHERE id NOT IN (SELECT blob_id FROM contents)",
    "chunks": "DELETE FROM chunks WHERE blob_id NOT IN (SELECT id FROM blobs)",
}


def sweep_listings(archive: Archive, index: IndexSweep) -> dict[str, int]:
    """Remove listings and bodies that no snapshot refers to, also from the full-text index. Returns the
    number of removed rows of each table, and of bodies as `bodies`."""
    conn = archive.conn
    archive.packer.close_packs()
    removed = {table: conn.execute(sql).rowcount for table, sql in SWEEP_STATEMENTS.items()}
    index.sweep_bodies()
    return {**removed, "bodies": _sweep_bodies(conn)}


def sweep_blobs(conn: sqlite3.Connection, index: IndexSweep) -> int:
    """Remove the bytes that no file has, and return of how many files."""
    index.sweep_files()
    removed = [conn.execute(sql).rowcount for sql in BLOB_SWEEP_STATEMENTS.values()]
    return removed[0]


def _sweep_bodies(conn: sqlite3.Connection) -> int:
    """Remove packs that no listing refers to, and unused bodies of the other packs. A pack of which a part is
    still used is rewritten: the places of removed bodies stay empty, so the others keep their numbers."""
    count_before = _count_bodies(conn)
    conn.execute("DELETE FROM packs WHERE id NOT IN (SELECT pack_id FROM spans)")
    conn.execute(f"DELETE FROM known WHERE body / {BODIES_PER_PACK} NOT IN (SELECT id FROM packs)")
    for pack, places in _partly_used(conn):
        _forget_bodies(conn, pack, places)
    return count_before - _count_bodies(conn)


def _count_bodies(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT coalesce(sum(held), 0) FROM packs").fetchone()[0])


def _partly_used(conn: sqlite3.Connection) -> list[tuple[int, set[int]]]:
    """Packs with bodies that no listing refers to, and the places of the used bodies."""
    rows = conn.execute(
        "SELECT r.pack_id, r.place, r.count, p.held FROM spans r JOIN packs p ON p.id = r.pack_id ORDER BY 1"
    )
    partly_used: list[tuple[int, set[int]]] = []
    for pack, spans in groupby(rows, key=lambda row: row[0]):
        parts = list(spans)
        used = {n for _, place, count, _ in parts for n in range(place, place + count)}
        if len(used) < parts[0][3]:
            partly_used.append((pack, used))
    return partly_used


def _forget_bodies(conn: sqlite3.Connection, pack: int, kept: set[int]) -> None:
    """Rewrite a pack with only the bodies at these places."""
    kind, data, size = conn.execute("SELECT kind, data, size FROM packs WHERE id = ?", (pack,)).fetchone()
    texts = split_bodies(decompress(data, size))
    unused = [place for place, text in enumerate(texts) if place not in kept and text != FORGOTTEN_BODY]
    conn.executemany(
        "DELETE FROM known WHERE key = ? AND body = ?",
        [(BodyRow.from_text(kind, texts[place]).key, pack * BODIES_PER_PACK + place) for place in unused],
    )
    for place in unused:
        texts[place] = FORGOTTEN_BODY
    new = Pack.from_bodies(kind, [text.encode() for text in texts])
    conn.execute(
        "UPDATE packs SET held = ?, size = ?, sha = ?, data = ? WHERE id = ?",
        (len(kept), new.size, new.sha, new.data, pack),
    )
