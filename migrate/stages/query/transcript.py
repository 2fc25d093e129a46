"""Read the transcript of a thread from a snapshot, message by message: each part is a text and what it is.

This is a short form of what `conversation` reads; only an item that is no message is put into one line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS, DecodeContext
from migrate.model import JSON, Entity
from migrate.model.message import FUNCTION_CALL, FUNCTION_CALL_OUTPUT, ITEM_ROLE
from migrate.model.results.conversation import Attachment, Citation, ConversationPart, FileReference, ToolCall
from migrate.model.results.query import MessagePart, MessagePartType, Transcript, TranscriptEntry
from migrate.model.secrets import mask_text
from migrate.model.utc_time import READABLE_SECONDS, utc_text
from migrate.stages.query.item_parts import item_part_type
from migrate.stages.query.message_parts import (
    FileLookup,
    as_text,
    other_fields,
    raw_parts,
    read_attachments,
    read_part,
    role_of,
)
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.run_records import tool_calls

# File id -> file name.
FileNames = Mapping[str, str]

# Names of parts of a conversation in a transcript, where they differ.
TRANSCRIPT_TYPES: Mapping[str, MessagePartType] = {"file": "attachment"}


def read_transcript(
    snapshot: SnapshotReader, thread: str, named: NamedObjects | None = None
) -> Transcript | None:
    """The transcript of a thread, or None when the snapshot has no such thread. `named`: files and assistants
    that were found for other threads."""
    id_ = storable_text(thread)
    body = snapshot.body_of("thread", id_)
    if body is None:
        return None
    return Transcript(
        id_,
        utc_text(body.get("created_at"), READABLE_SECONDS),
        snapshot.info.id,
        f"{snapshot.info.type} {snapshot.info.url}",
        snapshot.count("message", id_),
        snapshot.message_gap(id_),
        _entries(snapshot, id_, named or NamedObjects(snapshot)),
    )


def _entries(snapshot: SnapshotReader, thread: str, named: NamedObjects) -> Iterator[TranscriptEntry]:
    calls = _calls(snapshot, thread, named.file)
    decode = CODECS[snapshot.info.type].decode
    for number, (_, body) in enumerate(snapshot.bodies("message", thread), 1):
        entity = decode("message", body, thread, DecodeContext())[0]
        role = role_of(entity)
        assistant = as_text(entity.facts.get("assistant_id"))
        yield TranscriptEntry(
            number,
            entity.id,
            utc_text(entity.facts.get("created_at"), READABLE_SECONDS),
            "" if role == ITEM_ROLE else mask_text(role),
            named.author(assistant),
            tuple(_masked(part) for part in _parts(entity, named.file)),
            calls.pop(as_text(entity.facts.get("run_id")), ()) if role != "user" else (),
        )


def _masked(part: MessagePart) -> MessagePart:
    return replace(part, text=mask_text(part.text))


def _calls(
    snapshot: SnapshotReader, thread: str, find_file: FileLookup
) -> dict[str, tuple[MessagePart, ...]]:
    """Run id -> the tools that it called; they are shown with its first message."""
    called: dict[str, tuple[MessagePart, ...]] = {}
    for _, step in snapshot.bodies("run_step", thread):
        run = as_text(step.get("run_id"))
        shown = (_masked(MessagePart("call", _call_text(call))) for call in tool_calls(step, find_file))
        called[run] = (*called.get(run, ()), *shown)
    return called


def _call_text(call: ToolCall) -> str:
    return f"{call.name}({call.input})" if call.type == "function" else call.type


def message_parts(message: Entity, names: FileNames) -> Iterator[MessagePart]:
    """Everything in a message as texts, in order; attachments come last. Nothing is masked."""
    return _parts(message, lambda id_: FileReference(id_, names.get(id_, "")))


def _parts(message: Entity, find_file: FileLookup) -> Iterator[MessagePart]:
    for part in raw_parts(message):
        if message.fields.get("role") == ITEM_ROLE:
            yield _item(part)
        else:
            yield from _texts_of(read_part(part, find_file))
    for attachment in read_attachments(message, find_file):
        yield MessagePart("attachment", _attachment_text(attachment))


def _texts_of(part: ConversationPart) -> Iterator[MessagePart]:
    """A part as a text, followed by its citations."""
    text = part.text
    if part.what == "other":
        text = f"{part.name} {part.text}".strip()
    elif part.file:
        text = _file_label(part.file)
    elif part.what == "image":
        text = _short_address(part.url)
    yield MessagePart(TRANSCRIPT_TYPES.get(part.what, part.what), text)  # type: ignore[arg-type]
    for citation in part.citations:
        yield MessagePart("citation", _citation_text(citation))


def _citation_text(citation: Citation) -> str:
    """The file, title or address of a citation, and its marker in the text."""
    source = _file_label(citation.file) if citation.file else citation.title or citation.url
    return f"{source} at {citation.marker}" if citation.marker else source


def _short_address(address: str) -> str:
    """An address; of one that contains the data itself, the beginning and the length."""
    if not address.startswith("data:"):
        return address
    return f"{address.partition(',')[0]},... ({len(address):,} characters)"


def _attachment_text(attachment: Attachment) -> str:
    label = _file_label(attachment.file) if attachment.file else attachment.text
    return f"{label} for {', '.join(attachment.tools)}" if attachment.tools else label


def _file_label(file: FileReference) -> str:
    return f"{file.name} ({file.id})" if file.name else file.id


def _item(item: JSON) -> MessagePart:
    """An item of a conversation that is not a message, in one line."""
    if not isinstance(item, Mapping):
        return MessagePart("other", as_text(item))
    type_ = as_text(item.get("type"))
    if type_ == FUNCTION_CALL:
        return MessagePart("call", f"{as_text(item.get('name'))}({as_text(item.get('arguments'))})")
    if type_ == FUNCTION_CALL_OUTPUT:
        return MessagePart("result", as_text(item.get("output")))
    what = item_part_type(type_)
    return MessagePart(what, f"{type_} {other_fields(item)}".strip())  # type: ignore[arg-type]
