"""Write batches of rows and the texts of files into the index, on the connection that writes the archive."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from migrate.archive.blobs import read_chunks
from migrate.archive.hashes import body_key_range
from migrate.archive.packs import BodyReader
from migrate.archive.text_index.digest import unseal_index
from migrate.archive.text_index.documents import FILE_PACK, parse_object, remove_file_document
from migrate.archive.text_index.index_batch import IndexBatch, SegmentDraft
from migrate.archive.text_index.unindexed_content import (
    PendingFile,
    iter_pending_files,
    kind_number,
    parent_number,
)
from migrate.model.file_text import content_document, file_text
from migrate.model.index_words import index_columns
from migrate.model.thread_summary import whole_seconds


class IndexWriter:
    """Writes documents, summaries of threads, and metadata, inside transactions of the caller. `documents`,
    `characters` and `files` count what was added; `next_document` is the number of the next one."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._bodies = BodyReader(conn)
        self._has_changed = False
        self.next_document = self._first_free_number()
        self.documents = self.characters = self.files = 0

    def write(self, batch: IndexBatch) -> None:
        """Add a batch. Batches are written in the order in which they were made."""
        if batch.is_empty:
            return
        self._unseal()
        batch.write(self._conn)
        self.next_document = batch.next_document
        self.documents += batch.documents
        self.characters += batch.characters

    def index_files(self, endpoint: int) -> Iterator[int]:
        """Add the texts of files of an estate. All its snapshots have them that have the files. A step is the
        number of characters that were read."""
        for file in iter_pending_files(self._conn, endpoint):
            characters = self._index_file(file)
            self._conn.execute(
                "UPDATE indexed_snapshots SET last_document = ? WHERE snapshot_id IN "
                "(SELECT id FROM snapshots WHERE endpoint_id = ?)",
                (self.next_document - 1, endpoint),
            )
            yield characters

    def mark_snapshot(self, snapshot: int) -> None:
        """Note that everything of a snapshot is in the index."""
        self._conn.execute(
            "INSERT OR REPLACE INTO indexed_snapshots SELECT id, digest, ? FROM snapshots WHERE id = ?",
            (self.next_document - 1, snapshot),
        )

    def _index_file(self, file: PendingFile) -> int:
        """Index the text of a file, instead of that of its earlier bytes."""
        self._unseal()
        if file.previous:
            remove_file_document(self._conn, file.previous)
        read = file_text(read_chunks(self._conn, file.blob))
        document, is_cut = (self.next_document, read[1]) if read else (None, False)
        row = self._conn.execute(
            "INSERT INTO text_files (endpoint_id, file_id, blob_id, id_key, document, is_cut) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (file.endpoint, file.file_id, file.blob, body_key_range(file.file_id)[0], document, is_cut),
        ).lastrowid
        if read is None:
            return 0
        draft = SegmentDraft(FILE_PACK, int(row or 0))
        draft.columns.append(index_columns("file", content_document(file.file_id, read[0])))
        found = self._bodies.find_by_id(file.file_id)
        draft.times.append(max((_file_time(text) for _, kind, text in found if kind == "file"), default=0))
        batch = IndexBatch(self.next_document)
        batch.add_segment(kind_number(self._conn, "file"), parent_number(self._conn, ""), draft)
        batch.characters = len(read[0])
        self.write(batch)
        self.files += 1
        return len(read[0])

    def _unseal(self) -> None:
        if not self._has_changed:
            unseal_index(self._conn)
            self._has_changed = True

    def _first_free_number(self) -> int:
        row = self._conn.execute(
            "SELECT first, count FROM text_segments ORDER BY first DESC LIMIT 1"
        ).fetchone()
        return int(row[0]) + int(row[1]) if row else 1


def _file_time(text: str) -> int:
    body = parse_object(text)
    return whole_seconds(body) if body else 0
