"""Objects in all snapshots: the history of an id (its parent, its body, or why it could not be seen), and
every body of a kind.

Bodies and listings are shared by hash, so equal numbers mean equal content. Only bodies with the id are
decoded.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import body_id, storable_text
from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.model import KINDS, EntityKey
from migrate.model.input_limits import loads
from migrate.model.results.archive import SnapshotInfo, StoredBody
from migrate.model.selection import filter_reason

# State of a listing that has no reason -> the reason.
DEFAULT_GAP_REASONS = {"": "not asked for", "reading": "the snapshot was interrupted"}
# Kind -> kind of its children whose changes are part of its history.
CHILD_KINDS = {"vector_store": "vector_store_file", "thread": "message"}


def snapshots_with(conn: SqlConnection, object_id: str, except_snapshot: int | None = None) -> Iterator[int]:
    """The numbers of the snapshots that have an object of this id, newest first."""
    for info in reversed(list_snapshots(conn)):
        if info.id != except_snapshot and SnapshotReader(conn, info).find(object_id):
            yield info.id


def describe_other_snapshot(snapshot: SnapshotReader, object_id: str) -> str:
    """Which other snapshot has an object that this one does not have: '; snapshot 2 has it', or ''."""
    number = next(snapshots_with(snapshot.conn, object_id, snapshot.info.id), None)
    return "" if number is None else f"; snapshot {number} has it"


# Snapshot -> number of the listing's content, its state, its reason.
ListingBySnapshot = dict[int, tuple[int, str, str]]


@dataclass(frozen=True)
class ObjectSighting:
    """One object in one snapshot. `body` is None where the object is not in the snapshot. Then the object did
    not exist if `gap`, the reason why it could not be seen, is empty."""

    snapshot: SnapshotInfo
    body: int | None
    gap: str = ""


@dataclass(frozen=True)
class ChildListing:
    """The children of an object in one snapshot: a listing that was read to its end."""

    snapshot: int
    listing: int


@dataclass(frozen=True)
class ObjectTrace:
    """One object below one parent of one endpoint, in all snapshots of the endpoint, oldest first."""

    type: str
    url: str
    kind: str
    parent: str
    id: str
    sightings: tuple[ObjectSighting, ...]
    children: tuple[ChildListing, ...] = ()


def absence_gap(info: SnapshotInfo, kind: str, state: str, reason: str) -> str:
    """Why an object that is not in a listing may still exist, or '' where it does not exist. The state `gone`
    means that the parent was being deleted."""
    if state == "gone":
        return ""
    if reason or state != "complete":
        return reason or DEFAULT_GAP_REASONS.get(state, state)
    return filter_reason(info.options, kind)


def read_body(conn: SqlConnection, number: int) -> StoredBody:
    """A body by its number."""
    body: StoredBody = loads(BodyReader(conn).read(number)[1])
    return body


def listing_ids(conn: SqlConnection, listing: int) -> list[str]:
    """The ids in a listing, in order."""
    return [body_id(loads(text)) for _, text in BodyReader(conn).listing(listing)]


def trace_object(conn: SqlConnection, object_id: str) -> list[ObjectTrace]:
    """Every object of this id, on every endpoint. A file is also traced in each vector store that had it."""
    stored_id = storable_text(object_id)
    query = _HistoryQuery(conn, list_snapshots(conn))
    bodies = query.bodies_by_listing([stored_id], KINDS)
    scopes = query.scopes_of({kind: ids[stored_id] for kind, ids in bodies.items()})
    return [query.trace(scope, stored_id, bodies[scope[1]][stored_id]) for scope in sorted(scopes)]


# Number of the endpoint, kind, parent.
EndpointScope = tuple[int, str, str]


class _HistoryQuery:
    """Queries on one archive. Results that are needed again are cached."""

    def __init__(self, conn: SqlConnection, infos: list[SnapshotInfo]) -> None:
        self._conn = conn
        self._bodies = BodyReader(conn)
        self._infos = {info.id: info for info in infos}
        self._listings: dict[EndpointScope, ListingBySnapshot] = {}
        self._parents: dict[tuple[str, str], frozenset[int]] = {}

    def bodies_by_listing(
        self, ids: Collection[str], kinds: Iterable[str]
    ) -> dict[str, dict[str, dict[int, int]]]:
        """Kind -> id -> listing -> number of the body: the first one where a listing has several."""
        bodies: dict[str, dict[str, dict[int, int]]] = {}
        for id_ in ids:
            numbers = [(number, kind) for number, kind, _ in self._bodies.find_by_id(id_) if kind in kinds]
            rows = [(*row, number, kind) for number, kind in numbers for row in self._listings_with(number)]
            for listing, _, number, kind in sorted(rows):
                bodies.setdefault(kind, {}).setdefault(id_, {}).setdefault(listing, number)
        return bodies

    def _listings_with(self, number: int) -> list[tuple[int, int]]:
        """Every listing that has a body, and the body's place in it."""
        pack, place = divmod(number, BODIES_PER_PACK)
        rows = self._conn.execute(
            "SELECT manifest_id, ordinal + ? - place FROM spans "
            "WHERE pack_id = ? AND place <= ? AND place + count > ?",
            (place, pack, place, place),
        )
        return rows.fetchall()

    def scopes_of(self, listings_by_kind: Mapping[str, Iterable[int]]) -> set[EndpointScope]:
        """The endpoints and parents to which the listings of each kind belong."""
        scopes: set[EndpointScope] = set()
        for kind, listings in listings_by_kind.items():
            scopes.update(
                self._conn.execute(
                    "SELECT DISTINCT n.endpoint_id, s.kind, s.parent_id FROM snapshots n CROSS JOIN scopes s "
                    "ON s.snapshot_id = n.id AND s.kind = ? "
                    "WHERE s.manifest_id IN (SELECT value FROM json_each(?))",
                    (kind, json.dumps(list(listings))),
                )
            )
        return scopes

    def trace(self, scope: EndpointScope, id_: str, bodies: Mapping[int, int]) -> ObjectTrace:
        """One object below one parent. `bodies`: listing -> number of its body."""
        endpoint, kind, parent = scope
        sightings = []
        listings = self._listings_of(scope)
        for snapshot in self._snapshots[endpoint]:
            listing, state, reason = listings.get(snapshot, (0, "", ""))
            body = bodies.get(listing)
            gap = "" if body is not None else absence_gap(self._infos[snapshot], kind, state, reason)
            if gap and not state and parent and self._parent_is_gone(scope, snapshot):
                gap = ""
            sightings.append(ObjectSighting(self._infos[snapshot], body, gap))
        first = sightings[0].snapshot
        children = self._children(endpoint, kind, id_)
        return ObjectTrace(first.type, first.url, kind, parent, id_, tuple(sightings), children)

    def _children(self, endpoint: int, kind: str, id_: str) -> tuple[ChildListing, ...]:
        child = CHILD_KINDS.get(kind)
        if child is None:
            return ()
        return tuple(
            ChildListing(snapshot, listing)
            for snapshot, (listing, state, reason) in sorted(
                self._listings_of((endpoint, child, id_)).items()
            )
            if not absence_gap(self._infos[snapshot], child, state, reason) and state != "gone"
        )

    def _parent_is_gone(self, scope: EndpointScope, snapshot: int) -> bool:
        """Whether a snapshot shows that the parent of an object did not exist any more."""
        endpoint, kind, parent = scope
        parent_kind = KINDS[kind].parent
        listing, state, reason = self._listings_of((endpoint, parent_kind, "")).get(snapshot, (0, "", ""))
        if (parent_kind, parent) not in self._parents:
            bodies = self.bodies_by_listing([parent], [parent_kind])
            self._parents[parent_kind, parent] = frozenset(bodies.get(parent_kind, {}).get(parent, {}))
        exists = listing in self._parents[parent_kind, parent]
        return not exists and not absence_gap(self._infos[snapshot], parent_kind, state, reason)

    def _listings_of(self, scope: EndpointScope) -> ListingBySnapshot:
        """The listing of one kind and parent in each snapshot that has it."""
        if scope not in self._listings:
            endpoint, kind, parent = scope
            rows = self._conn.execute(
                "SELECT n.id, s.manifest_id, s.state, coalesce(s.reason, '') FROM snapshots n "
                "CROSS JOIN scopes s ON s.snapshot_id = n.id AND s.kind = ? AND s.parent_id = ? "
                "WHERE n.endpoint_id = ?",
                (kind, parent, endpoint),
            )
            self._listings[scope] = {
                snapshot: (listing, state, reason) for snapshot, listing, state, reason in rows
            }
        return self._listings[scope]

    @cached_property
    def _snapshots(self) -> dict[int, list[int]]:
        """The snapshots of each endpoint, oldest first."""
        snapshots: dict[int, list[int]] = defaultdict(list)
        for number, endpoint in self._conn.execute("SELECT id, endpoint_id FROM snapshots ORDER BY id"):
            snapshots[endpoint].append(number)
        return snapshots


