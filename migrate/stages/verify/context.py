"""The expected state of a target, according to the plan, the archive and the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.id_map import Side, arrived_messages, derivations, id_map, reverse_message_ids
from migrate.archive.journal import CITATIONS_NOT_TAKEN, citations_answer
from migrate.codecs import CODECS, Target
from migrate.codecs.foundry.citations import ANNOTATIONS_FIELD
from migrate.model import KINDS, Entity
from migrate.model.loss import ARRIVED_WITHOUT_PREFIX, EVERY_OBJECT
from migrate.model.message_label import object_label
from migrate.model.results.apply import VerifyFinding
from migrate.model.results.plan import LossRow, Plan
from migrate.stages.apply.context import arrived_without_row, planned_target
from migrate.stages.estate import LazyMessage
from migrate.stages.match.lineage import Lineage
from migrate.stages.plan.adaptation import (
    adapted_for_target,
    alternative_targets,
    losses_of_other_form,
    replayed_messages,
)
from migrate.stages.plan_sides import PlanSides, plan_sides

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

THREAD_FIELDS = ("metadata", "tool_resources")


class VerifyContext:
    """What is expected on the target. Several threads use it.

    `ids`: (kind, source id) -> target id. `expected`: keys of the source's objects that should be there.
    """

    def __init__(self, plan: Plan, opened: PlanSides[Reader]) -> None:
        sides = plan_sides(plan)
        source, archive, capabilities = opened.source, opened.archive, opened.capabilities
        self.plan, self.source = plan, source
        self.codec = CODECS[capabilities.service]
        self.target = planned_target(plan, source, capabilities)
        # Whether the service accepts citations, as determined by apply; '' where it was not.
        self.citations = citations_answer(archive.conn, plan.digest)
        # Losses that the plan reports of messages which arrived before it, in another form.
        self._arrived_without = {
            (row.parent, row.id, row.field)
            for row in plan.losses
            if row.reason.startswith(ARRIVED_WITHOUT_PREFIX)
        }
        # (thread, id) of messages that the plan reports as a whole: they are not written.
        self._lost_messages = {
            (row.parent, row.id)
            for row in plan.losses
            if (row.kind, row.field, row.grade) == ("message", EVERY_OBJECT, "lost")
        }
        # What messages lack that this plan tried to write.
        self.losses: list[LossRow] = []
        self.ids = _target_ids(plan, archive, sides)
        # What a restore left as it is, is not compared: it may be newer than the snapshot.
        unchecked = ("blocked", "delete", "skip", "adopt") if plan.restore else ("blocked", "delete")
        self.expected = {
            (a.kind, a.parent, a.id)
            for a in plan.actions
            if a.action not in unchecked and (a.messages or not a.relinks)
        }
        # A thread whose messages are updated is compared, although it is not written itself.
        self.expected |= {
            ("thread", "", a.parent) for a in plan.actions if (a.kind, a.action) == ("message", "update")
        }
        self.created = {(a.kind, a.parent, a.id) for a in plan.actions if a.action == "create"}
        # Fields that differ on the target and stay as they are, as the plan reported.
        self.kept_fields = {(a.kind, a.parent, a.id): a.left for a in plan.actions if a.left}
        # A restore puts messages back into a thread, whose own fields may be newer than the snapshot.
        self.kept_fields |= {
            (a.kind, a.parent, a.id): THREAD_FIELDS
            for a in plan.actions
            if plan.restore == "missing" and a.kind == "thread" and a.action == "update"
        }
        self.in_place = frozenset(plan.settled.in_place)
        self.staying = frozenset(plan.staying)
        # Source and target are the same resource or project.
        self.same_place = sides[0] == sides[1]
        self._archive, self._sides = archive, sides
        self._lock = archive.lock
        self.message_origins = Lineage(derivations(archive.conn)).message_origins(
            source, sides[1], self._reverse_message_ids
        )

    def target_id(self, kind: str, source_id: str) -> str | None:
        """The id of an object on the target."""
        return self.ids.get((kind, source_id))

    def message_target_ids(self, source_id: str) -> list[str]:
        """Ids on the target of a message of the source, according to the journal."""
        with self._lock:
            return [line.target_id for line in id_map(self._archive.conn, *self._sides, source_id=source_id)]

    def arrived_messages(self, thread: str, target_thread: str) -> dict[str, tuple[str, str]]:
        """Target id of each message of a thread -> source id, and fingerprint of what was written. The
        messages of the very thread that was read have the ids of the source."""
        is_itself = self.same_place and thread == target_thread
        own = self.source.iter_lazy_messages(thread) if is_itself else ()
        with self._lock:
            lines = arrived_messages(self._archive.conn, *self._sides, thread, target_thread)
            arrived = {target_id: (source_id, written) for source_id, target_id, written in lines}
        return {message.id: (message.id, "") for message in own} | arrived

    def _reverse_message_ids(
        self, source: Side, target: Side, thread: str, target_thread: str
    ) -> Mapping[str, str]:
        with self._lock:
            return reverse_message_ids(self._archive.conn, source, target, thread, target_thread)

    def expected_objects(self, kind: str, entities: Iterable[Entity]) -> Iterator[Entity]:
        """Those that the plan created, or found, on the target."""
        return (entity for entity in entities if (kind, entity.parent, entity.id) in self.expected)

    def expected_messages(self, thread: str) -> Iterator[LazyMessage]:
        """The messages of a thread that should be on the target, in order."""
        messages = self.source.iter_replayed_messages(thread, self.codec, self.target)
        return (message for message in messages if (thread, message.id) not in self._lost_messages)

    def adapted_messages(self, thread: str) -> Iterator[Entity]:
        """The same, as they should be on the target."""
        return map(self.adapted, replayed_messages(self.source, self.codec, self.target, thread))

    def adapted(self, entity: Entity) -> Entity:
        """The object as it should be on the target: adapted, with the target's ids."""
        return adapted_for_target(entity, self.codec, self.target, self.target_id)

    def other_forms(self, entity: Entity, adapted: Entity) -> Iterator[tuple[Target, Entity]]:
        """The other forms in which a message may have been written, each with its rules. It has its citations
        in each form, unless the service did not take them, or the message arrived before without."""
        citations_may_lack = (
            self.citations in CITATIONS_NOT_TAKEN
            or (entity.parent, entity.id, ANNOTATIONS_FIELD) in self._arrived_without
        )
        for target in alternative_targets(self.codec, self.target, adapted, citations_may_lack):
            yield target, adapted_for_target(entity, self.codec, target, self.target_id)

    def note_losses(self, message: Entity, other: Target) -> None:
        """Note what a message lacks that is on the target in another form, unless the plan reports it."""
        losses = losses_of_other_form(message, self.codec, self.target, other)
        rows = [
            arrived_without_row(loss, self.plan.accepted_fields)
            for loss in losses
            if (loss.parent, loss.id, loss.field) not in self._arrived_without
        ]
        with self._lock:
            self.losses += rows


def finding(entity: Entity, target_id: str, path: str, reason: str, *values: object) -> VerifyFinding:
    """A finding about an object of the source. `values`: the expected one and the one on the target."""
    return VerifyFinding(entity.kind, entity.id, target_id, object_label(entity), path, reason, *values)


def _target_ids(plan: Plan, archive: Archive, sides: tuple[Side, Side]) -> dict[tuple[str, str], str]:
    """From the id map, and from what the plan decided."""
    lines = id_map(archive.conn, *sides, messages=False)
    ids = {(line.kind, line.source_id): line.target_id for line in lines}
    for kind, id_ in plan.settled.in_place:
        ids.setdefault((kind, id_), id_)
    for kind, id_, target_id in plan.settled.further:
        ids.setdefault((kind, id_), target_id)
    for action in plan.actions:
        if action.target_id and action.action != "delete":
            ids.setdefault((action.kind, action.id), action.target_id)
        if action.target_parent and action.action != "delete":
            ids.setdefault((KINDS[action.kind].parent, action.parent), action.target_parent)
    return ids
