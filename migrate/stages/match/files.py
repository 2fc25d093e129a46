"""Match files by name, size and bytes, and check the bytes of files on a service.

Where a side has several files of the same name and size, they are matched by their bytes if the service
returns them, else by the stores and assistants that use them, if exactly one file is used there on each side.
The rest stays unmatched: a wrong guess would replace the content of a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.errors import IncompleteResult, NoResponse, NotDownloadable, NotFound, RequestFailed
from migrate.model import Entity
from migrate.model.file import normalize_filename
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.references import IdLookup, references_of
from migrate.stages.estate import Estate
from migrate.stages.progress import Progress
from migrate.stages.snapshot.fetcher import DOWNLOAD_ATTEMPTS, DOWNLOAD_RETRY_DELAY_S
from migrate.stages.worker_pool import run_parallel

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

# Ids of files on the right -> hashes of those whose bytes the service returns.
HashReader = Callable[[Collection[str]], Mapping[str, str]]
# File id -> the stores and assistants that use it.
FilePlaces = Mapping[str, Hashable]
# The places of the left side (in ids of the right), and of the right side.
SidePlaces = tuple[FilePlaces, FilePlaces]
# Files of equal name and size, on the left and on the right.
FileGroup = tuple[list[Entity], list[Entity]]
# How two files were matched.
MATCHED_BY_BYTES, MATCHED_BY_PLACE = "hash", "name and size"
# What progress counts.
FILES_READ_BACK, FILES_COMPARED = "files read back", "files of one name and size"


def file_name_key(file: Entity) -> str:
    """The name of a file as a key, equal before and after a move changed its extension to small letters."""
    name = normalize_entity(file).get("filename")
    return json_digest(normalize_filename(name) if isinstance(name, str) else name)


def name_and_size(file: Entity) -> Hashable:
    """The name and the size of a file as a key."""
    return file_name_key(file), file.fields.get("bytes")


def exact_name_and_size(file: Entity) -> Hashable:
    """The same with the extension as it is written: after a lost answer a file of this program is looked for,
    which has exactly the name that was sent."""
    return json_digest(normalize_entity(file).get("filename")), file.fields.get("bytes")


def reported_name_and_size(file: Entity) -> Hashable:
    """The same with the size that its service reported, whatever bytes the archive has."""
    return file.name, file.facts.get("bytes_reported", file.fields.get("bytes"))


@dataclass
class SameNameMatches:
    """The result for files of the same name and size.

    `pairs`: left id, right id, and how they were matched. `skip_ids`: ids of both sides that must not be
    paired otherwise. `ambiguous`: left id -> ids on the right of which one may be its copy."""

    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    skip_ids: set[str] = field(default_factory=set)
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)


def match_same_name_files(
    groups: Sequence[FileGroup], places: Sequence[SidePlaces], everywhere: bool, hashes: HashReader
) -> SameNameMatches:
    """Match the files of each group. `places`: the most exact first. Unless `everywhere`, only files that are
    used in the same places are compared. Only bytes of these files are read."""
    result = SameNameMatches()
    if not everywhere:
        groups = [group for group in (_in_shared_places(group, places[-1]) for group in groups) if all(group)]
    ids = [file.id for left, right in groups if any(map(_archived_hash, left)) for file in right]
    right_hashes = hashes(ids) if ids else {}
    for group in groups:
        _match_group(result, group, places, everywhere, right_hashes)
    return result


def same_name_groups(
    left: Iterable[Entity], right: Iterable[Entity], key: Callable[[Entity], Hashable]
) -> list[FileGroup]:
    """Groups of files of equal `key` that both sides have, and one side more than once."""
    groups: dict[Hashable, FileGroup] = {}
    for side, files in enumerate((left, right)):
        for file in files:
            groups.setdefault(key(file), ([], []))[side].append(file)
    return [group for group in groups.values() if all(group) and max(map(len, group)) > 1]


def file_holders(estate: Estate, lookup: IdLookup, exact: bool = False) -> dict[str, frozenset[Hashable]]:
    """File id -> the stores and assistants that use it, by their ids on the right, which `lookup` gives.

    `exact`: with its attributes in each store."""
    holders: dict[str, set[Hashable]] = {}
    for store in estate.objects("vector_store"):
        holder = "vector_store", lookup("vector_store", store) or ""
        if exact:
            for row in estate.iter_members("vector_store_file", store):
                attributes = json_digest(normalize_entity(row).get("attributes"))
                holders.setdefault(str(row.fields["file_id"]), set()).add((*holder, attributes))
            continue
        for file in estate.store_files[store]:
            holders.setdefault(file, set()).add(holder)
    for assistant in estate.objects("assistant").values():
        for _, kind, file in references_of(assistant):
            if kind == "file":
                holder = "assistant", lookup("assistant", assistant.id) or ""
                holders.setdefault(file, set()).add(holder)
    return {file: frozenset(places) for file, places in holders.items()}


def same_id(kind: str, id_: str) -> str:
    """Id lookup of the right side: every id stays as it is."""
    return id_


def _in_shared_places(group: FileGroup, places: SidePlaces) -> FileGroup:
    """The files of a group that are used in a place which both sides have."""
    used = [{places[side].get(file.id) for file in files} for side, files in enumerate(group)]
    shared = (used[0] & used[1]) - {None}
    left, right = (
        [file for file in files if places[side].get(file.id) in shared] for side, files in enumerate(group)
    )
    return left, right


def _match_group(
    result: SameNameMatches,
    group: FileGroup,
    places: Sequence[SidePlaces],
    everywhere: bool,
    right_hashes: Mapping[str, str],
) -> None:
    left = {file.id: _archived_hash(file) for file in group[0]}
    right = dict.fromkeys(file.id for file in group[1])
    anywhere: list[SidePlaces] = [(dict.fromkeys(left, ""), dict.fromkeys(right, ""))] if everywhere else []

    def take(pairs: Iterable[tuple[str, str]], key: str) -> None:
        for left_id, right_id in pairs:
            result.pairs.append((left_id, right_id, key))
            del left[left_id], right[right_id]

    for place in (*places, *anywhere):
        take(_pairs_by_bytes(left, right, place, right_hashes), MATCHED_BY_BYTES)
    unread = [id_ for id_ in right if id_ not in right_hashes]
    all_known = None not in left.values()
    if all_known:
        result.skip_ids |= right.keys() & right_hashes.keys()
        if len(set(left.values())) == 1 and len(left) == len(unread):
            return  # equal bytes on the left: none can take the place of another
    for place in places:
        take(list(_pairs_by_place(left, right, place, right_hashes)), MATCHED_BY_PLACE)
    result.skip_ids |= {*left, *right}
    for left_id, sha in left.items():
        if candidates := tuple(id_ for id_ in right if id_ not in right_hashes or sha is None):
            result.ambiguous[left_id] = candidates


def _pairs_by_bytes(
    left: Mapping[str, str | None], right: Iterable[str], places: SidePlaces, right_hashes: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Pairs of files with equal bytes in equal places."""
    waiting: dict[Hashable, list[str]] = {}
    for id_ in right:
        if id_ in right_hashes and id_ in places[1]:
            waiting.setdefault((right_hashes[id_], places[1][id_]), []).append(id_)
    pairs = []
    for id_, sha in left.items():
        if sha and id_ in places[0] and (candidates := waiting.get((sha, places[0][id_]))):
            pairs.append((id_, candidates.pop(0)))
    return pairs


