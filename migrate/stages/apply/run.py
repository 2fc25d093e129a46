"""Carry out a plan. Every request is in the journal, so that an interrupted apply can continue.

The order follows references: files, vector stores, files in stores, assistants, threads with their messages.
Then the ingestion of files is awaited, and deletions are last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from migrate.archive.journal import FINISHED_ACTION, NOT_TAKEN_ACTION, UNDO_ACTION
from migrate.errors import IncompleteResult, PlanStale, ServiceUnreachable
from migrate.model.results.apply import ApplyResult
from migrate.model.results.plan import Action, Plan
from migrate.stages.apply.context import ApplyContext, blocked_objects
from migrate.stages.apply.create import create_object
from migrate.stages.apply.preconditions import check_target
from migrate.stages.apply.stopped import APPLY_STOPPED, SERVICE_STOPPED, SERVICE_UNREACHABLE, report_stopped
from migrate.stages.apply.store_files import await_ingestion, fill_vector_store, upload_file
from migrate.stages.apply.threads import ThreadWriter
from migrate.stages.apply.update import delete_object, refuse_foreign_deletions, update_object
from migrate.stages.plan.adaptation import AssistantDependencies
from migrate.stages.snapshot.live_estate import CONFIGURATION_KINDS
from migrate.stages.worker_pool import run_parallel

INGESTION_TIMEOUT_S = 600.0


class ApplyInterrupted(IncompleteResult):
    """Ctrl-C or SIGTERM during an apply. `result`: what was done until then, and what was not."""

    def __init__(self, result: ApplyResult) -> None:
        super().__init__(
            "stopped; what was created until now is in the journal",
            "the plan is partly applied" if result.done else "nothing was written",
            "run the same apply again: it continues",
        )
        self.result = result


def apply_plan(
    plan: Plan, ctx: ApplyContext, workers: int, ingestion_timeout_s: float = INGESTION_TIMEOUT_S
) -> ApplyResult:
    """Carry out a plan. Raises `PlanStale` when source or target changed, `OperationRefused` when it would
    delete an object that this program did not create, `IncompleteResult` on Ctrl-C. When the service stops
    answering, the result lists what was not done."""
    if ctx.journal.has_action(UNDO_ACTION):
        raise PlanStale(
            "this plan was rolled back",
            "what it created was removed from the target",
            "run plan again and read the new one",
        )
    try:
        check_target(plan, ctx, workers)
        _announce(plan, ctx)
        refuse_foreign_deletions(plan, ctx)
        _note_unchanged(plan, ctx)
        _carry_out(plan, ctx, workers, ingestion_timeout_s)
    except KeyboardInterrupt:
        report_stopped(plan, ctx, APPLY_STOPPED)
        _report_losses(ctx)
        raise ApplyInterrupted(ctx.result) from None
    if not ctx.result.failed:
        ctx.journal.record_created([((FINISHED_ACTION, "plan", "", "", ""), "", "", "")])
    _report_blocked(plan, ctx)
    _report_losses(ctx)
    return ctx.result


def nothing_applied(plan: Plan, ctx: ApplyContext, outage: ServiceUnreachable) -> ApplyResult:
    """The result of an apply that could not begin: it lists every object that no earlier run created."""
    report_stopped(plan, ctx, SERVICE_UNREACHABLE)
    ctx.result.outage = (outage.what, outage.why, outage.todo)
    return ctx.result


def _announce(plan: Plan, ctx: ApplyContext) -> None:
    """Report how many objects of each kind there are."""
    totals = Counter(a.kind for a in plan.actions if a.action in ("create", "update", "delete", "skip"))
    totals["message"] += sum(a.messages for a in plan.actions if a.kind == "thread")
    for kind, number in totals.items():
        ctx.progress.expect(kind, number)
        ctx.progress.total_known(kind)


def _note_unchanged(plan: Plan, ctx: ApplyContext) -> None:
    """Add to the id map what the plan found on the target. Nothing is sent."""
    adopted = [a for a in plan.actions if a.action == "adopt" or _is_new_counterpart(a, ctx)]
    new = [a for a in adopted if ctx.entry_of(replace(a, action="adopt")) is None]
    entries = ctx.journal.record_intent(("adopt", a.kind, a.parent, a.id, a.name) for a in new)
    ctx.journal.record_all_done(
        (entry, a.target_id, a.target_parent, a.before or None) for entry, a in zip(entries, new, strict=True)
    )
    ctx.count("adopted", len(new))
    ctx.count("skipped", len(adopted) - len(new))
    for action in plan.actions:
        if action.action == "skip":
            ctx.count("skipped", kind=action.kind)


def _is_new_counterpart(action: Action, ctx: ApplyContext) -> bool:
    """Whether a thread of the target only gets messages, and the id map does not have it yet."""
    appends = action.kind == "thread" and action.action == "update" and not action.fields
    return appends and ("thread", action.id, action.target_id) not in ctx.mapped


def _carry_out(plan: Plan, ctx: ApplyContext, workers: int, ingestion_timeout_s: float) -> None:
    """Send all requests. When the service stops answering, the result lists what was not done."""
    try:
        _send_all(plan, ctx, workers, ingestion_timeout_s)
    except ServiceUnreachable as outage:
        report_stopped(plan, ctx, SERVICE_STOPPED)
        ctx.result.outage = (outage.what, outage.why, outage.todo)


def _send_all(plan: Plan, ctx: ApplyContext, workers: int, ingestion_timeout_s: float) -> None:
    def planned(kind: str, *names: str) -> list[Action]:
        return [a for a in plan.actions if a.kind == kind and a.action in names]

    source, run = ctx.source, partial(run_parallel, workers, stop=ctx.stop)
    run(planned("file", "create"), partial(upload_file, ctx))
    stores = source.objects("vector_store")
    run(planned("vector_store", "create"), lambda a: create_object(ctx, a, stores[a.id]))
    store_files = _by_parent(planned("vector_store_file", "create"))
    run(store_files.items(), lambda item: fill_vector_store(ctx, *item))
    assistants = source.objects("assistant")
    new = {a.id: a for a in planned("assistant", "create")}
    for wave in AssistantDependencies(assistants, plan.settled.present_assistants).waves():
        run((new[id_] for id_ in wave if id_ in new), lambda a: create_object(ctx, a, assistants[a.id]))
    for kind in CONFIGURATION_KINDS:
        run(planned(kind, "update"), partial(update_object, ctx))
    threads = {a.id: a for a in planned("thread", "create", "update", "adopt")}
    run((a for a in threads.values() if a.fields), partial(update_object, ctx))
    written = (
        t
        for t in source.iter_threads()
        if t.id in threads and (threads[t.id].messages or not threads[t.id].relinks)
    )
    run(written, lambda thread: ThreadWriter(ctx, threads[thread.id], thread).write())
    run(planned("message", "update"), partial(update_object, ctx))
    await_ingestion(ctx, store_files, ingestion_timeout_s)
    run((a for a in plan.actions if a.action == "delete"), partial(delete_object, ctx))


def _by_parent(actions: Iterable[Action]) -> dict[str, list[Action]]:
    groups: dict[str, list[Action]] = {}
    for action in actions:
        groups.setdefault(action.parent, []).append(action)
    return groups


def _report_losses(ctx: ApplyContext) -> None:
    """Complete the losses that were found while threads were written, and note in the journal that they are
    reported: a later plan then knows them."""
    ctx.result.losses.sort(key=lambda row: row.parent)  # several threads were written at once
    fields = sorted({row.field for row in ctx.result.losses})
    ctx.journal.record_created(((NOT_TAKEN_ACTION, "message", "", field, ""), "", "", "") for field in fields)
    ctx.result.lost_citations = ctx.citations.lost
    if note := ctx.citations.loss_note():
        ctx.note(note)


def _report_blocked(plan: Plan, ctx: ApplyContext) -> None:
    """Report blocked objects that the user did not accept: they are not on the target."""
    for (kind, _, id_), name, row in blocked_objects(plan):
        if not (row and row.accepted):
            ctx.fail(kind, id_, name, f"blocked: {row.reason if row else 'see the plan'}")
