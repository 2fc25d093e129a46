"""Parts of a conversation without the credentials that their texts may contain."""

from __future__ import annotations

from dataclasses import replace

from migrate.model.results.conversation import (
    Attachment,
    Citation,
    ConversationPart,
    FileReference,
    RunRecord,
    RunStep,
    ToolCall,
)
from migrate.model.secrets import mask_text
from migrate.stages.query.message_parts import place_citations


def masked_part(part: ConversationPart) -> ConversationPart:
    """A part without credentials. Where that changes its text, citations are placed again."""
    text = mask_text(part.text)
    citations = tuple(map(_masked_citation, part.citations))
    if text != part.text:
        citations = place_citations(text, (replace(note, start=-1, end=-1) for note in citations))
    url = part.url if part.image_type else mask_text(part.url)
    return replace(
        part, text=text, citations=citations, file=masked_file(part.file), url=url, name=mask_text(part.name)
    )


def masked_file(file: FileReference | None) -> FileReference | None:
    """A file whose name has no credentials."""
    return replace(file, name=mask_text(file.name)) if file and file.name else file


def masked_attachment(attachment: Attachment) -> Attachment:
    """An attachment without credentials."""
    tools = tuple(map(mask_text, attachment.tools))
    return replace(
        attachment, file=masked_file(attachment.file), tools=tools, text=mask_text(attachment.text)
    )


def masked_run(run: RunRecord) -> RunRecord:
    """A run and its steps without credentials."""
    return replace(
        run,
        status=mask_text(run.status),
        model=mask_text(run.model),
        error=mask_text(run.error),
        steps=tuple(map(_masked_step, run.steps)),
    )


def masked_call(call: ToolCall) -> ToolCall:
    """A call of a tool without credentials."""
    return replace(
        call,
        type=mask_text(call.type),
        name=mask_text(call.name),
        input=mask_text(call.input),
        outputs=tuple(map(masked_part, call.outputs)),
    )


def _masked_step(step: RunStep) -> RunStep:
    return replace(
        step,
        type=mask_text(step.type),
        status=mask_text(step.status),
        error=mask_text(step.error),
        calls=tuple(map(masked_call, step.calls)),
    )


def _masked_citation(note: Citation) -> Citation:
    return replace(
        note,
        marker=mask_text(note.marker),
        file=masked_file(note.file),
        title=mask_text(note.title),
        url=mask_text(note.url),
        quote=mask_text(note.quote),
    )
