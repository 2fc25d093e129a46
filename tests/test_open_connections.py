"""Every connection is closed by the code that opened it: how all tests are checked for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.connections import ThreadLocalConnection
from migrate.errors import MigrateError
from tests.archive.filling import filled
from tests.open_connections import CountedConnection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    filled(tmp_path / "estate.db")
    return tmp_path / "estate.db"


def left_open(before: set[CountedConnection]) -> int:
    return len([conn for conn in CountedConnection.open_ if conn not in before])


@pytest.fixture
def before() -> set[CountedConnection]:
    return set(CountedConnection.open_)


def test_a_connection_that_is_left_open_is_seen(before: set[CountedConnection]) -> None:
    conn = sqlite3.connect(":memory:")
    assert left_open(before) == 1
    assert [frame for frame in conn.opened_at if frame.filename == __file__]  # type: ignore[attr-defined]
    with closing(conn):
        pass
    assert left_open(before) == 0


def random_bytes(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8000)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TRIGGER more AFTER INSERT ON plans BEGIN SELECT 1; END")


def later(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('assistants-migrate', 'm999_later', 'now')"
        )


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5000)


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("harm", [random_bytes, foreign, later, cut])
def test_an_archive_that_is_refused_is_closed(
    path: Path, before: set[CountedConnection], harm: Callable[[Path], None], write: bool
) -> None:
    harm(path)
    with pytest.raises(MigrateError):
        Archive.open(path, write=write)
    assert left_open(before) == 0


def test_what_every_thread_was_given_is_closed(path: Path, before: set[CountedConnection]) -> None:
    with Archive.open(path) as archive:
        conns = ThreadLocalConnection(archive.open_read_connection)
        assert conns.execute("SELECT count(*) FROM snapshots").fetchone() == (1,)
        conns.close()
    assert left_open(before) == 0


def test_an_archive_is_closed_where_the_work_on_it_fails(path: Path, before: set[CountedConnection]) -> None:
    with pytest.raises(KeyboardInterrupt), Archive.open(path, write=True):
        raise KeyboardInterrupt
    assert left_open(before) == 0
    assert not path.with_name("estate.db.lock").exists()


def used_by_another_thread(archive: Archive) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: archive.conn.execute("SELECT 1").fetchone()).result()


def test_a_connection_that_another_thread_uses_is_seen(path: Path) -> None:
    """In an apply, a worker read through the connection of the writer, which caused a deadlock."""
    with Archive.open(path) as archive:
        with pytest.raises(AssertionError, match="another thread"):
            used_by_another_thread(archive)
        assert len(CountedConnection.shared) == 1
        CountedConnection.shared.clear()


def test_another_thread_may_use_it_with_the_lock(path: Path) -> None:
    def read(archive: Archive) -> object:
        with archive.lock:
            return archive.conn.execute("SELECT 1").fetchone()

    with Archive.open(path) as archive, ThreadPoolExecutor(1) as pool:
        assert pool.submit(read, archive).result() == (1,)
