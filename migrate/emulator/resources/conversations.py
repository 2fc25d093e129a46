"""Conversations; the items of the request that creates one are stored with it."""

from __future__ import annotations

from migrate.emulator import pagination, state
from migrate.emulator.errors import missing, refuse
from migrate.emulator.router import Call
from migrate.emulator.state import Json, now


def create(call: Call) -> Json:
    """The answer never holds the items (recorded 2026-02)."""
    first = call.body.get("items") or []
    check_items(call, first)
    conversation: Json = {
        "id": state.new_conversation(),
        "object": "conversation",
        "created_at": now(),
        "metadata": call.body.get("metadata") or {},
    }
    call.estate.conversations[conversation["id"]] = conversation
    store_items(call, conversation["id"], first)
    return conversation


def page(call: Call) -> Json:
    return pagination.page(call.estate.conversations, call.query, wrap=pagination.without_empty_ends)


def read(call: Call, conversation_id: str) -> Json:
    try:
        return call.estate.conversations[conversation_id]
    except KeyError:
        raise missing(f"Conversation '{conversation_id}' not found") from None


def update(call: Call, conversation_id: str) -> Json:
    """Metadata is replaced as a whole."""
    conversation = read(call, conversation_id)
    conversation["metadata"] = call.body["metadata"] or {}
    return conversation


def delete(call: Call, conversation_id: str) -> Json:
    """Its items are not deleted with it, says the description of the SDK; they just cannot be reached."""
    read(call, conversation_id)
    del call.estate.conversations[conversation_id]
    return {"object": "conversation.deleted", "deleted": True, "id": conversation_id}


# ------------------------------------------------------------------------------------------------ items


def add_items(call: Call, conversation_id: str) -> Json:
    read(call, conversation_id)
    check_items(call, call.body["items"])
    made = store_items(call, conversation_id, call.body["items"])
    return pagination.without_empty_ends(made, has_more=False)


def list_items(call: Call, conversation_id: str) -> Json:
    read(call, conversation_id)
    return list_items_of(call, conversation_id)


def read_item(call: Call, conversation_id: str, item_id: str) -> Json:
    read(call, conversation_id)
    return find_item(call, conversation_id, item_id)


def delete_item(call: Call, conversation_id: str, item_id: str) -> Json:
    """Answers with the conversation (recorded 2025-11)."""
    conversation = read(call, conversation_id)
    find_item(call, conversation_id, item_id)
    del call.estate.items[conversation_id][item_id]
    return conversation


PREFIXES = {"message": "msg_", "function_call": "fc_", "function_call_output": "fco_"}  # (recorded 2026-02)


def check_items(call: Call, bodies: list[Json]) -> None:
    """All files that the items name must exist (assumed)."""
    for place, body in enumerate(bodies):
        for key in ("content", "output"):
            parts = body.get(key)
            for spot, part in enumerate(parts if isinstance(parts, list) else ()):
                named = part.get("file_id")
                if named is not None and named not in call.estate.files:
                    raise refuse(
                        f"No such File object: {named}", param=f"items[{place}].{key}[{spot}].file_id"
                    )


def store_items(call: Call, conversation_id: str, bodies: list[Json]) -> list[Json]:
    """Kept in the order they came in (recorded 2026-02)."""
    made = [_item(conversation_id, body) for body in bodies]
    for item in made:
        call.estate.items[conversation_id][item["id"]] = item
    return made


def _item(conversation_id: str, body: Json) -> Json:
    item: Json = {
        "type": body["type"],
        "id": state.new_item(PREFIXES[body["type"]], conversation_id),
        "status": "completed",
        **body,
    }
    if isinstance(item.get("content"), str):
        item["content"] = [_text(item["role"], item["content"])]
    return item


def _text(role: str, text: str) -> Json:
    """Plain text comes back as a part (recorded 2026-02 for users; assumed for assistants)."""
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}


def list_items_of(call: Call, conversation_id: str) -> Json:
    wanted = call.query.get("item_type")
    return pagination.page(
        call.estate.items[conversation_id],
        call.query,
        keep=(lambda item: item.get("type") == wanted) if wanted else None,
        wrap=pagination.without_empty_ends,
    )


def find_item(call: Call, conversation_id: str, item_id: str) -> Json:
    try:
        return call.estate.items[conversation_id][item_id]
    except KeyError:
        raise missing(f"Item '{item_id}' not found in conversation '{conversation_id}'") from None
