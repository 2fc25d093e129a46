"""Compare the members of two objects that are a pair: messages of a thread, files of a vector store, runs.

Members are aligned first: which row on the left is which row on the right.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, pairwise, takewhile

from migrate.model import Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.message import MESSAGE_KIND as MESSAGE
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.object_diff import FieldDifference, MemberStep
from migrate.model.results.diff import Change
from migrate.model.sequence_diff import SearchBudget, diff_sequences
from migrate.stages.diff.pair_comparison import (
    PairComparison,
    ReadCoverage,
    unpaired_change,
    with_file_name,
)
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate, LazyMessage, LazySequence
from migrate.stages.match.journal_pairs import JournalPairs
from migrate.stages.object_fingerprints import content_fingerprint

# Positions left and right; None where a row has no counterpart.
PositionPair = tuple[int | None, int | None]
_SameMessage = Callable[[LazyMessage, LazyMessage], bool]

# Path step of a message whose position in its thread changed.
POSITION_STEP = MemberStep("[place]")


class MemberComparison:
    """Compares the members of pairs, and counts them in `compared`."""

    def __init__(
        self,
        left: Estate,
        right: Estate,
        journal: JournalPairs,
        scope: DiffScope,
        pair_comparison: PairComparison,
        coverage: ReadCoverage,
        compared: Counter[str],
    ) -> None:
        self._left, self._right, self._journal, self._scope = left, right, journal, scope
        self._pair_comparison, self._coverage, self._compared = pair_comparison, coverage, compared
        self._same_place = left.side == right.side

    def changes(self, kind: str, left: str, right: str) -> Iterator[Change]:
        """Yield every change between the members of two parents. Listings with the same hash are counted and
        not read."""
        if not self._coverage.both_read(kind, left, right):
            return
        unchanged = self._same_place and self._left.snapshot.has_equal_listing(
            self._right.snapshot, kind, left
        )
        if unchanged and not self._scope.has_filter_for(kind):
            self._compared[kind] += self._left.snapshot.count(kind, left)
            return
        ids_match = kind == "vector_store_file" or self._same_place
        start = 0
        if kind == MESSAGE.name:
            same = self._same_message_test(ids_match, self._journal.messages(left, right))
            for start, changes in enumerate(self._compare_common_prefix(left, right, same), 1):  # noqa: B007 - their number
                yield from changes
        lefts = self._left.lazy_members(kind, left)[start:].map(partial(with_file_name, estate=self._left))
        rights = self._right.lazy_members(kind, right)[start:].map(
            partial(with_file_name, estate=self._right)
        )
        remapped = lefts.map(self._pair_comparison.remap_left)
        if ids_match:
            pairs = list(align_by_id(kind, remapped, rights))
        else:
            known = dict(self._journal.messages(left, right)) if lefts and rights else {}
            pairs = list(align_by_journal(remapped, rights, known))
        yield from self._compare_pairs(kind, pairs, lefts, rights, (left, right))

    def _compare_pairs(
        self,
        kind: str,
        pairs: list[PositionPair],
        lefts: Sequence[Entity],
        rights: Sequence[Entity],
        parents: tuple[str, str],
    ) -> Iterator[Change]:
        moved = _moved_positions(pairs) if kind == MESSAGE.name else {}
        left_count = right_count = 0
        for left_place, right_place in pairs:
            left = lefts[left_place] if left_place is not None else None
            right = rights[right_place] if right_place is not None else None
            if not self._scope.includes(*(side for side in (left, right) if side)):
                continue
            left_count, right_count = left_count + bool(left), right_count + bool(right)
            if left and right:
                ranks = moved.get(left_place) if left_place is not None else None
                differences = [FieldDifference.from_steps((POSITION_STEP,), *ranks)] if ranks else []
                change = self._pair_comparison.compare(left, right, "", differences)
                if change:
                    yield change
            elif left:
                yield unpaired_change(left, "removed", parents[0])
            elif right:
                yield unpaired_change(right, "added", parents[1])
        self._compared[kind] += max(left_count, right_count)

    def _same_message_test(self, ids_match: bool, journal_rows: Iterable[tuple[str, str]]) -> _SameMessage:
        """Return a test whether two messages at the same position are a pair, as `align_by_id` and
        `align_by_journal` would decide. The pairs of the journal are in order, too, where nothing changed."""
        rows = iter(journal_rows)
        first = None if ids_match else next(rows, None)
        expected = chain(() if first is None else (first,), rows)

        def same(left: LazyMessage, right: LazyMessage) -> bool:
            if ids_match:
                return left.id == right.id
            if first is not None:
                return next(expected, None) == (left.id, right.id)
            if left.text_message and right.text_message:
                return left.text_message == right.text_message
            remapped = self._pair_comparison.remap_left(left.entity)
            return normalize_entity(remapped) == normalize_entity(right.entity)

        return same

    def _compare_common_prefix(self, left: str, right: str, same: _SameMessage) -> Iterator[Iterable[Change]]:
        """Compare messages in order until two are not a pair. Most threads end here, without being kept in
        memory. Messages of equal plain text are equal without normalising them."""
        filtered = self._scope.has_filter_for(MESSAGE.name)
        messages = self._left.lazy_messages(left), self._right.lazy_messages(right)
        for left_message, right_message in common_prefix(*messages, same):
            included = not filtered or self._scope.includes(left_message.entity, right_message.entity)
            self._compared[MESSAGE.name] += included
            text = left_message.text_message
            if not included or (text is not None and text == right_message.text_message):
                yield ()
                continue
            change = self._pair_comparison.compare(left_message.entity, right_message.entity, "")
            yield (change,) if change else ()


def _moved_positions(pairs: list[PositionPair]) -> dict[int, tuple[int, int]]:
    """Pairs whose order differs: left position -> (rank on the left, rank on the right)."""
    both = sorted((left, right) for left, right in pairs if left is not None and right is not None)
    if all(before[1] < after[1] for before, after in pairwise(both)):
        return {}
    left_ranks = {pair: n for n, pair in enumerate(both)}
    right_ranks = {pair: n for n, pair in enumerate(sorted(both, key=lambda pair: pair[1]))}
    return {
        pair[0]: (left_ranks[pair], right_ranks[pair])
        for pair in both
        if left_ranks[pair] != right_ranks[pair]
    }


def common_prefix(
    left: Sequence[LazyMessage], right: Sequence[LazyMessage], same: _SameMessage
) -> Iterator[tuple[LazyMessage, LazyMessage]]:
    """Yield pairs from the beginning until two messages are not the `same`."""
    return takewhile(lambda pair: same(*pair), zip(left, right, strict=False))


def align_by_id(kind: str, left: Sequence[Entity], right: Sequence[Entity]) -> Iterator[PositionPair]:
    """Align files of a vector store by `file_id`, other kinds by id."""
    field = "file_id" if kind == "vector_store_file" else ""
    left_places, right_places = (
        {str(e.fields[field]) if field else e.id: n for n, e in enumerate(side)} for side in (left, right)
    )
    for id_ in dict.fromkeys([*left_places, *right_places]):
        yield left_places.get(id_), right_places.get(id_)


def align_by_journal(
    left: LazySequence[Entity], right: LazySequence[Entity], known: Mapping[str, str]
) -> Iterator[PositionPair]:
    """Align messages by the id map (`known`: left id -> right id) where it has them, the others by
    content."""
    places = {entity.id: n for n, entity in enumerate(right)} if known else {}
    ids = ((n, known.get(entity.id)) for n, entity in enumerate(left)) if known else ()
    certain = {n: places[id_] for n, id_ in ids if id_ in places}
    yield from certain.items()
    free_left = [n for n in range(len(left)) if n not in certain]
    taken = set(certain.values())
    free_right = [n for n in range(len(right)) if n not in taken]
    for a, b in align_by_content(left.select(free_left), right.select(free_right)):
        yield None if a is None else free_left[a], None if b is None else free_right[b]


def align_by_content(left: Sequence[Entity], right: Sequence[Entity]) -> Iterator[PositionPair]:
    """Align messages of equal content, between those messages of equal text, then by position. A missing
    message does not make all that follow differ."""
    budget = SearchBudget()
    digests = [[content_fingerprint(message) for message in side] for side in (left, right)]
    for same, a, b, c, d in _ranges(digests[0], digests[1], budget):
        if same:
            yield from zip(range(a, b), range(c, d), strict=True)
            continue
        texts = [_text_digest(left[n]) for n in range(a, b)], [_text_digest(right[n]) for n in range(c, d)]
        for _, i, j, k, m in _ranges(*texts, budget):
            yield from _align_in_order(left, right, range(a + i, a + j), range(c + k, c + m))


def _ranges(
    left: Sequence[str], right: Sequence[str], budget: SearchBudget
) -> Iterator[tuple[bool, int, int, int, int]]:
    """Ranges that are equal, and the ranges between them: (equal, left start, left end, right start, right
    end). The budget bounds the time where a few texts are repeated very often."""
    a = c = 0
    for same, left_part, right_part in diff_sequences(left, right, budget):
        b, d = a + len(left_part), c + len(right_part)
        yield same, a, b, c, d
        a, c = b, d


def _align_in_order(
    left: Sequence[Entity], right: Sequence[Entity], left_range: range, right_range: range
) -> Iterator[PositionPair]:
    """Align in order; an item (tool call, result) is never aligned with a message."""
    places: dict[bool, list[int]] = {True: [], False: []}
    for n in right_range:
        places[_is_item(right[n])].append(n)
    next_right = right_range.start
    for n in left_range:
        candidates = places[_is_item(left[n])]
        index = bisect_left(candidates, next_right)
        if index == len(candidates):
            yield n, None
            continue
        match = candidates[index]
        yield n, match
        yield from ((None, skipped) for skipped in range(next_right, match))
        next_right = match + 1
    yield from ((None, rest) for rest in range(next_right, right_range.stop))


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
