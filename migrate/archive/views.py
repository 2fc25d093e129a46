"""Readable views, one per kind, for people who open the archive with sqlite3 or Datasette.

Every view has `snapshot`, `ordinal` (place in its listing) and `body` (the JSON as the service gave it).
"""

from __future__ import annotations

from migrate.archive.packs.reader import PLACES

TEXT_OF_MESSAGE = """(SELECT group_concat(CASE WHEN part.type != 'object' THEN part.value ELSE coalesce(
        json_extract(part.value, '$.text.value'), json_extract(part.value, '$.text'),
        json_extract(part.value, '$.refusal'), '[' || json_extract(part.value, '$.type') || ']')
        END, char(10))
      FROM json_each(one.value, '$.content') AS part)"""

UNPACKED = "json_each(CAST(sqlar_uncompress(packs.data, packs.size) AS TEXT))"
"""A row for each body of a pack."""

SCOPES = """CREATE VIEW scopes AS SELECT listed.snapshot_id, kinds.name AS kind,
      parents.object_id AS parent_id, listed.manifest_id, coalesce(listed.state, 'complete') AS state,
      listed.reason, listed.cursor
    FROM listed JOIN kinds ON kinds.id = listed.kind_id JOIN parents ON parents.id = listed.parent_id"""
BODIES = f"""CREATE VIEW bodies AS SELECT packs.id * {PLACES} + one.key AS id, packs.kind,
      json_extract(one.value, '$.id') AS object_id, one.value AS body
    FROM packs JOIN {UNPACKED} AS one WHERE one.type != 'null'"""

LATEST = "$.versions.latest"
"""Where an agent of the new generation keeps what it is."""

COLUMNS: dict[str, tuple[str, str | None, tuple[tuple[str, str], ...]]] = {
    "assistants": ("assistant", None, (("name", "$.name"), ("model", f"$.model|{LATEST}.definition.model"),
        ("instructions", f"$.instructions|{LATEST}.definition.instructions"),
        ("created_at", f"$.created_at|{LATEST}.created_at"),
        ("metadata", f"$.metadata|{LATEST}.metadata"))),
    "threads": ("thread", None, (("created_at", "$.created_at"), ("metadata", "$.metadata"),
        ("tool_resources", "$.tool_resources"))),
    "messages": ("message", "thread_id", (("role", "$.role"), ("text", TEXT_OF_MESSAGE),
        ("created_at", "$.created_at"), ("assistant_id", "$.assistant_id"), ("run_id", "$.run_id"))),
    "runs": ("run", "thread_id", (("status", "$.status"), ("assistant_id", "$.assistant_id"),
        ("model", "$.model"), ("created_at", "$.created_at"), ("total_tokens", "$.usage.total_tokens"))),
    "run_steps": ("run_step", "thread_id", (("run_id", "$.run_id"), ("type", "$.type"),
        ("status", "$.status"), ("created_at", "$.created_at"))),
    "files": ("file", None, (("filename", "$.filename"), ("purpose", "$.purpose"), ("bytes", "$.bytes"),
        ("created_at", "$.created_at"))),
    "vector_stores": ("vector_store", None, (("name", "$.name"), ("status", "$.status"),
        ("files", "$.file_counts.total"), ("usage_bytes", "$.usage_bytes"),
        ("created_at", "$.created_at"))),
    "vector_store_files": ("vector_store_file", "vector_store_id", (("status", "$.status"),
        ("attributes", "$.attributes"), ("chunking_strategy", "$.chunking_strategy"),
        ("last_error", "$.last_error.message"))),
}  # fmt: skip
"""View -> kind, name of its parent column, and further columns as JSON paths (`|`: the first that is
there) or expressions."""


def _view(name: str) -> str:
    kind, parent, columns = COLUMNS[name]
    shown = ["scopes.snapshot_id AS snapshot", "json_extract(one.value, '$.id') AS id"]
    if parent:
        shown.append(f"scopes.parent_id AS {parent}")
    for column, path in columns:
        places = [f"json_extract(one.value, '{place}')" for place in path.split("|")]
        read = places[0] if len(places) == 1 else f"coalesce({', '.join(places)})"
        source = read if path.startswith("$") else path
        shown.append(f"{source} AS {column}")
    return (
        f"CREATE VIEW {name} AS SELECT {', '.join(shown)}, spans.ordinal + one.key - spans.place AS ordinal, "
        "one.value AS body FROM scopes JOIN spans ON spans.manifest_id = scopes.manifest_id "
        f"JOIN packs ON packs.id = spans.pack_id JOIN {UNPACKED} AS one "
        f"ON one.key >= spans.place AND one.key < spans.place + spans.count WHERE scopes.kind = '{kind}'"
    )


VIEWS = tuple(_view(name) for name in COLUMNS)
DROPPED = tuple(f"DROP VIEW IF EXISTS {name}" for name in COLUMNS)
"""For an archive whose views were made by an earlier version."""
