"""Store bodies and return their numbers: each body once, packed with its neighbours of the same kind.

A pack may hold bodies of many listings: small listings would not compress by themselves. The one that is
being filled is written with every commit and once more when it has grown.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.archive.packs.reader import BODIES_PER_PACK, BodyReader, Pack

if TYPE_CHECKING:
    from migrate.archive.packs.rows import BodyRow

# Bytes after which a pack is closed: larger ones hardly compress better, and reading one body unpacks all of
# them.
FULL_PACK_BYTES = 1 << 15
MAX_KEYS_PER_QUERY = 500
# Keys that are held at most: a merge is one transaction, however large.
MAX_PENDING_KEYS = 20_000


@dataclass
class _OpenPack:
    """A pack that is being filled."""

    id: int
    kind: str
    bodies: list[bytes] = field(default_factory=list)
    size: int = 0
    changed: bool = True


class PackWriter:
    """Stores bodies. What it was given is in the archive after `flush`, which every commit calls."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.added = 0
        self._conn = conn
        self.bodies = BodyReader(conn)
        """Reads what was written; nothing in it outlives a transaction that failed."""
        self._open: dict[str, _OpenPack] = {}
        self._known: list[tuple[int, int]] = []
        """Keys and numbers that are not written yet."""
        self._numbers: dict[int, list[int]] = {}
        """The same, by key."""
        self._last = 0

    def numbers(self, kind: str, rows: Sequence[BodyRow]) -> list[int]:
        """The numbers of these bodies, in order; what is there already keeps its number."""
        held = self._held(kind, rows)
        fresh = {row.sha: row for row in rows if row.sha not in held}
        for row, number in zip(fresh.values(), self._put(kind, list(fresh.values())), strict=True):
            held[row.sha] = number
            self._known.append((row.key, number))
            self._numbers.setdefault(row.key, []).append(number)
        if len(self._known) >= MAX_PENDING_KEYS:
            self._write_known()
        self.added += len(fresh)
        return [held[row.sha] for row in rows]

    def flush(self) -> None:
        """Write what is not written yet."""
        for pack in self._open.values():
            if pack.changed:
                self._write(pack)
        self._write_known()

    def close(self) -> None:
        """Write what is not written yet, and put nothing more into the packs that there are."""
        self.flush()
        self.reset()

    def reset(self) -> None:
        """Forget what was not committed."""
        self._open.clear()
        self._known.clear()
        self._numbers.clear()
        self.bodies = BodyReader(self._conn)
        self._last = 0

    def _write_known(self) -> None:
        """In order: neighbours in the index are written together."""
        if self._known:
            self._conn.executemany("INSERT INTO known VALUES (?, ?)", sorted(self._known))
            self._known.clear()
            self._numbers.clear()

    def _held(self, kind: str, rows: Sequence[BodyRow]) -> dict[bytes, int]:
        """Hash -> number of those that are there. Equal keys are a hint; equal text is what counts."""
        wanted = {row.key: row for row in rows}
        found = {
            row.sha: number
            for key, number in (*self._stored(list(wanted)), *self._unwritten(wanted))
            if self._read(number) == (kind, (row := wanted[key]).body)
        }
        if len(wanted) < len(rows):  # several of one key: of one body, or by chance
            rest = [row for row in rows if row is not wanted[row.key] and row.sha not in found]
            return {**self._held(kind, rest), **found} if rest and len(rest) < len(rows) else found
        return found

    def _stored(self, keys: Sequence[int]) -> Iterable[tuple[int, int]]:
        for start in range(0, len(keys), MAX_KEYS_PER_QUERY):
            some = keys[start : start + MAX_KEYS_PER_QUERY]
            marks = ",".join("?" * len(some))
            rows = self._conn.execute(f"SELECT key, body FROM known WHERE key IN ({marks})", some)
            yield from rows.fetchall()

    def _unwritten(self, keys: Iterable[int]) -> Iterable[tuple[int, int]]:
        numbers = self._numbers
        return [(key, number) for key in keys if key in numbers for number in numbers[key]]

    def _read(self, number: int) -> tuple[str, bytes]:
        pack, place = divmod(number, BODIES_PER_PACK)
        for filling in self._open.values():
            if filling.id == pack:
                return filling.kind, filling.bodies[place]
        kind, text = self.bodies.read(number)
        return kind, text.encode()

    def _put(self, kind: str, rows: Sequence[BodyRow]) -> list[int]:
        """Put bodies behind the others of their kind; their numbers."""
        numbers = []
        filling = self._open.get(kind)
        for row in rows:
            if filling is None:
                filling = self._open[kind] = _OpenPack(self._next(), kind)
            numbers.append(filling.id * BODIES_PER_PACK + len(filling.bodies))
            filling.bodies.append(row.body)
            filling.size += len(row.body)
            filling.changed = True
            if filling.size >= FULL_PACK_BYTES or len(filling.bodies) == BODIES_PER_PACK:
                self._write(self._open.pop(kind))
                filling = None
        return numbers

    def _next(self) -> int:
        self._last = self._last or self._conn.execute("SELECT coalesce(max(id), 0) FROM packs").fetchone()[0]
        self._last += 1
        return self._last

    def _write(self, filling: _OpenPack) -> None:
        pack = Pack.of(filling.kind, filling.bodies)
        self._conn.execute(
            "INSERT INTO packs (id, kind, count, held, size, sha, data) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET count = excluded.count, held = excluded.held, "
            "size = excluded.size, sha = excluded.sha, data = excluded.data",
            (filling.id, filling.kind, pack.count, pack.count, pack.size, pack.sha, pack.data),
        )
        filling.changed = False
