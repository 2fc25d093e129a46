"""Read the transcript of a thread from a snapshot, message by message.

A message is split into parts: its text, and everything else by name. No type of a value is taken for granted:
a part of an unknown form is shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS, DecodeContext
from migrate.model import JSON, Entity
from migrate.model.message import FUNCTION_CALL, FUNCTION_CALL_OUTPUT, ITEM_ROLE
from migrate.model.results.query import MessagePart, Transcript, TranscriptEntry
from migrate.model.secrets import mask_text, mask_tool_secrets


def read_transcript(snapshot: SnapshotReader, thread: str) -> Transcript | None:
    """The transcript of a thread, or None when the snapshot has no such thread."""
    id_ = storable_text(thread)
    threads = [body for kind, _, body in snapshot.find(id_) if kind == "thread"]
    if not threads:
        return None
    state, reason = snapshot.listing_state("message", id_)
    gap = "" if state == "complete" else reason or state or "its messages were not read"
    return Transcript(
        id_,
        _time(threads[0].get("created_at")),
        snapshot.info.id,
        f"{snapshot.info.type} {snapshot.info.url}",
        snapshot.count("message", id_),
        gap,
        _entries(snapshot, id_),
    )


def _entries(snapshot: SnapshotReader, thread: str) -> Iterator[TranscriptEntry]:
    files, assistants = _names(snapshot, "file", "filename"), _names(snapshot, "assistant", "name")
    calls = _calls(snapshot, thread)
    decode = CODECS[snapshot.info.type].decode
    for number, (_, body) in enumerate(snapshot.bodies("message", thread), 1):
        entity = decode("message", body, thread, DecodeContext())[0]
        role = as_text(entity.fields.get("role", entity.extras.get("role")))
        assistant = as_text(entity.facts.get("assistant_id"))
        yield TranscriptEntry(
            number,
            entity.id,
            _time(entity.facts.get("created_at")),
            "" if role == ITEM_ROLE else role,
            assistants.get(assistant, assistant),
            tuple(replace(part, text=mask_text(part.text)) for part in message_parts(entity, files)),
            calls.pop(as_text(entity.facts.get("run_id")), ()) if role != "user" else (),
        )


def _names(snapshot: SnapshotReader, kind: str, key: str) -> dict[str, str]:
    """Id -> name of the objects of a kind that have one."""
    return {str(body.get("id")): as_text(body[key]) for _, body in snapshot.bodies(kind) if body.get(key)}


def _calls(snapshot: SnapshotReader, thread: str) -> dict[str, tuple[MessagePart, ...]]:
    """Run id -> the tools that it called; they are shown with its first message."""
    called: dict[str, tuple[MessagePart, ...]] = {}
    for _, step in snapshot.bodies("run_step", thread):
        run = as_text(step.get("run_id"))
        shown = (replace(part, text=mask_text(part.text)) for part in step_tool_calls(step))
        called[run] = (*called.get(run, ()), *shown)
    return called


def _time(seconds: JSON) -> str:
    """Seconds since 1970 as readable text in UTC, or ''."""
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        return ""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""


# File id -> file name.
FileNames = Mapping[str, str]


def message_parts(message: Entity, names: FileNames) -> Iterator[MessagePart]:
    """Everything in a message, in order; attachments come last."""
    content = message.fields.get("content")
    if content is None:
        content = message.extras.get("content")
    for part in content if isinstance(content, list) else [] if content is None else [content]:
        yield from _item(part) if message.fields.get("role") == ITEM_ROLE else _part(part, names)
    attachments = message.fields.get("attachments")
    if attachments is None:
        attachments = message.extras.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        yield MessagePart("attachment", _attachment(attachment, names))


def _part(part: JSON, names: FileNames) -> Iterator[MessagePart]:
    if not isinstance(part, Mapping):
        yield MessagePart("text" if isinstance(part, str) else "other", as_text(part))
        return
    rule = PART_READERS.get(str(part.get("type")))
    if rule:
        yield from rule(part, names)
    else:
        yield MessagePart("other", f"{as_text(part.get('type') or 'part')} {_other_fields(part)}".strip())


def _text(part: Mapping[str, JSON], names: FileNames) -> Iterator[MessagePart]:
    text = part.get("text")
    if not isinstance(text, Mapping):
        yield MessagePart("text", as_text(text))
        return
    yield MessagePart("text", as_text(text.get("value")))
    notes = text.get("annotations")
    for note in notes if isinstance(notes, list) else []:
        if isinstance(note, Mapping):
            yield MessagePart("citation", _citation(note, names))


def _citation(note: Mapping[str, JSON], names: FileNames) -> str:
    """The file, title or address of an annotation, and its marker in the text."""
    nested = note.get(str(note.get("type")))
    fields = {**note, **(nested if isinstance(nested, Mapping) else {})}
    title = fields.get("filename") or fields.get("title") or fields.get("url") or ""
    source = _file_label(fields.get("file_id"), names) if fields.get("file_id") else as_text(title)
    marker = f" at {as_text(note['text'])}" if note.get("text") else ""
    return f"{source or as_text(note.get('type'))}{marker}"


def _image(part: Mapping[str, JSON], names: FileNames) -> Iterator[MessagePart]:
    nested = part.get(str(part.get("type")))
    image = nested if isinstance(nested, Mapping) else part
    address = as_text(image.get("url") or "")
    if address.startswith("data:"):
        address = f"{address.partition(',')[0]},... ({len(address):,} characters)"
    yield MessagePart("image", _file_label(image.get("file_id"), names) if image.get("file_id") else address)


def _refusal(part: Mapping[str, JSON], _: FileNames) -> Iterator[MessagePart]:
    yield MessagePart("refusal", as_text(part.get("refusal")))


def _file(part: Mapping[str, JSON], names: FileNames) -> Iterator[MessagePart]:
    yield MessagePart(
        "attachment", _file_label(part.get("file_id"), names) if part.get("file_id") else _other_fields(part)
    )


# Type of a part of a message -> the function that reads it.
PART_READERS: Mapping[str, Callable[[Mapping[str, JSON], FileNames], Iterator[MessagePart]]] = {
    "text": _text,
    "refusal": _refusal,
    "image_file": _image,
    "image_url": _image,
    "input_file": _file,
}


def _item(item: JSON) -> Iterator[MessagePart]:
    """An item of a conversation that is not a message."""
    if not isinstance(item, Mapping):
        yield MessagePart("other", as_text(item))
        return
    type_ = as_text(item.get("type"))
    if type_ == FUNCTION_CALL:
        yield MessagePart("call", f"{as_text(item.get('name'))}({as_text(item.get('arguments'))})")
    elif type_ == FUNCTION_CALL_OUTPUT:
        yield MessagePart("result", as_text(item.get("output")))
    elif type_.endswith("_output"):
        yield MessagePart("result", f"{type_} {_other_fields(item)}".strip())
    else:
        yield MessagePart(
            "call" if type_.endswith("_call") else "other", f"{type_} {_other_fields(item)}".strip()
        )


def step_tool_calls(step: Mapping[str, JSON]) -> Iterator[MessagePart]:
    """The tools that a run step called, in the form of the older generation."""
    details = step.get("step_details")
    calls = details.get("tool_calls") if isinstance(details, Mapping) else None
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, Mapping):
            function = call.get("function")
            if isinstance(function, Mapping):
                yield MessagePart(
                    "call", f"{as_text(function.get('name'))}({as_text(function.get('arguments'))})"
                )
            else:
                yield MessagePart("call", as_text(call.get("type") or "tool"))


def as_text(value: JSON) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, default=str)


def _other_fields(item: Mapping[str, JSON]) -> str:
    """The fields of an item as text, without its type, ids and states."""
    masked = mask_tool_secrets(item).items()
    shown = {k: v for k, v in masked if k not in FIELDS_NOT_SHOWN and v not in (None, "", [], {})}
    return as_text(shown) if shown else ""


FIELDS_NOT_SHOWN = frozenset({"type", "id", "status", "call_id", "created_by", "partition_key"})


def _file_label(file_id: JSON, names: FileNames) -> str:
    id_ = as_text(file_id)
    return f"{names[id_]} ({id_})" if names.get(id_) else id_


def _attachment(attachment: JSON, names: FileNames) -> str:
    if not isinstance(attachment, Mapping):
        return as_text(attachment)
    tools = attachment.get("tools")
    types = (
        [as_text(t.get("type")) for t in tools if isinstance(t, Mapping)] if isinstance(tools, list) else []
    )
    file_id = attachment.get("file_id")
    label = _file_label(file_id, names) if file_id else _other_fields(attachment)
    return f"{label} for {', '.join(types)}" if types else label
