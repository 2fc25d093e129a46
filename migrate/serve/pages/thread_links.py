"""Where the parts of a conversation lead in the pages of a snapshot."""

from __future__ import annotations

from migrate.model.results.conversation import ConversationMessage, FileReference
from migrate.model.results.transcripts import ConversationLinks
from migrate.serve.addresses import PageLinks

# Characters of a cited passage in an address.
MAX_ADDRESS_QUOTE_CHARS = 400


class ThreadLinks(ConversationLinks):
    """Addresses for the conversation of one thread."""

    def __init__(self, links: PageLinks, thread: str) -> None:
        self._links, self._thread = links, thread

    def file(self, file: FileReference) -> str:
        """The page of a file; '' where the snapshot does not have the file."""
        return self._links.file(file.id) if file.id and (file.name or file.has_bytes) else ""

    def cited(self, file: FileReference, quote: str) -> str:
        """The page of a file, where a passage is marked."""
        return self._links.file(file.id, quote=quote[:MAX_ADDRESS_QUOTE_CHARS])

    def image(self, file: FileReference) -> str:
        """An image that is shown in the page."""
        return self._links.file_content(file.id, inline=True)

    def message(self, message: ConversationMessage) -> str:
        """The lasting address of a message: it does not depend on its place in the thread."""
        if not message.id:
            return self._links.thread(self._thread, **{"from": message.number})
        return self._links.message(self._thread, message.id)

    def assistant(self, id_: str) -> str:
        """The page of an assistant."""
        return self._links.assistant(id_) if id_ else ""

    def whole_text(self, message: ConversationMessage | None, text: str) -> str:
        """The message as the service returned it, which has the whole text."""
        if message is None or not message.id:
            return ""
        return self._links.message_body(self._thread, message.id)
