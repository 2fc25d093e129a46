"""The parts of a message: texts with their citations, images, files, refusals; and the files attached to it.

No type of a value is assumed: a part of an unknown form is shown as it is. Texts are not masked
here; other fields are. The parts of an item that is no message are read in `item_parts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from migrate.model import JSON, Entity
from migrate.model.image_type import image_in_address
from migrate.model.results.conversation import Attachment, Citation, ConversationPart, FileReference
from migrate.model.secrets import mask_tool_secrets

# Finds a file by its id.
FileLookup = Callable[[str], FileReference]

FIELDS_NOT_SHOWN = frozenset({"type", "id", "status", "call_id", "created_by", "partition_key"})


def raw_parts(message: Entity) -> list[JSON]:
    """What a message contains, as it is stored: a list of parts, whatever the service sent."""
    content = message.fields.get("content")
    if content is None:
        content = message.extras.get("content")
    return content if isinstance(content, list) else [] if content is None else [content]


def role_of(message: Entity) -> str:
    """The role of a message, as it is stored."""
    return as_text(message.fields.get("role", message.extras.get("role")))


def read_part(part: JSON, find_file: FileLookup) -> ConversationPart:
    """One part of a message."""
    if not isinstance(part, Mapping):
        return ConversationPart("text" if isinstance(part, str) else "other", as_text(part))
    rule = PART_READERS.get(str(part.get("type")))
    if rule:
        return rule(part, find_file)
    return ConversationPart("other", other_fields(part), name=as_text(part.get("type") or "part"))


def read_attachments(message: Entity, find_file: FileLookup) -> Iterator[Attachment]:
    """The files that are attached to a message."""
    attachments = message.fields.get("attachments")
    if attachments is None:
        attachments = message.extras.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        if not isinstance(attachment, Mapping):
            yield Attachment(None, text=as_text(attachment))
            continue
        tools = attachment.get("tools")
        types = [as_text(tool.get("type")) for tool in mappings(tools)]
        file_id = attachment.get("file_id")
        if file_id:
            yield Attachment(find_file(as_text(file_id)), tuple(types))
        else:
            yield Attachment(None, tuple(types), other_fields(attachment))


def read_text_part(value: JSON, annotations: JSON, find_file: FileLookup) -> ConversationPart:
    """A text with its citations."""
    text = as_text(value)
    citations = (_citation(note, find_file) for note in mappings(annotations))
    return ConversationPart("text", text, place_citations(text, citations))


def place_citations(text: str, citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """The citations with their places in a text. A place that a service reports is used where the marker is
    really there; else the next place of the marker is used."""
    placed, after = [], 0
    for citation in citations:
        start, end, marker = citation.start, citation.end, citation.marker
        if marker and not (start >= 0 and text[start:end] == marker):
            start = text.find(marker, after)
            end = start + len(marker) if start >= 0 else -1
        if not 0 <= start <= end <= len(text):
            start = end = -1
        after = max(after, end)
        placed.append(replace(citation, start=start, end=end))
    return tuple(placed)


def _text(part: Mapping[str, JSON], find_file: FileLookup) -> ConversationPart:
    text = part.get("text")
    if not isinstance(text, Mapping):
        return read_text_part(text, part.get("annotations"), find_file)
    return read_text_part(text.get("value"), text.get("annotations"), find_file)


def _citation(note: Mapping[str, JSON], find_file: FileLookup) -> Citation:
    """A citation. Older APIs nest its fields below its type."""
    nested = note.get(str(note.get("type")))
    fields = {**note, **(nested if isinstance(nested, Mapping) else {})}
    file = find_file(as_text(fields["file_id"])) if fields.get("file_id") else None
    title, url = as_text(fields.get("filename") or fields.get("title")), as_text(fields.get("url"))
    start = fields.get("start_index", fields.get("index"))
    end = fields.get("end_index", fields.get("index"))
    return Citation(
        marker=as_text(note["text"]) if note.get("text") else "",
        start=start if type(start) is int else -1,
        end=end if type(end) is int else -1,
        file=file,
        title=title if title or url or file else as_text(note.get("type")),
        url=url,
        quote=as_text(fields.get("quote")),
    )


def _image(part: Mapping[str, JSON], find_file: FileLookup) -> ConversationPart:
    nested = part.get(str(part.get("type")))
    image = nested if isinstance(nested, Mapping) else part
    if image.get("file_id"):
        return ConversationPart("image", file=find_file(as_text(image["file_id"])))
    return image_at(as_text(image.get("url") or ""))


def image_at(address: str) -> ConversationPart:
    """An image by its address. One that the address itself contains gets its proved type."""
    return ConversationPart("image", url=address, image_type=image_in_address(address)[0])


def _refusal(part: Mapping[str, JSON], _: FileLookup) -> ConversationPart:
    return ConversationPart("refusal", as_text(part.get("refusal")))


def _file(part: Mapping[str, JSON], find_file: FileLookup) -> ConversationPart:
    name = as_text(part.get("filename"))
    if part.get("file_id"):
        return ConversationPart("file", file=find_file(as_text(part["file_id"])), name=name)
    return ConversationPart("file", other_fields(part), name=name)


# Type of a part of a message -> the function that reads it.
PART_READERS: Mapping[str, Callable[[Mapping[str, JSON], FileLookup], ConversationPart]] = {
    "text": _text,
    "refusal": _refusal,
    "image_file": _image,
    "image_url": _image,
    "input_file": _file,
}


def mappings(value: JSON) -> list[Mapping[str, JSON]]:
    """The objects in a list; nothing where it is no list."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def as_text(value: JSON) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, default=str)


def other_fields(item: Mapping[str, JSON]) -> str:
    """The fields of an item as JSON with secrets masked, without its type, ids and states; '' for none."""
    masked = mask_tool_secrets(item).items()
    shown = {k: v for k, v in masked if k not in FIELDS_NOT_SHOWN and v not in (None, "", [], {})}
    return as_text(shown) if shown else ""
