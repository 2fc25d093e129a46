"""Write the bytes of files of a snapshot into a folder, and check their hashes.

Nothing is overwritten without `force`, nothing is written through a link, and a file appears under its name
only after its bytes were verified by their hash.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from migrate.archive.blobs import Blob, read_verified_chunks
from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs.adapt.files import PARSED_TEXT_SUFFIX
from migrate.errors import ArchiveDamaged, BadUsage, OperationRefused
from migrate.files.output import describe_unencodable_name, temporary_file_beside
from migrate.model.file import BYTES_FROM_PARSED_TEXT
from migrate.model.results.query import ExtractedFile, ExtractFailure, ExtractResult
from migrate.stages.object_lookup import ObjectLookup
from migrate.stages.safe_filenames import safe_names

# Existing files that a refusal lists.
MAX_EXISTING_NAMED = 5


@dataclass(frozen=True)
class _Job:
    id: str
    name: str
    blob: Blob

    @property
    def filename(self) -> str:
        """Its name in a folder. Parsed text gets an extension of its own, since it is not the file."""
        return f"{self.name}{PARSED_TEXT_SUFFIX}" if self.blob.origin == BYTES_FROM_PARSED_TEXT else self.name


def extract(snapshot: SnapshotReader, ids: Iterable[str], folder: Path, force: bool) -> ExtractResult:
    """Write the files with these ids, names or beginnings of ids, or without any all files with bytes. Raises
    `OperationRefused` before anything is written when a file exists already, and `BadUsage` when several fit
    one of them and when the folder cannot be created."""
    result = ExtractResult()
    lookup = ObjectLookup(snapshot.conn, snapshot)
    found_ids = (storable_text(lookup.resolve(text, ("file",))) for text in ids)
    jobs = list(_jobs(snapshot, tuple(dict.fromkeys(found_ids)), result))
    names = safe_names((job.id, job.filename) for job in jobs)
    if not force:
        _must_be_free([folder / name for name in names.values()])
    _make_folder(folder)
    for job in jobs:
        path = folder / names[job.id]
        try:
            _write(read_verified_chunks(snapshot.conn, job.blob), path, force)
        except ArchiveDamaged as damage:
            result.failed.append(ExtractFailure(job.id, job.name, f"{damage.what}: {damage.why}"))
        except FileExistsError:
            raise _already_exists([path.name]) from None
        except UnicodeEncodeError as error:
            reason = f"cannot write it: {describe_unencodable_name(error)}; set PYTHONUTF8=1"
            result.failed.append(ExtractFailure(job.id, job.name, reason))
        except OSError as error:
            result.failed.append(
                ExtractFailure(job.id, job.name, f"cannot write it: {error.strerror or error}")
            )
        else:
            row = ExtractedFile(job.id, job.name, path, job.blob.size, job.blob.sha256, job.blob.origin)
            result.written.append(row)
    return result


def _jobs(snapshot: SnapshotReader, ids: tuple[str, ...], result: ExtractResult) -> Iterator[_Job]:
    requested = set(ids)
    seen: set[str] = set()
    for _, body in snapshot.bodies("file"):
        id_, name = storable_text(str(body.get("id", ""))), str(body.get("filename") or "")
        if id_ in seen or (requested and id_ not in requested):
            continue
        seen.add(id_)
        blob = snapshot.blob(id_)
        if blob is not None:
            yield _Job(id_, name, blob)
        elif requested:
            result.failed.append(ExtractFailure(id_, name, "the archive does not have its bytes"))
    for id_ in ids:
        if id_ not in seen:
            reason = f"snapshot {snapshot.info.id} has no such file{describe_other_snapshot(snapshot, id_)}"
            result.failed.append(ExtractFailure(id_, "", reason, unknown=True))


def _must_be_free(paths: Iterable[Path]) -> None:
    existing = [path.name for path in paths if os.path.lexists(path)]
    if existing:
        raise _already_exists(existing)


def _already_exists(names: list[str]) -> OperationRefused:
    more = f" and {len(names) - MAX_EXISTING_NAMED} more" if len(names) > MAX_EXISTING_NAMED else ""
    return OperationRefused(
        f"{', '.join(names[:MAX_EXISTING_NAMED])}{more}: already there",
        "extract overwrites nothing",
        "give --dir another folder, or --force to replace them",
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadUsage(
            f"cannot create the folder {folder}", error.strerror or str(error), "choose another --dir"
        ) from None


def _write(chunks: Iterable[bytes], path: Path, force: bool) -> None:
    """Write a temporary file and rename it, so that the file appears complete and a link is not followed.
    Raises `FileExistsError` when another program created the file meanwhile."""
    with temporary_file_beside(path) as (temporary, handle):
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
        if force:
            temporary.replace(path)
        else:
            _move_into_place(temporary, path)


def _move_into_place(temporary: Path, path: Path) -> None:
    """Give the file its name, unless it is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: testing and renaming are two steps there
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        temporary.rename(path)
