"""File bytes: streamed in, hashed on the way, kept once per content, streamed out, in constant memory."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.hashes import storable_text
from migrate.archive.packs import compress, decompress
from migrate.archive.sql_connection import SqlConnection
from migrate.errors import ArchiveDamaged

if TYPE_CHECKING:
    from typing_extensions import Buffer

BLOB_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Blob:
    """Stored bytes: hex SHA-256, size in bytes, and where they came from."""

    id: int
    sha256: str
    size: int
    origin: str


class BlobWriter:
    """Bytes on their way into the archive. Every call is short; `finish` gives the blob's id."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        with archive.transaction() as conn:
            self._id = int(conn.execute("INSERT INTO blobs DEFAULT VALUES").lastrowid or 0)
        self._hash = hashlib.sha256()
        self.size = 0
        self._ordinal = 0

    def write(self, data: bytes) -> None:
        """Add a chunk, committed at once so that a large file never fills a transaction."""
        with self._archive.transaction() as conn:
            conn.execute(
                "INSERT INTO chunks VALUES (?, ?, ?, ?)", (self._id, self._ordinal, compress(data), len(data))
            )
        self._hash.update(data)
        self.size += len(data)
        self._ordinal += 1

    def finish(self) -> int:
        """Seal it; bytes that are already there are not kept twice."""
        sha = self._hash.digest()
        with self._archive.transaction() as conn:
            row = conn.execute("SELECT id FROM blobs WHERE sha = ?", (sha,)).fetchone()
            if row:
                conn.execute("DELETE FROM blobs WHERE id = ?", (self._id,))
                return int(row[0])
            conn.execute("UPDATE blobs SET sha = ?, size = ? WHERE id = ?", (sha, self.size, self._id))
        return self._id

    def discard(self) -> None:
        """Forget what was written."""
        with self._archive.transaction() as conn:
            conn.execute("DELETE FROM blobs WHERE id = ?", (self._id,))


def store_blob(archive: Archive, chunks: Iterable[bytes]) -> int:
    """Store bytes from an iterable; the blob's id."""
    writer = BlobWriter(archive)
    try:
        for chunk in chunks:
            writer.write(chunk)
        return writer.finish()
    except BaseException:
        writer.discard()
        raise


def link_file_to_blob(archive: Archive, endpoint: int, file_id: str, blob: int, origin: str) -> None:
    """Say whose bytes these are. `origin`: download, original, parsed (see `model.file`)."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with archive.transaction() as conn:
        conn.execute(
            "INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?)",
            (endpoint, storable_text(file_id), blob, origin, now),
        )


def blob_of(conn: SqlConnection, endpoint: int, file_id: str) -> Blob | None:
    """The bytes of a file, if the archive has them."""
    row = conn.execute(
        "SELECT b.id, b.sha, b.size, c.origin FROM contents c JOIN blobs b ON b.id = c.blob_id "
        "WHERE c.endpoint_id = ? AND c.file_id = ?",
        (endpoint, storable_text(file_id)),
    ).fetchone()
    return Blob(row[0], row[1].hex(), row[2], row[3]) if row else None


def read_chunks(conn: SqlConnection, blob: int) -> Iterator[bytes]:
    """The stored bytes, chunk by chunk."""
    rows = conn.execute("SELECT data, size FROM chunks WHERE blob_id = ? ORDER BY ordinal", (blob,))
    for data, size in rows:
        yield decompress(data, size)


def read_verified_chunks(conn: SqlConnection, blob: Blob) -> Iterator[bytes]:
    """The stored bytes, chunk by chunk; `ArchiveDamaged`, at the latest after the last one, when they are
    not what was stored."""
    digest, size = hashlib.sha256(), 0
    try:
        for data in read_chunks(conn, blob.id):
            digest.update(data)
            size += len(data)
            if size > blob.size:
                break  # told below: what a forged archive would give more is not read
            yield data
    except sqlite3.DatabaseError as error:
        raise ArchiveDamaged("the stored bytes are damaged", str(error)) from None
    if (digest.hexdigest(), size) != (blob.sha256, blob.size):
        raise ArchiveDamaged("the stored bytes are damaged", "their hash is not the one that was stored")


class BlobFile(io.RawIOBase):
    """Stored bytes as a readable, seekable file, for uploads. Holds one chunk in memory."""

    def __init__(self, conn: SqlConnection, blob: Blob) -> None:
        self._conn = conn
        self._blob = blob
        self._at = 0
        self._starts = list(self._layout())
        self._held: tuple[int, bytes] = (-1, b"")

    def _layout(self) -> Iterator[tuple[int, int]]:
        """Start offset and ordinal of each chunk."""
        start = 0
        for ordinal, length in self._conn.execute(
            "SELECT ordinal, size FROM chunks WHERE blob_id = ? ORDER BY ordinal", (self._blob.id,)
        ):
            yield start, ordinal
            start += length

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._blob.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        wanted = self._blob.size - self._at if size is None or size < 0 else size
        out = bytearray()
        while wanted > 0 and self._at < self._blob.size:
            piece = self._piece(wanted)
            out += piece
            self._at += len(piece)
            wanted -= len(piece)
        return bytes(out)

    def _piece(self, wanted: int) -> bytes:
        index = _last_at_or_before(self._starts, self._at)
        start, ordinal = self._starts[index]
        if self._held[0] != ordinal:
            row = self._conn.execute(
                "SELECT data, size FROM chunks WHERE blob_id = ? AND ordinal = ?", (self._blob.id, ordinal)
            ).fetchone()
            self._held = (ordinal, decompress(*row))
        offset = self._at - start
        return self._held[1][offset : offset + wanted]


def _last_at_or_before(starts: list[tuple[int, int]], at: int) -> int:
    low, high = 0, len(starts)
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if starts[middle][0] <= at else (low, middle)
    return low
