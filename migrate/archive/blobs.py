"""Bytes of files: stored in chunks, once per content, identified by their SHA-256, and read back.

Every function works with one chunk in memory.
"""

from __future__ import annotations

import hashlib
import io
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from migrate.archive.connections import SqlConnection
from migrate.archive.database import Archive
from migrate.archive.hashes import storable_text
from migrate.archive.packs import PackDamaged, compress, decompress, decompress_head
from migrate.errors import ArchiveDamaged

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Stored bytes that are read for the beginning of a file. A compressed beginning may need a long table.
HEAD_BYTES = 1 << 13


@dataclass(frozen=True)
class Blob:
    """Stored bytes: SHA-256 in hex, size in bytes, and where they came from (see `model.file`)."""

    id: int
    sha256: str
    size: int
    origin: str


class BlobWriter:
    """Writes bytes into the archive, chunk by chunk. Every call is short; `finish` returns the blob's id."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        with archive.transaction() as conn:
            self._id = int(conn.execute("INSERT INTO blobs DEFAULT VALUES").lastrowid or 0)
        self._hash = hashlib.sha256()
        self.size = 0
        self._ordinal = 0

    def write(self, data: bytes) -> None:
        """Add a chunk. It is committed at once, so that no transaction grows with the file."""
        with self._archive.transaction() as conn:
            conn.execute(
                "INSERT INTO chunks VALUES (?, ?, ?, ?)", (self._id, self._ordinal, compress(data), len(data))
            )
        self._hash.update(data)
        self.size += len(data)
        self._ordinal += 1

    def finish(self) -> int:
        """Store hash and size. Returns the id of an existing blob where it has the same bytes."""
        sha = self._hash.digest()
        with self._archive.transaction() as conn:
            row = conn.execute("SELECT id FROM blobs WHERE sha = ?", (sha,)).fetchone()
            if row:
                conn.execute("DELETE FROM blobs WHERE id = ?", (self._id,))
                return int(row[0])
            conn.execute("UPDATE blobs SET sha = ?, size = ? WHERE id = ?", (sha, self.size, self._id))
        return self._id

    def discard(self) -> None:
        """Remove what was written."""
        with self._archive.transaction() as conn:
            conn.execute("DELETE FROM blobs WHERE id = ?", (self._id,))


def store_blob(archive: Archive, chunks: Iterable[bytes]) -> int:
    """Store bytes from an iterable, and return the blob's id."""
    writer = BlobWriter(archive)
    try:
        for chunk in chunks:
            writer.write(chunk)
        return writer.finish()
    except BaseException:
        writer.discard()
        raise


def link_file_to_blob(archive: Archive, endpoint: int, file_id: str, blob: int, origin: str) -> None:
    """Store which bytes a file has. `origin`: download, original, parsed (see `model.file`)."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with archive.transaction() as conn:
        conn.execute(
            "INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?)",
            (endpoint, storable_text(file_id), blob, origin, now),
        )


def find_blob(conn: SqlConnection, endpoint: int, file_id: str) -> Blob | None:
    """The bytes of a file, if the archive has them."""
    row = conn.execute(
        "SELECT b.id, b.sha, b.size, c.origin FROM contents c JOIN blobs b ON b.id = c.blob_id "
        "WHERE c.endpoint_id = ? AND c.file_id = ?",
        (endpoint, storable_text(file_id)),
    ).fetchone()
    return Blob(row[0], row[1].hex(), row[2], row[3]) if row else None


def next_chunk(conn: SqlConnection, blob: int, after: int = -1) -> tuple[int, bytes] | None:
    """Number and bytes of the chunk that follows another one; None after the last one."""
    row = conn.execute(
        "SELECT ordinal, data, size FROM chunks WHERE blob_id = ? AND ordinal > ? ORDER BY ordinal LIMIT 1",
        (blob, after),
    ).fetchone()
    return (row[0], decompress(row[1], row[2])) if row else None


def read_chunks(conn: SqlConnection, blob: int) -> Iterator[bytes]:
    """The stored bytes, chunk by chunk. No statement stays open between two of them."""
    chunk = next_chunk(conn, blob)
    while chunk:
        yield chunk[1]
        chunk = next_chunk(conn, blob, chunk[0])


def read_first_bytes(conn: SqlConnection, blob: Blob, count: int) -> bytes:
    """The first stored bytes, of which `HEAD_BYTES` are read at most; b'' where they are damaged."""
    row = conn.execute(
        "SELECT substr(data, 1, ?), size, length(data) FROM chunks WHERE blob_id = ? AND ordinal = 0",
        (HEAD_BYTES, blob.id),
    ).fetchone()
    if row is None:
        return b""
    data, size, stored_bytes = row
    try:
        return decompress_head(data, size, stored_bytes, count)
    except (PackDamaged, TypeError):
        return b""


def read_verified_chunks(conn: SqlConnection, blob: Blob) -> Iterator[bytes]:
    """The stored bytes, chunk by chunk. Raises `ArchiveDamaged`, at the latest after the last chunk, when
    they are not the bytes that were stored."""
    return verify_chunks(read_chunks(conn, blob.id), blob)


def verify_chunks(chunks: Iterable[bytes], blob: Blob) -> Iterator[bytes]:
    """The chunks of a blob, compared with its hash and its size as `read_verified_chunks` does it."""
    digest, size = hashlib.sha256(), 0
    try:
        for data in chunks:
            digest.update(data)
            size += len(data)
            if size > blob.size:
                break  # reported below; further chunks of a forged archive are not read
            yield data
    except sqlite3.DatabaseError as error:
        raise ArchiveDamaged("the stored bytes are damaged", str(error)) from None
    if (digest.hexdigest(), size) != (blob.sha256, blob.size):
        raise ArchiveDamaged("the stored bytes are damaged", "their hash is not the one that was stored")


class BlobFile(io.RawIOBase):
    """Stored bytes as a readable, seekable file, for uploads."""

    def __init__(self, conn: SqlConnection, blob: Blob) -> None:
        self._conn = conn
        self._blob = blob
        self._position = 0
        self._ordinals: list[int] = []
        self._starts: list[int] = []
        self._chunk: tuple[int, bytes] = (-1, b"")
        start = 0
        for ordinal, size in conn.execute(
            "SELECT ordinal, size FROM chunks WHERE blob_id = ? ORDER BY ordinal", (blob.id,)
        ):
            self._ordinals.append(ordinal)
            self._starts.append(start)
            start += size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._blob.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        remaining = self._blob.size - self._position if size is None or size < 0 else size
        data = bytearray()
        while remaining > 0 and self._position < self._blob.size:
            part = self._read_in_chunk(remaining)
            data += part
            self._position += len(part)
            remaining -= len(part)
        return bytes(data)

    def _read_in_chunk(self, max_bytes: int) -> bytes:
        """Bytes at the current position, to the end of their chunk at most."""
        index = bisect_right(self._starts, self._position) - 1
        ordinal = self._ordinals[index]
        if self._chunk[0] != ordinal:
            row = self._conn.execute(
                "SELECT data, size FROM chunks WHERE blob_id = ? AND ordinal = ?", (self._blob.id, ordinal)
            ).fetchone()
            self._chunk = (ordinal, decompress(*row))
        offset = self._position - self._starts[index]
        return self._chunk[1][offset : offset + max_bytes]
