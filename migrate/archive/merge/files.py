"""Open the output and the inputs of a merge. Inputs are opened one after the other, for reading only."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from migrate.archive.database import Archive, translate_damage
from migrate.archive.lock import WriterLock
from migrate.archive.sqlite_file import resolve_archive_path
from migrate.errors import ArchiveDamaged, OperationRefused
from migrate.files.output import sync_folder, translate_write_errors

MAX_PREFIX_CHARS = 60  # file systems limit names to 255 bytes


@contextmanager
def open_merge_output(path: Path) -> Iterator[Archive]:
    """An archive to merge into. A new one is written beside its final path, and renamed at the end."""
    path = resolve_archive_path(path)
    if path.exists():
        with Archive.open(path, write=True) as archive:
            yield archive
        return
    lock = WriterLock.acquire(path)
    folder: Path | None = None
    try:
        with translate_write_errors(path):
            folder = _new_folder(path)
        unfinished = folder / "archive.db"
        with Archive.open(unfinished, write=True, create=True) as archive:
            # No other program uses this file, and it is removed after a crash.
            archive.conn.execute("PRAGMA synchronous = OFF")
            archive.conn.execute("PRAGMA journal_mode = OFF")
            yield archive
            archive.conn.execute("PRAGMA journal_mode = WAL")
        _publish(unfinished, path)
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _new_folder(path: Path) -> Path:
    """Create a folder beside `path`, with a random name, that only its owner can read. Folders of killed
    merges into the same archive are removed: this program holds the lock of that archive."""
    prefix = f".{path.name[:MAX_PREFIX_CHARS]}.merging-"
    for entry in os.scandir(path.parent):
        if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))


def _publish(unfinished: Path, path: Path) -> None:
    handle = os.open(unfinished, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if path.exists():
        raise OperationRefused(
            f"{path} was created by another program meanwhile", todo="run the same merge again"
        )
    with translate_write_errors(path):
        unfinished.replace(path)
        sync_folder(path.parent)


ReadResult = TypeVar("ReadResult")


@dataclass(frozen=True)
class MergeInputs:
    """The input files, each once, without the output. There may be thousands: only one is open at a time."""

    paths: tuple[Path, ...]

    @classmethod
    def check(cls, paths: Iterable[Path], output: Path) -> MergeInputs:
        """Open each file once. Raises `BadUsage`, `ArchiveDamaged` and `ArchiveTooNew` before anything is
        written."""
        unique: list[Path] = []
        seen = {_file_identity(output)} if output.exists() else set()
        for path in paths:
            Archive.open(path).close()
            if _file_identity(path) not in seen:
                seen.add(_file_identity(path))
                unique.append(path)
        return cls(tuple(unique))

    def read_each(self, read: Callable[[int, Archive], ReadResult]) -> Iterator[ReadResult]:
        """The result of `read` for each input. Inputs are numbered from 1."""
        for number, path in enumerate(self.paths, 1):
            with _open_in_transaction(path) as archive:
                yield read(number, archive)


@contextmanager
def _open_in_transaction(path: Path) -> Iterator[Archive]:
    """Open an archive. Another program may write to it: all reads see the state of one moment."""
    with Archive.open(path) as archive, _translate_input_damage(path):
        archive.conn.execute("BEGIN")
        yield archive
        archive.conn.execute("COMMIT")


@contextmanager
def _translate_input_damage(path: Path) -> Iterator[None]:
    """Raise `ArchiveDamaged` for a damaged input, but not where the disk of the output is full."""
    try:
        with translate_damage(path):
            yield
    except ArchiveDamaged as error:
        if isinstance(error.__context__, sqlite3.OperationalError) and "full" in error.why:
            raise error.__context__ from None
        raise


def _file_identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino
