"""Messages: a body becomes what reading returns, and attachments reach the tool resources of the thread."""

from __future__ import annotations

import time
from collections.abc import Iterator

from migrate.emulator import pagination
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files, ingestion, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json, new_id, now

ACTIVE_STATUSES = ("queued", "in_progress", "requires_action", "cancelling")


def create(call: Call, thread_id: str) -> Json:
    thread = find_thread(call, thread_id)
    _refuse_during_run(call, thread_id)
    check_files(call, call.body)
    return add_message(call, thread, call.body)


def check_files(call: Call, body: Json) -> None:
    """Raises `ApiError` if a file that the message refers to does not exist."""
    files.check_exist(call, _file_ids(body))


def add_message(call: Call, thread: Json, body: Json) -> Json:
    """Create a message. It has no `status`, although the documentation requires one (recorded 2025-03)."""
    attachments = body.get("attachments") or []
    message: Json = {
        "id": new_id("msg_"),
        "object": "thread.message",
        "created_at": now(),
        "assistant_id": None,
        "thread_id": thread["id"],
        "run_id": None,
        "role": body["role"],
        "content": _stored_content(body["content"]),
        "attachments": attachments,
        "metadata": body.get("metadata") or {},
    }
    call.estate.messages[thread["id"]][message["id"]] = message
    for attachment in attachments:
        _attach(call, thread, attachment)
    return message


def page(call: Call, thread_id: str) -> Json:
    find_thread(call, thread_id)
    keep = pagination.equals("run_id", call.query.get("run_id"))
    return pagination.page(call.estate.messages[thread_id], call.query, keep=keep)


def read(call: Call, thread_id: str, message_id: str) -> Json:
    find_thread(call, thread_id)
    return call.estate.messages[thread_id].require(message_id, not_found("message", message_id))


def update(call: Call, thread_id: str, message_id: str) -> Json:
    """Azure answers only this operation in the old shape (recorded 2025-03)."""
    message = read(call, thread_id, message_id)
    if "metadata" in call.body:
        message["metadata"] = call.body["metadata"] or {}
    if not call.service.message_update_shows_file_ids:
        return message
    answer = {key: value for key, value in message.items() if key not in ("attachments", "metadata")}
    return {**answer, "file_ids": [], "metadata": message.get("metadata")}


def delete(call: Call, thread_id: str, message_id: str) -> Json:
    read(call, thread_id, message_id)
    del call.estate.messages[thread_id][message_id]
    return {"id": message_id, "object": "thread.message.deleted", "deleted": True}


# ------------------------------------------------------------------------------------------- content


def _stored_content(content: str | list[Json]) -> list[Json]:
    """Text gets a list of annotations; images get a default `detail` (recorded 2024-10)."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [{"type": part["type"], part["type"]: _stored_part(part)} for part in parts]


def _stored_part(part: Json) -> Json:
    if part["type"] == "text":
        return {"value": part["text"], "annotations": []}
    return {**part[part["type"]], "detail": part[part["type"]].get("detail", "auto")}


def _file_ids(body: Json) -> Iterator[str]:
    yield from (attachment["file_id"] for attachment in body.get("attachments") or ())
    if isinstance(body["content"], list):
        yield from (part["image_file"]["file_id"] for part in body["content"] if part["type"] == "image_file")


# ----------------------------------------------------------------------------------------- the thread


def find_thread(call: Call, thread_id: str) -> Json:
    """Raises `ApiError` if there is no such thread."""
    return call.estate.threads.require(thread_id, not_found("thread", thread_id))


def _refuse_during_run(call: Call, thread_id: str) -> None:
    """(reported 2024)"""
    if thread_id not in call.estate.runs:
        return
    for run in call.estate.runs[thread_id].values():
        is_expired = (run.get("expires_at") or time.time() + 1) < time.time()
        if run.get("status") in ACTIVE_STATUSES and not is_expired:
            raise refuse(f"Can't add messages to {thread_id} while a run {run['id']} is active.")


def _attach(call: Call, thread: Json, attachment: Json) -> None:
    """Give an attached file to the tools of the whole thread."""
    resources = thread.setdefault("tool_resources", {})
    for tool in attachment["tools"]:
        if tool["type"] == "code_interpreter":
            file_ids = resources.setdefault("code_interpreter", {}).setdefault("file_ids", [])
            if attachment["file_id"] not in file_ids:
                file_ids.append(attachment["file_id"])
        else:
            _index(call, resources.setdefault("file_search", {}), attachment["file_id"])


def _index(call: Call, search: Json, file_id: str) -> None:
    """Add a file to the thread's vector store, or create a store that expires after a week without use."""
    store_ids = [each for each in search.get("vector_store_ids", ()) if each in call.estate.vector_stores]
    if store_ids:
        ingestion.attach(call, call.estate.vector_stores[store_ids[0]], {"file_id": file_id})
    else:
        week = {"anchor": "last_active_at", "days": vector_stores.THREAD_STORE_DAYS}
        created = vector_stores.add_store(call, {"file_ids": [file_id], "expires_after": week})
        search["vector_store_ids"] = [created["id"]]
