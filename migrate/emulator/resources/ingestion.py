"""Ingestion of files into vector stores: an entry is in progress, and is finished when it is due."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import PurePosixPath

from migrate.emulator.errors import refuse
from migrate.emulator.router import Call
from migrate.emulator.state import Estate, Json, Pending, now

INDEX_OVERHEAD = 1_024  # 12 bytes were counted as 1036, 1209 as 2233 (recorded 2024-04, 2025-12)
DEFAULT_CHUNKS: Json = {
    "type": "static",
    "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
}
STATES = ("in_progress", "completed", "failed", "cancelled")


def attach(call: Call, store: Json, body: Json) -> Json:
    """Puts one existing file into a store; a file already there is indexed anew."""
    estate = call.estate
    detach(estate, store["id"], body["file_id"])
    chunking = body.get("chunking_strategy")
    entry: Json = {
        "id": body["file_id"],
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": now(),
        "vector_store_id": store["id"],
        "status": "in_progress",
        "last_error": None,
        # `auto` and nothing at all are both answered as the numbers they stand for (recorded 2026-02).
        "chunking_strategy": chunking if chunking and chunking["type"] == "static" else DEFAULT_CHUNKS,
    }
    if body.get("attributes") is not None:
        entry["attributes"] = body["attributes"]
    estate.vector_store_files[store["id"]][entry["id"]] = entry
    _count(store, None, "in_progress")
    store["last_active_at"] = now()
    fate = estate.fate(estate.files[entry["id"]]["filename"])
    if fate != "stuck":
        due = time.monotonic() + call.options.ingestion_seconds
        estate.pending.append(Pending(due, store["id"], entry, fate == "failed"))
    return entry


def check(call: Call, file_ids: Iterable[str]) -> None:
    """A project refuses at once what search cannot read (recorded 2025-12); elsewhere it fails later."""
    if not call.service.unsearchable_refused_at_once:
        return
    found = {_extension(call, call.estate.files[file_id]) for file_id in file_ids}
    if unreadable := sorted(found.difference(call.service.searchable)):
        raise refuse(_unsupported(call, unreadable), param="file_id", code="unsupported_file")


def _extension(call: Call, file: Json) -> str:
    ending = PurePosixPath(file["filename"]).suffix
    return ending if call.service.endings_as_written else ending.lower()


def _unsupported(call: Call, extensions: list[str]) -> str:
    return (
        f"Files with extensions [{', '.join(extensions)}] are not supported for retrieval. "
        f"Supported file types include: [{', '.join(call.service.searchable)}]."
    )


def detach(estate: Estate, store_id: str, file_id: str) -> bool:
    """Takes a file out of one store; whether it was there."""
    entries = estate.vector_store_files.get(store_id)
    if entries is None or file_id not in entries:
        return False
    entry = entries[file_id]
    del entries[file_id]
    store = estate.vector_stores[store_id]
    _count(store, entry["status"], None)
    store["usage_bytes"] = max(0, store.get("usage_bytes", 0) - entry.get("usage_bytes", 0))
    return True


def cancel(estate: Estate, store_id: str, file_id: str) -> None:
    entry = estate.vector_store_files[store_id].get(file_id)
    if entry and entry["status"] == "in_progress":
        _finish(estate.vector_stores[store_id], entry, "cancelled")


def settle(call: Call) -> None:
    """Finishes what is due. Everything waits equally long, so the queue is in order."""
    estate, moment = call.estate, time.monotonic()
    while estate.pending and estate.pending[0].due <= moment:
        _, store_id, entry, fails = estate.pending.popleft()
        current = estate.vector_store_files.get(store_id, {}).get(entry["id"])
        if current is entry and entry["status"] == "in_progress":
            (_fail if fails else _index)(call, estate.vector_stores[store_id], entry)


def _fail(_call: Call, store: Json, entry: Json) -> None:
    """As the documents word it when it is nobody's fault."""
    message = "An internal error occurred while the file was processed."
    entry["last_error"] = {"code": "server_error", "message": message}
    _finish(store, entry, "failed")


def _index(call: Call, store: Json, entry: Json) -> None:
    file = call.estate.files[entry["id"]]
    extension = _extension(call, file)
    if extension not in call.service.searchable:
        entry["last_error"] = {"code": "unsupported_file", "message": _unsupported(call, [extension])}
        _finish(store, entry, "failed")
        return
    entry["usage_bytes"] = file["bytes"] + INDEX_OVERHEAD
    store["usage_bytes"] = store.get("usage_bytes", 0) + entry["usage_bytes"]
    _finish(store, entry, "completed")


def _finish(store: Json, entry: Json, status: str) -> None:
    _count(store, entry["status"], status)
    entry["status"] = status
    store["last_active_at"] = now()


def _count(store: Json, was: str | None, becomes: str | None) -> None:
    counts = store.setdefault("file_counts", dict.fromkeys((*STATES, "total"), 0))
    for status, change in ((was, -1), (becomes, 1)):
        if status:
            counts[status] = max(0, counts.get(status, 0) + change)
            counts["total"] = max(0, counts.get("total", 0) + change)
    if store.get("status") != "expired":
        store["status"] = "in_progress" if counts.get("in_progress") else "completed"
    if after := store.get("expires_after"):
        store["expires_at"] = now() + after["days"] * 86_400
