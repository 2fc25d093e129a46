"""The stored bytes of a file as they are sent to a client."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.archive.blobs import Blob, next_chunk, verify_chunks
from migrate.serve.connections import ArchiveAccess


def sent_chunks(access: ArchiveAccess, blob: Blob) -> Iterator[bytes]:
    """The bytes, chunk by chunk. Each is given when the next one was read, so the last one only after the
    hash was compared: a client never takes damaged bytes for the whole file. Raises `ArchiveDamaged`."""
    held = b""
    for chunk in verify_chunks(_stored_chunks(access, blob), blob):
        if held:
            yield held
        held = chunk
    if held:
        yield held


def _stored_chunks(access: ArchiveAccess, blob: Blob) -> Iterator[bytes]:
    """Each chunk is read on its own: a slow client holds nothing of the archive open."""
    after = -1
    while True:
        with access.connection() as conn:
            found = next_chunk(conn, blob.id, after)
        if found is None:
            return
        after, chunk = found
        yield chunk
