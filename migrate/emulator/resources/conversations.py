"""Conversations and their items. Items have ids, but no times and no metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from migrate.emulator import pagination
from migrate.emulator.errors import agent_not_found, refuse
from migrate.emulator.router import Call
from migrate.emulator.state import Json, new_id, now

ITEM_PREFIXES = {
    "message": "msg_",
    "function_call": "fc_",
    "function_call_output": "fco_",
}  # (recorded 2026-02)
RANDOM_LENGTH = 32  # letters and digits at the end of both kinds of ids


def create(call: Call) -> Json:
    """The items of the body are stored, but the answer never has them (recorded 2026-02)."""
    bodies = call.body.get("items") or []
    _check_files(call, bodies)
    conversation: Json = {
        "id": new_id(f"conv_{uuid4().hex[:16]}00", RANDOM_LENGTH),
        "object": "conversation",
        "created_at": now(),
        "metadata": call.body.get("metadata") or {},
    }
    call.estate.conversations[conversation["id"]] = conversation
    _store_items(call, conversation["id"], bodies)
    return conversation


def page(call: Call) -> Json:
    return pagination.page(call.estate.conversations, call.query, wrap=pagination.agent_list_envelope)


def read(call: Call, conversation_id: str) -> Json:
    error = agent_not_found(f"Conversation '{conversation_id}' not found")
    return call.estate.conversations.require(conversation_id, error)


def update(call: Call, conversation_id: str) -> Json:
    """Metadata is replaced as a whole."""
    conversation = read(call, conversation_id)
    conversation["metadata"] = call.body["metadata"] or {}
    return conversation


def delete(call: Call, conversation_id: str) -> Json:
    """According to the SDK's documentation the items are not deleted; they cannot be reached any more."""
    read(call, conversation_id)
    del call.estate.conversations[conversation_id]
    return {"object": "conversation.deleted", "deleted": True, "id": conversation_id}


# ------------------------------------------------------------------------------------------------ items


def create_items(call: Call, conversation_id: str) -> Json:
    read(call, conversation_id)
    _check_files(call, call.body["items"])
    items = _store_items(call, conversation_id, call.body["items"])
    return pagination.agent_list_envelope(items, has_more=False)


def list_items(call: Call, conversation_id: str) -> Json:
    read(call, conversation_id)
    keep = pagination.equals("type", call.query.get("item_type"))
    items = call.estate.items[conversation_id]
    return pagination.page(items, call.query, keep=keep, wrap=pagination.agent_list_envelope)


def read_item(call: Call, conversation_id: str, item_id: str) -> Json:
    read(call, conversation_id)
    error = agent_not_found(f"Item '{item_id}' not found in conversation '{conversation_id}'")
    return call.estate.items[conversation_id].require(item_id, error)


def delete_item(call: Call, conversation_id: str, item_id: str) -> Json:
    """Answers with the conversation (recorded 2025-11)."""
    read_item(call, conversation_id, item_id)
    del call.estate.items[conversation_id][item_id]
    return read(call, conversation_id)


def _check_files(call: Call, bodies: list[Json]) -> None:
    """All files that the items refer to must exist (assumed)."""
    for index, body in enumerate(bodies):
        for key in ("content", "output"):
            parts = body.get(key)
            for part_index, part in enumerate(parts if isinstance(parts, list) else ()):
                for place, file_id in _file_references(part):
                    if file_id is not None and file_id not in call.estate.files:
                        raise refuse(
                            f"No such File object: {file_id}",
                            param=f"items[{index}].{key}[{part_index}]{place}.file_id",
                        )


def _file_references(part: Json) -> Iterator[tuple[str, Any]]:
    """Where a part refers to files, and their ids: itself, and the citations of its text."""
    yield "", part.get("file_id")
    for index, row in enumerate(part.get("annotations") or ()):
        yield f".annotations[{index}]", row.get("file_id")


def _store_items(call: Call, conversation_id: str, bodies: list[Json]) -> list[Json]:
    """Items keep the order in which they arrive (recorded 2026-02)."""
    items = [_new_item(conversation_id, body) for body in bodies]
    for item in items:
        call.estate.items[conversation_id][item["id"]] = item
    return items


def _new_item(conversation_id: str, body: Json) -> Json:
    # The 18 hex digits after `conv_` are also in the ids of the items (recorded 2025-11).
    shared_digits = conversation_id.removeprefix("conv_")[:18]
    item: Json = {
        "type": body["type"],
        "id": new_id(ITEM_PREFIXES[body["type"]] + shared_digits, RANDOM_LENGTH),
        "status": "completed",
        **body,
    }
    if isinstance(item.get("content"), str):
        item["content"] = [_text_part(item["role"], item["content"])]
    return item


def _text_part(role: str, text: str) -> Json:
    """Text comes back as a part (recorded 2026-02 for users; assumed for assistants)."""
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}
