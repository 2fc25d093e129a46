"""The tool that reads the text of a file."""

from __future__ import annotations

from migrate.archive.blobs import Blob, read_verified_chunks
from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.errors import BadUsage
from migrate.mcp.answers import QUOTED, TextSegment, cut_segments, quote
from migrate.mcp.tools import SNAPSHOT_PARAMETER, ArchiveTool, ToolParameter, ToolRequest, offset_parameter
from migrate.model import JSON
from migrate.model.file import BYTES_FROM_PARSED_TEXT
from migrate.model.file_text import MAX_FILE_CHARS, file_text
from migrate.model.utc_time import ISO_SECONDS, utc_text
from migrate.stages.object_lookup import ObjectLookup


def file_text_answer(request: ToolRequest) -> dict[str, JSON]:
    """The text of one file from a character on."""
    head, snapshot = request.head(), request.snapshot
    name, offset = request.text("file"), request.number("offset")
    found = ObjectLookup(snapshot.conn, snapshot).find_one(name, ("file",))
    if not found:
        raise BadUsage(
            f"snapshot {snapshot.info.id} has no file {name!r}{describe_other_snapshot(snapshot, name)}",
            todo="search finds files by name, as in kind:file WORD",
        )
    body = next(body for kind, _, body in snapshot.find(found.id) if kind == "file")
    blob = snapshot.blob(found.id)
    if blob is None:
        raise BadUsage(
            f"the archive does not have the bytes of file {found.id}", "; ".join(_gaps(request, found.id)), ""
        )
    text, is_cut = _text(request, found.id, blob)
    pieces, following, _ = cut_segments([TextSegment("text", text)], offset, request.room(head))
    goes_on = request.next_call(offset=following) if following is not None else None
    return {
        **head,
        "id": found.id,
        "bytes": blob.size,
        "created_at": utc_text(body.get("created_at"), ISO_SECONDS) or None,
        "is_text_that_a_vector_store_parsed": blob.origin == BYTES_FROM_PARSED_TEXT,
        "characters": len(text),
        **({"cut": f"the file is longer; {_extract_advice(request, found.id)}"} if is_cut else {}),
        QUOTED: {**quote(name=found.name, purpose=body.get("purpose")).get(QUOTED, {}), "pieces": pieces},
        "next": goes_on,
    }


def _text(request: ToolRequest, id_: str, blob: Blob) -> tuple[str, bool]:
    """The text of a file, masked, and whether something was cut off. Raises `BadUsage`."""
    read = file_text(read_verified_chunks(request.archive.conn, blob))
    if read is None:
        raise BadUsage(
            f"file {id_} cannot be read as text",
            f"its {blob.size:,} bytes are no text in UTF-8 or UTF-16",
            _extract_advice(request, id_),
        )
    return read


def _extract_advice(request: ToolRequest, id_: str) -> str:
    return f"a person can write it to disk: assistants-migrate extract {request.path.name} {id_}"


def _gaps(request: ToolRequest, id_: str) -> list[str]:
    return [gap.reason for gap in request.snapshot.missing() if (gap.kind, gap.id) == ("file", id_)]


FILE_TOOLS = (
    ArchiveTool(
        "get_file_text",
        "Read the text of a file",
        "Returns the text of a file whose bytes are in the archive and are text, or the text that a "
        f"vector store parsed out of a file where only that is there: its first {MAX_FILE_CHARS:,} "
        "characters. About 20,000 characters an answer; `next` has the offset of the next piece.",
        (
            ToolParameter("file", "text", "Its id, its name, or a beginning of its id.", required=True),
            SNAPSHOT_PARAMETER,
            offset_parameter("characters"),
        ),
        file_text_answer,
    ),
)
