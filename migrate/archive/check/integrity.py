"""Check an archive against its own hashes: every body, every listing, all bytes of files, every reference.

Of a large archive, a sample of the bodies, the listings and the bytes can be checked. Fingerprints of
snapshots, references and the structure of listings are always checked completely.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial

from migrate.archive.blobs import read_chunks
from migrate.archive.bodies import BodyRow
from migrate.archive.check.references import CHECKED_REFERENCES, find_broken_references
from migrate.archive.hashes import content_sha, listing_sha, snapshot_digest
from migrate.archive.journal_check import find_journal_damage
from migrate.archive.packs import (
    BODIES_PER_PACK,
    BODY_SEPARATOR,
    FORGOTTEN_BODY,
    BodyReader,
    PackDamaged,
    decompress,
    split_bodies,
)
from migrate.archive.registered_plans import find_document_damage
from migrate.archive.text_index.check import check_text_index, describe_unchecked_index
from migrate.model.input_limits import JSONTooDeep
from migrate.model.results.archive import CheckResult, Damage
from migrate.model.sample import Sample

__all__ = ["CheckResult", "Damage", "check_archive"]


# Number of items checked in a step, and the damage of them.
CheckSteps = Iterator[tuple[int, list[Damage]]]


def check_archive(conn: sqlite3.Connection, sample: Sample | None = None) -> CheckResult:
    """Check everything, or a sample of listings, bodies and bytes. Raises nothing: damage is part of the
    result, and damage in one part does not prevent the check of the others."""
    damage: list[Damage] = []
    count = partial(_run_check, damage)
    count(partial(_database, conn))
    count(lambda: ((1, [item]) for item in find_broken_references(conn)))
    count(lambda: ((1, [item]) for item in (*find_journal_damage(conn), *find_document_damage(conn))))
    all_bodies = count(partial(_sizes, conn, ALL_PACKS_SQL))
    all_blobs = count(partial(_sizes, conn, ALL_BLOBS_SQL))
    all_manifests = count(partial(_sizes, conn, ALL_MANIFESTS_SQL))
    snapshots = count(partial(_snapshots, conn))
    manifests = count(partial(_manifests, conn, _sampler(sample, all_manifests)))
    bodies = count(partial(_packs, conn, _sampler(sample, all_bodies)))
    blobs = count(partial(_blobs, conn, _sampler(sample, all_blobs)))
    documents = count(partial(check_text_index, conn, sample.seed if sample else 0))
    return CheckResult(
        bodies,
        all_bodies,
        manifests,
        all_manifests,
        snapshots,
        blobs,
        all_blobs,
        CHECKED_REFERENCES,
        sample,
        tuple(damage),
        _expected_gaps(conn),
        documents,
        describe_unchecked_index(conn),
    )


def _expected_gaps(conn: sqlite3.Connection) -> int:
    try:
        row = conn.execute(
            "SELECT count(*) FROM missing WHERE expected AND snapshot_id IN "
            "(SELECT max(id) FROM snapshots GROUP BY endpoint_id)"
        ).fetchone()
    except sqlite3.DatabaseError:  # damage is reported by the checks
        return 0
    return int(row[0])


def _run_check(damage: list[Damage], part: Callable[[], CheckSteps]) -> int:
    """Run one part of the check, add its damage to the list, and return how many items were checked."""
    checked = 0
    try:
        for items, item_damage in part():
            checked += items
            damage += item_damage
    except sqlite3.DatabaseError as error:
        unreadable = Damage("database", "file", f"the rest cannot be read: {error}")
        if unreadable not in damage:
            damage.append(unreadable)
    return checked


def _sampler(sample: Sample | None, count: int) -> Callable[[int], bool]:
    """A function that is called once with the size of each group of items, `count` items in all. It selects
    groups that together have at least the requested share, and at least one. It needs no list of the selected
    groups."""
    if sample is None:
        return lambda size: True
    generator = random.Random(sample.seed)
    remaining, needed = count, min(count, max(1, -int(-count * sample.percent // 100)))

    def is_selected(size: int) -> bool:
        nonlocal remaining, needed
        selected = needed > 0 and (generator.random() * remaining < needed or remaining - size < needed)
        remaining, needed = max(0, remaining - size), needed - size * selected
        return selected

    return is_selected


ALL_PACKS_SQL = "SELECT id, held FROM packs NOT INDEXED"
ALL_MANIFESTS_SQL = "SELECT id, 1, sha FROM manifests NOT INDEXED WHERE sha IS NOT NULL"
ALL_BLOBS_SQL = "SELECT id, 1 FROM blobs NOT INDEXED WHERE sha IS NOT NULL"


def _sizes(conn: sqlite3.Connection, sql: str) -> CheckSteps:
    for row in conn.execute(sql):
        yield row[1], []


def _database(conn: sqlite3.Connection) -> CheckSteps:
    for (line,) in conn.execute("PRAGMA integrity_check(20)"):
        yield 1, [] if line == "ok" else [Damage("database", "file", line)]


def _packs(conn: sqlite3.Connection, is_selected: Callable[[int], bool]) -> CheckSteps:
    for pack, held in conn.execute(ALL_PACKS_SQL):
        if is_selected(held):
            why = _pack_fault(conn, pack, held)
            yield held, [_damaged_pack(conn, pack, why)] if why else []


def _pack_fault(conn: sqlite3.Connection, pack: int, held: int) -> str:
    """The damage of a pack, or ''."""
    row = conn.execute(
        "SELECT CAST(kind AS BLOB), count, size, sha, data FROM packs WHERE id = ?", (pack,)
    ).fetchone()
    if row is None or None in row:
        return "its row is incomplete"
    kind, count, size, sha, data = row
    try:
        plain = decompress(data, size)
        if content_sha(kind.decode(), plain) != sha:
            return "its hash is not the one that was stored"
        bodies = {
            pack * BODIES_PER_PACK + n: text
            for n, text in enumerate(split_bodies(plain))
            if text != FORGOTTEN_BODY
        }
        keys = {(BodyRow.from_text(kind.decode(), text).key, n) for n, text in bodies.items()}
    except (ValueError, TypeError, RecursionError, PackDamaged) as error:
        return (
            "it is nested too deeply"
            if isinstance(error, RecursionError | JSONTooDeep)
            else f"it cannot be read: {error}"
        )
    if len(bodies) != held or plain.count(BODY_SEPARATOR.encode()) + 1 != count:
        return "it has another number of bodies than it had"
    marks = ",".join("?" * len(keys))
    known = conn.execute(f"SELECT key, body FROM known WHERE key IN ({marks})", [key for key, _ in keys])
    return "" if keys <= set(known) else "the index of ids does not have its bodies"


def _damaged_pack(conn: sqlite3.Connection, pack: int, why: str) -> Damage:
    """Identified by the listings that refer to it: the pack's own content may be damaged."""
    rows = conn.execute(
        "SELECT s.kind, s.parent_id, r.ordinal, r.count, s.snapshot_id FROM spans r "
        "JOIN scopes s ON s.manifest_id = r.manifest_id WHERE r.pack_id = ? ORDER BY 1, 2, 3, 5",
        (pack,),
    ).fetchall()
    names = dict.fromkeys(
        f"{kind} {first} to {first + count - 1}{f' of {parent}' if parent else ''}"
        for kind, parent, first, count, _ in rows
    )
    which = f"{', '.join(names) or 'of no listing'} (pack {pack})"
    return Damage("bodies", which, why, tuple(sorted({row[4] for row in rows})))


