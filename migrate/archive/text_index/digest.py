"""A hash over the full-text index, so that `check` finds accidental changes.

It is stored with the last change of an index, and removed by the first change after that: an index that is
being built, or whose building was interrupted, has none.
"""

from __future__ import annotations

import hashlib
import sqlite3

from migrate.archive.connections import SqlConnection, first_value

INDEX_STATE_SQL = "SELECT value FROM text_index_state WHERE name = ?"
DIGEST_STATE = "digest"
# The row of `text_words_data` with the numbers of documents and words. FTS5 writes it only when a transaction
# ends, so it is not hashed but compared with the sizes of the documents.
TOTALS_ROW = 1
# Statements whose rows are hashed. The sizes of documents only serve to rank: they are counted.
HASHED_ROWS_SQL = (
    "SELECT segid, term, pgno FROM text_words_idx ORDER BY 1, 2",
    "SELECT count(*), total(length(sz)) FROM text_words_docsize",
    "SELECT * FROM text_segments ORDER BY first",
    "SELECT * FROM text_files ORDER BY id",
    "SELECT * FROM thread_summaries ORDER BY id",
    "SELECT * FROM thread_assistants ORDER BY 1, 2",
    "SELECT * FROM metadata_pairs ORDER BY 1, 2, 3",
)


def compute_index_digest(conn: SqlConnection) -> str:
    """The hash of everything that the index has."""
    digest = hashlib.sha256()
    sql = "SELECT id, block FROM text_words_data WHERE id != ? ORDER BY id"
    for id_, block in conn.execute(sql, (TOTALS_ROW,)):
        digest.update(b"%d:%d:" % (id_, len(block or b"")))
        digest.update(block or b"")
    for sql in HASHED_ROWS_SQL:
        for row in conn.execute(sql):
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def stored_index_digest(conn: SqlConnection) -> str:
    """The hash that was stored, '' where the index is not finished."""
    return first_value(conn, INDEX_STATE_SQL, (DIGEST_STATE,), "")


def unseal_index(conn: sqlite3.Connection) -> None:
    """Remove the hash before the index is changed."""
    conn.execute("DELETE FROM text_index_state WHERE name = ?", (DIGEST_STATE,))


def seal_index(conn: sqlite3.Connection) -> None:
    """Store the hash of an index that was changed."""
    conn.execute(
        "INSERT OR REPLACE INTO text_index_state VALUES (?, ?)", (DIGEST_STATE, compute_index_digest(conn))
    )
