"""Queries on an archive that Datasette shows as pages with a form: an object by its id, and a search."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from migrate.archive.hashes import body_key_range, storable_text
from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.plugins.search_query_sql import MAX_ROWS, register_search_functions, search_sql
from migrate.archive.text_index.schema import has_text_index, is_current_format

FIRST_KEY_FUNCTION, LAST_KEY_FUNCTION = "archive_first_key", "archive_last_key"


@dataclass(frozen=True)
class ArchiveQuery:
    """One query with its form. `parameters`: the fields of the form, in order."""

    title: str
    description: str
    sql: str
    parameters: tuple[str, ...]


# The number of the snapshot; the newest one where the field is empty.
SNAPSHOT_SQL = "CAST(coalesce(nullif(:snapshot, ''), (SELECT max(id) FROM snapshots)) AS INTEGER)"

# By the keys of the id: a view would unpack every body of the archive. CROSS JOIN keeps the order.
OBJECT_SQL = f"""
WITH found AS MATERIALIZED (
  SELECT packs.id AS pack, known.body % {BODIES_PER_PACK} AS place, packs.kind,
    json_extract(CAST(sqlar_uncompress(packs.data, packs.size) AS TEXT),
      '$[' || (known.body % {BODIES_PER_PACK}) || ']') AS body
  FROM known JOIN packs ON packs.id = known.body / {BODIES_PER_PACK}
  WHERE known.key BETWEEN {FIRST_KEY_FUNCTION}(:id) AND {LAST_KEY_FUNCTION}(:id)
)
SELECT scopes.snapshot_id AS snapshot, found.kind, json_extract(found.body, '$.id') AS id,
  nullif(scopes.parent_id, '') AS parent, found.body AS whole_body
FROM found
CROSS JOIN spans ON spans.pack_id = found.pack AND found.place >= spans.place
  AND found.place < spans.place + spans.count
CROSS JOIN scopes ON scopes.manifest_id = spans.manifest_id AND scopes.kind = found.kind
  AND scopes.snapshot_id = {SNAPSHOT_SQL}
WHERE json_extract(found.body, '$.id') = :id
""".strip()

OBJECT_QUERY = "object"
SEARCH_QUERY = "search"

ARCHIVE_QUERIES = {
    OBJECT_QUERY: ArchiveQuery(
        "An object by its id",
        "Any object of one snapshot, as the service returned it. An empty snapshot means the newest one.",
        OBJECT_SQL,
        ("id", "snapshot"),
    ),
    SEARCH_QUERY: ArchiveQuery(
        "Search",
        f'Words, "phrases", beginnings*, -words that must not occur, kind:message, role:user. The newest '
        f"{MAX_ROWS} objects of one snapshot. An empty snapshot means the newest one.",
        search_sql(SNAPSHOT_SQL),
        ("q", "kind", "snapshot"),
    ),
}


def usable_queries(conn: sqlite3.Connection) -> dict[str, ArchiveQuery]:
    """The queries that an archive can answer: the search needs its index."""
    can_search = has_text_index(conn) and is_current_format(conn)
    return {name: query for name, query in ARCHIVE_QUERIES.items() if name != SEARCH_QUERY or can_search}


def register_query_functions(conn: sqlite3.Connection) -> None:
    """Add the functions that the queries need."""
    conn.create_function(FIRST_KEY_FUNCTION, 1, lambda id_: _key(id_, 0), deterministic=True)
    conn.create_function(LAST_KEY_FUNCTION, 1, lambda id_: _key(id_, 1), deterministic=True)
    register_search_functions(conn)


def _key(object_id: object, end: int) -> int:
    return body_key_range(storable_text(str(object_id)))[end]