def _manifests(conn: sqlite3.Connection, is_selected: Callable[[int], bool]) -> CheckSteps:
    bodies = BodyReader(conn)
    for id_, size, sha in conn.execute(ALL_MANIFESTS_SQL):
        read = is_selected(size)
        try:
            same = _in_order(conn, id_) and (not read or listing_sha(bodies.shas(id_)) == sha)
        except PackDamaged:
            same = False
        yield int(read), [] if same else [_changed_listing(conn, id_)]


def _in_order(conn: sqlite3.Connection, manifest: int) -> bool:
    """Whether each span of a listing begins where the one before it ends."""
    expected = 0
    for ordinal, count in conn.execute(
        "SELECT ordinal, count FROM spans WHERE manifest_id = ? ORDER BY ordinal", (manifest,)
    ):
        if ordinal != expected:
            return False
        expected += count
    return True


def _changed_listing(conn: sqlite3.Connection, manifest: int) -> Damage:
    rows = conn.execute(
        "SELECT snapshot_id, kind, parent_id FROM scopes WHERE manifest_id = ? ORDER BY 1", (manifest,)
    ).fetchall()
    names = dict.fromkeys(f"{kind} {parent}".strip() for _, kind, parent in rows)
    which = f"number {manifest}{f' ({chr(44).join(names)})' if names else ''}"
    affected = tuple(dict.fromkeys(row[0] for row in rows))
    return Damage("listing", which, "its rows are not the ones that were stored", affected)


