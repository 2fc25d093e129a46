"""The table of files, one file with what uses it, and its bytes."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from migrate.archive.hashes import storable_text
from migrate.codecs.adapt.files import PARSED_TEXT_SUFFIX
from migrate.model.file import BYTES_FROM_DOWNLOAD, BYTES_FROM_ORIGINAL, BYTES_FROM_PARSED_TEXT
from migrate.model.search_query import SearchQuery
from migrate.model.secrets import mask_text
from migrate.serve.page_request import PageNotFound, PageRequest
from migrate.serve.pages.object_page import object_page
from migrate.serve.pages.object_rows import find_shown_object, read_rows
from migrate.serve.sent_bytes import sent_chunks
from migrate.stages.query.file_preview import read_preview
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.text_search import is_indexed, search_index
from migrate.stages.safe_filenames import safe_name

# Where bytes are from, in words.
ORIGIN_TEXTS = {
    BYTES_FROM_DOWNLOAD: "as the service returned them",
    BYTES_FROM_ORIGINAL: "from a folder of originals",
    BYTES_FROM_PARSED_TEXT: "only the text that a vector store read out of the file",
}
# An image is shown by itself, and can load and run nothing.
IMAGE_POLICY = "default-src 'none'; sandbox"


def files_page(request: PageRequest) -> Response:
    """The table of files."""
    table = read_rows(request, "file")
    blobs = {row.entity.id: request.snapshot.blob(row.entity.id) for row in table.rows}
    return request.answer(
        "files.html.j2", "files", table=table, blobs=blobs, parsed_origin=BYTES_FROM_PARSED_TEXT
    )


def file_page(request: PageRequest) -> Response:
    """One file."""
    shown = find_shown_object(request, "file")
    entity = shown.entity
    blob = request.snapshot.blob(entity.id)
    preview = read_preview(request.snapshot.conn, blob) if blob else None
    quote = request.query.get("quote", "").strip()
    missing = [gap for gap in request.snapshot.missing() if (gap.kind, gap.id) == ("file", entity.id)]
    return object_page(
        request,
        "file.html.j2",
        "files",
        shown,
        blob=blob,
        origin=ORIGIN_TEXTS.get(blob.origin, blob.origin) if blob else "",
        is_parsed=blob is not None and blob.origin == BYTES_FROM_PARSED_TEXT,
        why_missing=missing[0].reason if missing else "",
        preview=preview,
        shown_text=mark_quote(preview.text, quote) if preview and preview.text is not None else (),
        quote=quote,
        messages=_messages_with(request, entity.id),
    )


def mark_quote(text: str, quote: str) -> tuple[str, str, str]:
    """A text without credentials in three parts: before, in and behind the first place of a quote, whatever
    blanks it has there. The last two are empty where the quote is not in the text."""
    text, words = mask_text(text), quote.split()
    found = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    if found is None:
        return text, "", ""
    return text[: found.start()], found[0], text[found.end() :]


def _messages_with(request: PageRequest, file_id: str) -> str | None:
    """How many messages attach or cite a file; None without an index."""
    if not is_indexed(request.snapshot) or '"' in file_id:
        return None
    query = SearchQuery(files=(file_id,), kinds=("message",))
    return search_index(request.snapshot, query, limit=1).count_text


def file_content_page(request: PageRequest) -> Response:
    """The bytes of a file: as a download; in the page only an image whose bytes prove that it is one."""
    id_ = storable_text(request.id)
    blob = request.snapshot.blob(id_)  # also of a file that was deleted before this snapshot
    if blob is None:
        find_shown_object(request, "file")
        raise PageNotFound(
            "the archive does not have the bytes of this file",
            todo="`snapshot --originals DIR` takes bytes from a folder",
        )
    headers = {"content-length": str(blob.size), "content-security-policy": IMAGE_POLICY}
    type_ = "application/octet-stream"
    image_type = read_preview(request.snapshot.conn, blob).image_type
    if request.query.get("inline") and image_type:
        type_, headers["content-disposition"] = image_type, "inline"
    else:
        suffix = PARSED_TEXT_SUFFIX if blob.origin == BYTES_FROM_PARSED_TEXT else ""
        name = safe_name(f"{mask_text(NamedObjects(request.snapshot).file(id_).name)}{suffix}", id_)
        headers["content-disposition"] = attachment_header(name)
    return StreamingResponse(sent_chunks(request.access, blob), media_type=type_, headers=headers)


def attachment_header(name: str) -> str:
    """`Content-Disposition` with a safe name, also for clients that know ASCII only (RFC 6266)."""
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
