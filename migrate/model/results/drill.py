"""The result of `drill`: how old the archive is, how long each step took, and what could not be rebuilt."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from migrate.model import KINDS
from migrate.model.loss import EVERY_OBJECT
from migrate.model.results.apply import (
    ApplyResult,
    FailedObject,
    RollbackResult,
    VerifyFinding,
    VerifyResult,
    WorkRow,
)
from migrate.model.results.archive import MissingObject
from migrate.model.results.plan import LossRow, Plan, unaccepted_losses
from migrate.model.results.retirements import Retiring
from migrate.model.sample import Sample


@dataclass(frozen=True)
class KindReading:
    """The newest snapshot that read all objects of a kind.

    `snapshot`: its number, None where no snapshot is complete for the kind. `started_at`: when the reading
    began, ISO time. `age_s`: seconds since then: what was created later would be lost today. `remark`: why
    objects may exist that the reading could not see, such as threads that a service does not list.
    """

    kind: str
    snapshot: int | None = None
    started_at: str = ""
    age_s: int | None = None
    remark: str = ""


@dataclass(frozen=True)
class DrillStep:
    """One step of a drill. `seconds`: how long it took. `seconds_for_all`: how long it would take for the
    whole snapshot, in proportion to the number of objects and messages."""

    step: str
    seconds: float
    seconds_for_all: float


@dataclass(frozen=True)
class RemainingObject:
    """An object that is in a place, and should not be there before or after a drill."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True)
class DrillResult:
    """What a drill did.

    `objects`: how many objects and messages the drill was about; `all_objects`: how many the snapshot has.
    `missing`: what the snapshot itself lacks. `remaining`: what is still in the place after the removal.
    `removed_before`: how many objects of an interrupted drill were removed first. `emulated`: the place was
    an emulator inside this process, so the times say nothing about a real service.
    """

    plan: Plan
    sample: Sample | None
    objects: int
    all_objects: int
    readings: tuple[KindReading, ...]
    steps: tuple[DrillStep, ...]
    applied: ApplyResult
    verified: VerifyResult
    removed: RollbackResult
    missing: tuple[MissingObject, ...] = ()
    remaining: tuple[RemainingObject, ...] = ()
    removed_before: int = 0
    emulated: bool = False
    # What ends on the estate that the snapshot was read from.
    retiring: Retiring | None = None

    @property
    def findings(self) -> list[VerifyFinding]:
        """Differences between the place and the plan. Blocked objects are not among them: they are in
        `losses`."""
        blocked = {(row.kind, row.id) for row in self.losses if row.grade == "blocked"}
        return [row for row in self.verified.findings if row.path or (row.kind, row.source_id) not in blocked]

    @property
    def losses(self) -> list[LossRow]:
        """Objects that could not be created, and fields that did not arrive."""
        return [row for row in (*self.plan.losses, *self.applied.losses) if row.grade != "adapted"]

    @property
    def failed(self) -> list[FailedObject]:
        """Objects that could not be written, beside those that the plan blocked."""
        blocked = {(row.kind, row.id) for row in self.losses if row.grade == "blocked"}
        return [row for row in self.applied.failed if (row.kind, row.id) not in blocked]

    @property
    def gaps(self) -> list[MissingObject]:
        """What the snapshot lacks and no loss reports: of a sample, only what belongs to it."""
        reported = {(row.kind, row.id) for row in self.losses}
        objects = {(action.kind, action.id) for action in self.plan.actions}
        return [
            gap
            for gap in self.missing
            if (gap.kind, gap.id) not in reported and (self.sample is None or _belongs_to(gap, objects))
        ]

    @property
    def exit_code(self) -> int:
        """3: something could not be rebuilt or removed; 1: findings, or losses that are not accepted."""
        if self.applied.failed or self.gaps or self.removed.failed or self.remaining:
            return 3
        return 1 if self.findings or unaccepted_losses(self.losses) else 0


@dataclass(frozen=True)
class StoppedDrill:
    """What a drill did until it was stopped.

    `plan`: None where it was stopped before it was made. `step`: the step that was stopped; `steps`: those
    before it, and it. `done` and `left`: objects of that step, where it writes. `in_place`: what the drill
    created and did not remove again; the next drill removes it. `emulated`: nothing of it exists any more.
    """

    plan: Plan | None
    step: str
    steps: tuple[DrillStep, ...]
    done: tuple[WorkRow, ...] = ()
    left: tuple[WorkRow, ...] = ()
    in_place: tuple[RemainingObject, ...] = ()
    emulated: bool = False


def _belongs_to(gap: MissingObject, objects: Set[tuple[str, str]]) -> bool:
    """Whether a gap concerns one of these objects, or a whole list."""
    parent = (KINDS[gap.kind].parent, gap.parent)
    return (gap.kind, gap.id) in objects or (parent in objects if gap.parent else gap.id == EVERY_OBJECT)
