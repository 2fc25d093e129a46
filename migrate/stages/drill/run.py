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
from migrate.archive.drill_journal import created_ids, plans_to_undo
from migrate.codecs import Capabilities
from migrate.errors import ServiceUnreachable
from migrate.model import KINDS, retirements
from migrate.model.results.apply import ApplyResult, RollbackResult
from migrate.model.results.drill import DrillResult, DrillSample, DrillStep
from migrate.model.results.plan import Plan
from migrate.stages.apply.run import apply_plan
from migrate.stages.drill.place import remaining_objects, require_empty
from migrate.stages.drill.readings import newest_readings
from migrate.stages.drill.sample import sample_selection
from migrate.stages.estate import Estate
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.plan_file import from_document
from migrate.stages.plan.run import check_source, plan_move
from migrate.stages.progress import Progress
from migrate.stages.retirements import retiring_in_snapshot
from migrate.stages.rollback.run import roll_back
from migrate.stages.verify.run import verify_plan

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader, Writer

# Steps whose time does not depend on how much is restored: the place is empty.
CONSTANT_STEPS = ("check", "list")
_T = TypeVar("_T")


@dataclass(frozen=True)
class DrillSides:
    """What a drill works with. `archive` and `target`: what the plan calls its sides. `reader` and `writer`:
    two connections to the place; `emulated`: it is an emulator inside this process."""

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


@dataclass
class Stopwatch:
    """Seconds that each step took, in the order of the steps."""

    clock: Callable[[], float] = time.monotonic
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, step: str, work: Callable[[], _T]) -> _T:
        """Do the work of a step and note its time."""
        began = self.clock()
        try:
            return work()
        finally:
            self.seconds[step] = self.clock() - began


def run_drill(
    sides: DrillSides, options: PlanOptions, sample: DrillSample | None, removed_before: int = 0
) -> DrillResult:
    """Restore a snapshot, or a sample of it, into an empty place, compare it, and take everything back.

    Raises `OperationRefused` where the place is not empty, `ServiceUnreachable` when it stops answering, and
    `IncompleteResult` on Ctrl-C: what was written until then is in the journal, and `remove_leftovers`
    removes it."""
    source, watch = sides.source, Stopwatch()
    source.journal = sides.journal.conn
    source.agent_version = options.agent_version
    check_source(source)
    parts = (sides.workers, sides.progress)
    watch.run("check", lambda: require_empty(sides.writer, *parts))
    if sample is not None:
        options = replace(options, selection=sample_selection(source, sample))
    plan = watch.run(
        "plan", lambda: plan_move(source, sides.archive, sides.reader, sides.target, options, *parts)
    )
    applied = watch.run("restore", lambda: _apply(plan, sides))
    verified = watch.run(
        "verify",
        lambda: verify_plan(plan, source, sides.journal, sides.reader, sides.capabilities, *parts),
    )
    removed = watch.run("remove", lambda: take_back(plan, sides))
    threads = [id_ for id_, kind in created_ids(sides.journal.conn).items() if kind == "thread"]
    remaining = watch.run("list", lambda: remaining_objects(sides.writer, threads, *parts))
    objects, all_objects = sum(plan.counts().values()), _number_of_objects(source)
    return DrillResult(
        plan=plan,
        sample=sample,
        objects=objects,
        all_objects=all_objects,
        readings=newest_readings(source.snapshot.conn, source.side, datetime.now(timezone.utc)),
        steps=_steps(watch.seconds, all_objects / objects if sample is not None and objects else 1.0),
        applied=applied,
        verified=verified,
        removed=removed,
        missing=tuple(gap for gap in source.snapshot.missing() if not gap.expected),
        remaining=remaining,
        removed_before=removed_before,
        emulated=sides.emulated,
        retiring=retiring_in_snapshot(source, retirements.today()),
    )


def _apply(plan: Plan, sides: DrillSides) -> ApplyResult:
    applied = apply_plan(
        plan, sides.source, sides.journal, sides.writer, sides.capabilities, sides.workers, sides.progress
    )
    if applied.outage:
        what, why, _ = applied.outage
        raise ServiceUnreachable(what, why)
    return applied


def take_back(plan: Plan, sides: DrillSides) -> RollbackResult:
    """Remove what a plan created in the place of a drill, also where others changed it since: the place is
    marked for drills, and the drill created the object."""
    created = frozenset(created_ids(sides.journal.conn))
    return roll_back(
        plan, sides.source, sides.journal, sides.writer, sides.capabilities, sides.workers, sides.progress,
        force=created,
    )  # fmt: skip


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
