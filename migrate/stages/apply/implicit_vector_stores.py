"""Vector stores that a service creates for files which messages attach for search.

The answer to the creation of a thread need not show such a store: in recordings of classic projects a thread
shows its tool resources only when it is read. So a thread is read after its messages are there. The store is
noted in the journal if its content proves that it was created for what this program sent, so that a rollback
removes it. A store that others attached is not noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from itertools import islice

from migrate.archive.journal import SERVICE_ACTION
from migrate.errors import NotFound, RequestFailed
from migrate.model import Entity
from migrate.model.entity import creation_time
from migrate.model.references import tool_resource_ids, with_tool_resource_ids
from migrate.stages.apply.context import ApplyContext, RequestBody
from migrate.stages.apply.create import CLOCK_DIFFERENCE_S
from migrate.stages.object_fingerprints import object_fingerprint
from migrate.stages.plan.adaptation import replayed_messages

VECTOR_STORE_KIND = "vector_store"


def note_implicit_stores(
    ctx: ApplyContext, thread: Entity, present: Entity, searched: Callable[[], Set[str]], since: float
) -> None:
    """Note the stores that the service created for a thread. `present`: the thread on the target. `searched`:
    target ids of the files that its messages attach for search. `since`: seconds since 1970 when the thread
    may have been created at the earliest. Raises `RequestFailed` when a store cannot be read."""
    known = {*ctx.preexisting_ids, *ctx.ids.values()}
    new_stores = [store for store in stores_of_thread(present) if store not in known]
    searched_ids = searched() if new_stores else set()
    for store in new_stores if searched_ids else ():
        try:
            body = ctx.writer.get(VECTOR_STORE_KIND, store)
        except NotFound:
            continue
        if _is_implicit(ctx, body, searched_ids, since):
            entity = ctx.decode(VECTOR_STORE_KIND, body)
            job = (SERVICE_ACTION, VECTOR_STORE_KIND, thread.id, thread.id, thread.name)
            ctx.journal.record_created([(job, store, present.id, object_fingerprint(entity))])


def _is_implicit(ctx: ApplyContext, body: RequestBody, searched_ids: Set[str], since: float) -> bool:
    """Whether a store is one that a service creates: new, without name and metadata, and with no files but
    those that the messages attach."""
    if body.get("name") or body.get("metadata") or creation_time(body, since) < since - CLOCK_DIFFERENCE_S:
        return False
    try:
        pages = ctx.writer.pages("vector_store_file", str(body["id"]))
        files = {str(row.get("id")) for page in pages for row in page.bodies}
    except RequestFailed:
        return False
    return bool(files) and files <= searched_ids


def stores_of_thread(thread: Entity) -> list[str]:
    """The vector stores that a thread searches."""
    return tool_resource_ids(thread.fields.get("tool_resources"), "file_search")


def detach_implicit_store(ctx: ApplyContext, thread_id: str, store: str) -> None:
    """Remove a store from a thread of the target. Raises `RequestFailed`."""
    try:
        present = ctx.decode("thread", ctx.writer.get("thread", thread_id))
    except NotFound:
        return
    rest = [id_ for id_ in stores_of_thread(present) if id_ != store]
    if rest == stores_of_thread(present):
        return
    resources = with_tool_resource_ids(present.fields["tool_resources"], "file_search", rest)
    if not rest:
        del resources["file_search"]
    changed = present.with_fields(tool_resources=resources)
    ctx.writer.update(
        "thread", thread_id, ctx.codec.update_request(changed, frozenset({"tool_resources"}), present)
    )


def searched_files(ctx: ApplyContext, thread: Entity, first: int) -> set[str]:
    """Target ids of the files that the messages of a thread attach for search, from place `first` on. Empty
    where the thread has a store of its own: the service creates none then."""
    if stores_of_thread(ctx.codec.adapt(thread, ctx.target)[0]):
        return set()
    messages = islice(replayed_messages(ctx.source, ctx.codec, ctx.target, thread.id), first, None)
    adapted = (ctx.codec.adapt(message, ctx.target)[0] for message in messages)
    file_ids = {file_id for message in adapted for file_id in attached_for_search(message)}
    return {target_id for file_id in file_ids if (target_id := ctx.target_id("file", file_id))}


def attached_for_search(message: Entity) -> Iterator[str]:
    """Ids of the files that a message attaches for search."""
    for attachment in message.fields.get("attachments") or []:
        if any(tool.get("type") == "file_search" for tool in attachment.get("tools") or []):
            yield str(attachment.get("file_id"))
