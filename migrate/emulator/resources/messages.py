"""Messages: what is written becomes what is read; attachments reach the thread's resources."""

from __future__ import annotations

import time
from collections.abc import Iterator

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files, ingestion, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json, now

ACTIVE = ("queued", "in_progress", "requires_action", "cancelling")


def create(call: Call, thread_id: str) -> Json:
    thread = thread_of(call, thread_id)
    _refuse_while_running(call, thread_id)
    check(call, call.body)
    return make(call, thread, call.body)


def check(call: Call, body: Json) -> None:
    """All files a message names must exist."""
    files.must_exist(call, _named_files(body))


def make(call: Call, thread: Json, body: Json) -> Json:
    """No `status` key, though the documents require one (recorded 2025-03)."""
    attachments = body.get("attachments") or []
    message: Json = {
        "id": state.new("msg_"),
        "object": "thread.message",
        "created_at": now(),
        "assistant_id": None,
        "thread_id": thread["id"],
        "run_id": None,
        "role": body["role"],
        "content": _as_read(body["content"]),
        "attachments": attachments,
        "metadata": body.get("metadata") or {},
    }
    call.estate.messages[thread["id"]][message["id"]] = message
    for attachment in attachments:
        _fold_in(call, thread, attachment)
    return message


def page(call: Call, thread_id: str) -> Json:
    thread_of(call, thread_id)
    run_id = call.query.get("run_id")
    return pagination.page(
        call.estate.messages[thread_id],
        call.query,
        keep=(lambda message: message.get("run_id") == run_id) if run_id else None,
    )


def read(call: Call, thread_id: str, message_id: str) -> Json:
    thread_of(call, thread_id)
    try:
        return call.estate.messages[thread_id][message_id]
    except KeyError:
        raise not_found("message", message_id) from None


def update(call: Call, thread_id: str, message_id: str) -> Json:
    """Azure answers this one call in the old shape (recorded 2025-03)."""
    message = read(call, thread_id, message_id)
    if "metadata" in call.body:
        message["metadata"] = call.body["metadata"] or {}
    if not call.service.message_update_answers_file_ids:
        return message
    answer = {key: value for key, value in message.items() if key not in ("attachments", "metadata")}
    return {**answer, "file_ids": [], "metadata": message.get("metadata")}


def delete(call: Call, thread_id: str, message_id: str) -> Json:
    read(call, thread_id, message_id)
    del call.estate.messages[thread_id][message_id]
    return {"id": message_id, "object": "thread.message.deleted", "deleted": True}


# ------------------------------------------------------------------------------------------- content


def _as_read(content: str | list[Json]) -> list[Json]:
    """Text is written plain, read with annotations; pictures gain a default detail (recorded 2024-10)."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [{"type": part["type"], part["type"]: _inside(part)} for part in parts]


def _inside(part: Json) -> Json:
    if part["type"] == "text":
        return {"value": part["text"], "annotations": []}
    return {**part[part["type"]], "detail": part[part["type"]].get("detail", "auto")}


def _named_files(body: Json) -> Iterator[str]:
    yield from (attachment["file_id"] for attachment in body.get("attachments") or ())
    if isinstance(body["content"], list):
        yield from (part["image_file"]["file_id"] for part in body["content"] if part["type"] == "image_file")


# ------------------------------------------------------------------------------------------- the thread


def thread_of(call: Call, thread_id: str) -> Json:
    try:
        return call.estate.threads[thread_id]
    except KeyError:
        raise not_found("thread", thread_id) from None


def _refuse_while_running(call: Call, thread_id: str) -> None:
    """(reported 2024)"""
    if thread_id not in call.estate.runs:
        return
    for run in call.estate.runs[thread_id].values():
        over = (run.get("expires_at") or time.time() + 1) < time.time()
        if run.get("status") in ACTIVE and not over:
            raise refuse(f"Can't add messages to {thread_id} while a run {run['id']} is active.")


def _fold_in(call: Call, thread: Json, attachment: Json) -> None:
    """What a message attaches, the whole thread's tools can use; searching makes a store for a week."""
    kept = thread.setdefault("tool_resources", {})
    for tool in attachment["tools"]:
        if tool["type"] == "code_interpreter":
            files = kept.setdefault("code_interpreter", {}).setdefault("file_ids", [])
            if attachment["file_id"] not in files:
                files.append(attachment["file_id"])
        else:
            _index(call, kept.setdefault("file_search", {}), attachment["file_id"])


def _index(call: Call, search: Json, file_id: str) -> None:
    known = [each for each in search.get("vector_store_ids", ()) if each in call.estate.vector_stores]
    if known:
        ingestion.attach(call, call.estate.vector_stores[known[0]], {"file_id": file_id})
    else:
        week = {"anchor": "last_active_at", "days": vector_stores.THREAD_STORE_DAYS}
        store = vector_stores.make(call, {"file_ids": [file_id], "expires_after": week})
        search["vector_store_ids"] = [store["id"]]
