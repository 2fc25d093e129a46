"""Files in a vector store."""

from __future__ import annotations

from collections.abc import Callable

from migrate.emulator import pagination
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files, ingestion, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json

PARSED_PAGE = "vector_store.file_content.page"


def create(call: Call, store_id: str) -> Json:
    ingestion.settle(call)
    store = vector_stores.find(call, store_id)
    files.must_exist(call, [call.body["file_id"]])
    ingestion.check(call, [call.body["file_id"]])
    return ingestion.attach(call, store, call.body)


def page(call: Call, store_id: str) -> Json:
    ingestion.settle(call)
    vector_stores.find(call, store_id)
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


def read(call: Call, store_id: str, file_id: str) -> Json:
    ingestion.settle(call)
    vector_stores.find(call, store_id)
    try:
        return call.estate.vector_store_files[store_id][file_id]
    except KeyError:
        raise not_found("file", file_id) from None


def update(call: Call, store_id: str, file_id: str) -> Json:
    entry = read(call, store_id, file_id)
    entry["attributes"] = call.body["attributes"] or {}
    return entry


def delete(call: Call, store_id: str, file_id: str) -> Json:
    """Only takes the file out of the store; the file itself stays."""
    read(call, store_id, file_id)
    ingestion.detach(call.estate, store_id, file_id)
    return {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}


def parsed(call: Call, store_id: str, file_id: str) -> Json:
    """What was understood of a file: its text, and nothing else."""
    entry = read(call, store_id, file_id)
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
