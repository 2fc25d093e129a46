"""Checks an archive against its own hashes: every body, every listing, every byte, every reference.

Of a large archive a sample of the bodies and bytes may do; listings, fingerprints and references are always
looked at whole.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from migrate.archive.fingerprints import snapshot_digest
from migrate.archive.references import BETWEEN, Damage, broken
from migrate.archive.snapshots import storable

__all__ = ["Checked", "Damage", "Sample", "check"]


@dataclass(frozen=True)
class Sample:
    """So many of a hundred bodies and files, chosen by a seed: the same seed chooses the same ones."""

    percent: float
    seed: int


@dataclass(frozen=True)
class Checked:
    """What was looked at (`bodies` of `all_bodies`), and what was wrong."""

    bodies: int
    all_bodies: int
    manifests: int
    snapshots: int
    blobs: int
    all_blobs: int
    references: tuple[str, ...]
    sample: Sample | None
    damage: tuple[Damage, ...]


Looked = Iterator[list[Damage]]
"""One list for each thing that was looked at."""


def check(conn: sqlite3.Connection, sample: Sample | None = None) -> Checked:
    """Look at everything, or at a sample of bodies and bytes. Raises nothing: damage is a value, and
    damage in one place does not keep the others from being looked at."""
    found: list[Damage] = []
    count = partial(_look, found)
    count(partial(_database, conn))
    count(lambda: ([damage] for damage in broken(conn)))
    all_bodies, all_blobs = count(partial(_ids, conn, ALL_BODIES)), count(partial(_ids, conn, ALL_BLOBS))
    snapshots = count(partial(_snapshots, conn))
    manifests = count(partial(_manifests, conn))
    bodies = count(partial(_bodies, conn, _chooser(sample, all_bodies)))
    blobs = count(partial(_blobs, conn, _chooser(sample, all_blobs)))
    return Checked(bodies, all_bodies, manifests, snapshots, blobs, all_blobs, BETWEEN, sample, tuple(found))


def _look(found: list[Damage], part: Callable[[], Looked]) -> int:
    """Walk one part; how many things were looked at."""
    looked = 0
    try:
        for damage in part():
            looked += 1
            found += damage
    except sqlite3.DatabaseError as error:
        damage_ = Damage("database", "file", f"cannot be read on: {error}")
        found += [] if damage_ in found else [damage_]
    return looked


def _chooser(sample: Sample | None, count: int) -> Callable[[], bool]:
    """Asked once for each of `count` things, in order: yes to exactly the share that was wanted, and to
    one at least. Needs no list of what was chosen."""
    if sample is None:
        return lambda: True
    chance = random.Random(sample.seed)
    left, needed = count, min(count, max(1, -int(-count * sample.percent // 100)))

    def chosen() -> bool:
        nonlocal left, needed
        yes = chance.random() * left < needed
        left, needed = max(0, left - 1), needed - yes
        return yes

    return chosen


UNREADABLE = "its row is not where it was stored"
ALL_BODIES = "SELECT id FROM bodies NOT INDEXED"
ALL_BLOBS = "SELECT id FROM blobs NOT INDEXED WHERE sha IS NOT NULL"


def _ids(conn: sqlite3.Connection, sql: str) -> Looked:
    for _ in conn.execute(sql):
        yield []


def _database(conn: sqlite3.Connection) -> Looked:
    for (line,) in conn.execute("PRAGMA integrity_check(20)"):
        yield [] if line == "ok" else [Damage("database", "file", line)]


def _bodies(conn: sqlite3.Connection, chosen: Callable[[], bool]) -> Looked:
    for (id_,) in conn.execute(ALL_BODIES):
        if not chosen():
            continue
        row = conn.execute(
            "SELECT CAST(kind AS BLOB), CAST(object_id AS BLOB), sha, CAST(body AS BLOB) "
            "FROM bodies WHERE id = ?",
            (id_,),
        ).fetchone()
        if row is None or None in row:
            yield [Damage("body", f"number {id_}", UNREADABLE, _snapshots_of_body(conn, id_))]
            continue
        kind, object_id, sha, raw = row
        why = _body_fault(kind, object_id, sha, raw)
        name = f"{kind.decode(errors='replace')} {object_id.decode(errors='replace')}"
        yield [Damage("body", name, why, _snapshots_of_body(conn, id_))] if why else []


def _body_fault(kind: bytes, object_id: bytes, sha: bytes, raw: bytes) -> str:
    if hashlib.sha256(kind + b"\0" + raw).digest() != sha:
        return "its hash is not the one that was stored"
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return "it is nested too deeply" if isinstance(error, RecursionError) else "it is not JSON"
    known = storable(str(body.get("id", ""))).encode()
    return "" if known == object_id else "its id is not the one that was stored"


def _manifests(conn: sqlite3.Connection) -> Looked:
    for id_, sha in conn.execute("SELECT id, sha FROM manifests NOT INDEXED WHERE sha IS NOT NULL"):
        digest = hashlib.sha256()
        for (body_sha,) in conn.execute(
            "SELECT b.sha FROM entries e JOIN bodies b ON b.id = e.body_id "
            "WHERE e.manifest_id = ? ORDER BY e.ordinal",
            (id_,),
        ):
            digest.update(body_sha)
        yield [] if digest.digest() == sha else [_changed_listing(conn, id_)]


def _changed_listing(conn: sqlite3.Connection, manifest: int) -> Damage:
    rows = conn.execute(
        "SELECT snapshot_id, kind, parent_id FROM scopes WHERE manifest_id = ? ORDER BY 1", (manifest,)
    ).fetchall()
    names = dict.fromkeys(f"{kind} {parent}".strip() for _, kind, parent in rows)
    which = f"number {manifest}{f' ({chr(44).join(names)})' if names else ''}"
    touched = tuple(dict.fromkeys(row[0] for row in rows))
    return Damage("listing", which, "its rows are not the ones that were stored", touched)


def _snapshots(conn: sqlite3.Connection) -> Looked:
    """The fingerprint of a finished snapshot covers which listings it holds, and their states."""
    rows = conn.execute("SELECT id, digest FROM snapshots WHERE digest IS NOT NULL").fetchall()
    for id_, digest in rows:
        why = "its listings are not the ones that were stored"
        same = snapshot_digest(conn, id_) == digest
        yield [] if same else [Damage("snapshot", f"number {id_}", why, (id_,))]


def _blobs(conn: sqlite3.Connection, chosen: Callable[[], bool]) -> Looked:
    for (id_,) in conn.execute(ALL_BLOBS):
        if not chosen():
            continue
        row = conn.execute("SELECT sha, size FROM blobs WHERE id = ?", (id_,)).fetchone()
        sha, size = row or (None, 0)
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
