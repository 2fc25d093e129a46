"""The archive: one SQLite file with snapshots, file bytes and the journal. All SQL, and nothing else has any."""

from migrate.archive.store import Archive

__all__ = ["Archive"]
