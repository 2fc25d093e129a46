"""Vector stores: create, list, read, update and delete."""

from __future__ import annotations

import time
from collections.abc import Callable

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files, ingestion
from migrate.emulator.router import Call
from migrate.emulator.state import Json, Table, now

DAY = 86_400
THREAD_STORE_DAYS = 7  # stores made through a thread expire after a week without use


def create(call: Call) -> Json:
    files.must_exist(call, call.body.get("file_ids", ()))
    ingestion.check(call, call.body.get("file_ids", ()))
    return make(call, call.body)


def make(call: Call, body: Json) -> Json:
    """An empty store is complete at once, one with files is in progress (recorded 2025-12)."""
    moment = now()
    after = body.get("expires_after")
    store: Json = {
        "id": state.new("vs_"),
        "object": "vector_store",
        "name": body.get("name"),
        "status": "completed",
        "usage_bytes": 0,
        "created_at": moment,
        "file_counts": dict.fromkeys((*ingestion.STATES, "total"), 0),
        "metadata": body.get("metadata") or {},
        "expires_after": after,
        "expires_at": moment + after["days"] * DAY if after else None,
        "last_active_at": moment,
    }
    if call.service.stores_say_description or "description" in body:
        store["description"] = body.get("description")
    call.estate.vector_stores[store["id"]] = store
    call.estate.ageing.add(store["id"])
    for file_id in dict.fromkeys(body.get("file_ids", ())):
        entry = {"file_id": file_id, "chunking_strategy": body.get("chunking_strategy")}
        ingestion.attach(call, store, entry)
    return store


def page(call: Call) -> Json:
    ingestion.settle(call)
    return pagination.page(call.estate.vector_stores, call.query, show=lambda store: _aged(call, store))


def read(call: Call, store_id: str) -> Json:
    ingestion.settle(call)
    return _aged(call, find(call, store_id))


def find(call: Call, store_id: str) -> Json:
    try:
        return call.estate.vector_stores[store_id]
    except KeyError:
        raise not_found("vector store", store_id) from None


def update(call: Call, store_id: str) -> Json:
    store = read(call, store_id)
    store.update(call.body)
    store["metadata"] = store.get("metadata") or {}
    if "expires_after" in call.body:
        call.estate.ageing.add(store_id)
        after = call.body["expires_after"]
        store["expires_at"] = (store.get("last_active_at") or now()) + after["days"] * DAY if after else None
    return store


def delete(call: Call, store_id: str) -> Json:
    find(call, store_id)
    del call.estate.vector_stores[store_id]
    call.estate.ageing.discard(store_id)
    call.estate.vector_store_files.pop(store_id, None)
    for batch_id in call.estate.file_batches.pop(store_id, ()):
        call.estate.batch_files.pop(batch_id, None)
    return {"id": store_id, "object": "vector_store.deleted", "deleted": True}


def _aged(call: Call, store: Json) -> Json:
    """Stores made here expire in time; saved ones stay as they were saved."""
    expires_at = store.get("expires_at")
    if store["id"] in call.estate.ageing and expires_at is not None and expires_at <= time.time():
        store["status"] = "expired"
    return store


PARSED_PAGE = "vector_store.file_content.page"


def add_file(call: Call, store_id: str) -> Json:
    ingestion.settle(call)
    store = find(call, store_id)
    files.must_exist(call, [call.body["file_id"]])
    ingestion.check(call, [call.body["file_id"]])
    return ingestion.attach(call, store, call.body)


def list_files(call: Call, store_id: str) -> Json:
    ingestion.settle(call)
    find(call, store_id)
    return pagination.page(call.estate.vector_store_files[store_id], call.query, keep=by_status(call))


def by_status(call: Call) -> Callable[[Json], bool] | None:
    """The `filter` of both lists of files."""
    status = call.query.get("filter")
    if status is None:
        return None
    if status not in ingestion.STATES:
        supported = ",".join(f"'{each}'" for each in ingestion.STATES)
        raise refuse(f"Invalid value: '{status}'. Supported values are: {supported}", param="filter")
    return lambda entry: entry.get("status") == status


