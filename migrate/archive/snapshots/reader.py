"""Reads snapshots back: bodies in the order of their listing, states, and what is missing."""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from migrate.archive.blobs import Blob, blob_of
from migrate.archive.hashes import storable_text
from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.sql_connection import SqlConnection
from migrate.model import JSON
from migrate.model.entity import COUNT_MISMATCH_REASON
from migrate.model.input_limits import loads
from migrate.model.results.archive import MissingObject, SnapshotInfo, StoredBody


class ListingBodies:
    """Cheapest in order: the packs that were used last are at hand."""

    def __init__(
        self, bodies: BodyReader, spans: Sequence[tuple[int, int, int]], load: Callable[[str], StoredBody]
    ) -> None:
        """`spans`: pack, first place in it and count, in order."""
        self._bodies, self._spans, self._load = bodies, spans, load
        self._starts = [0]
        for _, _, count in spans:
            self._starts.append(self._starts[-1] + count)

    def __len__(self) -> int:
        return self._starts[-1]

    def read(self, place: int) -> StoredBody:
        """The body at a place, which must be less than the length."""
        span = bisect_right(self._starts, place) - 1
        pack, first, count = self._spans[span]
        return self._load(self._bodies.pack(pack, first + count)[1][first + place - self._starts[span]])


def list_snapshots(conn: SqlConnection) -> list[SnapshotInfo]:
    """Every snapshot of an archive, oldest first."""
    rows = conn.execute(
        "SELECT s.id, e.type, e.url, s.tag, s.state, s.started_at, s.finished_at, s.api_version, s.digest, "
        "s.bodies_added, s.bytes_added, s.options, s.shown "
        "FROM snapshots s JOIN endpoints e ON e.id = s.endpoint_id ORDER BY s.id"
    )
    return [_info(row) for row in rows]


def newest_snapshot(conn: SqlConnection, type_: str, url: str) -> SnapshotInfo | None:
    """The newest finished snapshot of one endpoint, a complete one before a partial one. One shard of an
    endpoint does not stand for it."""
    known = [s for s in list_snapshots(conn) if (s.type, s.url) == (type_, url) and not s.interrupted]
    known = [s for s in known if "shard" not in s.options]
    return max(known, key=lambda s: (s.state == "complete", s.id), default=None)


def _info(row: tuple[JSON, ...]) -> SnapshotInfo:
    id_, type_, url, tag, state, started, finished, version, digest, bodies, bytes_, options, shown = row
    interrupted = state == "reading"
    return SnapshotInfo(
        id_,
        type_,
        url,
        tag or "",
        "partial" if interrupted else state,
        started,
        finished or "",
        version,
        digest or "",
        interrupted,
        bodies or 0,
        bytes_ or 0,
        json.loads(options),
        json.loads(shown) if shown else {},
    )


