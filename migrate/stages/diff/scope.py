"""Select what of two estates is compared, and which differences are expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from migrate.codecs.foundry.agent_names import valid_name_base
from migrate.errors import BadUsage
from migrate.model import KINDS, Entity
from migrate.model.entity import usability
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.object_diff import FieldDifference
from migrate.model.project_resources import short_connection_name
from migrate.stages.config_directory.select import ConfigSelection, select_configuration
from migrate.stages.diff.ignore_rules import ExpectedDifference, IgnoreRule
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter

# Id -> fingerprint.
_Fingerprints = dict[str, str]


class Baseline:
    """An earlier snapshot. Fingerprints of a listing are computed once; of listings below a parent only the
    last one is kept."""

    def __init__(self, base: Estate) -> None:
        self.base = base
        self.name = f"snapshot {base.snapshot.info.id}"
        self._marks: dict[tuple[int, str], tuple[str, _Fingerprints]] = {}

    def covers(self, *sides: Estate) -> bool:
        """Whether one of these estates is the place of the earlier snapshot."""
        return any(side.side == self.base.side for side in sides)

    def has_changed(self, kind: str, *objects: tuple[Estate, str, str]) -> bool:
        """Whether one of these (estate, id, parent) that lies in the same place is another than it was."""
        here = [(side, id_, parent) for side, id_, parent in objects if side.side == self.base.side and id_]
        gone = len(here) < sum(side.side == self.base.side for side, _, _ in objects)
        return gone or any(
            self._mark(side, kind, id_, parent) != self._mark(self.base, kind, id_, parent)
            for side, id_, parent in here
        )

    def _mark(self, estate: Estate, kind: str, id_: str, parent: str) -> str:
        key = (id(estate), kind)
        if key not in self._marks or self._marks[key][0] != parent:
            self._marks[key] = (parent, self._read(estate, kind, parent))
        return self._marks[key][1].get(id_, "")

    def _read(self, estate: Estate, kind: str, parent: str) -> _Fingerprints:
        if KINDS[kind].parent:
            found = estate.iter_members(kind, parent)
        else:
            found = iter(estate.iter_threads() if kind == "thread" else estate.objects(kind).values())
        return {e.id: json_digest([normalize_entity(e), usability(e)]) for e in found}


# Kinds that a config directory can hold.
DIRECTORY_KINDS = frozenset({"file", "vector_store", "vector_store_file", "assistant"})

RUN_KINDS = frozenset(kind for kind, form in KINDS.items() if not form.replayed)

# Kind -> other kinds that must be known to compare it: what it names, and what recognises it.
REQUIRED_KINDS: Mapping[str, frozenset[str]] = {
    "file": frozenset(),
    "vector_store": frozenset(),
    "vector_store_file": frozenset({"vector_store", "file"}),
    "assistant": frozenset({"vector_store", "file", "vector_store_file"}),
    "thread": frozenset({"vector_store", "file", "message"}),
    "message": frozenset({"thread", "vector_store", "file"}),
    "run": frozenset({"thread", "message", "assistant", "vector_store", "file"}),
    "run_step": frozenset({"thread", "message", "run", "assistant", "vector_store", "file"}),
}


def kinds_to_read(kinds: frozenset[str]) -> frozenset[str]:
    """The kinds to read when only these are compared (empty: all)."""
    return kinds.union(*(REQUIRED_KINDS[kind] for kind in kinds)) if kinds else frozenset(KINDS)


@dataclass(frozen=True)
class DiffScope:
    """`kinds`: only these (empty: all). `since`: a snapshot; what is still as it was there is left out.
    `models`, `connections`: names of the left that are called otherwise on the right."""

    kinds: frozenset[str] = frozenset()
    object_filter: ObjectFilter = field(default_factory=ObjectFilter)
    rules: tuple[IgnoreRule, ...] = ()
    since: Baseline | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)

    def kinds_of(self, left: Estate, right: Estate) -> frozenset[str]:
        """The kinds that are compared. Raises `BadUsage` where one that was asked for cannot be."""
        held = DIRECTORY_KINDS if (left.codec.ids_are_keys or right.codec.ids_are_keys) else frozenset(KINDS)
        for kind in sorted(self.kinds):
            if reason := _why_not_comparable(kind, left, right):
                rest = (
                    "compare two snapshots of one place that hold runs"
                    if kind in RUN_KINDS
                    else "leave it out"
                )
                raise BadUsage(f"--kind {kind}: cannot be compared here", reason, rest)
        return held & self.kinds if self.kinds else held

    def includes(self, *sides: Entity) -> bool:
        """Whether an object is among what is compared, by a name or id that it has on either side."""
        names = [name for one in sides for name in (one.id, one.name) if name]
        return self.object_filter.matches_names(sides[0].kind, names)

    def has_filter_for(self, kind: str) -> bool:
        """Whether an include or exclude rule is about this kind."""
        return any(of == kind for of, _ in (*self.object_filter.include, *self.object_filter.exclude))

    def left_out(self, left: Estate, right: Estate, copies: frozenset[str]) -> Iterator[str]:
        """What was not compared on purpose, in words."""
        for estate, other in ((left, right), (right, left)):
            if other.codec.ids_are_keys and not estate.codec.ids_are_keys:
                for kind, number in sorted(self.selection(estate, other, copies).left_out.items()):
                    what = kind.replace("_", " ") if number == 1 else _plural(kind)
                    yield f"{number:,} {what} that no assistant uses, or of another environment"

    def selection(self, estate: Estate, other: Estate, copies: frozenset[str]) -> ConfigSelection:
        """What of an estate is compared with a config directory. `copies`: those that a journal knows."""
        return select_configuration(estate, str(other.snapshot.info.options.get("name_prefix") or ""), copies)

    def expected(self, left: Estate, right: Estate) -> tuple[ExpectedDifference, ...]:
        """Differences that follow from where the sides lie. On one endpoint nothing is expected: there a
        renamed model is drift. A config directory has names of its own for each environment."""
        if left.side == right.side or left.codec.ids_are_keys or right.codec.ids_are_keys:
            return ()
        models = {**self.models}
        linked = {
            short_connection_name(old): short_connection_name(new) for old, new in self.connections.items()
        }
        found = []
        if models:
            found.append(
                ExpectedDifference("[models] of the config file", lambda p: _is_renamed(p, "model", models))
            )
        if linked:
            found.append(
                ExpectedDifference("[connections] of the config file", lambda p: _is_relinked(p, linked))
            )
        if left.names_are_ids != right.names_are_ids:
            found.append(ExpectedDifference("names spelled as addresses", _is_respelled))
        return tuple(found)


def _why_not_comparable(kind: str, left: Estate, right: Estate) -> str:
    """Why a kind cannot be compared on these two sides, or ''."""
    if (left.codec.ids_are_keys or right.codec.ids_are_keys) and kind not in DIRECTORY_KINDS:
        return "a config directory holds assistants, vector stores and files"
    if kind in RUN_KINDS and left.side != right.side:
        return "runs are compared within one place only"
    if kind in RUN_KINDS and (left.is_live or right.is_live):
        return "runs of a live estate are not read to be compared"
    return ""


def _plural(kind: str) -> str:
    return KINDS[kind].plural.replace("_", " ")


def _is_renamed(path: FieldDifference, field_: str, names: Mapping[str, str]) -> bool:
    return path.steps == (field_,) and isinstance(path.left, str) and names.get(path.left) == path.right


def _is_relinked(path: FieldDifference, linked: Mapping[str, str]) -> bool:
    inside = path.field in ("tools", "tool_resources") and isinstance(path.left, str)
    return inside and linked.get(path.left) == path.right


def _is_respelled(path: FieldDifference) -> bool:
    one, other = path.left, path.right
    named = path.steps == ("name",) and isinstance(one, str) and isinstance(other, str)
    return named and valid_name_base(one).casefold() == valid_name_base(other).casefold() != ""
