"""Merge the journals of several archives: each line once, from the archive that has the most complete
outcome."""

from __future__ import annotations

import sqlite3

from migrate.archive.hashes import hash_all_rows
from migrate.archive.journal_check import check_journal
from migrate.archive.merge.copy import MERGE_BATCH_ROWS
from migrate.archive.registered_plans import insert_registered_plan, read_plan_document, store_plan_document

LINE_KEY_COLUMNS = "digest, action, kind, source_parent, source_id"
LINE_VALUE_COLUMNS = "name, target_parent, target_id, state, before, written, error, started_at, finished_at"
LINE_COLUMNS = f"{LINE_KEY_COLUMNS}, {LINE_VALUE_COLUMNS}"
ARCHIVE_LINES_SQL = (
    f"SELECT p.digest, {', '.join(f'j.{name}' for name in LINE_COLUMNS.split(', ')[1:])}, j.id "
    "FROM journal j JOIN plans p ON p.id = j.plan_id"
)
PLAN_COLUMNS = "digest, source_type, source_url, target_type, target_url, first_applied_at"
BEST_LINES_SQL = (
    f"SELECT {LINE_COLUMNS}, seq FROM (SELECT *, row_number() OVER (PARTITION BY {LINE_KEY_COLUMNS} ORDER BY "
    "CASE state WHEN 'done' THEN 0 WHEN 'failed' THEN 1 ELSE 2 END, finished_at DESC, target_id, "
    "target_parent, written, error, before, name, started_at, seq) AS place FROM lines) WHERE place = 1"
)


class JournalMerge:
    """Collects the plans and lines of all archives, then rewrites the journal of the target."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        check_journal(conn, messages=True)
        conn.execute("DROP TABLE IF EXISTS temp.lines")
        conn.execute(f"CREATE TEMP TABLE lines ({LINE_COLUMNS}, seq INTEGER)")
        self._has_input_plans = False
        self._collect_lines(conn)

    def collect(self, conn: sqlite3.Connection) -> None:
        """Collect what one archive has. Raises `RowDamaged` where its rows were changed."""
        check_journal(conn, messages=True)
        for digest, at in conn.execute(
            "SELECT digest, registered_at FROM registered_plans ORDER BY registered_at, digest"
        ):
            insert_registered_plan(self._conn, digest, at)
        for (digest,) in conn.execute("SELECT digest FROM plan_documents ORDER BY digest").fetchall():
            if document := read_plan_document(conn, digest):
                store_plan_document(self._conn, digest, document)
        plans = conn.execute(f"SELECT {PLAN_COLUMNS} FROM plans ORDER BY first_applied_at, digest").fetchall()
        self._conn.executemany(
            f"INSERT INTO plans ({PLAN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) "
            "DO UPDATE SET first_applied_at = min(first_applied_at, excluded.first_applied_at)",
            plans,
        )
        self._has_input_plans = self._has_input_plans or bool(plans)
        self._collect_lines(conn)

    def write(self) -> int:
        """Rewrite the journal in the order in which actions were started, and return the number of new
        lines."""
        if not self._has_input_plans:
            return 0
        new = self._rewrite()
        hash_all_rows(self._conn)
        return new

    def _rewrite(self) -> int:
        new_lines = self._conn.execute(
            f"SELECT count(*) FROM (SELECT {LINE_COLUMNS} FROM ({BEST_LINES_SQL}) "
            f"EXCEPT SELECT {LINE_COLUMNS} FROM ({ARCHIVE_LINES_SQL}))"
        ).fetchone()[0]
        before = self._conn.execute("SELECT count(*) FROM journal").fetchone()[0]
        if not new_lines:
            return 0
        self._conn.execute("DELETE FROM journal")
        self._conn.execute(
            f"INSERT INTO journal (plan_id, {LINE_COLUMNS.partition(', ')[2]}) SELECT p.id, "
            f"{', '.join(f'b.{name}' for name in LINE_COLUMNS.split(', ')[1:])} FROM ({BEST_LINES_SQL}) b "
            "JOIN plans p ON p.digest = b.digest ORDER BY b.started_at, p.first_applied_at, b.digest, b.seq, "
            "b.action, b.kind, b.source_parent, b.source_id"
        )
        after = self._conn.execute("SELECT count(*) FROM journal").fetchone()[0]
        return int(after) - int(before)

    def _collect_lines(self, conn: sqlite3.Connection) -> None:
        rows = conn.execute(f"{ARCHIVE_LINES_SQL} ORDER BY j.id")
        marks = ", ".join("?" * (len(LINE_COLUMNS.split(", ")) + 1))
        while batch := rows.fetchmany(MERGE_BATCH_ROWS):
            self._conn.executemany(f"INSERT INTO lines VALUES ({marks})", batch)
