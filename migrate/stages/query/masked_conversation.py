"""Parts of a conversation without the credentials that their texts may contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from migrate.model.entity import JSON
from migrate.model.results.conversation import (
    Attachment,
    Citation,
    ConversationPart,
    FileReference,
    RunRecord,
    RunStep,
    ToolCall,
)
from migrate.model.secrets import mask_all_texts, mask_text
from migrate.stages.query.message_parts import place_citations

_T = TypeVar("_T")

# Record -> its fields that may contain credentials, in themselves or in records.
MASKED_FIELDS: Mapping[type, tuple[str, ...]] = {
    FileReference: ("name",),
    Citation: ("marker", "file", "title", "url", "quote"),
    ConversationPart: ("text", "citations", "file", "url", "name"),
    Attachment: ("file", "tools", "text"),
    ToolCall: ("type", "name", "input", "outputs"),
    RunStep: ("type", "status", "error", "calls"),
    RunRecord: ("status", "model", "error", "steps"),
}


def masked(value: _T) -> _T:
    """A text, or a record or tuple with everything in it, without credentials. Where that changes the text of
    a part, its citations are placed again. Raises `KeyError` for anything else, which is not to be shown."""
    record: Any = value
    if record is None:
        return value
    if isinstance(record, str):
        return cast(_T, mask_text(record))
    if isinstance(record, tuple):
        return cast(_T, tuple(map(masked, record)))
    names = MASKED_FIELDS[type(record)]
    if isinstance(record, ConversationPart) and record.image_type:  # the address is the image
        names = tuple(name for name in names if name != "url")
    found = replace(record, **{name: masked(getattr(record, name)) for name in names})
    if isinstance(record, ConversationPart) and found.text != record.text:
        notes = (replace(note, start=-1, end=-1) for note in found.citations)
        found = replace(found, citations=place_citations(found.text, notes))
    return cast(_T, found)


def masked_metadata(metadata: JSON) -> dict[str, JSON]:
    """Metadata without credentials, also in its keys; none where it is no mapping."""
    return dict(mask_all_texts(metadata)) if isinstance(metadata, Mapping) else {}
