"""The hashes of what an archive stores: bodies, packs, listings, snapshots, and rows of the journal.

The hash of an object as it is compared is another one: see `model.normalize`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring_ascii

from migrate.model import JSON

ROW_HASH_FUNCTION = "row_hash"
# Bytes of a row's hash (BLAKE2b).
ROW_HASH_BYTES = 16

# Table -> the columns that its hash covers, in this order. A step of the schema that adds a column lists it
# here and calls `hash_all_rows`.
HASHED_COLUMNS: dict[str, tuple[str, ...]] = {
    "plans": (
        "id", "digest", "source_type", "source_url", "target_type", "target_url", "first_applied_at", "lines",
    ),
    "journal": (
        "id", "plan_id", "action", "kind", "source_parent", "source_id", "name", "target_parent", "target_id",
        "state", "before", "written", "error", "started_at", "finished_at",
    ),
    "registered_plans": ("id", "digest", "registered_at"),
    "totals": ("name", "number"),
    "plan_documents": ("id", "digest", "sha"),
}  # fmt: skip

# Tables whose number of rows is stored in `totals`.
COUNTED_TABLES = ("plans", "registered_plans")

_encode_value = json.JSONEncoder(
    separators=(",", ":"), default=lambda value: {"bytes": bytes(value).hex()}
).encode


def _value_json(value: object) -> str:
    """One value as JSON. The common types take a quarter of the encoder's time."""
    if type(value) is str:
        return encode_basestring_ascii(value)
    if value is None:
        return "null"
    return str(value) if type(value) is int else _encode_value(value)


class RowDamaged(sqlite3.DatabaseError):
    """A row was changed or is missing. Reported like any other damage of the file."""


def row_hash(table: str, *values: object) -> bytes:
    """The hash of a row: BLAKE2b over the table's name and the values as a JSON array."""
    text = f"[{','.join(map(_value_json, (table, *values)))}]"
    return hashlib.blake2b(text.encode(), digest_size=ROW_HASH_BYTES).digest()


def hashed_columns(table: str) -> str:
    """The hashed columns of a table, for a SELECT."""
    return ", ".join(HASHED_COLUMNS[table])


def matches_row_hash(table: str, values: Sequence[object], stored: object) -> bool:
    """Whether a row, whose values are those of `hashed_columns`, has the hash that was stored with it."""
    return stored == row_hash(table, *values)


def hash_rows(conn: sqlite3.Connection, table: str, where: str, keys: Iterable[Sequence[object]]) -> None:
    """Write the hashes of rows that were just written. `where` selects a row by one of `keys`."""
    conn.executemany(f"{_update_hash_sql(table)} WHERE {where}", keys)


def hash_all_rows(conn: sqlite3.Connection) -> None:
    """Count and hash every row of every table again, after a step of the schema or when all rows got new
    numbers. Earlier changes of rows are not detected here: the caller has checked the rows."""
    conn.execute("UPDATE plans SET lines = (SELECT count(*) FROM journal WHERE plan_id = plans.id)")
    count_rows(conn)
    for table in HASHED_COLUMNS:
        conn.execute(_update_hash_sql(table))


def count_rows(conn: sqlite3.Connection) -> None:
    """Store how many rows the counted tables have."""
    for table in COUNTED_TABLES:
        conn.execute(
            f"INSERT OR REPLACE INTO totals SELECT ?, (SELECT count(*) FROM {table}), NULL", (table,)
        )
    hash_rows(conn, "totals", "name = ?", [(table,) for table in COUNTED_TABLES])


def _update_hash_sql(table: str) -> str:
    return f"UPDATE {table} SET hash = {ROW_HASH_FUNCTION}('{table}', {hashed_columns(table)})"


def register_row_hash(conn: sqlite3.Connection) -> None:
    """Let SQL on this connection compute the hash of a row."""
    conn.create_function(ROW_HASH_FUNCTION, -1, row_hash, deterministic=True)


def snapshot_digest(conn: sqlite3.Connection, snapshot: int) -> str:
    """A fingerprint of everything in a snapshot: the state and the content of each listing."""
    digest = hashlib.sha256()
    for row in conn.execute(
        "SELECT s.kind, s.parent_id, s.state, hex(m.sha) "
        "FROM scopes s JOIN manifests m ON m.id = s.manifest_id "
        "WHERE s.snapshot_id = ? ORDER BY 1, 2",
        (snapshot,),
    ):
        digest.update("\0".join(map(str, row)).encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()


def listing_sha(shas: Iterable[bytes]) -> bytes:
    """The hash of a listing, from the hashes of its bodies in order."""
    digest = hashlib.sha256()
    for sha in shas:
        digest.update(sha)
    return digest.digest()


# Bits of a key that come from the body's hash; the others come from its id.
BODY_SHA_BITS = 24


def storable_text(text: str) -> str:
    """Text as SQLite can store it: a lone surrogate has no UTF-8 form and is written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def body_id(body: Mapping[str, JSON]) -> str:
    """The id of a body as it is stored, '' where it has none."""
    return storable_text(str(body.get("id", "")))


def content_sha(kind: str, content: bytes) -> bytes:
    """The hash that identifies a body or a pack. The kind counts: two kinds may have equal bodies."""
    return hashlib.sha256(kind.encode() + b"\0" + content).digest()


def body_key(object_id: str, sha: bytes) -> int:
    """The 63 bits by which a body is found: bits of its id first, so that all bodies of an id are neighbours,
    then bits of its hash."""
    return _id_bits(object_id) | int.from_bytes(sha[:3], "big")


def body_key_range(object_id: str) -> tuple[int, int]:
    """The first and the last key that a body of this id may have. A body of another id has one of them only
    by chance."""
    first = _id_bits(object_id)
    return first, first | (1 << BODY_SHA_BITS) - 1


def _id_bits(object_id: str) -> int:
    """39 bits of the id's hash, above the bits of the body's hash."""
    head = hashlib.sha256(object_id.encode()).digest()[:5]
    return int.from_bytes(head, "big") >> 1 << BODY_SHA_BITS
