"""The archive: one SQLite file with snapshots, file bytes and the journal. No SQL elsewhere."""

from migrate.archive.database import Archive

__all__ = ["Archive"]
