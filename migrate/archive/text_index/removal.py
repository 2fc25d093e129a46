"""Keep the full-text index true when bodies, listings and bytes of files are removed from an archive.

All of it is part of the transaction that removes them: numbers of packs, listings and parents are given
again, and the words of a document can be removed only while its body can still be read.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.text_index.digest import seal_index, stored_index_digest
from migrate.archive.text_index.documents import (
    FILE_PACK,
    SEGMENT_SQL,
    DocumentReader,
    Segment,
    delete_documents,
    remove_file_document,
)
from migrate.archive.text_index.schema import (
    check_fts5,
    create_text_index,
    drop_text_index,
    has_text_index,
    is_current_format,
)
from migrate.archive.text_index.state import count_documents, merge_index_parts

BATCH_SEGMENTS = 200
# Where a larger share of all documents goes, indexing the rest again is faster than removing them one by one.
MAX_REMOVED_SHARE = 0.5

# Segments that no single span has as a whole: some of their bodies may belong to no listing any more.
SUSPECTED_SQL = (
    "CREATE TEMP TABLE suspected_segments AS SELECT g.first FROM text_segments g "
    f"WHERE g.pack_id != {FILE_PACK} AND NOT EXISTS (SELECT 1 FROM spans s WHERE s.pack_id = g.pack_id "
    "AND s.place <= g.place AND s.place + s.count >= g.place + g.count)"
)
# A number of a body that no listing has, as the column {0}.
DEAD_BODY_SQL = (
    f"NOT EXISTS (SELECT 1 FROM spans s WHERE s.pack_id = {{0}} / {BODIES_PER_PACK} "
    f"AND s.place <= {{0}} % {BODIES_PER_PACK} AND s.place + s.count > {{0}} % {BODIES_PER_PACK})"
)
# Statements that remove what nothing refers to any more, in this order.
INDEX_SWEEP_STATEMENTS = (
    f"DELETE FROM metadata_pairs WHERE {DEAD_BODY_SQL.format('body')}",
    f"DELETE FROM thread_summaries WHERE body AND {DEAD_BODY_SQL.format('body')}",
    *(
        f"DELETE FROM thread_summaries WHERE {column} AND {column} NOT IN (SELECT id FROM manifests)"
        for column in ("messages", "runs", "run_steps")
    ),
    # The number of a parent without a listing may be given to another one.
    "UPDATE OR REPLACE thread_summaries SET parent_id = 0 WHERE parent_id NOT IN (SELECT id FROM parents)",
    "DELETE FROM thread_assistants WHERE summary_id NOT IN (SELECT id FROM thread_summaries)",
    "DELETE FROM indexed_snapshots WHERE snapshot_id NOT IN (SELECT id FROM snapshots)",
)


class IndexSweep:
    """Removes documents whose bodies or bytes are about to go. `removed`: how many. `is_emptied`: there is an
    index, and all of it was removed, so that it must be built again."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        """Raises `BadUsage` where there is an index and SQLite cannot write it."""
        self._conn = conn
        self.removed = 0
        self._has_changed = False
        self.is_emptied = False
        self._has_index = has_text_index(conn)
        if self._has_index:
            check_fts5(conn)
            if not is_current_format(conn):  # its words cannot be computed again
                self._empty()

    def sweep_bodies(self) -> None:
        """Remove the documents of bodies that no listing has, and what depends on removed listings. Called
        after the listings were removed, and before the bodies are."""
        if not self._is_usable:
            return
        with self._emptied_if_damaged():
            self._conn.execute("DROP TABLE IF EXISTS temp.suspected_segments")
            self._conn.execute(SUSPECTED_SQL)
            if self._dead_documents() > MAX_REMOVED_SHARE * count_documents(self._conn):
                self._empty()
            else:
                for segment, dead in _dead_offsets(self._conn):
                    self._remove(segment, dead)
                for sql in INDEX_SWEEP_STATEMENTS:
                    self._has_changed |= self._conn.execute(sql).rowcount > 0
        self._conn.execute("DROP TABLE IF EXISTS temp.suspected_segments")

    def sweep_files(self) -> None:
        """Remove the texts of files that have no bytes, or other ones. Called before bytes are removed."""
        if self._is_usable:
            with self._emptied_if_damaged():
                self._remove_files()

    def _remove_files(self) -> None:
        rows = self._conn.execute(
            "SELECT t.id, t.endpoint_id, c.blob_id FROM text_files t LEFT JOIN contents c "
            "ON c.endpoint_id = t.endpoint_id AND c.file_id = t.file_id "
            "WHERE c.blob_id IS NOT t.blob_id ORDER BY t.id"
        ).fetchall()
        for row, endpoint, blob in rows:
            self._has_changed = True
            self.removed += remove_file_document(self._conn, row)
            if blob is not None:  # the file has other bytes now, which are not indexed yet
                self._conn.execute(
                    "DELETE FROM indexed_snapshots WHERE snapshot_id IN "
                    "(SELECT id FROM snapshots WHERE endpoint_id = ?)",
                    (endpoint,),
                )

    def finish(self) -> None:
        """Write the words again without what was removed: until then the file has them still."""
        if not self._is_usable or not (self.removed or self._has_changed):
            return
        with self._emptied_if_damaged():
            is_finished = bool(stored_index_digest(self._conn))
            if self.removed:
                merge_index_parts(self._conn, completely=True)
            if is_finished:
                seal_index(self._conn)

    @contextlib.contextmanager
    def _emptied_if_damaged(self) -> Iterator[None]:
        """Remove the whole index where it, or what it was made of, cannot be read: what is forgotten must not
        stay in it."""
        try:
            yield
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, ValueError):
            self._empty()

    @property
    def _is_usable(self) -> bool:
        return self._has_index and not self.is_emptied

    def _empty(self) -> None:
        drop_text_index(self._conn)
        create_text_index(self._conn)
        self.is_emptied = True

    def _dead_documents(self) -> int:
        return sum(len(dead) for _, dead in _dead_offsets(self._conn))

    def _remove(self, segment: Segment, dead: list[int]) -> None:
        reader = DocumentReader(self._conn)
        self.removed += delete_documents(self._conn, reader.read_columns(segment, dead))
        if len(dead) == segment.length:
            self._conn.execute("DELETE FROM text_segments WHERE first = ?", (segment.first,))


def _dead_offsets(conn: sqlite3.Connection) -> Iterator[tuple[Segment, list[int]]]:
    """Suspected segments, and which of their documents are of bodies that no listing has."""
    rows = conn.execute("SELECT first FROM suspected_segments ORDER BY 1")
    while batch := rows.fetchmany(BATCH_SEGMENTS):
        for row in batch:
            segment = Segment(*conn.execute(f"{SEGMENT_SQL} WHERE g.first = ?", row).fetchone())
            used: set[int] = set()
            spans = conn.execute("SELECT place, count FROM spans WHERE pack_id = ?", (segment.pack,))
            for place, count in spans:
                used.update(range(place, place + count))
            dead = [n for n in range(segment.length) if segment.place + n not in used]
            if dead:
                yield segment, dead
