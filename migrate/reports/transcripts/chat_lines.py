"""Transcripts as JSONL: one conversation a line, as chat messages for evaluations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.results.conversation import ConversationHead
from migrate.model.results.transcripts import IndexPage, TranscriptPage
from migrate.reports.transcripts.chat_messages import ChatMessages


class ChatLines:
    """All conversations in one file. Each line is written piece by piece: a thread may have 100,000
    messages."""

    name, extension, together = "jsonl", ".jsonl", "conversations.jsonl"
    page_messages: int | None = None
    index_rows = 1

    def assets(self) -> Mapping[str, str]:
        return {}

    def index(self, page: IndexPage) -> Iterator[str]:
        return iter(())

    def thread(self, page: TranscriptPage) -> Iterator[str]:
        """One line, with its end."""
        found = page.conversation()
        yield f'{_json(_facts(found.head))[:-1]}, "messages": ['
        chat = ChatMessages()
        for number, message in enumerate(chat.read(found.messages, found.trailing_runs)):
            yield f"{', ' if number else ''}{_json(message)}"
        yield f'], "runs": {_json(chat.runs)}, "other": {_json(chat.other)}}}\n'


def _facts(head: ConversationHead) -> dict[str, JSON]:
    """What is known of a thread besides its messages."""
    return {
        "id": head.id,
        "created_at": head.created_at or None,
        "source": {"type": head.estate_type, "url": head.url, "snapshot": head.snapshot},
        "complete": not head.gap,
        "gap": head.gap,
        "metadata": dict(head.metadata),
        "assistants": [{"id": id_, "name": name} for id_, name in head.assistants],
        "became": [asdict(new) for new in head.new_ids],
    }


def _json(value: JSON) -> str:
    """JSON in ASCII: no character of a text can end a line, whatever a reader takes for a line end."""
    return json.dumps(value, ensure_ascii=True, default=str)
