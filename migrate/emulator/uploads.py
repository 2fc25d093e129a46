"""Uploaded files: a multipart form is parsed while it arrives, and bytes are read and written in chunks.

Starlette parses forms with another package, which shortens file names that look like Windows paths. The
services keep such names, so the emulator must keep them byte for byte.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from migrate.emulator.errors import ApiError, refuse

MAX_HEADER_BYTES = 16 * 1024
MAX_FIELD_BYTES = 64 * 1024
MAX_BYTES_IN_MEMORY = 256 * 1024
CHUNK_BYTES = 64 * 1024

_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_DISPOSITION = re.compile(rb"^content-disposition:\s*form-data\s*(;.*)$", re.IGNORECASE | re.MULTILINE)
_ESCAPED = re.compile(rb'\\(["\\])')
_PARAMETER = re.compile(rb';\s*(name|filename)="((?:\\["\\]|[^"])*)"', re.IGNORECASE)


class Blob(Protocol):
    """The content of one file."""

    @property
    def size(self) -> int: ...
    def chunks(self) -> Iterator[bytes]: ...
    def read(self) -> bytes: ...
    def close(self) -> None: ...


class Upload:
    """Content received over HTTP. It moves to a temporary file without a name when it is large."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(MAX_BYTES_IN_MEMORY)  # noqa: SIM115 - see close()
        self.size = 0

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._file.write(chunk)
        self.size += len(chunk)

    def chunks(self) -> Iterator[bytes]:
        # Several readers may share the file object, so each keeps its own offset.
        for offset in range(0, self.size, CHUNK_BYTES):
            self._file.seek(offset)
            yield self._file.read(CHUNK_BYTES)

    def read(self) -> bytes:
        return b"".join(self.chunks())

    def close(self) -> None:
        self._file.close()


class SavedContent:
    """Content of a file in the folder of a saved state. The file is open only while it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        return self._path.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def read(self) -> bytes:
        return self._path.read_bytes()

    def close(self) -> None:
        """Nothing to close."""


class Sink(Protocol):
    """Receives the bytes of one part of a form."""

    def write(self, chunk: bytes) -> None: ...


@dataclass
class Field:
    """Keeps the short value of a form field. Raises `ApiError` if it is too long."""

    value: bytearray = field(default_factory=bytearray)

    def write(self, chunk: bytes) -> None:
        self.value += chunk
        if len(self.value) > MAX_FIELD_BYTES:
            raise _malformed("a field is too long")


# Called with the name of a part and its file name (None for a field); returns where its bytes go.
SinkFactory = Callable[[str, "str | None"], Sink]


def _malformed(reason: str) -> ApiError:
    return refuse(f"The multipart body could not be read: {reason}.")


async def read_form(content_type: str, chunks: AsyncIterator[bytes], open_sink: SinkFactory) -> None:
    """Write the bytes of every part of a multipart form to the sink that `open_sink` returns for it.

    Raises `ApiError` if the body is not a well-formed multipart form.
    """
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or not boundary:
        raise _malformed("expected multipart/form-data with a boundary")
    parser = _FormParser(b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1"), open_sink)
    async for chunk in chunks:
        parser.feed(chunk)
    if not parser.finished:
        raise _malformed("it ends before its last boundary")


class _FormParser:
    """Searches in turn for the end of a part's headers and for the end of its bytes."""

    def __init__(self, delimiter: bytes, open_sink: SinkFactory) -> None:
        self.finished = False
        self._delimiter = delimiter
        self._open_sink = open_sink
        self._buffer = bytearray(b"\r\n")  # so that the first boundary looks like all others
        self._sink: Sink | None = None  # of the current part; None before the first part
        self._in_headers = False

    def feed(self, chunk: bytes) -> None:
        self._buffer += chunk
        while not self.finished and (self._parse_headers() if self._in_headers else self._parse_bytes()):
            pass
        if self.finished:
            self._buffer.clear()  # what follows the last boundary has no meaning

    def _parse_bytes(self) -> bool:
        end = self._buffer.find(self._delimiter)
        if end >= 0:
            self._write(end)
            del self._buffer[: len(self._delimiter)]
            self._in_headers = True
            return True
        # The tail may be the beginning of a delimiter, so it stays until more bytes arrive.
        self._write(max(0, len(self._buffer) - len(self._delimiter) + 1))
        return False

    def _write(self, count: int) -> None:
        if count:
            if self._sink:
                self._sink.write(bytes(self._buffer[:count]))
            del self._buffer[:count]

    def _parse_headers(self) -> bool:
        if self._buffer.startswith(b"--"):
            self.finished = True
            return False
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise _malformed("the headers of a part are too long")
            return False
        self._open_part(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        self._in_headers = False
        return True

    def _open_part(self, headers: bytes) -> None:
        disposition = _DISPOSITION.search(headers)
        parameters = dict(_PARAMETER.findall(disposition[1])) if disposition else {}
        if b"name" not in parameters:
            raise _malformed("a part has no name")
        texts = {
            key: _ESCAPED.sub(rb"\1", text).decode("utf-8", "replace") for key, text in parameters.items()
        }
        self._sink = self._open_sink(texts[b"name"], texts.get(b"filename"))
