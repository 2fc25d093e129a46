"""Check the schema version with plain SQL, without importing sqlite-utils, whose import takes longer than
reading a small archive."""

from __future__ import annotations

import sqlite3

# Marks the file as an archive ("ASST"), so that `file` and this program can tell it from any other database.
APPLICATION_ID = 0x41535354
# The names in schema.py, in order.
MIGRATION_NAMES = (
    "m001_snapshots", "m002_blobs", "m003_journal", "m004_views", "m005_views_of_agents", "m006_undone",
    "m007_packs", "m008_row_hashes", "m009_plan_documents", "m010_told",
)  # fmt: skip
# Of the schema that they make (`schema_check.schema_digest`). A migration that is added changes it;
# tests/archive/test_exact_schema.py says to what.
SCHEMA_DIGEST = "a5bc8c6f018280a7e0ed0d7164beda12728e87c37ecc06e90e025bf1e269d7f5"


def is_newest_schema(conn: sqlite3.Connection) -> bool:
    """Whether exactly the migrations that we know were applied."""
    try:
        rows = conn.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = 'assistants-migrate' ORDER BY rowid"
        )
        return tuple(name for (name,) in rows) == MIGRATION_NAMES
    except sqlite3.OperationalError:  # no such table, or none that can be read: reported where it is applied
        return False
