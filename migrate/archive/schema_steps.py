"""The steps that create and change the schema of an archive, by name, and which of them an archive has."""

from __future__ import annotations

import sqlite3

# Marks the file as an archive ("ASST"), so that `file` and this program can tell it from any other database.
APPLICATION_ID = 0x41535354
MIGRATION_SET = "assistants-migrate"
# The steps in schema.py, in order.
SCHEMA_STEPS = ("version_1", "version_2")
# Steps that only replace views which this program does not query: an archive without them is read as it is.
STEPS_OF_VIEWS = frozenset({"version_2"})
# An archive that was written before version 1 had its name has these steps instead, and the same tables.
STEPS_BEFORE_VERSION_1 = (
    "m001_snapshots", "m002_blobs", "m003_journal", "m004_views", "m005_views_of_agents", "m006_undone",
    "m007_packs", "m008_row_hashes", "m009_plan_documents", "m010_told",
)  # fmt: skip
# Created by sqlite-utils, whose versions quote names in different ways.
MIGRATIONS_TABLE = "_sqlite_migrations"
# Entries of a schema that are read; an archive has about sixty.
MAX_SCHEMA_ENTRIES = 500


def applied_steps(conn: sqlite3.Connection) -> tuple[str, ...]:
    """The steps that were applied to an archive, in order; none where no table lists them."""
    try:
        rows = conn.execute(
            f"SELECT name FROM {MIGRATIONS_TABLE} WHERE migration_set = ? ORDER BY rowid LIMIT ?",
            (MIGRATION_SET, MAX_SCHEMA_ENTRIES),
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return ()
    names = [str(name) for (name,) in rows]
    return tuple(dict.fromkeys(SCHEMA_STEPS[0] if name in STEPS_BEFORE_VERSION_1 else name for name in names))


def is_readable_schema(applied: tuple[str, ...]) -> bool:
    """Whether an archive with these steps can be read without another step."""
    return applied == SCHEMA_STEPS[: len(applied)] and STEPS_OF_VIEWS.issuperset(SCHEMA_STEPS[len(applied) :])
