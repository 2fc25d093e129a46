"""Results of `apply`, `verify`, `rollback` and `sync`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from migrate.model.results.archive import LaterChange, SnapshotResult
from migrate.model.results.plan import ChangeRow, LossRow, Plan, unaccepted_losses
from migrate.model.results.retirements import Retiring

WorkAction = Literal["create", "update", "delete", "adopt", "remove", "restore"]


@dataclass(frozen=True)
class WorkRow:
    """One object that a command works on.

    `action`: create, update, delete or adopt of a plan; remove or restore of a rollback. `id` and `parent`:
    ids of the source. `messages`: of a thread, how many are meant; None where they were not counted.
    `change`: what is changed in an object that exists."""

    action: WorkAction
    kind: str
    id: str
    name: str = ""
    parent: str = ""
    target_id: str = ""
    messages: int | None = 0
    change: ChangeRow | None = None


@dataclass(frozen=True)
class FailedObject:
    """An object that could not be created, changed or deleted, and the reason."""

    kind: str
    id: str
    name: str
    reason: str


@dataclass
class ApplyResult:
    """Counts of what `apply` did, and what failed. Worker threads update it through `ApplyContext`.

    `lost_citations`: citations that were planned, and that messages arrived without."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    adopted: int = 0
    skipped: int = 0
    lost_citations: int = 0
    failed: list[FailedObject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # Set when the service stopped answering: what happened, why, what to do next.
    outage: tuple[str, str, str] | None = None
    # What the updates that were not carried out would have changed, where the apply stopped midway.
    changes: list[ChangeRow] = field(default_factory=list)
    # What arrived without a part that was tried, because the service did not take it.
    losses: list[LossRow] = field(default_factory=list)
    # Where it stopped midway: what all runs of the plan did, and what is left.
    done: list[WorkRow] = field(default_factory=list)
    left: list[WorkRow] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """3: some objects could not be written; 1: the service did not take something that was tried, and the
        plan was not made to accept that; else 0."""
        return 3 if self.failed else 1 if unaccepted_losses(self.losses) else 0


# How the reason begins of what an apply that stopped midway left, and the reason of what a rollback left.
NOT_CARRIED_OUT = "not carried out: "
NOT_ROLLED_BACK = "not rolled back: the rollback was stopped"
# Reason of a finding about an object that the plan deletes.
NOT_DELETED = "was deleted by the plan, but still exists"


@dataclass(frozen=True)
class VerifyFinding:
    """A difference between the target and the result that the plan describes."""

    kind: str
    source_id: str
    target_id: str
    name: str
    path: str
    reason: str
    expected: object = None
    found: object = None


@dataclass
class VerifyResult:
    """Numbers of compared objects by kind, the findings, notes on what could not be verified, and the losses
    that only the apply could find out."""

    checked: dict[str, int] = field(default_factory=dict)
    findings: list[VerifyFinding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    losses: list[LossRow] = field(default_factory=list)
    # What ends among the models that the assistants of the plan have on the target.
    retiring: Retiring | None = None

    @property
    def exit_code(self) -> int:
        """1: findings, or losses that the plan neither reported nor was made to accept; else 0."""
        return 1 if self.findings or unaccepted_losses(self.losses) else 0


@dataclass(frozen=True)
class UndoStep:
    """One object to roll back. `how`: remove or restore. `gone`: it no longer exists on the target."""

    how: str
    kind: str
    id: str
    parent: str
    name: str
    target_id: str
    target_parent: str = ""
    gone: bool = False
    # How it differs from the state that this program left.
    changed: str = ""
    before: dict[str, object] | None = None
    fields: tuple[str, ...] = ()
    # Fingerprint of the state that this program left.
    written: str = ""
    # The later `apply` of this program that changed it.
    later: LaterChange | None = None
    # Id of a thread on the target that stays; its reference to this object is removed.
    detach: str = ""
    # In a dry run, what restoring it changes.
    change: ChangeRow | None = None


@dataclass
class RollbackResult:
    """Counts of what `rollback` did. `steps`: what a dry run would do."""

    removed: int = 0
    restored: int = 0
    gone: int = 0
    failed: list[FailedObject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[UndoStep] = field(default_factory=list)
    # Where it stopped midway: what this run rolled back, and what is left.
    done: list[WorkRow] = field(default_factory=list)
    left: list[WorkRow] = field(default_factory=list)
    # Set when the service stopped answering: what happened, why, what to do next.
    outage: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class SyncResult:
    """What the steps of a `sync` returned; `applied` and `verified` are None if they were not reached.

    `plan_kept`: the plan file still contains an earlier plan, which a `rollback` may need.
    """

    archive: Path
    plan_file: Path
    snapshot: SnapshotResult
    plan: Plan
    plan_kept: bool
    applied: ApplyResult | None = None
    verified: VerifyResult | None = None

    @property
    def exit_code(self) -> int:
        """3: something could not be read or written, or an id that was selected is unknown; 1: findings, or
        losses that are not accepted; else 0."""
        if (self.applied and self.applied.failed) or self.snapshot.state != "complete":
            return 3
        if self.plan.unknown_ids:
            return 3
        steps = (step for step in (self.applied, self.verified) if step is not None)
        return 1 if unaccepted_losses(self.plan.losses) or any(step.exit_code for step in steps) else 0


@dataclass(frozen=True)
class ApplySummary:
    """What one plan did to its target, counted over all kinds.

    `apply`: its number in the archive. `plan`: the plan's digest. `at`: when it was first applied, ISO time.
    `source` and `target` are addresses. `undone`: how many created and updated objects were rolled back.
    `state`: done, incomplete, rolled back or partly rolled back.
    """

    apply: int
    plan: str
    at: str
    source: str
    source_type: str
    target: str
    target_type: str
    created: int
    updated: int
    deleted: int
    adopted: int
    failed: int
    undone: int
    state: str
