"""The listings of a snapshot: which listings it has, and which bodies each of them has.

There is a row of `listed` for each thread in each snapshot, so these rows are small: kinds and parents are
numbers, and the most frequent state, complete, is NULL. The view `scopes` reads them. The content of a
listing is a manifest: bodies by number, in order, as spans of neighbours in a pack.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.packs import BODIES_PER_PACK, BodyReader

# Selects a row by snapshot, kind and parent.
LISTING_KEY_SQL = (
    "snapshot_id = ? AND kind_id = (SELECT id FROM kinds WHERE name = ?) "
    "AND parent_id = (SELECT id FROM parents WHERE object_id = ?)"
)
INSERT_LISTING_SQL = (
    "INSERT INTO listed (snapshot_id, kind_id, parent_id, manifest_id, state, reason, cursor) "
    "SELECT ?, kinds.id, parents.id, ?, nullif(?, 'complete'), ?, ? FROM kinds, parents "
    "WHERE name = ? AND object_id = ?"
)


class ListingKey(NamedTuple):
    """Identifies a listing of a snapshot. `parent` is '' for objects without a parent."""

    snapshot: int
    kind: str
    parent: str = ""


class ListingRow(NamedTuple):
    """A listing as it is stored. `sha`: over its content, None while it is being read."""

    manifest: int
    sha: bytes | None
    state: str
    reason: str
    cursor: str


def insert_listing(
    conn: sqlite3.Connection,
    key: ListingKey,
    manifest: int,
    state: str,
    reason: str | None = None,
    cursor: str | None = None,
) -> None:
    """Add a listing to a snapshot."""
    row = (key.snapshot, manifest, state, reason, cursor, key.kind, key.parent)
    if not conn.execute(INSERT_LISTING_SQL, row).rowcount:  # the kind or the parent has no number yet
        conn.execute("INSERT OR IGNORE INTO kinds (name) VALUES (?)", (key.kind,))
        conn.execute("INSERT OR IGNORE INTO parents (object_id) VALUES (?)", (key.parent,))
        conn.execute(INSERT_LISTING_SQL, row)


def finish_listing(
    conn: sqlite3.Connection, key: ListingKey, manifest: int, state: str, reason: str | None
) -> None:
    """Store the state in which the reading of a listing ended."""
    conn.execute(
        "UPDATE listed SET state = nullif(?, 'complete'), reason = ?, manifest_id = ?, cursor = NULL "
        f"WHERE {LISTING_KEY_SQL}",
        (state, reason, manifest, *key),
    )


def set_listing_manifest(conn: sqlite3.Connection, key: ListingKey, manifest: int) -> None:
    """Give a listing other content."""
    conn.execute(f"UPDATE listed SET manifest_id = ? WHERE {LISTING_KEY_SQL}", (manifest, *key))


def set_listing_cursor(conn: sqlite3.Connection, key: ListingKey, cursor: str) -> None:
    """Store the position from which an interrupted reading continues."""
    conn.execute(f"UPDATE listed SET cursor = ? WHERE {LISTING_KEY_SQL}", (cursor, *key))


def read_listing(conn: SqlConnection, key: ListingKey) -> ListingRow | None:
    """A listing of a snapshot, if it has that one."""
    row = conn.execute(
        "SELECT s.manifest_id, m.sha, s.state, coalesce(s.reason, ''), coalesce(s.cursor, '') FROM scopes s "
        "LEFT JOIN manifests m ON m.id = s.manifest_id "
        "WHERE s.snapshot_id = ? AND s.kind = ? AND s.parent_id = ?",
        key,
    ).fetchone()
    return ListingRow(*row) if row else None


def root_manifest(conn: SqlConnection, snapshot: int, kind: str) -> int:
    """The number of the content of the listing of a kind outside of any parent; 0 where it was not read."""
    sql = "SELECT manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ''"
    return first_value(conn, sql, (snapshot, kind), 0)


def parents_beginning_with(conn: SqlConnection, text: str, limit: int) -> list[str]:
    """The ids of threads and vector stores, of all snapshots, that begin with a text; sorted, not more than
    `limit`."""
    rows = conn.execute(
        "SELECT object_id FROM parents WHERE object_id >= ? AND object_id < ? ORDER BY object_id LIMIT ?",
        (text, f"{text}\U0010ffff", limit),
    )
    return [id_ for (id_,) in rows if id_]


def listing_size(conn: SqlConnection, manifest: int) -> int:
    """How many bodies a listing has. Unpacks nothing."""
    sql = "SELECT coalesce(sum(count), 0) FROM spans WHERE manifest_id = ?"
    return first_value(conn, sql, (manifest,), 0)


def delete_listing(conn: sqlite3.Connection, key: ListingKey) -> int | None:
    """Remove a listing from a snapshot, and return the number of its content."""
    row = conn.execute(f"DELETE FROM listed WHERE {LISTING_KEY_SQL} RETURNING manifest_id", key).fetchone()
    return int(row[0]) if row else None


class ManifestWriter:
    """Writes the content of a listing. `manifest` is its number, `count` the number of its bodies."""

    def __init__(self, conn: sqlite3.Connection, manifest: int) -> None:
        self._conn = conn
        self.manifest = manifest
        self.count = 0
        self._digest = hashlib.sha256()
        # The last span: first number, length, and the number that would continue it.
        self._last_span = (0, 0, 0)

    @classmethod
    def create(cls, conn: sqlite3.Connection) -> ManifestWriter:
        """Begin with no bodies."""
        return cls(conn, int(conn.execute("INSERT INTO manifests (sha) VALUES (NULL)").lastrowid or 0))

    @classmethod
    def resume(cls, conn: sqlite3.Connection, manifest: int) -> ManifestWriter:
        """Continue what an interrupted program began. Its bodies are read again for the hash."""
        writer = cls(conn, manifest)
        for sha in BodyReader(conn).shas(manifest):
            writer._digest.update(sha)
            writer.count += 1
        return writer

    @classmethod
    def copy(cls, conn: sqlite3.Connection, sealed: int) -> ManifestWriter:
        """Begin with the bodies of another manifest, which stays as it is."""
        manifest = cls.create(conn).manifest
        conn.execute(
            "INSERT INTO spans SELECT ?, ordinal, pack_id, place, count FROM spans WHERE manifest_id = ?",
            (manifest, sealed),
        )
        return cls.resume(conn, manifest)

    @classmethod
    def empty(cls, conn: sqlite3.Connection) -> int:
        """The number of the manifest without bodies."""
        sha = hashlib.sha256().digest()
        row = conn.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
        return int(row[0]) if row else cls.create(conn).seal()

    def add(self, shas: Iterable[bytes], numbers: Sequence[int]) -> None:
        """Append bodies, given by their hashes and their numbers."""
        for sha in shas:
            self._digest.update(sha)
        for first, length in _spans(numbers):
            self._add_span(first, length)

    def seal(self) -> int:
        """Store the hash, and return the number. Where another manifest has the same bodies, its number is
        returned and this one is removed."""
        sha = self._digest.digest()
        same = self._conn.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
        if same is None:
            self._conn.execute("UPDATE manifests SET sha = ? WHERE id = ?", (sha, self.manifest))
            return self.manifest
        if same[0] != self.manifest:
            self._conn.execute("DELETE FROM manifests WHERE id = ?", (self.manifest,))
        return int(same[0])

    def _add_span(self, first: int, length: int) -> None:
        start, length_before, next_number = self._last_span
        if length_before and first == next_number and first // BODIES_PER_PACK == start // BODIES_PER_PACK:
            first, length = start, length_before + length
            self.count -= length_before
        self._conn.execute(
            "INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?)",
            (self.manifest, self.count, *divmod(first, BODIES_PER_PACK), length),
        )
        self._last_span = (first, length, first + length)
        self.count += length


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First number and length of each range of neighbours in one pack."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and number == sum(spans[-1]) and number % BODIES_PER_PACK:
            spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        else:
            spans.append((number, 1))
    return spans
