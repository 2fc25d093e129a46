"""The journals of several archives in, one out: each line once, as the archive has it that knows most."""

from __future__ import annotations

import sqlite3

from migrate.archive.hashing import hash_all
from migrate.archive.journal_check import must_be_whole
from migrate.archive.merge.copy import BATCH
from migrate.archive.registered_plans import document_of, keep, note

KEY = "digest, action, kind, source_parent, source_id"
FACTS = "name, target_parent, target_id, state, before, written, error, started_at, finished_at"
NAMES = f"{KEY}, {FACTS}"
LINES = (
    f"SELECT p.digest, {', '.join(f'j.{name}' for name in NAMES.split(', ')[1:])}, j.id "
    "FROM journal j JOIN plans p ON p.id = j.plan_id"
)
PLANS = "digest, source_type, source_url, target_type, target_url, first_applied_at"
BEST = (
    f"SELECT {NAMES}, seq FROM (SELECT *, row_number() OVER (PARTITION BY {KEY} ORDER BY "
    "CASE state WHEN 'done' THEN 0 WHEN 'failed' THEN 1 ELSE 2 END, finished_at DESC, target_id, "
    "target_parent, written, error, before, name, started_at, seq) AS place FROM lines) WHERE place = 1"
)


class OfferedJournal:
    """Collects the plans and lines of every archive."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        must_be_whole(conn, messages=True)
        conn.execute("DROP TABLE IF EXISTS temp.lines")
        conn.execute(f"CREATE TEMP TABLE lines ({NAMES}, seq INTEGER)")
        self._offered = False
        self._take(conn)

    def read(self, conn: sqlite3.Connection) -> None:
        """Note what one archive has. Raises `BrokenRow` where that is not what was written."""
        must_be_whole(conn, messages=True)
        for digest, at in conn.execute(
            "SELECT digest, registered_at FROM registered_plans ORDER BY registered_at, digest"
        ):
            note(self._conn, digest, at)
        for (digest,) in conn.execute("SELECT digest FROM plan_documents ORDER BY digest").fetchall():
            if document := document_of(conn, digest):
                keep(self._conn, digest, document)
        plans = conn.execute(f"SELECT {PLANS} FROM plans ORDER BY first_applied_at, digest").fetchall()
        self._conn.executemany(
            f"INSERT INTO plans ({PLANS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET "
            "first_applied_at = min(first_applied_at, excluded.first_applied_at)",
            plans,
        )
        self._offered = self._offered or bool(plans)
        self._take(conn)

    def settle(self) -> int:
        """Write the journal anew, in the order in which things were begun; how many lines are new."""
        if not self._offered:
            return 0
        new = self._settle()
        hash_all(self._conn)
        return new

    def _settle(self) -> int:
        lacking = self._conn.execute(
            f"SELECT count(*) FROM (SELECT {NAMES} FROM ({BEST}) EXCEPT SELECT {NAMES} FROM ({LINES}))"
        ).fetchone()[0]
        before = self._conn.execute("SELECT count(*) FROM journal").fetchone()[0]
        if not lacking:
            return 0
        self._conn.execute("DELETE FROM journal")
        self._conn.execute(
            f"INSERT INTO journal (plan_id, {NAMES.partition(', ')[2]}) SELECT p.id, "
            f"{', '.join(f'b.{name}' for name in NAMES.split(', ')[1:])} FROM ({BEST}) b "
            "JOIN plans p ON p.digest = b.digest ORDER BY b.started_at, p.first_applied_at, b.digest, b.seq, "
            "b.action, b.kind, b.source_parent, b.source_id"
        )
        after = self._conn.execute("SELECT count(*) FROM journal").fetchone()[0]
        return int(after) - int(before)

    def _take(self, conn: sqlite3.Connection) -> None:
        rows = conn.execute(f"{LINES} ORDER BY j.id")
        marks = ", ".join("?" * (len(NAMES.split(", ")) + 1))
        while some := rows.fetchmany(BATCH):
            self._conn.executemany(f"INSERT INTO lines VALUES ({marks})", some)
