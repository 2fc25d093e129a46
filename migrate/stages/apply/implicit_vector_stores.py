"""Vector stores that a service makes by itself, for files that messages attach to a thread without a store.

The answer that makes a thread need not show such a store (recordings of classic projects: a thread shows its
tool resources only when it is read). So a thread is read once its messages are there, and the store is noted
in the journal, if its content proves that it was made for what we sent. A store that others attached is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import replace
from itertools import islice

from migrate.archive.journal import SERVICE_ACTION
from migrate.errors import NotFound, RequestFailed
from migrate.model import Entity
from migrate.model.entity import creation_time
from migrate.stages.apply.context import ApplyContext, RequestBody
from migrate.stages.apply.create import CLOCK_DIFFERENCE_S
from migrate.stages.fingerprints import object_fingerprint
from migrate.stages.plan.adaptation import replayed_messages

VECTOR_STORE_KIND = "vector_store"


def note_implicit_stores(
    ctx: ApplyContext, thread: Entity, found: Entity, searched: Callable[[], Set[str]], since: float
) -> None:
    """Note the stores of a thread, as `found` on the target, that the service made for us. `searched`: ids on
    the target of the files that its messages attach for search. `since`: seconds since 1970 when the thread
    may have been made at the earliest. Raises `RequestFailed` when a store cannot be read."""
    known = {*ctx.preexisting_ids, *ctx.ids.values()}
    unknown = [store for store in stores_of_thread(found) if store not in known]
    ours = searched() if unknown else set()
    for store in unknown if ours else ():
        try:
            body = ctx.writer.get(VECTOR_STORE_KIND, store)
        except NotFound:
            continue
        if _made_for(ctx, body, ours, since):
            entity = ctx.codec.decode(VECTOR_STORE_KIND, body, "", None)[0]
            job = (SERVICE_ACTION, VECTOR_STORE_KIND, thread.id, thread.id, thread.name)
            ctx.journal.record_created([(job, store, found.id, object_fingerprint(entity))])


def stores_of_thread(thread: Entity) -> list[str]:
    """The vector stores that a thread searches."""
    search = (thread.fields.get("tool_resources") or {}).get("file_search") or {}
    return [str(store) for store in search.get("vector_store_ids") or ()]


def detach_implicit_store(ctx: ApplyContext, thread: str, store: str) -> None:
    """Take a store away from a thread of the target that stays. Raises `RequestFailed`."""
    try:
        found = ctx.codec.decode("thread", ctx.writer.get("thread", thread), "", None)[0]
    except NotFound:
        return
    rest = [id_ for id_ in stores_of_thread(found) if id_ != store]
    if rest == stores_of_thread(found):
        return
    resources = {k: v for k, v in found.fields["tool_resources"].items() if k != "file_search" or rest}
    if rest:
        resources["file_search"] = {**resources["file_search"], "vector_store_ids": rest}
    without = replace(found, fields={**found.fields, "tool_resources": resources})
    wire = ctx.codec.update_request(without, frozenset({"tool_resources"}), found)
    ctx.writer.update("thread", thread, wire)


def files_in_store(ctx: ApplyContext, store: str) -> set[str]:
    """Ids of the files in a store of the target. Raises `RequestFailed`."""
    pages = ctx.writer.pages("vector_store_file", store)
    return {str(body.get("id")) for page in pages for body in page.bodies}


def searched_files(ctx: ApplyContext, thread: Entity, first: int = 0) -> set[str]:
    """Ids on the target of the files that a thread's messages attach for search, from place `first` on, where
    the thread brings no store of its own; else none, since no store is made then."""
    if stores_of_thread(ctx.codec.adapt(thread, ctx.fit)[0]):
        return set()
    messages = islice(replayed_messages(ctx.source, ctx.codec, ctx.fit, thread.id), first, None)
    fitted = (ctx.codec.adapt(message, ctx.fit)[0] for message in messages)
    attached = {file for message in fitted for file in attached_for_search(message)}
    return {new for old in attached if (new := ctx.ids.get(("file", old)))}


def attached_for_search(message: Entity) -> Iterator[str]:
    """The files that a message brings for search."""
    for attachment in message.fields.get("attachments") or []:
        if any(tool.get("type") == "file_search" for tool in attachment.get("tools") or []):
            yield str(attachment.get("file_id"))


def _made_for(ctx: ApplyContext, body: RequestBody, searched: Set[str], since: float) -> bool:
    """Whether a store is one that a service makes: without a name and metadata, new, with our files only."""
    if body.get("name") or body.get("metadata") or creation_time(body, since) < since - CLOCK_DIFFERENCE_S:
        return False
    try:
        held = files_in_store(ctx, str(body["id"]))
    except RequestFailed:
        return False
    return bool(held) and held <= searched
