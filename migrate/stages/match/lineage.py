"""Find out from the journal which object another one was created from, over any number of moves.

So a copy is never created a second time, neither beside its original nor where the original came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

from migrate.archive.id_map import Derivation, Side
from migrate.model.stamp import remove_stamp_keys
from migrate.stages.estate import Estate
from migrate.stages.match.pairs import ObjectPairs

# Kinds that both generations of one project show under the same ids, at the same address.
KINDS_SHARED_BY_GENERATIONS = frozenset({"file", "vector_store"})

# Kind, type of service, address, id. The type is '' for shared kinds.
LineageNode = tuple[str, str, str, str]


def lineage_node(kind: str, side: Side, id_: str) -> LineageNode:
    """The node of an object, equal for both generations of a project if they share its kind."""
    return kind, "" if kind in KINDS_SHARED_BY_GENERATIONS else side.type, side.url, id_


class Lineage:
    """The originals of each created object, over any number of moves."""

    def __init__(self, rows: Iterable[Derivation]) -> None:
        self._origins: dict[LineageNode, dict[LineageNode, None]] = {}
        self._made_for: dict[LineageNode, set[Side]] = {}
        for row in rows:
            there = lineage_node(row.kind, row.target, row.target_id)
            origin = lineage_node(row.kind, row.source, row.source_id)
            if there != origin:
                self._origins.setdefault(there, {})[origin] = None
                self._made_for.setdefault(there, set()).add(row.target)

    def copies_for_target(self, source: Estate, target: Estate) -> dict[tuple[str, str], str]:
        """(kind, source id) -> id of what was made from it for the target's other generation, where the
        target shows it as well."""
        found: dict[tuple[str, str], str] = {}
        for made, origins in self._origins.items():
            kind, _, url, id_ = made
            if (
                kind in KINDS_SHARED_BY_GENERATIONS
                and url == target.side.url
                and id_ in _entities(target, kind)
            ):
                for origin in origins:
                    if origin == lineage_node(kind, source.side, origin[3]) and origin[3] in _entities(
                        source, kind
                    ):
                        found[kind, origin[3]] = id_
        return found

    def originals_on_target(self, source: Estate, target: Estate) -> dict[tuple[str, str], str]:
        """(kind, source id) -> id of the object on the target that the first was made from, over whatever
        came between. Objects that the target shows under their own id are not among them."""
        found: dict[tuple[str, str], str] = {}
        for made in self._origins:
            kind, _, _, id_ = made
            if made != lineage_node(kind, source.side, id_) or id_ not in _entities(source, kind):
                continue
            if made == lineage_node(kind, target.side, id_) and id_ in _entities(target, kind):
                continue
            for origin in self._ancestors(made):
                if origin == lineage_node(kind, target.side, origin[3]) and origin[3] in _entities(
                    target, kind
                ):
                    found[kind, id_] = origin[3]
                    break
        return found

    def duplicate_copies(
        self, source: Estate, target: Estate, pairs: ObjectPairs
    ) -> dict[tuple[str, str], str]:
        """(kind, id) of files and stores that were made from the same object of the target as another one,
        which is its counterpart -> id of that object. A store that holds more than its origin, or says
        something else, is not among them: it would be lost."""
        found: dict[tuple[str, str], str] = {}
        for (kind, id_), origin in sorted(self.originals_on_target(source, target).items()):
            if kind not in KINDS_SHARED_BY_GENERATIONS or pairs.right(kind, id_) is not None:
                continue
            if origin in pairs.ids.get(kind, {}).values() and (
                kind == "file" or self._adds_nothing(id_, origin, source, target, pairs, found)
            ):
                found[kind, id_] = origin
        return found

    @staticmethod
    def _adds_nothing(
        store: str, origin: str, source: Estate, target: Estate, pairs: ObjectPairs,
        further: Mapping[tuple[str, str], str],
    ) -> bool:  # fmt: skip
        """Whether a store says what its origin says, and each of its files lies in that as well."""
        ours, theirs = source.objects("vector_store")[store], target.objects("vector_store")[origin]
        alike = ours.name == theirs.name and remove_stamp_keys(ours.fields["metadata"]) == remove_stamp_keys(
            theirs.fields["metadata"]
        )
        held = {pairs.right("file", id_) or further.get(("file", id_)) for id_ in source.store_files[store]}
        return alike and held <= target.store_files[origin]

    def shared_copies(self, source: Estate, target: Estate, only_for_target: bool) -> set[tuple[str, str]]:
        """(kind, id) of files and stores that were made from others and that both sides show under one id:
        those made for the target, or for either side."""
        found: set[tuple[str, str]] = set()
        for made, sides in self._made_for.items():
            kind, _, url, id_ = made
            here = kind in KINDS_SHARED_BY_GENERATIONS and (not only_for_target or target.side in sides)
            if here and url in (source.side.url, target.side.url):
                both = id_ in _entities(source, kind) and id_ in _entities(target, kind)
                found |= {(kind, id_)} if both else set()
        return found

    def store_copies(self, estate: Estate) -> frozenset[str]:
        """Ids of vector stores of an estate that were made from others which it shows as well."""
        shown = {lineage_node("vector_store", estate.side, id_) for id_ in estate.objects("vector_store")}
        made = self._origins.keys() & shown
        return frozenset(one[3] for one in made if not shown.isdisjoint(self._ancestors(one)))

    def message_origins(
        self, source: Estate, target: Side, ask: Callable[[Side, Side, str, str], Mapping[str, str]]
    ) -> Callable[[str, str], Mapping[str, str]]:
        """For `Known.origins`. `ask`: two sides and their threads -> id of each message on the first -> id of
        the one on the second that it was made from."""

        def origins(thread: str, there: str) -> Mapping[str, str]:
            found: Mapping[str, str] | None = None
            way = self._path(
                lineage_node("thread", source.side, thread), lineage_node("thread", target, there)
            )
            for one, other in pairwise(way):
                step = ask(_side(one), _side(other), one[3], other[3])
                found = step if found is None else {k: step[v] for k, v in found.items() if v in step}
            return found or {}

        return origins

    def _path(self, made: LineageNode, origin: LineageNode) -> list[LineageNode]:
        """The nodes from an object to one of its originals, both included; empty if it is no original."""
        before: dict[LineageNode, LineageNode] = {}
        waiting = [made]
        while waiting:
            at = waiting.pop(0)
            for one in self._origins.get(at, ()):
                if one not in before and one != made:
                    before[one] = at
                    waiting.append(one)
        if origin not in before:
            return []
        way = [origin]
        while way[-1] != made:
            way.append(before[way[-1]])
        return way[::-1]

    def _ancestors(self, made: LineageNode) -> Iterator[LineageNode]:
        """The originals of an object, nearest first."""
        seen, waiting = {made}, [made]
        while waiting:
            for origin in self._origins.get(waiting.pop(0), ()):
                if origin not in seen:
                    seen.add(origin)
                    waiting.append(origin)
                    yield origin


def _side(of: LineageNode) -> Side:
    """The side of a node whose kind is not shared."""
    return Side(of[1], of[2])


def _entities(estate: Estate, kind: str) -> Iterable[str]:
    return estate.threads_by_id if kind == "thread" else estate.objects(kind)
