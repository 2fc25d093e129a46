"""Align two listings of the same parent: which row on the left is which row on the right."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

from migrate.model import Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.sequence_diff import SearchBudget, diff_sequences
from migrate.stages.estate import LazyMessage, LazySequence

# Positions left and right; None where a row has no counterpart.
PositionPair = tuple[int | None, int | None]


def common_prefix(
    left: Sequence[LazyMessage],
    right: Sequence[LazyMessage],
    same: Callable[[LazyMessage, LazyMessage], bool],
) -> Iterator[tuple[LazyMessage, LazyMessage]]:
    """Yield pairs from the beginning until two messages are not the `same`."""
    return takewhile(lambda pair: same(*pair), zip(left, right, strict=False))


def align_by_id(kind: str, left: Sequence[Entity], right: Sequence[Entity]) -> Iterator[PositionPair]:
    """Align files of a vector store by `file_id`, other kinds by id."""
    key = "file_id" if kind == "vector_store_file" else ""
    one = {str(e.fields[key]) if key else e.id: n for n, e in enumerate(left)}
    other = {str(e.fields[key]) if key else e.id: n for n, e in enumerate(right)}
    for name in dict.fromkeys([*one, *other]):
        yield one.get(name), other.get(name)


def align_by_journal(
    left: LazySequence[Entity], right: LazySequence[Entity], known: Mapping[str, str]
) -> Iterator[PositionPair]:
    """Align messages by the id map where it knows them, the others by content."""
    places = {entity.id: n for n, entity in enumerate(right)} if known else {}
    sure = {n: places[known[e.id]] for n, e in enumerate(left) if known.get(e.id) in places} if known else {}
    yield from sure.items()
    free_left = [n for n in range(len(left)) if n not in sure]
    taken = set(sure.values())
    free_right = [n for n in range(len(right)) if n not in taken]
    for one, other in align_by_content(left.select(free_left), right.select(free_right)):
        yield (
            None if one is None else free_left[one],
            None if other is None else free_right[other],
        )


def align_by_content(left: Sequence[Entity], right: Sequence[Entity]) -> Iterator[PositionPair]:
    """Align messages of equal content, between those messages of equal text, then by position. A missing
    message does not make all that follow differ."""
    effort = SearchBudget()
    whole = (
        [json_digest(normalize_entity(e)) for e in left],
        [json_digest(normalize_entity(e)) for e in right],
    )
    for same, a, b, c, d in _runs(*whole, effort):
        if same:
            yield from zip(range(a, b), range(c, d), strict=True)
            continue
        said = [_text_digest(left[n]) for n in range(a, b)], [_text_digest(right[n]) for n in range(c, d)]
        for _, i, j, k, m in _runs(*said, effort):
            yield from _align_in_order(left, right, range(a + i, a + j), range(c + k, c + m))


def _runs(
    left: Sequence[str], right: Sequence[str], effort: SearchBudget
) -> Iterator[tuple[bool, int, int, int, int]]:
    """Runs that are equal, and what lies between them: a few words said over and over must not cost more
    than others."""
    a = c = 0
    for same, ours, theirs in diff_sequences(left, right, effort):
        b, d = a + len(ours), c + len(theirs)
        yield same, a, b, c, d
        a, c = b, d


def _align_in_order(
    left: Sequence[Entity], right: Sequence[Entity], ours: range, theirs: range
) -> Iterator[PositionPair]:
    """Align in order; an item (tool call, result) is never aligned with a message."""
    places: dict[bool, list[int]] = {True: [], False: []}
    for n in theirs:
        places[_is_item(right[n])].append(n)
    free = theirs.start
    for one in ours:
        fitting = places[_is_item(left[one])]
        at = bisect_left(fitting, free)
        if at == len(fitting):
            yield one, None
            continue
        fits = fitting[at]
        yield one, fits
        yield from ((None, passed) for passed in range(free, fits))
        free = fits + 1
    yield from ((None, passed) for passed in range(free, theirs.stop))


def _is_item(message: Entity) -> bool:
    return message.fields.get("role") == ITEM_ROLE


def _text_digest(message: Entity) -> str:
    """Digest of role and texts, without fields whose form may differ between services."""
    texts = [
        part["text"].get("value")
        for part in message.fields.get("content") or []
        if isinstance(part, dict) and isinstance(part.get("text"), dict)
    ]
    return json_digest([message.fields.get("role"), texts]) if texts else json_digest([message.id])
