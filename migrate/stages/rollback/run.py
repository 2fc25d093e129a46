"""A plan in, the target as it was before it out: removes what the plan made, restores what it changed.

Nothing is touched that others changed since, unless it is forced by id. Journalled like an apply: a
killed rollback goes on where it was, and a second one has nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.journal import UNDO_ACTION, JournalEntry
from migrate.codecs import Capabilities
from migrate.errors import IncompleteResult, NotFound, OperationRefused, OutcomeUnknown, RequestFailed
from migrate.model import KINDS, Entity
from migrate.model.normalize import normalize_written_fields
from migrate.model.results.apply import FailedObject, RollbackResult, UndoStep
from migrate.model.results.plan import Plan
from migrate.stages.apply.context import ApplyContext, apply_context, load_id_map
from migrate.stages.apply.implicit_vector_stores import detach_implicit_store
from migrate.stages.apply.recover import recover_interrupted
from migrate.stages.apply.update import MAX_DELETE_TRIES, delete_objects, remaining_ids
from migrate.stages.estate import Estate
from migrate.stages.fingerprints import object_fingerprint
from migrate.stages.progress import Progress
from migrate.stages.rollback.undo_plan import REMOVAL_ORDER, UndoPlan
from migrate.stages.snapshot.live_estate import read_target
from migrate.stages.worker_pool import run_parallel

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

MAX_CHANGED_SHOWN = 5
LINES_PER_COMMIT = 500
"""Journal lines in one commit."""
NOT_LISTED_BUT_PRESENT = "it was not listed and is there all the same; run the same rollback again"
NO_RESPONSE = "no answer came"
NULLABLE_TEXTS = frozenset({"name", "description", "instructions"})
"""Texts of assistants and stores that may be null on the wire, as all three API descriptions say."""
StoreRows = dict[str, list[JournalEntry]]


def roll_back(
    plan: Plan,
    source: Estate,
    archive: Archive,
    writer: Writer,
    capabilities: Capabilities,
    workers: int,
    progress: Progress,
    force: frozenset[str] = frozenset(),
    dry_run: bool = False,
) -> RollbackResult:
    """Take a plan back. Raises `OperationRefused` when something was changed by others since and is not
    forced."""
    ctx = apply_context(plan, source, archive, writer, capabilities, progress)
    load_id_map(plan, ctx, archive)
    recover_interrupted(ctx, plan)
    steps = _steps(plan, ctx, workers, progress)
    _refuse_changed([step for step in steps if step.changed and step.target_id not in force])
    done = RollbackResult(notes=ctx.result.notes, steps=steps if dry_run else [])
    for action in plan.actions:
        if action.action == "delete" and ctx.entry_of(action):
            reason = "the plan deleted it; what it was is in the journal, but its id cannot come back"
            done.failed.append(FailedObject(action.kind, action.id, action.name, reason))
    if dry_run:
        return done
    try:
        _take_back(ctx, steps, done, workers)
        _forget_adopted(ctx)
    except KeyboardInterrupt:
        why = "the plan is partly taken back"
        raise IncompleteResult("stopped", why, "run the same rollback again: it continues") from None
    return done


def _steps(plan: Plan, ctx: ApplyContext, workers: int, progress: Progress) -> list[UndoStep]:
    """Read the target and find what to take back."""
    entries = ctx.entries.values()
    threads = {e.target_id for e in entries if e.kind == "thread" and e.target_id and e.action != "adopt"}
    threads |= {there for _, there, _ in ctx.journal.threads_with_messages()}
    absent = plan.settled.absent
    with read_target(ctx.writer, absent, threads, workers, progress, must_answer=False) as target:
        present = [thread.id for thread in target.estate.iter_threads() if thread.id in threads]
        with target.messages_of(present) as messages:
            return UndoPlan(plan, ctx, target.estate, messages).steps()


def _refuse_changed(changed: list[UndoStep]) -> None:
    if not changed:
        return
    named = [
        f"{s.kind} {s.name or s.id} [{s.target_id}]: {s.changed}{_by(s)}" for s in changed[:MAX_CHANGED_SHOWN]
    ]
    more = f" and {len(changed) - MAX_CHANGED_SHOWN:,} more" if len(changed) > MAX_CHANGED_SHOWN else ""
    applies = sorted({(s.later.apply, s.later.at, s.later.plan) for s in changed if s.later}, reverse=True)
    if applies:
        number, at, plan = applies[0]
        raise OperationRefused(
            f"{len(changed):,} object(s) were changed by apply {number}: roll that back first",
            "; ".join(named) + more,
            f"apply {number} was begun at {at} with the plan {plan[:12]}: rollback that plan, then this one",
        )
    raise OperationRefused(
        f"{len(changed):,} object(s) were changed by others since the plan was applied",
        "; ".join(named) + more,
        "look at them; --force ID takes one back all the same",
    )


def _by(step: UndoStep) -> str:
    return f", by apply {step.later.apply}" if step.later else ", by others"


def _take_back(ctx: ApplyContext, steps: list[UndoStep], done: RollbackResult, workers: int) -> None:
    back = _Back(ctx, done, _in_stores(ctx))
    do = partial(run_parallel, workers, stop=ctx.stop)
    restored = [s for s in steps if s.how == "restore"]
    do((s for s in restored if s.kind != "thread"), back.restore)
    for kind in REMOVAL_ORDER:
        if kind == "thread":  # what its messages attach stays with it for as long as they do
            do((s for s in restored if s.kind == kind), back.restore)
        mine = [s for s in steps if s.how == "remove" and s.kind == kind]
        do(([s] for s in mine if s.gone or not KINDS[kind].parent), back.remove)
        together: dict[str, list[UndoStep]] = {}
        for step in reversed(mine) if KINDS[kind].parent else ():  # messages stand in an order: last first
            if not step.gone:
                together.setdefault(step.target_parent, []).append(step)
        do(together.values(), back.remove)


def _forget_adopted(ctx: ApplyContext) -> None:
    """What the plan only found on the target stays as it is, and leaves the id map."""
    adopted = (e for e in ctx.journal.entries() if e.action == "adopt" and e.state == "done")
    while some := list(islice(adopted, LINES_PER_COMMIT)):
        entries = ctx.journal.intend(
            (UNDO_ACTION, e.kind, e.source_parent, e.source_id, e.name) for e in some
        )
        ctx.journal.record_all_done(
            (entry, e.target_id, e.target_parent, None) for entry, e in zip(entries, some, strict=True)
        )


def _in_stores(ctx: ApplyContext) -> StoreRows:
    """Journal lines of what was put into a store, by the id of that on the source."""
    found: StoreRows = {}
    for e in ctx.entries.values():
        if e.action == "create" and e.source_parent and e.state == "done":
            found.setdefault(e.source_parent, []).append(e)
    return found


class _Back:
    """Removes and restores, and notes what is proved to be done."""

    def __init__(self, ctx: ApplyContext, done: RollbackResult, in_stores: StoreRows) -> None:
        self._shop, self._done, self._in_stores = ctx, done, in_stores
        self._kept: set[str] = set()
        """Threads and stores of which something could not be removed."""

    def remove(self, steps: list[UndoStep]) -> None:
        """Remove objects of one kind that lie below one parent, and note what went along with each."""
        ctx, first = self._shop, steps[0]
        lines = [self._intended(step) for step in steps]
        ids = [step.target_id for step in steps]
        try:
            if first.gone:
                left = dict.fromkeys(
                    remaining_ids(ctx.writer, first.kind, ids, first.target_parent), NOT_LISTED_BUT_PRESENT
                )
            elif first.detach and first.detach in self._kept:
                left = dict.fromkeys(ids, "a message that attaches a file of it is still there")
            else:
                if first.detach:
                    detach_implicit_store(ctx, first.detach, first.target_id)
                left = delete_objects(ctx.writer, first.kind, ids, first.target_parent)
        except RequestFailed as failed:
            left = dict.fromkeys(ids, str(failed))
        for step, entries in zip(steps, lines, strict=True):
            if step.target_id in left:
                self._kept.add(step.target_parent)
                self._failed(step, left[step.target_id])
            else:
                self._noted(step, entries)

    def restore(self, step: UndoStep) -> None:
        """Write back what an object was before."""
        if "tool_resources" in step.fields and step.target_id in self._kept:
            return self._failed(step, "a message of it is still there")
        entries = self._intended(step)
        try:
            if step.gone:
                if remaining_ids(self._shop.writer, step.kind, [step.target_id], step.target_parent):
                    raise RequestFailed(NOT_LISTED_BUT_PRESENT)
            else:
                _restored(self._shop, step)
        except RequestFailed as failed:
            self._failed(step, str(failed))
        else:
            self._noted(step, entries)

    def _intended(self, step: UndoStep) -> list[int]:
        along: Sequence[JournalEntry] = ()
        if step.how == "remove" and step.kind == "thread":
            along = self._shop.journal.created_messages(step.id)
        elif step.how == "remove" and step.kind == "vector_store":
            along = self._in_stores.get(step.id, ())
        rows = [(UNDO_ACTION, step.kind, step.parent, step.id, step.name)]
        rows += [(UNDO_ACTION, e.kind, e.source_parent, e.source_id, e.name) for e in along]
        return self._shop.journal.intend(rows)

    def _failed(self, step: UndoStep, reason: str) -> None:
        with self._shop.lock:
            self._done.failed.append(FailedObject(step.kind, step.id, step.name, reason))

    def _noted(self, step: UndoStep, entries: list[int]) -> None:
        self._shop.journal.record_all_done(
            (entry, step.target_id, step.target_parent, None) for entry in entries
        )
        with self._shop.lock:
            self._done.gone += step.gone
            self._done.removed += step.how == "remove" and not step.gone
            self._done.restored += step.how == "restore" and not step.gone
        self._shop.progress.count("taken back")


def _restored(ctx: ApplyContext, step: UndoStep) -> None:
    """Write the pre-image back, and look. Sending it twice does no harm, so after a lost answer it is sent
    again. Raises `RequestFailed` when it is not there as it was before."""
    before = ctx.codec.decode(step.kind, step.before or {}, step.target_parent, None)[0]
    wanted = normalize_written_fields(before)
    said = ""
    for _ in range(MAX_DELETE_TRIES):
        try:
            now = _seen(ctx, step)
        except NotFound:
            return  # it was deleted meanwhile
        if normalize_written_fields(now) == wanted:
            return
        if said and said != NO_RESPONSE:
            raise RequestFailed(f"it is not as it was before: {said}")
        said = _sent_back(ctx, step, before, now)
    try:
        if normalize_written_fields(_seen(ctx, step)) != wanted:
            raise RequestFailed(f"it is not as it was before: {said}")
    except NotFound:
        return


def _seen(ctx: ApplyContext, step: UndoStep) -> Entity:
    body = ctx.writer.get(step.kind, step.target_id, step.target_parent)
    return ctx.codec.decode(step.kind, body, step.target_parent, None)[0]


def _sent_back(ctx: ApplyContext, step: UndoStep, before: Entity, now: Entity) -> str:
    """Ask for the pre-image to be written; what was answered."""
    wire = ctx.codec.update_request(before, frozenset(step.fields), now)
    if step.kind == "thread" and isinstance(wire.get("tool_resources"), dict):
        said_of = {**(before.fields.get("tool_resources") or {}), **(now.fields.get("tool_resources") or {})}
        kept = {branch: held for branch, held in wire["tool_resources"].items() if branch in said_of}
        wire = {**wire, "tool_resources": kept}  # a branch that neither says is not made
    exact = {**wire, **{name: None for name in wire if name in NULLABLE_TEXTS and _was_null(step, name)}}
    said = ""
    for body in [exact, wire] if exact != wire else [wire]:
        where = step.kind, step.target_id, body, step.target_parent
        try:
            if object_fingerprint(now) == step.written:
                ctx.writer.revert(*where, version=str(now.facts.get("version") or ""))
            else:
                ctx.writer.update(*where)
        except OutcomeUnknown:
            return NO_RESPONSE
        except RequestFailed as failed:
            said = str(failed)  # some servers refuse a null, though it is described: then the empty text
            continue
        return "the service answered as if it had been written"
    return said


def _was_null(step: UndoStep, name: str) -> bool:
    """Whether a field stood there as null, which is not the same as an empty text byte for byte."""
    return isinstance(step.before, dict) and name in step.before and step.before[name] is None
