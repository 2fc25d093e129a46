"""An estate in, what could be cleaned up out: every object with one clear reason, and what cannot be said.

| mark | means |
|---|---|
| orphan | names something that the estate does not have, or is a file that its store could not take in |
| unused | nothing that could use it names it, or has ever run it |
| expired | its service counts it as expired, or its time had passed when it was read |
| duplicate | says or holds what another, older one does |
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from migrate.model import Entity
from migrate.model.entity import made_at
from migrate.model.file import PARSED
from migrate.model.normalize import digest, normal
from migrate.model.vector_store import refusal
from migrate.stages.estate import Estate
from migrate.stages.query.references import Usage, usage

if TYPE_CHECKING:
    from typing import TypeGuard


@dataclass(frozen=True)
class Twin:
    """An object, the older one that it is like, and in what."""

    entity: Entity
    of: str
    why: str


def twins(found: Usage) -> Iterator[Twin]:
    """Every object that an older one makes superfluous. Each is compared by a fingerprint, once."""
    yield from _files(found.estate.of("file").values())
    assistants = [(_but_name(one), one) for one in found.estate.of("assistant").values()]
    for twin, first in _groups(assistants):
        yield Twin(twin, first.id, f"like {first.id}{_called(twin, first)}")
    for twin, first in _groups(_stores(found)):
        yield Twin(twin, first.id, f"like {first.id}{_called(twin, first)}, with the same files")


def _files(files: Iterable[Entity]) -> Iterator[Twin]:
    """Files by their hash first; one without is like any of its name and size."""
    rows = list(files)
    known = [(hash_, file) for file in rows if (hash_ := content_of(file))]
    told = set()
    for twin, first in _groups(known):
        told.add(twin.id)
        yield Twin(twin, first.id, f"the same bytes as {first.id}")
    rest = [((_called_of(f), _size(f)), f) for f in rows if f.id not in told and _called_of(f) and _size(f)]
    for twin, first in _groups(rest):
        if not (content_of(twin) and content_of(first)):
            yield Twin(
                twin, first.id, f"the same name and size as {first.id}, a guess: not all bytes are here"
            )


def content_of(file: Entity) -> str:
    """The hash of a file's own bytes, if they are here; text that was read out of it is not them."""
    return "" if file.facts.get("bytes_from") == PARSED else str(file.fields.get("sha256") or "")


def _stores(found: Usage) -> Iterator[tuple[str, Entity]]:
    """Stores with a fingerprint of themselves and their files. One without files is like nothing."""
    files = found.estate.of("file")
    for id_, rows in found.members.items():
        store = found.estate.of("vector_store")[id_]
        if rows and not store.derived_from:
            yield digest([_but_name(store), sorted(_row(row, files) for row in rows)]), store


def _row(row: Entity, files: dict[str, Entity]) -> str:
    said = normal(row)
    id_ = str(said.pop("file_id", row.id))
    file = files.get(id_)
    return digest([(content_of(file) if file else "") or id_, said])


def _but_name(entity: Entity) -> str:
    return digest({name: value for name, value in normal(entity).items() if name != "name"})


def _called(twin: Entity, first: Entity) -> str:
    return "" if twin.name == first.name else " but for the name"


def _called_of(file: Entity) -> str:
    return str(file.fields.get("filename") or "")


def _size(file: Entity) -> int:
    size = file.facts.get("bytes_told", file.fields.get("bytes"))
    return size if isinstance(size, int) else 0


def _groups(rows: Iterable[tuple[Hashable, Entity]]) -> Iterator[tuple[Entity, Entity]]:
    """Each object that has the key of an older one, with the oldest of that key."""
    groups: dict[Hashable, list[Entity]] = {}
    for key, entity in rows:
        groups.setdefault(key, []).append(entity)
    for group in groups.values():
        first = min(group, key=lambda one: made_at(one.facts, float("inf")))
        yield from ((one, first) for one in group if one is not first)


