"""Compare two paired estates object by object and yield every change from left to right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, pairwise

from migrate.model import JSON, KINDS, Entity
from migrate.model.entity import NOT_FOUND_REASON, usability
from migrate.model.file import file_on_service
from migrate.model.message import MESSAGE_KIND as MESSAGE
from migrate.model.normalize import normalize_entity
from migrate.model.object_diff import FieldDifference, MemberStep, diff_objects
from migrate.model.references import remap_references
from migrate.model.results.diff import Change
from migrate.stages.diff.message_alignment import PositionPair, align_by_id, align_by_journal, common_prefix
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate, LazyMessage
from migrate.stages.match.journal_pairs import JournalPairs
from migrate.stages.match.pairs import ObjectPairs


class ReadCoverage:
    """Knows what each side did not read. `lines`: one line for each listing or object that was needed."""

    def __init__(self, left: Estate, right: Estate, journal: Mapping[tuple[str, str], str]) -> None:
        self.lines: list[str] = []
        self._sides = (("left", left), ("right", right))
        self._same_place = left.side == right.side
        self._there = journal
        self._here = {(kind, new): old for (kind, old), new in journal.items()}
        self._gaps = [
            {(gap.kind, gap.id): gap.reason for gap in side.snapshot.missing() if gap.kind != "file"}
            for _, side in self._sides
        ]
        self._journal_pairs: set[str] = set()

    def both_read(self, kind: str, left: str = "", right: str = "") -> bool:
        """Whether both listings were read completely. If not, a missing object proves nothing."""
        read = [self.is_read(side, kind, parent) for side, parent in enumerate((left, right))]
        return all(read)

    def is_read(self, side: int, kind: str, parent: str = "") -> bool:
        """Whether the listing of one side (0: left, 1: right) was read completely."""
        name, estate = self._sides[side]
        filtered = estate.why_filtered(kind)
        if not filtered and estate.is_complete(kind, parent):
            return True
        state, why = estate.snapshot.scope(kind, parent)
        if state or KINDS[kind].replayed:  # runs are left out on purpose when estates are compared
            self._tell(f"{kind} {parent or '*'} on the {name}: {filtered or why or 'not read'}")
        return False

    def absent_right(self, kind: str, left_id: str) -> bool:
        """Whether a left object is known not to be on the right."""
        return self._absent(1, kind, left_id if self._same_place else self._there.get((kind, left_id), ""))

    def absent_left(self, kind: str, right_id: str) -> bool:
        """Whether a right object is known not to be on the left."""
        return self._absent(0, kind, right_id if self._same_place else self._here.get((kind, right_id), ""))

    def _absent(self, side: int, kind: str, id_: str) -> bool:
        name, estate = self._sides[side]
        reason = self._gaps[side].get((kind, id_), "")
        if reason and not reason.startswith(NOT_FOUND_REASON):
            self._tell(f"{kind} {id_} on the {name}: {reason}")
            return False
        state, remark = estate.snapshot.scope(kind)
        if remark and state == "complete" and not reason:
            self._tell(f"{kind} * on the {name}: {remark}")
            return False
        return True

    def _tell(self, line: str) -> None:
        if line not in self._journal_pairs:
            self._journal_pairs.add(line)
            self.lines.append(line)


# Path step of a message whose position in its thread changed.
POSITION_STEP = MemberStep("[place]")

# Kinds without a parent; referenced kinds come before those that refer to them.
ROOT_KINDS = ("file", "vector_store", "assistant", "thread")


class EstateComparison:
    """Compare two estates. `changes` yields the changes; counts, gaps and
    `left_out` are complete at its end."""

    def __init__(
        self,
        left: Estate,
        right: Estate,
        pairs: ObjectPairs,
        journal_pairs: JournalPairs,
        focus: DiffScope,
    ) -> None:
        self._journal_pairs = journal_pairs
        self.left, self.right, self.pairs, self.focus = left, right, pairs, focus
        self.same_place = left.side == right.side
        self.compared: dict[str, int] = {}
        self._unseen = ReadCoverage(left, right, journal_pairs.objects)
        self._counted_out: Counter[str] = Counter()
        self._useless: Counter[tuple[str, str]] = Counter()
        self._objects: dict[tuple[int, str], Mapping[str, Entity]] = {}

    @property
    def unread(self) -> list[str]:
        """What a side did not read, one line each."""
        return self._unseen.lines

    def left_out(self) -> tuple[str, ...]:
        """What was not compared on purpose."""
        name = self.focus.since.name if self.focus.since else ""
        counted = [f"{n:,} {kind} as they were at {name}" for kind, n in sorted(self._counted_out.items())]
        useless = [f"the state of {n:,} {kind}: {state}; a config directory tells no states"
                   for (kind, state), n in sorted(self._useless.items())]  # fmt: skip
        return (*self.focus.left_out(self.left, self.right, self._journal_pairs.copies), *counted, *useless)

    def changes(self) -> Iterator[Change]:
        """Yield every change: kinds without a parent first, then the members of each object."""
        since = self.focus.since
        for change in self._walk():
            ours = (self.left, change.left_id, change.left_parent)
            theirs = (self.right, change.right_id, change.right_parent)
            if since is None or since.has_changed(change.kind, ours, theirs):
                yield change
            else:
                self._counted_out[change.kind] += 1

    def _walk(self) -> Iterator[Change]:
        held = self.focus.kinds_of(self.left, self.right)
        for kind in ROOT_KINDS:
            if kind in held and self._unseen.both_read(kind):
                yield from self._kind(kind)
        for kind, form in KINDS.items():
            if form.parent and kind in held and (form.replayed or self.same_place):
                for one, other in self._paired(form.parent).items():
                    yield from self._members(kind, one, other)
                if form.parent not in held and self._unseen.both_read(form.parent):
                    yield from self._orphaned(kind, form.parent)

    def _orphaned(self, kind: str, above: str) -> Iterator[Change]:
        """Yield the members of objects that only one side has. Only needed where the parent kind is
        not compared: otherwise the change of the parent stands for its members."""
        known, unseen = self.pairs.ids[above], self._unseen
        sides = (
            (0, "removed", known.keys(), unseen.absent_right),
            (1, "added", set(known.values()), unseen.absent_left),
        )
        for side, action, paired, absent in sides:
            estate = (self.left, self.right)[side]
            for id_, entity in self._all(side, above).items():
                lone = id_ not in paired and self.focus.includes(entity)
                if lone and absent(above, id_) and unseen.is_read(side, kind, id_):
                    for lost in (self._named(e, estate) for e in estate.iter_members(kind, id_)):
                        if self.focus.includes(lost):
                            self._count(kind)
                            yield _unpaired_change(lost, action, id_)

    def _all(self, side: int, kind: str) -> Mapping[str, Entity]:
        """Every object of a side and a kind that has no parent, by id."""
        if (side, kind) not in self._objects:
            estate = (self.left, self.right)[side]
            found = estate.threads_by_id if kind == "thread" else estate.objects(kind)
            self._objects[(side, kind)] = self._narrowed(side, kind, found)
        return self._objects[(side, kind)]

    def _narrowed(self, side: int, kind: str, found: Mapping[str, Entity]) -> Mapping[str, Entity]:
        """Opposite a config directory: only configuration, and what the directory refers to."""
        estate, other = (self.left, self.right) if side == 0 else (self.right, self.left)
        if not other.codec.ids_are_keys or estate.codec.ids_are_keys:
            return found
        held, pairs = self.focus.selection(estate, other, self._journal_pairs.copies), self.pairs.ids[kind]
        named = set(pairs) if side == 0 else set(pairs.values())
        return {id_: e for id_, e in found.items() if id_ in named or held.contains(kind, id_)}

    def _paired(self, kind: str) -> dict[str, str]:
        """Left id -> right id of the pairs of which one side passes the filter."""
        ours, theirs, wants = self._all(0, kind), self._all(1, kind), self.focus.includes
        return {one: other for one, other in self.pairs.ids[kind].items() if wants(ours[one], theirs[other])}

    def _kind(self, kind: str) -> Iterator[Change]:
        ours, theirs, paired = self._all(0, kind), self._all(1, kind), self._paired(kind)
        for one, other in paired.items():
            yield from self._pair(ours[one], theirs[other], self.pairs.matched_by[(kind, one)])
        known = self.pairs.ids[kind]
        removed = [e for id_, e in ours.items() if id_ not in known and self.focus.includes(e)]
        for entity in removed:
            if self._unseen.absent_right(kind, entity.id):
                yield Change(kind, entity.id, "", entity.name, "removed")
        rights = set(known.values())
        added = [e for id_, e in theirs.items() if id_ not in rights and self.focus.includes(e)]
        for entity in added:
            if self._unseen.absent_left(kind, entity.id):
                yield Change(kind, "", entity.id, entity.name, "added")
        self.compared[kind] = len(paired) + len(removed) + len(added)

    def _members(self, kind: str, left: str, right: str) -> Iterator[Change]:
        if not self._unseen.both_read(kind, left, right):
            return
        alike = self.same_place and self.left.snapshot.same_listing(self.right.snapshot, kind, left)
        if alike and not self.focus.has_filter_for(kind):
            self._count(kind, self.left.snapshot.count(kind, left))
            return
        named = kind == "vector_store_file" or self.same_place
        start = 0
        if kind == MESSAGE.name:
            in_step = self._in_step(left, right, self._same(named, self._journal_pairs.messages(left, right)))
            for start, changes in enumerate(in_step, 1):  # noqa: B007 - how many they were
                yield from changes
        ours = self.left.lazy_members(kind, left)[start:].map(partial(self._named, estate=self.left))
        theirs = self.right.lazy_members(kind, right)[start:].map(partial(self._named, estate=self.right))
        seen = ours.map(self._seen_from_right)
        known = dict(self._journal_pairs.messages(left, right)) if ours and theirs and not named else {}
        pairs = list(align_by_id(kind, seen, theirs) if named else align_by_journal(seen, theirs, known))
        places = _moved_positions(pairs) if kind == MESSAGE.name else {}
        lefts = rights = 0
        for one, other in pairs:
            mine, yours = ours[one] if one is not None else None, theirs[other] if other is not None else None
            if not self.focus.includes(*(side for side in (mine, yours) if side)):
                continue
            lefts, rights = lefts + bool(mine), rights + bool(yours)
            if mine and yours:
                moved = [FieldDifference.from_steps((POSITION_STEP,), *places[one])] if one in places else []
                yield from self._pair(mine, yours, "", moved)
            elif mine:
                yield _unpaired_change(mine, "removed", left)
            elif yours:
                yield _unpaired_change(yours, "added", right)
        self._count(kind, max(lefts, rights))

    def _same(
        self, named: bool, journal_rows: Iterable[tuple[str, str]]
    ) -> Callable[[LazyMessage, LazyMessage], bool]:
        """Return a test whether two messages at the same position are a pair, as `align_by_id` and
        `align_by_journal` would decide. The pairs of the journal are in order, too, where nothing changed."""
        rows = iter(journal_rows)
        first = None if named else next(rows, None)
        expected = chain(() if first is None else (first,), rows)

        def same(one: LazyMessage, other: LazyMessage) -> bool:
            if named:
                return one.id == other.id
            if first is not None:
                return next(expected, None) == (one.id, other.id)
            if one.text_message and other.text_message:
                return one.text_message == other.text_message
            return normalize_entity(self._seen_from_right(one.entity)) == normalize_entity(other.entity)

        return same

    def _in_step(
        self, left: str, right: str, same: Callable[[LazyMessage, LazyMessage], bool]
    ) -> Iterator[Iterable[Change]]:
        """Compare messages in order until two are not a pair. Most threads end here, without being held in
        memory. Messages of equal plain text are equal without normalising them."""
        kind, chosen = MESSAGE.name, self.focus.has_filter_for(MESSAGE.name)
        for one, other in common_prefix(self.left.lazy_messages(left), self.right.lazy_messages(right), same):
            alike = one.text_message is not None and one.text_message == other.text_message
            wanted = not chosen or self.focus.includes(one.entity, other.entity)
            self._count(kind, wanted)
            yield () if alike or not wanted else self._pair(one.entity, other.entity, "")

    def _count(self, kind: str, number: int = 1) -> None:
        self.compared[kind] = self.compared.get(kind, 0) + number

    def _pair(
        self, left: Entity, right: Entity, how: str, moved: Iterable[FieldDifference] = ()
    ) -> Iterator[Change]:
        left, right = self._with_sent(file_on_service(left), file_on_service(right))
        one, other = _without_one_sided_hash(
            normalize_entity(self._seen_from_right(left)), normalize_entity(right)
        )
        paths = diff_objects(one, other)
        states = usability(left), usability(right)
        if states[0] != states[1] and not (self.left.codec.reports_state and self.right.codec.reports_state):
            self._useless[left.kind, max(states, key=lambda state: state != "usable")] += 1
        elif states[0] != states[1]:
            paths.append(FieldDifference("status", *states, ("status",)))
        paths += moved
        if paths:
            guessed = (
                self.pairs.is_guess(left.kind, left.id) or (left.kind, left.id) in self.pairs.unproven_matches
            )
            yield Change(
                left.kind, left.id, right.id, left.name or right.name, "changed", tuple(paths), guessed, how,
                left.parent, right.parent,
            )  # fmt: skip

    def _with_sent(self, left: Entity, right: Entity) -> tuple[Entity, Entity]:
        """Two files; where the bytes of one were not read, with the hash that the journal noted at upload."""
        sent = self._journal_pairs.sent.get((left.id, right.id)) if left.kind == "file" else None
        if not sent:
            return left, right
        one, other = (e if e.fields.get("sha256") else e.with_fields(sha256=sent) for e in (left, right))
        return one, other

    def _named(self, entity: Entity, estate: Estate) -> Entity:
        """A file of a vector store, labelled with the name of the file."""
        held = estate.objects("file").get(str(entity.fields.get("file_id")))
        return replace(entity, label=held.name) if held and not entity.name else entity

    def _seen_from_right(self, entity: Entity) -> Entity:
        """The left entity with references by the ids of the right, so that equal references compare equal."""
        return remap_references(KINDS[entity.kind], entity, self.pairs.right)


def _unpaired_change(entity: Entity, action: str, parent: str) -> Change:
    ids = ("", entity.id) if action == "added" else (entity.id, "")
    parents = ("", parent) if action == "added" else (parent, "")
    return Change(entity.kind, *ids, entity.name, action, left_parent=parents[0], right_parent=parents[1])


def _without_one_sided_hash(
    left: dict[str, JSON], right: dict[str, JSON]
) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """Drop `sha256` where only one side has it: then it proves nothing."""
    if "sha256" in left and "sha256" in right:
        return left, right
    return tuple({k: v for k, v in side.items() if k != "sha256"} for side in (left, right))  # type: ignore[return-value]


def _moved_positions(pairs: list[PositionPair]) -> dict[int, tuple[int, int]]:
    """Pairs whose order differs: left position -> (rank on the left, rank on the right)."""
    both = sorted((one, other) for one, other in pairs if one is not None and other is not None)
    if all(before[1] < behind[1] for before, behind in pairwise(both)):
        return {}
    left = {pair: n for n, pair in enumerate(both)}
    right = {pair: n for n, pair in enumerate(sorted(both, key=lambda pair: pair[1]))}
    return {pair[0]: (left[pair], right[pair]) for pair in both if left[pair] != right[pair]}
