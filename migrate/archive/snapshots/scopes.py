"""The listings of a snapshot are written here; the view `scopes` reads them.

There is a row for each thread in each snapshot, so rows are small: kinds and parents are numbers, and the
state that most have, complete, is none.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

# Picks a row by snapshot, kind and parent.
SCOPE_KEY_SQL = (
    "snapshot_id = ? AND kind_id = (SELECT id FROM kinds WHERE name = ?) "
    "AND parent_id = (SELECT id FROM parents WHERE object_id = ?)"
)


INSERT_SCOPE_SQL = (
    "INSERT INTO listed (snapshot_id, kind_id, parent_id, manifest_id, state, reason, cursor) "
    "SELECT ?, kinds.id, parents.id, ?, nullif(?, 'complete'), ?, ? FROM kinds, parents "
    "WHERE name = ? AND object_id = ?"
)


class ScopePlace(NamedTuple):
    """Which listing of which snapshot. `parent` is '' where nothing lies above."""

    snapshot: int
    kind: str
    parent: str = ""


def begin_scope(
    conn: sqlite3.Connection,
    place: ScopePlace,
    manifest: int,
    state: str,
    reason: str | None = None,
    cursor: str | None = None,
) -> None:
    """Say that a snapshot has a listing, and where its content is."""
    row = (place.snapshot, manifest, state, reason, cursor, place.kind, place.parent)
    if not conn.execute(INSERT_SCOPE_SQL, row).rowcount:  # the kind or the parent has no number yet
        conn.execute("INSERT OR IGNORE INTO kinds (name) VALUES (?)", (place.kind,))
        conn.execute("INSERT OR IGNORE INTO parents (object_id) VALUES (?)", (place.parent,))
        conn.execute(INSERT_SCOPE_SQL, row)


def end_scope(
    conn: sqlite3.Connection, place: ScopePlace, manifest: int, state: str, reason: str | None
) -> None:
    """Say how a listing ended."""
    conn.execute(
        "UPDATE listed SET state = nullif(?, 'complete'), reason = ?, manifest_id = ?, cursor = NULL "
        f"WHERE {SCOPE_KEY_SQL}",
        (state, reason, manifest, *place),
    )


def set_scope_manifest(conn: sqlite3.Connection, place: ScopePlace, manifest: int) -> None:
    """Give a listing other content."""
    conn.execute(f"UPDATE listed SET manifest_id = ? WHERE {SCOPE_KEY_SQL}", (manifest, *place))


def set_scope_cursor(conn: sqlite3.Connection, place: ScopePlace, cursor: str) -> None:
    """Note where an interrupted reading goes on."""
    conn.execute(f"UPDATE listed SET cursor = ? WHERE {SCOPE_KEY_SQL}", (cursor, *place))


def scope_content(conn: sqlite3.Connection, place: ScopePlace) -> tuple[int, bytes | None] | None:
    """Number and hash of what a listing holds; no hash while it is being read."""
    row: tuple[int, bytes | None] | None = conn.execute(
        f"SELECT m.id, m.sha FROM listed JOIN manifests m ON m.id = manifest_id WHERE {SCOPE_KEY_SQL}", place
    ).fetchone()
    return row


def remove_scope(conn: sqlite3.Connection, place: ScopePlace) -> int | None:
    """Forget that a snapshot has a listing; the number of what it held."""
    row = conn.execute(f"DELETE FROM listed WHERE {SCOPE_KEY_SQL} RETURNING manifest_id", place).fetchone()
    return int(row[0]) if row else None
