"""How SQLite is given an archive: a plain file, by its real name, with nothing in the way of its own files.

A file in a folder that cannot be written is read as it is (`immutable`): SQLite's write-ahead log needs a
file beside the archive even for reading. A writer needs that file, and gets an error.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from pathlib import Path

from migrate.archive.packs import register_sql_functions
from migrate.errors import ArchiveDamaged, BadUsage
from migrate.files.output import STDOUT_PATH

SQLITE_MAGIC = b"SQLite format 3\x00"
# Endings of the files that SQLite keeps beside an archive.
SIDE_FILE_ENDINGS = ("-wal", "-shm", "-journal")
# What SQLite says where it may not write a file, or not make one beside it.
READ_ONLY_MESSAGES = ("readonly", "unable to open", "read-only")
# Bytes of one value, as SQLite's own default; one that is built with a larger limit has this one too.
MAX_VALUE_BYTES = 1 << 30


def resolve_archive_path(path: Path) -> Path:
    """The file behind links: its lock and its log lie beside it, whatever name it was opened by.

    Raises `BadUsage` for what is no plain file: a folder, a FIFO, a device, standard output.
    """
    if path == STDOUT_PATH:
        why = "a database is read and written in any order"
        raise BadUsage(
            "an archive cannot be standard output or standard input", why, "name a file: estate.db"
        )
    try:
        found = Path(os.path.realpath(path))
        mode = found.stat().st_mode
    except FileNotFoundError:
        return found
    except (OSError, ValueError) as error:
        raise BadUsage(
            f"cannot read {path}", getattr(error, "strerror", "") or str(error), "give another file"
        ) from None
    if not stat.S_ISREG(mode):
        raise BadUsage(
            f"{path} is not an archive", f"it is {_sort(mode)}", "give the file that `snapshot -o` wrote"
        )
    return found


def _sort(mode: int) -> str:
    sorts = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return sorts.get(stat.S_IFMT(mode), "no plain file")


def check_sqlite_magic(path: Path) -> None:
    """Raises `ArchiveDamaged` for a file that is no SQLite database; an empty one may become an archive."""
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
    """Raises `BadUsage` where SQLite would follow a link that somebody laid beside the archive."""
    for ending in SIDE_FILE_ENDINGS:
        beside = path.with_name(path.name + ending)
        try:
            mode = beside.lstat().st_mode
        except OSError:
            continue
        if not stat.S_ISREG(mode):
            raise BadUsage(
                f"{beside} is in the way",
                "SQLite keeps a file of that name beside the archive; this one is a link or no plain file",
                "look at what it is, then remove it",
            )


def open_connection(path: Path, immutable: bool = False) -> sqlite3.Connection:
    """A connection on which SQL of the file itself may call nothing, until `trust_schema` is called."""
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
    """Let views work, after the schema was checked."""
    conn.execute("PRAGMA trusted_schema = ON")


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Raises `BadUsage` before SQLite makes files beside an archive that may not be written."""
    if not _may_be_written(path):
        raise BadUsage(
            f"cannot write {path}",
            "the file may only be read",
            "give an archive that you may write, or change who may",
        )
    return open_connection(path)


def _may_be_written(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def open_for_reading(path: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection, and whether the file is read as it is because nothing can be written beside it.

    Raises `BadUsage` where that would hide what a writer left in its log.
    """
    if _may_be_written(path):
        conn = open_connection(path)
        try:
            conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return conn, False
        except sqlite3.OperationalError as error:
            conn.close()
            if not is_read_only_error(error):
                raise
        except BaseException:
            conn.close()
            raise
    _must_have_no_log(path)
    return open_connection(path, immutable=True), True


def is_read_only_error(error: sqlite3.Error) -> bool:
    """Whether SQLite could not write a file, or make one."""
    return any(words in str(error) for words in READ_ONLY_MESSAGES)


def _must_have_no_log(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    try:
        filled = log.stat().st_size > 0
    except OSError:
        filled = False
    if filled:
        raise BadUsage(
            f"{path} cannot be read where it is",
            f"its writer left {log.name} beside it, with content that the file itself has not, and nothing "
            "can be written in this folder",
            f"copy both files to a folder where you can write, and give the copy of {path.name}",
        )
