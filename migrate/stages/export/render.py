"""An estate's configuration in, the texts of a config directory out, by what they are about.

Every id becomes a key on the way, so the same configuration gives the same texts wherever it lay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from migrate.codecs.config_directory import TYPE, compose, keys
from migrate.codecs.config_directory.variables import Backward
from migrate.model import KINDS, Entity
from migrate.model.file import as_served
from migrate.model.references import refs_of, remap
from migrate.stages.config_directory.select import Configured
from migrate.stages.estate import Estate

Ids = Mapping[tuple[str, str], str]
"""(kind, id) -> key."""


@dataclass
class Rendered:
    """`texts`: (kind, key) -> the text of its file; `files`: key -> file; `sources`: key of a file -> id."""

    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[str, Entity] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def render(estate: Estate, held: Configured, backward: Backward) -> Rendered:
    """The texts of assistants and stores, and the entries of files."""
    named = {
        kind: [backward.taken_off(e) for e in estate.of(kind).values() if held.holds(kind, e.id)]
        for kind in ("assistant", "vector_store")
    }
    files = [as_served(e) for e in estate.of("file").values() if e.id in held.files]
    members = {store: estate.members("vector_store_file", store) for store in held.stores}
    ids, reasons = _keys(estate, named, files, members)
    found = Rendered()
    for file in files:
        key = ids["file", file.id]
        found.files[key], found.sources[key] = file, file.id
    for entity in named["assistant"]:
        whole, absent = _by_keys(entity, ids)
        found.texts["assistant", whole.id] = compose.assistant(whole, reasons["assistant", entity.id], absent)
    for entity in named["vector_store"]:
        rows = [_by_keys(row, ids) for row in members[entity.id]]
        lacking = [one for _, absent in rows for one in absent]
        key = ids["vector_store", entity.id]
        store = Entity(entity.kind, key, "", entity.fields, {}, entity.extras)
        found.texts["vector_store", key] = compose.store(
            store, (row for row, _ in rows), reasons["vector_store", entity.id], lacking
        )
    return found


def _keys(
    estate: Estate,
    named: Mapping[str, list[Entity]],
    files: list[Entity],
    members: Mapping[str, list[Entity]],
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """Every object's key, and why that is an id where it is one."""
    ids: dict[tuple[str, str], str] = {}
    reasons: dict[tuple[str, str], str] = {}
    rows = [*named["assistant"], *(row for held in members.values() for row in held)]
    gone = _gone(rows, {"file": files, **named})
    for kind, entities in named.items():
        chosen = keys.of_read(entities) if estate.type == TYPE else keys.of_named(entities, gone[kind])
        for id_, (key, why) in chosen.items():
            ids[kind, id_], reasons[kind, id_] = key, why
    own = {file.id: file.id for file in files}
    for id_, key in (own if estate.type == TYPE else keys.of_files(files, gone["file"])).items():
        ids["file", id_] = key
    return ids, reasons


def _gone(rows: Iterable[Entity], there: Mapping[str, list[Entity]]) -> dict[str, set[str]]:
    """What is named and is not there, by kind: no key may look like it."""
    known = {kind: {entity.id for entity in entities} for kind, entities in there.items()}
    gone: dict[str, set[str]] = {kind: set() for kind in there}
    for row in rows:
        for _, kind, id_ in refs_of(KINDS[row.kind], row):
            if id_ not in known[kind]:
                gone[kind].add(id_)
    return gone


def _by_keys(entity: Entity, ids: Ids) -> tuple[Entity, list[str]]:
    """The object with keys in the place of ids, and what it names that nobody has."""
    form = KINDS[entity.kind]
    absent = [id_ for _, kind, id_ in refs_of(form, entity) if (kind, id_) not in ids]
    whole = remap(form, entity, lambda kind, id_: ids.get((kind, id_)))
    key = ids.get((entity.kind, entity.id), str(whole.fields.get("file_id") or entity.id))
    return Entity(entity.kind, key, entity.parent, whole.fields, whole.facts, whole.extras), absent
