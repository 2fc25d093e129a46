"""A full disk: one clear error, nothing lost, and the same command continues."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from migrate.archive import Archive
from migrate.archive.database import translate_damage
from migrate.archive.lock import WriterLock
from migrate.archive.read_connections import ReadConnections
from migrate.archive.text_index.state import indexed_snapshots
from migrate.errors import DiskFull
from migrate.serve.page_request import error_page
from migrate.stages.index.run import build_index
from tests.archive.filling import filled
from tests.serve.client import KEY, served

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process can become longer than so many bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def refuse(*_: object) -> int:
    raise FULL


def test_reading_says_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    with file_size_limit(16 << 10):
        with pytest.raises(DiskFull, match="cannot be opened") as failed:
            Archive.open(path)
        assert "also for reading" in failed.value.why
        with pytest.raises(DiskFull, match="cannot grow"):
            Archive.open(path, write=True)
    with Archive.open(path, write=True):
        pass


def test_the_index_continues_when_there_is_space(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    with Archive.open(path, write=True) as archive:
        pages = archive.conn.execute("PRAGMA page_count").fetchone()[0]
        reached = set()
        for more in (1, 10, 20, 30, 40, 50):
            archive.conn.execute(f"PRAGMA max_page_count = {pages + more}")
            try:
                build_index(archive)
                reached.add("end")
            except DiskFull:
                reached.add("full")
        assert "full" in reached
        archive.conn.execute("PRAGMA max_page_count = 1000000")
        build_index(archive)
        assert indexed_snapshots(archive.conn)


def test_no_space_for_what_is_sorted_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as failed, translate_damage(tmp_path / "estate.db"):
        raise sqlite3.OperationalError("database or disk is full")
    assert error_page(failed.value).status_code == 503


def test_the_api_does_not_say_that_an_object_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "estate.db"
    filled(path)

    def lend(_: ReadConnections) -> NoReturn:
        raise DiskFull(f"{path} cannot grow", "database or disk is full")

    with served(path) as client:
        monkeypatch.setattr(ReadConnections, "lend", lend)
        answer = client.send("/openai/files/file-a?api-version=2025-03-01-preview", api_key=KEY)
        assert (answer.status, "disk is full" in answer.text) == (503, True)


def test_the_lock_needs_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    monkeypatch.setattr(os, "write", refuse)
    WriterLock.acquire(path).release()
    assert not path.with_name("estate.db.lock").exists()
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DiskFull):
        WriterLock.acquire(path)
    with pytest.raises(DiskFull):
        Archive.open(tmp_path / "other.db", write=True, create=True)
