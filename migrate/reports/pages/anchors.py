"""The place of a message inside its page."""

from __future__ import annotations

from urllib.parse import quote

from migrate.model.results.conversation import ConversationMessage


def message_anchor(message: ConversationMessage) -> str:
    """The id of the element of a message in a page: percent-encoded, so that it is its own address."""
    return f"m-{quote(message.id, safe='', errors='surrogatepass') or message.number}"
