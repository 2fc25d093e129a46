"""Checks an archive against its own hashes: every body, every listing, every byte, every reference."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.archive.snapshots import snapshot_digest, storable


@dataclass(frozen=True)
class Damage:
    """Something that is not as it was written: what, which, why, and the snapshots it touches."""

    what: str
    which: str
    why: str
    snapshots: tuple[int, ...] = ()


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what was wrong."""

    bodies: int
    manifests: int
    blobs: int
    damage: tuple[Damage, ...]


def check(conn: sqlite3.Connection) -> Checked:
    """Look at everything. Raises nothing: damage is a value."""
    found: list[Damage] = []
    bodies = manifests = blobs = 0
    try:
        for (line,) in conn.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                found.append(Damage("database", "file", line))
        for table, row, parent, _ in conn.execute("PRAGMA foreign_key_check"):
            found.append(Damage("reference", f"{table} row {row}", f"what it names in {parent} is gone"))
        for damage in _bodies(conn):
            bodies += 1
            found += damage
        for damage in _manifests(conn):
            manifests += 1
            found += damage
        found += _snapshots(conn)
        for damage in _blobs(conn):
            blobs += 1
            found += damage
    except sqlite3.DatabaseError as error:
        found.append(Damage("database", "file", f"cannot be read on: {error}"))
    return Checked(bodies, manifests, blobs, tuple(found))


def _bodies(conn: sqlite3.Connection) -> Iterator[list[Damage]]:
    rows = conn.execute("SELECT id, kind, object_id, sha, CAST(body AS BLOB) FROM bodies")
    for id_, kind, object_id, sha, raw in rows:
        why = _body_fault(kind, object_id, sha, raw)
        yield [Damage("body", f"{kind} {object_id}", why, _snapshots_of_body(conn, id_))] if why else []


def _body_fault(kind: str, object_id: str, sha: bytes, raw: bytes) -> str:
    if hashlib.sha256(f"{kind}\0".encode() + raw).digest() != sha:
        return "its hash is not the one that was stored"
    try:
        body = json.loads(raw)
    except ValueError:
        return "it is not JSON"
    return "" if storable(str(body.get("id", ""))) == object_id else "its id is not the one that was stored"


def _manifests(conn: sqlite3.Connection) -> Iterator[list[Damage]]:
    for id_, sha in conn.execute("SELECT id, sha FROM manifests WHERE sha IS NOT NULL"):
        digest = hashlib.sha256()
        for (body_sha,) in conn.execute(
            "SELECT b.sha FROM entries e JOIN bodies b ON b.id = e.body_id "
            "WHERE e.manifest_id = ? ORDER BY e.ordinal",
            (id_,),
        ):
            digest.update(body_sha)
        touched = tuple(
            row[0] for row in conn.execute("SELECT snapshot_id FROM scopes WHERE manifest_id = ?", (id_,))
        )
        wrong = digest.digest() != sha
        yield (
            [Damage("listing", f"number {id_}", "its rows are not the ones that were stored", touched)]
            if wrong
            else []
        )


def _snapshots(conn: sqlite3.Connection) -> Iterator[Damage]:
    """The fingerprint of a finished snapshot covers which listings it holds, and their states."""
    rows = conn.execute("SELECT id, digest FROM snapshots WHERE digest IS NOT NULL").fetchall()
    for id_, digest in rows:
        if snapshot_digest(conn, id_) != digest:
            why = "its listings are not the ones that were stored"
            yield Damage("snapshot", f"number {id_}", why, (id_,))


def _blobs(conn: sqlite3.Connection) -> Iterator[list[Damage]]:
    for id_, sha, size in conn.execute("SELECT id, sha, size FROM blobs WHERE sha IS NOT NULL").fetchall():
        digest, length = hashlib.sha256(), 0
        for (data,) in conn.execute("SELECT data FROM chunks WHERE blob_id = ? ORDER BY ordinal", (id_,)):
            digest.update(data)
            length += len(data)
        if digest.digest() == sha and length == size:
            yield []
            continue
        files = ", ".join(
            row[0] for row in conn.execute("SELECT file_id FROM contents WHERE blob_id = ?", (id_,))
        )
        why = "their hash is not the one that was stored"
        yield [Damage("bytes", f"of {files or 'no file'}", why, _snapshots_of_blob(conn, id_))]


def _snapshots_of_blob(conn: sqlite3.Connection, blob: int) -> tuple[int, ...]:
    rows = conn.execute(
        "SELECT DISTINCT s.snapshot_id FROM contents c "
        "JOIN bodies b ON b.object_id = c.file_id AND b.kind = 'file' "
        "JOIN entries e ON e.body_id = b.id JOIN scopes s ON s.manifest_id = e.manifest_id "
        "JOIN snapshots n ON n.id = s.snapshot_id AND n.endpoint_id = c.endpoint_id "
        "WHERE c.blob_id = ? ORDER BY 1",
        (blob,),
    )
    return tuple(row[0] for row in rows)


def _snapshots_of_body(conn: sqlite3.Connection, body: int) -> tuple[int, ...]:
    rows = conn.execute(
        "SELECT DISTINCT s.snapshot_id FROM entries e JOIN scopes s ON s.manifest_id = e.manifest_id "
        "WHERE e.body_id = ? ORDER BY 1",
        (body,),
    )
    return tuple(row[0] for row in rows)
