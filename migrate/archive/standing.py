"""Objects of a snapshot in, since when each of them is as it is out."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from migrate.archive.hashing import storable
from migrate.archive.packs.reader import Bodies
from migrate.archive.query import Asked
from migrate.archive.snapshots.history import gap_of
from migrate.archive.snapshots.reader import snapshots
from migrate.model import Key

Since = tuple[int, str]
"""Number and start of a snapshot."""


def first_seen_as_is(conn: Asked, snapshot_id: int, keys: Collection[Key]) -> dict[Key, Since]:
    """(kind, parent, id) -> the first snapshot of the unbroken run, back from the given one, that holds the
    very same body. Snapshots that could not see an object neither break nor begin a run. What the given
    snapshot does not hold is not in the answer."""
    found: dict[Key, Since] = {}
    for kind, parent in sorted({key[:2] for key in keys}):
        wanted = {storable(key[2]): key for key in keys if key[:2] == (kind, parent)}
        for id_, since in _of_listing(conn, snapshot_id, kind, storable(parent), wanted).items():
            found[wanted[id_]] = since
    return found


def _of_listing(
    conn: Asked, snapshot_id: int, kind: str, parent: str, wanted: Collection[str]
) -> dict[str, Since]:
    """Walks back listing by listing; of equal ones only the first is looked into."""
    steps = _back(conn, snapshot_id, kind, parent)
    start = next(steps, None)
    if start is None or start[0] != snapshot_id:
        return {}
    number, began, before, _ = start
    reader = Bodies(conn)
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


def _back(conn: Asked, snapshot_id: int, kind: str, parent: str) -> Iterator[tuple[int, str, int, str]]:
    """Number, start, listing and gap of each snapshot of the endpoint that has the listing, newest first."""
    infos = {info.id: info for info in snapshots(conn)}
    rows = conn.execute(
        "SELECT n.id, s.manifest_id, s.state, coalesce(s.reason, '') FROM snapshots n "
        "JOIN snapshots given ON given.id = ? AND n.endpoint_id = given.endpoint_id AND n.id <= given.id "
        "CROSS JOIN scopes s ON s.snapshot_id = n.id AND s.kind = ? AND s.parent_id = ? ORDER BY n.id DESC",
        (snapshot_id, kind, parent),
    )
    for number, listing, state, reason in rows:
        info = infos[number]
        yield number, info.started_at, listing, gap_of(info, kind, state, reason)


def _held(reader: Bodies, listing: int, versions: Collection[int]) -> list[int]:
    """Which of these bodies a listing holds, in its order."""
    return [number for number in reader.numbers(listing) if number in versions]
