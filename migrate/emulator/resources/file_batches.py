"""File batches: add many files to a vector store in one request. Nothing lists batches."""

from __future__ import annotations

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files as uploads
from migrate.emulator.resources import ingestion, vector_store_files, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json, Table, now


def create(call: Call, store_id: str) -> Json:
    ingestion.settle(call)
    store = vector_stores.find(call, store_id)
    entries = _entries(call.body)
    uploads.must_exist(call, (entry["file_id"] for entry in entries))
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


def read(call: Call, store_id: str, batch_id: str) -> Json:
    ingestion.settle(call)
    return _counted(call, _find(call, store_id, batch_id))


def cancel(call: Call, store_id: str, batch_id: str) -> Json:
    ingestion.settle(call)
    batch = _find(call, store_id, batch_id)
    for file_id in call.estate.batch_files[batch_id]:
        ingestion.cancel(call.estate, store_id, file_id)
    batch["status"] = "cancelled"
    return _counted(call, batch)


def files(call: Call, store_id: str, batch_id: str) -> Json:
    ingestion.settle(call)
    _find(call, store_id, batch_id)
    table = Table()
    for entry in _members(call, store_id, batch_id):
        table[entry["id"]] = entry
    return pagination.page(table, call.query, keep=vector_store_files.by_status(call))


def _find(call: Call, store_id: str, batch_id: str) -> Json:
    vector_stores.find(call, store_id)
    try:
        return call.estate.file_batches[store_id][batch_id]
    except KeyError:
        raise not_found("file batch", batch_id) from None


def _members(call: Call, store_id: str, batch_id: str) -> list[Json]:
    entries = call.estate.vector_store_files[store_id]
    return [entries[file_id] for file_id in call.estate.batch_files[batch_id] if file_id in entries]


def _counted(call: Call, batch: Json) -> Json:
    counts = dict.fromkeys((*ingestion.STATES, "total"), 0)
    for entry in _members(call, batch["vector_store_id"], batch["id"]):
        counts[entry["status"]] += 1
        counts["total"] += 1
    batch["file_counts"] = counts
    if batch["status"] == "in_progress" and not counts["in_progress"]:
        batch["status"] = "completed"
    return batch
