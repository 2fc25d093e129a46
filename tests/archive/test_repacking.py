"""An archive from before bodies were packed is brought up to date with everything it held."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from migrate.archive import Archive
from migrate.archive.check.integrity import check_archive
from migrate.archive.hashes import listing_sha
from migrate.archive.packs.rows import BodyRow
from migrate.archive.schema import migrations
from migrate.archive.schema_version import APPLICATION_ID
from migrate.archive.snapshots.reader import list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.errors import ArchiveDamaged
from tests.archive.filling import ESTATE, TYPE, URL, Listing, reader, write

CHANGED: list[Listing] = [
    (kind, parent, [{**body, "later": True} for body in bodies] if kind == "assistant" else bodies)
    for kind, parent, bodies in ESTATE
]


def old_archive(path: Path) -> None:
    """Two snapshots that share all but the assistants, and a third that was interrupted in its messages."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(conn), stop_before="m007_packs")
        conn.execute("INSERT INTO endpoints VALUES (1, ?, ?)", (TYPE, URL))
        for number, listings in ((1, ESTATE), (2, CHANGED)):
            conn.execute(
                "INSERT INTO snapshots VALUES (?, 1, NULL, 'reading', ?, NULL, '', '0.1', '{}', NULL, 9, 9)",
                (number, f"2026-11-1{number}T00:00:00+00:00"),
            )
            for kind, parent, bodies in listings:
                old_listing(conn, number, kind, parent, bodies, sealed=True)
            conn.execute(
                "UPDATE snapshots SET state = 'complete', digest = ? WHERE id = ?",
                (old_digest(conn, number), number),
            )
        conn.execute(
            "INSERT INTO snapshots VALUES "
            "(3, 1, NULL, 'reading', '2026-11-19', NULL, '', '0.1', '{}', NULL, 0, 0)"
        )
        old_listing(conn, 3, "message", "thread_1", [{"id": "msg_1", "new": 1}], sealed=False)
        conn.execute("INSERT INTO blobs VALUES (1, ?, 4)", (hashlib.sha256(b"abcd").digest(),))
        conn.executemany("INSERT INTO chunks VALUES (1, ?, ?)", [(0, b"ab"), (1, b"cd")])
        conn.execute("INSERT INTO contents VALUES (1, 'file-a', 1, 'download', '2026-11-11')")


def old_listing(
    conn: sqlite3.Connection, snapshot: int, kind: str, parent: str, bodies: list[Any], *, sealed: bool
) -> None:
    rows = [BodyRow.of(kind, body) for body in bodies]
    sha = listing_sha(row.sha for row in rows) if sealed else None
    held = conn.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
    manifest = held[0] if held else conn.execute("INSERT INTO manifests (sha) VALUES (?)", (sha,)).lastrowid
    for ordinal, row in enumerate([] if held else rows):
        conn.execute(
            "INSERT OR IGNORE INTO bodies (sha, kind, object_id, body) VALUES (?, ?, ?, ?)",
            (row.sha, kind, row.object_id, row.body.decode()),
        )
        conn.execute(
            "INSERT INTO entries SELECT ?, ?, id FROM bodies WHERE sha = ?", (manifest, ordinal, row.sha)
        )
    conn.execute(
        "INSERT INTO scopes VALUES (?, ?, ?, ?, ?, NULL, ?)",
        (snapshot, kind, parent, manifest, "complete" if sealed else "reading", None if sealed else "msg_1"),
    )


def old_digest(conn: sqlite3.Connection, snapshot: int) -> str:
    digest = hashlib.sha256()
    for row in conn.execute(
        "SELECT s.kind, s.parent_id, s.state, hex(m.sha) FROM scopes s "
        "JOIN manifests m ON m.id = s.manifest_id WHERE s.snapshot_id = ? ORDER BY 1, 2",
        (snapshot,),
    ):
        digest.update("\0".join(map(str, row)).encode() + b"\n")
    return digest.hexdigest()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "estate.db"
    old_archive(path)
    return path


def test_everything_is_there_afterwards(old: Path) -> None:
    with Archive.open(old, write=True) as archive:
        assert check_archive(archive.conn).damage == ()
        for number, listings in enumerate((ESTATE, CHANGED)):
            for kind, parent, bodies in listings:
                assert [body for _, body in reader(archive, number).bodies(kind, parent)] == bodies
        assert [info.state for info in list_snapshots(archive.conn)] == ["complete", "complete", "partial"]
        assert archive.conn.execute("SELECT sum(held) FROM packs").fetchone() == (11,)
        blob = reader(archive, 0).blob("file-a")
        assert blob
        assert blob.sha256 == hashlib.sha256(b"abcd").hexdigest()


def test_what_was_interrupted_is_continued(old: Path) -> None:
    with Archive.open(old, write=True) as archive:
        writer = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
        assert (writer.id, writer.resumed) == (3, True)
        assert writer.scope("message", "thread_1") == ("reading", "msg_1")
        writer.page("message", "thread_1", [BodyRow.of("message", {"id": "msg_2"})], "msg_2")
        writer.end("message", "thread_1")
        writer.finish("complete", "")
        assert [body["id"] for body in writer.bodies("message", "thread_1")] == ["msg_1", "msg_2"]
        assert check_archive(archive.conn).damage == ()


def test_the_same_estate_adds_nothing(old: Path) -> None:
    with Archive.open(old, write=True) as archive:
        write(archive, CHANGED, options={"another": 1})
        assert list_snapshots(archive.conn)[-1].bodies_added == 0


def test_damage_is_not_blessed(old: Path) -> None:
    with closing(sqlite3.connect(old)) as conn:
        conn.execute("UPDATE bodies SET body = replace(body, 'Hello', 'Hallo')")
        conn.commit()
    with Archive.open(old, write=True) as archive:
        damage = check_archive(archive.conn).damage
    assert {one.what for one in damage} == {"listing"}
    assert damage[0].snapshots == (1, 2)


def test_one_that_is_only_read_says_what_to_do(old: Path) -> None:
    with pytest.raises(ArchiveDamaged, match="earlier version") as failed:
        Archive.open(old)
    assert "check --upgrade" in str(failed.value.todo)
