"""Take bytes of files from a folder, where a service never returns them."""

from __future__ import annotations

import hashlib
import ntpath
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path

from migrate.archive import blobs
from migrate.archive.blobs import Blob
from migrate.archive.database import Archive
from migrate.errors import BadUsage, OperationRefused
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


def find_originals(source: Estate, folder: Path) -> dict[str, Blob]:
    """The files of a snapshot whose bytes the archive lacks and a folder has, by id, with the bytes as they
    would be stored. Nothing is stored. Raises `BadUsage` where the folder is not one."""
    originals = Originals(folder)
    found: dict[str, Blob] = {}
    for file in source.objects("file").values():
        known = source.snapshot.blob(file.id)
        if known is not None and known.origin != BYTES_FROM_PARSED_TEXT:
            continue
        size = file.facts.get("bytes_reported", file.fields.get("bytes"))
        chunks = originals.find(file.name, size)
        if chunks is not None:
            found[file.id] = Blob(0, _hash_of(chunks), size or 0, BYTES_FROM_ORIGINAL)
    return found


def store_originals(archive: Archive, source: Estate, folder: Path, wanted: Mapping[str, Blob]) -> None:
    """Store bytes from a folder for files of a snapshot. `wanted`: file id -> bytes as they were found.

    Raises `OperationRefused` where the folder has other bytes by now; nothing is stored of that file."""
    originals = Originals(folder)
    for file_id, expected in wanted.items():
        file = source.objects("file")[file_id]
        chunks = originals.find(file.name, expected.size)
        if chunks is None or _hash_of(chunks) != expected.sha256:
            raise OperationRefused(
                f"{file.name} in {folder} is not what it was when the plan was made",
                "a plan is carried out with the bytes that it was made for",
                "run the same command again",
            )
        blob = blobs.store_blob(archive, originals.find(file.name, expected.size) or ())
        blobs.link_file_to_blob(archive, source.snapshot.endpoint, file_id, blob, BYTES_FROM_ORIGINAL)


def _hash_of(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for data in chunks:
        digest.update(data)
    return digest.hexdigest()
