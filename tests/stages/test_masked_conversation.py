"""Which fields of a conversation are masked: each that may have text of a user or of a service."""

from __future__ import annotations

from dataclasses import fields

import pytest

from migrate.model.results.conversation import (
    Attachment,
    Citation,
    ConversationPart,
    FileReference,
    RunRecord,
    RunStep,
    TokenUsage,
    ToolCall,
)
from migrate.stages.query.masked_conversation import MASKED_FIELDS, masked

# Ids, times, numbers, what this program decided itself, and names that were masked where they were found.
OTHER_FIELDS = {
    FileReference: {"id", "size", "has_bytes", "image_type", "is_parsed_text"},
    Citation: {"start", "end"},
    ConversationPart: {"what", "call_id", "image_type"},
    Attachment: set(),
    ToolCall: {"id"},
    RunStep: {"id", "at", "usage"},
    RunRecord: {"id", "assistant", "assistant_id", "started_at", "finished_at", "usage"},
}
SECRET = "https://host.example/?sig=abcdefghijklmnopqrstuvwxyz"


def test_a_new_field_is_masked_or_known_to_need_no_mask() -> None:
    found = {of: {one.name for one in fields(of)} - set(names) for of, names in MASKED_FIELDS.items()}
    assert found == OTHER_FIELDS


def test_what_is_below_a_run_is_masked() -> None:
    part = ConversationPart("text", SECRET, (Citation(SECRET, 0, len(SECRET), FileReference("f", SECRET)),))
    call = ToolCall("function", SECRET, outputs=(part,))
    run = RunRecord("r", error=SECRET, steps=(RunStep("s", "tool_calls", SECRET, calls=(call,)),))
    shown = masked((run,))
    assert "abcdef" in repr(run)
    assert "abcdef" not in repr(shown)
    citation = shown[0].steps[0].calls[0].outputs[0].citations[0]
    assert (citation.start, citation.end) == (0, len(citation.marker))


def test_an_unknown_record_is_refused() -> None:
    with pytest.raises(KeyError):
        masked(TokenUsage(1, 1, 2))
