"""Parse a multipart body while it arrives; names are kept byte for byte.

Starlette can read forms through another package, which shortens file names that look like paths of Windows; a
service keeps them, and a rehearsal that did not would hide a difference.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from migrate.emulator.errors import ApiError, refuse

HEADER_LIMIT = 16 * 1024
FIELD_LIMIT = 64 * 1024

_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_DISPOSITION = re.compile(rb"^content-disposition:\s*form-data\s*(;.*)$", re.IGNORECASE | re.MULTILINE)
_ESCAPED = re.compile(rb'\\(["\\])')
_PARAMETER = re.compile(rb';\s*(name|filename)="((?:\\["\\]|[^"])*)"', re.IGNORECASE)


class Sink(Protocol):
    def write(self, piece: bytes) -> None: ...


@dataclass
class Part:
    """One part of a form: a file if it has a file name."""

    name: str
    filename: str | None
    sink: Sink


@dataclass
class Field:
    """A sink for the short values of a form."""

    value: bytearray = field(default_factory=bytearray)

    def write(self, piece: bytes) -> None:
        self.value += piece
        if len(self.value) > FIELD_LIMIT:
            raise malformed("a field is too long")


Opener = Callable[[str, "str | None"], Sink]  # told a part's name and file name, gives where its bytes belong


def malformed(why: str) -> ApiError:
    return refuse(f"The multipart body could not be read: {why}.")


async def read(content_type: str, pieces: AsyncIterator[bytes], opener: Opener) -> list[Part]:
    """Every part of the form, its bytes already in its sink."""
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or not found:
        raise malformed("expected multipart/form-data with a boundary")
    reader = _Reader(b"\r\n--" + (found[1] or found[2]).encode("latin-1"), opener)
    async for piece in pieces:
        reader.feed(piece)
    if not reader.finished:
        raise malformed("it ends before its last boundary")
    return reader.parts


class _Reader:
    """Alternates between two searches: for the end of a part's headers, and for the end of its bytes."""

    def __init__(self, delimiter: bytes, opener: Opener) -> None:
        self.parts: list[Part] = []
        self.finished = False
        self._delimiter = delimiter
        self._opener = opener
        self._waiting = bytearray(b"\r\n")  # so that the first boundary looks like all others
        self._sink: Sink | None = None  # the part being read; before the first there is none
        self._between = False

    def feed(self, piece: bytes) -> None:
        self._waiting += piece
        while not self.finished and (self._headers() if self._between else self._bytes()):
            pass
        if self.finished:
            self._waiting.clear()  # an epilogue means nothing

    def _bytes(self) -> bool:
        end = self._waiting.find(self._delimiter)
        if end >= 0:
            self._pass_on(end)
            del self._waiting[: len(self._delimiter)]
            self._between = True
            return True
        # The tail may be the beginning of a delimiter, so it stays until more has come.
        self._pass_on(max(0, len(self._waiting) - len(self._delimiter) + 1))
        return False

    def _pass_on(self, count: int) -> None:
        if count:
            if self._sink:
                self._sink.write(bytes(self._waiting[:count]))
            del self._waiting[:count]

    def _headers(self) -> bool:
        if self._waiting.startswith(b"--"):
            self.finished = True
            return False
        end = self._waiting.find(b"\r\n\r\n")
        if end < 0:
            if len(self._waiting) > HEADER_LIMIT:
                raise malformed("the headers of a part are too long")
            return False
        self._open(bytes(self._waiting[:end]))
        del self._waiting[: end + 4]
        self._between = False
        return True

    def _open(self, headers: bytes) -> None:
        disposition = _DISPOSITION.search(headers)
        given = dict(_PARAMETER.findall(disposition[1])) if disposition else {}
        if b"name" not in given:
            raise malformed("a part has no name")
        texts = {key: _ESCAPED.sub(rb"\1", value).decode("utf-8", "replace") for key, value in given.items()}
        name, filename = texts[b"name"], texts.get(b"filename")
        self._sink = self._opener(name, filename)
        self.parts.append(Part(name, filename, self._sink))


KEEP_IN_MEMORY = 256 * 1024
PIECE = 64 * 1024


class Blob(Protocol):
    """The content of one file."""

    @property
    def size(self) -> int: ...
    def pieces(self) -> Iterator[bytes]: ...
    def read(self) -> bytes: ...
    def close(self) -> None: ...


class Upload:
    """Content that came over the wire; it moves to a nameless temporary file once it is large."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(KEEP_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self.size = 0

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        self._file.write(piece)
        self.size += len(piece)

    def pieces(self) -> Iterator[bytes]:
        # Several readers may share the handle, so each keeps its own position.
        for offset in range(0, self.size, PIECE):
            self._file.seek(offset)
            yield self._file.read(PIECE)

    def read(self) -> bytes:
        return b"".join(self.pieces())

    def close(self) -> None:
        self._file.close()


class SavedContent:
    """Content that lies in a folder, opened only while somebody reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        return self._path.stat().st_size

    def pieces(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def read(self) -> bytes:
        return self._path.read_bytes()

    def close(self) -> None:
        """Nothing is held open."""
