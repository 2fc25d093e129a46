"""Carry out a recovery drill: plan, apply, verify and roll back, each timed, in an empty place.

The journal is an archive of its own (`archive/drill_journal.py`). The source reads that journal instead of
the one of its archive, so the drill neither knows earlier moves nor leaves a trace of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar

from migrate.archive.database import Archive
from migrate.archive.drill_journal import created_ids, objects_in_place, plans_to_undo
from migrate.codecs import Capabilities
from migrate.errors import IncompleteResult, MigrateError, ServiceUnreachable
from migrate.model import KINDS, retirements
from migrate.model.results.apply import ApplyResult, RollbackResult
from migrate.model.results.drill import (
    DrillResult,
    DrillStep,
    RemainingObject,
    StoppedDrill,
)
from migrate.model.results.plan import Plan
from migrate.model.sample import Sample
from migrate.stages.apply.context import apply_context
from migrate.stages.apply.run import ApplyInterrupted, apply_plan
from migrate.stages.drill.place import remaining_objects, require_empty
from migrate.stages.drill.readings import newest_readings
from migrate.stages.drill.sample import sample_selection
from migrate.stages.estate import Estate
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.plan_file import from_document
from migrate.stages.plan.run import check_source, plan_move
from migrate.stages.plan_sides import PlanSides, ServiceT
from migrate.stages.progress import Progress
from migrate.stages.retirements import retiring_in_snapshot
from migrate.stages.rollback.run import RollbackInterrupted, roll_back
from migrate.stages.verify.run import VerifyInterrupted, verify_plan

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader, Writer

# Steps whose time does not depend on how much is restored: the place is empty.
CONSTANT_STEPS = ("check", "list")
_T = TypeVar("_T")


@dataclass(frozen=True)
class DrillSides:
    """What a drill works with. `archive` and `target`: the names of both sides in the plan. `reader` and
    `writer`: two connections to the place; `emulated`: it is an emulator inside this process."""

    source: Estate
    archive: str
    journal: Archive
    reader: Reader
    writer: Writer
    capabilities: Capabilities
    target: str
    workers: int
    progress: Progress
    emulated: bool = False

    def of_plan(self, service: ServiceT) -> PlanSides[ServiceT]:
        """The sides of a plan of this drill, with one of the two connections."""
        return PlanSides(self.journal, self.source, service, self.capabilities)


@dataclass
class Stopwatch:
    """Seconds that each step took, in the order of the steps."""

    clock: Callable[[], float] = time.monotonic
    seconds: dict[str, float] = field(default_factory=dict)
    # The step that was begun last.
    step: str = ""

    def run(self, step: str, work: Callable[[], _T]) -> _T:
        """Do the work of a step and note its time."""
        began, self.step = self.clock(), step
        try:
            return work()
        finally:
            self.seconds[step] = self.clock() - began


class DrillStopped(MigrateError):
    """A drill that was stopped, or whose place stopped answering. `result`: what it did until then."""

    def __init__(self, cause: MigrateError, result: StoppedDrill) -> None:
        super().__init__(cause.what, cause.why, cause.todo)
        self.exit_code, self.result = cause.exit_code, result


@dataclass
class _Drill:
    """One drill, step by step."""

    sides: DrillSides
    options: PlanOptions
    sample: Sample | None
    watch: Stopwatch = field(default_factory=Stopwatch)
    plan: Plan | None = None

    def run(self, removed_before: int) -> DrillResult:
        sides, watch, options = self.sides, self.watch, self.options
        source, parts = sides.source, (sides.workers, sides.progress)
        watch.run("check", lambda: require_empty(sides.writer, *parts))
        if self.sample is not None:
            options = replace(options, selection=sample_selection(source, self.sample))
        self.plan = plan = watch.run(
            "plan", lambda: plan_move(source, sides.archive, sides.reader, sides.target, options, *parts)
        )
        applied = watch.run("restore", lambda: _apply(plan, sides))
        verified = watch.run(
            "verify",
            lambda: verify_plan(plan, sides.of_plan(sides.reader), *parts),
        )
        removed = watch.run("remove", lambda: _remove(plan, sides))
        threads = [id_ for id_, kind in created_ids(sides.journal.conn).items() if kind == "thread"]
        remaining = watch.run("list", lambda: remaining_objects(sides.writer, threads, *parts))
        objects, all_objects = sum(plan.counts().values()), _number_of_objects(source)
        return DrillResult(
            plan=plan,
            sample=self.sample,
            objects=objects,
            all_objects=all_objects,
            readings=newest_readings(source.snapshot.conn, source.side, datetime.now(timezone.utc)),
            steps=_steps(
                watch.seconds, all_objects / objects if self.sample is not None and objects else 1.0
            ),
            applied=applied,
            verified=verified,
            removed=removed,
            missing=tuple(gap for gap in source.snapshot.missing() if not gap.expected),
            remaining=remaining,
            removed_before=removed_before,
            emulated=sides.emulated,
            retiring=retiring_in_snapshot(source, retirements.today()),
        )

    def stopped(self, cause: MigrateError, work: ApplyResult | RollbackResult | None) -> DrillStopped:
        """The error that ends a drill in the middle. `work`: the result of the step that was stopped."""
        in_place = () if self.sides.emulated else objects_in_place(self.sides.journal.conn)
        result = StoppedDrill(
            plan=self.plan,
            step=self.watch.step,
            steps=_steps(self.watch.seconds, 1.0),
            done=tuple(work.done) if work else (),
            left=tuple(work.left) if work else (),
            in_place=tuple(RemainingObject(*row) for row in in_place),
            emulated=self.sides.emulated,
        )
        return DrillStopped(cause, result)


def run_drill(
    sides: DrillSides, options: PlanOptions, sample: Sample | None, removed_before: int = 0
) -> DrillResult:
    """Restore a snapshot, or a sample of it, into an empty place, compare it, and remove everything again.

    Raises `OperationRefused` where the place is not empty, and `DrillStopped` on Ctrl-C (exit code 3) or when
    the place stops answering (5): what was written until then is in the journal, and the next drill removes
    it."""
    sides.source.journal = sides.journal.conn
    sides.source.agent_version = options.agent_version
    check_source(sides.source)
    drill = _Drill(sides, options, sample)
    try:
        return drill.run(removed_before)
    except (ApplyInterrupted, RollbackInterrupted) as stopped:
        raise drill.stopped(_stop_cause(), stopped.result) from None
    except _StepOutage as outage:
        raise drill.stopped(outage.cause, outage.work) from None
    except (KeyboardInterrupt, VerifyInterrupted):
        raise drill.stopped(_stop_cause(), None) from None
    except ServiceUnreachable as outage:
        raise drill.stopped(outage, None) from None


def _stop_cause() -> IncompleteResult:
    return IncompleteResult("the drill was stopped", todo="run the same drill again")


class _StepOutage(Exception):
    """The place stopped answering in a step that writes. `work`: what the step did until then."""

    def __init__(self, work: ApplyResult | RollbackResult) -> None:
        super().__init__()
        what, why, _ = work.outage or ("", "", "")
        self.cause, self.work = ServiceUnreachable(what, why), work


def _apply(plan: Plan, sides: DrillSides) -> ApplyResult:
    ctx = apply_context(plan, sides.of_plan(sides.writer), sides.progress)
    applied = apply_plan(plan, ctx, sides.workers)
    if applied.outage:
        raise _StepOutage(applied)
    return applied


def _remove(plan: Plan, sides: DrillSides) -> RollbackResult:
    removed = take_back(plan, sides)
    if removed.outage:
        raise _StepOutage(removed)
    return removed


def take_back(plan: Plan, sides: DrillSides) -> RollbackResult:
    """Remove what a plan created in the place of a drill, also where others changed it since: the place is
    marked for drills, and the drill created the object."""
    created = frozenset(created_ids(sides.journal.conn))
    ctx = apply_context(plan, sides.of_plan(sides.writer), sides.progress)
    return roll_back(plan, ctx, sides.workers, force=created)


def interrupted_drills(journal: Archive) -> list[Plan]:
    """The plans of drills that were interrupted, newest first. What they created may still exist."""
    return [from_document(document) for document in plans_to_undo(journal.conn)]


def _number_of_objects(source: Estate) -> int:
    """How many objects and messages of a snapshot can be restored."""
    return sum(number for kind, number in source.snapshot.counts().items() if KINDS[kind].replayed)


def _steps(seconds: dict[str, float], factor: float) -> tuple[DrillStep, ...]:
    return tuple(
        DrillStep(step, spent, spent * (1.0 if step in CONSTANT_STEPS else factor))
        for step, spent in seconds.items()
    )
