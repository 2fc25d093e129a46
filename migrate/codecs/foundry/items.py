"""Items of a conversation, decoded to messages and encoded from them, part by part.

| message part | written |
|---|---|
| text of a user | `input_text` |
| text of the assistant | `output_text`, always with `annotations`, also where it is `[]` (it is required) |
| image_url, image_file of a user | `input_image` with `image_url` or `file_id` |
| an item that is no message | the item itself, where its type can be written |

`type: "message"` is always written: projects refuse items without it (reported 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.field_types import split_well_formed
from migrate.model import JSON, Entity
from migrate.model.message import FUNCTION_CALL, FUNCTION_CALL_OUTPUT, ITEM_ROLE

# Keys of an item that the service sets (recorded 2025-11 to 2026-08). Any other key counts as the owner's
# until a recording shows otherwise: it is compared, and reported where it cannot be written.
ITEM_SERVER_KEYS = ("id", "status", "created_by", "partition_key")

# Keys of a text that the service sets: the probability of each token (recorded 2026-03).
PART_SERVER_KEYS = ("logprobs",)

# Type -> the keys that recordings show accepted by projects; all of them are required.
CALL_KEYS: Mapping[str, tuple[str, ...]] = {
    FUNCTION_CALL: ("type", "call_id", "name", "arguments"),
    FUNCTION_CALL_OUTPUT: ("type", "call_id", "output"),
}

# Type -> keys that the OpenAI platform accepts or documents, and that no recording shows accepted by a
# project.
UNPROVEN_CALL_KEYS: Mapping[str, tuple[str, ...]] = {
    FUNCTION_CALL: ("namespace",),
    FUNCTION_CALL_OUTPUT: ("name", "namespace"),
}

# A form that the OpenAI platform accepts or documents, as it is described in a plan.
UNPROVEN = "never seen accepted by a project: tried at apply"

PHASES = ("commentary", "final_answer")


def is_writable_call(item: JSON) -> bool:
    """Whether an item is a call, or the output of a call, with all required keys."""
    if not isinstance(item, Mapping) or str(item.get("type")) not in CALL_KEYS:
        return False
    required = {key: item.get(key) for key in CALL_KEYS[str(item["type"])]}
    output = required.pop("output", "")
    if not isinstance(output, (str, list)) or not all(isinstance(value, str) for value in required.values()):
        return False
    return all(value for key, value in required.items() if key != "arguments")


def read_item(body: dict[str, Any], parent: str) -> Entity:
    """An item in canonical form."""
    if body.get("type", "message") != "message":
        return _read_other_item(body, parent)
    content = body.get("content")
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    read = [_read_part(part) for part in parts] if isinstance(parts, list) else parts
    fields = {"role": body.get("role"), "content": read}
    if body.get("phase") is not None:
        fields["phase"] = body["phase"]
    return _entity(body, parent, fields, ("type", "role", "content", "phase", "object", "created_at"))


def _read_other_item(body: dict[str, Any], parent: str) -> Entity:
    item = {k: v for k, v in body.items() if k not in ITEM_SERVER_KEYS}
    return _entity(body, parent, {"role": ITEM_ROLE, "content": [item]}, tuple(item))


def _entity(body: dict[str, Any], parent: str, fields: dict[str, JSON], known: tuple[str, ...]) -> Entity:
    facts = {
        "id": body.get("id"),
        "created_at": body.get("created_at"),
        "thread_id": parent,
        "status": body.get("status"),
        "service": {k: body[k] for k in ITEM_SERVER_KEYS if k in body and k not in ("id", "status")},
    }
    unknown = {k: v for k, v in body.items() if k not in (*known, *ITEM_SERVER_KEYS)}
    sound, odd = split_well_formed(fields)
    facts = {k: v for k, v in facts.items() if v not in (None, "", {})}
    return Entity("message", str(body.get("id") or ""), parent, sound, facts, {**unknown, **odd})


def _read_part(part: JSON) -> JSON:
    read = ITEM_PART_READERS.get(str(part.get("type"))) if isinstance(part, dict) else None
    return read(dict(part)) if read else part


def _read_text(part: dict[str, Any]) -> JSON:
    known = ("type", "text", "annotations", *PART_SERVER_KEYS)
    rest = {k: v for k, v in part.items() if k not in known and v not in (None, [])}
    text = {"value": part.get("text"), "annotations": part.get("annotations") or []}
    return {"type": "text", "text": text, **rest}


def _read_image(part: dict[str, Any]) -> JSON:
    kept = {k: part[k] for k in ("detail",) if part.get(k) is not None}
    known = ("type", "detail", "file_id", "image_url")
    rest = {k: v for k, v in part.items() if k not in known and v is not None}
    if part.get("file_id"):
        return {"type": "image_file", "image_file": {"file_id": part["file_id"], **kept}, **rest}
    return {"type": "image_url", "image_url": {"url": part.get("image_url"), **kept}, **rest}


ITEM_PART_READERS: Mapping[str, Callable[[dict[str, Any]], JSON]] = {
    "input_text": _read_text,
    "output_text": _read_text,
    "text": _read_text,
    "input_image": _read_image,
}


def write_item(message: Entity) -> dict[str, JSON]:
    """The item that creates an adapted message."""
    parts = message.fields.get("content") or []
    role = message.fields["role"]
    if role == ITEM_ROLE:
        item = parts[0]
        keys = (*CALL_KEYS[item["type"]], *UNPROVEN_CALL_KEYS[item["type"]])
        return {key: item[key] for key in keys if key in item}
    body = {"type": "message", "role": role, "content": [_write_part(part, role) for part in parts]}
    return {**body, "phase": message.fields["phase"]} if message.fields.get("phase") else body


def _write_part(part: Mapping[str, JSON], role: str) -> JSON:
    return PART_WRITERS[part["type"]](part, role) if part["type"] in PART_WRITERS else dict(part)


def _write_text(part: Mapping[str, JSON], role: str) -> JSON:
    text = part["text"]["value"]
    if role == "assistant":
        annotations = list(part["text"].get("annotations") or [])
        return {"type": "output_text", "text": text, "annotations": annotations}
    return {"type": "input_text", "text": text}


def _write_file_image(part: Mapping[str, JSON], _: str) -> JSON:
    image = part["image_file"]
    return {"type": "input_image", "file_id": image["file_id"], "detail": image.get("detail") or "auto"}


def _write_url_image(part: Mapping[str, JSON], _: str) -> JSON:
    image = part["image_url"]
    return {"type": "input_image", "image_url": image["url"], "detail": image.get("detail") or "auto"}


PART_WRITERS: Mapping[str, Callable[[Mapping[str, JSON], str], JSON]] = {
    "text": _write_text,
    "image_file": _write_file_image,
    "image_url": _write_url_image,
}
