"""Find objects by the text of a user: an id, else a name, else the beginning of an id.

This is the one rule of every command that takes an id. Assistants, vector stores and files are found by all
three, threads by id and beginning, everything else by its id alone: an archive may have millions of messages.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import body_id, storable_text
from migrate.archive.packs import BodyReader
from migrate.archive.snapshots.history import snapshots_with, top_level_bodies
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS
from migrate.errors import BadUsage
from migrate.model.first_of import first_of
from migrate.model.results.archive import StoredBody
from migrate.model.selection import SELECTABLE_KINDS

# Kinds whose objects have names, in the order in which an error lists them.
NAMED_KINDS = ("assistant", "vector_store", "file")
# Maximum number of matching objects that an error lists.
MAX_FITS_SHOWN = 8


@dataclass(frozen=True)
class FoundObject:
    """An object that matches what a user wrote."""

    kind: str
    id: str
    name: str = ""

    def __str__(self) -> str:
        name = self.name if self.name != self.id else ""
        return f"{self.kind} {self.id} ({name})" if name else f"{self.kind} {self.id}"


def check_one_fits(text: str, fits: Sequence[FoundObject]) -> None:
    """Raises `BadUsage`, which lists them, where several objects fit what a user wrote."""
    if len(fits) > 1:
        raise BadUsage(
            f"{text!r} matches {len(fits):,} objects",
            first_of(fits, MAX_FITS_SHOWN),
            "give the id of the one you mean",
        )


class ObjectLookup:
    """Looks for objects in one snapshot, or in all snapshots of an archive. It caches what it has read, so
    that one lookup serves many ids."""

    def __init__(
        self,
        conn: SqlConnection,
        snapshot: SnapshotReader | None = None,
        more: Iterable[FoundObject] = (),
    ) -> None:
        """`snapshot`: the only one that is searched; None for all. `more`: objects that count as well."""
        self._conn, self._snapshot, self._more = conn, snapshot, more

    def resolve(self, text: str, kinds: Collection[str] = SELECTABLE_KINDS) -> str:
        """The id of the object that is meant, or the text itself where nothing fits. Raises `BadUsage` where
        several objects fit."""
        found = self.find_one(text, kinds)
        return found.id if found else text

    def find_one(self, text: str, kinds: Collection[str] = SELECTABLE_KINDS) -> FoundObject | None:
        """The object that is meant, or None. Raises `BadUsage` where several fit."""
        fits = self.find(text, kinds)
        check_one_fits(text, fits)
        return fits[0] if fits else None

    def find(self, text: str, kinds: Collection[str] = SELECTABLE_KINDS) -> list[FoundObject]:
        """Objects with this id; else with this name; else, unless any snapshot has an object of exactly this
        id, those whose id begins with the text.

        The exception is for names as ids: where the agent `desk` is gone, `desk-2` was not meant."""
        text = storable_text(text)
        if not text:
            return []
        stored = self._stored_kinds(text)
        if exact := [FoundObject(kind, text) for kind in kinds if kind in stored]:
            return exact
        derived = [found for found in self._by_id.get(text, ()) if found.kind in kinds]
        named = derived or [found for found in self._by_name.get(text, ()) if found.kind in kinds]
        if named or stored or next(snapshots_with(self._conn, text), None) is not None:
            return named
        fits = [found for found in _beginning_with(self._sorted, text) if found.kind in kinds]
        return fits + (_beginning_with(self._sorted_threads, text) if "thread" in kinds else [])

    def _stored_kinds(self, id_: str) -> set[str]:
        """The kinds of the objects with this id."""
        if self._snapshot is not None:
            return {kind for kind, _, _ in self._snapshot.find(id_)}
        return {kind for _, kind, _ in BodyReader(self._conn).find_by_id(id_)}

    def _bodies(self, kind: str) -> Iterator[tuple[str, StoredBody]]:
        return top_level_bodies(self._conn, kind, self._snapshot.info.id if self._snapshot else None)

    @cached_property
    def _named(self) -> list[FoundObject]:
        """Every object of a kind that has names: once under each name that it had, also those that follow
        from others and have no body of their own."""
        entities = (
            entity
            for kind in NAMED_KINDS
            for type_, body in self._bodies(kind)
            for entity in CODECS[type_].decode(kind, body, "", None)
        )
        decoded = (FoundObject(e.kind, storable_text(e.id), e.name) for e in entities)
        return list(dict.fromkeys([*self._more, *decoded]))

    @cached_property
    def _by_id(self) -> dict[str, list[FoundObject]]:
        # Of an object that had several names the last one is shown: its body was stored last.
        by_id: dict[str, dict[str, FoundObject]] = {}
        for found in self._named:
            by_id.setdefault(found.id, {})[found.kind] = found
        return {id_: list(fits.values()) for id_, fits in by_id.items()}

    @cached_property
    def _by_name(self) -> dict[str, list[FoundObject]]:
        by_name: dict[str, dict[tuple[str, str], FoundObject]] = {}
        for found in self._named:
            by_name.setdefault(storable_text(found.name), {}).setdefault((found.kind, found.id), found)
        return {name: list(fits.values()) for name, fits in by_name.items()}

    @cached_property
    def _sorted(self) -> list[FoundObject]:
        return _sort_by_id(found for fits in self._by_id.values() for found in fits)

    @cached_property
    def _sorted_threads(self) -> list[FoundObject]:
        ids = dict.fromkeys(body_id(body) for _, body in self._bodies("thread"))
        return _sort_by_id(FoundObject("thread", id_) for id_ in ids)


def _sort_by_id(objects: Iterable[FoundObject]) -> list[FoundObject]:
    return sorted(objects, key=lambda found: found.id)


def _beginning_with(objects: Sequence[FoundObject], text: str) -> list[FoundObject]:
    """Those whose id begins with a text, of objects that are sorted by id."""
    fits = []
    for number in range(bisect_left(objects, text, key=lambda found: found.id), len(objects)):
        if not objects[number].id.startswith(text):
            break
        fits.append(objects[number])
    return fits
