"""Vector stores: create, list, read, update and delete."""

from __future__ import annotations

import time

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found
from migrate.emulator.resources import files, ingestion
from migrate.emulator.router import Call
from migrate.emulator.state import Json, now

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
