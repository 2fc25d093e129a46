"""Where the parts of a conversation lead: `serve` has addresses, a folder of transcripts has files."""

from __future__ import annotations

from urllib.parse import quote

from migrate.model.results.conversation import ConversationMessage, FileReference


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
        return ""

    def assistant(self, id_: str) -> str:
        return ""

    def whole_text(self, message: ConversationMessage | None, text: str) -> str:
        return ""
