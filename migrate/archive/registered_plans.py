"""Which plans were made from an archive: a plan that its archive does not know is carried out by nobody.

A plan's digest covers all of it. Who can write the plan's file, and not the archive, can make a plan of their
own with a digest that fits; the archive does not know it.
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
    """Write a plan of this digest down, within the caller's transaction; one that is there stays.
    `document`: the plan as JSON."""
    if conn.execute(f"SELECT 1 FROM {DOCUMENTS_TABLE} WHERE digest = ?", (plan,)).fetchone():
        return
    conn.execute(
        f"INSERT INTO {DOCUMENTS_TABLE} (digest, sha, document) VALUES (?, ?, ?)",
        (plan, hashlib.sha256(document).hexdigest(), zlib.compress(document, 6)),
    )
    hash_rows(conn, DOCUMENTS_TABLE, "digest = ?", [(plan,)])


def read_plan_document(conn: SqlConnection, plan: str) -> bytes | None:
    """A plan as JSON; None where it was carried out by an earlier version. Raises `RowDamaged`."""
    row = conn.execute(
        f"SELECT {hashed_columns(DOCUMENTS_TABLE)}, hash, document FROM {DOCUMENTS_TABLE} WHERE digest = ?",
        (plan,),
    ).fetchone()
    if row is None:
        return None
    *values, stored, packed = row
    check_row(DOCUMENTS_TABLE, tuple(values), stored)
    try:
        document = zlib.decompress(packed)
    except zlib.error:
        document = b""
    if hashlib.sha256(document).hexdigest() != values[-1]:
        raise RowDamaged(f"the plan {plan[:12]} is not what was written")
    return document


def find_document_damage(conn: SqlConnection) -> Iterator[Damage]:
    """Plans that are not what was written, though their row is."""
    for (plan,) in conn.execute(f"SELECT digest FROM {DOCUMENTS_TABLE} ORDER BY id").fetchall():
        try:
            read_plan_document(conn, plan)
        except RowDamaged as broken:
            yield Damage("journal", f"the plan {plan[:12]}", str(broken))


def interrupted_plans(conn: SqlConnection, source: Side, target: Side) -> Iterator[str]:
    """Digests of the plans between two sides that sent creating requests whose outcome nobody knows, and that
    were not taken back since."""
    rows = conn.execute(
        "SELECT p.digest FROM plans p WHERE p.source_type = ? AND p.source_url = ? AND p.target_type = ? "
        "AND p.target_url = ? AND EXISTS (SELECT 1 FROM journal j WHERE j.plan_id = p.id "
        "AND j.action = 'create' AND j.state = 'intended') AND NOT EXISTS (SELECT 1 FROM journal u "
        "WHERE u.plan_id = p.id AND u.action = 'undo') ORDER BY p.id",
        (source.type, source.url, target.type, target.url),
    ).fetchall()
    return (digest for (digest,) in rows)


REGISTRATION_REASON = "`plan` notes in its archive which plan it made, so that `apply` knows it"


def register_plan(path: Path, plan: str) -> None:
    """Note that the plan of this digest was made from this archive. Another program may be writing to it.

    Raises `BadUsage` where the archive cannot be written, `ArchiveBusy` where another program holds it in one
    long transaction.
    """
    with Archive.open(path) as archive:
        _write(archive, plan)


def check_plan_can_be_registered(path: Path) -> None:
    """Raises what `register_plan` would, before much was read to make a plan. Nothing is changed."""
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
