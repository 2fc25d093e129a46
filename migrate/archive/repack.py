"""Move the bodies of an archive of an earlier version into packs. Listings keep their exact content.

Until then a body was a row of its own. Hashes of listings are not computed again: `check` compares what was
moved with what was stored when it was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import groupby

from migrate.archive.packs.listing import ListingWriter
from migrate.archive.packs.rows import BodyRow
from migrate.archive.packs.writer import PackWriter

REPACK_BATCH_ROWS = 500
CREATE_TABLES = (
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE parents (id INTEGER PRIMARY KEY, object_id TEXT NOT NULL UNIQUE)",
    """CREATE TABLE packs (
           id INTEGER PRIMARY KEY, kind TEXT NOT NULL, count INTEGER NOT NULL, held INTEGER NOT NULL,
           size INTEGER NOT NULL, sha BLOB NOT NULL, data BLOB NOT NULL)""",
    """CREATE TABLE spans (
           manifest_id INTEGER NOT NULL REFERENCES manifests(id) ON DELETE CASCADE,
           ordinal INTEGER NOT NULL,
           pack_id INTEGER NOT NULL REFERENCES packs(id) DEFERRABLE INITIALLY DEFERRED,
           place INTEGER NOT NULL, count INTEGER NOT NULL,
           PRIMARY KEY (manifest_id, ordinal)) WITHOUT ROWID""",
    "CREATE INDEX spans_pack ON spans (pack_id)",
    "CREATE TABLE known (key INTEGER NOT NULL, body INTEGER NOT NULL, PRIMARY KEY (key, body)) WITHOUT ROWID",
    """CREATE TABLE listed (
           snapshot_id INTEGER NOT NULL REFERENCES snapshots(id) ON DELETE CASCADE,
           kind_id INTEGER NOT NULL REFERENCES kinds(id),
           parent_id INTEGER NOT NULL REFERENCES parents(id),
           manifest_id INTEGER NOT NULL, -- no key: without an index each manifest that goes would cost a scan
           state TEXT, reason TEXT, cursor TEXT,
           PRIMARY KEY (snapshot_id, kind_id, parent_id)) WITHOUT ROWID""",
)
MOVE_STATEMENTS = (
    "INSERT INTO kinds (name) SELECT DISTINCT kind FROM scopes ORDER BY kind",
    "INSERT INTO parents (object_id) SELECT DISTINCT parent_id FROM scopes ORDER BY parent_id",
    "INSERT INTO listed SELECT s.snapshot_id, k.id, p.id, s.manifest_id, nullif(s.state, 'complete'), "
    "s.reason, s.cursor FROM scopes s JOIN kinds k ON k.name = s.kind "
    "JOIN parents p ON p.object_id = s.parent_id",
    "DROP TABLE scopes",
    "DROP TABLE entries",
    "DROP TABLE bodies",
    "ALTER TABLE chunks ADD COLUMN size INTEGER",
    "UPDATE chunks SET size = length(data)",
)


def repack(conn: sqlite3.Connection) -> None:
    """Move everything. Memory stays flat."""
    for sql in CREATE_TABLES:
        conn.execute(sql)
    packer = PackWriter(conn)
    for (manifest,) in conn.execute("SELECT id FROM manifests ORDER BY id").fetchall():
        listing = ListingWriter(conn, manifest)
        for kind, rows in _entries(conn, manifest):
            listing.add((row.sha for row in rows), packer.numbers(kind, rows))
    packer.flush()
    for sql in MOVE_STATEMENTS:
        conn.execute(sql)


def _entries(conn: sqlite3.Connection, manifest: int) -> Iterator[tuple[str, list[BodyRow]]]:
    """What a listing holds, by kind, some at a time."""
    rows = conn.execute(
        "SELECT b.kind, b.object_id, b.body FROM entries e JOIN bodies b ON b.id = e.body_id "
        "WHERE e.manifest_id = ? ORDER BY e.ordinal",
        (manifest,),
    )
    while some := rows.fetchmany(REPACK_BATCH_ROWS):
        for kind, group in groupby(some, key=lambda row: str(row[0])):
            yield kind, [BodyRow.named(kind, id_, text) for _, id_, text in group]
