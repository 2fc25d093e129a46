"""Threads; the messages of the request that creates one are stored with it."""

from __future__ import annotations

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found
from migrate.emulator.resources import messages, tool_resources, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json, now


def create(call: Call) -> Json:
    """Answers `tool_resources` as sent; reading then shows an empty code interpreter (recorded 2024-08)."""
    body = call.body
    tool_resources.check(call, body.get("tool_resources"))
    for first in body.get("messages", ()):
        messages.check(call, first)
    thread: Json = {
        "id": state.new("thread_"),
        "object": "thread",
        "created_at": now(),
        "metadata": body.get("metadata") or {},
        "tool_resources": tool_resources.settle(
            call, body.get("tool_resources"), store_days=vector_stores.THREAD_STORE_DAYS
        ),
    }
    call.estate.threads[thread["id"]] = thread
    for first in body.get("messages", ()):
        messages.make(call, thread, first)
    answer = dict(thread)
    thread["tool_resources"] = thread["tool_resources"] or {"code_interpreter": {"file_ids": []}}
    return answer


def page(call: Call) -> Json:
    """Listing is in no document of either service; how it behaves is an option."""
    if call.options.threads_listing == "missing":
        raise call.service.no_thread_list()
    query = dict(call.query)
    if call.options.threads_listing == "ignores-after":
        query.pop("after", None)
    return pagination.page(call.estate.threads, query)


def read(call: Call, thread_id: str) -> Json:
    try:
        return call.estate.threads[thread_id]
    except KeyError:
        raise not_found("thread", thread_id) from None


def update(call: Call, thread_id: str) -> Json:
    thread = read(call, thread_id)
    tool_resources.check(call, call.body.get("tool_resources"))
    if "metadata" in call.body:
        thread["metadata"] = call.body["metadata"] or {}
    if "tool_resources" in call.body:
        kept = thread.get("tool_resources") or {}
        thread["tool_resources"] = {**kept, **tool_resources.settle(call, call.body["tool_resources"])}
    return thread


def delete(call: Call, thread_id: str) -> Json:
    read(call, thread_id)
    estate = call.estate
    del estate.threads[thread_id]
    estate.messages.pop(thread_id, None)
    for run_id in estate.runs.pop(thread_id, ()):
        estate.run_steps.pop(run_id, None)
    return {"id": thread_id, "object": "thread.deleted", "deleted": True}
