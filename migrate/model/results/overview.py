"""What a snapshot has, how complete it is, what changed, and what ends: the first page of an archive."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.model.results.archive import MissingObject, SnapshotInfo
from migrate.model.results.retirements import Retiring


@dataclass(frozen=True)
class KindChange:
    """How the objects of a kind changed since the snapshot before. `changed` is None if too many differ to be
    read. `members`: the kind of their members; then, of the objects in both snapshots, how many have other
    members, how many members there are more, and how many were added, removed and changed; None if too many
    differ to be read. `gap`: why not everything could be compared."""

    kind: str
    added: int = 0
    removed: int = 0
    changed: int | None = 0
    members: str = ""
    objects_with_other_members: int = 0
    more_members: int = 0
    added_members: int | None = 0
    removed_members: int | None = 0
    changed_members: int | None = 0
    gap: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.added or self.removed or self.changed != 0 or self.objects_with_other_members)


@dataclass(frozen=True)
class Overview:
    """The facts of one snapshot.

    `counts`: kind -> number of objects. `missing`: what could not be read, the first ones; `missing_total`:
    how many. `expected`: how many gaps the service causes by its own rule. `incomplete`: (kind, parent,
    reason) of listings that were not read to their end, the first ones; `incomplete_total`: how many.
    `files_with_bytes`, `file_bytes`: what the archive has of the files of the estate. `before`: the snapshot
    with which `changes` compares, None where there is none."""

    info: SnapshotInfo
    counts: dict[str, int]
    missing: tuple[MissingObject, ...]
    missing_total: int
    expected: int
    incomplete: tuple[tuple[str, str, str], ...]
    incomplete_total: int
    files_with_bytes: int
    file_bytes: int
    before: SnapshotInfo | None
    changes: tuple[KindChange, ...]
    retiring: Retiring
