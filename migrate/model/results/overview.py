"""What a snapshot has, how complete it is, what changed, and what ends: the first page of an archive."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.model.results.archive import MissingObject, SnapshotInfo
from migrate.model.results.retirements import Retiring


@dataclass(frozen=True)
class MemberChange:
    """How the members of the objects that are in both snapshots changed. `parents`: how many have other
    members than before. `more`: how many members there are more (or less). `added`, `removed`, `changed`:
    numbers of members, None where that many differ that they were not read; all are 0 where only their order
    is another."""

    kind: str
    parents: int
    more: int
    added: int | None = 0
    removed: int | None = 0
    changed: int | None = 0


@dataclass(frozen=True)
class KindChange:
    """What differs in the listing of a kind without a parent, since the snapshot before. `added` and
    `removed`: numbers of objects. `changed`: number of objects, None where there were too many to read.
    `gap`: why a side is not complete, or ''; what is absent there may exist. `members`: None where the kind
    has none."""

    kind: str
    added: int = 0
    removed: int = 0
    changed: int | None = 0
    gap: str = ""
    members: MemberChange | None = None


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
