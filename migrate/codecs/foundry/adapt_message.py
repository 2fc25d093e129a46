"""A message made an item of a conversation: one item per message, none dropped.

| read | written |
|---|---|
| text | text; citations stay in the archive, their markers stay in the text |
| empty text | dropped beside other parts, else a placeholder |
| refusal | text, word for word: whether a refusal is accepted was never seen |
| image of a user | the image under its new id, or by its address |
| image of the assistant | a line that names it: an answer has no form for images |
| image inside the address (data:) | a line that names it: refused in reports |
| attachments, metadata | an item has neither; files are moved, the rest is in the archive |
| anything else | a line that names its type; the archive has it whole |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.message import (
    IMAGE_DETAILS,
    attached_tools,
    file_label,
    file_label_in,
    fit_detail,
    fit_parts,
    fit_role,
    line_for_missing_content,
    text_part,
)
from migrate.codecs.adapt.message import PART_RULES as FAMILY
from migrate.codecs.foundry.items import CALL_KEYS, PHASES, UNPROVEN_CALL_KEYS, is_writable_call
from migrate.model import JSON, Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.stamp import remove_stamp_keys

ItemPart = dict[str, Any]

UNPROVEN = "never seen accepted by a project: tried at apply"
REPLACED_BY_LINE = "where it is refused, a line of text names it"
KEPT_IN_ARCHIVE = "the archive has it"


def fit_input_file(part: ItemPart, target: Target, losses: LossCollector) -> list[JSON]:
    """A file in the conversation itself, which only this service has. One key says where it is; a name
    beside an id is the file's own."""
    file_id, url, data = (part.get(key) for key in ("file_id", "file_url", "file_data"))
    if isinstance(file_id, str) and file_id:
        if target.has("file", file_id):
            return [{"type": "input_file", "file_id": file_id}]
        called = file_label(file_id, target)
        losses.add_lost("content.input_file", f"file {called} cannot be moved; a line of text names it")
        return [text_part(f"[file {called}]")]
    name = part.get("filename")
    named = {"filename": name} if isinstance(name, str) and name else {}
    if isinstance(url, str) and url and not url.startswith("data:"):
        return [{"type": "input_file", "file_url": url, **named}]
    called = file_label_in(part, target)
    if isinstance(data, str) and data:
        if target.allow_unproven:
            losses.add_adapted(
                "content.input_file", f"a file inside the conversation is {UNPROVEN}", REPLACED_BY_LINE
            )
            return [{"type": "input_file", "file_data": data, **named}]
        losses.add_lost(
            "content.input_file", f"file {called} lies in the conversation; a line of text names it"
        )
        return [text_part(f"[file {called}]")]
    if not called:
        return line_for_missing_content(part, "file", losses)
    losses.add_lost("content.input_file", f"the service shows of file {called} nothing but its name")
    return [text_part(f"[file {called}]")]


# ------------------------------------------------------------------------------------- outputs of calls


def fit_output(parts: list[JSON], target: Target, losses: LossCollector) -> JSON:
    """The output of a call that is a list of texts, images and files (recorded on the OpenAI platform). As
    one text where it cannot be tried."""
    fitted = [one for part in parts for one in _fit_output_part(part, target, losses)]
    if target.allow_unproven and fitted:
        losses.add_adapted(
            "content.output", f"an output of several parts is {UNPROVEN}", "else it arrives as text"
        )
        return fitted
    losses.add_lost(
        "content.output", "an output of several parts arrives as text", "the archive has it whole"
    )
    return "\n".join(
        part["text"] if part["type"] == "input_text" else _part_as_line(part, target) for part in fitted
    )


def _fit_output_part(part: JSON, target: Target, losses: LossCollector) -> list[ItemPart]:
    type_ = part.get("type") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping) and type_ == "input_text" and isinstance(part.get("text"), str):
        return [_text(part["text"])] if part["text"] else []
    if isinstance(part, Mapping) and type_ == "input_file":
        return [
            _text(one["text"]["value"]) if "text" in one else one
            for one in fit_input_file(dict(part), target, losses)
        ]
    if isinstance(part, Mapping) and type_ == "input_image":
        return [_output_image(part, target, losses)]
    losses.add_lost(
        "content.output", f"a part of type {type_!r} cannot be written", "the archive has it whole"
    )
    return [_text(f"[content of type {type_}]")]


