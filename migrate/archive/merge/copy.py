"""Copy listings from one archive to another; content with a known hash is not copied.

A few hundred rows at a time, so memory stays flat; every body is compared with its hash on the way.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.packs import BodyReader, decompress
from migrate.archive.snapshots.listings import ListingKey, ManifestWriter, insert_listing
from migrate.errors import ArchiveDamaged

MERGE_BATCH_ROWS = 400


class Copier:
    """Copies from one connection into an archive, or within one. `count` hears of new bodies."""

    def __init__(
        self, source: sqlite3.Connection, target: Archive, path: Path, count: Callable[[int], None]
    ) -> None:
        self.source, self.target, self.path = source, target.conn, path
        self._packer = target.packer
        self._bodies = BodyReader(source)
        self._count = count

    def scopes(
        self, snapshot: int, into: int, kept: Callable[[str, str], bool] = lambda kind, parent: True
    ) -> None:
        """The listings of a snapshot of which `kept` says yes to kind and parent."""
        rows = self.source.execute(
            "SELECT s.kind, s.parent_id, s.manifest_id, m.sha, s.state, s.reason FROM scopes s "
            "JOIN manifests m ON m.id = s.manifest_id WHERE s.snapshot_id = ? ORDER BY 1, 2",
            (snapshot,),
        )
        while some := rows.fetchmany(MERGE_BATCH_ROWS):
            for kind, parent, manifest, sha, state, reason in some:
                if kept(kind, parent):
                    insert_listing(
                        self.target,
                        ListingKey(into, kind, parent),
                        self.listing(manifest, sha),
                        state,
                        reason,
                    )

    def listing(self, manifest: int, sha: bytes) -> int:
        """The number of a listing in the target; copied if it is not there."""
        held = self.target.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
        if held:
            return int(held[0])
        listing = ManifestWriter.create(self.target)
        for kind, rows in self.parts(manifest, sha):
            listing.add([row.sha for row in rows], self.bodies(kind, rows))
        return listing.seal()

    def parts(self, manifest: int, sha: bytes) -> Iterator[tuple[str, list[BodyRow]]]:
        """Kind and rows of a listing, part by part; `ArchiveDamaged` after the last one when they are not
        those that were stored."""
        digest = hashlib.sha256()
        for kind, rows in self._groups(manifest):
            for row in rows:
                digest.update(row.sha)
            yield kind, rows
        if digest.digest() != sha:
            raise self.damaged("a listing does not agree with its hash")

    def bodies(self, kind: str, rows: Sequence[BodyRow]) -> list[int]:
        """The numbers of bodies in the target; what is not there is copied."""
        before = self._packer.added
        numbers = self._packer.store(kind, rows)
        self._count(self._packer.added - before)
        return numbers

    def _groups(self, manifest: int) -> Iterator[tuple[str, list[BodyRow]]]:
        """The bodies of a listing, pack by pack. Each was compressed with a checksum, and the listing has its
        hash."""
        for pack, place, count in self._bodies.spans(manifest):
            kind, texts = self._bodies.pack(pack, place + count)
            yield kind, [BodyRow.from_text(kind, text) for text in texts[place : place + count]]

    def blob(self, sha: bytes) -> int:
        """The number of stored bytes in the target; copied if they are not there."""
        held = self.target.execute("SELECT id FROM blobs WHERE sha = ?", (sha,)).fetchone()
        if held:
            return int(held[0])
        row = self.source.execute("SELECT id, size FROM blobs WHERE sha = ?", (sha,)).fetchone()
        number = int(self.target.execute("INSERT INTO blobs DEFAULT VALUES").lastrowid or 0)
        digest = hashlib.sha256()
        for ordinal, data, size_ in self.source.execute(
            "SELECT ordinal, data, size FROM chunks WHERE blob_id = ? ORDER BY ordinal", (row[0],)
        ):
            self.target.execute("INSERT INTO chunks VALUES (?, ?, ?, ?)", (number, ordinal, data, size_))
            digest.update(decompress(data, size_))
        if digest.digest() != sha:
            raise self.damaged("the bytes of a file do not agree with their hash")
        self.target.execute("UPDATE blobs SET sha = ?, size = ? WHERE id = ?", (sha, row[1], number))
        return number

    def damaged(self, why: str) -> ArchiveDamaged:
        """What is not as it was written."""
        return ArchiveDamaged(
            f"{self.path} is damaged, or was changed while it was read", why, f"run: check {self.path}"
        )
