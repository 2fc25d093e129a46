"""Assistants, and the `tool_resources` that assistants and threads share."""

from __future__ import annotations

from copy import copy

from migrate.emulator import pagination
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import files, vector_stores
from migrate.emulator.router import Call
from migrate.emulator.state import Json, new_id, now

# The answer for a field that the body does not have, or that is null (recorded 2025-03).
DEFAULTS: Json = {"temperature": 1.0, "top_p": 1.0, "response_format": "auto", "metadata": {}, "tools": []}

# Keys that are added to a tool without them (recorded 2025-05 on classic agents).
TOOL_DEFAULTS: dict[str, Json] = {"mcp": {"allowed_tools": None}}


def create(call: Call) -> Json:
    body = call.body
    check_tool_resources(call, body.get("tool_resources"))
    assistant: Json = {
        "id": new_id("asst_"),
        "object": "assistant",
        "created_at": now(),
        "name": body.get("name"),
        "description": body.get("description"),
        "model": body["model"],
        "instructions": body.get("instructions"),
        "tools": body.get("tools", []),
        "top_p": _value_or_default(body, "top_p"),
        "temperature": _value_or_default(body, "temperature"),
        "tool_resources": create_stores_of(call, body.get("tool_resources")),
        "metadata": _value_or_default(body, "metadata"),
        "response_format": _value_or_default(body, "response_format"),
    }
    if call.service.has_reasoning_effort:
        assistant["reasoning_effort"] = body.get("reasoning_effort")
    _add_tool_defaults(assistant)
    call.estate.assistants[assistant["id"]] = assistant
    return assistant


def page(call: Call) -> Json:
    return pagination.page(call.estate.assistants, call.query)


def read(call: Call, assistant_id: str) -> Json:
    return call.estate.assistants.require(assistant_id, not_found("assistant", assistant_id))


def update(call: Call, assistant_id: str) -> Json:
    """Only the fields in the body change; `tool_resources` change tool by tool."""
    assistant = read(call, assistant_id)
    changes = dict(call.body)
    check_tool_resources(call, changes.get("tool_resources"))
    if "tool_resources" in changes:
        unchanged = assistant.get("tool_resources") or {}
        changes["tool_resources"] = {**unchanged, **create_stores_of(call, changes["tool_resources"])}
    for key in DEFAULTS.keys() & changes.keys():
        changes[key] = _value_or_default(changes, key)
    assistant.update(changes)
    _add_tool_defaults(assistant)
    return assistant


def delete(call: Call, assistant_id: str) -> Json:
    read(call, assistant_id)
    del call.estate.assistants[assistant_id]
    return {"id": assistant_id, "object": "assistant.deleted", "deleted": True}


def _value_or_default(body: Json, key: str) -> object:
    value = body.get(key)
    return copy(DEFAULTS[key]) if value is None else value


def _add_tool_defaults(assistant: Json) -> None:
    """The code interpreter always shows its list of files, also an empty one (recorded 2026-03)."""
    for tool in assistant["tools"]:
        for key, value in TOOL_DEFAULTS.get(tool["type"], {}).items():
            tool.setdefault(key, value)
    if any(tool["type"] == "code_interpreter" for tool in assistant["tools"]):
        interpreter = assistant.setdefault("tool_resources", {}).setdefault("code_interpreter", {})
        interpreter.setdefault("file_ids", [])


# ------------------------------------------------------------------------------------- tool_resources


def check_tool_resources(call: Call, resources: Json | None) -> None:
    """Check all references before anything is created. Raises `ApiError`."""
    resources = resources or {}
    interpreter: Json = resources.get("code_interpreter") or {}
    search: Json = resources.get("file_search") or {}
    files.check_exist(call, interpreter.get("file_ids", ()))
    if search.get("vector_store_ids") and search.get("vector_stores"):
        raise refuse(
            "Only one of 'vector_store_ids' and 'vector_stores' may be given.",
            param="tool_resources.file_search",
            code="mutually_exclusive_parameters",
        )
    for store_id in search.get("vector_store_ids", ()):
        vector_stores.find(call, store_id)
    for body in search.get("vector_stores", ()):
        files.check_exist(call, body.get("file_ids", ()))


def create_stores_of(call: Call, resources: Json | None, *, store_days: int | None = None) -> Json:
    """Create the vector stores in checked `tool_resources`; returns them with ids in place of the bodies.

    `store_days`: the new stores expire after so many days without use.
    """
    stored = {tool: copy(content) for tool, content in (resources or {}).items() if content is not None}
    search = stored.get("file_search")
    if search and (bodies := search.pop("vector_stores", None)):
        days = {"expires_after": {"anchor": "last_active_at", "days": store_days}} if store_days else {}
        search["vector_store_ids"] = [
            vector_stores.add_store(call, {**body, **days})["id"] for body in bodies
        ]
    return stored
