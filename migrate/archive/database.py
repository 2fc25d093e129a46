"""Open an archive: one SQLite file, written by one program at a time. Readers are never blocked."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.archive.lock import WriterLock, disk_full
from migrate.archive.packs import PackWriter
from migrate.archive.schema_check import RESTORE_HINT, check_schema, has_current_schema
from migrate.archive.schema_steps import APPLICATION_ID, applied_steps, is_readable_schema
from migrate.archive.sqlite_file import (
    SIDE_FILE_ENDINGS,
    SQLITE_MAGIC,
    check_side_files,
    check_sqlite_magic,
    is_full_error,
    is_read_only_error,
    open_connection,
    open_for_reading,
    open_for_writing,
    resolve_archive_path,
    trust_schema,
)
from migrate.errors import ArchiveBusy, ArchiveDamaged, BadUsage, OperationRefused
from migrate.files.output import DISK_FULL_ERRNOS
from migrate.model.input_limits import JSONTooDeep


@contextmanager
def translate_damage(path: Path) -> Iterator[None]:
    """Raise `ArchiveDamaged` where a page, a text or a body is not what was written, and `DiskFull` where
    there is no space for what SQLite sorts."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if is_full_error(error):
            raise disk_full(path, str(error)) from None
        raise ArchiveDamaged(f"{path} is damaged", str(error), repair_hint(path)) from None
    except json.JSONDecodeError as error:
        raise ArchiveDamaged(
            f"{path} is damaged", f"a body is not JSON: {error}", repair_hint(path)
        ) from None
    except (JSONTooDeep, RecursionError):
        raise ArchiveDamaged(
            f"{path} cannot be read", "a body is nested too deeply", repair_hint(path)
        ) from None


def repair_hint(path: Path) -> str:
    """What to do next where an archive is damaged."""
    return f"find what is damaged: check {path}; or restore it from a copy"


# Pages in the write-ahead log before they are written to the file, and KiB of cached pages. Every commit
# changes the same pages of the index of keys: with these numbers they are written to the file once and not
# four times.
WAL_PAGES = 4_000
# Messages of SQLite after a flipped byte in the head of a file or in a text. They read like errors of a
# program.
DAMAGE_MESSAGES = ("unsupported file format", "Could not decode")


