"""The archive's tables and views, as named migrations that run in order, each once, each in a transaction.

How a snapshot is stored: every listing that was read (all assistants; the messages of one thread) is
`listed`. It points to a `manifest`, the ordered list of the bodies it held: `spans` of neighbours in
compressed `packs`. Manifests and bodies are known by their hash, so a listing that did not change since the
last snapshot costs one row.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from migrate.archive.hashes import hash_all_rows
from migrate.archive.packs.reader import BODIES_PER_PACK
from migrate.archive.repack import repack

MESSAGE_TEXT_SQL = """(SELECT group_concat(CASE WHEN part.type != 'object' THEN part.value ELSE coalesce(
        json_extract(part.value, '$.text.value'), json_extract(part.value, '$.text'),
        json_extract(part.value, '$.refusal'), '[' || json_extract(part.value, '$.type') || ']')
        END, char(10))
      FROM json_each(one.value, '$.content') AS part)"""

# A row for each body of a pack.
UNPACKED_BODIES_SQL = "json_each(CAST(sqlar_uncompress(packs.data, packs.size) AS TEXT))"

SCOPES_VIEW = """CREATE VIEW scopes AS SELECT listed.snapshot_id, kinds.name AS kind,
      parents.object_id AS parent_id, listed.manifest_id, coalesce(listed.state, 'complete') AS state,
      listed.reason, listed.cursor
    FROM listed JOIN kinds ON kinds.id = listed.kind_id JOIN parents ON parents.id = listed.parent_id"""
BODIES_VIEW = f"""CREATE VIEW bodies AS SELECT packs.id * {BODIES_PER_PACK} + one.key AS id, packs.kind,
      json_extract(one.value, '$.id') AS object_id, one.value AS body
    FROM packs JOIN {UNPACKED_BODIES_SQL} AS one WHERE one.type != 'null'"""

# Where an agent of the new generation keeps what it is.
NEWEST_VERSION_PATH = "$.versions.latest"

# View -> kind, name of its parent column, and further columns as JSON paths (`|`: the first that is there) or
# expressions.
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


def _view(name: str) -> str:
    kind, parent, columns = VIEW_COLUMNS[name]
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
        f"JOIN packs ON packs.id = spans.pack_id JOIN {UNPACKED_BODIES_SQL} AS one "
        f"ON one.key >= spans.place AND one.key < spans.place + spans.count WHERE scopes.kind = '{kind}'"
    )


CREATE_KIND_VIEWS = tuple(_view(name) for name in VIEW_COLUMNS)
# For an archive whose views were made by an earlier version.
DROP_KIND_VIEWS = tuple(f"DROP VIEW IF EXISTS {name}" for name in VIEW_COLUMNS)


migrations = Migrations("assistants-migrate")


@migrations()
def m001_snapshots(db: Database) -> None:
    """Endpoints, snapshots, and what each listing held."""
    _run(
        db,
        """CREATE TABLE endpoints (
               id INTEGER PRIMARY KEY, type TEXT NOT NULL, url TEXT NOT NULL, UNIQUE (type, url))""",
        """CREATE TABLE snapshots (
               id INTEGER PRIMARY KEY,
               endpoint_id INTEGER NOT NULL REFERENCES endpoints(id),
               tag TEXT, state TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT,
               api_version TEXT NOT NULL DEFAULT '', tool_version TEXT NOT NULL, options TEXT NOT NULL,
               digest TEXT, bodies_added INTEGER, bytes_added INTEGER)""",
        """CREATE TABLE bodies (
               id INTEGER PRIMARY KEY, sha BLOB NOT NULL UNIQUE,
               kind TEXT NOT NULL, object_id TEXT NOT NULL, body TEXT NOT NULL)""",
        "CREATE INDEX bodies_object ON bodies (object_id)",
        "CREATE TABLE manifests (id INTEGER PRIMARY KEY, sha BLOB UNIQUE)",
        """CREATE TABLE entries (
               manifest_id INTEGER NOT NULL REFERENCES manifests(id) ON DELETE CASCADE,
               ordinal INTEGER NOT NULL,
               body_id INTEGER NOT NULL REFERENCES bodies(id),
               PRIMARY KEY (manifest_id, ordinal)) WITHOUT ROWID""",
        """CREATE TABLE scopes (
               snapshot_id INTEGER NOT NULL REFERENCES snapshots(id) ON DELETE CASCADE,
               kind TEXT NOT NULL, parent_id TEXT NOT NULL,
               manifest_id INTEGER NOT NULL REFERENCES manifests(id),
               state TEXT NOT NULL, reason TEXT, cursor TEXT,
               PRIMARY KEY (snapshot_id, kind, parent_id)) WITHOUT ROWID""",
        """CREATE TABLE missing (
               snapshot_id INTEGER NOT NULL REFERENCES snapshots(id) ON DELETE CASCADE,
               kind TEXT NOT NULL, parent_id TEXT NOT NULL, object_id TEXT NOT NULL,
               name TEXT, reason TEXT NOT NULL,
               PRIMARY KEY (snapshot_id, kind, parent_id, object_id)) WITHOUT ROWID""",
    )


@migrations()
def m002_blobs(db: Database) -> None:
    """File bytes by their SHA-256, in chunks, and which file of which endpoint they belong to."""
    _run(
        db,
        "CREATE TABLE blobs (id INTEGER PRIMARY KEY, sha BLOB UNIQUE, size INTEGER)",
        """CREATE TABLE chunks (
               blob_id INTEGER NOT NULL REFERENCES blobs(id) ON DELETE CASCADE,
               ordinal INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (blob_id, ordinal))""",
        """CREATE TABLE contents (
               endpoint_id INTEGER NOT NULL REFERENCES endpoints(id),
               file_id TEXT NOT NULL, blob_id INTEGER NOT NULL REFERENCES blobs(id),
               origin TEXT NOT NULL, fetched_at TEXT NOT NULL,
               PRIMARY KEY (endpoint_id, file_id)) WITHOUT ROWID""",
    )


@migrations()
def m003_journal(db: Database) -> None:
    """What every apply intended and did. The id map is read from it."""
    _run(
        db,
        """CREATE TABLE plans (
               id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, source_type TEXT NOT NULL,
               source_url TEXT NOT NULL, target_type TEXT NOT NULL, target_url TEXT NOT NULL,
               first_applied_at TEXT NOT NULL)""",
        """CREATE TABLE journal (
               id INTEGER PRIMARY KEY, plan_id INTEGER NOT NULL REFERENCES plans(id),
               action TEXT NOT NULL, kind TEXT NOT NULL,
               source_parent TEXT NOT NULL, source_id TEXT NOT NULL, name TEXT,
               target_parent TEXT, target_id TEXT, state TEXT NOT NULL,
               before TEXT, written TEXT, error TEXT, started_at TEXT NOT NULL, finished_at TEXT,
               UNIQUE (plan_id, action, kind, source_parent, source_id))""",
        "CREATE INDEX journal_source ON journal (source_id)",
        """CREATE VIEW id_map AS
             SELECT j.kind, j.source_id, j.target_id, j.name, j.source_parent, j.target_parent,
                    p.source_type, p.source_url, p.target_type, p.target_url
             FROM journal j JOIN plans p ON p.id = j.plan_id
             WHERE j.state = 'done' AND j.target_id IS NOT NULL AND j.action != 'delete'""",
    )


@migrations()
def m004_views(db: Database) -> None:
    """One readable view per kind; made with the tables that they read now."""


@migrations()
def m005_views_of_agents(db: Database) -> None:
    """Agents of the new generation keep model and instructions in their newest version."""


@migrations()
def m006_undone(db: Database) -> None:
    """What a rollback took back is no part of the id map."""
    _run(
        db,
        "DROP VIEW id_map",
        """CREATE VIEW id_map AS
             SELECT j.kind, j.source_id, j.target_id, j.name, j.source_parent, j.target_parent,
                    p.source_type, p.source_url, p.target_type, p.target_url
             FROM journal j JOIN plans p ON p.id = j.plan_id
             WHERE j.state = 'done' AND j.target_id IS NOT NULL AND j.action NOT IN ('delete', 'undo')
             AND NOT EXISTS (SELECT 1 FROM journal u WHERE u.plan_id = j.plan_id AND u.action = 'undo'
               AND u.state = 'done' AND u.kind = j.kind AND u.source_parent = j.source_parent
               AND u.source_id = j.source_id)""",
    )


@migrations()
def m007_packs(db: Database) -> None:
    """Bodies lie in compressed packs, with rows for spans of neighbours instead of one for each."""
    _run(db, *DROP_KIND_VIEWS)
    repack(db.conn)
    _run(db, SCOPES_VIEW, BODIES_VIEW, *CREATE_KIND_VIEWS)


@migrations()
def m008_row_hashes(db: Database) -> None:
    """A hash for each row of the journal and of plans, how many there are, and which plans were made here."""
    _run(
        db,
        "ALTER TABLE plans ADD COLUMN lines INTEGER",
        "ALTER TABLE plans ADD COLUMN hash BLOB",
        "ALTER TABLE journal ADD COLUMN hash BLOB",
        """CREATE TABLE registered_plans (
               id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, registered_at TEXT NOT NULL,
               hash BLOB)""",
        "CREATE TABLE totals (name TEXT PRIMARY KEY, number INTEGER NOT NULL, hash BLOB)",
        "INSERT INTO registered_plans (digest, registered_at) SELECT digest, first_applied_at FROM plans "
        "ORDER BY id",  # carried out by an earlier version: they can still be verified and taken back
    )
    hash_all_rows(db.conn)


@migrations()
def m009_plan_documents(db: Database) -> None:
    """Plans that were carried out, whole."""
    _run(
        db,
        """CREATE TABLE plan_documents (
               id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, sha TEXT NOT NULL,
               document BLOB NOT NULL, hash BLOB)""",
    )


@migrations()
def m010_told(db: Database) -> None:
    """Which gaps a service makes by its own rule; what a service was asked to show, and did not."""
    _run(
        db,
        "ALTER TABLE missing ADD COLUMN expected INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE snapshots ADD COLUMN shown TEXT",
    )


def _run(db: Database, *statements: str) -> None:
    for statement in statements:
        db.execute(statement)
