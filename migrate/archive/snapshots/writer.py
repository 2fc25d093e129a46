"""Write one snapshot, page by page. What was read before a crash is kept, and the next run continues there.

Only the thread that opened the archive calls this. A page is one short transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Literal, cast

from migrate import __version__
from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.hashes import snapshot_digest, storable_text
from migrate.archive.snapshots.listings import (
    ListingKey,
    ListingRow,
    ManifestWriter,
    delete_listing,
    finish_listing,
    insert_listing,
    read_listing,
    set_listing_cursor,
    set_listing_manifest,
)
from migrate.archive.snapshots.reader import parents_of_body
from migrate.model import JSON
from migrate.model.input_limits import loads
from migrate.model.known_secrets import redact
from migrate.model.secrets import mask_text

ListingState = Literal["reading", "complete", "failed", "gone"]


def next_snapshot_number(conn: sqlite3.Connection) -> int:
    """A number that no snapshot had before, including those that were removed."""
    (number,) = conn.execute(
        "SELECT max((SELECT coalesce(max(id), 0) FROM snapshots), user_version) + 1 FROM pragma_user_version"
    ).fetchone()
    return int(number)


def reserve_snapshot_numbers(conn: sqlite3.Connection) -> None:
    """Store the highest number that a snapshot had, so that it is not used again when its snapshot is
    removed. It is stored in `user_version`, which is part of the transaction and of the file."""
    conn.execute(f"PRAGMA user_version = {next_snapshot_number(conn) - 1}")


def utc_now() -> str:
    """The current time as the archive stores it: UTC, ISO 8601, seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class SnapshotWriter:
    """A snapshot being read."""

    def __init__(self, archive: Archive, snapshot: int, endpoint: int, resumed: bool) -> None:
        self.archive = archive
        self.id = snapshot
        self.endpoint = endpoint
        self.resumed = resumed
        self._stored_ids: dict[ListingKey, set[str]] = {}
        self._manifests: dict[ListingKey, ManifestWriter] = {}
        self._rollbacks = archive.rollbacks
        self._bodies_before = archive.packer.added
        self._bytes_before = archive.size_bytes()

    @classmethod
    def begin(
        cls, archive: Archive, type_: str, url: str, options: Mapping[str, JSON], tag: str | None
    ) -> SnapshotWriter:
        """Start a snapshot, or continue the newest one of this endpoint if it was interrupted and has the
        same options. A shard is continued only with the same tag."""
        options_json = json.dumps(options, sort_keys=True)
        with archive.transaction() as conn:
            conn.execute("INSERT OR IGNORE INTO endpoints (type, url) VALUES (?, ?)", (type_, url))
            endpoint = conn.execute(
                "SELECT id FROM endpoints WHERE type = ? AND url = ?", (type_, url)
            ).fetchone()[0]
            last = conn.execute(
                "SELECT id, state, options, tag FROM snapshots WHERE endpoint_id = ? "
                "ORDER BY id DESC LIMIT 1",
                (endpoint,),
            ).fetchone()
            if last and last[1:3] == ("reading", options_json) and ("shard" not in options or last[3] == tag):
                conn.execute(  # what failed is read and reported again; deleted parents stay deleted
                    "DELETE FROM missing WHERE snapshot_id = ? AND NOT EXISTS (SELECT 1 FROM scopes s "
                    "WHERE s.snapshot_id = missing.snapshot_id AND s.kind = missing.kind "
                    "AND s.parent_id = missing.parent_id AND s.state = 'gone')",
                    (last[0],),
                )
                conn.execute("UPDATE snapshots SET tag = coalesce(?, tag) WHERE id = ?", (tag, last[0]))
                return cls(archive, last[0], endpoint, resumed=True)
            number = next_snapshot_number(conn)
            conn.execute(
                "INSERT INTO snapshots (id, endpoint_id, tag, state, started_at, tool_version, options) "
                "VALUES (?, ?, ?, 'reading', ?, ?, ?)",
                (number, endpoint, tag, utc_now(), __version__, options_json),
            )
        return cls(archive, number, endpoint, resumed=False)

    def listing_state(self, kind: str, parent: str = "") -> tuple[ListingState | None, str]:
        """The state of a listing (None: not begun) and the cursor to continue from."""
        listing = self._read_listing(kind, parent)
        return (cast("ListingState", listing.state), listing.cursor) if listing else (None, "")

    def ids(self, kind: str, parent: str = "") -> list[str]:
        """Ids of the stored bodies of a listing, in order."""
        return [str(body.get("id", "")) for body in self.bodies(kind, parent)]

    def bodies(self, kind: str, parent: str = "") -> list[dict[str, JSON]]:
        """The stored bodies of a listing, in order."""
        listing = self._read_listing(kind, parent)
        packer = self.archive.packer
        if listing is None or not any(packer.reader.spans(listing.manifest)):
            return []
        packer.flush()
        return [loads(text) for _, text in packer.reader.listing(listing.manifest)]

    def parents_of(self, kind: str, id_: str) -> list[str]:
        """The parents in whose listings an object of this id is, such as the stores that have a file."""
        self.archive.packer.flush()
        parents: set[str] = set()
        for number, body_kind, _ in self.archive.packer.reader.find_by_id(storable_text(id_)):
            if body_kind == kind:
                rows = parents_of_body(self.archive.conn, self.id, kind, number)
                parents.update(parent for parent, _ in rows)
        return sorted(parents)

    def restart_listing(self, kind: str, parent: str) -> None:
        """Remove what an interrupted snapshot has of a listing that cannot be continued."""
        with self.archive.transaction() as conn:
            key = ListingKey(self.id, kind, parent)
            self._manifests.pop(key, None)
            self._stored_ids.pop(key, None)
            manifest = delete_listing(conn, key)
            conn.execute("DELETE FROM manifests WHERE id = ? AND sha IS NULL", (manifest,))

    def add_page(self, kind: str, parent: str, rows: Iterable[BodyRow], cursor: str) -> None:
        """Store one page of a listing."""
        key, cursor = ListingKey(self.id, kind, parent), storable_text(cursor)
        with self.archive.transaction() as conn:
            manifest = self._manifest_writer(key)
            if manifest is None:
                manifest = self._manifests[key] = ManifestWriter.create(conn)
                insert_listing(conn, key, manifest.manifest, "reading", cursor=cursor)
            else:
                set_listing_cursor(conn, key, cursor)
            new = [row for row in rows if self._is_new(key, row)]
            manifest.add((row.sha for row in new), self.archive.packer.store(kind, new))

    def end_listing(
        self, kind: str, parent: str = "", state: ListingState = "complete", reason: str = ""
    ) -> None:
        """Store that a listing was read to its end, or that it was not, and why. Equal content is shared with
        earlier snapshots."""
        key, reason = ListingKey(self.id, kind, parent), storable_text(redact(mask_text(reason)))
        with self.archive.transaction() as conn:
            manifest = self._manifest_writer(key)
            if manifest is None:
                insert_listing(conn, key, ManifestWriter.empty(conn), state, reason or None)
            else:
                finish_listing(conn, key, manifest.seal(), state, reason or None)
                del self._manifests[key]
            self._stored_ids.pop(key, None)

    def add_missing(
        self, kind: str, id_: str, reason: str, parent: str = "", name: str = "", expected: bool = False
    ) -> None:
        """Report something that could not be read. `expected`: the service never returns it."""
        reason = storable_text(redact(mask_text(reason)))
        texts = (parent, storable_text(id_), storable_text(name) or None, reason)
        with self.archive.transaction() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO missing "
                "(snapshot_id, kind, parent_id, object_id, name, reason, expected) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self.id, kind, *texts, expected),
            )

    def finish(
        self, state: Literal["complete", "partial"], api_version: str, shown: Mapping[str, JSON] | None = None
    ) -> None:
        """End the snapshot and store its fingerprint. `shown`: which optional fields of each kind the service
        returned on request (`granted`), and which it refused (`hidden`); what it showed of `models`."""
        with self.archive.transaction() as conn:
            self.archive.packer.flush()
            conn.execute(
                "UPDATE snapshots SET state = ?, finished_at = ?, api_version = ?, digest = ?, shown = ?, "
                "bodies_added = coalesce(bodies_added, 0) + ?, bytes_added = coalesce(bytes_added, 0) + ? "
                "WHERE id = ?",
                (
                    state,
                    utc_now(),
                    api_version,
                    snapshot_digest(conn, self.id),
                    json.dumps(shown) if shown else None,
                    self.archive.packer.added - self._bodies_before,
                    self.archive.size_bytes() - self._bytes_before,
                    self.id,
                ),
            )

    def _is_new(self, key: ListingKey, row: BodyRow) -> bool:
        """Whether a continued listing does not have this row yet: a server may begin it again from the
        start."""
        if not self.resumed:
            return True
        if key not in self._stored_ids:
            self._stored_ids[key] = set(map(storable_text, self.ids(key.kind, key.parent)))
        return row.object_id not in self._stored_ids[key]

    def _read_listing(self, kind: str, parent: str) -> ListingRow | None:
        return read_listing(self.archive.conn, ListingKey(self.id, kind, parent))

    def _manifest_writer(self, key: ListingKey) -> ManifestWriter | None:
        """The content of a listing in progress, if the listing was begun. Nothing of it is kept after a
        transaction that failed."""
        if self._rollbacks != self.archive.rollbacks:
            self._manifests.clear()
            self._rollbacks = self.archive.rollbacks
        if key not in self._manifests:
            listing = read_listing(self.archive.conn, key)
            if listing is None:
                return None
            self._manifests[key] = self._resume(key, listing)
        return self._manifests[key]

    def _resume(self, key: ListingKey, listing: ListingRow) -> ManifestWriter:
        conn = self.archive.conn
        if listing.sha is None:
            self.archive.packer.flush()
            return ManifestWriter.resume(conn, listing.manifest)
        copy = ManifestWriter.copy(conn, listing.manifest)  # other snapshots may share the sealed one
        set_listing_manifest(conn, key, copy.manifest)
        return copy