def _output_image(part: Mapping[str, JSON], target: Target, losses: LossCollector) -> ItemPart:
    file_id, url, detail = part.get("file_id"), part.get("image_url"), part.get("detail")
    size = {"detail": detail if detail in IMAGE_DETAILS else "auto"}
    if isinstance(file_id, str) and file_id:
        if target.has("file", file_id):
            return {"type": "input_image", "file_id": file_id, **size}
        called = file_label(file_id, target)
        losses.add_lost("content.output", f"image {called} cannot be moved; a line of text names it")
        return _text(f"[image {called}]")
    if isinstance(url, str) and url:
        return {"type": "input_image", "image_url": url, **size}
    losses.add_lost(
        "content.output", "image without id and address: its content is unknown", "in the archive"
    )
    return _text("[content of type input_image]")


def _text(value: str) -> ItemPart:
    return {"type": "input_text", "text": value}


def _part_as_line(part: Mapping[str, JSON], target: Target) -> str:
    """A part that is no text, in words. Ids are those of the source: they stand in a text."""
    what = "image" if part["type"] == "input_image" else "file"
    address = str(part.get("image_url") or "")
    shown = "" if address.startswith("data:") else address
    return f"[{what} {file_label_in(part, target) or shown or 'inside the output'}]"


def why_call_not_replayed(entity: Entity, target: Target) -> str:
    """Why an item that nobody said is not replayed, or ''."""
    if entity.fields.get("role") != ITEM_ROLE:
        return ""
    item = (entity.fields.get("content") or [{}])[0]
    type_ = str(item.get("type")) if isinstance(item, dict) else ""
    if type_ not in CALL_KEYS:
        return f"an item of type {type_} is made by a run and has no write form; it stays in the archive"
    if not is_writable_call(item):
        return f"{type_} lacks something that is required on writing; it stays in the archive"
    if not target.has_call_and_output(entity.parent, str(item.get("call_id"))):
        return f"{type_} without its other half would break later responses; it stays in the archive"
    return ""


