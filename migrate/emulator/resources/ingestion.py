"""Ingestion of files into vector stores: an entry is in progress until its time is over."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import PurePosixPath

from migrate.emulator.errors import refuse
from migrate.emulator.router import Call
from migrate.emulator.state import DAY_S, Estate, Json, PendingIngestion, now

INDEX_OVERHEAD_BYTES = 1_024  # 12 bytes were shown as 1036, 1209 as 2233 (recorded 2024-04, 2025-12)
DEFAULT_CHUNKING: Json = {
    "type": "static",
    "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
}
STATUSES = ("in_progress", "completed", "failed", "cancelled")


def zero_counts() -> Json:
    """`file_counts` of an empty store or batch."""
    return dict.fromkeys((*STATUSES, "total"), 0)


def attach(call: Call, store: Json, body: Json) -> Json:
    """Start to add an existing file to a store. A file that is already there is indexed again."""
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
        # `auto`, null and no value are all answered with the numbers that they mean (recorded 2026-02).
        "chunking_strategy": chunking if chunking and chunking["type"] == "static" else DEFAULT_CHUNKING,
    }
    if body.get("attributes") is not None:
        entry["attributes"] = body["attributes"]
    estate.vector_store_files[store["id"]][entry["id"]] = entry
    _count(store, None, "in_progress")
    store["last_active_at"] = now()
    fault = estate.ingestion_fault(estate.files[entry["id"]]["filename"])
    if fault != "stuck":
        due = time.monotonic() + call.options.ingestion_seconds
        estate.pending.append(PendingIngestion(due, store["id"], entry, fault == "failed"))
    return entry


def check_searchable(call: Call, file_ids: Iterable[str]) -> None:
    """A project refuses files that search cannot read (recorded 2025-12); elsewhere they fail later."""
    if not call.service.refuses_unsearchable_files:
        return
    extensions = {_extension(call, call.estate.files[file_id]) for file_id in file_ids}
    if unsearchable := sorted(extensions.difference(call.service.searchable_extensions)):
        raise refuse(_unsupported_text(call, unsearchable), param="file_id", code="unsupported_file")


def _extension(call: Call, file: Json) -> str:
    extension = PurePosixPath(file["filename"]).suffix
    return extension if call.service.case_sensitive_extensions else extension.lower()


def _unsupported_text(call: Call, extensions: list[str]) -> str:
    return (
        f"Files with extensions [{', '.join(extensions)}] are not supported for retrieval. "
        f"Supported file types include: [{', '.join(call.service.searchable_extensions)}]."
    )


def detach(estate: Estate, store_id: str, file_id: str) -> None:
    """Remove a file from one store, if it is there."""
    entries = estate.vector_store_files.get(store_id)
    if entries is None or file_id not in entries:
        return
    entry = entries[file_id]
    del entries[file_id]
    store = estate.vector_stores[store_id]
    _count(store, entry["status"], None)
    store["usage_bytes"] = max(0, store.get("usage_bytes", 0) - entry.get("usage_bytes", 0))


def cancel(estate: Estate, store_id: str, file_id: str) -> None:
    """Cancel an entry that is in progress."""
    entry = estate.vector_store_files[store_id].get(file_id)
    if entry and entry["status"] == "in_progress":
        _finish(estate.vector_stores[store_id], entry, "cancelled")


def finish_due(call: Call) -> None:
    """Finish the entries whose time is over. All wait equally long, so the queue is in order."""
    estate, current_time = call.estate, time.monotonic()
    while estate.pending and estate.pending[0].due <= current_time:
        _, store_id, entry, fails = estate.pending.popleft()
        current = estate.vector_store_files.get(store_id, {}).get(entry["id"])
        if current is entry and entry["status"] == "in_progress":
            _index(call, estate.vector_stores[store_id], entry, fails)


def _index(call: Call, store: Json, entry: Json, fails: bool) -> None:
    file = call.estate.files[entry["id"]]
    extension = _extension(call, file)
    if fails:  # the text of the documentation for an error of the service
        message = "An internal error occurred while the file was processed."
        entry["last_error"] = {"code": "server_error", "message": message}
    elif extension not in call.service.searchable_extensions:
        entry["last_error"] = {"code": "unsupported_file", "message": _unsupported_text(call, [extension])}
    else:
        entry["usage_bytes"] = file["bytes"] + INDEX_OVERHEAD_BYTES
        store["usage_bytes"] = store.get("usage_bytes", 0) + entry["usage_bytes"]
    _finish(store, entry, "failed" if entry["last_error"] else "completed")


def _finish(store: Json, entry: Json, status: str) -> None:
    _count(store, entry["status"], status)
    entry["status"] = status
    store["last_active_at"] = now()


def _count(store: Json, old_status: str | None, new_status: str | None) -> None:
    counts = store.setdefault("file_counts", zero_counts())
    for status, change in ((old_status, -1), (new_status, 1)):
        if status:
            counts[status] = max(0, counts.get(status, 0) + change)
            counts["total"] = max(0, counts.get("total", 0) + change)
    if store.get("status") != "expired":
        store["status"] = "in_progress" if counts.get("in_progress") else "completed"
    if after := store.get("expires_after"):
        store["expires_at"] = now() + after["days"] * DAY_S
