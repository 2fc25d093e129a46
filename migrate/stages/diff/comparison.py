"""Compare two paired estates object by object and yield every change from left to right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from migrate.model import KINDS, Entity
from migrate.model.results.diff import Change
from migrate.stages.diff.member_comparison import MemberComparison
from migrate.stages.diff.pair_comparison import (
    LEFT,
    RIGHT,
    PairComparison,
    ReadCoverage,
    unpaired_change,
    with_file_name,
)
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import JournalPairs
from migrate.stages.match.pairs import ObjectPairs

# Kinds without a parent; referenced kinds come before those that refer to them.
ROOT_KINDS = ("file", "vector_store", "assistant", "thread")


class EstateComparison:
    """Compare two estates. `changes` yields the changes; `compared`, `unread` and `left_out` are complete
    when it has ended."""

    def __init__(
        self, left: Estate, right: Estate, pairs: ObjectPairs, journal: JournalPairs, scope: DiffScope
    ) -> None:
        self._left, self._right, self._sides = left, right, (left, right)
        self._pairs, self._journal, self._scope = pairs, journal, scope
        self._same_place = left.side == right.side
        self.compared: Counter[str] = Counter()
        self._coverage = ReadCoverage(left, right, journal.objects)
        self._pair_comparison = PairComparison(left, right, pairs, journal)
        self._members = MemberComparison(
            left, right, journal, scope, self._pair_comparison, self._coverage, self.compared
        )
        self._unchanged_since: Counter[str] = Counter()
        self._objects: dict[tuple[int, str], Mapping[str, Entity]] = {}

    @property
    def unread(self) -> list[str]:
        """What a side did not read, one line each."""
        return self._coverage.lines

    def left_out(self) -> tuple[str, ...]:
        """What was not compared on purpose, one line each."""
        base = self._scope.since.name if self._scope.since else ""
        unchanged = [
            f"{n:,} {kind} as they were at {base}" for kind, n in sorted(self._unchanged_since.items())
        ]
        not_selected = self._scope.left_out(self._left, self._right, self._journal.copies)
        return (*not_selected, *unchanged, *self._pair_comparison.ignored_states())

    def changes(self) -> Iterator[Change]:
        """Yield every change: kinds without a parent first, then the members of each object."""
        since = self._scope.since
        for change in self._all_changes():
            left = (self._left, change.left_id, change.left_parent)
            right = (self._right, change.right_id, change.right_parent)
            if since is None or since.has_changed(change.kind, left, right):
                yield change
            else:
                self._unchanged_since[change.kind] += 1

    def _all_changes(self) -> Iterator[Change]:
        kinds = self._scope.kinds_of(self._left, self._right)
        for kind in ROOT_KINDS:
            if kind in kinds and self._coverage.both_read(kind):
                yield from self._compare_kind(kind)
        for kind, form in KINDS.items():
            if form.parent and kind in kinds and (form.replayed or self._same_place):
                for left_id, right_id in self._pairs_in_scope(form.parent).items():
                    yield from self._members.changes(kind, left_id, right_id)
                if form.parent not in kinds and self._coverage.both_read(form.parent):
                    yield from self._compare_orphans(kind, form.parent)

    def _compare_kind(self, kind: str) -> Iterator[Change]:
        lefts, rights, pairs = self._all(LEFT, kind), self._all(RIGHT, kind), self._pairs_in_scope(kind)
        for left_id, right_id in pairs.items():
            paired_by = self._pairs.matched_by[(kind, left_id)]
            change = self._pair_comparison.compare(lefts[left_id], rights[right_id], paired_by)
            if change:
                yield change
        count = len(pairs)
        for _, action, entity, is_absent in self._unpaired(kind):
            count += 1
            if is_absent:
                yield unpaired_change(entity, action, "")
        self.compared[kind] = count

    def _unpaired(self, kind: str) -> Iterator[tuple[int, str, Entity, bool]]:
        """Every object of the scope that only one side has: its side, `removed` or `added`, the object, and
        whether the other side is known not to have it."""
        pairs = self._pairs.ids[kind]
        for side, action, paired in ((LEFT, "removed", pairs.keys()), (RIGHT, "added", set(pairs.values()))):
            for id_, entity in self._all(side, kind).items():
                if id_ not in paired and self._scope.includes(entity):
                    yield side, action, entity, self._coverage.is_absent(1 - side, kind, id_)

    def _compare_orphans(self, kind: str, parent_kind: str) -> Iterator[Change]:
        """Yield the members of objects that only one side has. Only needed where the parent kind is not
        compared: otherwise the change of the parent covers its members."""
        for side, action, parent, is_absent in self._unpaired(parent_kind):
            if is_absent and self._coverage.is_read(side, kind, parent.id):
                estate = self._sides[side]
                for member in (with_file_name(e, estate) for e in estate.iter_members(kind, parent.id)):
                    if self._scope.includes(member):
                        self.compared[kind] += 1
                        yield unpaired_change(member, action, parent.id)

    def _all(self, side: int, kind: str) -> Mapping[str, Entity]:
        """Every object of a side and a kind without a parent, by id."""
        if (side, kind) not in self._objects:
            objects = self._sides[side].objects(kind)
            self._objects[(side, kind)] = self._only_configuration(side, kind, objects)
        return self._objects[(side, kind)]

    def _only_configuration(
        self, side: int, kind: str, objects: Mapping[str, Entity]
    ) -> Mapping[str, Entity]:
        """Opposite a config directory: only configuration, and what the directory refers to."""
        estate, opposite = self._sides[side], self._sides[1 - side]
        if not opposite.codec.ids_are_keys or estate.codec.ids_are_keys:
            return objects
        selection = self._scope.selection(estate, opposite, self._journal.copies)
        pairs = self._pairs.ids[kind]
        referenced = set(pairs) if side == LEFT else set(pairs.values())
        return {id_: e for id_, e in objects.items() if id_ in referenced or selection.contains(kind, id_)}

    def _pairs_in_scope(self, kind: str) -> dict[str, str]:
        """Left id -> right id of the pairs of which one side passes the filter."""
        lefts, rights = self._all(LEFT, kind), self._all(RIGHT, kind)
        pairs = self._pairs.ids[kind].items()
        return {left: right for left, right in pairs if self._scope.includes(lefts[left], rights[right])}
