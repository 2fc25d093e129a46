"""Vector stores, the files in them, and batches, which add many files in one request."""

from __future__ import annotations

import time
from collections.abc import Callable

from migrate.emulator import pagination
from migrate.emulator.errors import not_found, refuse, unsupported_value
from migrate.emulator.resources import files, ingestion
from migrate.emulator.router import Call
from migrate.emulator.state import DAY_S, Json, Table, new_hex_id, new_id, now

THREAD_STORE_DAYS = 7  # stores created through a thread expire after a week without use


def create(call: Call) -> Json:
    files.check_exist(call, call.body.get("file_ids", ()))
    ingestion.check_searchable(call, call.body.get("file_ids", ()))
    return add_store(call, call.body)


def add_store(call: Call, body: Json) -> Json:
    """Create a store. An empty one is complete at once, one with files is in progress (recorded 2025-12)."""
    created_at = now()
    after = body.get("expires_after")
    created: Json = {
        "id": new_id("vs_"),
        "object": "vector_store",
        "name": body.get("name"),
        "status": "completed",
        "usage_bytes": 0,
        "created_at": created_at,
        "file_counts": ingestion.zero_counts(),
        "metadata": body.get("metadata") or {},
        "expires_after": after,
        "expires_at": created_at + after["days"] * DAY_S if after else None,
        "last_active_at": created_at,
    }
    if call.service.shows_store_description or "description" in body:
        created["description"] = body.get("description")
    call.estate.vector_stores[created["id"]] = created
    call.estate.expiring_stores.add(created["id"])
    for file_id in dict.fromkeys(body.get("file_ids", ())):
        entry = {"file_id": file_id, "chunking_strategy": body.get("chunking_strategy")}
        ingestion.attach(call, created, entry)
    return created


def page(call: Call) -> Json:
    ingestion.finish_due(call)
    return pagination.page(call.estate.vector_stores, call.query, show=lambda row: _expire(call, row))


def read(call: Call, store_id: str) -> Json:
    return _expire(call, find(call, store_id))


def find(call: Call, store_id: str) -> Json:
    """A store after ingestion that is due. Raises `ApiError` if there is no such store."""
    ingestion.finish_due(call)
    return call.estate.vector_stores.require(store_id, not_found("vector store", store_id))


def update(call: Call, store_id: str) -> Json:
    updated = read(call, store_id)
    updated.update(call.body)
    updated["metadata"] = updated.get("metadata") or {}
    if "expires_after" in call.body:
        call.estate.expiring_stores.add(store_id)
        after = call.body["expires_after"]
        start = updated.get("last_active_at") or now()
        updated["expires_at"] = start + after["days"] * DAY_S if after else None
    return updated


def delete(call: Call, store_id: str) -> Json:
    find(call, store_id)
    del call.estate.vector_stores[store_id]
    call.estate.expiring_stores.discard(store_id)
    call.estate.vector_store_files.pop(store_id, None)
    for batch_id in call.estate.file_batches.pop(store_id, ()):
        call.estate.batch_files.pop(batch_id, None)
    return {"id": store_id, "object": "vector_store.deleted", "deleted": True}


def _expire(call: Call, row: Json) -> Json:
    expires_at = row.get("expires_at")
    if row["id"] in call.estate.expiring_stores and expires_at is not None and expires_at <= time.time():
        row["status"] = "expired"
    return row


# -------------------------------------------------------------------------------- files in a vector store


def add_file(call: Call, store_id: str) -> Json:
    parent = find(call, store_id)
    files.check_exist(call, [call.body["file_id"]])
    ingestion.check_searchable(call, [call.body["file_id"]])
    return ingestion.attach(call, parent, call.body)


def list_files(call: Call, store_id: str) -> Json:
    find(call, store_id)
    return pagination.page(call.estate.vector_store_files[store_id], call.query, keep=_status_filter(call))


def _status_filter(call: Call) -> Callable[[Json], bool] | None:
    """The parameter `filter` of both lists of files."""
    status = call.query.get("filter")
    if status is not None and status not in ingestion.STATUSES:
        raise unsupported_value("filter", status, ingestion.STATUSES, None)
    return pagination.equals("status", status)


