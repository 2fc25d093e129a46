"""What a plan decides about one object, and records of all decisions and of a thread's compared messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from migrate.codecs.adapt.files import ORIGINALS_HINT
from migrate.model import Entity
from migrate.model.entity import usability
from migrate.model.loss import EVERY_OBJECT, Grade, Loss
from migrate.model.message_label import object_label
from migrate.model.object_diff import FieldDifference
from migrate.model.references import IdLookup, references_of, remap_references
from migrate.model.results.plan import Action, ActionName, ChangeRow
from migrate.model.stamp import remove_stamp_keys
from migrate.stages.object_fingerprints import object_fingerprint
from migrate.stages.plan.changes import ChangeLog

# Kind and field of a label: an existing object may have another one.
INFORMATIONAL_FIELDS = frozenset({("file", "purpose")})
# Facts that this program adds itself, or that every object has.
INTERNAL_FACTS = frozenset({"object", "bytes_from", "bytes_reported"})


@dataclass(frozen=True)
class Conflict:
    """An object that others changed on the target and that differs from the source.

    `by_other_tool`: another tool created it from the object of the source, and no move of this program wrote
    it yet."""

    kind: str
    id: str
    target_id: str
    name: str
    paths: tuple[FieldDifference, ...]
    by_other_tool: bool = False


def object_loss(entity: Entity, name: str, reason: str, grade: Grade = "lost", way_out: str = "") -> Loss:
    """A loss in one field of an object. `way_out`: what the user can do."""
    return Loss(entity.kind, entity.id, name, grade, reason, way_out, entity.parent, object_label(entity))


def existing_action(verb: ActionName, kind: str, source_id: str, existing: Entity, **changes: Any) -> Action:
    """An action that changes or deletes an object of the target, if it is still as it was read."""
    before = object_fingerprint(existing)
    return Action(verb, kind, source_id, target_id=existing.id, before=before, **changes)


@dataclass(frozen=True)
class Decision:
    """What happens to one object. `change`: from old to new, of an update or a conflict. `facts`: names of
    what only its service sets, which is not written."""

    action: Action
    losses: tuple[Loss, ...] = ()
    conflict: Conflict | None = None
    change: ChangeRow | None = None
    facts: frozenset[str] = frozenset()


@dataclass
class DecisionLog:
    """What was decided until now."""

    losses: list[Loss] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    changes: ChangeLog = field(default_factory=ChangeLog)
    # Thread and id of messages with losses that are appended to a thread of the target.
    new_messages: set[tuple[str, str]] = field(default_factory=set)
    # Losses of messages that arrived in another form than the one that was tried, and are still as they were
    # written.
    arrived_without: set[Loss] = field(default_factory=set)
    # Losses of messages that a restore found on the target, where an earlier move may have reported them.
    earlier_losses: list[Loss] = field(default_factory=list)
    # (kind, id) of objects that are not created, so nothing can refer to them.
    blocked: set[tuple[str, str]] = field(default_factory=set)
    # (kind, id) of objects that are not selected, although selected ones refer to them.
    left_out: set[tuple[str, str]] = field(default_factory=set)
    # Kind -> names of facts that occur.
    facts: dict[str, set[str]] = field(default_factory=dict)
    # Kind, id on the target that is gone, and id on the source of the object that takes its place.
    replaced_ids: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, decision: Decision) -> Action:
        """Note a decision; its action is returned."""
        action = decision.action
        self.losses += decision.losses
        self.conflicts += [decision.conflict] if decision.conflict else []
        if decision.change is not None:
            self.changes.add(decision.change)
        self.facts.setdefault(action.kind, set()).update(decision.facts)
        if action.action == "blocked" and not action.target_id:
            self.blocked.add((action.kind, action.id))
        return action

    def add_loss(
        self, entity: Entity, name: str, reason: str, grade: Grade = "lost", way_out: str = ""
    ) -> None:
        """Note a loss that only planning can see."""
        self.losses.append(object_loss(entity, name, reason, grade, way_out))


def facts_of(entity: Entity) -> frozenset[str]:
    """Names of what only the service of an object sets, as far as it says something."""
    return frozenset(
        name
        for name, value in entity.facts.items()
        if name not in INTERNAL_FACTS and value not in (None, "", {}, [])
    )


def metadata_losses(entity: Entity, adapted: Entity, merged: Entity, existing: Entity) -> Iterable[Loss]:
    """What does not fit into metadata that another tool uses as well."""
    existing_keys = remove_stamp_keys(existing.fields["metadata"]).keys()
    if missing := existing_keys - merged.fields["metadata"].keys():
        reason = f"no room for what another tool wrote there: {', '.join(sorted(missing))}"
        yield object_loss(entity, "metadata", reason)
    if adapted.fields.get("name") != merged.fields.get("name"):
        reason = "metadata has no room for the original name beside what another tool wrote there"
        yield object_loss(entity, "name", reason, "lost", "the archive has it")


def shared_losses(entity: Entity, changed: Set[str], files_immutable: bool) -> Iterable[Loss]:
    """What differs in an object that is used where it is, and therefore never written. `files_immutable`: the
    source is a service, where no file changes once it was read."""
    reason = "changed on the source since the snapshot; it is used as it is"
    if not files_immutable:
        reason = "differs on the target, and no file can be changed; it is used as it is"
    return (object_loss(entity, name, reason, "adapted") for name in sorted(changed))


def unwritten_fields(entity: Entity, existing: Entity, names: Set[str]) -> tuple[tuple[str, ...], list[Loss]]:
    """The fields that differ on the target and stay so, each with its loss."""
    losses = [
        object_loss(
            entity,
            name,
            "differs on the target and cannot be changed there",
            "adapted" if (entity.kind, name) in INFORMATIONAL_FIELDS else "lost",
        )
        for name in sorted(names)
    ]
    state = usability(existing)
    if entity.kind != "vector_store" or state == "usable":
        return tuple(sorted(names)), losses
    reason = f"{existing.id} on the target has {state}, and nothing can be searched in it"
    losses.append(
        object_loss(entity, "status", reason, "lost", "delete it there; the next plan recreates it")
    )
    return (*sorted(names), "status"), losses


# In a restore, a file is gone from its service, so a new snapshot would not have it.
RESTORE_ORIGINALS_HINT = "take the bytes from a folder: add --originals DIR"


def with_restore_hints(losses: Iterable[Loss]) -> list[Loss]:
    """Losses with the remedy that `restore` has for missing bytes."""
    return [
        replace(loss, way_out=RESTORE_ORIGINALS_HINT) if loss.way_out == ORIGINALS_HINT else loss
        for loss in losses
    ]


def recreated_reference_losses(entity: Entity, is_recreated: Callable[[str, str], bool]) -> Iterator[Loss]:
    """A loss for each reference of an object that is kept to one that is created again."""
    for path, kind, id_ in references_of(entity):
        if is_recreated(kind, id_):
            name = re.split(r"[.\[]", path)[0]
            reason = f"names {kind} {id_}, which is gone and comes back under another id"
            hint = "change it by hand; `ids` shows the new id"
            yield object_loss(entity, name, reason, "adapted", hint)


@dataclass
class MessageComparison:
    """The messages of a thread beside those of its counterpart.

    `count`: messages that are replayed. `attached`: source ids of the files that they attach. `matched`: how
    many have a counterpart. `gone`: messages on the target that the source no longer has. `left`: items of
    the very thread that was read, which are never replayed. `extra`: messages on the target by others.
    `mismatch`: the first message that differs, the id of its counterpart and a field. `updates`: actions for
    messages whose metadata differs."""

    count: int = 0
    attached: set[str] = field(default_factory=set)
    matched: int = 0
    gone: int = 0
    left: int = 0
    extra: int = 0
    mismatch: tuple[Entity, str, str] | None = None
    updates: list[Action] = field(default_factory=list)

    @property
    def standing(self) -> int:
        """How many messages of the target come before those that are appended."""
        return self.matched + self.gone + self.left


def changed_since_loss(entity: Entity, present: Entity) -> Loss:
    """An object of the snapshot's own place is not as the snapshot has it, and is not written. One that came
    back under another id may have come back without something."""
    what = "changed since the snapshot" if present.id == entity.id else "is not as the snapshot has it"
    reason = f"it {what}; it stays as it is"
    hint = "--changed writes the state of the snapshot"
    return object_loss(entity, EVERY_OBJECT, reason, "adapted", hint)


def with_ids_in_use(
    present: Entity, former_ids: Mapping[tuple[str, str], Iterable[str]], lookup: IdLookup
) -> Entity:
    """An object of the target with the present id of each object that it refers to by a former one.

    `former_ids`: (kind, source id) -> ids that this object had on the target."""
    origins = {(kind, former): id_ for (kind, id_), ids in former_ids.items() for former in ids}

    def in_use(kind: str, id_: str) -> str | None:
        origin = origins.get((kind, id_))
        return lookup(kind, origin) if origin else None

    return remap_references(present, in_use) if origins else present
