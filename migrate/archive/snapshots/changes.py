"""How much differs between two snapshots of one endpoint, from numbers alone: no body of a thread is read.

Equal content has equal numbers, so a listing that did not change costs one row.
"""

from __future__ import annotations

from dataclasses import dataclass

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import body_id
from migrate.archive.packs import BodyReader
from migrate.archive.snapshots.listings import ListingKey, listing_size, read_listing
from migrate.model.input_limits import loads

# Bodies that differ, of one kind and both sides, that are read to tell new objects from changed ones.
MAX_BODIES_READ = 2_000


@dataclass(frozen=True)
class ListingChange:
    """What differs in the listing of a kind without a parent. `added` and `removed`: numbers of objects.
    `changed`: number of objects, None where there were too many to read. `gap`: why a side is not complete,
    or ''; what is absent there may exist."""

    kind: str
    added: int = 0
    removed: int = 0
    changed: int | None = 0
    gap: str = ""


@dataclass(frozen=True)
class MemberChange:
    """How many parents have other members than before, and how many members there are more (or less) in
    those that are in both snapshots."""

    kind: str
    parents: int
    more: int


def compare_listings(conn: SqlConnection, before: int, after: int, kind: str) -> ListingChange | None:
    """What differs in the listing of a kind without a parent; None where a snapshot has no such listing."""
    listings = [read_listing(conn, ListingKey(number, kind)) for number in (before, after)]
    left, right = listings
    if left is None or right is None:
        return None
    gaps = (row.reason or ("" if row.state == "complete" else row.state) for row in (left, right))
    gap = next(filter(None, gaps), "")
    if left.manifest == right.manifest:
        return ListingChange(kind, gap=gap)
    reader = BodyReader(conn)
    was, now = (frozenset(reader.numbers(row.manifest)) for row in (left, right))
    gone, new = was - now, now - was
    if len(gone) + len(new) > MAX_BODIES_READ:
        more = listing_size(conn, right.manifest) - listing_size(conn, left.manifest)
        return ListingChange(kind, max(more, 0), max(-more, 0), None, gap)
    old_ids, new_ids = (
        {body_id(loads(reader.read(number)[1])) for number in sorted(numbers)} for numbers in (gone, new)
    )
    changed = len(old_ids & new_ids)
    return ListingChange(kind, len(new_ids) - changed, len(old_ids) - changed, changed, gap)


def compare_members(conn: SqlConnection, before: int, after: int, kind: str) -> MemberChange:
    """How many parents, of those in both snapshots, have other members of a kind."""
    row = conn.execute(
        "WITH other AS (SELECT l.manifest_id AS now, p.manifest_id AS was FROM listed l "
        "JOIN listed p ON p.snapshot_id = ? AND p.kind_id = l.kind_id AND p.parent_id = l.parent_id "
        "WHERE l.snapshot_id = ? AND l.kind_id = (SELECT id FROM kinds WHERE name = ?) "
        "AND l.manifest_id != p.manifest_id) "
        "SELECT count(*), coalesce(sum((SELECT coalesce(sum(count), 0) FROM spans WHERE manifest_id = now)"
        " - (SELECT coalesce(sum(count), 0) FROM spans WHERE manifest_id = was)), 0) FROM other",
        (before, after, kind),
    ).fetchone()
    return MemberChange(kind, int(row[0]), int(row[1]))


def file_bytes(conn: SqlConnection, endpoint: int) -> tuple[int, int]:
    """Number of the files of an endpoint whose bytes the archive has, and how many bytes these are."""
    row = conn.execute(
        "SELECT count(*), coalesce(sum(b.size), 0) FROM contents c JOIN blobs b ON b.id = c.blob_id "
        "WHERE c.endpoint_id = ?",
        (endpoint,),
    ).fetchone()
    return int(row[0]), int(row[1])