class Archive:
    """An open archive. `conn` belongs to the thread that opened it. Other threads read through
    `open_read_connection`; where they must use `conn`, they hold `lock`, and the opening thread holds it too.

    `rollbacks` counts failed transactions: after one, caches of their content are invalid.
    """

    def __init__(
        self, path: Path, conn: sqlite3.Connection, lock: WriterLock | None, immutable: bool = False
    ) -> None:
        self.path = path
        self.conn = conn
        self._lock = lock
        self._immutable = immutable
        self._in_single_transaction = False
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.packer = PackWriter(conn)
        # Without it two threads can deadlock: one runs a statement that calls `row_hash`
        # and needs the interpreter lock of Python, the other has it and needs the connection (it was
        # seen in an apply).
        self.lock = threading.RLock()
        self.rollbacks = 0

    @classmethod
    def open(
        cls, path: Path, *, write: bool = False, create: bool = False, ignore_index: bool = False
    ) -> Archive:
        """Open an archive. When it is opened for writing, its schema is upgraded. `ignore_index`: also one
        whose full-text index is damaged, to remove it.

        Raises `BadUsage` (no such file, or it cannot be written), `ArchiveDamaged` (not an archive, or it has
        tables of others), `ArchiveTooNew`, `ArchiveBusy` (another writer).
        """
        path = resolve_archive_path(path)
        if not path.exists():
            if not create:
                raise BadUsage(f"there is no archive {path}", todo=f"create one: snapshot ESTATE -o {path}")
            _create(path)
        check_sqlite_magic(path)
        check_side_files(path)
        lock = WriterLock.acquire(path) if write else None
        conn: sqlite3.Connection | None = None
        immutable = False
        try:
            with translate_sqlite_errors(path):
                if write:
                    conn = open_for_writing(path)
                else:
                    conn, immutable = open_for_reading(path)
                _check_application_id(conn, path, write)
                check_schema(conn, path, ignore_index)
                trust_schema(conn)
                _prepare(conn, write)
                _ensure_current_schema(conn, path, write)
        except BaseException:
            if conn:
                conn.close()
            if lock:
                lock.release()
            raise
        return cls(path, conn, lock, immutable)

    @classmethod
    def temporary(cls) -> Archive:
        """An archive that is deleted when closed: a live estate is read into it to be compared."""
        folder = tempfile.TemporaryDirectory(prefix="assistants-migrate-")
        try:
            archive = cls.open(Path(folder.name) / "estate.db", write=True, create=True)
        except BaseException:
            folder.cleanup()
            raise
        archive._folder = folder
        return archive

    def open_read_connection(self, with_temporary_tables: bool = False) -> sqlite3.Connection:
        """Another connection for reading, for another thread."""
        conn = open_connection(self.path, self._immutable)
        try:
            trust_schema(conn)
            _prepare(conn, write=False)
            # 128 KiB and not SQLite's 2 MB: there may be many connections, and a pack is rarely read twice.
            conn.execute("PRAGMA cache_size = -128")
            if with_temporary_tables:
                conn.execute("PRAGMA query_only = OFF")  # it refuses these tables too
        except BaseException:
            conn.close()
            raise
        return conn

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction, rolled back when it fails. Inside `single_transaction` it is part of that one.
        Raises `DiskFull` where the disk is full."""
        if self._in_single_transaction:
            yield self.conn
            return
        with translate_sqlite_errors(self.path):
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
        """Several transactions of this thread as one: all of them are committed, or none. Fewer commits write
        the pages of the indices less often."""
        with self.transaction():
            self._in_single_transaction = True
            try:
                yield
            finally:
                self._in_single_transaction = False

    def size_bytes(self) -> int:
        """The size of the file when everything is written to it."""
        pages, page_bytes = self.conn.execute(
            "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()
        return int(pages) * int(page_bytes)

    def close(self) -> None:
        """Close, write the write-ahead log into the file, and let the next writer start."""
        try:
            if self._lock:
                with contextlib.suppress(sqlite3.Error):
                    self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:  # also when Ctrl-C interrupts it
            with self.lock:  # closed under a statement of another thread, SQLite keeps its files, or crashes
                self.conn.close()
            if self._lock:
                self._lock.release()
            if self._folder:
                self._folder.cleanup()

    def delete(self) -> None:
        """Close, and remove the file. The lock of the writer is kept until then, so that no other program
        writes into a file that is being removed."""
        try:
            self.conn.close()
            for ending in ("", *SIDE_FILE_ENDINGS):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        finally:
            if self._lock:
                self._lock.release()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def check_not_an_archive(path: Path) -> None:
    """Raise `OperationRefused` before a report would overwrite an archive, which may be the only copy."""
    with contextlib.suppress(OSError, ValueError):
        if not path.is_file():  # opening a pipe would wait for its writer
            return
        with path.open("rb") as file:
            head = file.read(16)
        if head == SQLITE_MAGIC:
            raise OperationRefused(f"{path} is an archive", "it would be overwritten", "give -o another name")


def _create(path: Path) -> None:
    """Create an empty file that only its owner can read: conversations of other people are stored in it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in DISK_FULL_ERRNOS:
            raise disk_full(path, why) from None
        raise BadUsage(f"cannot create {path}", why, "choose another place") from None


def _check_application_id(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    """Check before anything is set: a database of another program must not be changed."""
    is_empty = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    is_archive = conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if not is_archive and not (is_empty and write):
        raise ArchiveDamaged(
            f"{path} is not an archive",
            "it is another SQLite database",
            "give the file that `snapshot` wrote",
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


def _ensure_current_schema(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    if not (has_current_schema(conn) if write else is_readable_schema(applied_steps(conn))):
        # Only here: importing sqlite-utils takes longer than listing a small archive.
        from migrate.archive.schema import upgrade_schema

        upgrade_schema(conn, path, write)
    if write:
        conn.execute("DELETE FROM blobs WHERE sha IS NULL")  # half-written when a program was killed


@contextlib.contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Raise this program's errors instead of SQLite's."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.OperationalError as error:
        raise _translate_operational_error(path, error) from None
    except (
        sqlite3.DatabaseError,
        UnicodeDecodeError,
    ) as error:  # a message may quote bytes of a damaged table
        raise ArchiveDamaged(f"{path} is damaged", str(error), RESTORE_HINT) from None


def _translate_operational_error(path: Path, error: sqlite3.OperationalError) -> Exception:
    text = str(error)
    if is_full_error(error) or "disk I/O" in text:
        return disk_full(path, text)
    if any(words in text for words in DAMAGE_MESSAGES):
        return ArchiveDamaged(f"{path} is damaged", text, RESTORE_HINT)
    if is_read_only_error(error):
        return BadUsage(
            f"cannot write {path}",
            f"{text}: the file or its folder may not be written",
            "give an archive in a folder where you can write, or change the permissions",
        )
    if "locked" in text:
        return ArchiveBusy(
            f"{path} is being written by another program",
            text,
            "wait until it ends, then run the same command again",
        )
    return error
