"""Two listings below one parent in, which row of one is which of the other out."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from migrate.model import Entity
from migrate.model.message import ITEM
from migrate.model.normal import digest, normal

Pair = tuple[int | None, int | None]
"""Positions left and right; None where a row has no counterpart."""


def by_name(kind: str, left: list[Entity], right: list[Entity]) -> Iterator[Pair]:
    """Files of a store by the file they name; on one endpoint everything by its id."""
    key = "file_id" if kind == "vector_store_file" else ""
    one = {str(e.fields[key]) if key else e.id: n for n, e in enumerate(left)}
    other = {str(e.fields[key]) if key else e.id: n for n, e in enumerate(right)}
    for name in dict.fromkeys([*one, *other]):
        yield one.get(name), other.get(name)


def by_journal(left: list[Entity], right: list[Entity], known: Mapping[str, str]) -> Iterator[Pair]:
    """Messages by the id map where it knows them, the others by their sequence."""
    places = {entity.id: n for n, entity in enumerate(right)}
    sure = {n: places[known[e.id]] for n, e in enumerate(left) if known.get(e.id) in places}
    yield from sure.items()
    free_left = [n for n in range(len(left)) if n not in sure]
    taken = set(sure.values())
    free_right = [n for n in range(len(right)) if n not in taken]
    pairs = by_sequence([left[n] for n in free_left], [right[n] for n in free_right])
    for one, other in pairs:
        yield (
            None if one is None else free_left[one],
            None if other is None else free_right[other],
        )


def by_sequence(left: list[Entity], right: list[Entity]) -> Iterator[Pair]:
    """Messages by what they are, then, between those, by what they say, then by their turn: one that is
    missing must not make all that follow differ."""
    whole = [digest(normal(e)) for e in left], [digest(normal(e)) for e in right]
    for a, b, c, d in _gaps(*whole):
        if whole[0][a:b] == whole[1][c:d]:
            yield from zip(range(a, b), range(c, d), strict=True)
            continue
        said = [_said(e) for e in left[a:b]], [_said(e) for e in right[c:d]]
        for i, j, k, m in _gaps(*said):
            yield from _in_turn(left, right, range(a + i, a + j), range(c + k, c + m))


def _gaps(left: Sequence[Hashable], right: Sequence[Hashable]) -> Iterator[tuple[int, int, int, int]]:
    """Runs that are equal, and what lies between them."""
    for _, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        yield a, b, c, d


def _in_turn(left: list[Entity], right: list[Entity], ours: range, theirs: range) -> Iterator[Pair]:
    """One after the other; what nobody said is never taken for something said."""
    free = list(theirs)
    for one in ours:
        fits = next((n for n in free if _unsaid(left[one]) == _unsaid(right[n])), None)
        yield one, fits
        if fits is not None:
            yield from ((None, passed) for passed in free if passed < fits)
            free = [n for n in free if n > fits]
    yield from ((None, passed) for passed in free)


def _unsaid(message: Entity) -> bool:
    return message.fields.get("role") == ITEM


def _said(message: Entity) -> str:
    """Who said what, without what may change its form on the way."""
    texts = [
        part["text"].get("value")
        for part in message.fields.get("content") or []
        if isinstance(part, dict) and isinstance(part.get("text"), dict)
    ]
    return digest([message.fields.get("role"), texts]) if texts else digest([message.id])
