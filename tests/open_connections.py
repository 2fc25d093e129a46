"""Which SQLite connections are open, who opened them, and whether two threads used one at the same time."""

from __future__ import annotations

import itertools
import sqlite3
import sys
import threading
import traceback
from functools import wraps
from typing import Any, ClassVar

from migrate.archive.database import Archive

# Maximum number of stack frames that are stored for the opening of a connection.
MAX_FRAMES = 12

_connect = sqlite3.connect


class CountedConnection(sqlite3.Connection):
    """A connection that is listed as long as it is open."""

    open_: ClassVar[dict[CountedConnection, None]] = {}
    # Places where a second thread used a connection at the same time.
    shared: ClassVar[list[str]] = []
    # The lock of the archive that the connection belongs to.
    lock: threading.RLock | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.opened_at = opened_here()
        self._opened_by, self._used_by = threading.get_ident(), 0
        CountedConnection.open_[self] = None

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        other = self._use()
        try:
            return super().execute(*arguments)
        finally:
            self._used_by = other

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        other = self._use()
        try:
            return super().executemany(*arguments)
        finally:
            self._used_by = other

    def _use(self) -> int:
        """Note that this thread runs a statement; returns the thread that was noted before, or 0. SQLite runs
        one statement of a connection at a time. If its SQL calls a Python function, a second thread causes a
        deadlock."""
        me, other = threading.get_ident(), self._used_by
        without_lock = self.lock is not None and me != self._opened_by and not self.lock._is_owned()
        if without_lock or other not in (0, me):
            CountedConnection.shared.append("".join(traceback.format_stack(limit=MAX_FRAMES)))
            raise AssertionError("a connection was used by another thread than its own, without its lock")
        self._used_by = me
        return other

    def close(self) -> None:
        super().close()
        CountedConnection.open_.pop(self, None)


def opened_here() -> list[traceback.FrameSummary]:
    """The calls that open a connection, the innermost at the end. Lines of source are read only when
    shown."""
    frames = itertools.islice(traceback.walk_stack(sys._getframe(2)), MAX_FRAMES)
    found = [
        traceback.FrameSummary(frame.f_code.co_filename, line, frame.f_code.co_name, lookup_line=False)
        for frame, line in frames
    ]
    return found[::-1]


def count_connections() -> None:
    """Make `sqlite3.connect` return counted connections where it is called without a factory."""

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if len(arguments) < 6:  # the sixth is another sort
            options.setdefault("factory", CountedConnection)
        return _connect(*arguments, **options)

    sqlite3.connect = connect
    create = Archive.__init__

    @wraps(create)
    def create_and_note(self: Archive, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        if isinstance(self.conn, CountedConnection):
            self.conn.lock = self.lock

    Archive.__init__ = create_and_note
