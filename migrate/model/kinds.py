"""The kinds an estate is made of, each declared as a form; everything generic loops over this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from migrate.model.json_paths import PathTree, path_tree


@dataclass(frozen=True)
class Ref:
    """Where an object names another: a path in its fields (`[]` walks a list) and the kind meant."""

    path: str
    kind: str


@dataclass(frozen=True)
class Kind:
    """Declared facts about a kind of object.

    `fields` are written and compared; `facts` are set by the server (name -> why they are never
    written); `parent` is the kind whose id an address of this kind needs.
    """

    name: str
    plural: str
    fields: tuple[str, ...]
    facts: Mapping[str, str]
    parent: str = ""
    refs: tuple[Ref, ...] = ()
    stamped: bool = False
    """Carries metadata, so our stamp can be written on it."""
    replayed: bool = True
    """Can be recreated; runs and steps cannot (creating a run executes a model)."""
    aliases: tuple[str, ...] = field(default=())
    """Spellings of older API versions that the codec reads as one of `fields`."""

    @cached_property
    def references(self) -> PathTree:
        """The places of `refs`; each is for a kind."""
        return path_tree((ref.path, ref.kind) for ref in self.refs)


SERVER_SET_FACTS = {
    "id": "given by the server; the old one is in the id map",
    "object": "says the kind",
    "created_at": "set by the server; the original time is in the archive",
}
