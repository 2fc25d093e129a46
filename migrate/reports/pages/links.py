"""Where the parts of a conversation lead: `serve` has addresses, a folder of transcripts has files."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from migrate.model.results.conversation import ConversationMessage, FileReference


class ConversationLinks(Protocol):
    """Addresses for one conversation. Each is '' where there is nothing to lead to."""

    def file(self, file: FileReference) -> str:
        """The bytes of a file, or a page about it."""

    def image(self, file: FileReference) -> str:
        """An image that is shown in the page; called only for files whose bytes are an image."""

    def message(self, message: ConversationMessage) -> str:
        """The lasting address of a message."""

    def assistant(self, id_: str) -> str:
        """A page about an assistant."""

    def whole_text(self, message: ConversationMessage | None, text: str) -> str:
        """A text that is too long for the page. `message` is None in a run behind the last one."""


def message_anchor(message: ConversationMessage) -> str:
    """The id of the element of a message in a page: percent-encoded, so that it is its own address."""
    return f"m-{quote(message.id, safe='', errors='surrogatepass') or message.number}"


class PageOnlyLinks:
    """Links inside one page, with nothing beside it."""

    def file(self, file: FileReference) -> str:
        return ""

    def image(self, file: FileReference) -> str:
        return ""

    def message(self, message: ConversationMessage) -> str:
        return f"#{message_anchor(message)}"

    def assistant(self, id_: str) -> str:
        return ""

    def whole_text(self, message: ConversationMessage | None, text: str) -> str:
        return ""
