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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrate.archive.hashes import body_id, body_key_range, body_sha, register_row_hash
from migrate.archive.sql_connection import SqlConnection
from migrate.model.input_limits import MAX_UNPACKED
from migrate.model.json_depth import loads

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
