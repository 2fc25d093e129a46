"""Read the bytes of a file of an archive as text, where they are text."""

from __future__ import annotations

import codecs

from migrate.archive.blobs import Blob, read_verified_chunks
from migrate.archive.connections import SqlConnection
from migrate.model.input_limits import MIB

# Bytes of a file that is read as text; it is in memory as a whole, because credentials in it are masked.
MAX_DECODED_FILE_BYTES = 8 * MIB
# A byte-order mark -> the encoding that it announces. Longer marks come first.
ENCODINGS_BY_MARK = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Control characters of texts: tab, line ends, form feed, and the escape of colours in logs.
_TEXT_CONTROLS = frozenset("\t\n\r\f\v\x1b")


def read_blob_text(conn: SqlConnection, blob: Blob) -> tuple[str, str] | None:
    """The text of a file and its encoding; None where its bytes are no text, or more than are read as text.
    Raises `ArchiveDamaged` where they are not the bytes that were stored."""
    if blob.size > MAX_DECODED_FILE_BYTES:
        return None
    return decode_text(b"".join(read_verified_chunks(conn, blob)))


def decode_text(data: bytes) -> tuple[str, str] | None:
    """Bytes as text, and the encoding: announced by a mark, else UTF-8, else Windows-1252 (a guess: most
    older files of offices are); None where they are no text."""
    announced = next((encoding for mark, encoding in ENCODINGS_BY_MARK if data.startswith(mark)), None)
    for encoding in (announced,) if announced else ("utf-8", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return (text, encoding) if _is_text(text) else None
    return None


def _is_text(text: str) -> bool:
    return not any(char < " " and char not in _TEXT_CONTROLS for char in text)
