"""Each thread reads an archive through its own connection."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from migrate.archive import Archive
from migrate.archive.connections import ThreadLocalConnection


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
