"""File bytes: stored once per content, returned exactly, readable at any offset."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.blobs import (
    Blob,
    BlobFile,
    BlobWriter,
    find_blob,
    link_file_to_blob,
    read_chunks,
    store_blob,
)
from migrate.archive.check.integrity import check_archive
from tests.archive.filling import filled, reader, rows, write
from tests.strategies import steady

Step = tuple[str, int, int]


def blob(archive: Archive, *pieces: bytes) -> Blob:
    whole = b"".join(pieces)
    return Blob(store_blob(archive, pieces), hashlib.sha256(whole).hexdigest(), len(whole), "download")


@pytest.mark.parametrize("pieces", [[], [b""], [b"abc"], [b"a", b"", b"bc"], [bytes(range(256))] * 3])
def test_bytes_come_back_with_their_hash_and_size(archive: Archive, pieces: list[bytes]) -> None:
    writer = write(archive)
    link_file_to_blob(archive, writer.endpoint, "file-a", store_blob(archive, pieces), "original")
    found = reader(archive).blob("file-a")
    whole = b"".join(pieces)
    assert found is not None
    assert (found.sha256, found.size) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert found.origin == "original"
    assert b"".join(read_chunks(archive.conn, found.id)) == whole


def test_the_same_bytes_are_kept_once_however_they_were_cut(archive: Archive) -> None:
    first = store_blob(archive, [b"abc", b"def"])
    before = rows(archive, "chunks")
    assert store_blob(archive, [b"a", b"bcde", b"f"]) == first
    assert (rows(archive, "blobs"), rows(archive, "chunks")) == (1, before)
    assert store_blob(archive, [b"abcdeg"]) != first


def test_bytes_that_broke_off_leave_nothing(archive: Archive) -> None:
    def broken() -> Iterator[bytes]:
        yield b"abc"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store_blob(archive, broken())
    assert (rows(archive, "blobs"), rows(archive, "chunks")) == (0, 0)


def test_bytes_left_by_a_killed_program_are_swept_up(tmp_path: Path) -> None:
    filled(tmp_path / "estate.db")
    with Archive.open(tmp_path / "estate.db", write=True) as archive:
        BlobWriter(archive).write(b"half")
        assert rows(archive, "blobs") == 2
    with Archive.open(tmp_path / "estate.db", write=True) as archive:
        assert (rows(archive, "blobs"), rows(archive, "chunks")) == (1, 2)


def test_a_file_is_known_to_its_own_endpoint_only(archive: Archive) -> None:
    east = write(archive)
    west = write(archive, url="https://west.example.com")
    link_file_to_blob(archive, east.endpoint, "file-a", store_blob(archive, [b"abc"]), "download")
    assert find_blob(archive.conn, west.endpoint, "file-a") is None
    assert find_blob(archive.conn, east.endpoint, "file-b") is None
    assert find_blob(archive.conn, east.endpoint, "file-a") is not None


def test_newer_bytes_of_a_file_take_the_place_of_older_ones(archive: Archive) -> None:
    writer = write(archive)
    for content in (b"old", b"new"):
        link_file_to_blob(archive, writer.endpoint, "file-a", store_blob(archive, [content]), "download")
    found = reader(archive).blob("file-a")
    assert found is not None
    assert b"".join(read_chunks(archive.conn, found.id)) == b"new"


def test_a_large_file_is_read_a_chunk_at_a_time(archive: Archive) -> None:
    pieces = [bytes([n]) * 1000 for n in range(50)]
    asked: list[str] = []
    file = BlobFile(archive.conn, blob(archive, *pieces))
    archive.conn.set_trace_callback(asked.append)
    assert file.read(1500) == b"".join(pieces)[:1500]
    archive.conn.set_trace_callback(None)
    assert len([text for text in asked if "data" in text]) == 2


steps = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 40), st.just(0)),
        st.tuples(st.just("seek"), st.integers(0, 70), st.just(io.SEEK_SET)),
        st.tuples(st.just("seek"), st.integers(-70, 20), st.just(io.SEEK_END)),
        st.tuples(st.just("seek"), st.integers(-40, 40), st.just(io.SEEK_CUR)),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """One archive for many generated blobs."""
    with Archive.open(tmp_path_factory.mktemp("a") / "estate.db", write=True, create=True) as opened:
        yield opened


@steady
@given(pieces=st.lists(st.binary(max_size=20), max_size=6), steps=steps)
def test_it_reads_like_any_file(shared: Archive, pieces: list[bytes], steps: list[Step]) -> None:
    ours, theirs = BlobFile(shared.conn, blob(shared, *pieces)), io.BytesIO(b"".join(pieces))
    assert (ours.readable(), ours.seekable(), ours.writable()) == (True, True, False)
    for what, number, whence in steps:
        if what == "read":
            assert ours.read(number) == theirs.read(number)
        else:
            assert ours.seek(number, whence) == theirs.seek(number, whence)
        assert ours.tell() == theirs.tell()
    ours.seek(0)
    assert ours.read() == theirs.getvalue()
    assert ours.read() == b""


def test_a_clients_buffer_can_read_it(archive: Archive) -> None:
    buffered = io.BufferedReader(BlobFile(archive.conn, blob(archive, b"abc", b"def")))
    assert buffered.read(4) == b"abcd"


@pytest.mark.parametrize("id_", ["file-\ud800", "'; --", "a\x00b"])
def test_a_file_of_an_odd_id_has_its_bytes(archive: Archive, id_: str) -> None:
    writer = write(archive, [("file", "", [{"id": id_}])])
    link_file_to_blob(archive, writer.endpoint, id_, store_blob(archive, [b"abc"]), "download")
    found = reader(archive).blob(id_)
    assert found
    assert b"".join(read_chunks(archive.conn, found.id)) == b"abc"
    assert check_archive(archive.conn).damage == ()
