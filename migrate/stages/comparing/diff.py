"""Two estates in, a list of differences out; what one side did not read is said, never counted as drift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from migrate.model import JSON, KINDS, Entity
from migrate.model.condition import condition
from migrate.model.normal import normal
from migrate.model.refs import remap
from migrate.stages.comparing.aligning import by_journal, by_name
from migrate.stages.comparing.differing import Path, differing
from migrate.stages.comparing.pairing import Pairs, pair
from migrate.stages.estate import Estate


@dataclass(frozen=True)
class Change:
    """One object that differs. `action` goes from left to right: added, removed, changed."""

    kind: str
    left_id: str
    right_id: str
    name: str
    action: str
    paths: tuple[Path, ...] = ()
    guessed: bool = False


@dataclass(frozen=True)
class Difference:
    """Everything that differs, how many objects were compared, and what could not be."""

    changes: list[Change]
    compared: dict[str, int]
    unread: list[str] = field(default_factory=list)


def diff(
    left: Estate, right: Estate, journal: Mapping[tuple[str, str], str], kinds: frozenset[str]
) -> Difference:
    """Compare two estates. `kinds` narrows what is reported (empty: all)."""
    pairs = pair(left, right, journal, guess=True)
    messages = {old: new for (kind, old), new in journal.items() if kind == "message"}
    comparison = _Comparison(left, right, pairs, messages)
    wanted = kinds or frozenset(KINDS)
    changes = [change for change in comparison.changes() if change.kind in wanted]
    compared = {kind: n for kind, n in comparison.compared.items() if kind in wanted}
    return Difference(changes, compared, [line for line in comparison.unread if line.split()[0] in wanted])


class _Comparison:
    def __init__(self, left: Estate, right: Estate, pairs: Pairs, messages: Mapping[str, str]) -> None:
        self.left, self.right, self.pairs, self.messages = left, right, pairs, messages
        self.compared: dict[str, int] = {}
        self.unread: list[str] = []

    def changes(self) -> Iterator[Change]:
        for kind in ("file", "vector_store", "assistant"):
            if self._both_read(kind):
                yield from self._kind(kind, self.left.of(kind), self.right.of(kind))
        if self._both_read("thread"):
            left = {e.id: e for e in self.left.threads()}
            right = {e.id: e for e in self.right.threads()}
            yield from self._kind("thread", left, right)
        for store, other in self.pairs.ids["vector_store"].items():
            yield from self._members("vector_store_file", store, other)
        for thread, other in self.pairs.ids["thread"].items():
            yield from self._members("message", thread, other)
            if self.left.side == self.right.side:
                for kind in ("run", "run_step"):
                    yield from self._members(kind, thread, other, quiet=True)

    def _both_read(self, kind: str, left: str = "", right: str = "", quiet: bool = False) -> bool:
        """Whether both sides were read to their end; otherwise neither absence nor presence means a thing."""
        ok = True
        for side, estate, parent in (("left", self.left, left), ("right", self.right, right)):
            filtered = estate.filtered(kind)
            if filtered or not estate.read(kind, parent):
                ok = False
                state, why = estate.snapshot.scope(kind, parent)
                reason = filtered or why or "not read"
                if not quiet or state:
                    self.unread.append(f"{kind} {parent or '*'} on the {side}: {reason}")
        return ok

    def _kind(self, kind: str, left: dict[str, Entity], right: dict[str, Entity]) -> Iterator[Change]:
        paired = self.pairs.ids[kind]
        self.compared[kind] = len(left) + len(right) - len(paired)
        for id_, entity in left.items():
            other = paired.get(id_)
            if other is None:
                yield Change(kind, id_, "", entity.name, "removed")
            else:
                yield from self._pair(entity, right[other], (kind, id_) in self.pairs.guessed)
        for id_ in right.keys() - set(paired.values()):
            yield Change(kind, "", id_, right[id_].name, "added")

    def _members(self, kind: str, left: str, right: str, quiet: bool = False) -> Iterator[Change]:
        if not self._both_read(kind, left, right, quiet):
            return
        ours, theirs = self.left.members(kind, left), self.right.members(kind, right)
        seen = [self._seen_from_right(e) for e in ours]
        self.compared[kind] = self.compared.get(kind, 0) + max(len(ours), len(theirs))
        same_place = self.left.side == self.right.side
        named = kind == "vector_store_file" or same_place
        pairs = list(by_name(kind, seen, theirs) if named else by_journal(seen, theirs, self.messages))
        places = _places(pairs) if kind == "message" else {}
        for one, other in pairs:
            if one is None and other is not None:
                yield Change(kind, "", theirs[other].id, theirs[other].name, "added")
            elif other is None and one is not None:
                yield Change(kind, ours[one].id, "", ours[one].name, "removed")
            elif one is not None and other is not None:
                moved = [Path("[place]", *places[one])] if one in places else []
                yield from self._pair(ours[one], theirs[other], False, moved)

    def _pair(
        self, left: Entity, right: Entity, guessed: bool, moved: Iterable[Path] = ()
    ) -> Iterator[Change]:
        paths = differing(normal(self._seen_from_right(left)), _comparable(normal(right), left))
        if not right.fields.get("sha256"):
            paths = [path for path in paths if path.path != "sha256"]
        states = condition(left), condition(right)
        if states[0] != states[1]:
            paths.append(Path("status", *states))
        paths += moved
        if paths:
            name = left.name or right.name
            yield Change(left.kind, left.id, right.id, name, "changed", tuple(paths), guessed)

    def _seen_from_right(self, entity: Entity) -> Entity:
        """References by the ids they have on the right: ids never differ by being ids."""
        return remap(KINDS[entity.kind], entity, self.pairs.right)


def _comparable(right: dict[str, JSON], left: Entity) -> dict[str, JSON]:
    """A hash that only one side could learn says nothing."""
    if "sha256" in right and not left.fields.get("sha256"):
        return {k: v for k, v in right.items() if k != "sha256"}
    return right


def _places(pairs: list[tuple[int | None, int | None]]) -> dict[int, tuple[int, int]]:
    """Places in the common order that differ: left position -> place left and right."""
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    left = {pair: n for n, pair in enumerate(sorted(both))}
    right = {pair: n for n, pair in enumerate(sorted(both, key=lambda pair: pair[1]))}
    return {pair[0]: (left[pair], right[pair]) for pair in both if left[pair] != right[pair]}
