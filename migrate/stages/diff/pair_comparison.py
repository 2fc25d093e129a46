"""Compare two objects that are a pair, and record what one side did not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from migrate.model import JSON, KINDS, Entity
from migrate.model.entity import NOT_FOUND_REASON, usability
from migrate.model.file import file_on_service
from migrate.model.message_label import object_label
from migrate.model.normalize import normalize_entity
from migrate.model.object_diff import FieldDifference, diff_objects
from migrate.model.references import remap_references
from migrate.model.results.diff import Change
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import JournalPairs
from migrate.stages.match.pairs import ObjectPairs

# The sides of a comparison, as places in a tuple of both.
LEFT, RIGHT = 0, 1


class PairComparison:
    """Compares two objects of two estates."""

    def __init__(self, left: Estate, right: Estate, pairs: ObjectPairs, journal: JournalPairs) -> None:
        self._left, self._right, self._pairs, self._journal = left, right, pairs, journal
        self._ignored_states: Counter[tuple[str, str]] = Counter()

    def compare(
        self, left: Entity, right: Entity, paired_by: str, moved: Iterable[FieldDifference] = ()
    ) -> Change | None:
        """What differs between two objects; None where nothing does. `moved`: differences of position."""
        left, right = self._with_sent_hash(file_on_service(left), file_on_service(right))
        paths = diff_objects(
            *_without_one_sided_hash(normalize_entity(self.remap_left(left)), normalize_entity(right))
        )
        states = usability(left), usability(right)
        reported = self._left.codec.reports_state and self._right.codec.reports_state
        if states[0] != states[1] and not reported:
            self._ignored_states[left.kind, max(states, key=lambda state: state != "usable")] += 1
        elif states[0] != states[1]:
            paths.append(FieldDifference("status", *states, ("status",)))
        paths += moved
        if not paths:
            return None
        key = (left.kind, left.id)
        guessed = self._pairs.is_guess(*key) or key in self._pairs.unproven_matches
        return Change(
            left.kind, left.id, right.id, object_label(left) or object_label(right), "changed", tuple(paths),
            guessed, paired_by, left.parent, right.parent,
        )  # fmt: skip

    def remap_left(self, entity: Entity) -> Entity:
        """An object of the left with the ids of the right in its references, so that equal references are
        equal."""
        return remap_references(entity, self._pairs.right)

    def ignored_states(self) -> list[str]:
        """One line for each state that was not compared, because a config directory has no states."""
        return [
            f"the state of {n:,} {kind}: {state}; a config directory has no states"
            for (kind, state), n in sorted(self._ignored_states.items())
        ]

    def _with_sent_hash(self, left: Entity, right: Entity) -> tuple[Entity, Entity]:
        """Two files. Where the bytes of one were not read, it gets the hash that the journal recorded at the
        upload."""
        sha256 = self._journal.sent.get((left.id, right.id)) if left.kind == "file" else None
        if not sha256:
            return left, right
        left, right = (
            file if file.fields.get("sha256") else file.with_fields(sha256=sha256) for file in (left, right)
        )
        return left, right


def _without_one_sided_hash(
    left: dict[str, JSON], right: dict[str, JSON]
) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """Drop `sha256` where only one side has it: then it proves nothing."""
    for side, other in ((left, right), (right, left)):
        if "sha256" not in other:
            side.pop("sha256", None)
    return left, right


def with_file_name(entity: Entity, estate: Estate) -> Entity:
    """A file of a vector store, labelled with the name of the file."""
    file = estate.objects("file").get(str(entity.fields.get("file_id")))
    return replace(entity, label=file.name) if file and not entity.name else entity


def unpaired_change(entity: Entity, action: str, parent: str) -> Change:
    """The change of an object that only one side has: `added` or `removed`."""
    ids = ("", entity.id) if action == "added" else (entity.id, "")
    parents = ("", parent) if action == "added" else (parent, "")
    name = object_label(entity)
    return Change(entity.kind, *ids, name, action, left_parent=parents[0], right_parent=parents[1])


class ReadCoverage:
    """What each side did not read."""

    def __init__(self, left: Estate, right: Estate, journal: Mapping[tuple[str, str], str]) -> None:
        self._lines: dict[str, None] = {}
        self._sides = (("left", left), ("right", right))
        self._same_place = left.side == right.side
        # Id on the other side -> id on this one.
        self._ids = ({(kind, new): old for (kind, old), new in journal.items()}, journal)
        self._gaps = [
            {(gap.kind, gap.id): gap.reason for gap in side.snapshot.missing() if gap.kind != "file"}
            for _, side in self._sides
        ]

    @property
    def lines(self) -> list[str]:
        """One line for each listing or object that was needed and not read, each once."""
        return list(self._lines)

    def both_read(self, kind: str, left: str = "", right: str = "") -> bool:
        """Whether both listings were read completely. If not, a missing object proves nothing."""
        read = [self.is_read(side, kind, parent) for side, parent in enumerate((left, right))]
        return all(read)

    def is_read(self, side: int, kind: str, parent: str) -> bool:
        """Whether the listing of one side was read completely."""
        name, estate = self._sides[side]
        filtered = estate.why_filtered(kind)
        if not filtered and estate.is_complete(kind, parent):
            return True
        state, reason = estate.snapshot.listing_state(kind, parent)
        if state or KINDS[kind].replayed:  # runs are left out on purpose when estates are compared
            self._lines.setdefault(
                f"{kind} {parent or '*'} on the {name}: {filtered or reason or 'not read'}"
            )
        return False

    def is_absent(self, side: int, kind: str, other_id: str) -> bool:
        """Whether one side is known not to have an object that the other has with this id."""
        id_ = other_id if self._same_place else self._ids[side].get((kind, other_id), "")
        name, estate = self._sides[side]
        reason = self._gaps[side].get((kind, id_), "")
        if reason and not reason.startswith(NOT_FOUND_REASON):
            self._lines.setdefault(f"{kind} {id_} on the {name}: {reason}")
            return False
        state, remark = estate.snapshot.listing_state(kind)
        if remark and state == "complete" and not reason:
            self._lines.setdefault(f"{kind} * on the {name}: {remark}")
            return False
        return True