class SnapshotReader:
    """One snapshot. It may be read by as many threads as what it asks allows."""

    def __init__(self, conn: SqlConnection, info: SnapshotInfo) -> None:
        self.conn = conn
        self.info = info
        self._endpoint = conn.execute(
            "SELECT endpoint_id FROM snapshots WHERE id = ?", (info.id,)
        ).fetchone()[0]
        self._bodies = BodyReader(conn)

    def bodies(self, kind: str, parent: str | None = "") -> Iterator[tuple[str, StoredBody]]:
        """Parent id and body of every object of a kind; of one parent, or (None) of all of them."""
        load = _json_loader()
        for parent_id, text in self.texts(kind, parent):
            yield parent_id, load(text)

    def texts(self, kind: str, parent: str | None = "") -> Iterator[tuple[str, str]]:
        """The same, not decoded."""
        listings = "SELECT parent_id, manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ?"
        if parent is None:
            rows = self.conn.execute(f"{listings} ORDER BY parent_id", (self.info.id, kind))
        else:  # not ordered: it would walk all listings for the one
            rows = self.conn.execute(
                f"{listings} AND parent_id = ?", (self.info.id, kind, storable_text(parent))
            )
        for parent_id, manifest in rows:
            for _, text in self._bodies.listing(manifest):
                yield parent_id, text

    def placed(self, kind: str, parent: str) -> ListingBodies:
        """The bodies of one parent by their place, each read when it is asked for."""
        rows = self.conn.execute(
            "SELECT manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
            (self.info.id, kind, storable_text(parent)),
        ).fetchall()
        spans = [span for (manifest,) in rows for span in self._bodies.spans(manifest)]
        return ListingBodies(self._bodies, spans, _json_loader())

    def counts(self) -> dict[str, int]:
        """How many objects of each kind."""
        return dict(
            self.conn.execute(
                "SELECT s.kind, sum(r.count) FROM scopes s JOIN spans r ON r.manifest_id = s.manifest_id "
                "WHERE s.snapshot_id = ? GROUP BY s.kind ORDER BY s.kind",
                (self.info.id,),
            )
        )

    def count(self, kind: str, parent: str) -> int:
        """How many objects one listing held."""
        return int(
            self.conn.execute(
                "SELECT coalesce(sum(r.count), 0) FROM scopes s "
                "JOIN spans r ON r.manifest_id = s.manifest_id "
                "WHERE s.snapshot_id = ? AND s.kind = ? AND s.parent_id = ?",
                (self.info.id, kind, storable_text(parent)),
            ).fetchone()[0]
        )

    def same_listing(self, other: SnapshotReader, kind: str, parent: str = "") -> bool:
        """Whether both snapshots hold the very same bodies in the very same order, read to the end."""
        ours = self._listing_sha(kind, parent)
        return ours is not None and ours == other._listing_sha(kind, parent)

    def _listing_sha(self, kind: str, parent: str) -> bytes | None:
        row = self.conn.execute(
            "SELECT m.sha FROM scopes s JOIN manifests m ON m.id = s.manifest_id "
            "WHERE s.snapshot_id = ? AND s.kind = ? AND s.parent_id = ? AND s.state = 'complete'",
            (self.info.id, kind, storable_text(parent)),
        ).fetchone()
        return row[0] if row else None

    def scope(self, kind: str, parent: str = "") -> tuple[str, str]:
        """State and reason of a listing: complete, failed, gone, reading, or '' when it was not read."""
        row = self.conn.execute(
            "SELECT state, reason FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
            (self.info.id, kind, storable_text(parent)),
        ).fetchone()
        return (row[0], row[1] or "") if row else ("", "")

    def incomplete(self) -> list[tuple[str, str, str]]:
        """Kind, parent and reason of each listing that was not read to its end."""
        rows = self.conn.execute(
            "SELECT kind, parent_id, coalesce(reason, state) FROM scopes "
            "WHERE snapshot_id = ? AND (state != 'complete' OR substr(reason, 1, ?) = ?) ORDER BY 1, 2",
            (self.info.id, len(COUNT_MISMATCH_REASON), COUNT_MISMATCH_REASON),
        )
        return list(rows)

    def missing(self) -> list[MissingObject]:
        """What could not be read, by name."""
        rows = self.conn.execute(
            "SELECT kind, object_id, reason, parent_id, coalesce(name, ''), expected FROM missing "
            "WHERE snapshot_id = ? ORDER BY kind, object_id",
            (self.info.id,),
        )
        return [
            MissingObject(kind, id_, reason, parent, name, bool(expected))
            for kind, id_, reason, parent, name, expected in rows
        ]

    def hidden_of(self, object_id: str) -> dict[str, list[str]]:
        """Kind -> what the service did not show of objects of that id, as far as it is known."""
        found = {kind: list(values) for kind, values in (self.info.shown.get("hidden") or {}).items()}
        for gap in self.missing():
            if gap.id == storable_text(object_id):
                found.setdefault(gap.kind, []).append(gap.reason)
        return found

    def gaps(self) -> tuple[int, int]:
        """How many objects and listings could not be read, and how many more the service never gives."""
        row = self.conn.execute(
            "SELECT count(*) - total(expected), total(expected) FROM missing WHERE snapshot_id = ?",
            (self.info.id,),
        ).fetchone()
        return int(row[0]), int(row[1])

    def find(self, object_id: str) -> list[tuple[str, str, StoredBody]]:
        """Kind, parent and body of every object with this id (a file may lie in several stores)."""
        found = [
            (kind, parent, loads(text))
            for number, kind, text in self._bodies.of_id(storable_text(object_id))
            for parent, times in listings_holding(self.conn, self.info.id, kind, number)
            for _ in range(times)
        ]
        return sorted(found, key=lambda row: row[:2])

    def blob(self, file_id: str) -> Blob | None:
        """A file's bytes, if the archive has them."""
        return blob_of(self.conn, self._endpoint, file_id)


def open_snapshot(conn: SqlConnection, number: int) -> SnapshotReader:
    """The snapshot of a number, which must exist."""
    return SnapshotReader(conn, next(info for info in list_snapshots(conn) if info.id == number))


def listings_holding(conn: SqlConnection, snapshot: int, kind: str, number: int) -> list[tuple[str, int]]:
    """Parents of the listings of a kind in a snapshot that hold a body, and how often each does."""
    pack, place = divmod(number, BODIES_PER_PACK)
    rows = conn.execute(
        "SELECT s.parent_id, count(*) FROM spans r CROSS JOIN scopes s ON s.manifest_id = r.manifest_id "
        "WHERE r.pack_id = ? AND r.place <= ? AND r.place + r.count > ? "
        "AND s.snapshot_id = ? AND s.kind = ? GROUP BY 1 ORDER BY 1",
        (pack, place, place, snapshot, kind),
    )
    return rows.fetchall()


def _json_loader() -> Callable[[str], StoredBody]:
    """What reads JSON: twice as fast where the faster one was loaded for something else; loading it takes
    longer than listing a small archive."""
    fast = sys.modules.get("pydantic_core")
    if fast is None:
        return loads

    def load(text: str) -> StoredBody:
        try:
            found: StoredBody = fast.from_json(text)
        except ValueError:  # half of a character pair, or too deep
            found = loads(text)
        return found

    return load


def search_candidates(snapshot: SnapshotReader, kind: str, text: str) -> Iterator[tuple[str, StoredBody]]:
    """Parent id and body of every object of a kind in whose JSON the text occurs, whatever its case."""
    wanted = json.dumps(text, ensure_ascii=False)[1:-1].casefold()
    for parent, body in snapshot.texts(kind, None):
        if "\\u" in body or wanted in body.casefold():
            yield parent, loads(body)
