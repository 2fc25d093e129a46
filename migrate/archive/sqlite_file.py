"""Open the SQLite file of an archive: a regular file, by its real name, with no link in the place of SQLite's
own files beside it.

SQLite's write-ahead log needs a file beside the archive even for reading. So an archive in a folder that
cannot be written is opened as `immutable`, for reading only; a writer gets an error.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from pathlib import Path

from migrate.archive.lock import name_is_taken
from migrate.archive.packs import register_sql_functions
from migrate.errors import ArchiveDamaged, BadUsage, DiskFull
from migrate.files.output import STDOUT_PATH

SQLITE_MAGIC = b"SQLite format 3\x00"
# Endings of the files that SQLite creates beside an archive.
SIDE_FILE_ENDINGS = ("-wal", "-shm", "-journal")
# Messages of SQLite where it may not write a file, or not create one beside it.
READ_ONLY_MESSAGES = ("readonly", "unable to open", "read-only")
# Bytes of one value: SQLite's default, set here because SQLite may be built with a larger limit.
MAX_VALUE_BYTES = 1 << 30


def resolve_archive_path(path: Path) -> Path:
    """The real file behind links: its lock and its log are beside it, whatever name it was opened by.

    Raises `BadUsage` for anything but a regular file: a folder, a pipe, a device, standard output.
    """
    if path == STDOUT_PATH:
        why = "a database is read and written in any order"
        raise BadUsage(
            "an archive cannot be standard output or standard input", why, "name a file: estate.db"
        )
    try:
        real_path = Path(os.path.realpath(path))
        mode = real_path.stat().st_mode
    except FileNotFoundError:
        return real_path
    except (OSError, ValueError) as error:
        raise BadUsage(
            f"cannot read {path}", getattr(error, "strerror", "") or str(error), "give another file"
        ) from None
    if not stat.S_ISREG(mode):
        raise BadUsage(
            f"{path} is not an archive",
            f"it is {_describe_mode(mode)}",
            "give the file that `snapshot -o` wrote",
        )
    return real_path


def _describe_mode(mode: int) -> str:
    types = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return types.get(stat.S_IFMT(mode), "not a regular file")


def check_sqlite_magic(path: Path) -> None:
    """Raise `ArchiveDamaged` for a file that is not an SQLite database. An empty file may become an
    archive."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise BadUsage(
            f"cannot read {path}", error.strerror or str(error), "give a file that you may read"
        ) from None
    if head and head != SQLITE_MAGIC:
        raise ArchiveDamaged(
            f"{path} is not an archive", "it is not an SQLite file", "give the file that `snapshot -o` wrote"
        )


def check_side_files(path: Path) -> None:
    """Raise `BadUsage` where SQLite would follow a link beside the archive."""
    for ending in SIDE_FILE_ENDINGS:
        side_file = path.with_name(path.name + ending)
        try:
            mode = side_file.lstat().st_mode
        except OSError:
            continue
        if not stat.S_ISREG(mode):
            raise name_is_taken(side_file, "SQLite creates a file of that name beside the archive")


def open_connection(path: Path, immutable: bool = False) -> sqlite3.Connection:
    """A connection on which SQL in the file itself may call no functions, until `trust_schema` is called."""
    if immutable:
        conn = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro&immutable=1",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
    else:
        conn = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        conn.execute("PRAGMA trusted_schema = OFF")
        conn.execute("PRAGMA cell_size_check = ON")
        if sys.version_info >= (3, 11):
            conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        register_sql_functions(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def trust_schema(conn: sqlite3.Connection) -> None:
    """Let views call functions, after the schema was checked."""
    conn.execute("PRAGMA trusted_schema = ON")


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open for writing. Raises `BadUsage` before SQLite creates files beside an archive that may not be
    written."""
    if not _may_be_written(path):
        raise BadUsage(
            f"cannot write {path}",
            "the file is read-only",
            "give an archive that you may write, or change the permissions",
        )
    return open_connection(path)


def _may_be_written(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def open_for_reading(path: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection, and whether it is immutable because nothing can be written beside the file.

    Raises `DiskFull`, and `BadUsage` where that would hide what a writer left in its log.
    """
    if _may_be_written(path):
        conn = open_connection(path)
        try:
            conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return conn, False
        except sqlite3.OperationalError as error:
            conn.close()
            if is_full_error(error) or "disk I/O" in str(error):
                raise DiskFull(
                    f"{path} cannot be opened",
                    f"{error}: SQLite needs 32 KiB beside an archive, also for reading",
                    "free some space, or copy the archive to another disk",
                ) from None
            if not is_read_only_error(error):
                raise
        except BaseException:
            conn.close()
            raise
    _check_no_log(path)
    return open_connection(path, immutable=True), True


def is_full_error(error: sqlite3.Error) -> bool:
    """Whether the disk is full: that of the file, or that of SQLite's temporary files."""
    return "database or disk is full" in str(error)


def is_read_only_error(error: sqlite3.Error) -> bool:
    """Whether SQLite could not write a file, or not create one."""
    return any(words in str(error) for words in READ_ONLY_MESSAGES)


def _check_no_log(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    try:
        has_content = log.stat().st_size > 0
    except OSError:
        has_content = False
    if has_content:
        raise BadUsage(
            f"{path} cannot be read where it is",
            f"its writer left {log.name} beside it, with content that the file itself does not have, and "
            "nothing can be written in this folder",
            f"copy both files to a folder where you can write, and give the copy of {path.name}",
        )
