"""Connections for a program that reads an archive for hours, from several threads: pages in a browser.

A connection is lent for one request, and sees one state of the archive during it. SQLite's write-ahead log
lets it do so while another program writes. A file that was put in the place of the archive is opened again,
with all checks: pages of two files must not be mixed.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from migrate.archive.database import Archive, translate_damage
from migrate.errors import ArchiveBusy, ArchiveDamaged, ArchiveTooNew, BadUsage

# Seconds after which a thread that waits for a connection checks whether the file was replaced.
RECHECK_S = 1.0
# Seconds that `close` waits for connections that are lent. SQLite removes its two files beside the archive
# when the last connection is closed, and a program that ends before that leaves them behind.
RETURN_S = 2.0
# Device and number of the file, and a number that SQLite changes when another program writes.
ArchiveVersion = tuple[int, int, int]


class ReadConnections:
    """A fixed number of connections that cannot write (`query_only`). Close it when no request is being
    answered. Raises what `Archive.open` raises, also later: where the file was replaced by something else."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self._size = path, size
        self._lock = threading.Lock()
        self._opened = _OpenedFile(path, size)

    @contextlib.contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread. What it reads does not change until it is returned. Raises
        `ArchiveDamaged` where something that was read is not what was written."""
        opened = self._current()
        conn = opened.take()
        try:
            with translate_damage(self.path):
                conn.execute("BEGIN")
                yield conn
        except ArchiveDamaged:
            # SQLite remembers pages that it read, and they may have been wrong only once.
            opened.is_distrusted = True
            raise
        finally:
            with contextlib.suppress(sqlite3.Error):
                conn.execute("ROLLBACK")
            opened.give_back(conn)

    @contextlib.contextmanager
    def open_separate(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for a long task. It sees what is written meanwhile: a writer must not wait
        for the task to shorten its log."""
        archive = self._current().archive
        with contextlib.closing(archive.open_read_connection()) as conn, translate_damage(self.path):
            yield conn

    def version(self) -> ArchiveVersion:
        """Changes when another program has written to the archive, or replaced it."""
        return self._current().version()

    def size_bytes(self) -> int:
        """The size of the archive's file."""
        return self._current().archive.path.stat().st_size

    def close(self) -> None:
        """Close all connections; waits for those that are lent, but not for long."""
        self._opened.close()
        self._opened.wait_for_lent(RETURN_S)

    def _current(self) -> _OpenedFile:
        with self._lock:
            if self._opened.is_replaced() or self._opened.is_distrusted:
                replacement = self._open_anew()
                if replacement is not self._opened:
                    self._opened.close()
                    self._opened = replacement
            return self._opened

    def _open_anew(self) -> _OpenedFile:
        """The file that has the name now. Raises `ArchiveBusy` where that is no archive: it may be one soon,
        and no request is wrong because of it."""
        try:
            return _OpenedFile(self.path, self._size)
        except (ArchiveDamaged, ArchiveTooNew):
            if self._opened.is_replaced():
                raise
            self._opened.is_distrusted = False  # the same file: what can be read of it is read
            return self._opened
        except BadUsage as error:
            raise ArchiveBusy(error.what, error.why, error.todo or "put the archive back") from None


class _OpenedFile:
    """One file, with the connections to it."""

    def __init__(self, path: Path, size: int) -> None:
        self.archive = Archive.open(path)
        self._lock = threading.Lock()
        self._free: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._lent = 0
        self._returned = threading.Condition(self._lock)
        self._is_closed = self.is_distrusted = False
        self._path, self._identity = path, _identity(path)
        try:
            for _ in range(size):
                self._free.put(self.archive.open_read_connection())
        except BaseException:
            self.close()
            raise

    def is_replaced(self) -> bool:
        """Whether another file has its name now, or none."""
        return _identity(self._path) != self._identity

    def version(self) -> ArchiveVersion:
        """See `ReadConnections.version`."""
        with self.archive.lock, translate_damage(self._path):
            row = self.archive.conn.execute("PRAGMA data_version").fetchone()
        return (*self._identity, int(row[0]))

    def take(self) -> sqlite3.Connection:
        """A connection that is free; waits for one."""
        with self._lock:
            self._lent += 1
        try:
            while True:
                try:
                    return self._free.get(timeout=RECHECK_S)
                except queue.Empty:
                    if self._is_closed:
                        raise ArchiveBusy(
                            f"{self._path} was replaced", "another file has its name", "ask again"
                        ) from None
        except BaseException:
            self._count_return()
            raise

    def give_back(self, conn: sqlite3.Connection) -> None:
        """Make a connection free, or close it where the file was replaced."""
        with self._lock:
            is_free = not self._is_closed
            if is_free:
                self._free.put(conn)
        if not is_free:
            conn.close()
        self._count_return()

    def wait_for_lent(self, timeout_s: float) -> None:
        """Wait until every connection that was lent is given back, but not longer than so many seconds."""
        with self._lock:
            self._returned.wait_for(lambda: not self._lent, timeout_s)

    def _count_return(self) -> None:
        with self._lock:
            self._lent -= 1
            self._returned.notify_all()

    def close(self) -> None:
        """Close the connections that are not lent; the others are closed when they are given back."""
        with self._lock:
            self._is_closed = True
            while not self._free.empty():
                self._free.get().close()
            self.archive.close()


def _identity(path: Path) -> tuple[int, int]:
    """Device and number of a file; zeros where there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino
