"""The text of a file that is text, up to a limit: what is searched of it."""

from __future__ import annotations

from collections.abc import Iterable

from migrate.model.document_texts import MAX_CREDENTIAL_CHARS, TextDocument, TextField
from migrate.model.secrets import mask_text

# Characters of one file that are indexed.
MAX_FILE_CHARS = 1 << 20
# A character takes at most so many bytes in UTF-8 and UTF-16; so much of a file is read.
MAX_FILE_BYTES_READ = 4 * MAX_FILE_CHARS
# How texts in UTF-16 begin.
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Control characters that texts have.
TEXT_CONTROLS = frozenset("\t\n\r\f\x0b\x1b\x85")


def file_text(chunks: Iterable[bytes]) -> tuple[str, bool] | None:
    """The text of a file, masked, and whether something was cut off; None where the bytes are no text.

    A text is UTF-8, or UTF-16 with its mark, without control characters."""
    data, is_cut = bytearray(), False
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_FILE_BYTES_READ:
            data, is_cut = data[:MAX_FILE_BYTES_READ], True
            break
    text = _decode(bytes(data))
    if text is None or any(char < " " and char not in TEXT_CONTROLS for char in set(text[:4096])):
        return None
    if len(text) > MAX_FILE_CHARS:
        text, is_cut = text[:MAX_FILE_CHARS], True
    if is_cut:  # at a blank, so that no half of a credential is left, which nothing would recognize
        blank = max(text.rfind(" "), text.rfind("\n"))
        text = text[: max(blank, len(text) - MAX_CREDENTIAL_CHARS, 0)]
    return mask_text(text), is_cut


def _decode(data: bytes) -> str | None:
    encoding = "utf-16" if data[:2] in UTF_16_MARKS else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        # The end may be half of a character, where the file was cut.
        if len(data) < MAX_FILE_BYTES_READ or error.start < len(data) - 4:
            return None
        return data[: error.start].decode(encoding)


def content_document(file_id: str, text: str) -> TextDocument:
    """The document of a file's text."""
    return TextDocument([TextField("content", text)], files=[file_id])
