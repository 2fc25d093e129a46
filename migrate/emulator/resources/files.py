"""Files: uploaded as forms, listed as objects, downloaded as bytes; both ways are streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack

from starlette.responses import Response, StreamingResponse

from migrate.emulator import pagination, state, uploads
from migrate.emulator.errors import ApiError, no_file, refuse
from migrate.emulator.resources import ingestion
from migrate.emulator.router import Call
from migrate.emulator.services import EXPIRY_PARTS
from migrate.emulator.state import Json, Table, now
from migrate.emulator.uploads import Blob, Upload

ID_LENGTH = 22
REFUSED_WHEN_CLOSED = frozenset({"assistants", "user_data", "evals", "fine-tune"})


async def create(call: Call) -> Json:
    with ExitStack() as unused:
        form = Form(unused, call.service.upload_parts)
        await uploads.read(call.http.headers.get("content-type", ""), call.http.stream(), form.open)
        upload, filename, purpose, lifetime = form.checked(call)
        unused.pop_all()
    moment = now()
    file: Json = {
        "object": "file",
        "id": state.new(call.service.file_prefixes.get(purpose, "file-"), ID_LENGTH),
        "purpose": purpose,
        "filename": filename,
        "bytes": upload.size,
        "created_at": moment,
    }
    if lifetime or call.service.files_always_say_expiry:
        file["expires_at"] = moment + lifetime if lifetime else None
    file |= {"status": "processed", "status_details": None}
    call.estate.files[file["id"]] = file
    call.estate.content[file["id"]] = upload
    return file


class Form:
    """Collects the parts of an upload. After a wrong part the rest is read too, or the answer is lost."""

    def __init__(self, unused: ExitStack, known: frozenset[str]) -> None:
        self._unused = unused
        self._known = known
        self._fields: dict[str, uploads.Field] = {}
        self._file: tuple[Upload, str] | None = None
        self._wrong: ApiError | None = None

    def open(self, name: str, filename: str | None) -> uploads.Sink:
        if name not in self._known:
            # (reported 2024-05)
            self._wrong = refuse(f"Additional properties are not allowed ('{name}' was unexpected)")
        elif name == "file" and filename is not None:
            upload = Upload()
            self._unused.callback(upload.close)
            self._file = upload, filename
            return upload
        found = self._fields[name] = uploads.Field()
        return found

    def checked(self, call: Call) -> tuple[Upload, str, str, int | None]:
        """The bytes, file name, purpose and lifetime in seconds."""
        if self._wrong:
            raise self._wrong
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
        return upload, filename, purpose, self._lifetime(call)

    def _text(self, name: str) -> str:
        return self._fields[name].value.decode("utf-8", "replace")

    def _lifetime(self, call: Call) -> int | None:
        given = {
            name.strip("]").replace("[", "."): self._text(name) for name in EXPIRY_PARTS & self._fields.keys()
        }
        if not given:
            return None
        least, most = call.service.file_expiry
        seconds = given.get("expires_after.seconds", "")
        if given.get("expires_after.anchor") != "created_at" or not seconds.isdecimal():
            raise refuse(
                "'expires_after' needs the anchor 'created_at' and whole 'seconds'", param="expires_after"
            )
        if not least <= int(seconds) <= most:
            raise refuse(
                f"Invalid 'expires_after.seconds': expected {least} to {most}, but got {seconds} instead.",
                param="expires_after.seconds",
            )
        return int(seconds)


def page(call: Call) -> Json:
    purpose = call.query.get("purpose")
    return pagination.page(
        call.estate.files,
        call.query,
        keep=(lambda file: file.get("purpose") == purpose) if purpose else None,
        limit=pagination.FILES_PAGE,
    )


def everything(call: Call) -> Json:
    """Classic agents list files unpaged (description of v1); a page nobody would give is not promised."""
    for name in call.query.keys() - {"api-version", "purpose"}:
        raise refuse(f"Unknown query parameter: '{name}'.", param=name, code="unknown_parameter")
    purpose = call.query.get("purpose")
    files = (call.estate.files[place.id] for place in reversed(call.estate.files.order))
    return {"object": "list", "data": [file for file in files if purpose in (None, file.get("purpose"))]}


def read(call: Call, file_id: str) -> Json:
    try:
        return call.estate.files[file_id]
    except KeyError:
        raise no_file(file_id) from None


def must_exist(call: Call, wanted: Iterable[str]) -> None:
    """For the references in other objects' bodies."""
    for file_id in wanted:
        read(call, file_id)


def content(call: Call, file_id: str) -> Response:
    purpose = read(call, file_id).get("purpose")
    closed = {None: call.service.not_downloadable, True: frozenset[str](), False: REFUSED_WHEN_CLOSED}
    if purpose in closed[call.options.downloads]:
        # (reported 2024)
        raise refuse(f"Not allowed to download files of purpose: {purpose}")
    blob = call.estate.content.get(file_id)
    if blob is None:
        raise no_file(file_id)
    headers = {"content-length": str(blob.size)}
    return StreamingResponse(_streamed(blob), media_type="application/octet-stream", headers=headers)


async def _streamed(blob: Blob) -> AsyncIterator[bytes]:
    """On the loop, not in Starlette's threads: readers of one upload share its handle."""
    for piece in blob.pieces():
        yield piece


def delete(call: Call, file_id: str) -> Json:
    """Takes the file out of every store and code interpreter too, as the service's documents say."""
    read(call, file_id)
    estate = call.estate
    for store_id in list(estate.vector_store_files):
        ingestion.detach(estate, store_id, file_id)
    for table in (estate.assistants, estate.threads):
        _forget_in(table, file_id)
    del estate.files[file_id]
    if blob := estate.content.pop(file_id, None):
        blob.close()
    return {"id": file_id, "object": "file", "deleted": True}


def _forget_in(table: Table, file_id: str) -> None:
    for row in table.values():
        interpreter = (row.get("tool_resources") or {}).get("code_interpreter") or {}
        if file_id in (interpreter.get("file_ids") or ()):
            interpreter["file_ids"].remove(file_id)
