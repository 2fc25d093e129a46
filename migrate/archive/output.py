"""The archive that a merge writes: one that is there, or a new one that is there only when it is whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.archive.database import Archive
from migrate.archive.lock import WriterLock
from migrate.archive.sqlite_file import real
from migrate.errors import Refused
from migrate.files.output import sync_folder, told

MAX_PREFIX_CHARS = 60  # names of files are limited to 255 bytes


@contextmanager
def output(path: Path) -> Iterator[Archive]:
    """An archive to merge into. A new one is written beside its place and put there at the end."""
    path = real(path)
    if path.exists():
        with Archive.open(path, write=True) as archive:
            yield archive
        return
    lock = WriterLock.take(path)
    folder: Path | None = None
    try:
        with told(path):
            folder = _new_folder(path)
        unfinished = folder / "archive.db"
        with Archive.open(unfinished, write=True, create=True) as archive:
            # Nobody else sees this file: when the program is killed it is thrown away.
            archive.conn.execute("PRAGMA synchronous = OFF")
            archive.conn.execute("PRAGMA journal_mode = OFF")
            yield archive
            archive.conn.execute("PRAGMA journal_mode = WAL")
        _put(unfinished, path)
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _new_folder(path: Path) -> Path:
    """A folder beside `path`, of a random name, that nobody else can look into. Those that killed merges
    into the same archive left behind are removed: the lock on it is held."""
    prefix = f".{path.name[:MAX_PREFIX_CHARS]}.merging-"
    for entry in os.scandir(path.parent):
        if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))


def _put(unfinished: Path, path: Path) -> None:
    handle = os.open(unfinished, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if path.exists():
        raise Refused(f"{path} was made by another program meanwhile", todo="run the same merge again")
    with told(path):
        unfinished.replace(path)
        sync_folder(path.parent)
