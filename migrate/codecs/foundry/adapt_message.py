"""A message adapted to an item of a conversation: one item for each message, none left out.

| read | written |
|---|---|
| text of a user | text; citations stay in the archive, their markers stay in the text |
| text of the assistant | text with its citations of files (`citations.py`) |
| empty text | dropped beside other parts, else a placeholder |
| refusal | text, unchanged: no recording shows whether a refusal is accepted |
| image of a user | the image under its new id, or by its address |
| image of the assistant | a line of text that names it: an answer cannot contain images |
| image inside its address (data:) | a line of text that names it: reported to be refused |
| attachments, metadata | an item has neither; files are moved, the rest stays in the archive |
| anything else | a line of text that names its type; the archive has all of it |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.message import (
    IMAGE_DETAILS,
    PART_RULES,
    PartRules,
    attached_tools,
    file_label,
    file_label_in,
    fit_detail,
    fit_parts,
    fit_role,
    image_address,
    line_for_missing_content,
    lost_line,
    report_lost_attachment,
    text_part,
)
from migrate.codecs.foundry.citations import fit_answer_text
from migrate.codecs.foundry.items import (
    CALL_KEYS,
    PHASES,
    UNPROVEN,
    UNPROVEN_CALL_KEYS,
    is_writable_call,
)
from migrate.model import JSON, Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.stamp import remove_stamp_keys

ItemPart = dict[str, Any]

REPLACED_BY_LINE = "where it is refused, a line of text mentions it"
KEPT_IN_ARCHIVE = "the archive has it"


def fit_input_file(part: ItemPart, target: Target, losses: LossCollector) -> list[JSON]:
    """A file in the conversation itself, which only this service has.

    One key names its place: `file_id`, `file_url` or `file_data`. Beside an id, `filename` is the file's own
    name.
    """
    file_id, url, data, name = (part.get(key) for key in ("file_id", "file_url", "file_data", "filename"))
    if isinstance(file_id, str) and file_id:
        if target.has("file", file_id):
            return [{"type": "input_file", "file_id": file_id}]
        label = file_label(file_id, target)
        return lost_line("content.input_file", f"file {label}", "cannot be moved", losses)
    named = {"filename": name} if isinstance(name, str) and name else {}
    if isinstance(url, str) and url and not url.startswith("data:"):
        return [{"type": "input_file", "file_url": url, **named}]
    label = file_label_in(part, target)
    if isinstance(data, str) and data:
        if not target.allow_unproven:
            return lost_line("content.input_file", f"file {label}", "is inside the conversation", losses)
        reason = f"a file inside the conversation is {UNPROVEN}"
        losses.add_adapted("content.input_file", reason, REPLACED_BY_LINE)
        return [{"type": "input_file", "file_data": data, **named}]
    if not label:
        return line_for_missing_content(part, "file", losses)
    losses.add_lost("content.input_file", f"the service shows only the name of file {label}")
    return [text_part(f"[file {label}]")]


# ------------------------------------------------------------------------------------- outputs of calls


def fit_output(parts: list[JSON], target: Target, losses: LossCollector) -> JSON:
    """The output of a call that is a list of texts, images and files (recorded on the OpenAI platform).

    It becomes one text where unproven forms are not allowed.
    """
    fitted = [item for part in parts for item in _fit_output_part(part, target, losses)]
    if target.allow_unproven and fitted:
        reason = f"an output of several parts is {UNPROVEN}"
        losses.add_adapted("content.output", reason, "else it arrives as text")
        return fitted
    reason = "an output of several parts arrives as text"
    losses.add_lost("content.output", reason, "the archive has it whole")
    return "\n".join(
        part["text"] if part["type"] == "input_text" else _part_as_line(part, target) for part in fitted
    )


def _fit_output_part(part: JSON, target: Target, losses: LossCollector) -> list[ItemPart]:
    type_ = part.get("type") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping) and type_ == "input_text" and isinstance(part.get("text"), str):
        return [_input_text(part["text"])] if part["text"] else []
    if isinstance(part, Mapping) and type_ == "input_file":
        fitted = fit_input_file(dict(part), target, losses)
        return [_input_text(item["text"]["value"]) if "text" in item else item for item in fitted]
    if isinstance(part, Mapping) and type_ == "input_image":
        return [_output_image(part, target, losses)]
    reason = f"a part of type {type_!r} cannot be written"
    losses.add_lost("content.output", reason, "the archive has it whole")
    return [_input_text(f"[content of type {type_}]")]


def _output_image(part: Mapping[str, JSON], target: Target, losses: LossCollector) -> ItemPart:
    file_id, url, detail = part.get("file_id"), part.get("image_url"), part.get("detail")
    written_detail = {"detail": detail if detail in IMAGE_DETAILS else "auto"}
    if isinstance(file_id, str) and file_id:
        if target.has("file", file_id):
            return {"type": "input_image", "file_id": file_id, **written_detail}
        label = file_label(file_id, target)
        line = lost_line("content.output", f"image {label}", "cannot be moved", losses)
        return _input_text(line[0]["text"]["value"])
    if isinstance(url, str) and url:
        return {"type": "input_image", "image_url": url, **written_detail}
    reason = "image without id and address: its content is unknown"
    losses.add_lost("content.output", reason, "in the archive")
    return _input_text("[content of type input_image]")


def _input_text(value: str) -> ItemPart:
    return {"type": "input_text", "text": value}


def _part_as_line(part: Mapping[str, JSON], target: Target) -> str:
    """An image or file of an output as a line of text. Its ids are those of the source."""
    label = "image" if part["type"] == "input_image" else "file"
    address = str(part.get("image_url") or "")
    shown = "" if address.startswith("data:") else address
    return f"[{label} {file_label_in(part, target) or shown or 'inside the output'}]"


# ----------------------------------------------------------------------------------------- whole messages


def why_call_not_replayed(entity: Entity, target: Target) -> str:
    """Why an item that is no message is not replayed, or ''."""
    if entity.fields.get("role") != ITEM_ROLE:
        return ""
    item = (entity.fields.get("content") or [{}])[0]
    type_ = str(item.get("type")) if isinstance(item, dict) else ""
    if type_ not in CALL_KEYS:
        return f"an item of type {type_} is made by a run and cannot be written; it stays in the archive"
    if not is_writable_call(item):
        return f"{type_} lacks something that is required on writing; it stays in the archive"
    if not target.has_call_and_output(entity.parent, str(item.get("call_id"))):
        return f"{type_} without its other half would break later responses; it stays in the archive"
    return ""


def adapt_foundry_message(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A message in a form that can be written and is read back unchanged."""
    _report_attachments_and_metadata(entity, target, losses)
    if entity.fields.get("role") == ITEM_ROLE:
        item = _fit_call(entity.fields["content"][0], target, losses)
        return entity.with_fields(content=[item], attachments=None, metadata=None)
    role = fit_role(entity, target, losses)
    rules = ASSISTANT_PART_RULES if role == "assistant" else USER_PART_RULES
    if role != "assistant" and target.source_type == target.capabilities.service:
        rules = {**rules, "input_file": fit_input_file}
    content = fit_parts(entity, rules, target, losses)
    phase = _fit_phase(entity, role, target, losses)
    return entity.with_fields(role=role, content=content, phase=phase, attachments=None, metadata=None)


