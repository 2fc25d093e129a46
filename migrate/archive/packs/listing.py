"""Where the content of a listing is written: bodies by number, in order, as spans of neighbours in a pack."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence

from migrate.archive.packs.reader import BODIES_PER_PACK, BodyReader


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