def _snapshots(conn: sqlite3.Connection) -> CheckSteps:
    """The fingerprint of a finished snapshot covers its listings and their states."""
    rows = conn.execute("SELECT id, digest FROM snapshots WHERE digest IS NOT NULL").fetchall()
    for id_, digest in rows:
        why = "its listings are not the ones that were stored"
        same = snapshot_digest(conn, id_) == digest
        yield 1, [] if same else [Damage("snapshot", f"number {id_}", why, (id_,))]


def _blobs(conn: sqlite3.Connection, is_selected: Callable[[int], bool]) -> CheckSteps:
    for id_, size in conn.execute(ALL_BLOBS_SQL):
        if not is_selected(size):
            continue
        row = conn.execute("SELECT sha, size FROM blobs WHERE id = ?", (id_,)).fetchone()
        why = _blob_fault(conn, id_, *(row or (None, 0)))
        yield 1, [_damaged_blob(conn, id_, why)] if why else []


def _blob_fault(conn: sqlite3.Connection, blob: int, sha: bytes | None, size: int) -> str:
    digest, length = hashlib.sha256(), 0
    try:
        for data in read_chunks(conn, blob):
            digest.update(data)
            length += len(data)
            if length > size:
                break
    except PackDamaged as error:
        return str(error)
    return "" if digest.digest() == sha and length == size else "their hash is not the one that was stored"


def _damaged_blob(conn: sqlite3.Connection, blob: int, why: str) -> Damage:
    rows = conn.execute("SELECT endpoint_id, file_id FROM contents WHERE blob_id = ?", (blob,)).fetchall()
    affected = {snapshot for endpoint, file in rows for snapshot in _snapshots_of_file(conn, endpoint, file)}
    which = f"of {', '.join(file for _, file in rows) or 'no file'}"
    return Damage("bytes", which, why, tuple(sorted(affected)))


def _snapshots_of_file(conn: sqlite3.Connection, endpoint: int, file: str) -> Iterator[int]:
    """Snapshots of an estate in which a file is listed; none where that cannot be read because of damage."""
    try:
        numbers = [number for number, kind, _ in BodyReader(conn).find_by_id(file) if kind == "file"]
    except (PackDamaged, ValueError):
        return
    for pack, place in (divmod(number, BODIES_PER_PACK) for number in numbers):
        rows = conn.execute(
            "SELECT DISTINCT s.snapshot_id FROM spans r JOIN scopes s ON s.manifest_id = r.manifest_id "
            "JOIN snapshots n ON n.id = s.snapshot_id AND n.endpoint_id = ? "
            "WHERE r.pack_id = ? AND r.place <= ? AND r.place + r.count > ?",
            (endpoint, pack, place, place),
        )
        yield from (row[0] for row in rows)
