"""The bytes of files: written and read in pieces, never all in memory at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

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
