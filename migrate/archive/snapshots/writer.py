"""Writes one snapshot, page by page; what was read until a crash stays and is continued from.

Only the thread that opened the archive calls this. A page is one short transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Literal

from migrate import __version__
from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.hashes import snapshot_digest, storable_text
from migrate.archive.snapshots import listings
from migrate.archive.snapshots.listings import ListingWriter, ScopePlace
from migrate.archive.snapshots.reader import listings_holding
from migrate.model import JSON
from migrate.model.input_limits import loads
from migrate.model.known_secrets import redact

ScopeState = Literal["reading", "complete", "failed", "gone"]

# A number that no snapshot had, a forgotten one neither.
NEXT_NUMBER_SQL = (
    "(SELECT max((SELECT coalesce(max(id), 0) FROM snapshots), user_version) + 1 FROM pragma_user_version)"
)


def utc_now() -> str:
    """The time as the archive writes it: UTC, ISO 8601, seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class SnapshotWriter:
    """A snapshot being read."""

    def __init__(self, archive: Archive, snapshot: int, endpoint: int, resumed: bool) -> None:
        self.archive = archive
        self.id = snapshot
        self.endpoint = endpoint
        self.resumed = resumed
        self._kept: dict[tuple[str, str], set[str]] = {}
        self._listings: dict[ScopePlace, ListingWriter] = {}
        self._rollbacks = archive.rollbacks
        self._bodies_before = archive.packer.added
        self._bytes_before = _size(archive)

    @classmethod
    def begin(
        cls, archive: Archive, type_: str, url: str, options: Mapping[str, JSON], tag: str | None
    ) -> SnapshotWriter:
        """Start a snapshot, or continue the newest of this endpoint if it was interrupted and asked
        for the same; a shard belongs to the reading that its tag names, and to no other."""
        wanted = json.dumps(options, sort_keys=True)
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
            if last and last[1:3] == ("reading", wanted) and ("shard" not in options or last[3] == tag):
                conn.execute(  # what failed is tried again and named again; what is gone stays gone
                    "DELETE FROM missing WHERE snapshot_id = ? AND NOT EXISTS (SELECT 1 FROM scopes s "
                    "WHERE s.snapshot_id = missing.snapshot_id AND s.kind = missing.kind "
                    "AND s.parent_id = missing.parent_id AND s.state = 'gone')",
                    (last[0],),
                )
                conn.execute("UPDATE snapshots SET tag = coalesce(?, tag) WHERE id = ?", (tag, last[0]))
                return cls(archive, last[0], endpoint, resumed=True)
            row = conn.execute(
                "INSERT INTO snapshots (id, endpoint_id, tag, state, started_at, tool_version, options) "
                f"VALUES ({NEXT_NUMBER_SQL}, ?, ?, 'reading', ?, ?, ?)",
                (endpoint, tag, utc_now(), __version__, wanted),
            )
        return cls(archive, int(row.lastrowid or 0), endpoint, resumed=False)

    def scope(self, kind: str, parent: str = "") -> tuple[ScopeState | None, str]:
        """What is known of a listing: its state (None: not begun) and the cursor to go on from."""
        row = self.archive.conn.execute(
            "SELECT state, cursor FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
            (self.id, kind, parent),
        ).fetchone()
        return (row[0], row[1] or "") if row else (None, "")

    def ids(self, kind: str, parent: str = "") -> list[str]:
        """Ids of what is kept of a listing, in order."""
        return [str(body.get("id", "")) for body in self.bodies(kind, parent)]

    def bodies(self, kind: str, parent: str = "") -> list[dict[str, JSON]]:
        """What is kept of a listing, in order."""
        held = listings.scope_content(self.archive.conn, ScopePlace(self.id, kind, parent))
        packer = self.archive.packer
        if held is None or not any(packer.bodies.spans(held[0])):
            return []
        packer.flush()
        return [loads(text) for _, text in packer.bodies.listing(held[0])]

    def holders(self, kind: str, id_: str) -> list[str]:
        """Parents below which an object of this id was listed: the stores that hold a file."""
        self.archive.packer.flush()
        found: set[str] = set()
        for number, of_kind, _ in self.archive.packer.bodies.of_id(storable_text(id_)):
            if of_kind == kind:
                found.update(
                    parent for parent, _ in listings_holding(self.archive.conn, self.id, kind, number)
                )
        return sorted(found)

    def restart(self, kind: str, parent: str) -> None:
        """Forget what an interrupted snapshot kept of a listing that cannot be continued."""
        with self.archive.transaction() as conn:
            place = ScopePlace(self.id, kind, parent)
            self._listings.pop(place, None)
            self._kept.pop((kind, parent), None)
            manifest = listings.remove_scope(conn, place)
            conn.execute("DELETE FROM manifests WHERE id = ? AND sha IS NULL", (manifest,))

    def page(self, kind: str, parent: str, rows: Iterable[BodyRow], cursor: str) -> None:
        """Keep one page of a listing."""
        place, cursor = ScopePlace(self.id, kind, parent), storable_text(cursor)
        with self.archive.transaction() as conn:
            listing = self._listing(place)
            if listing is None:
                listing = self._listings[place] = ListingWriter.new(conn)
                listings.begin_scope(conn, place, listing.manifest, "reading", cursor=cursor)
            else:
                listings.set_scope_cursor(conn, place, cursor)
            new = [row for row in rows if self._is_new(kind, parent, row)]
            listing.add((row.sha for row in new), self.archive.packer.numbers(kind, new))

    def end(self, kind: str, parent: str = "", state: ScopeState = "complete", reason: str = "") -> None:
        """A listing was read to its end, or not, and why. The same listing as before is shared."""
        place, reason = ScopePlace(self.id, kind, parent), storable_text(redact(reason))
        with self.archive.transaction() as conn:
            listing = self._listing(place)
            if listing is None:
                listings.begin_scope(conn, place, ListingWriter.empty(conn), state, reason or None)
            else:
                listings.end_scope(conn, place, listing.seal(), state, reason or None)
                del self._listings[place]
            self._kept.pop((kind, parent), None)

    def missing(
        self, kind: str, id_: str, reason: str, parent: str = "", name: str = "", expected: bool = False
    ) -> None:
        """Name something that could not be read. `expected`: the service never gives it."""
        row = (
            kind,
            parent,
            storable_text(id_),
            storable_text(name) or None,
            storable_text(redact(reason)),
            expected,
        )
        with self.archive.transaction() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO missing "
                "(snapshot_id, kind, parent_id, object_id, name, reason, expected) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self.id, *row),
            )

    def finish(
        self, state: Literal["complete", "partial"], api_version: str, shown: Mapping[str, JSON] | None = None
    ) -> None:
        """Close the snapshot and fingerprint it. `shown`: what the service was asked to show of each kind
        (`granted`), and what it refused (`hidden`)."""
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
                    _size(self.archive) - self._bytes_before,
                    self.id,
                ),
            )

    def _is_new(self, kind: str, parent: str, row: BodyRow) -> bool:
        """Whether a continued listing has this row not yet: a server may start it again from the
        beginning."""
        if not self.resumed:
            return True
        if (kind, parent) not in self._kept:
            self._kept[kind, parent] = set(map(storable_text, self.ids(kind, parent)))
        return row.object_id not in self._kept[kind, parent]

    def _listing(self, place: ScopePlace) -> ListingWriter | None:
        """The listing in progress, if it was begun. What is known of it does not outlive a transaction that
        failed."""
        if self._rollbacks != self.archive.rollbacks:
            self._listings.clear()
            self._rollbacks = self.archive.rollbacks
        if place not in self._listings:
            held = listings.scope_content(self.archive.conn, place)
            if held is None:
                return None
            self._listings[place] = self._begun(place, *held)
        return self._listings[place]

    def _begun(self, place: ScopePlace, manifest: int, sha: bytes | None) -> ListingWriter:
        conn = self.archive.conn
        if sha is None:
            self.archive.packer.flush()
            return ListingWriter.resume(conn, manifest)
        found = ListingWriter.copy(conn, manifest)  # a sealed one may be shared by other snapshots
        listings.set_scope_manifest(conn, place, found.manifest)
        return found


def _size(archive: Archive) -> int:
    pages = archive.conn.execute("PRAGMA page_count").fetchone()[0]
    return int(pages) * int(archive.conn.execute("PRAGMA page_size").fetchone()[0])
