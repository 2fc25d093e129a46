"""Read the bytes of files on a service and hash them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.errors import IncompleteResult, NoResponse, NotDownloadable, NotFound, RequestFailed
from migrate.model import Entity
from migrate.stages.concurrency.worker_pool import run_parallel
from migrate.stages.progress import Progress
from migrate.stages.snapshot.fetcher import DOWNLOAD_ATTEMPTS, DOWNLOAD_RETRY_DELAY_S

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

FILES_READ_BACK = "files read back"
FILES_COMPARED = "files of one name and size"


@dataclass
class FileHashCheck:
    """`wrong`: file, target id, why, and the hash that was found ('' where there was none). `unproven`:
    target ids whose bytes the service keeps to itself."""

    wrong: list[tuple[Entity, str, str, str]] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


def check_file_hashes(
    files: list[tuple[Entity, str]], reader: Reader, workers: int, progress: Progress
) -> FileHashCheck:
    """Read the bytes of every (file, target id) back and compare their hashes."""
    proof = FileHashCheck()
    absent: list[tuple[Entity, str, str, str]] = []
    progress.expect(FILES_READ_BACK, len(files))
    progress.total_known(FILES_READ_BACK)

    def one(pair: tuple[Entity, str]) -> None:
        file, there = pair
        try:
            found = _hash_with_retries(reader, there)
        except NotDownloadable:
            proof.unproven.append(there)
        except NotFound as failed:
            absent.append((file, there, f"are not there: {failed}", ""))
        except RequestFailed as failed:
            proof.wrong.append((file, there, f"could not be read back: {failed}", ""))
        else:
            if found != file.fields["sha256"]:
                proof.wrong.append((file, there, "differ", found))
        progress.count(FILES_READ_BACK)

    run_parallel(workers, files, one, reader.limiter.stop)
    if len(absent) < len(files):  # a service that gives none at all keeps them; one that lacks some lost them
        proof.wrong += absent
    else:
        proof.unproven += [there for _, there, *_ in absent]
    return proof


def read_hashes(reader: Reader, workers: int, progress: Progress, ids: Collection[str]) -> dict[str, str]:
    """Hashes of files of a service, of those whose bytes it gives back. Raises `IncompleteResult` where it
    did not answer, and may give them another time."""
    found: dict[str, str] = {}
    progress.expect(FILES_COMPARED, len(ids))
    progress.total_known(FILES_COMPARED)

    def one(id_: str) -> None:
        try:
            found[id_] = _hash_with_retries(reader, id_)
        except RequestFailed as failed:
            later = isinstance(failed, NoResponse) or failed.status == 429 or failed.status >= 500
            if later and not isinstance(failed, NotFound):
                raise IncompleteResult(
                    f"file {id_} on {reader.url} could not be read",
                    str(failed),
                    "try again; several have its name and size, and only their bytes tell them apart",
                ) from None
        progress.count(FILES_COMPARED)

    run_parallel(workers, ids, one, reader.limiter.stop)
    return found


def _hash_with_retries(reader: Reader, file_id: str) -> str:
    """The hash of a file's bytes; a download that breaks is begun again."""
    for attempt in range(DOWNLOAD_ATTEMPTS - 1):
        try:
            return _hash(reader, file_id)
        except (NotDownloadable, NotFound):
            raise
        except RequestFailed:
            reader.limiter.sleep(DOWNLOAD_RETRY_DELAY_S * 2**attempt)
    return _hash(reader, file_id)


def _hash(reader: Reader, file_id: str) -> str:
    digest = hashlib.sha256()
    with reader.content(file_id) as chunks:
        for data in chunks:
            digest.update(data)
    return digest.hexdigest()