# Number and start of a snapshot.
FirstSeen = tuple[int, str]


def first_seen_unchanged(
    conn: SqlConnection, snapshot_id: int, keys: Collection[EntityKey]
) -> dict[EntityKey, FirstSeen]:
    """(kind, parent, id) -> the first snapshot from which on every snapshot has the same body, up to the
    given one. Snapshots that could not see an object neither end nor begin such a series. Objects that the
    given snapshot does not have are not in the result."""
    result: dict[EntityKey, FirstSeen] = {}
    for kind, parent in sorted({key[:2] for key in keys}):
        by_id = {storable_text(key[2]): key for key in keys if key[:2] == (kind, parent)}
        first_seen = _first_seen_in_listing(conn, snapshot_id, kind, storable_text(parent), by_id)
        result.update({by_id[id_]: first for id_, first in first_seen.items()})
    return result


def _first_seen_in_listing(
    conn: SqlConnection, snapshot_id: int, kind: str, parent: str, ids: Collection[str]
) -> dict[str, FirstSeen]:
    """Goes back snapshot by snapshot. Of neighbours with equal listings, only one listing is read."""
    steps = _earlier_listings(conn, snapshot_id, kind, parent)
    start = next(steps, None)
    if start is None or start[0] != snapshot_id:
        return {}
    number, started_at, listing_before, _ = start
    reader = BodyReader(conn)
    id_by_body = {
        body: id_ for id_ in ids for body, body_kind, _ in reader.find_by_id(id_) if body_kind == kind
    }
    bodies = {id_by_body[body]: body for body in reversed(_bodies_in(reader, listing_before, id_by_body))}
    first_seen = dict.fromkeys(bodies, (number, started_at))
    unbroken = set(bodies)
    for number, started_at, listing, gap in steps:
        if not unbroken:
            break
        if listing == listing_before and not gap:
            first_seen.update(dict.fromkeys(unbroken, (number, started_at)))
            continue
        listed = _bodies_in(reader, listing, id_by_body)
        same = unbroken & {id_by_body[body] for body in listed if bodies.get(id_by_body[body]) == body}
        first_seen.update(dict.fromkeys(same, (number, started_at)))
        unbroken = same | (unbroken - {id_by_body[body] for body in listed} if gap else set())
        # Absence from a listing with a gap proves nothing, so an equal listing is read again.
        listing_before = 0 if gap else listing
    return first_seen


