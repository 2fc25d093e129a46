"""Connections for SQL statements: a single one, or one for each thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

_ValueT = TypeVar("_ValueT", int, str)


class SqlConnection(Protocol):
    """Anything that runs SQL: `sqlite3.Connection` or `ThreadLocalConnection`."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> sqlite3.Cursor:
        """Run a statement."""


def first_value(conn: SqlConnection, sql: str, parameters: Sequence[Any], default: _ValueT) -> _ValueT:
    """The first column of the first row, of the type of `default`, which is returned where there is no
    row."""
    row = conn.execute(sql, parameters).fetchone()
    return default if row is None else type(default)(row[0])


class ThreadLocalConnection:
    """Gives each thread a connection of its own, opened when the thread first needs it. Close it when the
    threads have ended."""

    def __init__(self, open_connection: Callable[[], sqlite3.Connection]) -> None:
        self._open_connection = open_connection
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:
        """Run a statement on the connection of this thread."""
        conn: sqlite3.Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = self._local.conn = self._open_connection()
            with self._lock:
                self._opened.append(conn)
        return conn.execute(sql, parameters)

    def close(self) -> None:
        """Close the connections of all threads."""
        for conn in self._opened:
            conn.close()
