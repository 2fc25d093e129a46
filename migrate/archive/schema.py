"""The archive's tables, and the steps that bring an archive to the newest version of tables and views.

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
from migrate.archive.schema_steps import (
    APPLICATION_ID,
    MIGRATION_SET,
    SCHEMA_STEPS,
    applied_steps,
    is_readable_schema,
)
from migrate.archive.schema_views import VIEW_COLUMNS, VIEWS, kind_view, kind_view_with_times, read_me_view
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

migrations = Migrations(MIGRATION_SET)


@migrations()
def version_1(db: Database) -> None:
    """Create the tables and views of an empty archive."""
    if db["snapshots"].exists():
        return  # written before this step had its name: `schema_check` compared its tables already
    for sql in (*TABLES, *VIEWS, *map(kind_view, VIEW_COLUMNS)):
        db.execute(sql)
    count_rows(db.conn)


@migrations()
def version_2(db: Database) -> None:
    """Replace the views of kinds: with times in ISO 8601, and the number of messages of a thread. Say in the
    file itself how to read it."""
    db.execute("DROP VIEW IF EXISTS read_me")
    db.execute(read_me_view())
    for name in VIEW_COLUMNS:
        db.execute(f"DROP VIEW {name}")
        db.execute(kind_view_with_times(name))


# A later version adds its step here: a function `version_3(db)` below `@migrations()`, with its name in
# `SCHEMA_STEPS`. A step that adds a hashed column also calls `hash_all_rows`.


def upgrade_schema(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    """Apply the steps that an archive lacks. The archive's own tables were compared before (`check_schema`).

    Raises `ArchiveTooNew`, and `ArchiveDamaged` where steps are missing that this program needs and nothing
    may be written.
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
    elif not is_readable_schema(applied):
        raise ArchiveDamaged(
            f"{path} was written by an earlier version",
            "its tables are older",
            f"run: check --upgrade {path}",
        )
