"""Take bytes of files from a folder, where a service never returns them."""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Iterator
from pathlib import Path

from migrate.archive import blobs
from migrate.archive.database import Archive
from migrate.errors import BadUsage
from migrate.model.file import BYTES_FROM_ORIGINAL, BYTES_FROM_PARSED_TEXT
from migrate.stages.estate import Estate

ORIGINAL_CHUNK_BYTES = 1 << 18


class Originals:
    """The files below a folder, found by name and size: no service reports a checksum. Without a folder there
    are none. Raises `BadUsage` where the folder is not one."""

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
        """The bytes of the one file with this name and size. None where there is none, or where two files
        with different content fit: a wrong file would be worse than a gap."""
        if size is None:
            return None
        base = posixpath.basename(ntpath.basename(name))
        paths = self._files.get((base, size), [])
        if not paths or any(not _same_content(paths[0], path) for path in paths[1:]):
            return None
        return _chunks(paths[0])


def _same_content(left: Path, right: Path) -> bool:
    return all(a == b for a, b in zip(_chunks(left), _chunks(right), strict=False))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(ORIGINAL_CHUNK_BYTES):
            yield data


def add_originals(archive: Archive, source: Estate, folder: Path) -> int:
    """Store bytes from a folder for the files of a snapshot whose bytes the archive lacks. Returns for how
    many. Raises `BadUsage` where the folder is not one."""
    originals = Originals(folder)
    endpoint = source.snapshot.endpoint
    added = 0
    for file in source.objects("file").values():
        known = source.snapshot.blob(file.id)
        if known is not None and known.origin != BYTES_FROM_PARSED_TEXT:
            continue
        chunks = originals.find(file.name, file.fields.get("bytes"))
        if chunks is not None:
            blob = blobs.store_blob(archive, chunks)
            blobs.link_file_to_blob(archive, endpoint, file.id, blob, BYTES_FROM_ORIGINAL)
            added += 1
    return added
