"""Split a message of a conversation, with the runs before it, into the segments of an answer.

A segment has one text of any length; everything else in it is bounded. So an answer can end, and the next one
go on, at any character of a message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from migrate.mcp.answers import TextSegment, bound_value, json_size
from migrate.model import JSON
from migrate.model.results.conversation import (
    Attachment,
    Citation,
    ConversationMessage,
    ConversationPart,
    FileReference,
    NewId,
    RunRecord,
    RunStep,
    TokenUsage,
    ToolCall,
)

# Characters of metadata that are shown as an object, and not as a text that may continue in the next answer.
MAX_METADATA_CHARS = 2_000


def message_segments(message: ConversationMessage) -> Iterator[TextSegment]:
    """The runs before a message, its parts, attachments and metadata, in this order."""
    for run in message.runs:
        yield from run_segments(run)
    for part in message.parts:
        yield from _part_segments(part)
    for attachment in message.attachments:
        yield _attachment_segment(attachment)
    if message.metadata:
        yield metadata_segment(message.metadata)


def metadata_segment(metadata: Mapping[str, JSON]) -> TextSegment:
    """The metadata of an object."""
    size = json_size(metadata)
    if size > MAX_METADATA_CHARS:
        return TextSegment("metadata_json", json.dumps(metadata, ensure_ascii=False))
    return TextSegment(values={"what": "metadata", "metadata": metadata})


def run_segments(run: RunRecord) -> Iterator[TextSegment]:
    """A run, and the tools that its steps called."""
    yield _segment(
        what="run", id=run.id, status=run.status, assistant=run.assistant, assistant_id=run.assistant_id,
        model=run.model, started_at=run.started_at, finished_at=run.finished_at, usage=_usage(run.usage),
        error=run.error,
    )  # fmt: skip
    for step in run.steps:
        yield from _step_segments(step)


def _step_segments(step: RunStep) -> Iterator[TextSegment]:
    if step.error or not step.calls:
        yield _segment(
            what="run step", id=step.id, type=step.type, status=step.status, at=step.at, error=step.error
        )
    for call in step.calls:
        yield from _call_segments(call)


def _call_segments(call: ToolCall) -> Iterator[TextSegment]:
    yield _segment("input", call.input, what="tool call", type=call.type, name=call.name)
    for output in call.outputs:
        for segment in _part_segments(output):
            yield TextSegment(segment.key, segment.text, {**segment.values, "of": "tool output"})


def _part_segments(part: ConversationPart) -> Iterator[TextSegment]:
    yield _segment("text", part.text, what=part.what, name=part.name, url=part.url, file=_file(part.file))
    for citation in part.citations:
        yield _citation_segment(citation)


def _citation_segment(citation: Citation) -> TextSegment:
    return _segment(
        "quote", citation.quote, what="citation", marker=citation.marker, file=_file(citation.file),
        title=citation.title, url=citation.url,
    )  # fmt: skip


def _attachment_segment(attachment: Attachment) -> TextSegment:
    return _segment(
        "text", attachment.text, what="attachment", file=_file(attachment.file), tools=list(attachment.tools)
    )


def _segment(key: str = "text", text: str = "", **values: JSON) -> TextSegment:
    """A segment without empty values. Long values other than its text are cut."""
    shown = {name: bound_value(value) for name, value in values.items() if value not in (None, "", [], {})}
    return TextSegment(key, text, shown)


def _file(file: FileReference | None) -> dict[str, JSON] | None:
    if file is None:
        return None
    return {"id": file.id, **({"name": file.name} if file.name else {}), "has_bytes": file.has_bytes}


def _usage(usage: TokenUsage | None) -> dict[str, JSON] | None:
    if usage is None:
        return None
    return {"prompt": usage.prompt, "completion": usage.completion, "total": usage.total}


def new_ids_value(ids: Sequence[NewId]) -> list[JSON]:
    """What an object became elsewhere, for an answer."""
    return [{"target": row.target, "id": row.id} for row in ids]
