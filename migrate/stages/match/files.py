"""Match files where a side has several of the same name and size.

By their bytes, where the service returns them; else by the stores and assistants that hold them, if exactly
one file lies there on each side. The rest stays unmatched: a wrong guess would replace the content of a file.
"""

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

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from migrate.model import KINDS
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.references import IdLookup, references_of
from migrate.stages.estate import Estate

# Ids of files on the right -> hashes of those whose bytes the service gives back.
HashReader = Callable[[Collection[str]], Mapping[str, str]]
# File id -> the stores and assistants that hold it.
FilePlaces = Mapping[str, Hashable]
# The places of the left side (in ids of the right), and of the right side.
SidePlaces = tuple[FilePlaces, FilePlaces]
FileGroup = tuple[list[Entity], list[Entity]]
# How two files were matched.
MATCHED_BY_BYTES, MATCHED_BY_PLACE = "hash", "name and size"


@dataclass
class SameNameMatches:
    """`found`: left id, right id, and how. `aside`: ids of both sides that are not to be paired otherwise.
    `unclear`: left id -> those on the right of which nobody can say whether one is its copy."""

    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    skip_ids: set[str] = field(default_factory=set)
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)


def match_same_name_files(
    groups: Sequence[FileGroup], places: Sequence[SidePlaces], everywhere: bool, hashes: HashReader
) -> SameNameMatches:
    """`places`: the closest first. Unless `everywhere`, only files that lie in the same places are compared.
    Bytes are read of these files alone."""
    found = SameNameMatches()
    if not everywhere:
        groups = [group for group in (_in_shared_places(group, places[-1]) for group in groups) if all(group)]
    asked = [e.id for ours, theirs in groups if any(map(_hash, ours)) for e in theirs]
    known = hashes(asked) if asked else {}
    for ours, theirs in groups:
        _match_group(found, (ours, theirs), places, everywhere, known)
    return found


def same_name_groups(
    ours: Iterable[Entity], theirs: Iterable[Entity], shape: Callable[[Entity], Hashable]
) -> list[FileGroup]:
    """Groups of files of equal `shape` that both sides have, and one side more than once."""
    found: dict[Hashable, FileGroup] = {}
    for side, files in enumerate((ours, theirs)):
        for file in files:
            found.setdefault(shape(file), ([], []))[side].append(file)
    return [group for group in found.values() if all(group) and max(map(len, group)) > 1]


def file_holders(estate: Estate, there: IdLookup, closely: bool = False) -> dict[str, frozenset[Hashable]]:
    """File id -> the stores and assistants that hold it, by their ids on the right. `closely`: with its
    attributes in each store."""
    held: dict[str, set[Hashable]] = {}
    for store in estate.objects("vector_store"):
        where = "vector_store", there("vector_store", store) or ""
        if closely:
            for row in estate.iter_members("vector_store_file", store):
                attributes = json_digest(normalize_entity(row).get("attributes"))
                held.setdefault(str(row.fields["file_id"]), set()).add((*where, attributes))
            continue
        for file in estate.store_files[store]:
            held.setdefault(file, set()).add(where)
    for assistant in estate.objects("assistant").values():
        for _, kind, file in references_of(KINDS["assistant"], assistant):
            if kind == "file":
                held.setdefault(file, set()).add(("assistant", there("assistant", assistant.id) or ""))
    return {file: frozenset(where) for file, where in held.items()}


def same_id(kind: str, id_: str) -> str:
    """Id lookup of the right side: every id stays as it is."""
    return id_


def _in_shared_places(group: FileGroup, place: SidePlaces) -> FileGroup:
    """The files of a group that lie in a place which both sides have."""
    both = {place[0].get(e.id) for e in group[0]} & {place[1].get(e.id) for e in group[1]} - {None}
    ours, theirs = ([e for e in side if place[n].get(e.id) in both] for n, side in enumerate(group))
    return ours, theirs


def _match_group(
    apart: SameNameMatches,
    group: FileGroup,
    places: Sequence[SidePlaces],
    everywhere: bool,
    known: Mapping[str, str],
) -> None:
    left = {e.id: _hash(e) for e in group[0]}
    right = dict.fromkeys(e.id for e in group[1])
    anywhere: list[SidePlaces] = [(dict.fromkeys(left, ""), dict.fromkeys(right, ""))] if everywhere else []
    for place in (*places, *anywhere):
        for one, other in _by_bytes(left, right, place, known):
            apart.pairs.append((one, other, MATCHED_BY_BYTES))
            del left[one], right[other]
    unread = [id_ for id_ in right if id_ not in known]
    apart.skip_ids |= right.keys() & known.keys() if None not in left.values() else set()
    if len(set(left.values()) - {None}) == 1 and None not in left.values() and len(left) == len(unread):
        return  # all of them are the same to us, so none can take the place of another
    for place in places:
        for one, other in _by_place(left, right, place, known):
            apart.pairs.append((one, other, MATCHED_BY_PLACE))
            del left[one], right[other]
    apart.skip_ids |= {*left, *right}
    for one, sha in left.items():
        if there := tuple(id_ for id_ in right if id_ not in known or sha is None):
            apart.ambiguous[one] = there


def _by_bytes(
    left: Mapping[str, str | None], right: Iterable[str], place: SidePlaces, known: Mapping[str, str]
) -> list[tuple[str, str]]:
    waiting: dict[Hashable, list[str]] = {}
    for id_ in right:
        if id_ in known and id_ in place[1]:
            waiting.setdefault((known[id_], place[1][id_]), []).append(id_)
    found = []
    for id_, sha in left.items():
        if sha and id_ in place[0] and (there := waiting.get((sha, place[0][id_]))):
            found.append((id_, there.pop(0)))
    return found


def _by_place(
    left: Mapping[str, str | None], right: Iterable[str], place: SidePlaces, known: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Pairs of files that are alone in a place on both sides, unless their bytes are known to differ."""
    ours: dict[Hashable, list[str]] = {}
    theirs: dict[Hashable, list[str]] = {}
    for side, ids, found in ((0, left, ours), (1, right, theirs)):
        for id_ in ids:
            if id_ in place[side]:
                found.setdefault(place[side][id_], []).append(id_)
    for where, (one, *more) in ours.items():
        there = [id_ for id_ in theirs.get(where, ()) if id_ not in known or left[one] is None]
        if not more and len(there) == 1:
            yield one, there[0]


def _hash(file: Entity) -> str | None:
    found = file.fields.get("sha256")
    return str(found) if found else None


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
            return read_file_hash(reader, file_id)
        except (NotDownloadable, NotFound):
            raise
        except RequestFailed:
            reader.limiter.sleep(DOWNLOAD_RETRY_DELAY_S * 2**attempt)
    return read_file_hash(reader, file_id)


def read_file_hash(reader: Reader, file_id: str) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal. Raises `RequestFailed`."""
    digest = hashlib.sha256()
    with reader.content(file_id) as chunks:
        for data in chunks:
            digest.update(data)
    return digest.hexdigest()
