"""Threads and messages adapted to the Assistants API: every part arrives in some form, or as a line.

| read | written |
|---|---|
| text | text; citations stay in the archive, their markers stay in the text |
| empty text | dropped beside other parts, else a placeholder (a text part of length 0 is refused) |
| refusal | text, unchanged |
| image_file | the same image under its new id, or a line of text that names the missing file |
| image_url | the address and the detail |
| image or file without id, address and data | a line of text that says so |
| anything else | a line of text that names its type; the archive has all of it |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.metadata import fit_metadata
from migrate.codecs.adapt.tools import fit_resources
from migrate.codecs.field_types import PART_SHAPE
from migrate.model import JSON, Entity
from migrate.model.message import ITEM_ROLE

# The only tools that an attachment may name, on every service (API descriptions of 2024-05 to 2026-08).
ATTACHMENT_TOOLS = ("code_interpreter", "file_search")


def fit_attachments(entity: Entity, target: Target, losses: LossCollector) -> list[JSON]:
    """The attachments that can be replayed, each with the tools that it can be attached for.

    With an attachment for file_search the service adds the file to the thread's vector store. Where that
    store is moved, it would add it a second time or after it was removed, so the tool is left out.
    """
    kept: list[JSON] = []
    for attachment in entity.fields.get("attachments") or []:
        if not any(attachment.values()):
            continue
        file_id = attachment.get("file_id")
        if not isinstance(file_id, str) or not target.has("file", file_id):
            report_lost_attachment(file_id, losses)
            continue
        tools = attached_tools(attachment, target)
        if lost := ", ".join(_unsupported_options(attachment, tools)):
            result = "is attached without them" if tools else "cannot be attached"
            accepted = f"{target.capabilities.service} takes a file only for {' or '.join(ATTACHMENT_TOOLS)}"
            reason = f"{file_id} {result}: {lost}; {accepted}"
            losses.add_lost("attachments", reason, "the file itself is moved")
        if not tools:
            continue
        if "file_search" in tools and target.moves_thread_store(entity.parent):
            reason = f"{file_id} is searched through the thread's own vector store, if it is in there"
            losses.add_adapted("attachments", reason)
            tools = [tool for tool in tools if tool != "file_search"]
        if tools:
            kept.append({"file_id": file_id, "tools": [{"type": type_} for type_ in tools]})
    return kept


def report_lost_attachment(file_id: JSON, losses: LossCollector) -> None:
    """Report an attachment whose file will not be on the target."""
    reason = f"file {file_id} cannot be moved or no longer exists" if file_id else "an attachment has no file"
    losses.add_lost("attachments", reason)


def attached_tools(attachment: Mapping[str, JSON], target: Target) -> list[str]:
    """The types of the tools that a file can be attached for, each once."""
    tools = attachment.get("tools")
    rows = tools if isinstance(tools, list) else []
    types = [tool.get("type") for tool in rows if isinstance(tool, Mapping)]
    allowed = [t for t in types if t in ATTACHMENT_TOOLS and t in target.capabilities.tool_types]
    return [str(type_) for type_ in dict.fromkeys(allowed)]


def _unsupported_options(attachment: Mapping[str, JSON], kept_types: list[str]) -> Iterator[str]:
    """The options of an attachment, besides the types of its tools, that cannot be written."""
    tools = attachment.get("tools")
    if not tools:
        yield "it has no tool"
    elif not isinstance(tools, list):
        yield "its tools are no list"
    for tool in tools if isinstance(tools, list) else ():
        type_ = tool.get("type") if isinstance(tool, Mapping) else None
        if type_ not in kept_types:
            yield f"the tool {type_!r}" if type_ else "a tool without a type"
        elif any(value not in (None, {}) for key, value in tool.items() if key != "type"):
            yield f"options of {type_}"
    for key, value in attachment.items():
        if key not in ("file_id", "tools") and value:
            yield f"the key {key!r}"


KNOWN_PART_TYPES = frozenset({"text", "image_file", "image_url", "refusal"})
EMPTY_MESSAGE_TEXT = "(this message has no text)"
PartRules = Mapping[str, Callable[[dict[str, Any], Target, LossCollector], list[JSON]]]


def adapt_thread(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A thread with the files, the vector store and the metadata that the target can store."""
    return entity.with_fields(
        tool_resources=fit_resources(entity, target, losses), metadata=fit_metadata(entity, target, losses)
    )


