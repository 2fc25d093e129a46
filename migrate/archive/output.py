"""The archive that a merge writes: one that is there, or a new one that is there only when it is whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.archive.lock import WriterLock
from migrate.archive.store import Archive
from migrate.errors import BadUsage, Refused


@contextmanager
def output(path: Path) -> Iterator[Archive]:
    """An archive to merge into. A new one is written beside its place and put there at the end."""
    if path.exists():
        with Archive.open(path, write=True) as archive:
            yield archive
        return
    try:
        lock = WriterLock.take(path)
    except OSError as error:
        raise BadUsage(
            f"cannot create {path}", error.strerror or str(error), "choose another place"
        ) from None
    unfinished = path.with_name(f"{path.name}.merging")
    try:
        _remove(unfinished)
        with Archive.open(unfinished, write=True, create=True) as archive:
            # Nobody else sees this file: when the program is killed it is thrown away.
            archive.conn.execute("PRAGMA synchronous = OFF")
            archive.conn.execute("PRAGMA journal_mode = OFF")
            yield archive
            archive.conn.execute("PRAGMA journal_mode = WAL")
        _put(unfinished, path)
    finally:
        _remove(unfinished)
        lock.release()


def _put(unfinished: Path, path: Path) -> None:
    handle = os.open(unfinished, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if path.exists():
        raise Refused(f"{path} was made by another program meanwhile", todo="run the same merge again")
    unfinished.replace(path)


def _remove(unfinished: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            unfinished.with_name(unfinished.name + ending).unlink()
