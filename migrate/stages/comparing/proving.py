"""Files on a target in, which of them hold other bytes than they should out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.errors import NotDownloadable, NotThere, RequestFailed
from migrate.model import Entity
from migrate.stages.parallel import in_parallel
from migrate.stages.progress import Progress
from migrate.stages.reading.fetching import DOWNLOAD_ATTEMPTS, NAP

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


PROVEN = "files read back"


@dataclass
class Proof:
    """`wrong`: file, target id, why, and the hash that was found ('' where there was none). `unproven`:
    target ids whose bytes the service keeps to itself."""

    wrong: list[tuple[Entity, str, str, str]] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


def prove(files: list[tuple[Entity, str]], reader: Reader, workers: int, progress: Progress) -> Proof:
    """Read the bytes of every (file, target id) back and compare their hashes."""
    proof = Proof()
    absent: list[tuple[Entity, str, str, str]] = []
    progress.expect(PROVEN, len(files))
    progress.settled(PROVEN)

    def one(pair: tuple[Entity, str]) -> None:
        file, there = pair
        try:
            found = _hash_tried(reader, there)
        except NotDownloadable:
            proof.unproven.append(there)
        except NotThere as failed:
            absent.append((file, there, f"are not there: {failed}", ""))
        except RequestFailed as failed:
            proof.wrong.append((file, there, f"could not be read back: {failed}", ""))
        else:
            if found != file.fields["sha256"]:
                proof.wrong.append((file, there, "differ", found))
        progress.count(PROVEN)

    in_parallel(workers, files, one, reader.pace.stop)
    if len(absent) < len(files):  # a service that gives none at all keeps them; one that lacks some lost them
        proof.wrong += absent
    else:
        proof.unproven += [there for _, there, *_ in absent]
    return proof


def _hash_tried(reader: Reader, file_id: str) -> str:
    """The hash of a file's bytes; a download that breaks is begun again."""
    for attempt in range(DOWNLOAD_ATTEMPTS - 1):
        try:
            return _hash(reader, file_id)
        except (NotDownloadable, NotThere):
            raise
        except RequestFailed:
            reader.pace.nap(NAP * 2**attempt)
    return _hash(reader, file_id)


def _hash(reader: Reader, file_id: str) -> str:
    digest = hashlib.sha256()
    with reader.content(file_id) as chunks:
        for data in chunks:
            digest.update(data)
    return digest.hexdigest()