NAMED = 3
"""Things that are not there and are named in one reason."""
PROJECT = {"foundry": "foundry-classic", "foundry-classic": "foundry"}
"""Generations of one project: type -> the other, which uses the same files and stores."""
RUNLESS = {"foundry": "this service keeps no runs and does not say which agent answered"}
"""Types whose conversations do not tell who was at work."""
IN_CHATS = frozenset({"assistants", "assistants_output", "vision"})
"""Purposes of files that only assistants, threads and stores use; others belong to jobs that nobody reads."""


@dataclass(frozen=True)
class Finding:
    """One object, what it is, and why. `bytes`: what it costs, where the service tells; `of`: the one that
    a duplicate is like."""

    mark: str
    kind: str
    id: str
    parent: str
    name: str
    why: str
    bytes: int | None = None
    created_at: float | None = None
    of: str = ""


@dataclass(frozen=True)
class Unsaid:
    """What cannot be claimed, and which reading is missing for it."""

    text: str


@dataclass(frozen=True)
class Upkeep:
    """What was found, what cannot be claimed because a reading is missing, and what else to know."""

    findings: tuple[Finding, ...]
    unsaid: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Whole:
    """An estate with all its references, and those of the other generation of its project."""

    ours: Usage
    beside: Usage | None = None

    def gap(self, *kinds: str) -> str:
        """Why it cannot be known that nothing names an object, or ''."""
        gaps = [self.ours.gap(*kinds)]
        type_ = self.ours.estate.type
        if self.beside is not None:
            told = self.beside.gap(*kinds)
            gaps.append(f"in the {self.beside.estate.type} estate {told}" if told else "")
        elif type_ in PROJECT:
            gaps.append(
                f"the {PROJECT[type_]} estate of the project, which shares them, is not in the archive"
            )
        return "; ".join(filter(None, gaps))

    def named(self, kind: str, id_: str) -> bool:
        """Whether anything names an object."""
        return any((kind, id_) in each.named for each in (self.ours, self.beside) if each)


Found = Iterator["Finding | Unsaid | str"]
"""Findings, what cannot be said, and notes."""


def upkeep(estate: Estate, marks: Collection[str], beside: Estate | None = None) -> Upkeep:
    """Everything that carries one of the marks. `beside`: the other generation of the same project."""
    return of_usage(usage(estate), marks, usage(beside) if beside else None)


def of_usage(ours: Usage, marks: Collection[str], beside: Usage | None = None) -> Upkeep:
    """The same, of an estate that was walked already."""
    whole = Whole(ours, beside)
    found = [one for rule in RULES if rule.mark in marks for one in rule.find(whole)]
    rows = tuple(one for one in found if isinstance(one, Finding))
    unsaid = dict.fromkeys(one.text for one in found if isinstance(one, Unsaid))
    return Upkeep(rows, tuple(unsaid), tuple(one for one in found if isinstance(one, str)))


def _finding(mark: str, entity: Entity, why: str, of: str = "") -> Finding:
    made = made_at(entity.facts, 0.0) or None
    return Finding(mark, entity.kind, entity.id, entity.parent, entity.name, why, _bytes(entity), made, of)


def _bytes(entity: Entity) -> int | None:
    """What an object costs; of a file whose text alone is here, what the service tells."""
    told = entity.facts.get("bytes_told", entity.fields.get("bytes"))
    size = told if entity.kind == "file" else entity.facts.get("usage_bytes")
    return size if isinstance(size, int) and not isinstance(size, bool) else None


def _orphans(whole: Whole) -> Found:
    usage = whole.ours
    by_owner: dict[tuple[str, str, str], tuple[Entity, dict[str, None]]] = {}
    for lost in usage.dangling:
        entity, names = by_owner.setdefault(lost.entity.key, (lost.entity, {}))
        names[f"{lost.meant[0]} {lost.meant[1]}"] = None
    for entity, names in by_owner.values():
        told = ", ".join(list(names)[:NAMED])
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        yield _finding("orphan", entity, f"names {told}{more}, not there")
    for row in usage.refused:
        yield _finding("orphan", row, f"its store could not take it in: {refusal(row.facts)}")
    for kind in ("vector_store", "file", "assistant"):
        if usage.gap(kind):
            yield Unsaid(f"what names a {kind} that is not there: {usage.gap(kind)}")
    for kind in ("vector_store_file", "thread", "message"):
        if usage.gap(kind):
            yield Unsaid(f"what each {kind} names: {usage.gap(kind)}")


