"""Assistants: create, list, read, update and delete."""

from __future__ import annotations

from migrate.emulator import pagination, state
from migrate.emulator.errors import not_found
from migrate.emulator.resources import tool_resources
from migrate.emulator.router import Call
from migrate.emulator.state import Json, now

# What an answer says when the body said nothing, or null (recorded 2025-03).
DEFAULTS: Json = {"temperature": 1.0, "top_p": 1.0, "response_format": "auto", "metadata": {}, "tools": []}

# What a tool gains when nobody gave it (recorded 2025-05 on classic agents).
TOOL_DEFAULTS: dict[str, Json] = {"mcp": {"allowed_tools": None}}


def create(call: Call) -> Json:
    body = call.body
    tool_resources.check(call, body.get("tool_resources"))
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
        "tool_resources": tool_resources.settle(call, body.get("tool_resources")),
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
    tool_resources.check(call, changes.get("tool_resources"))
    if "tool_resources" in changes:
        kept = assistant.get("tool_resources") or {}
        changes["tool_resources"] = {**kept, **tool_resources.settle(call, changes["tool_resources"])}
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