def _pairs_by_place(
    left: Mapping[str, str | None], right: Iterable[str], places: SidePlaces, right_hashes: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Pairs of files that are alone in a place on both sides, unless their bytes are known to differ."""
    by_place: tuple[dict[Hashable, list[str]], dict[Hashable, list[str]]] = ({}, {})
    for side, ids in enumerate((left, right)):
        for id_ in ids:
            if id_ in places[side]:
                by_place[side].setdefault(places[side][id_], []).append(id_)
    for place, (left_id, *more) in by_place[0].items():
        candidates = [
            id_ for id_ in by_place[1].get(place, ()) if id_ not in right_hashes or left[left_id] is None
        ]
        if not more and len(candidates) == 1:
            yield left_id, candidates[0]


def _archived_hash(file: Entity) -> str | None:
    """The hash of the bytes that the archive has."""
    sha = file.fields.get("sha256")
    return str(sha) if sha else None


@dataclass
class FileHashCheck:
    """`wrong`: file, target id, why, and the hash that was read ('' where there was none). `unproven`: target
    ids whose bytes the service does not return."""

    wrong: list[tuple[Entity, str, str, str]] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


def check_file_hashes(
    files: list[tuple[Entity, str]], reader: Reader, workers: int, progress: Progress
) -> FileHashCheck:
    """Read the bytes of every (file, target id) and compare their hashes."""
    result = FileHashCheck()
    missing: list[tuple[Entity, str, str, str]] = []
    progress.expect(FILES_READ_BACK, len(files))
    progress.total_known(FILES_READ_BACK)

    def check(pair: tuple[Entity, str]) -> None:
        file, target_id = pair
        try:
            sha = _hash_with_retries(reader, target_id)
        except NotDownloadable:
            result.unproven.append(target_id)
        except NotFound as failed:
            missing.append((file, target_id, f"are not there: {failed}", ""))
        except RequestFailed as failed:
            result.wrong.append((file, target_id, f"could not be read back: {failed}", ""))
        else:
            if sha != file.fields["sha256"]:
                result.wrong.append((file, target_id, "differ", sha))
        progress.count(FILES_READ_BACK)

    run_parallel(workers, files, check, reader.limiter.stop)
    if len(missing) < len(files):  # a service that returns no bytes at all never does; some missing are lost
        result.wrong += missing
    else:
        result.unproven += [target_id for _, target_id, *_ in missing]
    return result


def read_hashes(reader: Reader, workers: int, progress: Progress, ids: Collection[str]) -> dict[str, str]:
    """Read files of a service and hash them; those whose bytes it does not return are left out.

    Raises `IncompleteResult` where it did not answer, and may return them at another time."""
    hashes: dict[str, str] = {}
    progress.expect(FILES_COMPARED, len(ids))
    progress.total_known(FILES_COMPARED)

    def read(id_: str) -> None:
        try:
            hashes[id_] = _hash_with_retries(reader, id_)
        except RequestFailed as failed:
            is_temporary = isinstance(failed, NoResponse) or failed.status == 429 or failed.status >= 500
            if is_temporary and not isinstance(failed, NotFound):
                raise IncompleteResult(
                    f"file {id_} on {reader.url} could not be read",
                    str(failed),
                    "try again; several have its name and size, and only their bytes distinguish them",
                ) from None
        progress.count(FILES_COMPARED)

    run_parallel(workers, ids, read, reader.limiter.stop)
    return hashes


def _hash_with_retries(reader: Reader, file_id: str) -> str:
    """The hash of a file's bytes; a download that breaks off is started again."""
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
