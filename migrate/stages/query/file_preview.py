"""What a page can show of a file: an image, the beginning of a text, or nothing."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from migrate.archive.blobs import Blob, next_chunk
from migrate.archive.connections import SqlConnection
from migrate.model.image_type import IMAGE_HEAD_BYTES, image_type_of

# Bytes of a text that are shown.
MAX_PREVIEW_BYTES = 60_000
# Control characters of texts: tab, line ends, form feed.
TEXT_CONTROL_CHARACTERS = frozenset("\t\n\r\f\v")


@dataclass(frozen=True)
class FilePreview:
    """`image_type`: of an image, proved by its first bytes; else ''. `text`: the beginning of a text; None
    where it is none. `is_cut`: the text is longer."""

    image_type: str = ""
    text: str | None = None
    is_cut: bool = False


def read_preview(conn: SqlConnection, blob: Blob) -> FilePreview:
    """What can be shown of stored bytes."""
    chunk = next_chunk(conn, blob.id)
    data = chunk[1] if chunk else b""
    if type_ := image_type_of(data[:IMAGE_HEAD_BYTES]):
        return FilePreview(type_)
    is_cut = blob.size > MAX_PREVIEW_BYTES
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data[:MAX_PREVIEW_BYTES], final=not is_cut)
    except UnicodeDecodeError:
        return FilePreview()
    if any(char < " " and char not in TEXT_CONTROL_CHARACTERS for char in text):
        return FilePreview()
    return FilePreview(text=text, is_cut=is_cut)
