"""Threads and messages made to fit an Assistants resource: every part arrives in some form, none in silence.

| read | written |
|---|---|
| text | text; citations stay in the archive, their markers stay in the text |
| empty text | dropped beside other parts, else a placeholder (a text part of length 0 is refused) |
| refusal | text, word for word |
| image_file | the same image under its new id, or a line that names the missing file |
| image_url | the address and how large it is looked at |
| image or file without id, address and data | a line that says so |
| anything else | a line that names its type; the archive has it whole |
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
    """Attachments to replay. One for file_search would make the service put the file into the thread's
    store, a second time or after it was taken out, so it is left out where that store is moved."""
    kept: list[JSON] = []
    for attachment in entity.fields.get("attachments") or []:
        if not any(attachment.values()):
            continue
        file_id = attachment.get("file_id")
        if not isinstance(file_id, str) or not target.has("file", file_id):
            gone = f"file {file_id} cannot be moved or no longer exists"
            losses.add_lost("attachments", gone if file_id else "an attachment names no file")
            continue
        tools = attached_tools(attachment, target)
        if left := list(_unsupported_options(attachment, tools)):
            what = "cannot be attached" if not tools else "is attached without them"
            reason = (
                f"{file_id} {what}: {', '.join(left)}; {target.capabilities.service} takes a file only for "
            )
            losses.add_lost("attachments", reason + " or ".join(ATTACHMENT_TOOLS), "the file itself is moved")
        if not tools:
            continue
        if "file_search" in tools and target.moves_thread_store(entity.parent):
            reason = f"{file_id} is searched through the thread's own vector store, as far as it lies there"
            losses.add_adapted("attachments", reason)
            tools = [tool for tool in tools if tool != "file_search"]
        if tools:
            kept.append({"file_id": file_id, "tools": [{"type": type_} for type_ in tools]})
    return kept


def attached_tools(attachment: Mapping[str, JSON], target: Target) -> list[str]:
    """The types of the tools that a file can be attached for, each once."""
    tools = attachment.get("tools")
    rows = tools if isinstance(tools, list) else []
    types = [tool.get("type") for tool in rows if isinstance(tool, Mapping)]
    allowed = [t for t in types if t in ATTACHMENT_TOOLS and t in target.capabilities.tool_types]
    return [str(type_) for type_ in dict.fromkeys(allowed)]


def _unsupported_options(attachment: Mapping[str, JSON], kept: list[str]) -> Iterator[str]:
    """What an attachment says beside the types of its tools, in words."""
    tools = attachment.get("tools")
    if not tools:
        yield "it names no tool"
    elif not isinstance(tools, list):
        yield "its tools are no list"
    for tool in tools if isinstance(tools, list) else ():
        type_ = tool.get("type") if isinstance(tool, Mapping) else None
        if type_ not in kept:
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
    """A thread's own files, store and metadata."""
    return entity.with_fields(
        tool_resources=fit_resources(entity, target, losses), metadata=fit_metadata(entity, target, losses)
    )


