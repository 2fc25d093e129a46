"""Results of the commands that write, check and tidy an archive."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.model.entity import JSON

StoredBody = dict[str, JSON]


@dataclass(frozen=True)
class MissingObject:
    """Something a snapshot could not read, and why."""

    kind: str
    id: str
    reason: str
    parent: str = ""
    name: str = ""
    expected: bool = False
    """The service never gives it, by its own rule; the snapshot is complete all the same."""


@dataclass(frozen=True)
class SnapshotInfo:
    """One line about a snapshot. `state` is complete or partial; an interrupted one is partial."""

    id: int
    type: str
    url: str
    tag: str
    state: str
    started_at: str
    finished_at: str
    api_version: str
    digest: str
    interrupted: bool
    bodies_added: int
    bytes_added: int
    options: StoredBody = field(default_factory=dict)
    shown: StoredBody = field(default_factory=dict)
    """`granted`: kind -> what the service showed because it was asked to; `hidden`: what it refused to be
    asked for. Empty of a snapshot whose reading asked for nothing, or ended early."""

    @property
    def hidden(self) -> list[str]:
        """What of the objects is not in the snapshot, because the service does not show it."""
        rows = (self.shown.get("hidden") or {}).items()
        return [f"{kind}: {value}" for kind, values in sorted(rows) for value in values]


@dataclass(frozen=True)
class SnapshotResult:
    """What came of a snapshot. `state` is complete or partial."""

    id: int
    state: str
    counts: dict[str, int]
    missing: list[MissingObject]
    notes: tuple[str, ...]
    shard: str = ""
    hidden: tuple[str, ...] = ()
    """What of the objects the service refuses to show: KIND: VALUE of `include[]`."""
    unmatched: tuple[str, ...] = ()
    """Filters that fit nothing: KIND:GLOB, as they were given."""

    @property
    def code(self) -> int:
        """The exit code: what could not be read weighs more than a filter that fits nothing."""
        return 3 if self.state != "complete" else 1 if self.unmatched else 0


@dataclass(frozen=True)
class RetentionDecision:
    """One snapshot, and why it stays; without a reason it goes. `remark`: what should be known before."""

    snapshot: SnapshotInfo
    why: tuple[str, ...] = field(default=())
    remark: str = ""

    @property
    def is_kept(self) -> bool:
        return bool(self.why)


@dataclass(frozen=True)
class Damage:
    """Something that is not as it was written: what, which, why, and the snapshots it touches."""

    what: str
    which: str
    why: str
    snapshots: tuple[int, ...] = ()


@dataclass(frozen=True)
class CheckSample:
    """So many of a hundred bodies, listings and files, chosen by a seed: the same seed chooses them again."""

    percent: float
    seed: int


@dataclass(frozen=True)
class CheckResult:
    """What was looked at (`bodies` of `all_bodies`), and what was wrong."""

    bodies: int
    all_bodies: int
    manifests: int
    all_manifests: int
    snapshots: int
    blobs: int
    all_blobs: int
    references: tuple[str, ...]
    sample: CheckSample | None
    damage: tuple[Damage, ...]
    expected_gaps: int = 0
    """In the newest snapshot of each estate: files whose bytes their service never gives back."""


@dataclass(frozen=True)
class JoinedSnapshot:
    """A reading that was, or had been, put together from shards; `missing` are those not at hand."""

    snapshot: int
    tag: str
    url: str
    of: int
    state: str
    missing: tuple[int, ...]
    partial: tuple[int, ...]


@dataclass(frozen=True)
class InterruptedSnapshot:
    """An interrupted snapshot of an input: which file, which number, of what."""

    path: str
    snapshot: int
    url: str


@dataclass(frozen=True)
class MergeResult:
    """What came of a merge: numbers of new snapshots, how much was added, what is not whole."""

    added: tuple[int, ...]
    joined: tuple[JoinedSnapshot, ...]
    left_out: tuple[InterruptedSnapshot, ...]
    bodies: int
    files: int
    journal: int
    renumbered: int

    @property
    def whole(self) -> bool:
        """Whether nothing was left out, and every reading has all its shards, each complete."""
        return not self.left_out and all(joined.state == "complete" for joined in self.joined)


@dataclass(frozen=True)
class ForgetResult:
    """How much was removed: rows, and bytes of files."""

    snapshots: int
    listings: int
    bodies: int
    files: int
    file_bytes: int


@dataclass(frozen=True)
class VacuumResult:
    """Bytes of the archive before and after; `why` where the space could not be given back."""

    before: int
    after: int
    why: str = ""


@dataclass(frozen=True)
class IdMapping:
    """One line of the id map."""

    kind: str
    source_id: str
    target_id: str
    name: str
    source_parent: str
    target_parent: str
    written: str = ""
    """Fingerprint of what was left there, where it was noted."""
    action: str = "create"
    source_type: str = ""
    source_url: str = ""
    target_type: str = ""
    target_url: str = ""


@dataclass(frozen=True)
class LaterChange:
    """A line of a later apply that touched an object: number, time and plan of the apply, and how it
    left the object, where that was noted."""

    apply: int
    at: str
    plan: str
    written: str
