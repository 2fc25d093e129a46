"""One listing by place: its size, the place of an object in it, and the JSON texts at some places.

Nothing here reads a whole listing, so a page of a thread costs the same wherever it is, however long the
thread is. A place is the number of a body in its listing, the first one is 0, the oldest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.hashes import body_id, body_key_range, storable_text
from migrate.archive.packs import BODIES_PER_PACK, BodyReader, PackDamaged
from migrate.archive.snapshots.listings import ListingRow
from migrate.model.input_limits import loads


class PlacedListing:
    """A listing of one snapshot. `row` has its state, and the hash of its content."""

    def __init__(self, conn: SqlConnection, bodies: BodyReader, row: ListingRow) -> None:
        self._conn, self._bodies, self.row = conn, bodies, row

    def __len__(self) -> int:
        sql = "SELECT ordinal + count FROM spans WHERE manifest_id = ? ORDER BY ordinal DESC LIMIT 1"
        return first_value(self._conn, sql, (self.row.manifest,), 0)

    def places_of(self, object_id: str) -> list[int]:
        """The places of the objects with an id, in order. More than one only where a service listed two
        objects with the same id."""
        stored_id = storable_text(object_id)
        rows = self._conn.execute(
            f"SELECT k.body, r.ordinal + k.body % {BODIES_PER_PACK} - r.place FROM known k "
            f"CROSS JOIN spans r ON r.pack_id = k.body / {BODIES_PER_PACK} AND r.manifest_id = ? "
            f"AND r.place <= k.body % {BODIES_PER_PACK} AND r.place + r.count > k.body % {BODIES_PER_PACK} "
            "WHERE k.key BETWEEN ? AND ?",
            (self.row.manifest, *body_key_range(stored_id)),
        ).fetchall()
        # Two ids may have equal keys, so the body decides.
        found = (place for number, place in rows if body_id(loads(self._bodies.read(number)[1])) == stored_id)
        return sorted(found)

    def texts(self, places: Iterable[int]) -> Iterator[str]:
        """The JSON text at each of these places, in their order. Neighbours are cheapest: they are read from
        the same pack. Raises `PackDamaged`."""
        end = start = 0
        texts: list[str] = []
        for place in places:
            if not start <= place < end:
                start, pack, first, count = self._span(place)
                end = start + count
                texts = self._bodies.pack(pack, first + count)[1][first : first + count]
            yield texts[place - start]

    def _span(self, place: int) -> tuple[int, int, int, int]:
        """The part of the listing that has a place: its first place, its pack, its place there, and how many
        bodies it has."""
        row = self._conn.execute(
            "SELECT ordinal, pack_id, place, count FROM spans WHERE manifest_id = ? AND ordinal <= ? "
            "ORDER BY ordinal DESC LIMIT 1",
            (self.row.manifest, place),
        ).fetchone()
        if row is None or place >= row[0] + row[3]:
            raise PackDamaged(f"a listing has no body at place {place}")
        return row[0], row[1], row[2], row[3]
