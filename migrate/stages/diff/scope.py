"""Select what of two estates is compared, and which differences are expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from migrate.codecs.foundry.valid_names import valid_name_base
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
    """An earlier snapshot, to see what changed since. Fingerprints of a listing are computed once; of
    listings below a parent only the last one is kept."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.name = f"snapshot {estate.snapshot.info.id}"
        self._fingerprints: dict[tuple[int, str], tuple[str, _Fingerprints]] = {}

    def covers(self, *sides: Estate) -> bool:
        """Whether one of these estates is in the place of the earlier snapshot."""
        return any(side.side == self.estate.side for side in sides)

    def has_changed(self, kind: str, *objects: tuple[Estate, str, str]) -> bool:
        """Whether one of these (estate, id, parent) in the same place is not as it was. An empty id:
        absent."""
        same_place = [row for row in objects if row[0].side == self.estate.side]
        return any(
            not id_
            or self._fingerprint(estate, kind, id_, parent)
            != self._fingerprint(self.estate, kind, id_, parent)
            for estate, id_, parent in same_place
        )

    def _fingerprint(self, estate: Estate, kind: str, id_: str, parent: str) -> str:
        key = (id(estate), kind)
        if key not in self._fingerprints or self._fingerprints[key][0] != parent:
            self._fingerprints[key] = (parent, self._read(estate, kind, parent))
        return self._fingerprints[key][1].get(id_, "")

    def _read(self, estate: Estate, kind: str, parent: str) -> _Fingerprints:
        entities = estate.entities(kind, parent)
        return {e.id: json_digest([normalize_entity(e), usability(e)]) for e in entities}


# Kinds that a config directory can hold.
DIRECTORY_KINDS = frozenset({"file", "vector_store", "vector_store_file", "assistant"})

RUN_KINDS = frozenset(kind for kind, form in KINDS.items() if not form.replayed)

# Kind -> other kinds that must be read to compare it: those it refers to, and those that help to match it.
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
    """What is compared. `kinds`: only these (empty: all). `since`: objects that are as they were in this
    snapshot are left out. `models`, `connections`: name on the left -> name on the right."""

    kinds: frozenset[str] = frozenset()
    object_filter: ObjectFilter = field(default_factory=ObjectFilter)
    rules: tuple[IgnoreRule, ...] = ()
    since: Baseline | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)

    def kinds_of(self, left: Estate, right: Estate) -> frozenset[str]:
        """The kinds that are compared. Raises `BadUsage` where a requested one cannot be compared."""
        comparable = (
            DIRECTORY_KINDS if (left.codec.ids_are_keys or right.codec.ids_are_keys) else frozenset(KINDS)
        )
        for kind in sorted(self.kinds):
            if reason := _why_not_comparable(kind, left, right):
                runs = kind in RUN_KINDS
                todo = "compare two snapshots of one place that hold runs" if runs else "leave it out"
                raise BadUsage(f"--kind {kind}: cannot be compared here", reason, todo)
        return comparable & self.kinds if self.kinds else comparable

    def includes(self, *sides: Entity) -> bool:
        """Whether an object passes the filter, by a name or id that it has on either side."""
        names = [name for entity in sides for name in (entity.id, entity.name) if name]
        return self.object_filter.matches_names(sides[0].kind, names)

    def has_filter_for(self, kind: str) -> bool:
        """Whether an include or exclude rule is about this kind."""
        return any(
            rule_kind == kind for rule_kind, _ in (*self.object_filter.include, *self.object_filter.exclude)
        )

    def left_out(self, left: Estate, right: Estate, copies: frozenset[str]) -> Iterator[str]:
        """What was not compared on purpose, in words."""
        for estate, opposite in ((left, right), (right, left)):
            if opposite.codec.ids_are_keys and not estate.codec.ids_are_keys:
                for kind, number in sorted(self.selection(estate, opposite, copies).left_out.items()):
                    noun = (kind if number == 1 else KINDS[kind].plural).replace("_", " ")
                    yield f"{number:,} {noun} that no assistant uses, or of another environment"

    def selection(self, estate: Estate, directory: Estate, copies: frozenset[str]) -> ConfigSelection:
        """The part of an estate that is compared with a config directory. `copies`: ids of vector stores that
        a journal knows as copies."""
        prefix = str(directory.snapshot.info.options.get("name_prefix") or "")
        return select_configuration(estate, prefix, copies)

    def expected(self, left: Estate, right: Estate) -> tuple[ExpectedDifference, ...]:
        """Differences that follow from the configuration of two endpoints. Within one endpoint nothing is
        expected: there a renamed model is drift. A config directory has names of its own for each
        environment."""
        if left.side == right.side or left.codec.ids_are_keys or right.codec.ids_are_keys:
            return ()
        connections = {
            short_connection_name(old): short_connection_name(new) for old, new in self.connections.items()
        }
        rows: tuple[tuple[object, str, Callable[[FieldDifference], bool]], ...] = (
            (self.models, "[models] of the config file", partial(_is_renamed_model, self.models)),
            (connections, "[connections] of the config file", partial(_is_mapped_connection, connections)),
            (left.names_are_ids != right.names_are_ids, "names spelled as addresses", _is_respelled_name),
        )
        return tuple(ExpectedDifference(reason, matches) for applies, reason, matches in rows if applies)


def _why_not_comparable(kind: str, left: Estate, right: Estate) -> str:
    """Why a kind cannot be compared on these two sides, or ''."""
    if (left.codec.ids_are_keys or right.codec.ids_are_keys) and kind not in DIRECTORY_KINDS:
        return "a config directory holds assistants, vector stores and files"
    if kind in RUN_KINDS and left.side != right.side:
        return "runs are compared within one place only"
    if kind in RUN_KINDS and (left.is_live or right.is_live):
        return "runs of a live estate are not read to be compared"
    return ""


def _is_renamed_model(models: Mapping[str, str], path: FieldDifference) -> bool:
    return path.steps == ("model",) and isinstance(path.left, str) and models.get(path.left) == path.right


def _is_mapped_connection(connections: Mapping[str, str], path: FieldDifference) -> bool:
    in_tools = path.field in ("tools", "tool_resources") and isinstance(path.left, str)
    return in_tools and connections.get(path.left) == path.right


def _is_respelled_name(path: FieldDifference) -> bool:
    if path.steps != ("name",) or not isinstance(path.left, str) or not isinstance(path.right, str):
        return False
    return valid_name_base(path.left).casefold() == valid_name_base(path.right).casefold() != ""
