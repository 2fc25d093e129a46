"""One archive read by many threads: a connection for each, opened when it first asks.

A connection shared by threads is no option: the statements of one are used up by another, which newer
Pythons answer with an error.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

from migrate.archive.database import Archive


class PerThread:
    """Answers each thread through a connection of its own. Close it when the threads are done."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:
        """Run a statement on this thread's connection."""
        conn: sqlite3.Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = self._local.conn = self._archive.another()
            with self._lock:
                self._opened.append(conn)
        return conn.execute(sql, parameters)

    def close(self) -> None:
        """Close every thread's connection."""
        for conn in self._opened:
            conn.close()
