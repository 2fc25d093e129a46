"""How much differs between two snapshots of one endpoint, from numbers alone: no body of a thread is read.

Equal content has equal numbers, so a listing that did not change costs one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import body_id
from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.snapshots.listings import ListingKey, listing_size, read_listing
from migrate.model.input_limits import loads
from migrate.model.results.overview import KindChange, MemberChange

# Bodies that differ, of one kind and both sides, that are read to tell new objects from changed ones.
MAX_BODIES_READ = 2_000
# Objects with other members, and members of the parts of their lists that differ, up to which these are
# counted. It takes some 0.1 s.
MAX_PARENTS_READ, MAX_MEMBERS_UNFOLDED = 1_000, 200_000


def compare_listings(conn: SqlConnection, before: int, after: int, kind: str) -> KindChange | None:
    """What differs in the listing of a kind without a parent; None where a snapshot has no such listing."""
    listings = [read_listing(conn, ListingKey(number, kind)) for number in (before, after)]
    left, right = listings
    if left is None or right is None:
        return None
    gaps = (row.reason or ("" if row.state == "complete" else row.state) for row in (left, right))
    gap = next(filter(None, gaps), "")
    if left.manifest == right.manifest:
        return KindChange(kind, gap=gap)
    reader = BodyReader(conn)
    was, now = (frozenset(reader.numbers(row.manifest)) for row in (left, right))
    gone, new = was - now, now - was
    if len(gone) + len(new) > MAX_BODIES_READ:
        more = listing_size(conn, right.manifest) - listing_size(conn, left.manifest)
        return KindChange(kind, max(more, 0), max(-more, 0), None, gap)
    old_ids, new_ids = (
        {body_id(loads(reader.read(number)[1])) for number in sorted(numbers)} for numbers in (gone, new)
    )
    changed = len(old_ids & new_ids)
    return KindChange(kind, len(new_ids) - changed, len(old_ids) - changed, changed, gap)


def compare_members(conn: SqlConnection, before: int, after: int, kind: str) -> MemberChange:
    """How the members of a kind changed, of parents that are in both snapshots."""
    other = (
        "(SELECT l.manifest_id AS now, p.manifest_id AS was FROM listed l "
        "JOIN listed p ON p.snapshot_id = ? AND p.kind_id = l.kind_id AND p.parent_id = l.parent_id "
        "WHERE l.snapshot_id = ? AND l.kind_id = (SELECT id FROM kinds WHERE name = ?) "
        "AND l.manifest_id != p.manifest_id)"
    )
    parameters = (before, after, kind)
    row = conn.execute(
        "SELECT count(*), coalesce(sum((SELECT coalesce(sum(count), 0) FROM spans WHERE manifest_id = now)"
        f" - (SELECT coalesce(sum(count), 0) FROM spans WHERE manifest_id = was)), 0) FROM {other}",
        parameters,
    ).fetchone()
    parents, more = int(row[0]), int(row[1])
    if parents > MAX_PARENTS_READ:
        return MemberChange(kind, parents, more, None, None, None)
    pairs = conn.execute(f"SELECT now, was FROM {other}", parameters).fetchall()
    return MemberChange(kind, parents, more, *_count_members(BodyReader(conn), pairs))


def _count_members(
    reader: BodyReader, pairs: Iterable[tuple[int, int]]
) -> tuple[int, int, int] | tuple[None, None, None]:
    """How many members were added, removed and changed in pairs of listings (now, before)."""
    unfolded = read = added = removed = changed = 0
    for now, was in pairs:
        spans, others = set(reader.spans(now)), set(reader.spans(was))
        differing = spans - others, others - spans
        unfolded += sum(count for one in differing for *_, count in one)
        if unfolded > MAX_MEMBERS_UNFOLDED:
            return None, None, None
        mine, theirs = map(_numbers_of_spans, differing)
        new, gone = mine - theirs, theirs - mine
        read += len(new) + len(gone)
        if read > MAX_BODIES_READ:
            return None, None, None
        new_ids, old_ids = (
            Counter(body_id(loads(reader.read(number)[1])) for number in sorted(numbers))
            for numbers in (new, gone)
        )
        both = (new_ids & old_ids).total()
        added, removed, changed = added + len(new) - both, removed + len(gone) - both, changed + both
    return added, removed, changed


def _numbers_of_spans(spans: Iterable[tuple[int, int, int]]) -> frozenset[int]:
    """The numbers of the bodies in parts of a listing."""
    return frozenset(pack * BODIES_PER_PACK + place + n for pack, place, count in spans for n in range(count))


def file_bytes(conn: SqlConnection, endpoint: int) -> tuple[int, int]:
    """Number of the files of an endpoint whose bytes the archive has, and how many bytes these are."""
    row = conn.execute(
        "SELECT count(*), coalesce(sum(b.size), 0) FROM contents c JOIN blobs b ON b.id = c.blob_id "
        "WHERE c.endpoint_id = ?",
        (endpoint,),
    ).fetchone()
    return int(row[0]), int(row[1])
