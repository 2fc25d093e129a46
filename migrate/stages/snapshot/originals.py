"""A folder of original files, for bytes that a service takes but never gives back.

No service tells a checksum of a file, so an original is known by its name and its size.
"""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Iterator
from pathlib import Path

from migrate.errors import BadUsage

CHUNK = 1 << 18


class Originals:
    """The files below a folder; without a folder, nothing is ever found."""

    def __init__(self, folder: Path | None) -> None:
        self._files: dict[tuple[str, int], list[Path]] = {}
        if folder is None:
            return
        if not folder.is_dir():
            raise BadUsage(
                f"{folder} is not a folder", todo="--originals takes the folder that holds the files"
            )
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self._files.setdefault((path.name, path.stat().st_size), []).append(path)

    def find(self, name: str, size: int | None) -> Iterator[bytes] | None:
        """The bytes of the one file with this name and size; None where there is none, or where two
        with different content fit (a guess would be worse than a gap)."""
        if size is None:
            return None
        base = posixpath.basename(ntpath.basename(name))
        found = self._files.get((base, size), [])
        if not found or any(not _same(found[0], other) for other in found[1:]):
            return None
        return _chunks(found[0])


def _same(one: Path, other: Path) -> bool:
    return all(a == b for a, b in zip(_chunks(one), _chunks(other), strict=False))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            yield data
