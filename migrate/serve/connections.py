"""What pages and the API read: estates, snapshots and connections of one archive."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from migrate.archive.connections import SqlConnection
from migrate.archive.pack_cache import PackCache
from migrate.archive.read_connections import ArchiveVersion, ReadConnections
from migrate.archive.snapshots.reader import (
    NoSuchSnapshot,
    SnapshotReader,
    endpoint_numbers,
    list_snapshots,
    newest_unfiltered,
    no_such_snapshot,
)
from migrate.model.results.archive import SnapshotInfo

# Requests that worker threads answer at the same time; each has a connection.
WORKER_THREADS = 8
# One more for the short requests of the API, which need no thread: it never waits for one.
CONNECTIONS = WORKER_THREADS + 1
# Results that are kept until the archive changes.
MAX_KEPT_RESULTS = 64
# Bytes of unpacked bodies that all requests share.
MAX_SHARED_BYTES = 1 << 22

_T = TypeVar("_T")


@dataclass(frozen=True)
class ServedEstate:
    """One estate of an archive. `number`: of its endpoint, which stays the same in this archive.
    `snapshots`: oldest first. `shown`: the snapshot that is shown unless another one is asked for."""

    number: int
    type: str
    url: str
    snapshots: tuple[SnapshotInfo, ...]
    shown: SnapshotInfo


class ArchiveAccess:
    """Read access to one archive for several threads. `path`: of the archive. `chosen`: the number of the
    snapshot that the user gave, which is then the one shown of its estate. Close it at the end."""

    def __init__(self, path: Path, chosen: int | None = None, connections: int = CONNECTIONS) -> None:
        self.path, self.chosen = path, chosen
        self._connections = ReadConnections(path, connections)
        self._remembered: OrderedDict[Hashable, Any] = OrderedDict()
        self._remembered_of: ArchiveVersion | None = None
        self._packs = PackCache(MAX_SHARED_BYTES)
        self._lock = threading.Lock()

    def estates(self) -> tuple[ServedEstate, ...]:
        """Every estate with a snapshot, in the order in which they came into the archive."""
        return self.remember("estates", self._read_estates)

    def snapshot_info(self, number: int) -> SnapshotInfo:
        """The snapshot of a number. Raises `NoSuchSnapshot`."""
        for estate in self.estates():
            for info in estate.snapshots:
                if info.id == number:
                    return info
        raise no_such_snapshot(number)

    def first_shown(self) -> SnapshotInfo:
        """The snapshot that is shown of the first estate. Raises `NoSuchSnapshot` where all were removed."""
        for estate in self.estates():
            return estate.shown
        name = self.path.name
        raise NoSuchSnapshot(f"{name} contains no snapshot", todo=f"take one: snapshot ESTATE -o {name}")

    def estate_of(self, snapshot: SnapshotInfo) -> ServedEstate:
        """The estate of a snapshot. Raises `NoSuchSnapshot`."""
        for estate in self.estates():
            if (estate.type, estate.url) == (snapshot.type, snapshot.url):
                return estate
        raise no_such_snapshot(snapshot.id)

    @contextlib.contextmanager
    def reader(self, snapshot: int | None = None) -> Iterator[SnapshotReader]:
        """A reader for one thread, for the time of one request: of a snapshot by its number, else of the one
        that is shown first. Raises `NoSuchSnapshot`, and `ArchiveDamaged` where what is read is not what was
        written."""
        info = self.first_shown() if snapshot is None else self.snapshot_info(snapshot)
        with self.reader_of(info) as reader:
            yield reader

    @contextlib.contextmanager
    def reader_of(self, info: SnapshotInfo, packs: PackCache | None = None) -> Iterator[SnapshotReader]:
        """A reader of a snapshot that was found just now, for one thread, for the time of one request.
        `packs`: in place of those that all requests share. Raises `NoSuchSnapshot`."""
        with self.connection() as conn:
            yield SnapshotReader(conn, info, self._packs if packs is None else packs)

    def connection(self) -> contextlib.AbstractContextManager[SqlConnection]:
        """A connection for one thread, for the time of one request, that cannot write."""
        return self._connections.lend()

    def separate_connection(self) -> contextlib.AbstractContextManager[SqlConnection]:
        """A connection that cannot write, for a task that takes longer than a request."""
        return self._connections.open_separate()

    def remember(self, key: Hashable, compute: Callable[[], _T]) -> _T:
        """The result of a function, kept until the archive changes. It must not be large."""
        version = self._connections.version()
        with self._lock:
            if version != self._remembered_of:
                self._remembered.clear()
                self._remembered_of = version
            if key in self._remembered:
                self._remembered.move_to_end(key)
                known: _T = self._remembered[key]
                return known
        result = compute()
        with self._lock:
            if version == self._remembered_of:
                self._remembered[key] = result
                while len(self._remembered) > MAX_KEPT_RESULTS:
                    self._remembered.popitem(last=False)
        return result

    def version(self) -> ArchiveVersion:
        """Changes when the archive was written."""
        return self._connections.version()

    def size_bytes(self) -> int:
        """The size of the archive's file."""
        return self._connections.size_bytes()

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def __enter__(self) -> ArchiveAccess:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _read_estates(self) -> tuple[ServedEstate, ...]:
        by_side: dict[tuple[str, str], list[SnapshotInfo]] = {}
        with self.connection() as conn:
            numbers = endpoint_numbers(conn)
            for info in list_snapshots(conn):
                by_side.setdefault((info.type, info.url), []).append(info)
        return tuple(
            ServedEstate(numbers[side], *side, tuple(infos), self._choose(infos))
            for side, infos in sorted(by_side.items(), key=lambda row: numbers[row[0]])
        )

    def _choose(self, infos: list[SnapshotInfo]) -> SnapshotInfo:
        """The snapshot that the user gave; else the newest one that was read to its end and not filtered."""
        named = next((info for info in infos if info.id == self.chosen), None)
        return named or newest_unfiltered([info for info in infos if not info.interrupted] or infos)
