"""Packs: compressed JSON arrays of bodies of one kind, one body a line.

A body's number is the number of its pack and its place in it. Packs are compressed as SQLite's own archives
are (zlib; uncompressed where that is not smaller), so the SQL function `sqlar_uncompress` reads them:
https://sqlite.org/sqlar.html

A pack may have bodies of many listings: small listings would not compress by themselves. The pack that is
being filled is written with every commit, and again when it has grown.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import body_id, body_key_range, content_sha, register_row_hash
from migrate.archive.pack_cache import PackCache, UnpackedPack, count_chars
from migrate.model.input_limits import MAX_UNPACKED, loads

if TYPE_CHECKING:
    from migrate.archive.bodies import BodyRow

# The number of a body is the number of its pack times this, plus its place in the pack.
BODIES_PER_PACK = 1 << 10
# Level of zlib. The highest one makes packs 13 % smaller and takes three times as long.
ZLIB_LEVEL = 1
BODY_SEPARATOR = ",\n"
_SEPARATOR_BYTES = BODY_SEPARATOR.encode()
# Replaces a body that was removed, so that its neighbours keep their numbers.
FORGOTTEN_BODY = "null"
# Characters of unpacked bodies that one reader caches.
MAX_CACHED_CHARS = 1 << 20
# Bytes after which a pack is closed. Larger ones hardly compress better, and reading one body unpacks its
# whole pack.
FULL_PACK_BYTES = 1 << 15
MAX_KEYS_PER_QUERY = 500
# Keys that are kept in memory before they are written: a merge is one transaction of any size.
MAX_PENDING_KEYS = 20_000
UNCOMPRESS_FUNCTION = "sqlar_uncompress"


class PackDamaged(sqlite3.DatabaseError):
    """A pack is not as it was written. Reported like any other damage of the file."""


@dataclass(frozen=True)
class Pack:
    """A pack as it is stored. `size`: bytes before compression; `sha`: over these bytes and their kind."""

    count: int
    size: int
    sha: bytes
    data: bytes

    @classmethod
    def from_bodies(cls, kind: str, bodies: Sequence[bytes]) -> Pack:
        """Compress bodies of one kind."""
        plain = b"[%s]" % _SEPARATOR_BYTES.join(bodies)
        return cls(len(bodies), len(plain), content_sha(kind, plain), compress(plain))


def compress(plain: bytes) -> bytes:
    """The compressed bytes, or the same bytes where compression does not make them smaller."""
    data = zlib.compress(plain, ZLIB_LEVEL)
    return data if len(data) < len(plain) else plain


def decompress(data: object, size: object) -> bytes:
    """The bytes that `compress` was called with; `size` is their number.

    Raises `PackDamaged`. Never unpacks more than `size` bytes, nor more than the limit for it.
    """
    if not isinstance(data, bytes) or not isinstance(size, int | None):
        raise PackDamaged("compressed data or its size has another type than it had")
    if not size or size == len(data):
        return data
    if not 0 < size <= MAX_UNPACKED.maximum:
        raise PackDamaged(f"it was not unpacked: {MAX_UNPACKED.describe()}")
    decompressor = zlib.decompressobj()
    try:
        # Not more, however much the data would unpack to.
        plain = decompressor.decompress(data, size + 1)
    except zlib.error as error:
        raise PackDamaged(f"compressed data cannot be unpacked: {error}") from None
    if len(plain) != size or not decompressor.eof:
        raise PackDamaged("unpacked data has another size than it had")
    return plain


def decompress_head(data: bytes, size: int, stored_bytes: int, count: int) -> bytes:
    """The first `count` bytes that `compress` was called with, from the beginning of its result. `size`: the
    number of bytes before compression, `stored_bytes` after it. Raises `PackDamaged`."""
    if size == stored_bytes:
        return data[:count]
    try:
        return zlib.decompressobj().decompress(data, count)
    except zlib.error as error:
        raise PackDamaged(f"compressed data cannot be unpacked: {error}") from None


def split_bodies(plain: bytes) -> list[str]:
    """The bodies in an unpacked pack. Raises `PackDamaged`."""
    # A line break occurs in separators only, and one byte is found five times as fast as two. Each body is
    # decoded by itself: in one text, a single emoji would let every character of the pack take four bytes.
    *parts, last = plain[1:-1].split(b"\n", BODIES_PER_PACK)
    if len(parts) >= BODIES_PER_PACK:
        raise PackDamaged("a pack has more bodies than a pack may have")
    if not {part[-1:] for part in parts} <= {b","}:
        raise PackDamaged("a body has a line break")
    try:
        return [*(part[:-1].decode() for part in parts), last.decode()]
    except UnicodeDecodeError as error:
        raise PackDamaged(f"a pack is not text: {error}") from None


def bodies_with(plain: bytes, words: Sequence[bytes]) -> list[tuple[int, str]]:
    """Place and text of each body in an unpacked pack that contains one of these words. Most packs have none,
    and are not split. Raises `PackDamaged`."""
    if not any(word in plain for word in words):
        return []
    texts = [word.decode() for word in words]
    bodies = enumerate(split_bodies(plain))
    return [(place, body) for place, body in bodies if any(text in body for text in texts)]


def register_sql_functions(conn: sqlite3.Connection) -> None:
    """Let SQL on this connection read bodies, the bytes of files, and hashes of rows."""
    conn.create_function(UNCOMPRESS_FUNCTION, 2, decompress, deterministic=True)
    register_row_hash(conn)


class BodyReader:
    """Reads bodies, and caches the packs that were used last, up to a number of characters. As many threads
    may use it as may use `conn`."""

    def __init__(
        self,
        conn: SqlConnection,
        cached_chars: int = MAX_CACHED_CHARS,
        shared: PackCache | None = None,
    ) -> None:
        """`shared`: packs that other readers have unpacked."""
        self._conn, self._max_cached_chars, self._shared = conn, cached_chars, shared
        self._cache: OrderedDict[int, UnpackedPack] = OrderedDict()
        self._cached_chars = 0
        self._lock = threading.Lock()

    def read(self, number: int) -> tuple[str, str]:
        """Kind and JSON of a body. Raises `PackDamaged`."""
        pack, place = divmod(number, BODIES_PER_PACK)
        kind, texts = self.pack(pack, place + 1)
        return kind, texts[place]

    def listing(self, manifest: int, start: int = 0) -> Iterator[tuple[int, str]]:
        """Number and JSON of the bodies of a listing, in order, beginning at a place."""
        for pack, place, count in self.spans(manifest, start):
            texts = self.pack(pack, place + count)[1]
            for n in range(place, place + count):
                yield pack * BODIES_PER_PACK + n, texts[n]

    def shas(self, manifest: int, start: int = 0) -> Iterator[bytes]:
        """The hashes of the bodies of a listing, in order, beginning at a place."""
        for pack, place, count in self.spans(manifest, start):
            kind, texts = self.pack(pack, place + count)
            for text in texts[place : place + count]:
                yield content_sha(kind, text.encode())

    def numbers(self, manifest: int) -> Iterator[int]:
        """The numbers of the bodies of a listing, in order. Unpacks nothing."""
        for pack, place, count in self.spans(manifest):
            yield from range(pack * BODIES_PER_PACK + place, pack * BODIES_PER_PACK + place + count)

    def spans(self, manifest: int, start: int = 0) -> Iterator[tuple[int, int, int]]:
        """Pack, first place and count of the parts of a listing, in order, beginning at a place."""
        rows = self._conn.execute(
            "SELECT ordinal, pack_id, place, count FROM spans WHERE manifest_id = ? AND ordinal + count > ? "
            "ORDER BY ordinal",
            (manifest, start),
        )
        for ordinal, pack, place, count in rows:
            skipped = max(0, start - ordinal)
            yield pack, place + skipped, count - skipped

    def find_by_id(self, object_id: str) -> Iterator[tuple[int, str, str]]:
        """Number, kind and JSON of every body of an id, which is given as `storable_text` returns it."""
        rows = self._conn.execute(
            "SELECT body FROM known WHERE key BETWEEN ? AND ? ORDER BY body", body_key_range(object_id)
        ).fetchall()
        for (number,) in rows:
            kind, text = self.read(number)
            if body_id(loads(text)) == object_id:
                yield number, kind, text

    def pack(self, pack: int, min_count: int) -> UnpackedPack:
        """Kind and bodies of a pack. Raises `PackDamaged` where it has fewer than `min_count` bodies."""
        with self._lock:
            cached = self._cache.get(pack)
            if cached and len(cached[1]) >= min_count:
                self._cache.move_to_end(pack)
                return cached
        unpacked = self._unpack(pack) if self._shared is None else self._shared_pack(pack, self._shared)
        if len(unpacked[1]) < min_count:
            raise PackDamaged(f"pack {pack} has fewer bodies than it had")
        self._add_to_cache(pack, unpacked)
        return unpacked

    def _unpack(self, pack: int) -> UnpackedPack:
        row = self._conn.execute("SELECT kind, data, size FROM packs WHERE id = ?", (pack,)).fetchone()
        if row is None:
            raise PackDamaged(f"pack {pack} is missing")
        if not isinstance(row[0], str) or not isinstance(row[1], bytes):
            raise PackDamaged(f"pack {pack} was changed")
        return row[0], split_bodies(decompress(row[1], row[2]))

    def _shared_pack(self, pack: int, shared: PackCache) -> UnpackedPack:
        """A pack that another reader may have unpacked. A pack that grew, or lost bodies, has another
        hash."""
        row = self._conn.execute("SELECT sha FROM packs WHERE id = ?", (pack,)).fetchone()
        unpacked = shared.get(row[0]) if row and isinstance(row[0], bytes) else None
        if unpacked is None:
            unpacked = self._unpack(pack)
            shared.add(row[0], unpacked)
        return unpacked

    def _add_to_cache(self, pack: int, unpacked: UnpackedPack) -> None:
        with self._lock:
            self._cached_chars += count_chars(unpacked) - count_chars(self._cache.pop(pack, ("", [])))
            self._cache[pack] = unpacked
            while self._cached_chars > self._max_cached_chars and len(self._cache) > 1:
                self._cached_chars -= count_chars(self._cache.popitem(last=False)[1])


@dataclass
class _OpenPack:
    """A pack that is being filled."""

    id: int
    kind: str
    bodies: list[bytes] = field(default_factory=list)
    size: int = 0
    changed: bool = True


class PackWriter:
    """Stores each body once, and returns its number. Bodies are in the archive after `flush`, which every
    commit calls. `reader` reads what was written; its cache is dropped with a transaction that failed."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.added = 0
        self.reader = BodyReader(conn)
        self._conn = conn
        self._open: dict[str, _OpenPack] = {}
        # Keys and numbers that are not written yet, as rows and by key.
        self._pending: list[tuple[int, int]] = []
        self._pending_by_key: dict[int, list[int]] = {}
        self._last_pack = 0

    def store(self, kind: str, rows: Sequence[BodyRow]) -> list[int]:
        """Store bodies and return their numbers, in order. A body that is stored already keeps its number."""
        different = {row.sha: row for row in rows}  # a faulty service lists one object a thousand times
        numbers = self._find_stored(kind, list(different.values()))
        new = {sha: row for sha, row in different.items() if sha not in numbers}
        for row, number in zip(new.values(), self._append(kind, list(new.values())), strict=True):
            numbers[row.sha] = number
            self._pending.append((row.key, number))
            self._pending_by_key.setdefault(row.key, []).append(number)
        if len(self._pending) >= MAX_PENDING_KEYS:
            self._write_keys()
        self.added += len(new)
        return [numbers[row.sha] for row in rows]

    def flush(self) -> None:
        """Write everything that is not written yet."""
        for pack in self._open.values():
            if pack.changed:
                self._write(pack)
        self._write_keys()

    def close_packs(self) -> None:
        """Write everything that is not written yet, and add nothing more to the existing packs."""
        self.flush()
        self.reset()

    def reset(self) -> None:
        """Drop everything that was not committed."""
        self._open.clear()
        self._pending.clear()
        self._pending_by_key.clear()
        self.reader = BodyReader(self._conn)
        self._last_pack = 0

    def _write_keys(self) -> None:
        if self._pending:
            # Sorted, so that neighbours in the index are written together.
            self._conn.executemany("INSERT INTO known VALUES (?, ?)", sorted(self._pending))
            self._pending.clear()
            self._pending_by_key.clear()

    def _find_stored(self, kind: str, rows: Sequence[BodyRow]) -> dict[bytes, int]:
        """Hash -> number of the bodies that are stored. Equal keys are a hint; equal bytes decide."""
        by_key = {row.key: row for row in rows}
        stored = {
            row.sha: number
            for key, number in (*self._read_keys(list(by_key)), *self._read_pending(by_key))
            if self._read(number) == (kind, (row := by_key[key]).body)
        }
        if len(by_key) < len(rows):  # several rows have one key: the same body twice, or by chance
            rest = [row for row in rows if row is not by_key[row.key] and row.sha not in stored]
            return {**self._find_stored(kind, rest), **stored} if rest and len(rest) < len(rows) else stored
        return stored

    def _read_keys(self, keys: Sequence[int]) -> Iterable[tuple[int, int]]:
        for start in range(0, len(keys), MAX_KEYS_PER_QUERY):
            part = keys[start : start + MAX_KEYS_PER_QUERY]
            marks = ",".join("?" * len(part))
            rows = self._conn.execute(f"SELECT key, body FROM known WHERE key IN ({marks})", part)
            yield from rows.fetchall()

    def _read_pending(self, keys: Iterable[int]) -> Iterable[tuple[int, int]]:
        return [(key, number) for key in keys for number in self._pending_by_key.get(key, ())]

    def _read(self, number: int) -> tuple[str, bytes]:
        pack, place = divmod(number, BODIES_PER_PACK)
        for open_pack in self._open.values():
            if open_pack.id == pack:
                return open_pack.kind, open_pack.bodies[place]
        kind, text = self.reader.read(number)
        return kind, text.encode()

    def _append(self, kind: str, rows: Sequence[BodyRow]) -> list[int]:
        """Add bodies to the open pack of their kind, and return their numbers."""
        numbers = []
        pack = self._open.get(kind)
        for row in rows:
            if pack is None:
                pack = self._open[kind] = _OpenPack(self._next_pack_number(), kind)
            numbers.append(pack.id * BODIES_PER_PACK + len(pack.bodies))
            pack.bodies.append(row.body)
            pack.size += len(row.body)
            pack.changed = True
            if pack.size >= FULL_PACK_BYTES or len(pack.bodies) == BODIES_PER_PACK:
                self._write(self._open.pop(kind))
                pack = None
        return numbers

    def _next_pack_number(self) -> int:
        if not self._last_pack:
            self._last_pack = self._conn.execute("SELECT coalesce(max(id), 0) FROM packs").fetchone()[0]
        self._last_pack += 1
        return self._last_pack

    def _write(self, open_pack: _OpenPack) -> None:
        pack = Pack.from_bodies(open_pack.kind, open_pack.bodies)
        self._conn.execute(
            "INSERT INTO packs (id, kind, count, held, size, sha, data) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET count = excluded.count, held = excluded.held, "
            "size = excluded.size, sha = excluded.sha, data = excluded.data",
            (open_pack.id, open_pack.kind, pack.count, pack.count, pack.size, pack.sha, pack.data),
        )
        open_pack.changed = False
