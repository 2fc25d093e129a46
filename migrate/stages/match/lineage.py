"""Find out from the journal which object another one was created from, over any number of moves.

With this, no copy is created a second time: neither next to its original nor in the estate that the
original came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from migrate.archive.id_map import Derivation, Side
from migrate.codecs import CODECS
from migrate.model.stamp import remove_stamp_keys, stamp
from migrate.stages.estate import Estate
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.object_fingerprints import object_fingerprint

# Kinds that both generations of one project show under the same ids, at the same address.
KINDS_SHARED_BY_GENERATIONS = frozenset({"file", "vector_store"})

# Two sides and a thread on each -> id of each message on the first -> id of its origin on the second.
ReadMessageOrigins = Callable[[Side, Side, str, str], Mapping[str, str]]


class LineageNode(NamedTuple):
    """An object of any place. The type of its service is '' for shared kinds, so that both generations of a
    project have equal nodes."""

    kind: str
    service_type: str
    url: str
    id: str

    @classmethod
    def from_side(cls, kind: str, side: Side, id_: str) -> LineageNode:
        """The node of an object of one side."""
        return cls(kind, "" if kind in KINDS_SHARED_BY_GENERATIONS else side.type, side.url, id_)

    def is_in(self, estate: Estate) -> bool:
        """Whether an estate shows this object."""
        is_of_side = self == LineageNode.from_side(self.kind, estate.side, self.id)
        return is_of_side and self.id in estate.objects(self.kind)


class Lineage:
    """The originals of each created object, over any number of moves."""

    def __init__(self, rows: Iterable[Derivation]) -> None:
        self._origins: dict[LineageNode, dict[LineageNode, None]] = {}
        self._copies: dict[LineageNode, list[LineageNode]] = {}
        self._created_for: dict[LineageNode, set[Side]] = {}
        # Fingerprints of created objects as the last move left them.
        self._written: dict[LineageNode, str] = {}
        for row in rows:
            created = LineageNode.from_side(row.kind, row.target, row.target_id)
            origin = LineageNode.from_side(row.kind, row.source, row.source_id)
            if created != origin:
                if origin not in self._origins.setdefault(created, {}):
                    self._copies.setdefault(origin, []).append(created)
                self._origins[created][origin] = None
                self._created_for.setdefault(created, set()).add(row.target)
                self._written[created] = row.written or self._written.get(created, "")

    def copies_for_target(self, source: Estate, target: Estate) -> dict[tuple[str, str], str]:
        """(kind, source id) -> id of the copy that was created for the other generation of the target, where
        the target shows it as well."""
        return {
            (created.kind, origin.id): created.id
            for created, origins in self._origins.items()
            if created.kind in KINDS_SHARED_BY_GENERATIONS and created.is_in(target)
            for origin in origins
            if origin.is_in(source)
        }

    def originals_on_target(self, source: Estate, target: Estate) -> dict[tuple[str, str], str]:
        """(kind, source id) -> id of the object on the target that it was created from, over any number of
        moves. Objects that the target shows under their own id are not among them."""
        originals: dict[tuple[str, str], str] = {}
        for created in self._origins:
            if created.is_in(source) and not created.is_in(target):
                origins = (origin for origin in self._ancestors(created) if origin.is_in(target))
                if origin := next(origins, None):
                    originals[created.kind, created.id] = origin.id
        return originals

    def copies_of_replaced(self, source: Estate, target: Estate) -> dict[tuple[str, str], str]:
        """(kind, source id) -> id on the target of the copy of the object that this one replaces.

        A restored object has a new id and was created from the old one. Where the old one is gone, what was
        created from it elsewhere is the counterpart of the new one."""
        counterparts: dict[tuple[str, str], str] = {}
        for created in self._origins:
            if not created.is_in(source) or created.is_in(target):
                continue
            for origin in self._ancestors(created):
                is_replaced = origin._replace(id="") == created._replace(id="") and not origin.is_in(source)
                for copy in self._copies[origin] if is_replaced else ():
                    if copy.is_in(target):
                        counterparts.setdefault((created.kind, created.id), copy.id)
        return counterparts

    def later_copies(self, source: Estate, target: Estate) -> dict[tuple[str, str], str]:
        """(kind, source id) -> id of the nearest object of the target that was created from it over more than
        one move, or from what it replaces itself: a restored object that was lost and restored again, from a
        newer snapshot or from an older one.

        Not of objects whose direct copy the target has."""
        found: dict[tuple[str, str], str] = {}
        for node in dict.fromkeys([*self._copies, *self._origins]):
            if not node.is_in(source) or node.is_in(target):
                continue
            copy = next((copy for copy in self._replacements(node) if copy.is_in(target)), None)
            if copy is not None and copy not in self._copies.get(node, ()) and self._is_proven(copy, target):
                found[node.kind, node.id] = copy.id
        return found

    def _is_proven(self, created: LineageNode, target: Estate) -> bool:
        """Whether an object of the target is the one that was created under this id. Where ids are names,
        another one may have taken the name since: see `trusted_pairs`."""
        if created.kind != "assistant" or not target.names_are_ids:
            return True
        existing = target.objects("assistant")[created.id]
        stamps = {
            f"{origin.service_type}:{origin.id}"
            for origin in self._origins[created]
            if CODECS[origin.service_type].assign_names is None
        }
        return stamp(existing) in stamps or object_fingerprint(existing) == self._written[created]

    def former_ids(
        self, source: Estate, target: Estate, kinds: Iterable[str]
    ) -> dict[tuple[str, str], list[str]]:
        """(kind, source id) -> ids that this object had on the target and that the target no longer shows,
        nearest first: of what was created from it, of its originals, and of what was created from the
        objects that it replaces."""
        former: dict[tuple[str, str], list[str]] = {}
        for kind in kinds:
            for id_ in source.objects(kind):
                node = LineageNode.from_side(kind, source.side, id_)
                if ids := [id_ for id_ in self._ids_in(target.side, node) if id_ not in target.objects(kind)]:
                    former[kind, id_] = ids
        return former

    def thread_ids(self, source: Side, target: Side) -> Callable[[str], list[str]]:
        """A function of a thread of the source: ids that it may have on the target, nearest first."""
        return lambda thread: self._ids_in(target, LineageNode.from_side("thread", source, thread))

    def _ids_in(self, side: Side, node: LineageNode) -> list[str]:
        """Every id that an object had in a place, nearest first."""
        here = (n for n in self._relatives(node) if n == LineageNode.from_side(n.kind, side, n.id))
        return list(dict.fromkeys(n.id for n in here))

    def duplicate_copies(
        self, source: Estate, target: Estate, pairs: ObjectPairs
    ) -> dict[tuple[str, str], str]:
        """(kind, id) -> id of the original on the target, of files and stores that are second copies of it.

        The first copy is its counterpart. A store with more files than the original, or with other fields, is
        not among them: its content would be lost."""
        duplicates: dict[tuple[str, str], str] = {}
        for (kind, id_), origin in sorted(self.originals_on_target(source, target).items()):
            if kind not in KINDS_SHARED_BY_GENERATIONS or pairs.right(kind, id_) is not None:
                continue
            if origin in pairs.ids.get(kind, {}).values() and (
                kind == "file" or _adds_nothing(id_, origin, source, target, pairs, duplicates)
            ):
                duplicates[kind, id_] = origin
        return duplicates

    def shared_copies(self, source: Estate, target: Estate, only_for_target: bool) -> set[tuple[str, str]]:
        """(kind, id) of files and stores that were created from others and that both sides show under one id:
        those created for the target, or for either side."""
        urls = source.side.url, target.side.url
        return {
            (created.kind, created.id)
            for created, sides in self._created_for.items()
            if created.kind in KINDS_SHARED_BY_GENERATIONS
            and (not only_for_target or target.side in sides)
            and created.url in urls
            and all(created.id in estate.objects(created.kind) for estate in (source, target))
        }

    def store_copies(self, estate: Estate) -> frozenset[str]:
        """Ids of vector stores of an estate that were created from others which it shows as well."""
        shown = {
            LineageNode.from_side("vector_store", estate.side, id_) for id_ in estate.objects("vector_store")
        }
        created = self._origins.keys() & shown
        return frozenset(node.id for node in created if not shown.isdisjoint(self._ancestors(node)))

    def message_origins(
        self, source: Estate, target: Side, read_origins: ReadMessageOrigins
    ) -> Callable[[str, str], Mapping[str, str]]:
        """A function of a thread and its counterpart: id of each message that was created from one of the
        counterpart -> id of that one. `read_origins` reads one move."""

        def origins(thread: str, target_thread: str) -> Mapping[str, str]:
            ids: Mapping[str, str] | None = None
            path = self.path(
                LineageNode.from_side("thread", source.side, thread),
                LineageNode.from_side("thread", target, target_thread),
            )
            for created, origin in pairwise(path):
                created_side, origin_side = (Side(node.service_type, node.url) for node in (created, origin))
                step = read_origins(created_side, origin_side, created.id, origin.id)
                ids = step if ids is None else {id_: step[via] for id_, via in ids.items() if via in step}
            return ids or {}

        return origins

    def path(self, created: LineageNode, origin: LineageNode) -> list[LineageNode]:
        """The nodes from an object to one of its originals, both included; empty if it is no original."""
        previous: dict[LineageNode, LineageNode] = {}
        waiting = [created]
        while waiting:
            current = waiting.pop(0)
            for node in self._origins.get(current, ()):
                if node not in previous and node != created:
                    previous[node] = current
                    waiting.append(node)
        if origin not in previous:
            return []
        path = [origin]
        while path[-1] != created:
            path.append(previous[path[-1]])
        return path[::-1]

    def _ancestors(self, created: LineageNode) -> Iterator[LineageNode]:
        """The originals of an object, nearest first."""
        return _reachable(created, self._origins)

    def _descendants(self, origin: LineageNode) -> Iterator[LineageNode]:
        """What was created from an object, nearest first."""
        return _reachable(origin, self._copies)

    def _relatives(self, node: LineageNode) -> Iterator[LineageNode]:
        """The same object in other places and at other times: what was created from it, its originals, and
        what was created from those of its own place, which it replaces."""
        yield from self._descendants(node)
        for origin in self._ancestors(node):
            yield origin
            if origin._replace(id="") == node._replace(id=""):
                yield from self._descendants(origin)

    def _replacements(self, node: LineageNode) -> Iterator[LineageNode]:
        """What was created from an object, and from those of its own place that it replaces."""
        origins = set(self._ancestors(node))
        return (relative for relative in self._relatives(node) if relative not in origins)


def _reachable(
    start: LineageNode, edges: Mapping[LineageNode, Iterable[LineageNode]]
) -> Iterator[LineageNode]:
    """The nodes that edges lead to, nearest first, without the start."""
    seen, waiting = {start}, [start]
    while waiting:
        for node in edges.get(waiting.pop(0), ()):
            if node not in seen:
                seen.add(node)
                waiting.append(node)
                yield node


def _adds_nothing(
    store: str,
    origin: str,
    source: Estate,
    target: Estate,
    pairs: ObjectPairs,
    duplicates: Mapping[tuple[str, str], str],
) -> bool:
    """Whether a store has the fields of its original, and each of its files is in the original as well."""
    copy, original = source.objects("vector_store")[store], target.objects("vector_store")[origin]
    if copy.name != original.name:
        return False
    if remove_stamp_keys(copy.fields["metadata"]) != remove_stamp_keys(original.fields["metadata"]):
        return False
    files = {pairs.right("file", id_) or duplicates.get(("file", id_)) for id_ in source.store_files[store]}
    return files <= target.store_files[origin]