def _unused_stores(whole: Whole) -> Found:
    gap = whole.gap("assistant", "thread")
    if gap:
        yield Unsaid(f"unused vector stores: {gap}")
        return
    for store in whole.ours.estate.of("vector_store").values():
        if not whole.named("vector_store", store.id):
            yield _finding("unused", store, "no assistant and no thread names it")


def _unused_files(whole: Whole) -> Found:
    gap = whole.gap("vector_store", "vector_store_file", "assistant", "thread", "message", "run_step")
    if gap:
        yield Unsaid(f"unused files: {gap}")
        return
    others: dict[str, int] = {}
    for file in whole.ours.estate.of("file").values():
        if whole.named("file", file.id):
            continue
        purpose = str(file.fields.get("purpose"))
        if purpose in IN_CHATS:
            yield _finding("unused", file, "no vector store, assistant, thread or message names it")
        else:
            others[purpose] = others.get(purpose, 0) + 1
    for purpose, number in others.items():
        yield f"{number:,} files of purpose {purpose}: jobs that are not read may use them"


def _unused_assistants(whole: Whole) -> Found:
    usage = whole.ours
    gap = RUNLESS.get(usage.estate.type) or usage.gap("thread", "message", "run")
    if gap:
        yield Unsaid(f"unused assistants: {gap}")
        return
    for assistant in usage.estate.of("assistant").values():
        if assistant.id not in usage.worked and ("assistant", assistant.id) not in usage.named:
            yield _finding("unused", assistant, "no run or message is its work, and no assistant names it")


def _expired(whole: Whole) -> Found:
    estate = whole.ours.estate
    taken = _seconds(estate.snapshot.info.started_at)
    for kind in ("vector_store", "file"):
        for entity in estate.of(kind).values():
            until = entity.facts.get("expires_at")
            if entity.facts.get("status") == "expired":
                yield _finding("expired", entity, "its service says so")
            elif _is_time(until) and 0 < until <= taken:
                yield _finding("expired", entity, f"its time had passed: {_day(until)}")
        if estate.snapshot.scope(kind)[0] != "complete":
            yield Unsaid(f"expired {kind}s: {whole.ours.gap(kind)}")


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _duplicates(whole: Whole) -> Found:
    usage = whole.ours
    for twin in twins(usage):
        yield _finding("duplicate", twin.entity, twin.why, twin.of)
    if usage.gap("vector_store_file"):
        yield Unsaid(f"duplicates of vector stores: {usage.gap('vector_store_file')}")
    unhashed = [
        file
        for file in usage.estate.of("file").values()
        if not file.fields.get("sha256") or file.facts.get("bytes_from") == PARSED
    ]
    if unhashed:
        yield f"{len(unhashed):,} files whose bytes are not here were compared by name and size alone"


@dataclass(frozen=True)
class Rule:
    """One thing that is looked for: its mark, what it means, and what finds it."""

    mark: str
    means: str
    find: Callable[[Whole], Found]


RULES = (
    Rule("orphan", "names what is not there, or was not taken in by its store", _orphans),
    Rule("unused", "a vector store that no assistant and no thread names", _unused_stores),
    Rule("unused", "a file that no store, assistant, thread or message names", _unused_files),
    Rule("unused", "an assistant that never worked and that no assistant names", _unused_assistants),
    Rule("expired", "a vector store or file whose time has passed", _expired),
    Rule("duplicate", "holds or says what an older one does", _duplicates),
)
"""Everything that is looked for."""

MARKS = tuple(dict.fromkeys(rule.mark for rule in RULES))