def _earlier_listings(
    conn: SqlConnection, snapshot_id: int, kind: str, parent: str
) -> Iterator[tuple[int, str, int, str]]:
    """Number, start, listing and gap of each snapshot of the endpoint that has the listing, newest first."""
    infos = {info.id: info for info in list_snapshots(conn)}
    rows = conn.execute(
        "SELECT n.id, s.manifest_id, s.state, coalesce(s.reason, '') FROM snapshots n "
        "JOIN snapshots given ON given.id = ? AND n.endpoint_id = given.endpoint_id AND n.id <= given.id "
        "CROSS JOIN scopes s ON s.snapshot_id = n.id AND s.kind = ? AND s.parent_id = ? ORDER BY n.id DESC",
        (snapshot_id, kind, parent),
    )
    for number, listing, state, reason in rows:
        info = infos[number]
        yield number, info.started_at, listing, absence_gap(info, kind, state, reason)


def _bodies_in(reader: BodyReader, listing: int, numbers: Collection[int]) -> list[int]:
    """Which of these bodies a listing has, in its order."""
    return [number for number in reader.numbers(listing) if number in numbers]


def top_level_bodies(
    conn: SqlConnection, kind: str, snapshot: int | None
) -> Iterator[tuple[str, StoredBody]]:
    """Type of the service and body of every object of a kind without a parent. `snapshot`: the number of the
    only one that is searched; None for all."""
    only = "WHERE n.id = ? " if snapshot is not None else ""
    rows = conn.execute(
        "SELECT DISTINCT e.type, s.manifest_id FROM snapshots n JOIN endpoints e ON e.id = n.endpoint_id "
        f"CROSS JOIN scopes s ON s.snapshot_id = n.id AND s.kind = ? AND s.parent_id = '' {only}",
        (kind,) if snapshot is None else (kind, snapshot),
    ).fetchall()
    reader = BodyReader(conn)
    seen: set[tuple[str, int]] = set()
    for type_, listing in rows:
        for number in reader.numbers(listing):
            if (type_, number) not in seen:
                seen.add((type_, number))
                yield type_, loads(reader.read(number)[1])
