"""An archive whose tables are not the newest in; the newest out when writing, else what to do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database

from migrate.archive.schema import migrations
from migrate.archive.schema_version import APPLICATION_ID
from migrate.errors import ArchiveDamaged, ArchiveTooNew


def bring_up_to_date(conn: sqlite3.Connection, path: Path, write: bool) -> None:
    """Apply what is pending. Raises `ArchiveTooNew`, and `ArchiveDamaged` where nothing may be written."""
    db = Database(conn)
    known = {migration.name for migration in migrations._migrations}
    unknown = [m.name for m in migrations.applied(db) if m.name not in known]
    if unknown:
        raise ArchiveTooNew(
            f"{path} was written by a later version of assistants-migrate",
            f"it has {', '.join(unknown)}, which this version does not know",
            "install the newest version: pip install --upgrade assistants-migrate",
        )
    if write:
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db)
    elif migrations.pending(db):
        raise ArchiveDamaged(
            f"{path} was written by an earlier version",
            "its tables are older",
            f"run: check --upgrade {path}",
        )
