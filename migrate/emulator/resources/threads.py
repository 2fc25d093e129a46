"""Threads with the messages of the request that creates them; runs and run steps, which can only be read."""

from __future__ import annotations

from migrate.emulator import pagination
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import messages
from migrate.emulator.resources.assistants import check_tool_resources, create_stores_of
from migrate.emulator.resources.vector_stores import THREAD_STORE_DAYS
from migrate.emulator.router import Call
from migrate.emulator.state import Json, Table, new_id, now


def create(call: Call) -> Json:
    """Shows `tool_resources` as sent; reading then shows an empty code interpreter (recorded 2024-08)."""
    resources = call.body.get("tool_resources")
    check_tool_resources(call, resources)
    for body in call.body.get("messages", ()):
        messages.check_files(call, body)
    thread: Json = {
        "id": new_id("thread_"),
        "object": "thread",
        "created_at": now(),
        "metadata": call.body.get("metadata") or {},
        "tool_resources": create_stores_of(call, resources, store_days=THREAD_STORE_DAYS),
    }
    call.estate.threads[thread["id"]] = thread
    for body in call.body.get("messages", ()):
        messages.add_message(call, thread, body)
    answer = dict(thread)
    thread["tool_resources"] = thread["tool_resources"] or {"code_interpreter": {"file_ids": []}}
    return answer


def page(call: Call) -> Json:
    """No document of either service describes this list, so its behaviour is an option."""
    if call.options.threads_listing == "missing":
        raise call.service.no_thread_list()
    query = dict(call.query)
    if call.options.threads_listing == "ignores-after":
        query.pop("after", None)
    return pagination.page(call.estate.threads, query)


def read(call: Call, thread_id: str) -> Json:
    return messages.find_thread(call, thread_id)


def update(call: Call, thread_id: str) -> Json:
    """`tool_resources` change tool by tool."""
    thread = read(call, thread_id)
    check_tool_resources(call, call.body.get("tool_resources"))
    if "metadata" in call.body:
        thread["metadata"] = call.body["metadata"] or {}
    if "tool_resources" in call.body:
        unchanged = thread.get("tool_resources") or {}
        thread["tool_resources"] = {**unchanged, **create_stores_of(call, call.body["tool_resources"])}
    return thread


def delete(call: Call, thread_id: str) -> Json:
    read(call, thread_id)
    estate = call.estate
    del estate.threads[thread_id]
    estate.messages.pop(thread_id, None)
    for run_id in estate.runs.pop(thread_id, ()):
        estate.run_steps.pop(run_id, None)
    return {"id": thread_id, "object": "thread.deleted", "deleted": True}


# ------------------------------------------------------------------------------------------------- runs


def forbid_run(call: Call, *_variables: str) -> Json:
    """Refuse and record: creating a run executes a model, which no migration may do."""
    attempt = f"{call.http.method} {call.http.url.path}"
    call.estate.forbidden_calls.append(attempt)
    raise refuse(f"The emulator runs no models: {attempt} was refused.", code="runs_not_emulated")


def list_runs(call: Call, thread_id: str) -> Json:
    return pagination.page(_runs(call, thread_id), call.query)


def read_run(call: Call, thread_id: str, run_id: str) -> Json:
    return _runs(call, thread_id).require(run_id, not_found("run", run_id))


def list_run_steps(call: Call, thread_id: str, run_id: str) -> Json:
    read_run(call, thread_id, run_id)
    return pagination.page(call.estate.run_steps[run_id], call.query)


def read_run_step(call: Call, thread_id: str, run_id: str, step_id: str) -> Json:
    read_run(call, thread_id, run_id)
    return call.estate.run_steps[run_id].require(step_id, not_found("run step", step_id))


def _runs(call: Call, thread_id: str) -> Table:
    read(call, thread_id)
    return call.estate.runs[thread_id]
