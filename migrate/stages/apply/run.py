"""A plan in, its objects on the target out: journalled, resumable, nothing made twice.

Order follows references: files, vector stores, files into stores, assistants, threads with their
messages; then ingestion is awaited, and deletions come last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.journal import UNDO_ACTION
from migrate.codecs import Capabilities, capabilities_for
from migrate.errors import IncompleteResult, PlanStale, ServiceUnreachable
from migrate.model.results.apply import ApplyResult
from migrate.model.results.plan import Action, Plan
from migrate.stages.apply.context import ApplyContext, apply_context, load_id_map
from migrate.stages.apply.create import create_object
from migrate.stages.apply.preconditions import check_target
from migrate.stages.apply.threads import write_thread
from migrate.stages.apply.update import delete_object, refuse_foreign_deletions, update_object
from migrate.stages.apply.vector_stores import await_ingestion, fill_vector_store, upload_file
from migrate.stages.concurrency.worker_pool import run_parallel
from migrate.stages.estate import Estate
from migrate.stages.plan.adaptation import AssistantDependencies
from migrate.stages.progress import Progress
from migrate.stages.snapshot.live_estate import CONFIGURATION_KINDS

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

INGESTION_TIMEOUT_S = 600.0
"""Seconds to wait for the ingestion of a vector store."""


def apply_plan(
    plan: Plan,
    source: Estate,
    archive: Archive,
    writer: Writer,
    capabilities: Capabilities,
    workers: int,
    progress: Progress,
    patience: float = INGESTION_TIMEOUT_S,
) -> ApplyResult:
    """Carry out a plan. Raises `PlanStale` when a side moved, `OperationRefused` where something would be
    deleted that the journal does not know as ours, `IncompleteResult` on Ctrl-C. Where the service goes away
    meanwhile, the tally says so and names what was not done."""
    ctx = apply_context(plan, source, archive, writer, capabilities, progress)
    if ctx.journal.has_action(UNDO_ACTION):
        raise PlanStale(
            "this plan was rolled back",
            "what it made was removed from the target",
            "run plan again and read the new one",
        )
    load_id_map(plan, ctx, archive)
    check_target(plan, ctx, workers)
    _announce(plan, progress)
    refuse_foreign_deletions(plan, archive)
    _settle_known(plan, ctx)
    try:
        _carry_out(plan, ctx, workers, patience)
    except KeyboardInterrupt:
        raise IncompleteResult(
            "stopped; what was made until now is in the journal",
            "the plan is partly applied",
            "run the same apply again: it continues",
        ) from None
    except ServiceUnreachable as gone:
        name_what_is_missing(plan, ctx, gone)
    _report_blocked(plan, ctx)
    return ctx.tally


def _announce(plan: Plan, progress: Progress) -> None:
    """How much there is to do of every kind."""
    totals = Counter(a.kind for a in plan.actions if a.action in ("create", "update", "delete", "skip"))
    totals["message"] += sum(a.messages for a in plan.actions if a.kind == "thread")
    for kind, number in totals.items():
        progress.expect(kind, number)
        progress.total_known(kind)


def _carry_out(plan: Plan, ctx: ApplyContext, workers: int, patience: float) -> None:
    changes = [a for a in plan.actions if a.action in ("create", "update")]

    def of(kind: str, action: str) -> Iterator[Action]:
        return (a for a in changes if a.kind == kind and a.action == action)

    source = ctx.source
    do = partial(run_parallel, workers, stop=ctx.stop)
    do(of("file", "create"), partial(upload_file, ctx))
    made = source.objects("vector_store")
    do(of("vector_store", "create"), lambda a: create_object(ctx, a, made[a.id]))
    do(_by_store(of("vector_store_file", "create")).items(), lambda item: fill_vector_store(ctx, *item))
    assistants = source.objects("assistant")
    new = {a.id: a for a in of("assistant", "create")}
    for wave in AssistantDependencies(assistants).waves():
        do((new[id_] for id_ in wave if id_ in new), lambda a: create_object(ctx, a, assistants[a.id]))
    for kind in CONFIGURATION_KINDS:
        do(of(kind, "update"), partial(update_object, ctx))
    threads = {
        a.id: a for a in plan.actions if a.kind == "thread" and a.action in ("create", "update", "adopt")
    }
    do((a for a in threads.values() if a.fields), partial(update_object, ctx))
    talks = ((threads[t.id], t) for t in source.iter_threads() if t.id in threads)
    do(talks, lambda pair: write_thread(ctx, *pair))
    do(of("message", "update"), partial(update_object, ctx))
    await_ingestion(ctx, _by_store(of("vector_store_file", "create")), patience)
    do((a for a in plan.actions if a.action == "delete"), partial(delete_object, ctx))


def _by_store(actions: Iterable[Action]) -> dict[str, list[Action]]:
    stores: dict[str, list[Action]] = {}
    for action in actions:
        stores.setdefault(action.parent, []).append(action)
    return stores


def _settle_known(plan: Plan, ctx: ApplyContext) -> None:
    """What the plan found on the target already: into the id map, nothing is sent."""
    adopted = [a for a in plan.actions if a.action == "adopt" or _only_grows(a, ctx)]
    earlier = [a for a in adopted if ctx.record(replace(a, action="adopt")) is None]
    entries = ctx.journal.intend(("adopt", a.kind, a.parent, a.id, a.name) for a in earlier)
    ctx.journal.record_all_done(
        (entry, a.target_id, a.target_parent, a.before or None)
        for entry, a in zip(entries, earlier, strict=True)
    )
    ctx.count("adopted", len(earlier))
    ctx.count("skipped", len(adopted) - len(earlier))
    for action in plan.actions:
        if action.action == "skip":
            ctx.count("skipped", kind=action.kind)


def _only_grows(action: Action, ctx: ApplyContext) -> bool:
    """Whether a thread that was found on the target, and that no move noted yet, gets messages and no change
    of its own."""
    grows = action.kind == "thread" and action.action == "update" and not action.fields
    return grows and ("thread", action.id, action.target_id) not in ctx.noted


def _report_blocked(plan: Plan, ctx: ApplyContext) -> None:
    """Blocked objects are not moved; unless they were accepted, the apply is incomplete. A message may
    be blocked (it cannot be rewritten) although its thread is not."""
    rows = {(row.kind, row.parent, row.id): row for row in plan.losses if row.grade == "blocked"}
    stuck = {(a.kind, a.parent, a.id): a.name for a in plan.actions if a.action == "blocked"}
    stuck |= {key: row.name for key, row in rows.items() if row.kind == "message"}
    for key, name in stuck.items():
        row = rows.get(key)
        if not (row and row.accepted):
            ctx.fail(key[0], key[2], name, f"blocked: {row.reason if row else 'see the plan'}")


SERVICE_STOPPED = "not carried out: the service stopped answering"
SERVICE_UNREACHABLE = "not carried out: the service could not be reached"


def nothing_applied(
    plan: Plan, source: Estate, archive: Archive, writer: Writer, gone: ServiceUnreachable
) -> ApplyResult:
    """What is told of an apply that could not begin: every object that no earlier run has made. Raises
    `PlanStale` when the snapshot is not the one that was planned."""
    rules = capabilities_for(writer.type, "")  # nothing is made by them
    ctx = apply_context(plan, source, archive, writer, rules, Progress())
    name_what_is_missing(plan, ctx, gone, SERVICE_UNREACHABLE)
    return ctx.tally


def name_what_is_missing(
    plan: Plan, ctx: ApplyContext, gone: ServiceUnreachable, reason: str = SERVICE_STOPPED
) -> None:
    """Put into the tally every object that has no outcome yet, and why the apply ended."""
    done = {
        (e.action, e.kind, e.source_parent, e.source_id) for e in ctx.journal.entries() if e.state == "done"
    }
    messages = {thread: made for thread, _, made in ctx.journal.threads_with_messages()}
    named = {(f.kind, f.id) for f in ctx.tally.failed}
    for action in plan.actions:
        if action.action not in ("create", "update", "delete", "adopt") or (action.kind, action.id) in named:
            continue
        carried_out = (action.action, action.kind, action.parent, action.id) in done
        written = messages.get(action.id, 0) if action.kind == "thread" else action.messages
        if carried_out and written >= action.messages:
            continue
        part = f" ({written:,} of {action.messages:,} messages are there)" if carried_out else ""
        ctx.fail(action.kind, action.id, action.name, f"{reason}{part}")
    ctx.tally.outage = (gone.what, gone.why, gone.todo)
