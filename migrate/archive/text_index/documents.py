"""Read the documents of the index back from what they were made of: bodies in packs, and bytes of files.

An index without a copy of the text removes a document only where it is given the same words again, and proves
one only by comparing it with them. So what a document has is computed in one place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from migrate.archive.blobs import read_chunks
from migrate.archive.bodies import load_body
from migrate.archive.connections import SqlConnection
from migrate.archive.packs import FORGOTTEN_BODY, BodyReader
from migrate.model.document_texts import TextDocument, read_document
from migrate.model.file_text import content_document, file_text
from migrate.model.index_words import index_columns
from migrate.model.results.archive import StoredBody

# Instead of a pack: the document is the text of a file, a row of `text_files`.
FILE_PACK = -1
# Kinds whose objects belong to a thread.
THREAD_KINDS = ("message", "run", "run_step")
# Characters of unpacked bodies that are cached: threads are read by their time, and a pack has several.
CACHED_CHARS = 8 << 20


class Segment(NamedTuple):
    """A range of documents: their first number, and how many they are; the objects are neighbours in a
    pack."""

    first: int
    length: int
    kind: str
    parent_id: int
    pack: int
    place: int


class DocumentColumns(NamedTuple):
    """A document as FTS5 has it."""

    number: int
    text: str
    name: str | None


SEGMENT_SQL = (
    "SELECT g.first, g.count, k.name, g.parent_id, g.pack_id, g.place FROM text_segments g "
    "JOIN kinds k ON k.id = g.kind_id"
)


def parse_object(text: str) -> StoredBody | None:
    """A stored body, or None where it was forgotten or is no object."""
    body = load_body(text) if text != FORGOTTEN_BODY else None
    return body if isinstance(body, dict) else None


class DocumentReader:
    """Reads documents. `bodies` reads the packs."""

    def __init__(self, conn: SqlConnection, bodies: BodyReader | None = None) -> None:
        self._conn = conn
        self.bodies = bodies or BodyReader(conn, CACHED_CHARS)

    def read(
        self, segment: Segment, offsets: Iterable[int] | None = None
    ) -> Iterator[tuple[int, TextDocument]]:
        """Number and document of the objects of a segment, or of those at some offsets in it."""
        places = range(segment.length) if offsets is None else offsets
        if segment.pack == FILE_PACK:
            if document := self.read_file(segment.place):
                yield segment.first, document
            return
        texts = self.bodies.pack(segment.pack, segment.place + segment.length)[1]
        for offset in places:
            body = parse_object(texts[segment.place + offset])
            if body is not None:
                yield segment.first + offset, read_document(segment.kind, body)

    def read_columns(
        self, segment: Segment, offsets: Iterable[int] | None = None
    ) -> Iterator[DocumentColumns]:
        """The same as FTS5 has it."""
        for number, document in self.read(segment, offsets):
            if columns := index_columns(segment.kind, document):
                yield DocumentColumns(number, *columns)

    def read_file(self, row: int) -> TextDocument | None:
        """The document of the text of a file, by its row in `text_files`."""
        found = self._conn.execute("SELECT file_id, blob_id FROM text_files WHERE id = ?", (row,)).fetchone()
        read = file_text(read_chunks(self._conn, found[1])) if found else None
        return content_document(found[0], read[0]) if found and read else None


def delete_documents(conn: sqlite3.Connection, documents: Iterable[DocumentColumns]) -> int:
    """Remove documents from the words of the index, and return how many."""
    rows = [("delete", *document) for document in documents]
    conn.executemany("INSERT INTO text_words (text_words, rowid, text, name) VALUES (?, ?, ?, ?)", rows)
    return len(rows)


def remove_file_document(conn: sqlite3.Connection, row: int) -> int:
    """Remove the text of a file from the index, and return whether it had any."""
    found = conn.execute(
        f"{SEGMENT_SQL} WHERE g.first = (SELECT document FROM text_files WHERE id = ?)", (row,)
    ).fetchone()
    removed = 0
    if found:
        segment = Segment(*found)
        removed = delete_documents(conn, DocumentReader(conn).read_columns(segment))
        conn.execute("DELETE FROM text_segments WHERE first = ?", (segment.first,))
    conn.execute("DELETE FROM text_files WHERE id = ?", (row,))
    return removed
