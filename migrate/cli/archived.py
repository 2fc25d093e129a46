"""Opens the snapshot that an ARCHIVE[@SNAPSHOT] argument means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrate.cli.config import Config
from migrate.cli.estate_argument import Archived, ConfigDirectory, pick, resolve
from migrate.errors import BadUsage

if TYPE_CHECKING:
    from migrate.archive.snapshots.reader import SnapshotReader


@contextmanager
def snapshot(text: str, config: Config) -> Iterator[SnapshotReader]:
    """A reader of the snapshot. Raises `BadUsage` when the argument is a live estate."""
    from migrate.archive.damaged import damage_told
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.reader import SnapshotReader

    found = resolve(text, config)
    if isinstance(found, ConfigDirectory):
        raise BadUsage(
            f"{text} is a config directory",
            "this command answers from an archive",
            "read its files as they are, or compare it: diff",
        )
    if not isinstance(found, Archived):
        raise BadUsage(
            f"{text} is a live estate", "this command answers from an archive", "take a snapshot first"
        )
    with Archive.open(found.path) as archive, damage_told(found.path):
        yield SnapshotReader(archive.conn, pick(archive, found))
