"""Roll a plan back: remove what it created, restore what it changed.

What others changed since is not touched, unless the user forces it by id. Every request is in the journal, as
with an apply: an interrupted rollback continues, and a second one has nothing to do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from itertools import islice

from migrate.archive.journal import UNDO_ACTION, JournalEntry
from migrate.errors import (
    IncompleteResult,
    NotFound,
    NotSent,
    OperationRefused,
    OutcomeUnknown,
    RequestFailed,
    ServiceUnreachable,
)
from migrate.model import JSON, KINDS, Entity
from migrate.model.entity import ObjectKey
from migrate.model.first_of import first_of
from migrate.model.normalize import normalize_written_fields
from migrate.model.references import references_of
from migrate.model.results.apply import NOT_ROLLED_BACK, FailedObject, RollbackResult, UndoStep, WorkRow
from migrate.model.results.plan import Plan
from migrate.stages.apply.context import ApplyContext
from migrate.stages.apply.implicit_vector_stores import detach_implicit_store
from migrate.stages.apply.recover import recover_interrupted
from migrate.stages.apply.update import MAX_DELETE_TRIES, delete_objects, remaining_ids
from migrate.stages.object_fingerprints import object_fingerprint
from migrate.stages.rollback.undo_plan import REMOVAL_ORDER, UndoPlan
from migrate.stages.snapshot.live_estate import read_target
from migrate.stages.worker_pool import run_parallel

MAX_CHANGED_SHOWN = 5
UNDO_LINES_PER_COMMIT = 500
NOT_LISTED_BUT_PRESENT = "it is not in the listing, but it exists; run the same rollback again"
NO_RESPONSE = "no answer came"
# Texts of assistants and stores that may be null in JSON, according to all three API descriptions.
NULLABLE_TEXTS = frozenset({"name", "description", "instructions"})


class RollbackInterrupted(IncompleteResult):
    """Ctrl-C or SIGTERM during a rollback. `result`: what was done until then, and what was not."""

    def __init__(self, result: RollbackResult) -> None:
        super().__init__(
            "stopped; what was rolled back until now is in the journal",
            "the plan is partly rolled back" if result.done else "nothing was rolled back",
            "run the same rollback again: it continues",
        )
        self.result = result


def roll_back(
    plan: Plan,
    ctx: ApplyContext,
    workers: int,
    force: frozenset[str],
    dry_run: bool = False,
) -> RollbackResult:
    """Roll a plan back. `force`: target ids to roll back although others changed them. Raises
    `OperationRefused` for other changed objects, `RollbackInterrupted` on Ctrl-C, `IncompleteResult` when the
    target could not be read. When the service stops answering, the result lists what was not done."""
    try:
        recover_interrupted(ctx)
        steps = _undo_steps(plan, ctx, workers)
    except KeyboardInterrupt:
        raise RollbackInterrupted(RollbackResult(notes=ctx.result.notes)) from None
    _refuse_changed([step for step in steps if step.changed and step.target_id not in force])
    result = RollbackResult(notes=ctx.result.notes, steps=steps if dry_run else [])
    for action in plan.actions:
        if action.action == "delete" and ctx.entry_of(action):
            reason = "the plan deleted it; the journal has its content, but its id cannot come back"
            result.failed.append(FailedObject(action.kind, action.id, action.name, reason))
    if dry_run:
        return result
    rollback = _Rollback(ctx, result)
    try:
        rollback.run(steps, workers)
        _remove_adopted_from_id_map(ctx)
    except KeyboardInterrupt:
        rollback.report_stopped(steps)
        raise RollbackInterrupted(result) from None
    except ServiceUnreachable as outage:
        rollback.report_stopped(steps)
        result.outage = (outage.what, outage.why, outage.todo)
    return result


def _undo_steps(plan: Plan, ctx: ApplyContext, workers: int) -> list[UndoStep]:
    """Read the target and decide what to do."""
    entries = ctx.entries.values()
    threads = {e.target_id for e in entries if e.kind == "thread" and e.target_id and e.action != "adopt"}
    threads |= {target_id for _, target_id, _ in ctx.journal.threads_with_messages()}
    threads |= {a.target_parent for a in plan.actions if (a.kind, a.action) == ("message", "update")}
    absent, options = plan.settled.absent, {"must_answer": False, "list_threads": bool(threads)}
    with read_target(ctx.writer, absent, threads, workers, ctx.progress, **options) as target:
        present = [thread.id for thread in target.estate.iter_threads() if thread.id in threads]
        with target.messages_of(present) as messages:
            return UndoPlan(plan, ctx, target.estate, messages).steps()


def _refuse_changed(steps: list[UndoStep]) -> None:
    if not steps:
        return
    names = [
        f"{s.kind} {s.name or s.id} [{s.target_id}]: {s.changed}, by "
        f"{f'apply {s.later.apply}' if s.later else 'others'}"
        for s in steps
    ]
    why = first_of(names, MAX_CHANGED_SHOWN, "; ")
    applies = sorted({(s.later.apply, s.later.at, s.later.plan) for s in steps if s.later}, reverse=True)
    if applies:
        number, time, plan = applies[0]
        raise OperationRefused(
            f"{len(steps):,} object(s) were changed by apply {number}: roll that back first",
            why,
            f"apply {number} began at {time} with the plan {plan[:12]}: "
            f"run rollback ARCHIVE --apply {number}, then this one",
        )
    raise OperationRefused(
        f"{len(steps):,} object(s) were changed by others since the plan was applied",
        why,
        "look at them; --force ID rolls one back although it was changed",
    )


def _remove_adopted_from_id_map(ctx: ApplyContext) -> None:
    """Objects that the plan only found on the target stay there, but leave the id map."""
    adopted = (e for e in ctx.journal.entries() if e.action == "adopt" and e.state == "done")
    while batch := list(islice(adopted, UNDO_LINES_PER_COMMIT)):
        undo_entries = ctx.journal.record_intent(
            (UNDO_ACTION, e.kind, e.source_parent, e.source_id, e.name) for e in batch
        )
        ctx.journal.record_all_done(
            (entry, e.target_id, e.target_parent, None) for entry, e in zip(undo_entries, batch, strict=True)
        )


class _Rollback:
    """Carries out steps, and records those that are proved to be done."""

    def __init__(self, ctx: ApplyContext, result: RollbackResult) -> None:
        self._ctx, self._result = ctx, result
        self._done: list[UndoStep] = []
        # Target ids of threads and stores of which something could not be removed.
        self._incomplete: set[str] = set()
        # What an object that could not be restored still refers to -> why it is kept.
        self._kept: dict[ObjectKey, str] = {}
        # Source id of a store -> journal lines of the files that were put into it.
        self._store_entries: dict[str, list[JournalEntry]] = {}
        for entry in ctx.entries.values():
            if entry.action == "create" and entry.source_parent and entry.state == "done":
                self._store_entries.setdefault(entry.source_parent, []).append(entry)

    def run(self, steps: list[UndoStep], workers: int) -> None:
        """Restore, then remove. A thread is restored after its messages are removed: until then it has their
        attachments."""
        run = partial(run_parallel, workers, stop=self._ctx.stop)
        restored = [step for step in steps if step.how == "restore"]
        run((step for step in restored if step.kind != "thread"), self._restore)
        for kind in REMOVAL_ORDER:
            if kind == "thread":
                run((step for step in restored if step.kind == kind), self._restore)
                self._keep_what_is_used(steps)
            removed = [step for step in steps if step.how == "remove" and step.kind == kind]
            has_parent = bool(KINDS[kind].parent)
            run(([step] for step in removed if step.gone or not has_parent), self._remove)
            siblings: dict[str, list[UndoStep]] = {}
            for step in reversed(removed):  # of messages, the last one first
                if has_parent and not step.gone:
                    siblings.setdefault(step.target_parent, []).append(step)
            run(siblings.values(), self._remove)

    def _remove(self, steps: list[UndoStep]) -> None:
        """Remove objects of one kind and one parent."""
        first = steps[0]
        if (why := self._kept.get((first.kind, first.target_id))) and not first.gone:
            self._fail(first, why)
            return
        entries = [self._intend(step) for step in steps]
        try:
            remaining = self._send_removal(steps[0], [step.target_id for step in steps])
        except NotSent:
            return
        except RequestFailed as failed:
            remaining = dict.fromkeys((step.target_id for step in steps), str(failed))
        for step, lines in zip(steps, entries, strict=True):
            if step.target_id in remaining:
                self._incomplete.add(step.target_parent)
                self._fail(step, remaining[step.target_id])
            else:
                self._note_done(step, lines)

    def _send_removal(self, step: UndoStep, ids: list[str]) -> dict[str, str]:
        """Returns id -> reason for those that are still there."""
        writer = self._ctx.writer
        if step.gone:
            remaining = remaining_ids(writer, step.kind, ids, step.target_parent)
            return dict.fromkeys(remaining, NOT_LISTED_BUT_PRESENT)
        if step.detach and step.detach in self._incomplete:
            return dict.fromkeys(ids, "a message that attaches a file of it is still there")
        if step.detach:
            detach_implicit_store(self._ctx, step.detach, step.target_id)
        return delete_objects(writer, step.kind, ids, step.target_parent)

    def _keep_what_is_used(self, steps: list[UndoStep]) -> None:
        """Objects that could not be restored still refer to what this plan created. Removing that would leave
        them with ids of nothing, so it stays, with what it needs itself."""
        failed = {(row.kind, row.id) for row in self._result.failed}
        removed = {(step.kind, step.target_id): step for step in steps if step.how == "remove"}
        waiting = [step for step in steps if step.how == "restore" and (step.kind, step.id) in failed]
        while waiting:
            user = waiting.pop()
            for key in self._used_by(user, removed):
                if key in removed and key not in self._kept:
                    self._kept[key] = f"{user.kind} {user.name or user.id} could not be restored and uses it"
                    waiting.append(removed[key])

    def _used_by(self, step: UndoStep, removed: Collection[ObjectKey]) -> Collection[ObjectKey]:
        """What an object refers to now; of one that cannot be read, all of `removed`."""
        if step.kind == "vector_store":
            return [("file", entry.target_id) for entry in self._store_entries.get(step.id, ())]
        if step.kind not in ("assistant", "thread"):
            return ()
        try:
            body = self._ctx.writer.get(step.kind, step.target_id)
        except NotFound:
            return ()
        except RequestFailed:
            return removed
        present = self._ctx.decode(step.kind, body)
        return [(kind, id_) for _, kind, id_ in references_of(present)]

    def _restore(self, step: UndoStep) -> None:
        """Write back what an object was before."""
        if "tool_resources" in step.fields and step.target_id in self._incomplete:
            return self._fail(step, "a message of it is still there")
        entries = self._intend(step)
        try:
            if not step.gone:
                _write_back(self._ctx, step)
            elif remaining_ids(self._ctx.writer, step.kind, [step.target_id], step.target_parent):
                raise RequestFailed(NOT_LISTED_BUT_PRESENT)
        except NotSent:
            return None
        except RequestFailed as failed:
            self._fail(step, str(failed))
        else:
            self._note_done(step, entries)

    def _intend(self, step: UndoStep) -> list[int]:
        """Note a step, and the members that are removed together with a thread or store."""
        members: Sequence[JournalEntry] = ()
        if step.how == "remove" and step.kind == "thread":
            members = self._ctx.journal.created_messages(step.id)
        elif step.how == "remove" and step.kind == "vector_store":
            members = self._store_entries.get(step.id, ())
        jobs = [(UNDO_ACTION, step.kind, step.parent, step.id, step.name)]
        jobs += [(UNDO_ACTION, e.kind, e.source_parent, e.source_id, e.name) for e in members]
        return self._ctx.journal.record_intent(jobs)

    def report_stopped(self, steps: list[UndoStep]) -> None:
        """Add to the result what is done and what is left; each step that is left counts as failed."""
        done, result = {id(step) for step in self._done}, self._result
        reported = {(row.kind, row.id) for row in result.failed}
        for step in steps:
            (result.done if id(step) in done else result.left).append(_work_row(step))
            if id(step) not in done and (step.kind, step.id) not in reported:
                result.failed.append(FailedObject(step.kind, step.id, step.name, NOT_ROLLED_BACK))

    def _fail(self, step: UndoStep, reason: str) -> None:
        with self._ctx.lock:
            self._result.failed.append(FailedObject(step.kind, step.id, step.name, reason))

    def _note_done(self, step: UndoStep, entries: list[int]) -> None:
        self._ctx.journal.record_all_done(
            (entry, step.target_id, step.target_parent, None) for entry in entries
        )
        with self._ctx.lock:
            self._done.append(step)
            self._result.gone += step.gone
            self._result.removed += step.how == "remove" and not step.gone
            self._result.restored += step.how == "restore" and not step.gone
        self._ctx.progress.count("rolled back")


def _work_row(step: UndoStep) -> WorkRow:
    place = step.kind, step.id, step.name, step.parent, step.target_id
    return WorkRow("remove" if step.how == "remove" else "restore", *place, change=step.change)


def _write_back(ctx: ApplyContext, step: UndoStep) -> None:
    """Write the former state, and read the object. Writing twice does no harm, so it is sent again when no
    answer came. Raises `RequestFailed` when the object is not as it was before."""
    before = ctx.decode(step.kind, step.before or {}, step.target_parent)
    expected, answer = normalize_written_fields(before), ""
    for tries in range(MAX_DELETE_TRIES + 1):
        try:
            body = ctx.writer.get(step.kind, step.target_id, step.target_parent)
        except NotFound:
            return  # others deleted it
        present = ctx.decode(step.kind, body, step.target_parent)
        if normalize_written_fields(present) == expected:
            return
        if tries == MAX_DELETE_TRIES or (answer and answer != NO_RESPONSE):
            break
        answer = _send_former_state(ctx, step, before, present)
    raise RequestFailed(f"it is not as it was before: {answer}")


def _send_former_state(ctx: ApplyContext, step: UndoStep, before: Entity, present: Entity) -> str:
    """Send the former state. Returns what the service answered."""
    request = ctx.codec.update_request(before, frozenset(step.fields), present)
    body: JSON = step.before if isinstance(step.before, dict) else {}
    null_texts = [
        name
        for name, value in request.items()
        if name in NULLABLE_TEXTS and value is not None and body.get(name, value) is None
    ]
    answer = ""
    # Null and the empty text are different bodies. Some servers refuse a null although it is documented: then
    # the empty text is sent.
    for wire in [{**request, **dict.fromkeys(null_texts)}, request] if null_texts else [request]:
        address = step.kind, step.target_id, wire, step.target_parent
        try:
            if object_fingerprint(present) == step.written:
                ctx.writer.revert(*address, version=str(present.facts.get("version") or ""))
            else:
                ctx.writer.update(*address)
        except OutcomeUnknown:
            return NO_RESPONSE
        except NotSent:
            raise
        except RequestFailed as failed:
            answer = str(failed)
        else:
            return "the service answered as if it had been written"
    return answer
