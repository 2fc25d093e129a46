"""Find all references in an estate. Messages and runs are read once and not kept in memory.

An incomplete listing proves nothing about absence: `Usage.gap` says which listing was not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.history import absence_gap
from migrate.model import KINDS, Entity
from migrate.model.entity import ObjectKey, usability
from migrate.model.references import references_of
from migrate.stages.estate import Estate

# References that may mean a file of a container, which is in no listing: they never count as dangling.
CONTAINER_FILE_PATHS = frozenset({"content[].text.annotations[].file_id"})
DELETED_WHILE_READ = "it was deleted while the snapshot was read"
# Kind -> the part of an entity with the id of the assistant that answered.
ASSISTANT_ID_SOURCE = {"run": "fields", "message": "facts"}


@dataclass
class ThreadGroup:
    """Threads with the same references: how many, and the first of them."""

    first: Entity
    count: int = 0


@dataclass
class Usage:
    """All references of an estate.

    `referenced`: objects to which another refers. `edges`: which assistant or store refers to which object.
    `thread_groups`: threads by the objects to which they, their messages and their runs refer.
    `active_assistants`: assistants of runs and messages. `dangling`: objects, each with an object that it
    names and that does not exist. `failed_files`: files that their vector store could
    not index. `members`: id of a store -> its files, where all were read. `gaps`: kind -> why not all were
    read. `more_gaps`: how many further gaps a kind has."""

    estate: Estate
    referenced: set[ObjectKey] = field(default_factory=set)
    edges: dict[tuple[ObjectKey, ObjectKey], None] = field(default_factory=dict)
    thread_groups: dict[frozenset[ObjectKey], ThreadGroup] = field(default_factory=dict)
    active_assistants: set[str] = field(default_factory=set)
    dangling: list[tuple[Entity, ObjectKey]] = field(default_factory=list)
    failed_files: list[Entity] = field(default_factory=list)
    members: dict[str, list[Entity]] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)
    more_gaps: dict[str, int] = field(default_factory=dict)

    def gap(self, *kinds: str) -> str:
        """Why not all objects of these kinds were read, or ''."""
        reasons = (f"{self.gaps[kind]}{self._more(kind)}" for kind in kinds if kind in self.gaps)
        return "; ".join(reasons)

    def _more(self, kind: str) -> str:
        number = self.more_gaps.get(kind, 0)
        return f" (and {number:,} more)" if number else ""

    def exists(self, key: ObjectKey) -> bool:
        """Whether a file, vector store or assistant is in the estate."""
        return key[1] in self.estate.objects(key[0])


def read_usage(estate: Estate) -> Usage:
    """Read the whole estate once and collect its references."""
    usage = Usage(estate)
    for kind in ("file", "vector_store", "assistant", "thread"):
        _is_complete(usage, kind, "")
    for assistant in estate.objects("assistant").values():
        _add_references(usage, assistant, ("assistant", assistant.id))
    for store in estate.objects("vector_store").values():
        _add_store(usage, store)
    for thread in estate.iter_threads():
        _add_thread(usage, thread)
    return usage


def _add_store(usage: Usage, store: Entity) -> None:
    complete = store.derived_from or _is_complete(usage, "vector_store_file", store.id)
    rows = usage.estate.members("vector_store_file", storable_text(store.id))
    if complete:
        usage.members[store.id] = rows
    for row in rows:
        keys = _add_references(usage, row, ("vector_store", store.id))
        if usability(row) != "usable" and all(map(usage.exists, keys)):
            usage.failed_files.append(row)


def _add_thread(usage: Usage, thread: Entity) -> None:
    references = dict(_add_references(usage, thread))
    for kind in ("message", "run"):
        _is_complete(usage, kind, thread.id)
        for entity in usage.estate.iter_members(kind, storable_text(thread.id)):
            if kind == "message":
                references.update(_add_references(usage, entity))
            worker = getattr(entity, ASSISTANT_ID_SOURCE[kind]).get("assistant_id")
            if isinstance(worker, str) and worker:
                usage.active_assistants.add(worker)
                if usage.exists(("assistant", worker)):
                    references["assistant", worker] = None
    _add_run_steps(usage, thread)
    group = usage.thread_groups.setdefault(frozenset(references), ThreadGroup(thread))
    group.count += 1


def _add_run_steps(usage: Usage, thread: Entity) -> None:
    """Add the files that run steps created or searched. A file that does not exist any more is not dangling:
    a step describes the past. Steps that were not requested are no gap."""
    if usage.estate.snapshot.listing_state("run_step", storable_text(thread.id))[0] not in ("", "complete"):
        _is_complete(usage, "run_step", thread.id)
    for step in usage.estate.iter_members("run_step", storable_text(thread.id)):
        files = ((kind, id_) for _, kind, id_ in references_of(step) if kind == "file")
        usage.referenced.update(filter(usage.exists, files))


def _add_references(usage: Usage, entity: Entity, owner: ObjectKey | None = None) -> dict[ObjectKey, None]:
    """Add every reference of an object, and return them. `owner`: the node of a diagram for it."""
    keys: dict[ObjectKey, None] = {}
    for path, kind, id_ in references_of(entity):
        key = (kind, id_)
        if not usage.exists(key):
            if path in CONTAINER_FILE_PATHS:
                continue
            if kind not in usage.gaps:
                usage.dangling.append((entity, key))
        keys[key] = None
    usage.referenced.update(keys)
    if owner:
        usage.edges.update({(owner, key): None for key in keys if key != owner})
    return keys


def _is_complete(usage: Usage, kind: str, parent: str) -> bool:
    """Whether a listing was read completely. The first gap of a kind is described, the others are counted."""
    snapshot = usage.estate.snapshot
    state, reason = snapshot.listing_state(kind, storable_text(parent))
    why = reason or DELETED_WHILE_READ if state == "gone" else absence_gap(snapshot.info, kind, state, reason)
    if why and kind in usage.gaps:
        usage.more_gaps[kind] = usage.more_gaps.get(kind, 0) + 1
    elif why:
        where = f" of {parent}" if parent else ""
        usage.gaps[kind] = f"not all {KINDS[kind].plural.replace('_', ' ')}{where} were read: {why}"
    return not why
