"""Opens the archive: one SQLite file, one writer at a time, readers never blocked."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from migrate.archive.functions import register
from migrate.archive.lock import WriterLock
from migrate.archive.newest import APPLICATION_ID, is_newest
from migrate.archive.packing import Packer
from migrate.errors import ArchiveDamaged, BadUsage, DiskFull, Refused

MAGIC = b"SQLite format 3\x00"
LOGGED = 4_000
"""Pages in the log before they are folded in, and KiB of pages kept at hand: every commit changes the same
pages of the index of keys, which so are written to the file once and not four times."""
NOT_OURS_ANY_MORE = ("unsupported file format", "Could not decode")
"""What SQLite says of a flipped byte in a file's head or in a text, as if the program had made a mistake."""


class Archive:
    """An open archive. `conn` belongs to the thread that opened it; other threads call `another()`."""

    def __init__(self, path: Path, conn: sqlite3.Connection, lock: WriterLock | None) -> None:
        self.path = path
        self.conn = conn
        self._lock = lock
        self._joined = False
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.packer = Packer(conn)
        self.rollbacks = 0
        """How many transactions failed: what was known of their content is not so."""

    @classmethod
    def open(cls, path: Path, *, write: bool = False, create: bool = False) -> Archive:
        """Open an archive, bringing its schema up to date when writing.

        Raises `BadUsage` (no such file), `ArchiveDamaged` (not an archive), `ArchiveTooNew`,
        `ArchiveBusy` (another writer).
        """
        if not path.exists():
            if not create:
                raise BadUsage(f"there is no archive {path}", todo=f"make one: snapshot ESTATE -o {path}")
            _create(path)
        _check_magic(path)
        lock = WriterLock.take(path) if write else None
        conn: sqlite3.Connection | None = None
        try:
            with _told(path):
                conn = _connect(path)
                _must_be_ours(conn, path, write)
                _prepare(conn, write)
                _bring_up_to_date(conn, path, write)
        except BaseException:
            if conn:
                conn.close()
            if lock:
                lock.release()
            raise
        return cls(path, conn, lock)

    @classmethod
    def temporary(cls) -> Archive:
        """An archive that vanishes when closed: where a live estate is read to be compared."""
        folder = tempfile.TemporaryDirectory(prefix="assistants-migrate-")
        archive = cls.open(Path(folder.name) / "estate.db", write=True, create=True)
        archive._folder = folder
        return archive

    def another(self) -> sqlite3.Connection:
        """A further connection for reading, for another thread. There may be many, and a pack is read but
        once: each keeps a few pages, not SQLite's 2 MB."""
        conn = _connect(self.path)
        _prepare(conn, write=False)
        conn.execute("PRAGMA cache_size = -128")
        return conn

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction; rolled back when it fails, with a full disk told as such. Within `joined` it is a
        part of that one."""
        if self._joined:
            yield self.conn
            return
        with _told(self.path):
            self.conn.execute("BEGIN IMMEDIATE")
            try:
                yield self.conn
                self.packer.flush()
                self.conn.execute("COMMIT")
            except BaseException:
                self.rollbacks += 1
                self.packer.reset()
                with contextlib.suppress(sqlite3.Error):
                    self.conn.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Several transactions of this thread as one: all of them happen, or none. Fewer commits write the
        same pages of the indices less often."""
        with self.transaction():
            self._joined = True
            try:
                yield
            finally:
                self._joined = False

    def close(self) -> None:
        """Close, fold the write-ahead log in, and let the next writer start."""
        if self._lock:
            with contextlib.suppress(sqlite3.Error):
                self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.conn.close()
        if self._lock:
            self._lock.release()
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def must_not_be_archive(path: Path) -> None:
    """Raises `Refused` before a report would take the place of an archive: it may be the only copy."""
    with contextlib.suppress(OSError, ValueError):
        if not path.is_file():  # opening a pipe waits for whoever writes to it
            return
        with path.open("rb") as file:
            head = file.read(16)
        if head == MAGIC:
            raise Refused(f"{path} is an archive", "it would be overwritten", "give -o another name")


def _create(path: Path) -> None:
    """An empty file that only its owner can read: it will hold other people's conversations."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BadUsage(
            f"cannot create {path}", error.strerror or str(error), "choose another place"
        ) from None


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise BadUsage(f"cannot read {path}", error.strerror or str(error)) from None
    if head and head != MAGIC:
        raise ArchiveDamaged(
            f"{path} is not an archive", "it is not an SQLite file", "give the file that `snapshot -o` wrote"
        )


def _connect(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    register(conn)
    return conn


def _must_be_ours(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    """Look before anything is set: somebody else's database must stay as it is."""
    empty = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    ours = conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if not ours and not (empty and write):
        raise ArchiveDamaged(
            f"{path} is not an archive", "it is some other SQLite database", "give the file `snapshot` wrote"
        )


def _prepare(conn: sqlite3.Connection, write: bool) -> None:
    conn.execute("PRAGMA foreign_keys = ON")
    if write:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = NORMAL")
        conn.execute(f"PRAGMA wal_autocheckpoint = {LOGGED}")
        conn.execute(f"PRAGMA cache_size = -{LOGGED}")
    else:
        conn.execute("PRAGMA query_only = ON")


def _bring_up_to_date(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    if not is_newest(conn):
        from migrate.archive.upgrading import bring_up_to_date

        bring_up_to_date(conn, path, write)
    if write:
        conn.execute("DELETE FROM blobs WHERE sha IS NULL")  # half-written when a program was killed


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's own errors as ours."""
    try:
        yield
    except UnicodeDecodeError as error:  # what SQLite says of a damaged table quotes it
        raise ArchiveDamaged(f"{path} is damaged", str(error), "restore it from a copy") from None
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise DiskFull(
                f"{path} cannot grow", str(error), "make room, then run the same command: it continues"
            ) from None
        if any(words in str(error) for words in NOT_OURS_ANY_MORE):
            raise ArchiveDamaged(f"{path} is damaged", str(error), "restore it from a copy") from None
        raise
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise ArchiveDamaged(f"{path} is damaged", str(error), "restore it from a copy") from None
