"""Which object of one estate is which of another: by journal, stamp, id, and last by guess, which is said.

Ids never decide between two endpoints; on one endpoint they are the surest sign there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from migrate.model import JSON, Entity
from migrate.model.normal import digest, normal
from migrate.stages.estate import Estate, stamp

Ids = dict[str, str]
"""Left id -> right id."""


@dataclass
class Pairs:
    """The pairs of every kind. `guessed` holds those found by natural key only."""

    ids: dict[str, Ids] = field(default_factory=dict)
    guessed: set[tuple[str, str]] = field(default_factory=set)
    unproven: set[tuple[str, str]] = field(default_factory=set)
    """Found by a stamp that names an id which another project may use as well."""

    def right(self, kind: str, left: str) -> str | None:
        """The counterpart of a left id."""
        return self.ids.get(kind, {}).get(left)


def pair(left: Estate, right: Estate, journal: Mapping[tuple[str, str], str], guess: bool) -> Pairs:
    """Pair two estates. `journal` maps (kind, left id) to a right id, `guess` allows natural keys.

    Files carry no stamp. Where other objects show by theirs that this source was moved here before,
    files are recognised by name and size even without a journal; verify proves their bytes."""
    pairs = Pairs()
    for kind in ("vector_store", "assistant"):
        _pair_kind(pairs, kind, left, right, journal, guess, list(left.of(kind).values()))
    _pair_kind(pairs, "thread", left, right, journal, guess, list(left.threads()))
    moved_before = any(pairs.ids.values()) and not journal
    _pair_kind(pairs, "file", left, right, journal, guess or moved_before, list(left.of("file").values()))
    return pairs


def _pair_kind(
    pairs: Pairs,
    kind: str,
    left: Estate,
    right: Estate,
    journal: Mapping[tuple[str, str], str],
    guess: bool,
    ours: list[Entity],
) -> None:
    theirs = list(right.threads()) if kind == "thread" else list(right.of(kind).values())
    free_left, free_right = {e.id: e for e in ours}, {e.id: e for e in theirs}
    found: Ids = {}

    def take(one: str, other: str | None) -> None:
        if one in free_left and other in free_right:
            found[one] = other
            del free_left[one], free_right[other]

    same_place = left.side == right.side
    for entity in ours:
        take(entity.id, entity.id if same_place else journal.get((kind, entity.id)))
    for entity in theirs:
        type_, _, old = stamp(entity).partition(":")
        if type_ == left.type and old in free_left:
            take(old, entity.id)
            pairs.unproven |= {(kind, old)} if left.named and kind == "assistant" else set()
    for entity in ours:
        type_, _, old = stamp(entity).partition(":")
        if type_ == right.type and not (right.named and kind == "assistant"):
            take(entity.id, old)
    if guess:
        before = set(found)
        for key in NATURAL_KEYS[kind]:
            for one, other in _natural(key, left, right, free_left.values(), free_right.values()):
                take(one, other)
        pairs.guessed |= {(kind, one) for one in set(found) - before}
    pairs.ids[kind] = found
    if guess:
        pairs.guessed |= pairs.unproven


Natural = Callable[[Estate, Entity], Hashable | None]


def _natural(
    key: Natural, left: Estate, right: Estate, ours: Iterable[Entity], theirs: Iterable[Entity]
) -> list[tuple[str, str]]:
    """Pairs whose key occurs equally often on both sides, in order."""
    one = [(key(left, e), e.id) for e in list(ours)]
    other = [(key(right, e), e.id) for e in list(theirs)]
    counts, there = Counter(k for k, _ in one), Counter(k for k, _ in other)
    by_key: dict[Hashable, list[str]] = {}
    for k, id_ in other:
        by_key.setdefault(k, []).append(id_)
    return [
        (id_, by_key[k].pop(0))
        for k, id_ in one
        if k is not None and counts[k] == there.get(k, 0) and by_key[k]
    ]


def _whole(estate: Estate, entity: Entity) -> Hashable | None:
    plain = Entity(entity.kind, entity.id, entity.parent, {**entity.fields, "tool_resources": None})
    return digest(normal(plain))


def _name(estate: Estate, entity: Entity) -> Hashable | None:
    return entity.name or None


def _hash(estate: Estate, file: Entity) -> Hashable | None:
    return (file.name, file.fields["sha256"]) if file.fields.get("sha256") else None


def _name_and_size(estate: Estate, file: Entity) -> Hashable | None:
    return (normal(file).get("filename"), file.fields.get("bytes"))


def _talk(estate: Estate, thread: Entity) -> Hashable | None:
    """What was said, whoever holds it: roles and texts."""
    said: list[JSON] = [
        [m.fields.get("role"), [p.get("text", {}).get("value") for p in m.fields.get("content") or []]]
        for m in estate.members("message", thread.id)
    ]
    return digest([said, normal(thread).get("metadata")])


NATURAL_KEYS: dict[str, tuple[Natural, ...]] = {
    "file": (_hash, _name_and_size),
    "vector_store": (_whole, _name),
    "assistant": (_whole, _name),
    "thread": (_talk,),
}