def adapt_assistants_message(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A message in a form that can be written and is read back unchanged."""
    if entity.fields.get("phase"):
        losses.add_lost("phase", "messages of this generation have none", "the archive has it")
        entity = entity.with_fields(phase=None)
    return entity.with_fields(
        role=fit_role(entity, target, losses),
        content=fit_parts(entity, PART_RULES, target, losses),
        attachments=fit_attachments(entity, target, losses),
        metadata=fit_metadata(entity, target, losses),
    )


def why_item_not_replayed(entity: Entity, _: Target) -> str:
    """Why an item that is no message is not replayed: the Assistants API has run steps for those."""
    if entity.fields.get("role") != ITEM_ROLE:
        return ""
    item = (entity.fields.get("content") or [{}])[0]
    type_ = item.get("type") if isinstance(item, dict) else None
    return f"an item of type {type_} is no message and cannot be written here; it stays in the archive"


def fit_role(entity: Entity, target: Target, losses: LossCollector) -> str:
    """A role that can be written."""
    role = entity.fields.get("role")
    if role in target.capabilities.roles:
        return str(role)
    losses.add_adapted(
        "role", f"{role!r} cannot be written; it arrives as user", "the archive keeps the role"
    )
    return "user"


def fit_parts(entity: Entity, rules: PartRules, target: Target, losses: LossCollector) -> list[JSON]:
    """Every part of the content in a form that can be written; a placeholder where no part is left."""
    parts: list[JSON] = []
    for part in entity.fields.get("content") or []:
        if not PART_SHAPE(part):
            part = part if isinstance(part, dict) else {"type": None}
            parts += line_for_unknown_part(part, target, losses)
            continue
        _report_unknown_keys(part, losses)
        rule = rules.get(str(part.get("type")), line_for_unknown_part)
        parts += rule(dict(part), target, losses)
    return parts or _placeholder(losses)


def _report_unknown_keys(part: Mapping[str, JSON], losses: LossCollector) -> None:
    """Report keys of a known part that no rule knows; they are not written."""
    type_ = str(part.get("type"))
    for name in sorted(set(part) - {"type", type_}) if type_ in KNOWN_PART_TYPES else ():
        if part[name]:
            losses.add_lost(
                f"content.{name}", f"a key of a {type_} part that cannot be written", "in the archive"
            )


def replace_unwritable(entity: Entity, losses: LossCollector) -> Entity:
    """The message with a line of text as its content, since a message is never left out of its thread."""
    role = entity.fields.get("role")
    if role == ITEM_ROLE:
        return entity
    line = f"[{role} said something that cannot be written]"
    return entity.with_fields(content=[text_part(line)], attachments=[])


def text_part(value: str) -> JSON:
    """A text part in canonical form, without annotations."""
    return {"type": "text", "text": {"value": value, "annotations": []}}


def _placeholder(losses: LossCollector) -> list[JSON]:
    losses.add_adapted("content", f"empty text is refused on writing; it arrives as {EMPTY_MESSAGE_TEXT!r}")
    return [text_part(EMPTY_MESSAGE_TEXT)]


def _text(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    text = part.get("text") or {}
    value = str(text.get("value") or "")
    if text.get("annotations"):
        count = len(text["annotations"])
        losses.add_lost(
            "content.text.annotations",
            f"{count} citation(s) cannot be written; their markers stay in the text",
            "read them in the archive: show, or the messages view",
        )
    if not value:
        losses.add_adapted("content", "an empty text part is refused on writing")
        return []
    limit = target.capabilities.text_max
    if len(value) > limit:
        reason = f"{len(value):,} characters: sent as parts of at most {limit:,}, the documented limit"
        losses.add_adapted("content", reason)
    return [text_part(value[at : at + limit]) for at in range(0, len(value), limit)]


def _refusal(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    value = str(part.get("refusal") or "")
    losses.add_adapted("content.refusal", "a refusal cannot be written; its text arrives as a text part")
    return _text({"text": {"value": value}}, target, losses)


# The same on every service.
IMAGE_DETAILS = ("auto", "low", "high")


def _image_file(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    image = part.get("image_file") or {}
    file_id = str(image.get("file_id") or "")
    if not file_id:
        return line_for_missing_content(part, "image", losses)
    if target.has("file", file_id):
        return [{"type": "image_file", "image_file": {"file_id": file_id, **fit_detail(image, losses)}}]
    label = file_label(file_id, target)
    return lost_line("content.image_file", f"image {label}", "cannot be moved", losses)


def lost_line(field_: str, label: str, problem: str, losses: LossCollector) -> list[JSON]:
    """A line of text in the place of an image or file that is lost."""
    losses.add_lost(field_, f"{label} {problem}; a line of text mentions it")
    return [text_part(f"[{label}]")]


def image_address(part: Mapping[str, JSON]) -> str:
    """The address of an image part, or ''."""
    url = (part.get("image_url") or {}).get("url")
    return url if isinstance(url, str) else ""


def _image_url(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    url = image_address(part)
    if not url:
        return line_for_missing_content(part, "image", losses)
    return [{"type": "image_url", "image_url": {"url": url, **fit_detail(part["image_url"], losses)}}]


def fit_detail(image: Mapping[str, JSON], losses: LossCollector) -> dict[str, JSON]:
    """The `detail` of an image where it can be written. Every other key of the image is reported as lost."""
    detail = image.get("detail")
    for key, value in sorted(image.items()):
        known = key in ("file_id", "url") or (key == "detail" and detail in IMAGE_DETAILS)
        if not known and value not in (None, "", {}, []):
            losses.add_lost(
                f"content.{key}", f"{key} {value!r} of an image cannot be written", "in the archive"
            )
    return {"detail": detail} if detail in IMAGE_DETAILS else {}


def file_label_in(part: Mapping[str, JSON], target: Target) -> str:
    """The file of a part, by id, address or name; '' where the part names none."""
    file_id, url, name = (part.get(key) for key in ("file_id", "file_url", "filename"))
    if isinstance(file_id, str) and file_id:
        return file_label(file_id, target)
    address = url if isinstance(url, str) and not url.startswith("data:") else ""
    return address or (name if isinstance(name, str) else "")


def file_label(file_id: str, target: Target) -> str:
    """The name, where the snapshot has it, and the id of a file of the source."""
    file = target.find_file(file_id)
    return f"{file.name} ({file_id})" if file and file.name else file_id


def line_for_missing_content(part: Mapping[str, JSON], label: str, losses: LossCollector) -> list[JSON]:
    """A line of text in the place of a part with no id, address or data.

    Services return such parts where they hide the content (recorded: `file_id` and `image_url` both null).
    """
    type_ = part.get("type")
    reason = f"{label} without id, address and data: its content is unknown"
    losses.add_lost(f"content.{type_}", reason, "the archive has what the service returned")
    return [text_part(f"[content of type {type_}]")]


def line_for_unknown_part(part: Mapping[str, JSON], target: Target, losses: LossCollector) -> list[JSON]:
    """A line of text with the type of a part that cannot be written."""
    type_ = part.get("type")
    losses.add_lost("content", f"a part of type {type_!r} cannot be written", "the archive has it whole")
    return [text_part(f"[content of type {type_}]")]


PART_RULES: PartRules = {
    "text": _text,
    "refusal": _refusal,
    "image_file": _image_file,
    "image_url": _image_url,
}
