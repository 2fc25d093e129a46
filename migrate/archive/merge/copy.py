"""Copy snapshots and bytes of files from one archive to another. Content whose hash the target has is not
copied.

Rows are read in batches, so memory use stays constant. Every body is compared with its hash on the way.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.hashes import snapshot_digest
from migrate.archive.packs import BodyReader, decompress
from migrate.archive.snapshots.listings import ListingKey, ManifestWriter, insert_listing
from migrate.errors import ArchiveDamaged
from migrate.model.file import BYTES_FROM_DOWNLOAD, BYTES_FROM_ORIGINAL, BYTES_FROM_PARSED_TEXT

MERGE_BATCH_ROWS = 400
# The number of the archive that is merged into; the inputs have the numbers from 1.
TARGET_ARCHIVE = 0
# Where bytes of a file came from -> their rank: of several, those with the highest rank are kept.
ORIGIN_RANK = {BYTES_FROM_DOWNLOAD: 3, BYTES_FROM_ORIGINAL: 2, BYTES_FROM_PARSED_TEXT: 1}
# Columns of `missing` that are copied.
MISSING_COLUMNS = "kind, parent_id, object_id, name, reason, expected"


class Copier:
    """Copies from one connection into an archive; both may be the same archive. `count_bodies` is called with
    the number of new bodies."""

    def __init__(
        self, source: sqlite3.Connection, target: Archive, path: Path, count_bodies: Callable[[int], None]
    ) -> None:
        self.source, self.target, self.path = source, target.conn, path
        self._packer = target.packer
        self._bodies = BodyReader(source)
        self._count_bodies = count_bodies

    def copy_listings(
        self,
        snapshot: int,
        target_snapshot: int,
        includes: Callable[[str, str], bool] = lambda kind, parent: True,
    ) -> None:
        """Copy the listings of a snapshot for which `includes` returns True for kind and parent."""
        rows = self.source.execute(
            "SELECT s.kind, s.parent_id, s.manifest_id, m.sha, s.state, s.reason FROM scopes s "
            "JOIN manifests m ON m.id = s.manifest_id WHERE s.snapshot_id = ? ORDER BY 1, 2",
            (snapshot,),
        )
        while batch := rows.fetchmany(MERGE_BATCH_ROWS):
            for kind, parent, manifest, sha, state, reason in batch:
                if includes(kind, parent):
                    key = ListingKey(target_snapshot, kind, parent)
                    insert_listing(self.target, key, self.copy_manifest(manifest, sha), state, reason)

    def copy_manifest(self, manifest: int, sha: bytes) -> int:
        """The number of a listing's content in the target. The content is copied if the target does not have
        it."""
        row = self.target.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
        if row:
            return int(row[0])
        writer = ManifestWriter.create(self.target)
        for kind, bodies in self.read_bodies(manifest, sha):
            writer.add([body.sha for body in bodies], self.copy_bodies(kind, bodies))
        return writer.seal()

    def read_bodies(self, manifest: int, sha: bytes) -> Iterator[tuple[str, list[BodyRow]]]:
        """Kind and bodies of a listing, part by part. Raises `ArchiveDamaged`, at the latest after the last
        part, when they are not those that were stored."""
        digest = hashlib.sha256()
        for pack, place, count in self._bodies.spans(manifest):
            kind, texts = self._bodies.pack(pack, place + count)
            bodies = [BodyRow.from_text(kind, text) for text in texts[place : place + count]]
            for body in bodies:
                digest.update(body.sha)
            yield kind, bodies
        if digest.digest() != sha:
            raise self.damaged("a listing does not match its hash")

    def copy_bodies(self, kind: str, bodies: Sequence[BodyRow]) -> list[int]:
        """The numbers of bodies in the target. Bodies that the target does not have are copied."""
        before = self._packer.added
        numbers = self._packer.store(kind, bodies)
        self._count_bodies(self._packer.added - before)
        return numbers

    def copy_missing(
        self,
        snapshot: int,
        target_snapshot: int,
        includes: Callable[[str, str, str], bool] = lambda kind, parent, id_: True,
    ) -> None:
        """Copy the records of what a snapshot could not read, where `includes` returns True for kind, parent
        and id."""
        rows = self.source.execute(
            f"SELECT {MISSING_COLUMNS} FROM missing WHERE snapshot_id = ?", (snapshot,)
        ).fetchall()
        self.target.executemany(
            f"INSERT INTO missing (snapshot_id, {MISSING_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(target_snapshot, *row) for row in rows if includes(*row[:3])],
        )

    def check_digest(self, conn: sqlite3.Connection, number: int, snapshot: int, digest: str) -> None:
        """Raise `ArchiveDamaged` where snapshot `number` on this connection, which is snapshot `snapshot` of
        the source or its copy, does not match the fingerprint of the source."""
        if snapshot_digest(conn, number) != digest:
            raise self.damaged(f"snapshot {snapshot} does not match its fingerprint")

    def read_shown(self, snapshot: int) -> str | None:
        """The JSON of `SnapshotInfo.shown` of a snapshot, if it has any."""
        row = self.source.execute("SELECT shown FROM snapshots WHERE id = ?", (snapshot,)).fetchone()
        return None if row[0] is None else str(row[0])

    def copy_blob(self, sha: bytes) -> None:
        """Copy the bytes of this hash, which the target does not have."""
        blob, size = self.source.execute("SELECT id, size FROM blobs WHERE sha = ?", (sha,)).fetchone()
        number = int(self.target.execute("INSERT INTO blobs DEFAULT VALUES").lastrowid or 0)
        digest = hashlib.sha256()
        for ordinal, data, chunk_size in self.source.execute(
            "SELECT ordinal, data, size FROM chunks WHERE blob_id = ? ORDER BY ordinal", (blob,)
        ):
            self.target.execute("INSERT INTO chunks VALUES (?, ?, ?, ?)", (number, ordinal, data, chunk_size))
            digest.update(decompress(data, chunk_size))
        if digest.digest() != sha:
            raise self.damaged("the bytes of a file do not match their hash")
        self.target.execute("UPDATE blobs SET sha = ?, size = ? WHERE id = ?", (sha, size, number))

    def damaged(self, why: str) -> ArchiveDamaged:
        """The error for content that is not as it was written."""
        return ArchiveDamaged(
            f"{self.path} is damaged, or was changed while it was read", why, f"run: check {self.path}"
        )


class BlobMerge:
    """Collects which bytes of files each archive has, then copies the best ones of each file."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._endpoints: dict[tuple[str, str], int] = {}
        conn.execute("DROP TABLE IF EXISTS temp.offered")
        conn.execute(
            "CREATE TEMP TABLE offered (endpoint INTEGER, file_id TEXT, worth INTEGER, fetched TEXT, "
            "sha BLOB, origin TEXT, source INTEGER, PRIMARY KEY (endpoint, file_id)) WITHOUT ROWID"
        )
        self.collect(TARGET_ARCHIVE, conn)

    def endpoint(self, type_: str, url: str) -> int:
        """The number of an estate in the target."""
        if (type_, url) not in self._endpoints:
            self._conn.execute("INSERT OR IGNORE INTO endpoints (type, url) VALUES (?, ?)", (type_, url))
            row = self._conn.execute("SELECT id FROM endpoints WHERE type = ? AND url = ?", (type_, url))
            self._endpoints[(type_, url)] = int(row.fetchone()[0])
        return self._endpoints[(type_, url)]

    def collect(self, source: int, conn: sqlite3.Connection) -> None:
        """Record the files of which one archive has bytes."""
        rows = conn.execute(
            "SELECT e.type, e.url, c.file_id, c.origin, c.fetched_at, b.sha FROM contents c "
            "JOIN endpoints e ON e.id = c.endpoint_id JOIN blobs b ON b.id = c.blob_id"
        )
        while batch := rows.fetchmany(MERGE_BATCH_ROWS):
            self._conn.executemany(
                "INSERT INTO offered VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "worth = excluded.worth, fetched = excluded.fetched, sha = excluded.sha, "
                "origin = excluded.origin, source = excluded.source WHERE (excluded.worth, excluded.fetched, "
                "excluded.sha) > (worth, fetched, sha)",
                [
                    (
                        self.endpoint(type_, url),
                        file_id,
                        ORIGIN_RANK.get(origin, 0),
                        fetched,
                        sha,
                        origin,
                        source,
                    )
                    for type_, url, file_id, origin, fetched, sha in batch
                ],
            )

    def copy(self, source: int, copier: Copier) -> int:
        """Copy the bytes for which one archive was selected, and return how many were new."""
        rows = self._conn.execute(
            "SELECT DISTINCT sha FROM offered WHERE source = ? AND sha NOT IN (SELECT sha FROM blobs) "
            "ORDER BY sha",
            (source,),
        ).fetchall()
        for (sha,) in rows:
            copier.copy_blob(sha)
        return len(rows)

    def link(self) -> bool:
        """Link files to their bytes. Returns whether bytes that the target had were replaced by better
        ones."""
        replaced = self._conn.execute(
            "SELECT count(*) FROM contents c JOIN blobs b ON b.id = c.blob_id JOIN offered o "
            "ON o.endpoint = c.endpoint_id AND o.file_id = c.file_id WHERE o.sha != b.sha"
        ).fetchone()[0]
        self._conn.execute(
            "INSERT OR REPLACE INTO contents SELECT o.endpoint, o.file_id, b.id, o.origin, o.fetched "
            "FROM offered o JOIN blobs b ON b.sha = o.sha WHERE o.source != ?",
            (TARGET_ARCHIVE,),
        )
        return bool(replaced)