def read_file(call: Call, store_id: str, file_id: str) -> Json:
    ingestion.settle(call)
    find(call, store_id)
    try:
        return call.estate.vector_store_files[store_id][file_id]
    except KeyError:
        raise not_found("file", file_id) from None


def update_file(call: Call, store_id: str, file_id: str) -> Json:
    entry = read_file(call, store_id, file_id)
    entry["attributes"] = call.body["attributes"] or {}
    return entry


def remove_file(call: Call, store_id: str, file_id: str) -> Json:
    """Only takes the file out of the store; the file itself stays."""
    read_file(call, store_id, file_id)
    ingestion.detach(call.estate, store_id, file_id)
    return {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}


def read_parsed_content(call: Call, store_id: str, file_id: str) -> Json:
    """What was understood of a file: its text, and nothing else."""
    entry = read_file(call, store_id, file_id)
    blob = call.estate.content.get(file_id)
    if entry.get("status") != "completed" or blob is None:
        raise refuse(f"The file '{file_id}' has no parsed content.", status=404)
    text = blob.read().decode("utf-8", errors="replace")
    return {
        "object": PARSED_PAGE,
        "data": [{"type": "text", "text": text}],
        "has_more": False,
        "next_page": None,
    }


def create_batch(call: Call, store_id: str) -> Json:
    ingestion.settle(call)
    store = find(call, store_id)
    entries = _entries(call.body)
    files.must_exist(call, (entry["file_id"] for entry in entries))
    ingestion.check(call, (entry["file_id"] for entry in entries))
    for entry in entries:
        ingestion.attach(call, store, entry)
    batch: Json = {
        "id": state.new_hex("vsfb_"),
        "object": "vector_store.file_batch",
        "created_at": now(),
        "status": "in_progress",
        "vector_store_id": store_id,
        "file_counts": {},
    }
    call.estate.file_batches[store_id][batch["id"]] = batch
    call.estate.batch_files[batch["id"]] = [entry["file_id"] for entry in entries]
    return _counted(call, batch)


def _entries(body: Json) -> list[Json]:
    """Both forms as one: ids that share their settings, or objects with their own."""
    if ("file_ids" in body) == ("files" in body):
        raise refuse("Exactly one of 'file_ids' and 'files' must be given.", param="file_ids")
    shared = {key: body[key] for key in ("chunking_strategy", "attributes") if key in body}
    given = body.get("files") or [{"file_id": file_id} for file_id in body["file_ids"]]
    return list({entry["file_id"]: {**shared, **entry} for entry in given}.values())


def read_batch(call: Call, store_id: str, batch_id: str) -> Json:
    ingestion.settle(call)
    return _counted(call, _find_batch(call, store_id, batch_id))


def cancel_batch(call: Call, store_id: str, batch_id: str) -> Json:
    ingestion.settle(call)
    batch = _find_batch(call, store_id, batch_id)
    for file_id in call.estate.batch_files[batch_id]:
        ingestion.cancel(call.estate, store_id, file_id)
    batch["status"] = "cancelled"
    return _counted(call, batch)


def list_batch_files(call: Call, store_id: str, batch_id: str) -> Json:
    ingestion.settle(call)
    _find_batch(call, store_id, batch_id)
    table = Table()
    for entry in _batch_entries(call, store_id, batch_id):
        table[entry["id"]] = entry
    return pagination.page(table, call.query, keep=by_status(call))


def _find_batch(call: Call, store_id: str, batch_id: str) -> Json:
    find(call, store_id)
    try:
        return call.estate.file_batches[store_id][batch_id]
    except KeyError:
        raise not_found("file batch", batch_id) from None


def _batch_entries(call: Call, store_id: str, batch_id: str) -> list[Json]:
    entries = call.estate.vector_store_files[store_id]
    return [entries[file_id] for file_id in call.estate.batch_files[batch_id] if file_id in entries]


def _counted(call: Call, batch: Json) -> Json:
    counts = dict.fromkeys((*ingestion.STATES, "total"), 0)
    for entry in _batch_entries(call, batch["vector_store_id"], batch["id"]):
        counts[entry["status"]] += 1
        counts["total"] += 1
    batch["file_counts"] = counts
    if batch["status"] == "in_progress" and not counts["in_progress"]:
        batch["status"] = "completed"
    return batch
