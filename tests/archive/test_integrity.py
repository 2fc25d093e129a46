"""The archive checks itself: one flipped bit is found, and what it touches is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import link, store
from migrate.archive.integrity import Damage, check
from tests.archive.filling import filled, write


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Archive]:
    """An archive of three snapshots: two alike, the last of another place and without messages."""
    path = tmp_path / "estate.db"
    filled(path)
    with Archive.open(path, write=True) as archive:
        write(archive)
        write(archive, [("file", "", [{"id": "file-w"}])], url="https://west.example.com")
        archive.conn.execute("PRAGMA foreign_keys = OFF")
        yield archive


def found(archive: Archive) -> list[Damage]:
    return list(check(archive.conn).damage)


def test_a_whole_archive_is_found_whole(copy: Archive) -> None:
    checked = check(copy.conn)
    assert checked.damage == ()
    assert (checked.bodies, checked.blobs, checked.snapshots) == (10, 1, 3)
    assert (checked.all_bodies, checked.all_blobs) == (10, 1)
    assert checked.manifests == copy.conn.execute("SELECT count(*) FROM manifests").fetchone()[0]


@pytest.mark.parametrize(
    "changed", ["replace(body, 'Hello', 'Hallo')", "body || ' '", "substr(body, 2)", "x'ff'"]
)
def test_a_changed_body_is_found_with_its_snapshots(copy: Archive, changed: str) -> None:
    copy.conn.execute(f"UPDATE bodies SET body = {changed} WHERE object_id = 'msg_1'")
    (damage,) = found(copy)
    assert (damage.what, damage.which, damage.snapshots) == ("body", "message msg_1", (1, 2))


@pytest.mark.parametrize("column", ["object_id", "kind"])
def test_a_body_under_another_name_is_found(copy: Archive, column: str) -> None:
    copy.conn.execute(f"UPDATE bodies SET {column} = 'x' WHERE object_id = 'msg_1'")
    assert "body" in [damage.what for damage in found(copy)]


def test_a_flipped_bit_in_the_bytes_of_a_file_is_found(copy: Archive) -> None:
    copy.conn.execute("UPDATE chunks SET data = x'63' WHERE ordinal = 0")
    (damage,) = found(copy)
    assert damage.what == "bytes"
    assert "file-a" in damage.which
    assert damage.snapshots == (1, 2)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM chunks WHERE ordinal = 1",
        "UPDATE chunks SET ordinal = 7 WHERE ordinal = 0",
        "UPDATE blobs SET size = size + 1",
        "UPDATE blobs SET sha = zeroblob(32)",
    ],
)
def test_bytes_that_are_cut_or_swapped_are_found(copy: Archive, change: str) -> None:
    copy.conn.execute(change)
    assert "bytes" in [damage.what for damage in found(copy)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET ordinal = 9 WHERE manifest_id = {id} AND ordinal = 0",
        "DELETE FROM entries WHERE manifest_id = {id} AND ordinal = 1",
        "UPDATE entries SET body_id = 1 WHERE manifest_id = {id} AND ordinal = 1",
        "UPDATE manifests SET sha = zeroblob(32) WHERE id = {id}",
    ],
)
def test_a_changed_listing_is_found_with_its_snapshots(copy: Archive, change: str) -> None:
    (id_,) = copy.conn.execute("SELECT manifest_id FROM scopes WHERE kind = 'message' LIMIT 1").fetchone()
    copy.conn.execute(change.format(id=id_))
    damage = {one.what: one for one in found(copy)}
    assert "listing" in damage
    assert set(damage) <= {"listing", "snapshot", "reference"}
    assert set(damage["listing"].snapshots) == {1, 2}


def test_a_body_that_is_gone_is_found(copy: Archive) -> None:
    copy.conn.execute("DELETE FROM bodies WHERE object_id = 'msg_2'")
    assert {damage.what for damage in found(copy)} == {"reference", "listing"}


def test_a_listing_that_is_gone_is_found(copy: Archive) -> None:
    copy.conn.execute("DELETE FROM scopes WHERE kind = 'message' AND snapshot_id = 1")
    assert found(copy), "the fingerprint of the snapshot covers its listings"


def test_a_page_of_rubbish_in_the_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        writer = write(archive)
        link(archive, writer.endpoint, "file-a", store(archive, [b"\xaa" * 100_000]), "download")
    raw = bytearray(path.read_bytes())
    at = raw.index(b"\xaa" * 3_000) + 100
    raw[at] ^= 1
    path.write_bytes(raw)
    with Archive.open(path) as archive:
        assert check(archive.conn).damage
