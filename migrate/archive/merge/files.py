"""Archives that are merged in: each opened when it is its turn, read only, and closed again."""

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

from migrate.archive.database import Archive, damage_told
from migrate.archive.lock import WriterLock
from migrate.archive.sqlite_file import real
from migrate.errors import ArchiveDamaged, Refused
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


T = TypeVar("T")


@dataclass(frozen=True)
class Inputs:
    """The files, each once, without the output. There may be thousands: no two are open together."""

    paths: tuple[Path, ...]

    @classmethod
    def of(cls, paths: Iterable[Path], output: Path) -> Inputs:
        """Raises `BadUsage`, `ArchiveDamaged` and `ArchiveTooNew` before anything is written."""
        kept: list[Path] = []
        seen = {_place(output)} if output.exists() else set()
        for path in paths:
            Archive.open(path).close()
            if _place(path) not in seen:
                seen.add(_place(path))
                kept.append(path)
        return cls(tuple(kept))

    def each(self, read: Callable[[int, Archive], T]) -> Iterator[T]:
        """What `read` makes of each input; they are numbered from 1."""
        for number, path in enumerate(self.paths, 1):
            with _whole(path) as archive:
                yield read(number, archive)


@contextmanager
def _whole(path: Path) -> Iterator[Archive]:
    """An archive as it is at one moment, also while another program writes to it."""
    with Archive.open(path) as archive, _told(path):
        archive.conn.execute("BEGIN")
        yield archive
        archive.conn.execute("COMMIT")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Damage of an input, apart from a disk that is full under the output."""
    try:
        with damage_told(path):
            yield
    except ArchiveDamaged as damaged:
        if isinstance(damaged.__context__, sqlite3.OperationalError) and "full" in damaged.why:
            raise damaged.__context__ from None
        raise


def _place(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino
