"""Find objects that could be deleted, each with one reason, and what cannot be decided.

orphan      refers to an object that the estate does not have, or is a file that its vector store could
            not index
unused      no object refers to it, and no run used it
expired     the service reports it as expired, or its expiry time had passed when it was read
duplicate   has the same content as an older object
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from migrate.model import Entity
from migrate.model.entity import creation_time
from migrate.model.file import BYTES_FROM_PARSED_TEXT
from migrate.model.first_of import first_of
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.results.query import CleanupFinding, CleanupResult
from migrate.model.vector_store import ingestion_error
from migrate.stages.estate import Estate
from migrate.stages.query.references import Usage, read_usage

if TYPE_CHECKING:
    from typing import TypeGuard


def _find_duplicates(usage: Usage) -> Iterator[tuple[Entity, Entity, str]]:
    """Every object that duplicates an older one, with that one, and in which respect. Objects are compared by
    fingerprints."""
    yield from _duplicate_files(list(usage.estate.objects("file").values()))
    assistants = [(_digest_without_name(e), e) for e in usage.estate.objects("assistant").values()]
    for twin, first in _newer_and_oldest(assistants):
        yield twin, first, f"like {first.id}{_name_difference(twin, first)}"
    for twin, first in _newer_and_oldest(_store_digests(usage)):
        yield twin, first, f"like {first.id}{_name_difference(twin, first)}, with the same files"


def _duplicate_files(files: list[Entity]) -> Iterator[tuple[Entity, Entity, str]]:
    """Files by their hash first; a file without a hash by name and size."""
    hashed = [(hash_, file) for file in files if (hash_ := content_hash(file))]
    paired = set()
    for twin, first in _newer_and_oldest(hashed):
        paired.add(twin.id)
        yield twin, first, f"the same bytes as {first.id}"
    unpaired = (file for file in files if file.id not in paired and _file_name(file) and _size(file))
    for twin, first in _newer_and_oldest(((_file_name(file), _size(file)), file) for file in unpaired):
        if not (content_hash(twin) and content_hash(first)):
            yield twin, first, f"the same name and size as {first.id}, a guess: not all bytes are here"


def content_hash(file: Entity) -> str:
    """The hash of the bytes of a file, if the archive has them. Parsed text has another hash."""
    return (
        "" if file.facts.get("bytes_from") == BYTES_FROM_PARSED_TEXT else str(file.fields.get("sha256") or "")
    )


def _store_digests(usage: Usage) -> Iterator[tuple[str, Entity]]:
    """Vector stores with a fingerprint of their settings and files, without empty ones."""
    files = usage.estate.objects("file")
    for id_, rows in usage.members.items():
        store = usage.estate.objects("vector_store")[id_]
        if rows and not store.derived_from:
            yield (
                json_digest(
                    [_digest_without_name(store), sorted(_member_digest(row, files) for row in rows)]
                ),
                store,
            )


def _member_digest(row: Entity, files: Mapping[str, Entity]) -> str:
    fields = normalize_entity(row)
    id_ = str(fields.pop("file_id", row.id))
    file = files.get(id_)
    return json_digest([(content_hash(file) if file else "") or id_, fields])


def _digest_without_name(entity: Entity) -> str:
    return json_digest({name: value for name, value in normalize_entity(entity).items() if name != "name"})


def _name_difference(twin: Entity, first: Entity) -> str:
    return "" if twin.name == first.name else " but for the name"


def _file_name(file: Entity) -> str:
    return str(file.fields.get("filename") or "")


def _size(file: Entity) -> int:
    size = file.facts.get("bytes_reported", file.fields.get("bytes"))
    return size if isinstance(size, int) else 0


def _newer_and_oldest(rows: Iterable[tuple[Hashable, Entity]]) -> Iterator[tuple[Entity, Entity]]:
    """Each object that has the key of an older one, with the oldest of that key."""
    groups: dict[Hashable, list[Entity]] = {}
    for key, entity in rows:
        groups.setdefault(key, []).append(entity)
    for group in groups.values():
        oldest = min(group, key=lambda entity: creation_time(entity.facts, float("inf")))
        yield from ((entity, oldest) for entity in group if entity is not oldest)


# Maximum number of references to missing objects that one reason lists.
MAX_REFERENCES_NAMED = 3
# Type -> type of the other generation of the same project, which shares files and vector stores.
OTHER_GENERATION = {"foundry": "foundry-classic", "foundry-classic": "foundry"}
# Types whose conversations do not record which agent answered.
TYPES_WITHOUT_RUNS = {"foundry": "this service keeps no runs and does not say which agent answered"}
# Purposes of files that only assistants, threads and stores use. Jobs that use other files are not read.
CHAT_FILE_PURPOSES = frozenset({"assistants", "assistants_output", "vision"})


@dataclass(frozen=True)
class UnprovenClaim:
    """A claim that cannot be proven, with the listing that is missing."""

    text: str


@dataclass(frozen=True)
class ProjectUsage:
    """The references of an estate, and those of the other generation of its project (`sibling`)."""

    usage: Usage
    sibling: Usage | None = None

    def gap(self, *kinds: str) -> str:
        """Why it is unknown whether nothing refers to an object, or ''."""
        gaps = [self.usage.gap(*kinds)]
        type_ = self.usage.estate.type
        if self.sibling is not None:
            gap = self.sibling.gap(*kinds)
            gaps.append(f"in the {self.sibling.estate.type} estate {gap}" if gap else "")
        elif type_ in OTHER_GENERATION:
            other_type = OTHER_GENERATION[type_]
            gaps.append(f"the {other_type} estate of the project, which shares them, is not in the archive")
        return "; ".join(filter(None, gaps))

    def is_referenced(self, kind: str, id_: str) -> bool:
        """Whether anything refers to an object."""
        return any((kind, id_) in usage.referenced for usage in (self.usage, self.sibling) if usage)


# Findings, claims that cannot be proven, and notes.
_CleanupItems = Iterator["CleanupFinding | UnprovenClaim | str"]


def find_cleanup(estate: Estate, marks: Collection[str], sibling: Estate | None = None) -> CleanupResult:
    """Every object with one of the marks. `sibling`: the other generation of the same project."""
    return find_cleanup_in_usage(read_usage(estate), marks, read_usage(sibling) if sibling else None)


def find_cleanup_in_usage(usage: Usage, marks: Collection[str], sibling: Usage | None) -> CleanupResult:
    """Every object with one of the marks, in an estate whose references were read already."""
    project = ProjectUsage(usage, sibling)
    items = [item for mark, find in CLEANUP_RULES if mark in marks for item in find(project)]
    findings = tuple(item for item in items if isinstance(item, CleanupFinding))
    unproven = dict.fromkeys(item.text for item in items if isinstance(item, UnprovenClaim))
    return CleanupResult(findings, tuple(unproven), tuple(item for item in items if isinstance(item, str)))


def _finding(mark: str, entity: Entity, why: str, of: str = "") -> CleanupFinding:
    created_at = creation_time(entity.facts, 0.0) or None
    return CleanupFinding(
        mark, entity.kind, entity.id, entity.parent, entity.name, why, _bytes(entity), created_at, of
    )


def _bytes(entity: Entity) -> int | None:
    """The size of an object. For a file with parsed text only: the size that the service reports."""
    file_size = entity.facts.get("bytes_reported", entity.fields.get("bytes"))
    size = file_size if entity.kind == "file" else entity.facts.get("usage_bytes")
    return size if isinstance(size, int) and not isinstance(size, bool) else None


def _orphans(project: ProjectUsage) -> _CleanupItems:
    usage = project.usage
    by_owner: dict[tuple[str, str, str], tuple[Entity, dict[str, None]]] = {}
    for owner, (kind, id_) in usage.dangling:
        entity, names = by_owner.setdefault(owner.key, (owner, {}))
        names[f"{kind} {id_}"] = None
    for entity, names in by_owner.values():
        yield _finding("orphan", entity, f"names {first_of([*names], MAX_REFERENCES_NAMED)}, not there")
    for row in usage.failed_files:
        yield _finding("orphan", row, f"the vector store could not index it: {ingestion_error(row.facts)}")
    for kind in ("vector_store", "file", "assistant"):
        if usage.gap(kind):
            yield UnprovenClaim(f"references to a missing {kind}: {usage.gap(kind)}")
    for kind in ("vector_store_file", "thread", "message"):
        if usage.gap(kind):
            yield UnprovenClaim(f"what each {kind} names: {usage.gap(kind)}")


def _unused_stores(project: ProjectUsage) -> _CleanupItems:
    gap = project.gap("assistant", "thread")
    if gap:
        yield UnprovenClaim(f"unused vector stores: {gap}")
        return
    for store in project.usage.estate.objects("vector_store").values():
        if not project.is_referenced("vector_store", store.id):
            yield _finding("unused", store, "no assistant and no thread refers to it")


def _unused_files(project: ProjectUsage) -> _CleanupItems:
    gap = project.gap("vector_store", "vector_store_file", "assistant", "thread", "message", "run_step")
    if gap:
        yield UnprovenClaim(f"unused files: {gap}")
        return
    others: dict[str, int] = {}
    for file in project.usage.estate.objects("file").values():
        if project.is_referenced("file", file.id):
            continue
        purpose = str(file.fields.get("purpose"))
        if purpose in CHAT_FILE_PURPOSES:
            yield _finding("unused", file, "no vector store, assistant, thread or message refers to it")
        else:
            others[purpose] = others.get(purpose, 0) + 1
    for purpose, number in others.items():
        yield f"{number:,} files of purpose {purpose}: jobs that are not read may use them"


def _unused_assistants(project: ProjectUsage) -> _CleanupItems:
    usage = project.usage
    gap = TYPES_WITHOUT_RUNS.get(usage.estate.type) or usage.gap("thread", "message", "run")
    if gap:
        yield UnprovenClaim(f"unused assistants: {gap}")
        return
    for assistant in usage.estate.objects("assistant").values():
        if (
            assistant.id not in usage.active_assistants
            and ("assistant", assistant.id) not in usage.referenced
        ):
            yield _finding(
                "unused", assistant, "no run or message was made by it, and no assistant refers to it"
            )


def _expired(project: ProjectUsage) -> _CleanupItems:
    estate = project.usage.estate
    taken = _seconds(estate.snapshot.info.started_at)
    for kind in ("vector_store", "file"):
        for entity in estate.objects(kind).values():
            until = entity.facts.get("expires_at")
            if entity.facts.get("status") == "expired":
                yield _finding("expired", entity, "the service reports it as expired")
            elif _is_time(until) and 0 < until <= taken:
                yield _finding("expired", entity, f"its time had passed: {_day(until)}")
        if estate.snapshot.listing_state(kind)[0] != "complete":
            yield UnprovenClaim(f"expired {kind}s: {project.usage.gap(kind)}")


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _duplicates(project: ProjectUsage) -> _CleanupItems:
    usage = project.usage
    for twin, first, why in _find_duplicates(usage):
        yield _finding("duplicate", twin, why, first.id)
    if usage.gap("vector_store_file"):
        yield UnprovenClaim(f"duplicates of vector stores: {usage.gap('vector_store_file')}")
    unhashed = [
        file
        for file in usage.estate.objects("file").values()
        if not file.fields.get("sha256") or file.facts.get("bytes_from") == BYTES_FROM_PARSED_TEXT
    ]
    if unhashed:
        yield f"{len(unhashed):,} files whose bytes are not here were compared by name and size alone"


# Mark and function of every rule.
CLEANUP_RULES: tuple[tuple[str, Callable[[ProjectUsage], _CleanupItems]], ...] = (
    ("orphan", _orphans),
    ("unused", _unused_stores),
    ("unused", _unused_files),
    ("unused", _unused_assistants),
    ("expired", _expired),
    ("duplicate", _duplicates),
)

CLEANUP_MARKS = tuple(dict.fromkeys(mark for mark, _ in CLEANUP_RULES))
