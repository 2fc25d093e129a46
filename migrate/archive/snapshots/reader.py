"""Read snapshots: bodies in the order of their listing, states of listings, and what is missing."""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from migrate.archive.blobs import Blob, find_blob
from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.hashes import storable_text
from migrate.archive.pack_cache import PackCache
from migrate.archive.packs import BODIES_PER_PACK, BodyReader, bodies_with, decompress
from migrate.archive.snapshots.listing_by_place import PlacedListing
from migrate.archive.snapshots.listings import ListingKey, ListingRow, listing_size, read_listing
from migrate.errors import BadUsage
from migrate.model import JSON
from migrate.model.entity import COUNT_MISMATCH_REASON
from migrate.model.input_limits import loads
from migrate.model.results.archive import MissingObject, SnapshotInfo, StoredBody


class ListingBodies:
    """The bodies of a listing by their place. Reading them in order is cheapest: packs are cached."""

    def __init__(
        self, bodies: BodyReader, spans: Sequence[tuple[int, int, int]], load: Callable[[str], StoredBody]
    ) -> None:
        """`spans`: pack, first place in it and count, in order."""
        self._bodies, self._spans, self._load = bodies, spans, load
        self._starts = list(accumulate((count for _, _, count in spans), initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    def read(self, place: int) -> StoredBody:
        """The body at a place, which must be less than the length."""
        return self._load(self.text(place))

    def text(self, place: int) -> str:
        """The JSON text at a place, which must be less than the length."""
        span = bisect_right(self._starts, place) - 1
        pack, first, count = self._spans[span]
        return self._bodies.pack(pack, first + count)[1][first + place - self._starts[span]]

    def load(self, text: str) -> StoredBody:
        """The body of a JSON text."""
        return self._load(text)


def list_snapshots(conn: SqlConnection) -> list[SnapshotInfo]:
    """Every snapshot of an archive, oldest first."""
    rows = conn.execute(
        "SELECT s.id, e.type, e.url, s.tag, s.state, s.started_at, s.finished_at, s.api_version, s.digest, "
        "s.bodies_added, s.bytes_added, s.options, s.shown "
        "FROM snapshots s JOIN endpoints e ON e.id = s.endpoint_id ORDER BY s.id"
    )
    return [_info(row) for row in rows]


def endpoint_numbers(conn: SqlConnection) -> dict[tuple[str, str], int]:
    """Type and address -> the number of each endpoint."""
    rows = conn.execute("SELECT type, url, id FROM endpoints")
    return {(type_, url): number for type_, url, number in rows}


def newest_snapshot(conn: SqlConnection, type_: str, url: str) -> SnapshotInfo | None:
    """The newest finished snapshot of one endpoint, but a complete one before a partial one, and either
    before one that was filtered. A shard does not count as a snapshot of its endpoint."""
    finished = (
        info
        for info in list_snapshots(conn)
        if (info.type, info.url) == (type_, url) and not info.interrupted and "shard" not in info.options
    )
    return max(
        finished, key=lambda info: (not info.is_filtered, info.state == "complete", info.id), default=None
    )


def newest_unfiltered(snapshots: Sequence[SnapshotInfo]) -> SnapshotInfo:
    """The newest snapshot that was not filtered; of filtered ones alone, the newest. `snapshots`: oldest
    first, at least one."""
    return next((info for info in reversed(snapshots) if not info.is_filtered), snapshots[-1])


def _info(row: tuple[JSON, ...]) -> SnapshotInfo:
    id_, type_, url, tag, state, started, finished, version, digest, bodies, bytes_, options, shown = row
    interrupted = state == "reading"
    return SnapshotInfo(
        id_, type_, url, tag or "", "partial" if interrupted else state, started, finished or "", version,
        digest or "", interrupted, bodies or 0, bytes_ or 0, json.loads(options),
        json.loads(shown) if shown else {},
    )  # fmt: skip


class NoSuchSnapshot(BadUsage):
    """The archive has no snapshot of this number, or none of this estate."""


def no_such_snapshot(number: int) -> NoSuchSnapshot:
    """The error for a snapshot that was never there, or was removed."""
    return NoSuchSnapshot(f"the archive has no snapshot {number}", todo="choose one of those that it has")


class SnapshotReader:
    """One snapshot. As many threads may use it as may use `conn`. `packs`: what several readers share. Raises
    `NoSuchSnapshot` where `forget` removed it since `info` was read: all of its lists would look as if they
    had not been read."""

    def __init__(self, conn: SqlConnection, info: SnapshotInfo, packs: PackCache | None = None) -> None:
        self.conn = conn
        self.info = info
        row = conn.execute("SELECT endpoint_id FROM snapshots WHERE id = ?", (info.id,)).fetchone()
        if row is None:
            raise no_such_snapshot(info.id)
        self.endpoint = int(row[0])
        # File id -> bytes that the archive does not have yet, as they would be stored.
        self.further_blobs: Mapping[str, Blob] = {}
        self._bodies = BodyReader(conn, shared=packs)

    def bodies(self, kind: str, parent: str | None = "") -> Iterator[tuple[str, StoredBody]]:
        """Parent id and body of every object of a kind, of one parent or (None) of all parents."""
        load = _json_loader()
        for parent_id, text in self.texts(kind, parent):
            yield parent_id, load(text)

    def texts(self, kind: str, parent: str | None = "") -> Iterator[tuple[str, str]]:
        """Parent id and JSON text of every object of a kind, of one parent or (None) of all parents."""
        listings = "SELECT parent_id, manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ?"
        if parent is None:
            rows = self.conn.execute(f"{listings} ORDER BY parent_id", (self.info.id, kind))
        else:  # without ORDER BY: with it, SQLite would read all listings to find the one
            rows = self.conn.execute(
                f"{listings} AND parent_id = ?", (self.info.id, kind, storable_text(parent))
            )
        for parent_id, manifest in rows:
            for _, text in self._bodies.listing(manifest):
                yield parent_id, text

    def texts_with(self, kind: str, words: Collection[str]) -> Iterator[tuple[str, str]]:
        """Parent id and JSON text of every object of a kind whose text contains one of these words in either
        form of JSON, escaped or not; in no order. A few times as fast as reading all texts. Raises
        `PackDamaged`."""
        stored = {storable_text(word) for word in words}
        forms = {json.dumps(word, ensure_ascii=escaped)[1:-1] for word in stored for escaped in (False, True)}
        wanted = sorted(form.encode() for form in forms)
        packs = self.conn.execute(
            "SELECT id, data, size FROM packs WHERE id IN (SELECT r.pack_id FROM scopes s "
            "JOIN spans r ON r.manifest_id = s.manifest_id WHERE s.snapshot_id = ? AND s.kind = ?)",
            (self.info.id, kind),
        )
        for pack, data, size in packs if wanted else ():
            found = dict(bodies_with(decompress(data, size), wanted))
            spans = (
                self.conn.execute(
                    "SELECT s.parent_id, r.place, r.count FROM spans r CROSS JOIN scopes s "
                    "ON s.manifest_id = r.manifest_id WHERE r.pack_id = ? AND s.snapshot_id = ? "
                    "AND s.kind = ? ORDER BY s.parent_id, r.ordinal",
                    (pack, self.info.id, kind),
                ).fetchall()
                if found
                else ()
            )
            for parent, first, count in spans:
                yield from ((parent, found[n]) for n in range(first, first + count) if n in found)

    def texts_from(self, kind: str, place: tuple[str, int]) -> Iterator[tuple[tuple[str, int], str]]:
        """Place and JSON text of every object of a kind, of all parents, beginning at a place. A place is a
        parent, and a position in its listing, counted from 0."""
        first, start = place
        rows = self.conn.execute(
            "SELECT parent_id, manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id >= ? "
            "ORDER BY parent_id",
            (self.info.id, kind, first),
        )
        for parent, manifest in rows:
            begin = start if parent == first else 0
            for position, (_, text) in enumerate(self._bodies.listing(manifest, begin), begin):
                yield (parent, position), text

    def body_text(self, number: int) -> str:
        """The JSON text of a body by its number."""
        return self._bodies.read(number)[1]

    def listing_bodies(self, kind: str, parent: str) -> ListingBodies:
        """The bodies of one listing by their place, each read on demand."""
        listing = self._listing(kind, parent)
        spans = list(self._bodies.spans(listing.manifest)) if listing else []
        return ListingBodies(self._bodies, spans, _json_loader())

    def listing_by_place(self, kind: str, parent: str) -> PlacedListing | None:
        """One listing by place, for pages of it; None where the snapshot has no such listing."""
        listing = self._listing(kind, parent)
        return PlacedListing(self.conn, self._bodies, listing) if listing else None

    def counts(self) -> dict[str, int]:
        """How many objects of each kind the snapshot has."""
        return dict(
            self.conn.execute(
                "SELECT s.kind, sum(r.count) FROM scopes s JOIN spans r ON r.manifest_id = s.manifest_id "
                "WHERE s.snapshot_id = ? GROUP BY s.kind ORDER BY s.kind",
                (self.info.id,),
            )
        )

    def count(self, kind: str, parent: str) -> int:
        """How many objects one listing has."""
        listing = self._listing(kind, parent)
        return listing_size(self.conn, listing.manifest) if listing else 0

    def listed_bytes(self, kind: str, parent: str) -> int:
        """The bytes of JSON of one listing, roughly. Reads no body."""
        listing = self._listing(kind, parent)
        return first_value(
            self.conn,
            "SELECT total(p.size * r.count / max(p.count, 1)) FROM spans r JOIN packs p ON p.id = r.pack_id "
            "WHERE r.manifest_id = ?",
            (listing.manifest if listing else 0,),
            0,
        )

    def has_equal_listing(self, right: SnapshotReader, kind: str, parent: str) -> bool:
        """Whether both snapshots have the same bodies in the same order, read to the end."""
        listings = self._listing(kind, parent), right._listing(kind, parent)
        left_sha, right_sha = (row.sha if row and row.state == "complete" else None for row in listings)
        return left_sha is not None and left_sha == right_sha

    def _listing(self, kind: str, parent: str) -> ListingRow | None:
        return read_listing(self.conn, ListingKey(self.info.id, kind, storable_text(parent)))

    def listing_state(self, kind: str, parent: str = "") -> tuple[str, str]:
        """State and reason of a listing. The state is complete, failed, gone, reading, or '' where the
        listing was not read."""
        listing = self._listing(kind, parent)
        return (listing.state, listing.reason) if listing else ("", "")

    def message_gap(self, thread: str) -> str:
        """Why the messages of a thread are not complete, or ''."""
        state, reason = self.listing_state("message", thread)
        return "" if state == "complete" else reason or state or "its messages were not read"

    def incomplete(self) -> list[tuple[str, str, str]]:
        """Kind, parent and reason of each listing that was not read to its end."""
        rows = self.conn.execute(
            "SELECT kind, parent_id, coalesce(reason, state) FROM scopes "
            "WHERE snapshot_id = ? AND (state != 'complete' OR substr(reason, 1, ?) = ?) ORDER BY 1, 2",
            (self.info.id, len(COUNT_MISMATCH_REASON), COUNT_MISMATCH_REASON),
        )
        return list(rows)

    def missing(self) -> list[MissingObject]:
        """Everything that could not be read."""
        rows = self.conn.execute(
            "SELECT kind, object_id, reason, parent_id, coalesce(name, ''), expected FROM missing "
            "WHERE snapshot_id = ? ORDER BY kind, object_id",
            (self.info.id,),
        )
        return [
            MissingObject(kind, id_, reason, parent, name, bool(expected))
            for kind, id_, reason, parent, name, expected in rows
        ]

    def missing_below(self, kind: str, parent: str) -> dict[str, list[str]]:
        """Id of an object below a parent -> what could not be read of it. The listing has the id `*`."""
        found: dict[str, list[str]] = {}
        rows = self.conn.execute(
            "SELECT object_id, reason FROM missing WHERE snapshot_id = ? AND kind = ? AND parent_id = ?",
            (self.info.id, kind, storable_text(parent)),
        )
        for id_, reason in rows:
            found.setdefault(id_, []).append(reason)
        return found

    def missing_object(self, kind: str, object_id: str, parent: str = "") -> MissingObject | None:
        """Why one object could not be read, if that was noted."""
        row = self.conn.execute(
            "SELECT reason, coalesce(name, ''), expected FROM missing "
            "WHERE snapshot_id = ? AND kind = ? AND parent_id = ? AND object_id = ?",
            (self.info.id, kind, storable_text(parent), storable_text(object_id)),
        ).fetchone()
        return MissingObject(kind, object_id, row[0], parent, row[1], bool(row[2])) if row else None

    def hidden_parts(self, object_id: str) -> dict[str, list[str]]:
        """Kind -> what the service did not return of objects with this id, as far as that is known."""
        hidden = {kind: list(values) for kind, values in (self.info.shown.get("hidden") or {}).items()}
        for gap in self.missing():
            if gap.id == storable_text(object_id):
                hidden.setdefault(gap.kind, []).append(gap.reason)
        return hidden

    def gaps(self) -> tuple[int, int]:
        """How many objects and listings could not be read, and how many more the service never returns."""
        row = self.conn.execute(
            "SELECT count(*) - total(expected), total(expected) FROM missing WHERE snapshot_id = ?",
            (self.info.id,),
        ).fetchone()
        return int(row[0]), int(row[1])

    def find(self, object_id: str) -> list[tuple[str, str, StoredBody]]:
        """Kind, parent and body of every object with this id (a file may be in several vector stores)."""
        objects = [
            (kind, parent, loads(text))
            for number, kind, text in self._bodies.find_by_id(storable_text(object_id))
            for parent, times in parents_of_body(self.conn, self.info.id, kind, number)
            for _ in range(times)
        ]
        return sorted(objects, key=lambda row: row[:2])

    def body_of(self, kind: str, object_id: str) -> StoredBody | None:
        """The first body of a kind with this id; None where there is none."""
        return next((body for of, _, body in self.find(object_id) if of == kind), None)

    def places_of_body(self, kind: str, parent: str, pack: int, place: int) -> list[int]:
        """The positions of a body in a listing, counted from 0. A faulty service may list one twice."""
        listing = self._listing(kind, parent)
        rows = self.conn.execute(
            "SELECT ordinal + ? - place FROM spans WHERE pack_id = ? AND manifest_id = ? "
            "AND place <= ? AND place + count > ? ORDER BY 1",
            (place, pack, listing.manifest if listing else 0, place, place),
        )
        return [row[0] for row in rows]

    def blob(self, file_id: str) -> Blob | None:
        """The bytes of a file, if the archive has them."""
        return self.further_blobs.get(file_id) or find_blob(self.conn, self.endpoint, file_id)


def open_snapshot(conn: SqlConnection, number: int) -> SnapshotReader:
    """The snapshot of a number, which must exist."""
    return SnapshotReader(conn, next(info for info in list_snapshots(conn) if info.id == number))


def parents_of_body(conn: SqlConnection, snapshot: int, kind: str, number: int) -> list[tuple[str, int]]:
    """The parents in whose listings a body is, in one snapshot, and how often it is in each."""
    pack, place = divmod(number, BODIES_PER_PACK)
    rows = conn.execute(
        "SELECT s.parent_id, count(*) FROM spans r CROSS JOIN scopes s ON s.manifest_id = r.manifest_id "
        "WHERE r.pack_id = ? AND r.place <= ? AND r.place + r.count > ? "
        "AND s.snapshot_id = ? AND s.kind = ? GROUP BY 1 ORDER BY 1",
        (pack, place, place, snapshot, kind),
    )
    return rows.fetchall()


def _json_loader() -> Callable[[str], StoredBody]:
    """The function that parses JSON. pydantic_core parses twice as fast, but importing it takes longer than
    listing a small archive, so it is used only where something else has imported it."""
    if "pydantic_core" not in sys.modules:
        return loads
    from migrate.archive.bodies import load_body

    return load_body


class ScannedObject(NamedTuple):
    """A scanned object. `place`: its parent, and its position in the listing, counted from 0. `body`: None
    where it cannot contain the text."""

    place: tuple[str, int]
    body: StoredBody | None


def scan_for_text(
    snapshot: SnapshotReader, kind: str, text: str, start: tuple[str, int] = ("", 0)
) -> Iterator[ScannedObject]:
    """Every object of a kind in the order of the listings, beginning at a place. Those whose JSON may contain
    the text, in upper or lower case, with their bodies."""
    may_contain = contains_test(text)
    for place, body in snapshot.texts_from(kind, start):
        yield ScannedObject(place, loads(body) if may_contain(body) else None)


def contains_test(text: str) -> Callable[[str], bool]:
    """A quick test of the JSON of a body: whether one of its values may contain the text, in any case."""
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].casefold()
    return lambda body: "\\u" in body or escaped in body.casefold()
