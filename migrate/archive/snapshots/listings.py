"""The listings of a snapshot are written here; the view `scopes` reads them.

There is a row for each thread in each snapshot, so rows are small: kinds and parents are numbers, and the
state that most have, complete, is none.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from migrate.archive.packs import BODIES_PER_PACK, BodyReader

# Picks a row by snapshot, kind and parent.
SCOPE_KEY_SQL = (
    "snapshot_id = ? AND kind_id = (SELECT id FROM kinds WHERE name = ?) "
    "AND parent_id = (SELECT id FROM parents WHERE object_id = ?)"
)


INSERT_SCOPE_SQL = (
    "INSERT INTO listed (snapshot_id, kind_id, parent_id, manifest_id, state, reason, cursor) "
    "SELECT ?, kinds.id, parents.id, ?, nullif(?, 'complete'), ?, ? FROM kinds, parents "
    "WHERE name = ? AND object_id = ?"
)


class ScopePlace(NamedTuple):
    """Which listing of which snapshot. `parent` is '' where nothing lies above."""

    snapshot: int
    kind: str
    parent: str = ""


def begin_scope(
    conn: sqlite3.Connection,
    place: ScopePlace,
    manifest: int,
    state: str,
    reason: str | None = None,
    cursor: str | None = None,
) -> None:
    """Say that a snapshot has a listing, and where its content is."""
    row = (place.snapshot, manifest, state, reason, cursor, place.kind, place.parent)
    if not conn.execute(INSERT_SCOPE_SQL, row).rowcount:  # the kind or the parent has no number yet
        conn.execute("INSERT OR IGNORE INTO kinds (name) VALUES (?)", (place.kind,))
        conn.execute("INSERT OR IGNORE INTO parents (object_id) VALUES (?)", (place.parent,))
        conn.execute(INSERT_SCOPE_SQL, row)


def end_scope(
    conn: sqlite3.Connection, place: ScopePlace, manifest: int, state: str, reason: str | None
) -> None:
    """Say how a listing ended."""
    conn.execute(
        "UPDATE listed SET state = nullif(?, 'complete'), reason = ?, manifest_id = ?, cursor = NULL "
        f"WHERE {SCOPE_KEY_SQL}",
        (state, reason, manifest, *place),
    )


def set_scope_manifest(conn: sqlite3.Connection, place: ScopePlace, manifest: int) -> None:
    """Give a listing other content."""
    conn.execute(f"UPDATE listed SET manifest_id = ? WHERE {SCOPE_KEY_SQL}", (manifest, *place))


def set_scope_cursor(conn: sqlite3.Connection, place: ScopePlace, cursor: str) -> None:
    """Note where an interrupted reading goes on."""
    conn.execute(f"UPDATE listed SET cursor = ? WHERE {SCOPE_KEY_SQL}", (cursor, *place))


def scope_content(conn: sqlite3.Connection, place: ScopePlace) -> tuple[int, bytes | None] | None:
    """Number and hash of what a listing holds; no hash while it is being read."""
    row: tuple[int, bytes | None] | None = conn.execute(
        f"SELECT m.id, m.sha FROM listed JOIN manifests m ON m.id = manifest_id WHERE {SCOPE_KEY_SQL}", place
    ).fetchone()
    return row


def remove_scope(conn: sqlite3.Connection, place: ScopePlace) -> int | None:
    """Forget that a snapshot has a listing; the number of what it held."""
    row = conn.execute(f"DELETE FROM listed WHERE {SCOPE_KEY_SQL} RETURNING manifest_id", place).fetchone()
    return int(row[0]) if row else None


class ListingWriter:
    """A listing that is being written. `manifest` is its number, `count` how many bodies it has."""

    def __init__(self, conn: sqlite3.Connection, manifest: int) -> None:
        self._conn = conn
        self.manifest = manifest
        self.count = 0
        self._digest = hashlib.sha256()
        self._end = (0, 0, 0)
        """First place of the last span, its length, and the number that would make it longer."""

    @classmethod
    def new(cls, conn: sqlite3.Connection) -> ListingWriter:
        """An empty one."""
        return cls(conn, int(conn.execute("INSERT INTO manifests (sha) VALUES (NULL)").lastrowid or 0))

    @classmethod
    def resume(cls, conn: sqlite3.Connection, manifest: int) -> ListingWriter:
        """One that an interrupted program began; what it has is read again."""
        found = cls(conn, manifest)
        for sha in BodyReader(conn).shas(manifest):
            found._digest.update(sha)
            found.count += 1
        return found

    @classmethod
    def copy(cls, conn: sqlite3.Connection, sealed: int) -> ListingWriter:
        """One that begins with what another has, which stays as it is."""
        manifest = cls.new(conn).manifest
        conn.execute(
            "INSERT INTO spans SELECT ?, ordinal, pack_id, place, count FROM spans WHERE manifest_id = ?",
            (manifest, sealed),
        )
        return cls.resume(conn, manifest)

    @classmethod
    def empty(cls, conn: sqlite3.Connection) -> int:
        """The number of the listing that holds nothing."""
        sha = hashlib.sha256().digest()
        row = conn.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
        return int(row[0]) if row else cls.new(conn).seal()

    def add(self, shas: Iterable[bytes], numbers: Sequence[int]) -> None:
        """Put bodies at the end: their hashes and their numbers."""
        for sha in shas:
            self._digest.update(sha)
        for first, length in _spans(numbers):
            self._span(first, length)

    def seal(self) -> int:
        """The number of the listing, or of the one that holds the same: then this one goes."""
        sha = self._digest.digest()
        same = self._conn.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
        if same is None:
            self._conn.execute("UPDATE manifests SET sha = ? WHERE id = ?", (sha, self.manifest))
            return self.manifest
        if same[0] != self.manifest:
            self._conn.execute("DELETE FROM manifests WHERE id = ?", (self.manifest,))
        return int(same[0])

    def _span(self, first: int, length: int) -> None:
        start, before, follower = self._end
        if before and first == follower and first // BODIES_PER_PACK == start // BODIES_PER_PACK:
            first, length = start, before + length
            self.count -= before
        self._conn.execute(
            "INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?)",
            (self.manifest, self.count, *divmod(first, BODIES_PER_PACK), length),
        )
        self._end = (first, length, first + length)
        self.count += length


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First number and length of each stretch of neighbours in one pack."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == sum(found[-1]) and number % BODIES_PER_PACK:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((number, 1))
    return found
