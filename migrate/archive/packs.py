"""Read bodies from packs by their number. A pack is a compressed JSON array of bodies of one kind, one a
line.

A body's number is that of its pack and its place in it. Packs are compressed as SQLite's own archives are
(zlib; raw where that is not smaller), so the SQL function `sqlar_uncompress` reads them:
https://sqlite.org/sqlar.html
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.archive.hashes import body_id, body_key_range, body_sha, register_row_hash
from migrate.archive.sql_connection import SqlConnection
from migrate.model.input_limits import MAX_UNPACKED, loads

if TYPE_CHECKING:
    from migrate.archive.bodies import BodyRow

# A body's number is its pack's number times this, plus its place.
BODIES_PER_PACK = 1 << 10
# Of zlib: the highest one makes packs 13 % smaller and takes three times as long.
ZLIB_LEVEL = 1
BODY_SEPARATOR = ",\n"
_SEPARATOR_BYTES = BODY_SEPARATOR.encode()
# Stands in the place of a body that was forgotten, so that its neighbours keep their numbers.
FORGOTTEN_BODY = "null"
# Characters of unpacked bodies that one reader keeps at hand.
MAX_CACHED_CHARS = 1 << 20


class PackDamaged(sqlite3.DatabaseError):
    """A pack is not as it was written. Reported like any other damage of the file."""


@dataclass(frozen=True)
class Pack:
    """A pack as it is stored. `size`: bytes before compressing; `sha`: of these bytes and their kind."""

    count: int
    size: int
    sha: bytes
    data: bytes

    @classmethod
    def of(cls, kind: str, bodies: Sequence[bytes]) -> Pack:
        plain = b"[%s]" % BODY_SEPARATOR.encode().join(bodies)
        return cls(len(bodies), len(plain), pack_sha(kind, plain), compress(plain))


def pack_sha(kind: str, plain: bytes) -> bytes:
    """The hash of an unpacked pack."""
    return hashlib.sha256(kind.encode() + b"\0" + plain).digest()


def compress(plain: bytes) -> bytes:
    """Compressed; as it is where that is not smaller."""
    data = zlib.compress(plain, ZLIB_LEVEL)
    return data if len(data) < len(plain) else plain


def decompress(data: object, size: object) -> bytes:
    """The bytes that `compress` was given, and their number. Raises `PackDamaged`; never unpacks more than
    the number says, nor more than the bound for it."""
    if not isinstance(data, bytes) or not isinstance(size, int | None):
        raise PackDamaged("what was compressed is not what it was")
    if not size or size == len(data):
        return data
    if not 0 < size <= MAX_UNPACKED.maximum:
        raise PackDamaged(f"it was given up: {MAX_UNPACKED.describe()}")
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(data, size + 1)  # so much and no more, whatever the data would give
    except zlib.error as error:
        raise PackDamaged(f"what was compressed cannot be unpacked: {error}") from None
    if len(plain) != size or not unpacking.eof:
        raise PackDamaged("what was compressed has another size than it had")
    return plain


def split_bodies(plain: bytes) -> list[str]:
    """The bodies in an unpacked pack. Raises `PackDamaged`."""
    if plain.count(_SEPARATOR_BYTES) >= BODIES_PER_PACK:
        raise PackDamaged("a pack has more bodies than a pack may have")
    try:
        return [part.decode() for part in plain[1:-1].split(_SEPARATOR_BYTES)]
    except UnicodeDecodeError as error:
        raise PackDamaged(f"a pack is not text: {error}") from None


class BodyReader:
    """Reads bodies; keeps the packs that were used last. May be asked by as many threads as `conn`."""

    def __init__(self, conn: SqlConnection) -> None:
        self._conn = conn
        self._held: OrderedDict[int, tuple[str, list[str]]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def text(self, number: int) -> str:
        """The JSON of a body. Raises `PackDamaged`."""
        return self.read(number)[1]

    def read(self, number: int) -> tuple[str, str]:
        """Kind and JSON of a body. Raises `PackDamaged`."""
        pack, place = divmod(number, BODIES_PER_PACK)
        kind, texts = self.pack(pack, place + 1)
        return kind, texts[place]

    def listing(self, manifest: int, start: int = 0) -> Iterator[tuple[int, str]]:
        """Number and JSON of the bodies of a listing, in order, from a place on."""
        for pack, place, count in self.spans(manifest, start):
            texts = self.pack(pack, place + count)[1]
            for n in range(place, place + count):
                yield pack * BODIES_PER_PACK + n, texts[n]

    def shas(self, manifest: int, start: int = 0) -> Iterator[bytes]:
        """The hashes of the bodies of a listing, in order, from a place on."""
        for pack, place, count in self.spans(manifest, start):
            kind, texts = self.pack(pack, place + count)
            for text in texts[place : place + count]:
                yield body_sha(kind, text.encode())

    def numbers(self, manifest: int) -> Iterator[int]:
        """The numbers of the bodies of a listing, in order; nothing is unpacked."""
        for pack, place, count in self.spans(manifest):
            yield from range(pack * BODIES_PER_PACK + place, pack * BODIES_PER_PACK + place + count)

    def spans(self, manifest: int, start: int = 0) -> Iterator[tuple[int, int, int]]:
        """Pack, first place and count of the parts of a listing, in order, from a place on."""
        rows = self._conn.execute(
            "SELECT ordinal, pack_id, place, count FROM spans WHERE manifest_id = ? AND ordinal + count > ? "
            "ORDER BY ordinal",
            (manifest, start),
        )
        for ordinal, pack, place, count in rows:
            skipped = max(0, start - ordinal)
            yield pack, place + skipped, count - skipped

    def of_id(self, object_id: str) -> Iterator[tuple[int, str, str]]:
        """Number, kind and JSON of every body of an id (see `storable_text`)."""
        rows = self._conn.execute(
            "SELECT body FROM known WHERE key BETWEEN ? AND ? ORDER BY body", body_key_range(object_id)
        ).fetchall()
        for (number,) in rows:
            kind, text = self.read(number)
            if body_id(loads(text)) == object_id:
                yield number, kind, text

    def pack(self, pack: int, places: int) -> tuple[str, list[str]]:
        """Kind and bodies of a pack, of which so many at least must be there."""
        with self._lock:
            held = self._held.get(pack)
            if held and len(held[1]) >= places:
                self._held.move_to_end(pack)
                return held
        row = self._conn.execute("SELECT kind, data, size FROM packs WHERE id = ?", (pack,)).fetchone()
        if row is None:
            raise PackDamaged(f"pack {pack} is not there")
        if not isinstance(row[0], str) or not isinstance(row[1], bytes):
            raise PackDamaged(f"pack {pack} is not what it was")
        found = (row[0], split_bodies(decompress(row[1], row[2])))
        if len(found[1]) < places:
            raise PackDamaged(f"pack {pack} has fewer bodies than it had")
        self._keep(pack, found)
        return found

    def _keep(self, pack: int, found: tuple[str, list[str]]) -> None:
        with self._lock:
            self._characters += _characters(found) - _characters(self._held.pop(pack, ("", [])))
            self._held[pack] = found
            while self._characters > MAX_CACHED_CHARS and len(self._held) > 1:
                self._characters -= _characters(self._held.popitem(last=False)[1])


def _characters(found: tuple[str, list[str]]) -> int:
    return sum(map(len, found[1]))


UNCOMPRESS_FUNCTION = "sqlar_uncompress"


def register_sql_functions(conn: sqlite3.Connection) -> None:
    """Let this connection read bodies, the bytes of files, and hashes of rows in SQL."""
    conn.create_function(UNCOMPRESS_FUNCTION, 2, decompress, deterministic=True)
    register_row_hash(conn)


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
