"""Items of a conversation: they have ids, but no times and no metadata."""

from __future__ import annotations

from migrate.emulator import pagination, state
from migrate.emulator.errors import missing, refuse
from migrate.emulator.router import Call
from migrate.emulator.state import Json

PREFIXES = {"message": "msg_", "function_call": "fc_", "function_call_output": "fco_"}  # (recorded 2026-02)


def check(call: Call, bodies: list[Json]) -> None:
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


def store(call: Call, conversation_id: str, bodies: list[Json]) -> list[Json]:
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


def page(call: Call, conversation_id: str) -> Json:
    wanted = call.query.get("item_type")
    return pagination.page(
        call.estate.items[conversation_id],
        call.query,
        keep=(lambda item: item.get("type") == wanted) if wanted else None,
        wrap=pagination.without_empty_ends,
    )


def read(call: Call, conversation_id: str, item_id: str) -> Json:
    try:
        return call.estate.items[conversation_id][item_id]
    except KeyError:
        raise missing(f"Item '{item_id}' not found in conversation '{conversation_id}'") from None
