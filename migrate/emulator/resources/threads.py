"""Threads; the messages of the request that creates one are stored with it."""

from __future__ import annotations

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import messages, vector_stores
from migrate.emulator.resources.assistants import check_tool_resources, store_tool_resources
from migrate.emulator.router import Call
from migrate.emulator.state import Json, Table, now


def create(call: Call) -> Json:
    """Answers `tool_resources` as sent; reading then shows an empty code interpreter (recorded 2024-08)."""
    body = call.body
    check_tool_resources(call, body.get("tool_resources"))
    for first in body.get("messages", ()):
        messages.check(call, first)
    thread: Json = {
        "id": state.new("thread_"),
        "object": "thread",
        "created_at": now(),
        "metadata": body.get("metadata") or {},
        "tool_resources": store_tool_resources(
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
    check_tool_resources(call, call.body.get("tool_resources"))
    if "metadata" in call.body:
        thread["metadata"] = call.body["metadata"] or {}
    if "tool_resources" in call.body:
        kept = thread.get("tool_resources") or {}
        thread["tool_resources"] = {**kept, **store_tool_resources(call, call.body["tool_resources"])}
    return thread


def delete(call: Call, thread_id: str) -> Json:
    read(call, thread_id)
    estate = call.estate
    del estate.threads[thread_id]
    estate.messages.pop(thread_id, None)
    for run_id in estate.runs.pop(thread_id, ()):
        estate.run_steps.pop(run_id, None)
    return {"id": thread_id, "object": "thread.deleted", "deleted": True}


def forbid_run(call: Call, *_variables: str) -> Json:
    """A migration must never get here, so the estate remembers that one did."""
    attempt = f"{call.http.method} {call.http.url.path}"
    call.estate.forbidden.append(attempt)
    raise refuse(f"The emulator runs no models: {attempt} was refused.", code="runs_not_emulated")


def list_runs(call: Call, thread_id: str) -> Json:
    return pagination.page(_runs(call, thread_id), call.query)


def read_run(call: Call, thread_id: str, run_id: str) -> Json:
    try:
        return _runs(call, thread_id)[run_id]
    except KeyError:
        raise not_found("run", run_id) from None


def list_run_steps(call: Call, thread_id: str, run_id: str) -> Json:
    read_run(call, thread_id, run_id)
    return pagination.page(call.estate.run_steps[run_id], call.query)


def read_run_step(call: Call, thread_id: str, run_id: str, step_id: str) -> Json:
    read_run(call, thread_id, run_id)
    try:
        return call.estate.run_steps[run_id][step_id]
    except KeyError:
        raise not_found("run step", step_id) from None


def _runs(call: Call, thread_id: str) -> Table:
    messages.thread_of(call, thread_id)
    return call.estate.runs[thread_id]
