"""What an earlier snapshot of the same endpoint knows of a listing, and how a new one shares it."""

from __future__ import annotations

from migrate.archive.snapshots import SnapshotWriter
from migrate.archive.store import Archive

TAIL = 100
"""Bodies at the end of a listing that are compared: one page of the service."""


class Earlier:
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

    def end_of(self, kind: str, parent: str) -> list[bytes] | None:
        """Hashes of the last bodies of a listing that was read whole, in order; None where it was not.
        Fewer than `TAIL` are all of it."""
        manifest = self._manifest(kind, parent)
        if manifest is None:
            return None
        rows = self._conn.execute(
            "SELECT b.sha FROM entries e JOIN bodies b ON b.id = e.body_id WHERE e.manifest_id = ? "
            "ORDER BY e.ordinal DESC LIMIT ?",
            (manifest, TAIL),
        ).fetchall()
        return [sha for (sha,) in reversed(rows)]

    def share(self, kind: str, parent: str) -> bool:
        """Let the new snapshot hold the same listing; False where there is no whole one to share."""
        manifest = self._manifest(kind, parent)
        if manifest is None:
            return False
        with self._writer.archive.transaction() as conn:
            conn.execute(
                "INSERT INTO scopes (snapshot_id, kind, parent_id, manifest_id, state) "
                "VALUES (?, ?, ?, ?, 'complete')",
                (self._writer.id, kind, parent, manifest),
            )
        return True

    def size(self, kind: str, parent: str) -> int:
        """How many bodies an earlier listing holds."""
        manifest = self._manifest(kind, parent)
        count = self._conn.execute("SELECT count(*) FROM entries WHERE manifest_id = ?", (manifest,))
        return int(count.fetchone()[0])

    def _manifest(self, kind: str, parent: str) -> int | None:
        row = self._conn.execute(
            "SELECT manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ? "
            "AND state = 'complete' AND reason IS NULL",
            (self._snapshot, kind, parent),
        ).fetchone()
        return int(row[0]) if row else None
