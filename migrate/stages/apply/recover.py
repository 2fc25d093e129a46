"""Requests of an interrupted apply whose outcome nobody knows: looked into before a plan is taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from migrate.archive.journal import SERVICE_ACTION, UNDO_ACTION, JournalEntry
from migrate.errors import IncompleteResult, NotFound, RequestFailed
from migrate.model import Entity
from migrate.model.results.plan import Action, Plan
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.apply.create import (
    AddressInUse,
    find_by_address,
    find_by_stamp,
    left_fingerprint,
    request_time,
)
from migrate.stages.apply.implicit_vector_stores import note_implicit_stores, searched_files
from migrate.stages.apply.threads import find_unanswered_thread, note_messages
from migrate.stages.apply.update import find_updated
from migrate.stages.apply.vector_stores import find_uploaded
from migrate.stages.plan.adaptation import iter_messages


def recover_interrupted(ctx: ApplyContext, plan: Plan) -> None:
    """Find what was made or changed without our learning it, and note it in the journal. Raises
    `IncompleteResult` when nobody can look: what is not seen must not pass for what was never made."""
    actions: dict[tuple[str, str, str, str], Action] = {
        (a.action, a.kind, a.parent, a.id): a for a in plan.actions
    }
    for key, entry in list(ctx.earlier.items()):
        action = actions.get(key)
        if entry.state != "intended" or action is None:
            continue
        try:
            body = find_created(ctx, action, entry)
        except UnresolvedReference:
            continue
        except (NotFound, AddressInUse):
            body = None
        except RequestFailed as failed:
            raise _unseen(action, failed) from None
        if body is None:
            ctx.journal.record_failed([entry.id], "it was not carried out")
        else:
            parent = action.target_parent or ctx.ids.get(("vector_store", action.parent), "")
            mark = left_fingerprint(ctx, action.kind, body, parent)
            ctx.journal.record_done(entry.id, action.target_id or str(body["id"]), parent, mark)
    _appended(ctx, plan)
    ctx.reload()
    _derived(ctx, plan)
    ctx.reload()


def _appended(ctx: ApplyContext, plan: Plan) -> None:
    """Messages that an interrupted apply put into threads which were there before: their ids are noted only
    when a whole thread has been read back."""
    threads = {a.id: a for a in plan.actions if a.kind == "thread" and a.messages and a.action != "create"}
    noted = Counter({thread: made for thread, _, made in ctx.journal.threads_with_messages()})
    for thread in ctx.source.iter_threads() if threads and ctx.journal.has_action() else ():
        action = threads.get(thread.id)
        if action is not None and noted[thread.id] < action.messages:
            try:
                note_messages(ctx, action, thread, action.target_id, whole=False)
            except NotFound:
                continue
            except RequestFailed as failed:
                raise _unseen(action, failed) from None


def _derived(ctx: ApplyContext, plan: Plan) -> None:
    """Stores that the service made for threads of an apply that was killed before it noted them."""
    noted = {e.source_parent for e in ctx.earlier.values() if e.action == SERVICE_ACTION}
    gone = {e.source_id for e in ctx.earlier.values() if e.action == UNDO_ACTION and e.kind == "thread"}
    for thread, there, first, since in (*_grown(ctx, plan), *_made(ctx)):
        if thread.id in noted | gone:
            continue
        try:
            found = ctx.codec.decode("thread", ctx.writer.get("thread", there), "", None)[0]
        except RequestFailed:
            continue  # one that does not answer is named where the thread itself is looked at
        note_implicit_stores(ctx, thread, found, partial(searched_files, ctx, thread, first), since)


def _made(ctx: ApplyContext) -> Iterator[tuple[Entity, str, int, float]]:
    """Threads that this plan made: with their ids on the target, 0, and when they may have been made at the
    earliest."""
    for entry in list(ctx.earlier.values()):
        mine = (entry.action, entry.kind, entry.state) == ("create", "thread", "done")
        thread = ctx.source.threads_by_id.get(entry.source_id) if mine else None
        if thread is not None:
            yield thread, entry.target_id, 0, request_time(entry)


def _grown(ctx: ApplyContext, plan: Plan) -> Iterator[tuple[Entity, str, int, float]]:
    """Threads that were there and got messages: the place of the first of these instead of 0."""
    grown = {thread: there for thread, there, made in ctx.journal.threads_with_messages() if made}
    for action in plan.actions:
        thread = ctx.source.threads_by_id.get(action.id) if action.kind == "thread" else None
        if thread is not None and action.action != "create" and action.messages and action.id in grown:
            count = sum(1 for _ in iter_messages(ctx.source, ctx.codec, ctx.fit, thread.id))
            yield thread, grown[action.id], count - action.messages, ctx.journal.first_applied_at()


def _unseen(action: Action, failed: RequestFailed) -> IncompleteResult:
    return IncompleteResult(
        f"what became of {action.kind} {action.name or '(no name)'} [{action.id}] could not be seen",
        str(failed),
        "run the same rollback again when the target answers: nothing was taken back yet",
    )


def find_created(ctx: ApplyContext, action: Action, entry: JournalEntry) -> RequestBody | None:
    """What became of one request."""
    if action.kind == "message":
        return None  # its thread is looked at whole
    if action.kind == "vector_store_file":
        return _in_store(ctx, action)
    entity = _source(ctx, action)
    fitted = ctx.fitted(entity)
    if action.action == "update":
        return find_updated(ctx, action, fitted)
    find: Callable[[], RequestBody | None]
    if action.kind == "thread":
        return find_unanswered_thread(ctx, entity, fitted, entry)
    if action.kind == "file":
        blob = ctx.source.snapshot.blob(entity.id)
        if blob is None:
            return None
        find = find_uploaded(ctx, fitted, blob, request_time(entry))
    elif action.target_name:
        find = find_by_address(ctx, fitted, action.target_name)
    else:
        find = find_by_stamp(ctx, fitted, request_time(entry))
    return find()


def _in_store(ctx: ApplyContext, action: Action) -> RequestBody | None:
    """The file in its store, if both are there."""
    row = next(e for e in ctx.source.members(action.kind, action.parent) if e.id == action.id)
    file = ctx.ids.get(("file", str(row.fields["file_id"])))
    store = ctx.ids.get(("vector_store", action.parent))
    try:
        return ctx.writer.get(action.kind, file, store) if file and store else None
    except NotFound:
        return None


def _source(ctx: ApplyContext, action: Action) -> Entity:
    if action.kind == "thread":
        return ctx.source.threads_by_id[action.id]
    return ctx.source.objects(action.kind)[action.id]
