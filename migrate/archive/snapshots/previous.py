"""The content of a listing in an earlier snapshot of the same endpoint, and how a new snapshot shares it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from migrate.archive.database import Archive
from migrate.archive.hashes import listing_sha
from migrate.archive.snapshots.listings import (
    ListingKey,
    ListingRow,
    insert_listing,
    listing_size,
    read_listing,
)
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model import JSON

# Bodies at the end of a listing that are compared: one page of the service.
TAIL_BODIES = 100


class PreviousSnapshot:
    """The newest earlier snapshot that was read with the same options. Called by the thread that writes."""

    def __init__(self, archive: Archive, writer: SnapshotWriter) -> None:
        self._conn = archive.conn
        self._writer = writer
        row = self._conn.execute(
            "SELECT s.id, s.shown FROM snapshots s JOIN snapshots mine ON mine.id = ? AND "
            "json_remove(mine.options, '$.joined') = json_remove(s.options, '$.joined') "
            "AND mine.endpoint_id = s.endpoint_id WHERE s.id < mine.id AND s.state != 'reading' "
            "ORDER BY s.id DESC LIMIT 1",
            (writer.id,),
        ).fetchone()
        self._snapshot: int = row[0] if row else 0
        self._shown = json.loads(row[1]) if row and row[1] else {}

    def tail_sha(self, kind: str, parent: str) -> bytes | None:
        """The hash (`listing_sha`) of the last `TAIL_BODIES` bodies of a listing, or of all bodies where
        there are fewer. None where the listing was not read to its end, or is empty."""
        listing = self._complete_listing(kind, parent)
        count = listing_size(self._conn, listing.manifest) if listing else 0
        if listing is None or not count:
            return None
        if count > TAIL_BODIES:
            return listing_sha(self._writer.archive.packer.reader.shas(listing.manifest, count - TAIL_BODIES))
        return listing.sha

    def bodies_before_tail(self, kind: str, parent: str) -> Iterator[dict[str, JSON]]:
        """The bodies of a listing before the last `TAIL_BODIES`."""
        count = self.size(kind, parent) - TAIL_BODIES
        listing = self._complete_listing(kind, parent)
        if listing is None or count <= 0:
            return
        for _, text in islice(self._writer.archive.packer.reader.listing(listing.manifest), count):
            yield json.loads(text)

    def granted(self, kind: str) -> tuple[str, ...]:
        """The values of `include[]` for which the service added fields to objects of a kind."""
        return tuple((self._shown.get("granted") or {}).get(kind) or ())

    def hidden(self, kind: str) -> tuple[str, ...]:
        """The values of `include[]` that the service refused for a kind."""
        return tuple((self._shown.get("hidden") or {}).get(kind) or ())

    def carry_gaps(self, kind: str, parent: str) -> int:
        """Copy the gaps of the earlier listing to the new snapshot, and return their number."""
        with self._writer.archive.transaction() as conn:
            return conn.execute(
                "INSERT OR IGNORE INTO missing "
                "(snapshot_id, kind, parent_id, object_id, name, reason, expected) "
                "SELECT ?, kind, parent_id, object_id, name, reason, expected FROM missing "
                "WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
                (self._writer.id, self._snapshot, kind, parent),
            ).rowcount

    def share(self, kind: str, parent: str) -> bool:
        """Give the new snapshot the same listing. False where the earlier one was not read to its end."""
        listing = self._complete_listing(kind, parent)
        if listing is None:
            return False
        with self._writer.archive.transaction() as conn:
            insert_listing(conn, ListingKey(self._writer.id, kind, parent), listing.manifest, "complete")
        return True

    def size(self, kind: str, parent: str) -> int:
        """How many bodies an earlier listing has, 0 where it was not read to its end."""
        listing = self._complete_listing(kind, parent)
        return listing_size(self._conn, listing.manifest) if listing else 0

    def _complete_listing(self, kind: str, parent: str) -> ListingRow | None:
        listing = read_listing(self._conn, ListingKey(self._snapshot, kind, parent))
        return listing if listing and listing.state == "complete" and not listing.reason else None