def adapt_assistants_message(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A message in a form that can be written and reads back the same."""
    if entity.fields.get("phase"):
        losses.add_lost("phase", "no message of this generation has one", "the archive has it")
        entity = entity.with_fields(phase=None)
    return entity.with_fields(
        role=fit_role(entity, target, losses),
        content=fit_parts(entity, PART_RULES, target, losses),
        attachments=fit_attachments(entity, target, losses),
        metadata=fit_metadata(entity, target, losses),
    )


def why_item_not_replayed(entity: Entity, _: Target) -> str:
    """Why an item that nobody said is not replayed: such things are run steps on this wire. Or ''."""
    if entity.fields.get("role") != ITEM_ROLE:
        return ""
    item = (entity.fields.get("content") or [{}])[0]
    type_ = item.get("type") if isinstance(item, dict) else None
    return f"an item of type {type_} was said by nobody and has no form here; it stays in the archive"


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
    """Every part of the content in some form; a message that would be empty says so."""
    parts: list[JSON] = []
    for part in entity.fields.get("content") or []:
        if PART_SHAPE(part):
            _report_unknown_keys(part, losses)
            parts += rules.get(str(part.get("type")), line_for_unknown_part)(dict(part), target, losses)
        else:
            parts += line_for_unknown_part(
                dict(part) if isinstance(part, dict) else {"type": None}, target, losses
            )
    return parts or _placeholder(losses)


def _report_unknown_keys(part: Mapping[str, JSON], losses: LossCollector) -> None:
    """A known part may have keys that no rule knows; they are not written."""
    type_ = str(part.get("type"))
    for name in sorted(set(part) - {"type", type_}) if type_ in KNOWN_PART_TYPES else ():
        if part[name]:
            losses.add_lost(
                f"content.{name}", f"a key of a {type_} part that cannot be written", "in the archive"
            )


def replace_unwritable(entity: Entity, losses: LossCollector) -> Entity:
    """A line in the place of a message that cannot be written, so that those behind it can follow."""
    role = entity.fields.get("role")
    if role == ITEM_ROLE:
        return entity
    line = f"[{role} said something that cannot be written]"
    return entity.with_fields(content=[text_part(line)], attachments=[])


def text_part(value: str) -> JSON:
    """A text part in read form, without annotations."""
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
    most = target.capabilities.text_max
    if len(value) > most:
        losses.add_adapted(
            "content", f"{len(value):,} characters: sent as parts of at most {most:,}, the documented limit"
        )
    return [text_part(value[at : at + most]) for at in range(0, len(value), most)]


def _refusal(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    value = str(part.get("refusal") or "")
    losses.add_adapted("content.refusal", "a refusal has no write form; its words arrive as text")
    return _text({"text": {"value": value}}, target, losses)


# What may be said of an image's size, on every service.
IMAGE_DETAILS = ("auto", "low", "high")


def _image_file(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    image = part.get("image_file") or {}
    old = str(image.get("file_id") or "")
    if not old:
        return line_for_missing_content(part, "image", losses)
    if target.has("file", old):
        return [{"type": "image_file", "image_file": {"file_id": old, **fit_detail(image, losses)}}]
    called = file_label(old, target)
    losses.add_lost("content.image_file", f"image {called} cannot be moved; a line of text names it")
    return [text_part(f"[image {called}]")]


def _image_url(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    image = part.get("image_url") or {}
    url = image.get("url")
    if not isinstance(url, str) or not url:
        return line_for_missing_content(part, "image", losses)
    return [{"type": "image_url", "image_url": {"url": url, **fit_detail(image, losses)}}]


def fit_detail(image: Mapping[str, JSON], losses: LossCollector) -> dict[str, JSON]:
    """The `detail` of an image where it can be written. Whatever else an image says is told as lost."""
    detail = image.get("detail")
    for key, value in sorted(image.items()):
        known = key in ("file_id", "url") or (key == "detail" and detail in IMAGE_DETAILS)
        if not known and value not in (None, "", {}, []):
            losses.add_lost(
                f"content.{key}", f"{key} {value!r} of an image cannot be written", "in the archive"
            )
    return {"detail": detail} if detail in IMAGE_DETAILS else {}


def file_label_in(part: Mapping[str, JSON], target: Target) -> str:
    """What a part calls its file: by id, address or name; '' where it names none."""
    old, url, name = (part.get(key) for key in ("file_id", "file_url", "filename"))
    if isinstance(old, str) and old:
        return file_label(old, target)
    address = url if isinstance(url, str) and not url.startswith("data:") else ""
    return address or (name if isinstance(name, str) else "")


def file_label(old: str, target: Target) -> str:
    """A file of the source by its name, where the snapshot has it, and its id."""
    file = target.find_file(old)
    return f"{file.name} ({old})" if file and file.name else old


def line_for_missing_content(part: Mapping[str, JSON], what: str, losses: LossCollector) -> list[JSON]:
    """A line in the place of a part that has neither an id nor an address nor data: services show such
    parts where they hide what they hold (recorded: `file_id` and `image_url` both null)."""
    type_ = part.get("type")
    way_out = "the archive has what the service gave"
    losses.add_lost(
        f"content.{type_}", f"{what} without id, address and data: its content is unknown", way_out
    )
    return [text_part(f"[content of type {type_}]")]


def line_for_unknown_part(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    """A line that names the type of a part which has no write form."""
    type_ = part.get("type")
    losses.add_lost("content", f"a part of type {type_!r} cannot be written", "the archive has it whole")
    return [text_part(f"[content of type {type_}]")]


PART_RULES: PartRules = {
    "text": _text,
    "refusal": _refusal,
    "image_file": _image_file,
    "image_url": _image_url,
}
