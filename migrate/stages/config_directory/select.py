"""Select the objects of an estate that are configuration: assistants, and what they use.

A vector store is selected when an assistant refers to it or it has a name, a file when such a store contains
it or an assistant refers to it. Threads, messages and runs never are. Other objects are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from migrate.model import Entity
from migrate.model.references import named_keys
from migrate.model.stamp import stamp
from migrate.stages.estate import Estate


@dataclass(frozen=True)
class ConfigSelection:
    """Ids of the objects that are configuration. `left_out`: kind -> number of the other objects."""

    assistants: frozenset[str]
    stores: frozenset[str]
    files: frozenset[str]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def contains(self, kind: str, id_: str) -> bool:
        """Whether an object is configuration."""
        ids = {"assistant": self.assistants, "vector_store": self.stores, "file": self.files}
        return id_ in ids.get(kind, ())


def select_configuration(
    estate: Estate, name_prefix: str = "", known_copies: Collection[str] = ()
) -> ConfigSelection:
    """The objects of an estate that are configuration. `name_prefix`: only names with it, where several
    environments share the estate. `known_copies`: see `unused_store_copies`."""
    every = {kind: estate.objects(kind) for kind in ("assistant", "vector_store", "file")}
    assistants = {id_: e for id_, e in every["assistant"].items() if _has_prefix(e, name_prefix)}
    referenced = {kind: _referenced_ids(assistants.values(), kind) for kind in ("vector_store", "file")}
    stores = {
        id_
        for id_, store in every["vector_store"].items()
        if id_ in referenced["vector_store"] or (store.name and _has_prefix(store, name_prefix))
    } - unused_store_copies(estate, known_copies)
    stored = {file for store in stores for file in estate.store_files[store]}
    files = every["file"].keys() & (stored | referenced["file"])
    selected: dict[str, Collection[str]] = {"assistant": assistants, "vector_store": stores, "file": files}
    left_out = {kind: len(rows) - len(selected[kind]) for kind, rows in every.items()}
    return ConfigSelection(
        frozenset(assistants),
        frozenset(stores),
        frozenset(files),
        {kind: number for kind, number in left_out.items() if number},
    )


def unused_store_copies(estate: Estate, known_copies: Collection[str] = ()) -> frozenset[str]:
    """Ids of vector stores that this program created from others of the same place and that no assistant
    there refers to. Both generations of a project show the stores of both, so a move between them leaves
    such copies, which a config directory does not mean. `known_copies`: ids known from a journal; the others
    are found by their stamp, for which not every store has room."""
    stores = estate.objects("vector_store")
    used = _referenced_ids(estate.objects("assistant").values(), "vector_store")
    origins = {id_: stamp(store).partition(":")[2] for id_, store in stores.items()}
    stamped = {id_ for id_, old in origins.items() if old != id_ and old in stores}
    return frozenset((stamped | (stores.keys() & set(known_copies))) - used)


def _has_prefix(entity: Entity, prefix: str) -> bool:
    return entity.name.startswith(prefix) and (not prefix or len(entity.name) > len(prefix))


def _referenced_ids(assistants: Iterable[Entity], kind: str) -> set[str]:
    """Ids of a kind to which assistants refer."""
    return {id_ for assistant in assistants for of, id_ in named_keys(assistant) if of == kind}
