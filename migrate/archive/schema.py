"""The archive's tables and views: version 1, and the steps that bring an archive to a later version.

How a snapshot is stored: each listing that was read (all assistants; the messages of one thread) is a row of
`listed`. It refers to a row of `manifests`, which stands for the ordered bodies of the listing: rows of
`spans`, each a range of neighbours in a compressed pack (`packs`). Manifests and bodies are identified by
their hash, so a listing that did not change since the last snapshot costs one row.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from migrate.archive.hashes import count_rows
from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.schema_steps import APPLICATION_ID, MIGRATION_SET, SCHEMA_STEPS, applied_steps
from migrate.errors import ArchiveDamaged, ArchiveTooNew

# The texts below are part of the format: `schema_check` compares them with those that an archive has. So the
# tables are not created through sqlite-utils, whose versions write names in different ways.
TABLES = (
    """CREATE TABLE endpoints (
           id INTEGER PRIMARY KEY, type TEXT NOT NULL, url TEXT NOT NULL, UNIQUE (type, url))""",
    """CREATE TABLE snapshots (
           id INTEGER PRIMARY KEY,
           endpoint_id INTEGER NOT NULL REFERENCES endpoints(id),
           tag TEXT, state TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT,
           api_version TEXT NOT NULL DEFAULT '', tool_version TEXT NOT NULL, options TEXT NOT NULL,
           digest TEXT, bodies_added INTEGER, bytes_added INTEGER, shown TEXT)""",
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE parents (id INTEGER PRIMARY KEY, object_id TEXT NOT NULL UNIQUE)",
    """CREATE TABLE packs (
           id INTEGER PRIMARY KEY, kind TEXT NOT NULL, count INTEGER NOT NULL, held INTEGER NOT NULL,
           size INTEGER NOT NULL, sha BLOB NOT NULL, data BLOB NOT NULL)""",
    "CREATE TABLE manifests (id INTEGER PRIMARY KEY, sha BLOB UNIQUE)",
    """CREATE TABLE spans (
           manifest_id INTEGER NOT NULL REFERENCES manifests(id) ON DELETE CASCADE,
           ordinal INTEGER NOT NULL,
           pack_id INTEGER NOT NULL REFERENCES packs(id) DEFERRABLE INITIALLY DEFERRED,
           place INTEGER NOT NULL, count INTEGER NOT NULL,
           PRIMARY KEY (manifest_id, ordinal)) WITHOUT ROWID""",
    "CREATE INDEX spans_pack ON spans (pack_id)",
    "CREATE TABLE known (key INTEGER NOT NULL, body INTEGER NOT NULL, PRIMARY KEY (key, body)) WITHOUT ROWID",
    """CREATE TABLE listed (
           snapshot_id INTEGER NOT NULL REFERENCES snapshots(id) ON DELETE CASCADE,
           kind_id INTEGER NOT NULL REFERENCES kinds(id),
           parent_id INTEGER NOT NULL REFERENCES parents(id),
           manifest_id INTEGER NOT NULL, -- no key: without an index each manifest that goes would cost a scan
           state TEXT, reason TEXT, cursor TEXT,
           PRIMARY KEY (snapshot_id, kind_id, parent_id)) WITHOUT ROWID""",
    """CREATE TABLE missing (
           snapshot_id INTEGER NOT NULL REFERENCES snapshots(id) ON DELETE CASCADE,
           kind TEXT NOT NULL, parent_id TEXT NOT NULL, object_id TEXT NOT NULL,
           name TEXT, reason TEXT NOT NULL, expected INTEGER NOT NULL DEFAULT 0,
           PRIMARY KEY (snapshot_id, kind, parent_id, object_id)) WITHOUT ROWID""",
    "CREATE TABLE blobs (id INTEGER PRIMARY KEY, sha BLOB UNIQUE, size INTEGER)",
    """CREATE TABLE chunks (
           blob_id INTEGER NOT NULL REFERENCES blobs(id) ON DELETE CASCADE,
           ordinal INTEGER NOT NULL, data BLOB NOT NULL, size INTEGER, PRIMARY KEY (blob_id, ordinal))""",
    """CREATE TABLE contents (
           endpoint_id INTEGER NOT NULL REFERENCES endpoints(id),
           file_id TEXT NOT NULL, blob_id INTEGER NOT NULL REFERENCES blobs(id),
           origin TEXT NOT NULL, fetched_at TEXT NOT NULL,
           PRIMARY KEY (endpoint_id, file_id)) WITHOUT ROWID""",
    """CREATE TABLE plans (
           id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, source_type TEXT NOT NULL,
           source_url TEXT NOT NULL, target_type TEXT NOT NULL, target_url TEXT NOT NULL,
           first_applied_at TEXT NOT NULL, lines INTEGER, hash BLOB)""",
    """CREATE TABLE journal (
           id INTEGER PRIMARY KEY, plan_id INTEGER NOT NULL REFERENCES plans(id),
           action TEXT NOT NULL, kind TEXT NOT NULL,
           source_parent TEXT NOT NULL, source_id TEXT NOT NULL, name TEXT,
           target_parent TEXT, target_id TEXT, state TEXT NOT NULL,
           before TEXT, written TEXT, error TEXT, started_at TEXT NOT NULL, finished_at TEXT, hash BLOB,
           UNIQUE (plan_id, action, kind, source_parent, source_id))""",
    "CREATE INDEX journal_source ON journal (source_id)",
    """CREATE TABLE registered_plans (
           id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, registered_at TEXT NOT NULL,
           hash BLOB)""",
    """CREATE TABLE plan_documents (
           id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, sha TEXT NOT NULL,
           document BLOB NOT NULL, hash BLOB)""",
    "CREATE TABLE totals (name TEXT PRIMARY KEY, number INTEGER NOT NULL, hash BLOB)",
)

MESSAGE_TEXT_SQL = """(SELECT group_concat(CASE WHEN part.type != 'object' THEN part.value ELSE coalesce(
        json_extract(part.value, '$.text.value'), json_extract(part.value, '$.text'),
        json_extract(part.value, '$.refusal'), '[' || json_extract(part.value, '$.type') || ']')
        END, char(10))
      FROM json_each(one.value, '$.content') AS part)"""

# A row for each body of a pack.
UNPACKED_BODIES_SQL = "json_each(CAST(sqlar_uncompress(packs.data, packs.size) AS TEXT))"

VIEWS = (
    """CREATE VIEW scopes AS SELECT listed.snapshot_id, kinds.name AS kind,
         parents.object_id AS parent_id, listed.manifest_id, coalesce(listed.state, 'complete') AS state,
         listed.reason, listed.cursor
       FROM listed JOIN kinds ON kinds.id = listed.kind_id JOIN parents ON parents.id = listed.parent_id""",
    f"""CREATE VIEW bodies AS SELECT packs.id * {BODIES_PER_PACK} + one.key AS id, packs.kind,
         json_extract(one.value, '$.id') AS object_id, one.value AS body
       FROM packs JOIN {UNPACKED_BODIES_SQL} AS one WHERE one.type != 'null'""",
    """CREATE VIEW id_map AS
         SELECT j.kind, j.source_id, j.target_id, j.name, j.source_parent, j.target_parent,
                p.source_type, p.source_url, p.target_type, p.target_url
         FROM journal j JOIN plans p ON p.id = j.plan_id
         WHERE j.state = 'done' AND j.target_id IS NOT NULL AND j.action NOT IN ('delete', 'undo')
         AND NOT EXISTS (SELECT 1 FROM journal u WHERE u.plan_id = j.plan_id AND u.action = 'undo'
           AND u.state = 'done' AND u.kind = j.kind AND u.source_parent = j.source_parent
           AND u.source_id = j.source_id)""",
)

# Where an agent of the new generation has its fields.
NEWEST_VERSION_PATH = "$.versions.latest"

# View -> kind, name of its parent column, and further columns as JSON paths (`|`: the first one that exists)
# or SQL expressions.
VIEW_COLUMNS: dict[str, tuple[str, str | None, tuple[tuple[str, str], ...]]] = {
    "assistants": ("assistant", None, (("name", "$.name"),
        ("model", f"$.model|{NEWEST_VERSION_PATH}.definition.model"),
        ("instructions", f"$.instructions|{NEWEST_VERSION_PATH}.definition.instructions"),
        ("created_at", f"$.created_at|{NEWEST_VERSION_PATH}.created_at"),
        ("metadata", f"$.metadata|{NEWEST_VERSION_PATH}.metadata"))),
    "threads": ("thread", None, (("created_at", "$.created_at"), ("metadata", "$.metadata"),
        ("tool_resources", "$.tool_resources"))),
    "messages": ("message", "thread_id", (("role", "$.role"), ("text", MESSAGE_TEXT_SQL),
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


def _kind_view(name: str) -> str:
    kind, parent, columns = VIEW_COLUMNS[name]
    shown = ["scopes.snapshot_id AS snapshot", "json_extract(one.value, '$.id') AS id"]
    if parent:
        shown.append(f"scopes.parent_id AS {parent}")
    for column, path in columns:
        values = [f"json_extract(one.value, '{part}')" for part in path.split("|")]
        value = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
        shown.append(f"{value if path.startswith('$') else path} AS {column}")
    return (
        f"CREATE VIEW {name} AS SELECT {', '.join(shown)}, spans.ordinal + one.key - spans.place AS ordinal, "
        "one.value AS body FROM scopes JOIN spans ON spans.manifest_id = scopes.manifest_id "
        f"JOIN packs ON packs.id = spans.pack_id JOIN {UNPACKED_BODIES_SQL} AS one "
        f"ON one.key >= spans.place AND one.key < spans.place + spans.count WHERE scopes.kind = '{kind}'"
    )


migrations = Migrations(MIGRATION_SET)


@migrations()
def version_1(db: Database) -> None:
    """Create the tables and views of an empty archive."""
    if db["snapshots"].exists():
        return  # written before this step had its name: `schema_check` compared its tables already
    for sql in (*TABLES, *VIEWS, *map(_kind_view, VIEW_COLUMNS)):
        db.execute(sql)
    count_rows(db.conn)


# A later version adds its step here: a function `version_2(db)` below `@migrations()`, with its name in
# `SCHEMA_STEPS`. A step that adds a hashed column also calls `hash_all_rows`.


def upgrade_schema(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    """Apply the steps that an archive lacks. The archive's own tables were compared before (`check_schema`).

    Raises `ArchiveTooNew`, and `ArchiveDamaged` where steps are missing and nothing may be written.
    """
    db = Database(conn)
    applied = applied_steps(conn)
    if unknown := [name for name in applied if name not in SCHEMA_STEPS]:
        raise ArchiveTooNew(
            f"{path} was written by a later version of assistants-migrate",
            f"it has {', '.join(unknown)}, which this version does not know",
            "install the newest version: pip install --upgrade assistants-migrate",
        )
    if write:
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db)
    elif applied != SCHEMA_STEPS:
        raise ArchiveDamaged(
            f"{path} was written by an earlier version",
            "its tables are older",
            f"run: check --upgrade {path}",
        )
