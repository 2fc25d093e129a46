"""Results of the commands that write, check and tidy an archive."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.model.entity import JSON
from migrate.model.results.retirements import Retiring, ServedModel
from migrate.model.sample import Sample

StoredBody = dict[str, JSON]


@dataclass(frozen=True)
class MissingObject:
    """An object or a listing that a snapshot could not read, and the reason."""

    kind: str
    id: str
    reason: str
    parent: str = ""
    name: str = ""
    # The service never returns it, by its own rule, so the snapshot still counts as complete.
    expected: bool = False


@dataclass(frozen=True)
class SnapshotInfo:
    """Facts about one snapshot. `state`: complete or partial; an interrupted snapshot is partial."""

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
    # `granted`: kind -> what the service showed because it was asked to; `hidden`: what it refused to be
    # asked for; `models`: what it showed of models and deployments. Empty of a snapshot whose reading asked
    # for nothing, or ended early.
    shown: StoredBody = field(default_factory=dict)

    @property
    def is_filtered(self) -> bool:
        """Whether the user left objects out by a selection. What it lacks may exist anyway."""
        return any(self.options.get(name) for name in ("include", "exclude", "selection"))

    @property
    def models(self) -> dict[str, ServedModel] | None:
        """What the service showed of its models, by the name that assistants use; None where it showed
        nothing, or an earlier version took the snapshot."""
        rows = self.shown.get("models")
        return None if rows is None else {name: ServedModel(**row) for name, row in rows.items()}

    @property
    def hidden(self) -> list[str]:
        """Content that the service refused to return, so that the snapshot lacks it."""
        rows = (self.shown.get("hidden") or {}).items()
        return [f"{kind}: {value}" for kind, values in sorted(rows) for value in values]


@dataclass(frozen=True)
class SnapshotResult:
    """The result of `snapshot`. `state`: complete or partial."""

    id: int
    state: str
    counts: dict[str, int]
    missing: list[MissingObject]
    notes: tuple[str, ...]
    shard: str = ""
    # Content that the service refuses to return: KIND: VALUE of `include[]`.
    hidden: tuple[str, ...] = ()
    # Filters that matched nothing: KIND:GLOB, as they were given.
    unmatched: tuple[str, ...] = ()
    # What ends in the estate; None where nothing is known to end.
    retiring: Retiring | None = None
    # Ids that were selected and that the service does not have.
    unknown_ids: tuple[str, ...] = ()
    # It has only what was selected.
    filtered: bool = False

    @property
    def code(self) -> int:
        """The exit code; an incomplete snapshot takes precedence over a filter that matched nothing."""
        return 3 if self.state != "complete" or self.unknown_ids else 1 if self.unmatched else 0


@dataclass(frozen=True)
class RetentionDecision:
    """One snapshot, and the rules that keep it; without any it is removed. `remark`: a warning about it."""

    snapshot: SnapshotInfo
    why: tuple[str, ...] = field(default=())
    remark: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether a rule keeps it."""
        return bool(self.why)


@dataclass(frozen=True)
class Damage:
    """Something that differs from what was written: what, which, why, and the snapshots it affects."""

    what: str
    which: str
    why: str
    snapshots: tuple[int, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """How much was checked (`bodies` of `all_bodies`), and the damage found."""

    bodies: int
    all_bodies: int
    manifests: int
    all_manifests: int
    snapshots: int
    blobs: int
    all_blobs: int
    references: tuple[str, ...]
    sample: Sample | None
    damage: tuple[Damage, ...]
    # In the newest snapshot of each estate: files whose bytes the service never returns.
    expected_gaps: int = 0
    # Documents of the full-text index that were compared with their objects, and why none was.
    documents: int = 0
    index_note: str = ""


@dataclass(frozen=True)
class JoinedSnapshot:
    """A snapshot joined from shards, now or earlier. `missing`: numbers of shards that no input has."""

    snapshot: int
    tag: str
    url: str
    of: int
    state: str
    missing: tuple[int, ...]
    partial: tuple[int, ...]


@dataclass(frozen=True)
class InterruptedSnapshot:
    """An interrupted snapshot of an input archive, which is not merged."""

    path: str
    snapshot: int
    url: str


@dataclass(frozen=True)
class MergeResult:
    """The result of `merge`: numbers of new snapshots, how much was added, what is incomplete."""

    added: tuple[int, ...]
    joined: tuple[JoinedSnapshot, ...]
    left_out: tuple[InterruptedSnapshot, ...]
    bodies: int
    files: int
    journal: int
    renumbered: int

    @property
    def whole(self) -> bool:
        """Whether nothing was left out, and every joined snapshot has all its shards, each complete."""
        return not self.left_out and all(joined.state == "complete" for joined in self.joined)


@dataclass(frozen=True)
class ForgetResult:
    """How much `forget` removed: rows, and bytes of files; `documents` of the full-text index, which must be
    built again where it `is_emptied`."""

    snapshots: int
    listings: int
    bodies: int
    files: int
    file_bytes: int
    documents: int = 0
    is_emptied: bool = False


@dataclass(frozen=True)
class VacuumResult:
    """Size of the archive in bytes before and after; `why`: the reason if it could not be made smaller."""

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
    # Fingerprint of the state that this program left on the target, if it was recorded.
    written: str = ""
    action: str = "create"
    source_type: str = ""
    source_url: str = ""
    target_type: str = ""
    target_url: str = ""


@dataclass(frozen=True)
class LaterChange:
    """A journal line of a later `apply` that changed an object: number, time and plan of that run.
    `written`: fingerprint of the state that it left, if it was recorded."""

    apply: int
    at: str
    plan: str
    written: str
