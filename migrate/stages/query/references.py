"""Find all references in an estate. Messages and runs are read once and not held in memory.

An incomplete listing proves nothing: `gap` says which listing was not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.history import absence_gap
from migrate.model import KINDS, Entity
from migrate.model.entity import usability
from migrate.model.references import references_of
from migrate.stages.estate import Estate

# Kind and id.
ObjectKey = tuple[str, str]

# References that may mean a file of a container, which no listing has: they use, and never dangle.
CONTAINER_FILE_PATHS = frozenset({"content[].text.annotations[].file_id"})
DELETED_WHILE_READ = "it was deleted while the snapshot was read"
# Kind -> where it says which assistant was at work.
ASSISTANT_ID_SOURCE = {"run": "fields", "message": "facts"}


@dataclass(frozen=True)
class DanglingReference:
    """A reference to an object that does not exist."""

    entity: Entity
    path: str
    meant: ObjectKey


@dataclass
class ThreadGroup:
    """Threads with the same references: how many, and the first of them."""

    first: Entity
    count: int = 0


@dataclass
class Usage:
    """`named`: everything that something names; `edges`: which assistant or store names what; `folds`:
    threads by what they, their messages and their runs name; `worked`: assistants that a run or a message
    tells of."""

    estate: Estate
    referenced: set[ObjectKey] = field(default_factory=set)
    edges: dict[tuple[ObjectKey, ObjectKey], None] = field(default_factory=dict)
    thread_groups: dict[frozenset[ObjectKey], ThreadGroup] = field(default_factory=dict)
    active_assistants: set[str] = field(default_factory=set)
    dangling: list[DanglingReference] = field(default_factory=list)
    failed_files: list[Entity] = field(default_factory=list)
    """Files that their store holds and could not take in."""
    members: dict[str, list[Entity]] = field(default_factory=dict)
    """Store id -> its files, of stores whose files were all read."""
    gaps: dict[str, str] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)

    def gap(self, *kinds: str) -> str:
        """Why not all objects of these kinds were read, or ''."""
        reasons = (f"{self.gaps[kind]}{self._more(kind)}" for kind in kinds if kind in self.gaps)
        return "; ".join(reasons)

    def _more(self, kind: str) -> str:
        number = self.more.get(kind, 0)
        return f" (and {number:,} more)" if number else ""

    def exists(self, named: ObjectKey) -> bool:
        """Whether an object of a small kind is in the estate."""
        return named[1] in self.estate.objects(named[0])


def read_usage(estate: Estate) -> Usage:
    """Read the whole estate once and collect its references."""
    found = Usage(estate)
    for kind in ("file", "vector_store", "assistant", "thread"):
        _is_read_whole(found, kind, "")
    for assistant in estate.objects("assistant").values():
        _add_references(found, assistant, ("assistant", assistant.id))
    for store in estate.objects("vector_store").values():
        _add_store(found, store)
    for thread in estate.iter_threads():
        _add_thread(found, thread)
    return found


def _add_store(found: Usage, store: Entity) -> None:
    whole = store.derived_from or _is_read_whole(found, "vector_store_file", store.id)
    rows = found.estate.members("vector_store_file", storable_text(store.id))
    if whole:
        found.members[store.id] = rows
    for row in rows:
        names = _add_references(found, row, ("vector_store", store.id))
        if usability(row) != "usable" and all(map(found.exists, names)):
            found.failed_files.append(row)


def _add_thread(found: Usage, thread: Entity) -> None:
    hangs_on = dict(_add_references(found, thread))
    for kind in ("message", "run"):
        _is_read_whole(found, kind, thread.id)
        for entity in found.estate.iter_members(kind, storable_text(thread.id)):
            if kind == "message":
                hangs_on.update(_add_references(found, entity))
            worker = getattr(entity, ASSISTANT_ID_SOURCE[kind]).get("assistant_id")
            if isinstance(worker, str) and worker:
                found.active_assistants.add(worker)
                if found.exists(("assistant", worker)):
                    hangs_on["assistant", worker] = None
    _add_run_steps(found, thread)
    fold = found.thread_groups.setdefault(frozenset(hangs_on), ThreadGroup(thread))
    fold.count += 1


def _add_run_steps(found: Usage, thread: Entity) -> None:
    """Files that the steps of runs made, or found something in. They use; what is gone by now dangles
    nowhere, since a step tells what was. Steps that nobody asked for are no gap."""
    if found.estate.snapshot.listing_state("run_step", storable_text(thread.id))[0] not in ("", "complete"):
        _is_read_whole(found, "run_step", thread.id)
    for step in found.estate.iter_members("run_step", storable_text(thread.id)):
        meant = ((kind, id_) for _, kind, id_ in references_of(KINDS["run_step"], step) if kind == "file")
        found.referenced.update(filter(found.exists, meant))


def _add_references(found: Usage, entity: Entity, owner: ObjectKey | None = None) -> dict[ObjectKey, None]:
    """Note every reference of an object, and give back what it names. `owner` is what a picture draws it
    as."""
    names: dict[ObjectKey, None] = {}
    for path, kind, id_ in references_of(KINDS[entity.kind], entity):
        meant = (kind, id_)
        if not found.exists(meant):
            if path in CONTAINER_FILE_PATHS:
                continue
            if kind not in found.gaps:
                found.dangling.append(DanglingReference(entity, path, meant))
        names[meant] = None
    found.referenced.update(names)
    if owner:
        found.edges.update({(owner, meant): None for meant in names if meant != owner})
    return names


def _is_read_whole(found: Usage, kind: str, parent: str) -> bool:
    """Whether a listing was read whole; the first that was not is named, the others are counted."""
    snapshot = found.estate.snapshot
    state, reason = snapshot.listing_state(kind, storable_text(parent))
    why = reason or DELETED_WHILE_READ if state == "gone" else absence_gap(snapshot.info, kind, state, reason)
    if why and kind in found.gaps:
        found.more[kind] = found.more.get(kind, 0) + 1
    elif why:
        where = f" of {parent}" if parent else ""
        found.gaps[kind] = f"not all {KINDS[kind].plural.replace('_', ' ')}{where} were read: {why}"
    return not why
