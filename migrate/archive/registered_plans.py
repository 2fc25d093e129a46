"""Which plans were made from an archive: a plan that its archive does not know is carried out by nobody.

A plan's digest covers all of it. Who can write the plan's file, and not the archive, can make a plan of their
own with a digest that fits; the archive does not know it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from migrate.archive.database import Archive
from migrate.archive.journal_check import must_be_as_written
from migrate.archive.query import Asked
from migrate.archive.row_hash import columns, count_rows, hash_rows
from migrate.archive.snapshots.writer import now
from migrate.errors import ArchiveBusy, BadUsage

WHY = "`plan` notes in its archive which plan it made, so that `apply` knows it"


def register(path: Path, plan: str) -> None:
    """Note that the plan of this digest was made from this archive. Another program may be writing to it.

    Raises `BadUsage` where the archive cannot be written, `ArchiveBusy` where another program holds it in one
    long transaction.
    """
    with Archive.open(path) as archive:
        _write(archive, plan)


def must_be_writable(path: Path) -> None:
    """Raises what `register` would, before much was read to make a plan. Nothing is changed."""
    with Archive.open(path) as archive:
        _write(archive, "")


def is_known(conn: Asked, plan: str) -> bool:
    """Whether the plan of this digest was made from this archive. Raises `BrokenRow`."""
    rows = conn.execute(
        f"SELECT {columns('registered_plans')}, hash FROM registered_plans WHERE digest = ?", (plan,)
    ).fetchall()
    for *values, stored in rows:
        must_be_as_written("registered_plans", tuple(values), stored)
    return bool(rows)


def note(conn: sqlite3.Connection, plan: str, at: str) -> None:
    """Write the row, within the caller's transaction; one that is there stays."""
    conn.execute("INSERT OR IGNORE INTO registered_plans (digest, registered_at) VALUES (?, ?)", (plan, at))
    hash_rows(conn, "registered_plans", "digest = ?", [(plan,)])
    count_rows(conn)


def _write(archive: Archive, plan: str) -> None:
    conn = archive.conn
    try:
        conn.execute("PRAGMA query_only = OFF")
        conn.execute("BEGIN IMMEDIATE")
        conn.execute(
            "DELETE FROM registered_plans WHERE 0"
        )  # BEGIN alone is no proof: it reads where it must
        if plan:
            note(conn, plan, now())
        conn.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise ArchiveBusy(
                f"{archive.path} is being written by another program",
                WHY,
                "wait until it ends, then run plan again",
            ) from None
        raise BadUsage(
            f"cannot write {archive.path}",
            f"{WHY}; {error}",
            "copy the archive to a folder where you can write, and plan from the copy",
        ) from None