def is_unproven(entity: Entity) -> bool:
    """Whether no project was seen to accept the form of an adapted message, apart from its citations.

    Apply writes it; where it is refused, apply writes the form that `adapt` gives without
    `Target.allow_unproven`.
    """
    if entity.fields.get("phase"):
        return True
    parts = entity.fields.get("content") or []
    if entity.fields.get("role") == ITEM_ROLE:
        item = parts[0]
        keys = UNPROVEN_CALL_KEYS.get(str(item.get("type")), ())
        return isinstance(item.get("output"), list) or any(key in item for key in keys)
    return any(_has_inline_data(part) for part in parts)


def _has_inline_data(part: Mapping[str, JSON]) -> bool:
    """Whether a part contains the bytes of its image or file."""
    if part.get("type") == "input_file":
        return "file_data" in part
    image = part.get("image_url") if part.get("type") == "image_url" else None
    return isinstance(image, Mapping) and str(image.get("url")).startswith("data:")


def _fit_phase(entity: Entity, role: str, target: Target, losses: LossCollector) -> str | None:
    """The phase of an answer: a remark before the end, or the final answer."""
    phase = entity.fields.get("phase")
    if not phase:
        return None
    if role == "assistant" and phase in PHASES and target.allow_unproven:
        way_out = f"where it is refused it is left out; {KEPT_IN_ARCHIVE}"
        losses.add_adapted("phase", f"phase {phase} is {UNPROVEN}", way_out)
        return str(phase)
    losses.add_lost("phase", f"phase {phase!r} of a message of {role} cannot be written", KEPT_IN_ARCHIVE)
    return None


