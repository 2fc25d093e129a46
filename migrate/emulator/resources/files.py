"""Files: uploaded as forms, listed as objects, downloaded as bytes. Both directions are streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack

from starlette.responses import Response, StreamingResponse

from migrate.emulator import pagination
from migrate.emulator.errors import ApiError, file_not_found, refuse
from migrate.emulator.resources import ingestion
from migrate.emulator.router import Call
from migrate.emulator.services import EXPIRY_PARTS
from migrate.emulator.state import Json, Table, new_id, now
from migrate.emulator.uploads import Blob, Field, Sink, Upload, read_form

FILE_ID_LENGTH = 22
NOT_DOWNLOADABLE = frozenset(
    {"assistants", "user_data", "evals", "fine-tune"}
)  # if Options.downloads is False


async def create(call: Call) -> Json:
    with ExitStack() as unused:
        form = _UploadForm(unused, call.service.upload_parts)
        await read_form(call.http.headers.get("content-type", ""), call.http.stream(), form.open_part)
        upload, filename, purpose, lifetime_s = form.checked(call)
        unused.pop_all()
    created_at = now()
    file: Json = {
        "object": "file",
        "id": new_id(call.service.file_prefixes.get(purpose, "file-"), FILE_ID_LENGTH),
        "purpose": purpose,
        "filename": filename,
        "bytes": upload.size,
        "created_at": created_at,
    }
    if lifetime_s or call.service.always_shows_file_expiry:
        file["expires_at"] = created_at + lifetime_s if lifetime_s else None
    file |= {"status": "processed", "status_details": None}
    call.estate.files[file["id"]] = file
    call.estate.content[file["id"]] = upload
    return file


class _UploadForm:
    """Collects the parts of an upload.

    A wrong part is refused after the whole form has been read: a client that still sends may miss the answer.
    """

    def __init__(self, unused: ExitStack, known_parts: frozenset[str]) -> None:
        self._unused = unused  # closes what has been received if the upload is refused
        self._known_parts = known_parts
        self._fields: dict[str, Field] = {}
        self._file: tuple[Upload, str] | None = None
        self._error: ApiError | None = None

    def open_part(self, name: str, filename: str | None) -> Sink:
        """Where the bytes of a part go."""
        if name not in self._known_parts:
            # (reported 2024-05)
            self._error = refuse(f"Additional properties are not allowed ('{name}' was unexpected)")
        elif name == "file" and filename is not None:
            upload = Upload()
            self._unused.callback(upload.close)
            self._file = upload, filename
            return upload
        self._fields[name] = Field()
        return self._fields[name]

    def checked(self, call: Call) -> tuple[Upload, str, str, int | None]:
        """The bytes, the file name, the purpose and the lifetime in seconds. Raises `ApiError`."""
        if self._error:
            raise self._error
        if self._file is None:
            raise refuse("'file' is a required property", param="file")
        if "purpose" not in self._fields:
            raise refuse("'purpose' is a required property", param="purpose")
        upload, filename = self._file
        if "filename" in self._fields:
            filename = self._text("filename")
        purpose = self._text("purpose")
        if purpose not in call.service.purposes:
            raise refuse(
                f"'{purpose}' is not one of {list(call.service.purposes)} - 'purpose'", param="purpose"
            )
        return upload, filename, purpose, self._lifetime_s(call)

    def _text(self, name: str) -> str:
        return self._fields[name].value.decode("utf-8", "replace")

    def _lifetime_s(self, call: Call) -> int | None:
        names = EXPIRY_PARTS & self._fields.keys()
        if not names:
            return None
        settings = {name.strip("]").replace("[", "."): self._text(name) for name in names}
        shortest, longest = call.service.file_expiry_s
        seconds = settings.get("expires_after.seconds", "")
        if settings.get("expires_after.anchor") != "created_at" or not seconds.isdecimal():
            raise refuse(
                "'expires_after' needs the anchor 'created_at' and whole 'seconds'", param="expires_after"
            )
        if not shortest <= int(seconds) <= longest:
            name = "expires_after.seconds"
            raise refuse(
                f"Invalid '{name}': expected {shortest} to {longest}, but got {seconds} instead.", param=name
            )
        return int(seconds)


def page(call: Call) -> Json:
    keep = pagination.equals("purpose", call.query.get("purpose"))
    return pagination.page(call.estate.files, call.query, keep=keep, limit=pagination.FILES_LIMIT)


def list_unpaged(call: Call) -> Json:
    """Classic agents list files without pages (description of v1), so parameters of a page are refused."""
    for name in call.query.keys() - {"api-version", "purpose"}:
        raise refuse(f"Unknown query parameter: '{name}'.", param=name, code="unknown_parameter")
    purpose = call.query.get("purpose")
    files = reversed(call.estate.files.oldest_first())
    return {"object": "list", "data": [file for file in files if purpose in (None, file.get("purpose"))]}


def read(call: Call, file_id: str) -> Json:
    return call.estate.files.require(file_id, file_not_found(file_id))


def check_exist(call: Call, file_ids: Iterable[str]) -> None:
    """Check references in the bodies of other objects. Raises `ApiError` for the first missing file."""
    for file_id in file_ids:
        read(call, file_id)


def content(call: Call, file_id: str) -> Response:
    """The bytes of a file, or the error for a purpose that cannot be downloaded (reported 2024)."""
    purpose = read(call, file_id).get("purpose")
    refused = call.service.not_downloadable
    if call.options.downloads is not None:
        refused = frozenset() if call.options.downloads else NOT_DOWNLOADABLE
    if purpose in refused:
        raise refuse(f"Not allowed to download files of purpose: {purpose}")
    blob = call.estate.content.get(file_id)
    if blob is None:
        raise file_not_found(file_id)
    headers = {"content-length": str(blob.size)}
    return StreamingResponse(_stream(blob), media_type="application/octet-stream", headers=headers)


async def _stream(blob: Blob) -> AsyncIterator[bytes]:
    # Asynchronous, so that it runs on the event loop and not in Starlette's threads: readers of one upload
    # share its file object.
    for chunk in blob.chunks():
        yield chunk


def delete(call: Call, file_id: str) -> Json:
    """Also remove the file from every vector store and code interpreter, as documented by the service."""
    read(call, file_id)
    estate = call.estate
    for store_id in list(estate.vector_store_files):
        ingestion.detach(estate, store_id, file_id)
    for table in (estate.assistants, estate.threads):
        _remove_from_interpreters(table, file_id)
    del estate.files[file_id]
    if blob := estate.content.pop(file_id, None):
        blob.close()
    return {"id": file_id, "object": "file", "deleted": True}


def _remove_from_interpreters(table: Table, file_id: str) -> None:
    for row in table.values():
        interpreter = (row.get("tool_resources") or {}).get("code_interpreter") or {}
        if file_id in (interpreter.get("file_ids") or ()):
            interpreter["file_ids"].remove(file_id)
