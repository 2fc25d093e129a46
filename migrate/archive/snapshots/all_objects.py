"""The bodies of objects that have no parent, in one snapshot or in all of them, each body once."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.archive.connections import SqlConnection
from migrate.archive.packs import BodyReader
from migrate.model.input_limits import loads
from migrate.model.results.archive import StoredBody


def top_level_bodies(
    conn: SqlConnection, kind: str, snapshot: int | None = None
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
