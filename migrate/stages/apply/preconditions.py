"""Refuse to apply when the target changed since the plan was made, except by this plan itself."""

from __future__ import annotations

from collections.abc import Iterator, Set

from migrate.errors import PlanStale
from migrate.model import EntityKey
from migrate.model.results.plan import Action, Plan
from migrate.stages.apply.context import ApplyContext
from migrate.stages.apply.implicit_vector_stores import stores_of_thread
from migrate.stages.apply.recover import created_without_outcome
from migrate.stages.estate import Estate
from migrate.stages.object_fingerprints import Fingerprints, target_fingerprints
from migrate.stages.snapshot.live_estate import read_target


def check_target(plan: Plan, ctx: ApplyContext, workers: int) -> None:
    """Read the target and compare each object with its state in the plan. Raises `PlanStale`, and
    `IncompleteResult` when the target could not be read."""
    planned: Fingerprints = {(kind, parent, id_): state for kind, parent, id_, state in plan.target.objects}
    planned_threads = {a.target_id for a in plan.actions if a.kind == "thread" and a.target_id}
    written = {
        (e.kind, e.target_parent, e.target_id)
        for e in ctx.entries.values()
        if e.state == "done" and e.target_id
    }
    threads = planned_threads | {id_ for kind, _, id_ in written if kind == "thread"}
    # One request for each of a few threads takes no longer than one for a page of all.
    is_short = len(threads) <= workers or all(a.relinks for a in plan.actions if a.kind == "thread")
    with read_target(ctx.writer, plan.settled.absent, threads, workers, list_threads=not is_short) as target:
        present = target_fingerprints(target.estate, planned_threads)
        written |= _changes_in_progress(plan, ctx)
        created = written | _stores_of_written_threads(target.estate, written)
        created |= created_without_outcome(ctx) - planned.keys()
    for key, change in changes_by_others(planned, present, written, created):
        raise _stale(plan, key, change)


def changes_by_others(
    planned: Fingerprints, present: Fingerprints, written: Set[EntityKey], created: Set[EntityKey]
) -> Iterator[tuple[EntityKey, str]]:
    """Objects of a target that are not as they were when a plan was made, each with what happened to it.
    `written`, `created`: what the plan itself wrote or created until now; a store that it created may have
    got any file."""
    for key, state in planned.items():
        if key not in written and present.get(key) != state:
            yield key, "was changed" if key in present else "was deleted"
    for key in present:
        in_created_store = key[1] != "" and ("vector_store", "", key[1]) in created
        if key not in planned and key not in created and not in_created_store:
            yield key, "was added"


def _changes_in_progress(plan: Plan, ctx: ApplyContext) -> set[EntityKey]:
    """What an earlier run of this plan was changing: threads that got messages, which are compared message by
    message later, and objects whose update or deletion was sent."""
    if not ctx.journal.has_action():
        return set()
    return {
        (a.kind, a.target_parent, a.target_id)
        for a in plan.actions
        if a.target_id and (a.messages or (a.action in ("update", "delete") and _may_have_effect(ctx, a)))
    }


def _may_have_effect(ctx: ApplyContext, action: Action) -> bool:
    """Whether it was carried out, or may have been. One that was refused changed nothing."""
    earlier = ctx.entry_of(action)
    return earlier is not None and earlier.state in ("intended", "done")


def _stores_of_written_threads(target: Estate, written: set[EntityKey]) -> set[EntityKey]:
    """Stores of the threads that this plan wrote: the service creates some for attachments."""
    threads = (thread for thread in target.iter_threads() if ("thread", "", thread.id) in written)
    return {("vector_store", "", store) for thread in threads for store in stores_of_thread(thread)}


def _stale(plan: Plan, key: EntityKey, change: str) -> PlanStale:
    kind, parent, id_ = key
    store = f" in {parent}" if parent else ""
    return PlanStale(
        f"{plan.target.url} is not what it was when the plan was made",
        f"{kind} {id_}{store} {change} since, and not by this plan",
        "run plan again and read the new one",
    )
