"""An archive checks itself: one flipped bit is found, and the affected object is reported."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.check.integrity import Damage, check_archive
from tests.archive.filling import filled, tamper, write


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Archive]:
    """An archive of three snapshots: two equal ones, the last one of another resource and without
    messages."""
    path = tmp_path / "estate.db"
    filled(path)
    with Archive.open(path, write=True) as archive:
        write(archive)
        write(archive, [("file", "", [{"id": "file-w"}])], url="https://west.example.com")
        archive.conn.execute("PRAGMA foreign_keys = OFF")
        yield archive


def found(archive: Archive) -> list[Damage]:
    return list(check_archive(archive.conn).damage)


def test_a_whole_archive_is_found_whole(copy: Archive) -> None:
    checked = check_archive(copy.conn)
    assert checked.damage == ()
    assert (checked.bodies, checked.blobs, checked.snapshots) == (10, 1, 3)
    assert (checked.all_bodies, checked.all_blobs) == (10, 1)
    assert checked.manifests == copy.conn.execute("SELECT count(*) FROM manifests").fetchone()[0]


CHANGES: dict[str, Callable[[str], str]] = {
    "another letter": lambda text: text.replace("Hello", "Hallo"),
    "more": lambda text: text + " ",
    "less": lambda text: text[1:],
    "no JSON": lambda text: "x",
    "two of one": lambda text: f"{text},\n{text}",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_body_is_found_with_its_snapshots(copy: Archive, change: Callable[[str], str]) -> None:
    """Its listing is reported as well. A pack is identified by its content."""
    tamper(copy.conn, "msg_1", change)
    told = {damage.what: damage for damage in found(copy)}
    assert set(told) == {"bodies", "listing"}
    assert told["bodies"].which == "message 0 to 1 of thread_1 (pack 6)"
    assert told["bodies"].snapshots == told["listing"].snapshots == (1, 2)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE packs SET data = x'00ff' WHERE kind = 'message'",
        "UPDATE packs SET size = size + 1 WHERE kind = 'message'",
        "UPDATE packs SET data = substr(data, 1, length(data) / 2) WHERE kind = 'message'",
        "UPDATE packs SET data = zeroblob(size) WHERE kind = 'message'",
        "UPDATE packs SET sha = zeroblob(32) WHERE kind = 'message'",
        "UPDATE packs SET kind = x'ff' WHERE kind = 'message'",
        "UPDATE packs SET data = NULL WHERE kind = 'message'",
        "UPDATE packs SET held = held - 1 WHERE kind = 'message'",
        "UPDATE packs SET count = count - 1 WHERE kind = 'message'",
    ],
)
def test_a_changed_pack_is_found(copy: Archive, change: str) -> None:
    copy.conn.execute("PRAGMA ignore_check_constraints = ON")
    copy.conn.execute(change.replace("data = NULL", "data = x''"))
    told = [damage for damage in found(copy) if damage.what == "bodies"]
    assert [damage.snapshots for damage in told] == [(1, 2)]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM known WHERE body >> 10 = 6",
        "UPDATE known SET key = key + 1 WHERE body >> 10 = 6",
        "UPDATE known SET body = body + 1 WHERE body = (SELECT max(body) FROM known)",
    ],
)
def test_a_body_that_cannot_be_found_by_its_id_is_reported(copy: Archive, change: str) -> None:
    copy.conn.execute(change)
    assert {damage.what for damage in found(copy)} & {"bodies", "reference"}


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
        "UPDATE spans SET ordinal = 9 WHERE manifest_id = {id} AND ordinal = 0",
        "DELETE FROM spans WHERE manifest_id = {id}",
        "UPDATE spans SET count = 1 WHERE manifest_id = {id}",
        "UPDATE spans SET place = place + 1 WHERE manifest_id = {id}",
        "UPDATE spans SET pack_id = 1, count = 1 WHERE manifest_id = {id}",
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
    copy.conn.execute("DELETE FROM packs WHERE kind = 'message'")
    assert {damage.what for damage in found(copy)} == {"reference", "listing"}


def test_a_listing_that_is_gone_is_found(copy: Archive) -> None:
    copy.conn.execute("DELETE FROM listed WHERE manifest_id = 6 AND snapshot_id = 1")
    assert found(copy), "the fingerprint of the snapshot covers its listings"


def test_a_page_of_random_bytes_in_the_file_is_found(tmp_path: Path) -> None:
    content = random.Random(3).randbytes(100_000)
    path = tmp_path / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        writer = write(archive)
        link_file_to_blob(archive, writer.endpoint, "file-a", store_blob(archive, [content]), "download")
    raw = bytearray(path.read_bytes())
    at = raw.index(content[50_000:50_100]) + 50
    raw[at] ^= 1
    path.write_bytes(raw)
    with Archive.open(path) as archive:
        assert check_archive(archive.conn).damage
