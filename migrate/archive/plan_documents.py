"""Plans that were carried out, whole: what it takes to take an apply back does not hang on a plan's file."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator

from migrate.archive.check.references import Damage
from migrate.archive.id_map import Side
from migrate.archive.journal_check import must_be_as_written
from migrate.archive.query import Asked
from migrate.archive.row_hash import BrokenRow, columns, hash_rows

TABLE = "plan_documents"


def keep(conn: sqlite3.Connection, plan: str, document: bytes) -> None:
    """Write a plan of this digest down, within the caller's transaction; one that is there stays.
    `document`: the plan as JSON."""
    if conn.execute(f"SELECT 1 FROM {TABLE} WHERE digest = ?", (plan,)).fetchone():
        return
    conn.execute(
        f"INSERT INTO {TABLE} (digest, sha, document) VALUES (?, ?, ?)",
        (plan, hashlib.sha256(document).hexdigest(), zlib.compress(document, 6)),
    )
    hash_rows(conn, TABLE, "digest = ?", [(plan,)])


def document_of(conn: Asked, plan: str) -> bytes | None:
    """A plan as JSON; None where it was carried out by an earlier version. Raises `BrokenRow`."""
    row = conn.execute(
        f"SELECT {columns(TABLE)}, hash, document FROM {TABLE} WHERE digest = ?", (plan,)
    ).fetchone()
    if row is None:
        return None
    *values, stored, packed = row
    must_be_as_written(TABLE, tuple(values), stored)
    try:
        document = zlib.decompress(packed)
    except zlib.error:
        document = b""
    if hashlib.sha256(document).hexdigest() != values[-1]:
        raise BrokenRow(f"the plan {plan[:12]} is not what was written")
    return document


def damage(conn: Asked) -> Iterator[Damage]:
    """Plans that are not what was written, though their row is."""
    for (plan,) in conn.execute(f"SELECT digest FROM {TABLE} ORDER BY id").fetchall():
        try:
            document_of(conn, plan)
        except BrokenRow as broken:
            yield Damage("journal", f"the plan {plan[:12]}", str(broken))


def interrupted(conn: Asked, source: Side, target: Side) -> Iterator[str]:
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
