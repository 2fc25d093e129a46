"""Which snapshots the full-text index of an archive has, and how large it is."""

from __future__ import annotations

import sqlite3

from migrate.archive.connections import SqlConnection

# Pages of the index that one merge may write: all.
MAX_MERGED_PAGES = (1 << 31) - 1


def pending_snapshots(conn: SqlConnection) -> list[tuple[int, int]]:
    """Numbers of finished snapshots of which the index does not have everything, and of their estates, oldest
    first."""
    return conn.execute(
        "SELECT s.id, s.endpoint_id FROM snapshots s LEFT JOIN indexed_snapshots i ON i.snapshot_id = s.id "
        "WHERE s.digest IS NOT NULL AND i.digest IS NOT s.digest ORDER BY s.id"
    ).fetchall()


def list_endpoints(conn: SqlConnection) -> list[int]:
    """Numbers of the estates."""
    return [row[0] for row in conn.execute("SELECT id FROM endpoints ORDER BY id").fetchall()]


def unfinished_snapshots(conn: SqlConnection) -> list[int]:
    """Numbers of snapshots that were interrupted, or are still being read. They are not indexed."""
    return [row[0] for row in conn.execute("SELECT id FROM snapshots WHERE digest IS NULL ORDER BY id")]


def indexed_snapshots(conn: SqlConnection) -> list[int]:
    """Numbers of the snapshots that the index has."""
    rows = conn.execute(
        "SELECT s.id FROM snapshots s JOIN indexed_snapshots i "
        "ON i.snapshot_id = s.id AND i.digest = s.digest ORDER BY s.id"
    )
    return [row[0] for row in rows]


def last_document(conn: SqlConnection, snapshot: int) -> int | None:
    """The highest number that a document of a snapshot may have, None where the index does not have it."""
    row = conn.execute(
        "SELECT i.last_document FROM snapshots s JOIN indexed_snapshots i ON i.snapshot_id = s.id "
        "AND i.digest = s.digest WHERE s.id = ?",
        (snapshot,),
    ).fetchone()
    return int(row[0]) if row else None


def count_documents(conn: SqlConnection) -> int:
    """How many documents the index has."""
    return int(conn.execute("SELECT count(*) FROM text_words_docsize").fetchone()[0])


def cut_files(conn: SqlConnection) -> tuple[str, ...]:
    """Ids of files whose text is longer than what is indexed of one."""
    rows = conn.execute("SELECT DISTINCT file_id FROM text_files WHERE is_cut ORDER BY 1")
    return tuple(row[0] for row in rows)


def merge_index_parts(conn: sqlite3.Connection, completely: bool) -> None:
    """Merge the parts into which words were written: each part makes a search slower. `completely`: into one,
    in which nothing is left of documents that were removed. Else, as FTS5 does by itself, four of about the
    same size become one."""
    if completely:
        conn.execute("INSERT INTO text_words (text_words) VALUES ('optimize')")
    else:
        conn.execute("INSERT INTO text_words (text_words, rank) VALUES ('merge', ?)", (MAX_MERGED_PAGES,))
