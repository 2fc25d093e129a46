"""Opens the archive: one SQLite file, one writer at a time, readers never blocked."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from migrate.archive.lock import WriterLock
from migrate.archive.packs import PackWriter
from migrate.archive.schema_check import APPLICATION_ID, check_schema, has_current_schema
from migrate.archive.sqlite_file import (
    SQLITE_MAGIC,
    check_side_files,
    check_sqlite_magic,
    is_read_only_error,
    open_connection,
    open_for_reading,
    open_for_writing,
    resolve_archive_path,
    trust_schema,
)
from migrate.errors import ArchiveBusy, ArchiveDamaged, BadUsage, DiskFull, OperationRefused
from migrate.model.input_limits import JSONTooDeep


@contextmanager
def translate_damage(path: Path) -> Iterator[None]:
    """Raises `ArchiveDamaged` where a page, a text or a body turns out not to be what was written."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ArchiveDamaged(f"{path} is damaged", str(error), _repair_hint(path)) from None
    except json.JSONDecodeError as error:
        raise ArchiveDamaged(
            f"{path} is damaged", f"a body is not JSON: {error}", _repair_hint(path)
        ) from None
    except (JSONTooDeep, RecursionError):
        raise ArchiveDamaged(
            f"{path} cannot be read", "a body is nested too deeply", _repair_hint(path)
        ) from None


def _repair_hint(path: Path) -> str:
    return f"name what is damaged: check {path}; or restore it from a copy"


# Pages in the log before they are folded in, and KiB of pages kept at hand: every commit changes the same
# pages of the index of keys, which so are written to the file once and not four times.
WAL_PAGES = 4_000
# What SQLite says of a flipped byte in a file's head or in a text, as if the program had made a mistake.
DAMAGE_MESSAGES = ("unsupported file format", "Could not decode")


class Archive:
    """An open archive. `conn` belongs to the thread that opened it; other threads call `another()`."""

    def __init__(
        self, path: Path, conn: sqlite3.Connection, lock: WriterLock | None, immutable: bool = False
    ) -> None:
        self.path = path
        self.conn = conn
        self._lock = lock
        self._immutable = immutable
        self._joined = False
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.packer = PackWriter(conn)
        self.rollbacks = 0
        """How many transactions failed: what was known of their content is not so."""

    @classmethod
    def open(cls, path: Path, *, write: bool = False, create: bool = False) -> Archive:
        """Open an archive, bringing its schema up to date when writing.

        Raises `BadUsage` (no such file, none that can be written), `ArchiveDamaged` (not an archive, or not
        only one), `ArchiveTooNew`, `ArchiveBusy` (another writer).
        """
        path = resolve_archive_path(path)
        if not path.exists():
            if not create:
                raise BadUsage(f"there is no archive {path}", todo=f"make one: snapshot ESTATE -o {path}")
            _create(path)
        check_sqlite_magic(path)
        check_side_files(path)
        lock = WriterLock.acquire(path) if write else None
        conn: sqlite3.Connection | None = None
        immutable = False
        try:
            with _translate_sqlite_errors(path):
                if write:
                    conn = open_for_writing(path)
                else:
                    conn, immutable = open_for_reading(path)
                _check_application_id(conn, path, write)
                check_schema(conn, path)
                trust_schema(conn)
                _prepare(conn, write)
                _ensure_newest_schema(conn, path, write)
        except BaseException:
            if conn:
                conn.close()
            if lock:
                lock.release()
            raise
        return cls(path, conn, lock, immutable)

    @classmethod
    def temporary(cls) -> Archive:
        """An archive that vanishes when closed: where a live estate is read to be compared."""
        folder = tempfile.TemporaryDirectory(prefix="assistants-migrate-")
        try:
            archive = cls.open(Path(folder.name) / "estate.db", write=True, create=True)
        except BaseException:
            folder.cleanup()
            raise
        archive._folder = folder
        return archive

    def open_read_connection(self) -> sqlite3.Connection:
        """A further connection for reading, for another thread. There may be many, and a pack is read but
        once: each keeps a few pages, not SQLite's 2 MB."""
        conn = open_connection(self.path, self._immutable)
        try:
            trust_schema(conn)
            _prepare(conn, write=False)
            conn.execute("PRAGMA cache_size = -128")
        except BaseException:
            conn.close()
            raise
        return conn

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction; rolled back when it fails; a full disk raises `DiskFull`. Within
        `single_transaction` it is a part of that one."""
        if self._joined:
            yield self.conn
            return
        with _translate_sqlite_errors(self.path):
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
    def single_transaction(self) -> Iterator[None]:
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
        try:
            if self._lock:
                with contextlib.suppress(sqlite3.Error):
                    self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:  # also where Ctrl-C comes meanwhile
            self.conn.close()
            if self._lock:
                self._lock.release()
            if self._folder:
                self._folder.cleanup()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def check_not_an_archive(path: Path) -> None:
    """Raises `OperationRefused` before a report would take the place of an archive: it may be the only
    copy."""
    with contextlib.suppress(OSError, ValueError):
        if not path.is_file():  # opening a pipe waits for whoever writes to it
            return
        with path.open("rb") as file:
            head = file.read(16)
        if head == SQLITE_MAGIC:
            raise OperationRefused(f"{path} is an archive", "it would be overwritten", "give -o another name")


def _create(path: Path) -> None:
    """An empty file that only its owner can read: it will hold other people's conversations."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BadUsage(
            f"cannot create {path}", error.strerror or str(error), "choose another place"
        ) from None


def _check_application_id(conn: sqlite3.Connection, path: Path, write: bool) -> None:
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
        conn.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        conn.execute(f"PRAGMA cache_size = -{WAL_PAGES}")
    else:
        conn.execute("PRAGMA query_only = ON")


def _ensure_newest_schema(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    if not has_current_schema(conn):
        # Only here: importing sqlite-utils takes longer than listing a small archive.
        from migrate.archive.schema import upgrade_schema

        upgrade_schema(conn, path, write)
    if write:
        conn.execute("DELETE FROM blobs WHERE sha IS NULL")  # half-written when a program was killed


@contextlib.contextmanager
def _translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Raise this program's errors instead of SQLite's."""
    try:
        yield
    except UnicodeDecodeError as error:  # what SQLite says of a damaged table quotes it
        raise ArchiveDamaged(f"{path} is damaged", str(error), "restore it from a copy") from None
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise DiskFull(
                f"{path} cannot grow", str(error), "make room, then run the same command: it continues"
            ) from None
        if any(words in str(error) for words in DAMAGE_MESSAGES):
            raise ArchiveDamaged(f"{path} is damaged", str(error), "restore it from a copy") from None
        if is_read_only_error(error):
            raise BadUsage(
                f"cannot write {path}",
                f"{error}: the file or its folder may not be written",
                "give an archive in a folder where you can write, or change who may",
            ) from None
        if "locked" in str(error):
            raise ArchiveBusy(
                f"{path} is being written by another program",
                str(error),
                "wait until it ends, then run the same command again",
            ) from None
        raise
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise ArchiveDamaged(f"{path} is damaged", str(error), "restore it from a copy") from None


class ThreadLocalConnection:
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
            conn = self._local.conn = self._archive.open_read_connection()
            with self._lock:
                self._opened.append(conn)
        return conn.execute(sql, parameters)

    def close(self) -> None:
        """Close every thread's connection."""
        for conn in self._opened:
            conn.close()
