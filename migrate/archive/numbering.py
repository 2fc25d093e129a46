"""Numbers of snapshots: by start within an estate, and no number twice."""

from __future__ import annotations

import sqlite3
from itertools import groupby


def next_number(conn: sqlite3.Connection) -> int:
    """One that no snapshot had, a forgotten one neither."""
    noted = conn.execute("PRAGMA user_version").fetchone()[0]
    given = conn.execute("SELECT coalesce(max(id), 0) FROM snapshots").fetchone()[0]
    return max(int(noted), int(given)) + 1


def in_order(conn: sqlite3.Connection) -> dict[int, int]:
    """Give new numbers where a snapshot is older than one of a lower number of the same estate: from there
    on, so that an old number never means another snapshot. Old number -> new one."""
    rows = conn.execute("SELECT endpoint_id, id FROM snapshots ORDER BY endpoint_id, started_at, id")
    moved: dict[int, int] = {}
    free = next_number(conn)
    for _, group in groupby(rows.fetchall(), key=lambda row: row[0]):
        last = 0
        for _, number in group:
            if number < last:
                moved[number] = last = free
                free += 1
            last = max(last, number)
    if moved:  # not before: while it is on, each new row of another table would look through all listings
        conn.execute("PRAGMA defer_foreign_keys = ON")
    for old, new in moved.items():
        conn.execute("UPDATE snapshots SET id = ? WHERE id = ?", (new, old))
        for table in ("listed", "missing"):
            conn.execute(f"UPDATE {table} SET snapshot_id = ? WHERE snapshot_id = ?", (new, old))
    # What was given stays given, even to a snapshot that has another number now.
    conn.execute(f"PRAGMA user_version = {next_number(conn) - 1}")
    return moved
