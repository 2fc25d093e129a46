"""Which plans were made from an archive. Plans that their archive does not have are not carried out.

A plan's digest covers all of it, so a changed plan does not match its digest. Somebody who can write the
plan's file but not the archive could write a plan with a matching digest; that digest is not in the archive.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

from migrate.archive.connections import SqlConnection
from migrate.archive.database import Archive
from migrate.archive.hashes import RowDamaged, count_rows, hash_rows, hashed_columns
from migrate.archive.id_map import Side
from migrate.archive.journal_check import check_row
from migrate.archive.snapshots.writer import utc_now
from migrate.errors import ArchiveBusy, BadUsage
from migrate.model.results.archive import Damage

DOCUMENTS_TABLE = "plan_documents"


def store_plan_document(conn: sqlite3.Connection, plan: str, document: bytes) -> None:
    """Store the plan of this digest, unless it is stored already, within the caller's transaction.
    `document`: the plan as JSON."""
    if conn.execute(f"SELECT 1 FROM {DOCUMENTS_TABLE} WHERE digest = ?", (plan,)).fetchone():
        return
    conn.execute(
        f"INSERT INTO {DOCUMENTS_TABLE} (digest, sha, document) VALUES (?, ?, ?)",
        (plan, hashlib.sha256(document).hexdigest(), zlib.compress(document, 6)),
    )
    hash_rows(conn, DOCUMENTS_TABLE, "digest = ?", [(plan,)])


def has_plan_document(conn: SqlConnection, plan: str) -> bool:
    """Whether the plan of this digest is stored."""
    return conn.execute(f"SELECT 1 FROM {DOCUMENTS_TABLE} WHERE digest = ?", (plan,)).fetchone() is not None


def read_plan_document(conn: SqlConnection, plan: str) -> bytes | None:
    """A plan as JSON; None where it is not stored. Raises `RowDamaged`."""
    row = conn.execute(
        f"SELECT {hashed_columns(DOCUMENTS_TABLE)}, hash, document FROM {DOCUMENTS_TABLE} WHERE digest = ?",
        (plan,),
    ).fetchone()
    if row is None:
        return None
    *values, stored, compressed = row
    check_row(DOCUMENTS_TABLE, tuple(values), stored)
    try:
        document = zlib.decompress(compressed)
    except zlib.error:
        document = b""
    if hashlib.sha256(document).hexdigest() != values[-1]:
        raise RowDamaged(f"the plan {plan[:12]} was changed after it was written")
    return document


def find_document_damage(conn: SqlConnection) -> Iterator[Damage]:
    """Plans whose document was changed, though their row was not."""
    for (plan,) in conn.execute(f"SELECT digest FROM {DOCUMENTS_TABLE} ORDER BY id").fetchall():
        try:
            read_plan_document(conn, plan)
        except RowDamaged as error:
            yield Damage("journal", f"the plan {plan[:12]}", str(error))


def interrupted_plans(conn: SqlConnection, source: Side, target: Side) -> Iterator[str]:
    """Digests of the plans from one side to the other that sent creating requests whose outcome is unknown,
    and that were not rolled back since."""
    rows = conn.execute(
        "SELECT p.digest FROM plans p WHERE p.source_type = ? AND p.source_url = ? AND p.target_type = ? "
        "AND p.target_url = ? AND EXISTS (SELECT 1 FROM journal j WHERE j.plan_id = p.id "
        "AND j.action = 'create' AND j.state = 'intended') AND NOT EXISTS (SELECT 1 FROM journal u "
        "WHERE u.plan_id = p.id AND u.action = 'undo') ORDER BY p.id",
        (source.type, source.url, target.type, target.url),
    ).fetchall()
    return (digest for (digest,) in rows)


REGISTRATION_REASON = "`plan` registers its plan in the archive, so that `apply` accepts it"


def register_plan(path: Path, plan: str) -> None:
    """Store that the plan of this digest was made from this archive. Another program may be writing to it.

    Raises `BadUsage` where the archive cannot be written, `ArchiveBusy` where another program has it locked
    in one long transaction.
    """
    with Archive.open(path) as archive:
        _write(archive, plan)


def check_plan_can_be_registered(path: Path) -> None:
    """Raise what `register_plan` would raise, before an estate is read to make a plan. Changes nothing."""
    with Archive.open(path) as archive:
        _write(archive, "")


def is_plan_registered(conn: SqlConnection, plan: str) -> bool:
    """Whether the plan of this digest was made from this archive. Raises `RowDamaged`."""
    rows = conn.execute(
        f"SELECT {hashed_columns('registered_plans')}, hash FROM registered_plans WHERE digest = ?", (plan,)
    ).fetchall()
    for *values, stored in rows:
        check_row("registered_plans", tuple(values), stored)
    return bool(rows)


def insert_registered_plan(conn: sqlite3.Connection, plan: str, at: str) -> None:
    """Write the row, unless it exists already, within the caller's transaction."""
    conn.execute("INSERT OR IGNORE INTO registered_plans (digest, registered_at) VALUES (?, ?)", (plan, at))
    hash_rows(conn, "registered_plans", "digest = ?", [(plan,)])
    count_rows(conn)


def _write(archive: Archive, plan: str) -> None:
    conn = archive.conn
    try:
        conn.execute("PRAGMA query_only = OFF")
        conn.execute("BEGIN IMMEDIATE")
        # BEGIN alone does not show that the archive can be written: it succeeds where only reading is
        # possible.
        conn.execute("DELETE FROM registered_plans WHERE 0")
        if plan:
            insert_registered_plan(conn, plan, utc_now())
        conn.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise ArchiveBusy(
                f"{archive.path} is being written by another program",
                REGISTRATION_REASON,
                "wait until it ends, then run plan again",
            ) from None
        raise BadUsage(
            f"cannot write {archive.path}",
            f"{REGISTRATION_REASON}; {error}",
            "copy the archive to a folder where you can write, and plan from the copy",
        ) from None