def read_file(call: Call, store_id: str, file_id: str) -> Json:
    find(call, store_id)
    return call.estate.vector_store_files[store_id].require(file_id, not_found("file", file_id))


def update_file(call: Call, store_id: str, file_id: str) -> Json:
    entry = read_file(call, store_id, file_id)
    entry["attributes"] = call.body["attributes"] or {}
    return entry


def remove_file(call: Call, store_id: str, file_id: str) -> Json:
    """Remove the file from the store; the file itself stays."""
    read_file(call, store_id, file_id)
    ingestion.detach(call.estate, store_id, file_id)
    return {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}


def read_parsed_content(call: Call, store_id: str, file_id: str) -> Json:
    """The text that the service extracted from a file."""
    entry = read_file(call, store_id, file_id)
    blob = call.estate.content.get(file_id)
    if entry.get("status") != "completed" or blob is None:
        raise refuse(f"The file '{file_id}' has no parsed content.", status=404)
    return {
        "object": "vector_store.file_content.page",
        "data": [{"type": "text", "text": blob.read().decode("utf-8", errors="replace")}],
        "has_more": False,
        "next_page": None,
    }


# ------------------------------------------------------------------------ file batches; no route lists them


def create_batch(call: Call, store_id: str) -> Json:
    parent = find(call, store_id)
    entries = _batch_bodies(call.body)
    files.check_exist(call, entries)
    ingestion.check_searchable(call, entries)
    for body in entries.values():
        ingestion.attach(call, parent, body)
    batch: Json = {
        "id": new_hex_id("vsfb_"),
        "object": "vector_store.file_batch",
        "created_at": now(),
        "status": "in_progress",
        "vector_store_id": store_id,
        "file_counts": {},
    }
    call.estate.file_batches[store_id][batch["id"]] = batch
    call.estate.batch_files[batch["id"]] = list(entries)
    return _with_counts(call, batch)


def _batch_bodies(body: Json) -> dict[str, Json]:
    """File id -> body of its entry, for both forms: ids that share settings, or objects with their own."""
    if ("file_ids" in body) == ("files" in body):
        raise refuse("Exactly one of 'file_ids' and 'files' must be given.", param="file_ids")
    shared: Json = {key: body[key] for key in ("chunking_strategy", "attributes") if key in body}
    entries = body.get("files") or [{"file_id": file_id} for file_id in body["file_ids"]]
    return {entry["file_id"]: {**shared, **entry} for entry in entries}


def read_batch(call: Call, store_id: str, batch_id: str) -> Json:
    return _with_counts(call, _find_batch(call, store_id, batch_id))


def cancel_batch(call: Call, store_id: str, batch_id: str) -> Json:
    batch = _find_batch(call, store_id, batch_id)
    for file_id in call.estate.batch_files[batch_id]:
        ingestion.cancel(call.estate, store_id, file_id)
    batch["status"] = "cancelled"
    return _with_counts(call, batch)


def list_batch_files(call: Call, store_id: str, batch_id: str) -> Json:
    _find_batch(call, store_id, batch_id)
    table = Table()
    for entry in _batch_entries(call, store_id, batch_id):
        table[entry["id"]] = entry
    return pagination.page(table, call.query, keep=_status_filter(call))


def _find_batch(call: Call, store_id: str, batch_id: str) -> Json:
    find(call, store_id)
    return call.estate.file_batches[store_id].require(batch_id, not_found("file batch", batch_id))


def _batch_entries(call: Call, store_id: str, batch_id: str) -> list[Json]:
    entries = call.estate.vector_store_files[store_id]
    return [entries[file_id] for file_id in call.estate.batch_files[batch_id] if file_id in entries]


def _with_counts(call: Call, batch: Json) -> Json:
    counts = ingestion.zero_counts()
    for entry in _batch_entries(call, batch["vector_store_id"], batch["id"]):
        counts[entry["status"]] += 1
        counts["total"] += 1
    batch["file_counts"] = counts
    if batch["status"] == "in_progress" and not counts["in_progress"]:
        batch["status"] = "completed"
    return batch