def _fit_call(given: ItemPart, target: Target, losses: LossCollector) -> ItemPart:
    """A call or its output with the keys that can be written. A null means the same as no key."""
    type_ = str(given.get("type"))
    item = {key: given[key] for key in CALL_KEYS.get(type_, ()) if key in given}
    unproven = UNPROVEN_CALL_KEYS.get(type_, ()) if target.allow_unproven else ()
    for key in sorted(set(given) - set(item)):
        value = given[key]
        if value is None:
            continue
        if key in unproven and isinstance(value, str) and value:
            way_out = f"else it is left out; {KEPT_IN_ARCHIVE}"
            losses.add_adapted(f"content.{key}", f"{key} {value} is {UNPROVEN}", way_out)
            item[key] = value
        else:
            losses.add_lost(f"content.{key}", "is not accepted on writing", KEPT_IN_ARCHIVE)
    if isinstance(item.get("output"), list):
        item["output"] = fit_output(item["output"], target, losses)
    return item


def _report_attachments_and_metadata(entity: Entity, target: Target, losses: LossCollector) -> None:
    for attachment in entity.fields.get("attachments") or []:
        if not any(attachment.values()):
            continue
        file_id = attachment.get("file_id")
        if isinstance(file_id, str) and target.has("file", file_id):
            tools = ", ".join(attached_tools(attachment, target)) or "no tool"
            reason = f"an item has no attachments; {file_id} ({tools}) is moved, the id map has its new id"
            losses.add_adapted("attachments", reason, "pass it with the next response where it is needed")
        else:
            report_lost_attachment(file_id, losses)
    metadata = entity.fields.get("metadata")
    pairs = remove_stamp_keys(metadata) if isinstance(metadata, Mapping) else {}
    if pairs:
        reason = f"an item has none; {len(pairs)} pair(s) stay in the archive"
        losses.add_lost("metadata", reason, "the command `ids` writes which archived message each is")


# ------------------------------------------------------------------------------------------------- images


def _image_of_assistant(part: ItemPart, target: Target, losses: LossCollector) -> list[JSON]:
    file_id = str((part.get("image_file") or {}).get("file_id") or "")
    if not file_id:
        return line_for_missing_content(part, "image", losses)
    label = file_label(file_id, target)
    if not target.has("file", file_id):
        return lost_line("content.image_file", f"image {label}", "cannot be moved", losses)
    reason = f"an answer cannot contain an image; a line of text mentions {label}, which is moved as a file"
    losses.add_adapted("content.image_file", reason, "look up its new id: ids FILE.db")
    return [text_part(f"[image {label}]")]


def _image_address(part: ItemPart, target: Target, losses: LossCollector) -> list[JSON]:
    url = image_address(part)
    if not url:
        return line_for_missing_content(part, "image", losses)
    if url.startswith("data:"):
        if target.source_type != target.capabilities.service or not target.allow_unproven:
            return _line_for_data_url(url, losses)
        reason = f"an image inside its address is {UNPROVEN}"
        losses.add_adapted("content.image_url", reason, REPLACED_BY_LINE)
    return [{"type": "image_url", "image_url": {"url": url, **fit_detail(part["image_url"], losses)}}]


def _line_for_data_url(url: str, losses: LossCollector) -> list[JSON]:
    kind = url[5:].split(";")[0].split(",")[0] or "no type"
    losses.add_lost("content.image_url", f"an image inside its address ({kind}) was reported to be refused")
    return [text_part(f"[image of type {kind}]")]


def _address_of_assistant(part: ItemPart, _: Target, losses: LossCollector) -> list[JSON]:
    url = image_address(part)
    if not url:
        return line_for_missing_content(part, "image", losses)
    if url.startswith("data:"):
        return _line_for_data_url(url, losses)
    reason = "an answer cannot contain an image; a line of text mentions its address"
    losses.add_adapted("content.image_url", reason)
    return [text_part(f"[image {url}]")]


USER_PART_RULES: PartRules = {**PART_RULES, "image_url": _image_address}
ASSISTANT_PART_RULES: PartRules = {
    **PART_RULES,
    "text": fit_answer_text,
    "image_file": _image_of_assistant,
    "image_url": _address_of_assistant,
}
