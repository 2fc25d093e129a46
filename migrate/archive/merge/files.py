"""Archives that are merged in: each opened when it is its turn, read only, and closed again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from migrate.archive.damaged import damage_told
from migrate.archive.database import Archive
from migrate.errors import ArchiveDamaged

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
