"""The history of an id in every snapshot of its endpoints: its place, its body, or why it was not seen.

Bodies and listings are shared by hash, so equal numbers are equal content: only what has the id is decoded.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migrate.archive.hashes import body_id, storable_text
from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.sql_connection import SqlConnection
from migrate.model import KINDS, EntityKey
from migrate.model.input_limits import loads
from migrate.model.results.archive import SnapshotInfo, StoredBody


def snapshots_with(conn: SqlConnection, object_id: str, other_than: int | None = None) -> Iterator[int]:
    """Their numbers, the newest first."""
    for info in reversed(list_snapshots(conn)):
        if info.id != other_than and SnapshotReader(conn, info).find(object_id):
            yield info.id


def describe_other_snapshot(snapshot: SnapshotReader, object_id: str) -> str:
    """Where an object is that a snapshot does not have, in words: '; snapshot 2 has it', or ''."""
    number = next(snapshots_with(snapshot.conn, object_id, snapshot.info.id), None)
    return "" if number is None else f"; snapshot {number} has it"


FILTERED_REASON = "filtered by --include or --exclude"
# State of a listing that gives no reason -> the reason.
DEFAULT_GAP_REASONS = {"": "not asked for", "reading": "the snapshot was interrupted"}

# Snapshot -> listing, its state, its reason.
ListingBySnapshot = dict[int, tuple[int, str, str]]


@dataclass(frozen=True)
class ObjectSighting:
    """One snapshot as far as it concerns one object. `body` is None where the object is not in it; that
    means gone only where `gap`, the reason why it could not be seen, is empty."""

    snapshot: SnapshotInfo
    body: int | None
    gap: str = ""


@dataclass(frozen=True)
class ChildListing:
    """What lay below an object in one snapshot: a listing that was read whole."""

    snapshot: int
    listing: int


@dataclass(frozen=True)
class ObjectTrace:
    """One object in one place of one endpoint, over all snapshots of it, oldest first."""

    type: str
    url: str
    kind: str
    parent: str
    id: str
    sights: tuple[ObjectSighting, ...]
    contents: tuple[ChildListing, ...] = ()


def absence_gap(info: SnapshotInfo, kind: str, state: str, reason: str) -> str:
    """Why absence from a listing means nothing, or ''. `gone`: its parent was being deleted."""
    if state == "gone":
        return ""
    if reason or state != "complete":
        return reason or DEFAULT_GAP_REASONS.get(state, state)
    options = info.options
    rules = [rule for name in ("include", "exclude") for rule in options.get(name) or ()]
    return FILTERED_REASON if any(rule[0] == kind for rule in rules) else ""


def read_body(conn: SqlConnection, number: int) -> StoredBody:
    """A body by its number."""
    found: StoredBody = loads(BodyReader(conn).text(number))
    return found


def listing_size(conn: SqlConnection, listing: int) -> int:
    """How many objects a listing holds; nothing of it is read."""
    row = conn.execute("SELECT coalesce(sum(count), 0) FROM spans WHERE manifest_id = ?", (listing,))
    return int(row.fetchone()[0])


def listing_ids(conn: SqlConnection, listing: int) -> list[str]:
    """The ids in a listing, in order."""
    return [body_id(loads(text)) for _, text in BodyReader(conn).listing(listing)]


def trace_object(conn: SqlConnection, object_id: str) -> list[ObjectTrace]:
    """Everything of this id: a file also in each store that held it, and on every endpoint."""
    wanted = storable_text(object_id)
    found = _HistoryQuery(conn, list_snapshots(conn))
    held = found.holding([wanted], KINDS)
    return [
        found.trace(place, wanted, held[place[1]][wanted])
        for place in sorted(found.places({kind: ids[wanted] for kind, ids in held.items()}))
    ]


# Number of the endpoint, kind, parent.
EndpointScope = tuple[int, str, str]


class _HistoryQuery:
    """Answers of one archive, each asked once."""

    def __init__(self, conn: SqlConnection, infos: list[SnapshotInfo]) -> None:
        self._conn = conn
        self._bodies = BodyReader(conn)
        self._infos = {info.id: info for info in infos}
        self._scopes: dict[EndpointScope, ListingBySnapshot] = {}
        self._parents: dict[tuple[str, str], frozenset[int]] = {}

    def holding(self, ids: Collection[str], kinds: Iterable[str]) -> dict[str, dict[str, dict[int, int]]]:
        """Kind -> id -> listing -> body: the first one where a listing has several."""
        found: dict[str, dict[str, dict[int, int]]] = {}
        for id_ in ids:
            bodies = [(number, kind) for number, kind, _ in self._bodies.of_id(id_) if kind in kinds]
            rows = [(*row, number, kind) for number, kind in bodies for row in self._listings_of(number)]
            for listing, _, number, kind in sorted(rows):
                found.setdefault(kind, {}).setdefault(id_, {}).setdefault(listing, number)
        return found

    def _listings_of(self, number: int) -> list[tuple[int, int]]:
        """Every listing that holds a body, and its place in it."""
        pack, place = divmod(number, BODIES_PER_PACK)
        rows = self._conn.execute(
            "SELECT manifest_id, ordinal + ? - place FROM spans "
            "WHERE pack_id = ? AND place <= ? AND place + count > ?",
            (place, pack, place, place),
        )
        return rows.fetchall()

    def places(self, held: Mapping[str, Mapping[int, int]]) -> set[EndpointScope]:
        """Where the listings of each kind lie."""
        places: set[EndpointScope] = set()
        for kind, listings in held.items():
            places.update(
                self._conn.execute(
                    "SELECT DISTINCT n.endpoint_id, s.kind, s.parent_id FROM snapshots n CROSS JOIN scopes s "
                    "ON s.snapshot_id = n.id AND s.kind = ? "
                    "WHERE s.manifest_id IN (SELECT value FROM json_each(?))",
                    (kind, json.dumps(list(listings))),
                )
            )
        return places

    def trace(self, place: EndpointScope, id_: str, listings: Mapping[int, int]) -> ObjectTrace:
        """One object in one place."""
        endpoint, kind, parent = place
        sights = []
        scopes = self._of(place)
        for number in self._snapshots[endpoint]:
            listing, state, reason = scopes.get(number, (0, "", ""))
            seen = listings.get(listing)
            gap = "" if seen is not None else absence_gap(self._infos[number], kind, state, reason)
            if gap and not state and parent and self._parent_gone(place, number):
                gap = ""
            sights.append(ObjectSighting(self._infos[number], seen, gap))
        first = sights[0].snapshot
        below = self._below(endpoint, kind, id_)
        return ObjectTrace(first.type, first.url, kind, parent, id_, tuple(sights), below)

    def _below(self, endpoint: int, kind: str, id_: str) -> tuple[ChildListing, ...]:
        child = CHILD_KINDS.get(kind)
        if child is None:
            return ()
        rows = self._of((endpoint, child, id_)).items()
        return tuple(
            ChildListing(number, listing)
            for number, (listing, state, reason) in sorted(rows)
            if not absence_gap(self._infos[number], child, state, reason) and state != "gone"
        )

    def _parent_gone(self, place: EndpointScope, number: int) -> bool:
        """Whether a snapshot saw that what an object lay in is not there any more."""
        endpoint, kind, parent = place
        above = KINDS[kind].parent
        listing, state, reason = self._of((endpoint, above, "")).get(number, (0, "", ""))
        if (above, parent) not in self._parents:
            held = self.holding([parent], [above]).get(above, {}).get(parent, {})
            self._parents[above, parent] = frozenset(held)
        seen = listing in self._parents[above, parent]
        return not seen and not absence_gap(self._infos[number], above, state, reason)

    def _of(self, place: EndpointScope) -> ListingBySnapshot:
        """The listing of a place in each snapshot that has it."""
        if place not in self._scopes:
            rows = self._conn.execute(
                "SELECT n.id, s.manifest_id, s.state, coalesce(s.reason, '') FROM snapshots n "
                "CROSS JOIN scopes s ON s.snapshot_id = n.id AND s.kind = ? AND s.parent_id = ? "
                "WHERE n.endpoint_id = ?",
                (place[1], place[2], place[0]),
            )
            self._scopes[place] = {number: (listing, state, why) for number, listing, state, why in rows}
        return self._scopes[place]

    @cached_property
    def _snapshots(self) -> dict[int, list[int]]:
        """The snapshots of each endpoint, oldest first."""
        found: dict[int, list[int]] = {}
        for number, endpoint in self._conn.execute("SELECT id, endpoint_id FROM snapshots ORDER BY id"):
            found.setdefault(endpoint, []).append(number)
        return found


# Kind -> what lies in it, as its history tells.
CHILD_KINDS = {"vector_store": "vector_store_file", "thread": "message"}


# Number and start of a snapshot.
FirstSeen = tuple[int, str]


def first_seen_unchanged(
    conn: SqlConnection, snapshot_id: int, keys: Collection[EntityKey]
) -> dict[EntityKey, FirstSeen]:
    """(kind, parent, id) -> the first snapshot of the unbroken run, back from the given one, that holds the
    very same body. Snapshots that could not see an object neither break nor begin a run. What the given
    snapshot does not hold is not in the answer."""
    found: dict[EntityKey, FirstSeen] = {}
    for kind, parent in sorted({key[:2] for key in keys}):
        wanted = {storable_text(key[2]): key for key in keys if key[:2] == (kind, parent)}
        for id_, since in _of_listing(conn, snapshot_id, kind, storable_text(parent), wanted).items():
            found[wanted[id_]] = since
    return found


def _of_listing(
    conn: SqlConnection, snapshot_id: int, kind: str, parent: str, wanted: Collection[str]
) -> dict[str, FirstSeen]:
    """Walks back listing by listing; of equal ones only the first is looked into."""
    steps = _back(conn, snapshot_id, kind, parent)
    start = next(steps, None)
    if start is None or start[0] != snapshot_id:
        return {}
    number, began, before, _ = start
    reader = BodyReader(conn)
    versions = {body: id_ for id_ in wanted for body, of, _ in reader.of_id(id_) if of == kind}
    bodies = {versions[body]: body for body in reversed(_held(reader, before, versions))}
    since = dict.fromkeys(bodies, (number, began))
    alive = set(bodies)
    for number, began, listing, gap in steps:
        if not alive:
            break
        if listing == before and not gap:
            since.update(dict.fromkeys(alive, (number, began)))
            continue
        held = _held(reader, listing, versions)
        same = alive & {versions[body] for body in held if bodies.get(versions[body]) == body}
        since.update(dict.fromkeys(same, (number, began)))
        alive = same | (alive - {versions[body] for body in held} if gap else set())
        before = 0 if gap else listing  # who was not in a gapped listing is not proven by its like
    return since


def _back(
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


def _held(reader: BodyReader, listing: int, versions: Collection[int]) -> list[int]:
    """Which of these bodies a listing holds, in its order."""
    return [number for number in reader.numbers(listing) if number in versions]
