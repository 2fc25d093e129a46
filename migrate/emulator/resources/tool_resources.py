"""Check the references in `tool_resources` of a body against the estate."""

from __future__ import annotations

from copy import copy

from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json


def check(call: Call, wanted: Json | None) -> None:
    """Everything that can be wrong with `tool_resources`, before anything is made."""
    wanted = wanted or {}
    files.must_exist(call, _of(wanted, "code_interpreter").get("file_ids", ()))
    search = _of(wanted, "file_search")
    if search.get("vector_store_ids") and search.get("vector_stores"):
        raise refuse(
            "Only one of 'vector_store_ids' and 'vector_stores' may be given.",
            param="tool_resources.file_search",
            code="mutually_exclusive_parameters",
        )
    for store_id in search.get("vector_store_ids", ()):
        if store_id not in call.estate.vector_stores:
            raise not_found("vector store", store_id)
    for body in search.get("vector_stores", ()):
        files.must_exist(call, body.get("file_ids", ()))


def settle(call: Call, wanted: Json | None, *, store_days: int | None = None) -> Json:
    """The checked `tool_resources` with helper stores made and replaced by their ids."""
    kept = {tool: copy(content) for tool, content in (wanted or {}).items() if content is not None}
    search = kept.get("file_search")
    if search and (helpers := search.pop("vector_stores", None)):
        days = {"expires_after": {"anchor": "last_active_at", "days": store_days}} if store_days else {}
        search["vector_store_ids"] = [vector_stores.make(call, {**body, **days})["id"] for body in helpers]
    return kept


def _of(resources: Json, tool: str) -> Json:
    found: Json = resources.get(tool) or {}
    return found
