"""Writes one snapshot, page by page; what was read until a crash stays and is continued from.

Only the thread that opened the archive calls this. A page is one short transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

from migrate import __version__
from migrate.archive.fingerprints import listing_sha, snapshot_digest
from migrate.archive.store import Archive
from migrate.model import JSON

ScopeState = Literal["reading", "complete", "failed", "gone"]

NEXT = "(SELECT max((SELECT coalesce(max(id), 0) FROM snapshots), user_version) + 1 FROM pragma_user_version)"
"""A number that no snapshot had, a forgotten one neither."""


def now() -> str:
    """The time as the archive writes it: UTC, ISO 8601, seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


_plain = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_escaped = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def body_text(body: Mapping[str, JSON]) -> str:
    """A body as it is stored: every value and the key order as received, without white space."""
    try:
        (text := _plain(body)).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8 form; escaped it survives
        text = _escaped(body)
    return text


def storable(text: str) -> str:
    """Text that SQLite can hold: a lone surrogate has no UTF-8 form and is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class Row:
    """One body ready to be stored; hashing is done by the thread that received it."""

    object_id: str
    text: str
    sha: bytes

    @classmethod
    def of(cls, kind: str, body: Mapping[str, JSON]) -> Row:
        text = body_text(body)
        sha = hashlib.sha256(f"{kind}\0{text}".encode()).digest()
        return cls(storable(str(body.get("id", ""))), text, sha)


class SnapshotWriter:
    """A snapshot being read."""

    def __init__(self, archive: Archive, snapshot: int, endpoint: int, resumed: bool) -> None:
        self.archive = archive
        self.id = snapshot
        self.endpoint = endpoint
        self.resumed = resumed
        self._kept: dict[tuple[str, str], set[str]] = {}
        self._bodies_before = _count(archive, "bodies")
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
                f"VALUES ({NEXT}, ?, ?, 'reading', ?, ?, ?)",
                (endpoint, tag, now(), __version__, wanted),
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
        rows = self.archive.conn.execute(
            "SELECT b.body FROM scopes s JOIN entries e ON e.manifest_id = s.manifest_id "
            "JOIN bodies b ON b.id = e.body_id "
            "WHERE s.snapshot_id = ? AND s.kind = ? AND s.parent_id = ? ORDER BY e.ordinal",
            (self.id, kind, parent),
        )
        return [json.loads(text) for (text,) in rows]

    def holders(self, kind: str, id_: str) -> list[str]:
        """Parents below which an object of this id was listed: the stores that hold a file."""
        rows = self.archive.conn.execute(
            "SELECT DISTINCT s.parent_id FROM scopes s JOIN entries e ON e.manifest_id = s.manifest_id "
            "JOIN bodies b ON b.id = e.body_id WHERE s.snapshot_id = ? AND s.kind = ? AND b.object_id = ?",
            (self.id, kind, storable(id_)),
        )
        return [parent for (parent,) in rows]

    def restart(self, kind: str, parent: str) -> None:
        """Forget what an interrupted snapshot kept of a listing that cannot be continued."""
        with self.archive.transaction() as conn:
            row = conn.execute(
                "DELETE FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ? "
                "RETURNING manifest_id",
                (self.id, kind, parent),
            ).fetchone()
            if row:
                conn.execute("DELETE FROM manifests WHERE id = ? AND sha IS NULL", row)

    def page(self, kind: str, parent: str, rows: Iterable[Row], cursor: str) -> None:
        """Keep one page of a listing."""
        with self.archive.transaction() as conn:
            manifest, count = self._manifest(kind, parent)
            ids = self._bodies(kind, [row for row in rows if self._is_new(kind, parent, row)])
            conn.executemany(
                "INSERT INTO entries VALUES (?, ?, ?)",
                [(manifest, count + n, body) for n, body in enumerate(ids)],
            )
            conn.execute(
                "UPDATE scopes SET cursor = ? WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
                (cursor, self.id, kind, parent),
            )

    def end(self, kind: str, parent: str = "", state: ScopeState = "complete", reason: str = "") -> None:
        """A listing was read to its end, or not, and why. The same listing as before is shared."""
        with self.archive.transaction() as conn:
            manifest, _ = self._manifest(kind, parent)
            sha = listing_sha(self.archive.conn, manifest)
            same = conn.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
            use = same[0] if same else manifest
            conn.execute(
                "UPDATE scopes SET state = ?, reason = ?, manifest_id = ?, cursor = NULL "
                "WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
                (state, reason or None, use, self.id, kind, parent),
            )
            if same and same[0] != manifest:
                conn.execute("DELETE FROM manifests WHERE id = ?", (manifest,))
            elif not same:
                conn.execute("UPDATE manifests SET sha = ? WHERE id = ?", (sha, manifest))

    def missing(self, kind: str, id_: str, reason: str, parent: str = "", name: str = "") -> None:
        """Name something that could not be read."""
        with self.archive.transaction() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO missing VALUES (?, ?, ?, ?, ?, ?)",
                (self.id, kind, parent, storable(id_), storable(name) or None, storable(reason)),
            )

    def finish(self, state: Literal["complete", "partial"], api_version: str) -> None:
        """Close the snapshot and fingerprint it."""
        with self.archive.transaction() as conn:
            conn.execute(
                "UPDATE snapshots SET state = ?, finished_at = ?, api_version = ?, digest = ?, "
                "bodies_added = coalesce(bodies_added, 0) + ?, bytes_added = coalesce(bytes_added, 0) + ? "
                "WHERE id = ?",
                (
                    state,
                    now(),
                    api_version,
                    snapshot_digest(conn, self.id),
                    _count(self.archive, "bodies") - self._bodies_before,
                    _size(self.archive) - self._bytes_before,
                    self.id,
                ),
            )

    def _is_new(self, kind: str, parent: str, row: Row) -> bool:
        """Whether a continued listing has this row not yet: a server may begin it anew."""
        if not self.resumed:
            return True
        kept = self._kept.setdefault((kind, parent), set())
        if not kept:
            kept.update(map(storable, self.ids(kind, parent)))
        return row.object_id not in kept

    def _manifest(self, kind: str, parent: str) -> tuple[int, int]:
        """The manifest of a listing in progress and how many rows it has."""
        conn = self.archive.conn
        row = conn.execute(
            "SELECT s.manifest_id, m.sha FROM scopes s JOIN manifests m ON m.id = s.manifest_id "
            "WHERE s.snapshot_id = ? AND s.kind = ? AND s.parent_id = ?",
            (self.id, kind, parent),
        ).fetchone()
        if row is None:
            manifest = int(conn.execute("INSERT INTO manifests (sha) VALUES (NULL)").lastrowid or 0)
            conn.execute(
                "INSERT INTO scopes (snapshot_id, kind, parent_id, manifest_id, state) "
                "VALUES (?, ?, ?, ?, 'reading')",
                (self.id, kind, parent, manifest),
            )
            return manifest, 0
        if row[1] is not None:
            row = (self._own_copy(kind, parent, row[0]),)
        count = conn.execute(
            "SELECT coalesce(max(ordinal), -1) + 1 FROM entries WHERE manifest_id = ?", (row[0],)
        ).fetchone()[0]
        return int(row[0]), int(count)

    def _own_copy(self, kind: str, parent: str, sealed: int) -> int:
        """A sealed manifest may be shared by other snapshots: what is added goes to a copy."""
        conn = self.archive.conn
        manifest = int(conn.execute("INSERT INTO manifests (sha) VALUES (NULL)").lastrowid or 0)
        conn.execute(
            "INSERT INTO entries SELECT ?, ordinal, body_id FROM entries WHERE manifest_id = ?",
            (manifest, sealed),
        )
        conn.execute(
            "UPDATE scopes SET manifest_id = ? WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
            (manifest, self.id, kind, parent),
        )
        return manifest

    def _bodies(self, kind: str, rows: list[Row]) -> list[int]:
        """Store what is new of a page; the ids of all of it, in order."""
        conn = self.archive.conn
        conn.executemany(
            "INSERT OR IGNORE INTO bodies (sha, kind, object_id, body) VALUES (?, ?, ?, ?)",
            [(row.sha, kind, row.object_id, row.text) for row in rows],
        )
        ids: dict[bytes, int] = {}
        for start in range(0, len(rows), 500):
            part = [row.sha for row in rows[start : start + 500]]
            marks = ",".join("?" * len(part))
            ids.update(conn.execute(f"SELECT sha, id FROM bodies WHERE sha IN ({marks})", part))
        return [ids[row.sha] for row in rows]


def _count(archive: Archive, table: str) -> int:
    return int(archive.conn.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])


def _size(archive: Archive) -> int:
    pages = archive.conn.execute("PRAGMA page_count").fetchone()[0]
    return int(pages) * int(archive.conn.execute("PRAGMA page_size").fetchone()[0])
