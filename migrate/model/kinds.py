"""What is declared about each kind of object. Generic code loops over these declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from migrate.model.json_paths import PathTree, path_tree


@dataclass(frozen=True)
class Ref:
    """Where an object refers to another: a path in its fields (`[]`: each member of a list), and the kind of
    the other object."""

    path: str
    kind: str


@dataclass(frozen=True)
class Kind:
    """Declarations about a kind of object.

    `fields` are written and compared. `facts` are set by the server: name -> why they are never written.
    `parent`: the kind whose id is part of the address. `replayed`: it can be recreated (runs cannot: creating
    one executes a model). `aliases`: fields of older API versions that the codec reads as one of `fields`.
    """

    name: str
    plural: str
    fields: tuple[str, ...]
    facts: Mapping[str, str]
    parent: str = ""
    refs: tuple[Ref, ...] = ()
    replayed: bool = True
    aliases: tuple[str, ...] = ()

    @cached_property
    def references(self) -> PathTree:
        """The paths of `refs` as a tree, labelled with kinds."""
        return path_tree((ref.path, ref.kind) for ref in self.refs)


SERVER_SET_FACTS = {
    "id": "given by the server; the old one is in the id map",
    "object": "the kind",
    "created_at": "set by the server; the original time is in the archive",
}
