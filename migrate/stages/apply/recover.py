"""Determine the outcome of unanswered requests of an interrupted apply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from migrate.archive.journal import SERVICE_ACTION, UNDO_ACTION, JournalEntry
from migrate.errors import IncompleteResult, NotFound, RequestFailed
from migrate.model import Entity, EntityKey
from migrate.model.results.plan import Action
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.apply.create import (
    AddressInUse,
    find_by_address_or_stamp,
    left_fingerprint,
    request_time,
)
from migrate.stages.apply.implicit_vector_stores import note_implicit_stores, searched_files
from migrate.stages.apply.store_files import find_by_content
from migrate.stages.apply.threads import ThreadWriter, find_by_messages
from migrate.stages.apply.update import find_updated, source_entity
from migrate.stages.snapshot.live_estate import CONFIGURATION_KINDS

# How the object is found that a request without an answer created, by its kind. Arguments: the context, the
# action, the adapted object, and seconds since 1970 when it may have been created at the earliest. Messages
# are not among them: a thread is read as a whole.
FINDERS: Mapping[str, Callable[[ApplyContext, Action, Entity, float], RequestBody | None]] = {
    "file": find_by_content,
    "vector_store": find_by_address_or_stamp,
    "assistant": find_by_address_or_stamp,
    "thread": find_by_messages,
}
APPLY_AGAIN = "run the same apply again when the target answers"
ROLLBACK_AGAIN = "run the same rollback again when the target answers: nothing was rolled back yet"


def recover_interrupted(ctx: ApplyContext) -> None:
    """Record in the journal what was created or changed without an answer. Raises `IncompleteResult` when the
    target does not answer: what cannot be read must not count as never created."""
    for key, entry in list(ctx.entries.items()):
        action = ctx.actions.get(key)
        if entry.state != "intended" or action is None or action.action == "delete":
            continue  # the source no longer has what a plan deletes, and reading the target shows the outcome
        try:
            body = _find_without_outcome(ctx, action, entry, ROLLBACK_AGAIN)
        except UnresolvedReference:
            continue
        if body is None:
            ctx.journal.record_failed([entry.id], "it was not carried out")
        else:
            parent = action.target_parent or ctx.target_id("vector_store", action.parent) or ""
            written = left_fingerprint(ctx, action.kind, body, parent)
            ctx.journal.record_done(entry.id, action.target_id or str(body["id"]), parent, written)
    _note_appended_messages(ctx)
    ctx.reload()
    _note_implicit_stores(ctx)
    ctx.reload()


def created_without_outcome(ctx: ApplyContext) -> set[EntityKey]:
    """Objects on the target that earlier requests of this plan created without an answer: kind, parent and id
    on the target. Threads are not among them: of those the plan knows only the ones it changes."""
    found: set[EntityKey] = set()
    for action in ctx.actions.values():
        entry = ctx.entry_of(action)
        creates = action.action == "create" and action.kind in CONFIGURATION_KINDS
        if not creates or entry is None or entry.state != "intended":
            continue
        try:
            body = _find_without_outcome(ctx, action, entry, APPLY_AGAIN)
        except UnresolvedReference:
            continue
        if body is not None:
            store = ctx.target_id("vector_store", action.parent) if action.parent else ""
            found.add((action.kind, store or "", str(body["id"])))
    return found


def _find_without_outcome(
    ctx: ApplyContext, action: Action, entry: JournalEntry, hint: str
) -> RequestBody | None:
    """The object that a request without an answer created or changed, None where it had no effect.

    Raises `IncompleteResult` when the target does not answer, and `UnresolvedReference` when the request
    cannot have been sent.
    """
    try:
        return _find(ctx, action, entry)
    except UnresolvedReference:
        raise
    except (NotFound, AddressInUse):
        return None
    except RequestFailed as failed:
        raise _not_checked(action, failed, hint) from None


def _find(ctx: ApplyContext, action: Action, entry: JournalEntry) -> RequestBody | None:
    if action.kind == "message":
        return None
    if action.kind == "vector_store_file":
        return _find_in_store(ctx, action)
    adapted = ctx.adapted(source_entity(ctx, action))
    if action.action == "update":
        return find_updated(ctx, action, adapted)
    return FINDERS[action.kind](ctx, action, adapted, request_time(entry))


def _find_in_store(ctx: ApplyContext, action: Action) -> RequestBody | None:
    file = ctx.target_id("file", str(source_entity(ctx, action).fields["file_id"]))
    store = ctx.target_id("vector_store", action.parent)
    return ctx.writer.get(action.kind, file, store) if file and store else None


def _not_checked(action: Action, failed: RequestFailed, hint: str) -> IncompleteResult:
    return IncompleteResult(
        f"what became of {action.kind} {action.name or '(no name)'} [{action.id}] could not be checked",
        str(failed),
        hint,
    )


def _note_appended_messages(ctx: ApplyContext) -> None:
    """Note messages that an interrupted apply appended to existing threads: it notes their ids only after it
    has read the whole thread back."""
    actions = ctx.actions.values()
    threads = {a.id: a for a in actions if a.kind == "thread" and a.messages and a.action != "create"}
    noted = Counter({thread: created for thread, _, created in ctx.journal.threads_with_messages()})
    for thread in ctx.source.iter_threads() if threads and ctx.journal.has_action() else ():
        action = threads.get(thread.id)
        if action is not None and noted[thread.id] < action.messages:
            try:
                ThreadWriter(ctx, action, thread).note_messages(whole=False)
            except NotFound:
                continue
            except RequestFailed as failed:
                raise _not_checked(action, failed, ROLLBACK_AGAIN) from None


def _note_implicit_stores(ctx: ApplyContext) -> None:
    """Note stores that the service created for threads of an apply that was killed before it noted them."""
    noted = {e.source_parent for e in ctx.entries.values() if e.action == SERVICE_ACTION}
    removed = {e.source_id for e in ctx.entries.values() if e.action == UNDO_ACTION and e.kind == "thread"}
    for thread, target_id, first, since in (*_appended_threads(ctx), *_created_threads(ctx)):
        if thread.id in noted | removed:
            continue
        try:
            present = ctx.decode("thread", ctx.writer.get("thread", target_id))
        except RequestFailed:
            continue  # reported where the thread itself is rolled back
        note_implicit_stores(ctx, thread, present, partial(searched_files, ctx, thread, first), since)


# Thread, its target id, place of the first message that this plan sent, and seconds since 1970 when it may
# have been sent at the earliest.
_WrittenThread = tuple[Entity, str, int, float]


def _created_threads(ctx: ApplyContext) -> Iterator[_WrittenThread]:
    for entry in list(ctx.entries.values()):
        created = (entry.action, entry.kind, entry.state) == ("create", "thread", "done")
        thread = ctx.source.threads_by_id.get(entry.source_id) if created else None
        if thread is not None:
            yield thread, entry.target_id, 0, request_time(entry)


def _appended_threads(ctx: ApplyContext) -> Iterator[_WrittenThread]:
    appended = {thread: target for thread, target, created in ctx.journal.threads_with_messages() if created}
    for action in ctx.actions.values():
        thread = ctx.source.threads_by_id.get(action.id) if action.kind == "thread" else None
        if thread is not None and action.action != "create" and action.messages and action.id in appended:
            count = sum(1 for _ in ctx.source.iter_replayed_messages(thread.id, ctx.codec, ctx.target))
            yield thread, appended[action.id], count - action.messages, ctx.journal.first_applied_at()
