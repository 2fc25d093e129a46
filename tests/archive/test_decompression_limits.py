"""A small archive that decompresses to gigabytes takes neither much memory nor much time."""

from __future__ import annotations

import sqlite3
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import find_blob, read_verified_chunks
from migrate.archive.check.integrity import check_archive
from migrate.archive.packs import BODIES_PER_PACK, PackDamaged, compress, decompress, split_bodies
from migrate.errors import ArchiveDamaged
from migrate.model.input_limits import MAX_UNPACKED, MIB
from tests.archive.filling import filled, reader

ZEROS = 300 * MIB


def bomb(unpacked: int) -> bytes:
    """Some hundred kilobytes that decompress to this number of bytes."""
    packing, block = zlib.compressobj(9), b" " * MIB
    return b"".join([*(packing.compress(block) for _ in range(unpacked // MIB)), packing.flush()])


BOMB = bomb(ZEROS)


@contextmanager
def little_memory(most: int = 64 * MIB) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [1, 1000, 1 * MIB, MAX_UNPACKED.maximum + 1, 1 << 62])
def test_more_than_was_stored_is_not_unpacked(size: int) -> None:
    with little_memory(), pytest.raises(PackDamaged):
        decompress(BOMB, size)


@pytest.mark.parametrize("size", ["12", b"12", -1, 1.5])
def test_an_invalid_size_is_refused(size: object) -> None:
    with little_memory(), pytest.raises(PackDamaged):
        decompress(BOMB, size)


def test_data_that_is_not_bytes_is_refused() -> None:
    with pytest.raises(PackDamaged):
        decompress("text", 3)


@pytest.mark.parametrize("plain", [b"", b"a", b"abc" * 40_000, b" " * MIB])
def test_what_was_squeezed_comes_back(plain: bytes) -> None:
    assert decompress(compress(plain), len(plain)) == plain


@pytest.mark.parametrize("cut", [1, 4, 100])
def test_truncated_data_is_refused(cut: int) -> None:
    plain = b"".join(b"%d," % n for n in range(50_000))
    with pytest.raises(PackDamaged):
        decompress(compress(plain)[:-cut], len(plain))


def test_a_pack_of_millions_of_bodies_is_refused() -> None:
    with little_memory(), pytest.raises(PackDamaged, match="more bodies"):
        split_bodies(b"[" + b",\n" * (4 * MIB) + b"]")
    assert len(split_bodies(b"[" + b",\n".join([b"1"] * BODIES_PER_PACK) + b"]")) == BODIES_PER_PACK


@pytest.fixture(params=[1000, MAX_UNPACKED.maximum + 1])
def forged(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An archive whose packs and bytes decompress to far more than their declared size, or declare too large
    a size."""
    path = tmp_path / "estate.db"
    filled(path)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE packs SET data = ?, size = ?", (BOMB, request.param))
        conn.execute("UPDATE chunks SET data = ?, size = ?", (BOMB, request.param))
    return path


def test_check_names_it_and_ends(forged: Path) -> None:
    with little_memory(), Archive.open(forged) as archive:
        found = check_archive(archive.conn).damage
    assert {"bodies", "bytes"} <= {one.what for one in found}


def test_what_reads_it_ends_with_damage(forged: Path) -> None:
    with little_memory(), Archive.open(forged) as archive:
        with pytest.raises(PackDamaged):
            list(reader(archive).bodies("assistant"))
        blob = find_blob(archive.conn, 1, "file-a")
        assert blob
        with pytest.raises(ArchiveDamaged):
            list(read_verified_chunks(archive.conn, blob))


def test_bytes_that_never_end_are_given_up_where_they_should_end(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.executemany(
            "INSERT INTO chunks VALUES (1, ?, ?, ?)", ((n, b" " * 1000, 1000) for n in range(10, 5_000))
        )
    with Archive.open(path) as archive:
        blob = find_blob(archive.conn, 1, "file-a")
        assert blob
        given: list[bytes] = []
        with pytest.raises(ArchiveDamaged):
            given.extend(read_verified_chunks(archive.conn, blob))
        assert sum(map(len, given)) <= blob.size
        assert [one.what for one in check_archive(archive.conn).damage] == ["bytes"]
