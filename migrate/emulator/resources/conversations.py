"""Conversations; the items of the request that creates one are stored with it."""

from __future__ import annotations

from migrate.emulator import pagination, state
from migrate.emulator.errors import missing
from migrate.emulator.resources import items
from migrate.emulator.router import Call
from migrate.emulator.state import Json, now


def create(call: Call) -> Json:
    """The answer never holds the items (recorded 2026-02)."""
    first = call.body.get("items") or []
    items.check(call, first)
    conversation: Json = {
        "id": state.new_conversation(),
        "object": "conversation",
        "created_at": now(),
        "metadata": call.body.get("metadata") or {},
    }
    call.estate.conversations[conversation["id"]] = conversation
    items.store(call, conversation["id"], first)
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
    items.check(call, call.body["items"])
    made = items.store(call, conversation_id, call.body["items"])
    return pagination.without_empty_ends(made, has_more=False)


def list_items(call: Call, conversation_id: str) -> Json:
    read(call, conversation_id)
    return items.page(call, conversation_id)


def read_item(call: Call, conversation_id: str, item_id: str) -> Json:
    read(call, conversation_id)
    return items.read(call, conversation_id, item_id)


def delete_item(call: Call, conversation_id: str, item_id: str) -> Json:
    """Answers with the conversation (recorded 2025-11)."""
    conversation = read(call, conversation_id)
    items.read(call, conversation_id, item_id)
    del call.estate.items[conversation_id][item_id]
    return conversation