def adapt_foundry_message(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A message in a form that can be written and reads back the same."""
    _report_attachments_and_metadata(entity, target, losses)
    if entity.fields.get("role") == ITEM_ROLE:
        item = _fit_item(entity.fields["content"][0], target, losses)
        return entity.with_fields(content=[item], attachments=None, metadata=None)
    role = fit_role(entity, target, losses)
    parts = ASSISTANT_PART_RULES if role == "assistant" else USER_PART_RULES
    native = target.source_type == target.capabilities.service
    known = {**parts, "input_file": fit_input_file} if native and role != "assistant" else parts
    content = fit_parts(entity, known, target, losses)
    phase = _fit_phase(entity, role, target, losses)
    return entity.with_fields(role=role, content=content, phase=phase, attachments=None, metadata=None)


def is_unproven(entity: Entity) -> bool:
    """Whether an adapted message has a form that no project was seen to accept: apply writes it, and where it
    is refused, the form that `Target.tries` switched off gives."""
    if entity.fields.get("phase"):
        return True
    parts = entity.fields.get("content") or []
    if entity.fields.get("role") == ITEM_ROLE:
        item = parts[0]
        keys = UNPROVEN_CALL_KEYS.get(str(item.get("type")), ())
        return isinstance(item.get("output"), list) or any(key in item for key in keys)
    return any(_has_inline_data(part) for part in parts)


def _has_inline_data(part: Mapping[str, JSON]) -> bool:
    """Whether a part holds its image or file in itself."""
    if part.get("type") == "input_file":
        return "file_data" in part
    image = part.get("image_url") if part.get("type") == "image_url" else None
    return isinstance(image, Mapping) and str(image.get("url")).startswith("data:")


def _fit_phase(entity: Entity, role: str, target: Target, losses: LossCollector) -> str | None:
    """What an answer is: a remark on the way, or the last word."""
    phase = entity.fields.get("phase")
    if not phase:
        return None
    if role == "assistant" and phase in PHASES and target.allow_unproven:
        losses.add_adapted(
            "phase", f"phase {phase} is {UNPROVEN}", f"where it is refused it is left out; {KEPT_IN_ARCHIVE}"
        )
        return str(phase)
    losses.add_lost(
        "phase", f"phase {phase!r} of a message of {role} cannot be written", "the archive has it"
    )
    return None


def _fit_item(inside: ItemPart, target: Target, losses: LossCollector) -> ItemPart:
    """A call or its output with the keys that can be written; a null says nothing."""
    type_ = str(inside.get("type"))
    item = {key: inside[key] for key in CALL_KEYS.get(type_, ()) if key in inside}
    for key in sorted(set(inside) - set(item)):
        value = inside[key]
        if value is None:
            continue
        if (
            key in UNPROVEN_CALL_KEYS.get(type_, ())
            and isinstance(value, str)
            and value
            and target.allow_unproven
        ):
            losses.add_adapted(
                f"content.{key}", f"{key} {value} is {UNPROVEN}", f"else it is left out; {KEPT_IN_ARCHIVE}"
            )
            item[key] = value
        else:
            losses.add_lost(f"content.{key}", "is not accepted on writing", "the archive has it")
    if isinstance(item.get("output"), list):
        item["output"] = fit_output(item["output"], target, losses)
    return item


def _report_attachments_and_metadata(entity: Entity, target: Target, losses: LossCollector) -> None:
    for attachment in filter(lambda one: any(one.values()), entity.fields.get("attachments") or []):
        file_id = attachment.get("file_id")
        if isinstance(file_id, str) and target.has("file", file_id):
            tools = ", ".join(attached_tools(attachment, target)) or "no tool"
            reason = f"an item has no attachments; {file_id} ({tools}) is moved, the id map has its new id"
            losses.add_adapted("attachments", reason, "pass it with the next response where it is needed")
        else:
            gone = f"file {file_id} cannot be moved or no longer exists"
            losses.add_lost("attachments", gone if file_id else "an attachment names no file")
    metadata = entity.fields.get("metadata")
    own = remove_stamp_keys(metadata) if isinstance(metadata, Mapping) else {}
    if own:
        losses.add_lost(
            "metadata", f"an item has none; {len(own)} pair(s) stay in the archive", "join by: ids"
        )


def _image_of_assistant(part: ItemPart, target: Target, losses: LossCollector) -> list[JSON]:
    old = str((part.get("image_file") or {}).get("file_id") or "")
    if not old:
        return line_for_missing_content(part, "image", losses)
    called = file_label(old, target)
    if target.has("file", old):
        reason = f"an answer cannot hold an image; a line names {called}, which is moved as a file"
        losses.add_adapted("content.image_file", reason, "look up its new id: ids FILE.db")
    else:
        losses.add_lost("content.image_file", f"image {called} cannot be moved; a line of text names it")
    return [text_part(f"[image {called}]")]


def _image_address(part: ItemPart, target: Target, losses: LossCollector) -> list[JSON]:
    image = part.get("image_url") or {}
    url = image.get("url")
    if not isinstance(url, str) or not url:
        return line_for_missing_content(part, "image", losses)
    if url.startswith("data:"):
        if target.source_type != target.capabilities.service or not target.allow_unproven:
            return _line_for_data_url(url, losses)
        losses.add_adapted(
            "content.image_url", f"an image inside its address is {UNPROVEN}", REPLACED_BY_LINE
        )
    return [{"type": "image_url", "image_url": {"url": url, **fit_detail(image, losses)}}]


def _line_for_data_url(url: str, losses: LossCollector) -> list[JSON]:
    kind = url[5:].split(";")[0].split(",")[0] or "no type"
    losses.add_lost("content.image_url", f"an image inside its address ({kind}) was reported to be refused")
    return [text_part(f"[image of type {kind}]")]


def _address_of_assistant(part: ItemPart, target: Target, losses: LossCollector) -> list[JSON]:
    url = (part.get("image_url") or {}).get("url")
    if not isinstance(url, str) or not url:
        return line_for_missing_content(part, "image", losses)
    if url.startswith("data:"):
        return _line_for_data_url(url, losses)
    losses.add_adapted("content.image_url", "an answer cannot hold an image; a line names its address")
    return [text_part(f"[image {url}]")]


USER_PART_RULES: Mapping[str, Callable[[ItemPart, Target, LossCollector], list[JSON]]] = {
    **FAMILY,
    "image_url": _image_address,
}
ASSISTANT_PART_RULES: Mapping[str, Callable[[ItemPart, Target, LossCollector], list[JSON]]] = {
    **FAMILY,
    "image_file": _image_of_assistant,
    "image_url": _address_of_assistant,
}
