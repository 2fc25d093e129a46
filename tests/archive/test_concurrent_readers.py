"""Each thread reads an archive through its own connection."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from migrate.archive import Archive
from migrate.archive.connections import ThreadLocalConnection
from tests.archive.filling import filled


def test_threads_do_not_share_a_connection(archive: Archive) -> None:
    asked = ThreadLocalConnection(archive.open_read_connection)
    meet = threading.Barrier(3)

    def ask(_: int) -> int:
        meet.wait(10)
        connections = {id(asked.execute("SELECT 1").connection) for _ in range(3)}
        meet.wait(10)
        (one,) = connections
        return one

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(ask, range(3)))) == 3
    asked.close()


def test_it_is_not_closed_under_a_statement_of_another_thread(tmp_path: Path) -> None:
    filled(tmp_path / "a.db")
    archive = Archive.open(tmp_path / "a.db")
    with archive.lock:
        closer = threading.Thread(target=archive.close)
        closer.start()
        closer.join(0.05)
        assert closer.is_alive()
        assert archive.conn.execute("SELECT 1").fetchone() == (1,)
    closer.join(10)
    assert not closer.is_alive()
