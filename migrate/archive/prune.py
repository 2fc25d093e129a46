"""Remove listings, bodies and bytes that no snapshot refers to any more.

A pack of which a part is still needed is rewritten with nothing in the places of the others, so what stays
keeps its number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import groupby

from migrate.archive.database import Archive
from migrate.archive.packs.reader import BODIES_PER_PACK, FORGOTTEN_BODY, Pack, decompress, split_bodies
from migrate.archive.packs.rows import BodyRow

# Table -> how it is rid of what nothing needs any more, in this order.
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


def sweep_listings(archive: Archive) -> dict[str, int]:
    """Remove listings and bodies that nothing names; how many rows of each, bodies as `bodies`."""
    conn = archive.conn
    archive.packer.close()
    removed = {table: conn.execute(sql).rowcount for table, sql in SWEEP_STATEMENTS.items()}
    return {**removed, "bodies": _sweep_bodies(conn)}


def sweep_blobs(conn: sqlite3.Connection) -> int:
    """Remove the bytes that no file has; of how many files."""
    removed = [conn.execute(sql).rowcount for sql in BLOB_SWEEP_STATEMENTS.values()]
    return removed[0]


def _sweep_bodies(conn: sqlite3.Connection) -> int:
    """Packs that no listing names, and bodies of others that none names."""
    held = _count_bodies(conn)
    conn.execute("DELETE FROM packs WHERE id NOT IN (SELECT pack_id FROM spans)")
    conn.execute(f"DELETE FROM known WHERE body / {BODIES_PER_PACK} NOT IN (SELECT id FROM packs)")
    for pack, places in _partly_used(conn):
        _forget_bodies(conn, pack, places)
    return held - _count_bodies(conn)


def _count_bodies(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT coalesce(sum(held), 0) FROM packs").fetchone()[0])


def _partly_used(conn: sqlite3.Connection) -> Iterator[tuple[int, set[int]]]:
    """Packs that hold more than is named, and the places that are."""
    rows = conn.execute(
        "SELECT r.pack_id, r.place, r.count, p.held FROM spans r JOIN packs p ON p.id = r.pack_id ORDER BY 1"
    )
    wanted: list[tuple[int, set[int]]] = []
    for pack, spans in groupby(rows, key=lambda row: row[0]):
        parts = list(spans)
        named = {n for _, place, count, _ in parts for n in range(place, place + count)}
        if len(named) < parts[0][3]:
            wanted.append((pack, named))
    yield from wanted  # all were found before the first is changed


def _forget_bodies(conn: sqlite3.Connection, pack: int, kept: set[int]) -> None:
    """Rewrite a pack with only these places."""
    kind, data, size = conn.execute("SELECT kind, data, size FROM packs WHERE id = ?", (pack,)).fetchone()
    texts = split_bodies(decompress(data, size))
    gone = [place for place, text in enumerate(texts) if place not in kept and text != FORGOTTEN_BODY]
    conn.executemany(
        "DELETE FROM known WHERE key = ? AND body = ?",
        [(_key(kind, texts[place]), pack * BODIES_PER_PACK + place) for place in gone],
    )
    for place in gone:
        texts[place] = FORGOTTEN_BODY
    new = Pack.of(kind, [text.encode() for text in texts])
    conn.execute(
        "UPDATE packs SET held = ?, size = ?, sha = ?, data = ? WHERE id = ?",
        (len(kept), new.size, new.sha, new.data, pack),
    )


def _key(kind: str, text: str) -> int:
    return BodyRow.stored(kind, text).key
