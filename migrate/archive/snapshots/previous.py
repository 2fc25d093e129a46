"""What an earlier snapshot of the same endpoint knows of a listing, and how a new one shares it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from migrate.archive.database import Archive
from migrate.archive.hashes import listing_sha
from migrate.archive.snapshots import listings
from migrate.archive.snapshots.listings import ScopePlace
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model import JSON

# Bodies at the end of a listing that are compared: one page of the service.
TAIL_BODIES = 100


class PreviousSnapshot:
    """The newest earlier snapshot that was asked for the same. Called by the thread that writes."""

    def __init__(self, archive: Archive, writer: SnapshotWriter) -> None:
        self._conn = archive.conn
        self._writer = writer
        row = self._conn.execute(
            "SELECT s.id FROM snapshots s JOIN snapshots mine ON mine.id = ? AND "
            "json_remove(mine.options, '$.joined') = json_remove(s.options, '$.joined') "
            "AND mine.endpoint_id = s.endpoint_id WHERE s.id < mine.id AND s.state != 'reading' "
            "ORDER BY s.id DESC LIMIT 1",
            (writer.id,),
        ).fetchone()
        self._snapshot = row[0] if row else None

    def end_of(self, kind: str, parent: str) -> bytes | None:
        """The hash (`listing_sha`) of the last `TAIL_BODIES` bodies of a listing that was read whole, of all
        of them where they are fewer; None where it was not, or is empty."""
        manifest = self._manifest(kind, parent)
        if manifest is None:
            return None
        count = self.size(kind, parent)
        if count > TAIL_BODIES:
            return listing_sha(self._writer.archive.packer.bodies.shas(manifest, count - TAIL_BODIES))
        row = self._conn.execute("SELECT sha FROM manifests WHERE id = ?", (manifest,)).fetchone()
        return bytes(row[0]) if count else None

    def before_end(self, kind: str, parent: str) -> Iterator[dict[str, JSON]]:
        """The bodies of a listing that lie before the last `TAIL_BODIES`."""
        manifest = self._manifest(kind, parent)
        if manifest is None or (count := self.size(kind, parent) - TAIL_BODIES) <= 0:
            return
        for _, text in islice(self._writer.archive.packer.bodies.listing(manifest), count):
            yield json.loads(text)

    def shows(self, kind: str) -> tuple[str, ...]:
        """What the service showed of a kind because it was asked to."""
        return self._of_shown("granted", kind)

    def _of_shown(self, what: str, kind: str) -> tuple[str, ...]:
        row = self._conn.execute("SELECT shown FROM snapshots WHERE id = ?", (self._snapshot,)).fetchone()
        found = (json.loads(row[0]) if row and row[0] else {}).get(what) or {}
        return tuple(found.get(kind) or ())

    def hides(self, kind: str) -> tuple[str, ...]:
        """What the service did not show of a kind, though it was asked to."""
        return self._of_shown("hidden", kind)

    def carry_gaps(self, kind: str, parent: str) -> int:
        """Let the new snapshot lack what the earlier listing lacked; how many objects that are."""
        with self._writer.archive.transaction() as conn:
            return conn.execute(
                "INSERT OR IGNORE INTO missing "
                "(snapshot_id, kind, parent_id, object_id, name, reason, expected) "
                "SELECT ?, kind, parent_id, object_id, name, reason, expected FROM missing "
                "WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
                (self._writer.id, self._snapshot, kind, parent),
            ).rowcount

    def share(self, kind: str, parent: str) -> bool:
        """Let the new snapshot hold the same listing; False where there is no whole one to share."""
        manifest = self._manifest(kind, parent)
        if manifest is None:
            return False
        with self._writer.archive.transaction() as conn:
            listings.begin_scope(conn, ScopePlace(self._writer.id, kind, parent), manifest, "complete")
        return True

    def size(self, kind: str, parent: str) -> int:
        """How many bodies an earlier listing holds."""
        manifest = self._manifest(kind, parent)
        rows = self._conn.execute(
            "SELECT coalesce(sum(count), 0) FROM spans WHERE manifest_id = ?", (manifest,)
        )
        return int(rows.fetchone()[0])

    def _manifest(self, kind: str, parent: str) -> int | None:
        row = self._conn.execute(
            "SELECT manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ? "
            "AND state = 'complete' AND reason IS NULL",
            (self._snapshot, kind, parent),
        ).fetchone()
        return int(row[0]) if row else None
