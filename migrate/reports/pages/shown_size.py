"""How much a message takes on a page: its texts, and those of the runs before it."""

from __future__ import annotations

from collections.abc import Iterable

from migrate.model.results.conversation import ConversationMessage, ConversationPart, RunRecord
from migrate.reports.pages.part_view import MAX_SHOWN_CHARS

# What a part, a call or a citation takes besides its text, in characters.
CHARS_AROUND = 500


def shown_chars(message: ConversationMessage) -> int:
    """The characters that a page shows for a message, roughly."""
    listed = len(message.attachments) + len(message.metadata) + len(message.gaps) + len(message.new_ids) + 1
    return _parts_chars(message.parts) + sum(map(_run_chars, message.runs)) + listed * CHARS_AROUND


def _parts_chars(parts: Iterable[ConversationPart]) -> int:
    return sum(
        min(len(part.text), MAX_SHOWN_CHARS) + CHARS_AROUND * (1 + len(part.citations)) for part in parts
    )


def _run_chars(run: RunRecord) -> int:
    return CHARS_AROUND * (1 + len(run.steps)) + sum(
        min(len(call.input), MAX_SHOWN_CHARS) + _parts_chars(call.outputs) + CHARS_AROUND
        for step in run.steps
        for call in step.calls
    )
