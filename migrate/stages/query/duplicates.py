"""An estate in, objects that are as good as another out; the oldest of each group is the one they are like.

| kind | alike are |
|---|---|
| file | equal bytes by hash; where the bytes are not here, equal name and size, which is a guess |
| assistant | everything compared is equal, but for the name |
| vector_store | everything compared is equal, but for the name, and the files in it are the same |
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from migrate.model import Entity
from migrate.model.file import PARSED
from migrate.model.normalize import digest, normal
from migrate.model.timestamps import made_at
from migrate.stages.query.references import Usage


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
