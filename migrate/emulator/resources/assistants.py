"""Assistants: create, list, read, update and delete."""

from __future__ import annotations

from copy import copy

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json, now

# What an answer says when the body said nothing, or null (recorded 2025-03).
DEFAULTS: Json = {"temperature": 1.0, "top_p": 1.0, "response_format": "auto", "metadata": {}, "tools": []}

# What a tool gains when nobody gave it (recorded 2025-05 on classic agents).
TOOL_DEFAULTS: dict[str, Json] = {"mcp": {"allowed_tools": None}}


def create(call: Call) -> Json:
    body = call.body
    check_tool_resources(call, body.get("tool_resources"))
    assistant: Json = {
        "id": state.new("asst_"),
        "object": "assistant",
        "created_at": now(),
        "name": body.get("name"),
        "description": body.get("description"),
        "model": body["model"],
        "instructions": body.get("instructions"),
        "tools": body.get("tools", []),
        "top_p": _or_default(body, "top_p"),
        "temperature": _or_default(body, "temperature"),
        "tool_resources": store_tool_resources(call, body.get("tool_resources")),
        "metadata": _or_default(body, "metadata"),
        "response_format": _or_default(body, "response_format"),
    }
    if call.service.reasoning_effort:
        assistant["reasoning_effort"] = body.get("reasoning_effort")
    _complete(assistant)
    call.estate.assistants[assistant["id"]] = assistant
    return assistant


def page(call: Call) -> Json:
    return pagination.page(call.estate.assistants, call.query)


def read(call: Call, assistant_id: str) -> Json:
    try:
        return call.estate.assistants[assistant_id]
    except KeyError:
        raise not_found("assistant", assistant_id) from None


def update(call: Call, assistant_id: str) -> Json:
    """Only what is named changes; resources change tool by tool."""
    assistant = read(call, assistant_id)
    changes = dict(call.body)
    check_tool_resources(call, changes.get("tool_resources"))
    if "tool_resources" in changes:
        kept = assistant.get("tool_resources") or {}
        changes["tool_resources"] = {**kept, **store_tool_resources(call, changes["tool_resources"])}
    for key in DEFAULTS.keys() & changes.keys():
        changes[key] = _or_default(changes, key)
    assistant.update(changes)
    _complete(assistant)
    return assistant


def delete(call: Call, assistant_id: str) -> Json:
    read(call, assistant_id)
    del call.estate.assistants[assistant_id]
    return {"id": assistant_id, "object": "assistant.deleted", "deleted": True}


def _or_default(body: Json, key: str) -> object:
    value = body.get(key)
    if value is not None:
        return value
    default = DEFAULTS[key]
    return default.copy() if isinstance(default, (dict, list)) else default


def _complete(assistant: Json) -> None:
    """The code interpreter always shows its list of files, empty or not (recorded 2026-03)."""
    for tool in assistant["tools"]:
        for key, value in TOOL_DEFAULTS.get(tool["type"], {}).items():
            tool.setdefault(key, value)
    if any(tool["type"] == "code_interpreter" for tool in assistant["tools"]):
        shown = assistant.setdefault("tool_resources", {}).setdefault("code_interpreter", {})
        shown.setdefault("file_ids", [])


def check_tool_resources(call: Call, wanted: Json | None) -> None:
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


def store_tool_resources(call: Call, wanted: Json | None, *, store_days: int | None = None) -> Json:
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
