"""Refuses to apply when the target is not what was planned for, apart from what this plan did itself."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.errors import IncompleteResult, NotFound, PlanStale, RequestFailed
from migrate.model import EntityKey
from migrate.model.results.plan import Action, Plan
from migrate.stages.apply.context import ApplyContext, UnresolvedReference
from migrate.stages.apply.create import AddressInUse
from migrate.stages.apply.recover import find_created
from migrate.stages.estate import Estate
from migrate.stages.fingerprints import Fingerprints, target_fingerprints
from migrate.stages.snapshot.live_estate import read_target

FULLY_LISTED_KINDS = ("file", "vector_store", "vector_store_file", "assistant")
"""Kinds whose every object on the target a plan knows; of threads it knows those that it touches."""


def objects_without_outcome(plan: Plan, ctx: ApplyContext) -> set[EntityKey]:
    """Keys of objects on the target that answer to an intent without an outcome. Raises `IncompleteResult`
    when nobody can look."""
    return set(_found(plan, ctx))


def _found(plan: Plan, ctx: ApplyContext) -> Iterator[EntityKey]:
    for action in plan.actions:
        entry = ctx.record(action)
        if (
            action.action != "create"
            or action.kind not in FULLY_LISTED_KINDS
            or entry is None
            or entry.state != "intended"
        ):
            continue
        try:
            body = find_created(ctx, action, entry)
        except (UnresolvedReference, NotFound, AddressInUse):
            continue
        except RequestFailed as failed:
            raise _unseen(action, failed) from None
        if body is not None:
            store = ctx.ids.get(("vector_store", action.parent), "") if action.parent else ""
            yield action.kind, store, str(body["id"])


def _unseen(action: Action, failed: RequestFailed) -> IncompleteResult:
    return IncompleteResult(
        f"what became of {action.kind} {action.name or '(no name)'} [{action.id}] could not be seen",
        str(failed),
        "run the same apply again when the target answers",
    )


def check_target(plan: Plan, ctx: ApplyContext, workers: int) -> None:
    """Read the target and compare it, object by object, with what it was. Raises `PlanStale`."""
    planned: Fingerprints = {(kind, parent, id_): state for kind, parent, id_, state in plan.target.objects}
    named = {a.target_id for a in plan.actions if a.kind == "thread" and a.target_id}
    made = {
        (e.kind, e.target_parent, e.target_id)
        for e in ctx.earlier.values()
        if e.state == "done" and e.target_id
    }
    threads = named | {id_ for kind, _, id_ in made if kind == "thread"}
    with read_target(ctx.writer, plan.settled.absent, threads, workers) as target:
        present = target_fingerprints(target.estate, named)
        made |= _under_way(plan, ctx)
        ours = (
            made | _side_effects(target.estate, made) | (objects_without_outcome(plan, ctx) - planned.keys())
        )
    for key, state in planned.items():
        if key not in made and present.get(key) != state:
            raise _stale(plan, key, "was changed" if key in present else "was deleted")
    for key in present:
        if key not in planned and not _of(key, ours):
            raise _stale(plan, key, "was added")


def _under_way(plan: Plan, ctx: ApplyContext) -> set[EntityKey]:
    """What an earlier run of this plan was changing: threads it appends to, which are compared message
    by message when it goes on, and objects whose update or deletion was sent."""
    if not ctx.journal.has_action():
        return set()
    return {
        (a.kind, a.target_parent, a.target_id)
        for a in plan.actions
        if a.target_id and (a.messages or (a.action in ("update", "delete") and _was_tried(ctx, a)))
    }


def _was_tried(ctx: ApplyContext, action: Action) -> bool:
    """Whether it was carried out, or may have been; one that was refused for certain changed nothing."""
    earlier = ctx.record(action)
    return earlier is not None and earlier.state in ("intended", "done")


def _stale(plan: Plan, key: EntityKey, what: str) -> PlanStale:
    kind, parent, id_ = key
    where = f" in {parent}" if parent else ""
    return PlanStale(
        f"{plan.target.url} is not what it was when the plan was made",
        f"{kind} {id_}{where} {what} since, and not by this plan",
        "run plan again and read the new one",
    )


def _of(key: EntityKey, ours: set[EntityKey]) -> bool:
    """Whether an object, or the store it lies in, is one that this plan made."""
    return key in ours or (key[1] != "" and ("vector_store", "", key[1]) in ours)


def _side_effects(target: Estate, made: set[EntityKey]) -> set[EntityKey]:
    """Stores that the service made by itself for attachments in threads that we made."""
    found: set[EntityKey] = set()
    for thread in target.iter_threads():
        if ("thread", "", thread.id) in made:
            search = (thread.fields.get("tool_resources") or {}).get("file_search") or {}
            found |= {("vector_store", "", str(store)) for store in search.get("vector_store_ids") or ()}
    return found
