"""Decide what happens to one object: create, update, adopt, skip or block it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import Any

from migrate.codecs import CODECS, Target
from migrate.codecs.adapt.metadata import merge_existing_metadata
from migrate.codecs.capabilities import unsupported_fields_of
from migrate.model import KINDS, Entity
from migrate.model.estate_location import EstateLocation
from migrate.model.file import is_same_filename
from migrate.model.loss import EVERY_OBJECT, Loss
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.object_diff import FieldDifference, diff_objects
from migrate.model.project_resources import connections_in_other_project
from migrate.model.results.plan import Action, TargetSettings
from migrate.model.secrets import remove_owner_secrets, with_target_credentials
from migrate.model.stamp import remove_stamp_keys
from migrate.stages.config_directory.match import is_equal_on_target
from migrate.stages.estate import Estate
from migrate.stages.match.files import MATCHED_BY_BYTES
from migrate.stages.match.pairs import BY_ORIGINAL_ID
from migrate.stages.object_fingerprints import is_unchanged, object_fingerprint
from migrate.stages.plan.adaptation import adaptation_target, with_snapshot_losses, with_target_ids
from migrate.stages.plan.changes import ConflictOutcome, change_row
from migrate.stages.plan.decision import (
    Conflict,
    Decision,
    changed_since_loss,
    facts_of,
    metadata_losses,
    object_loss,
    recreated_reference_losses,
    shared_losses,
    unwritten_fields,
    with_ids_in_use,
    with_restore_hints,
)
from migrate.stages.plan.inputs import PlanInputs
from migrate.stages.plan.source_mentions import (
    REPLACEABLE_KINDS,
    SourceIds,
    mention_outcome,
    source_references,
)

REWRITE_IDS_HINT = "--rewrite-ids writes the new ids that are known by then; `ids FILE.db` lists all of them"
DUPLICATE_HINT = "compare both, and delete the one that is not needed"


class ObjectDecider:
    """Decides about one object at a time. It changes nothing, so the same input gives the same decision."""

    def __init__(
        self,
        inputs: PlanInputs,
        blocked: Set[tuple[str, str]],
        settings: TargetSettings,
        lookalikes: Mapping[str, str] | None = None,
    ) -> None:
        """`blocked` may grow while objects are decided in the order of references. `lookalikes`: assistant ->
        one on the target whose stamp has its id, although nothing else proves that it is its copy."""
        self.source, self.pairs, self.journal = inputs.source, inputs.pairs, inputs.journal
        source, options, capabilities = inputs.source, inputs.options, inputs.capabilities
        self.settings, self.target_side = settings, inputs.target.side
        target_url = self.target_side.url
        self.blocked, self.on_conflict, self.lookalikes = blocked, options.on_conflict, lookalikes or {}
        self.same_place = source.side == self.journal.target
        self.restore = options.restore
        self.codec = CODECS[capabilities.service]
        self.target: Target = adaptation_target(source, capabilities, settings, blocked, options.bytes_later)
        self.source_ids = SourceIds(source)
        location = None if source.codec.ids_are_keys else EstateLocation.from_url(source.side.url)
        is_same = location is not None and location.is_same_place(EstateLocation.from_url(target_url))
        # Where the source is, if the target is another place.
        self._source_location = None if is_same else location

    def counterpart(self, entity: Entity, existing: Mapping[str, Entity]) -> Entity | None:
        """The object of the target that is paired with this one."""
        return existing.get(self.pairs.right(entity.kind, entity.id) or "")

    def decide(
        self, entity: Entity, existing: Entity | None, parent: str = "", as_read: Entity | None = None
    ) -> Decision:
        """Decide about one object.

        `existing`: its counterpart, without what the service added. `as_read`: the same as the service
        returned it. `parent`: id on the target of the store that it will be in."""
        as_read = as_read or existing
        action = Action("create", entity.kind, entity.id, entity.parent, entity.name)
        if entity.kind in self.settings.absent:
            return self._without_kind(entity, action)
        if existing is not None and as_read is not None:
            if self.is_untouched(entity, existing):
                return Decision(self.keep(action, as_read), tuple(self._reference_losses(entity)))
            if self.restore == "missing":
                return Decision(self.keep(action, as_read), tuple(self._newer_losses(entity, existing)))
            if self._is_equal(entity, existing):
                return Decision(self.keep(action, as_read))
            if not self.source.codec.stores_secrets:
                entity = with_target_credentials(entity, existing)
        adapted, losses = self.adapt(entity)
        before: list[Loss] = []
        if ambiguity := self.journal.ambiguous_matches.get((entity.kind, entity.id)):
            reason, way_out = ambiguity
            before, losses = losses, [object_loss(entity, "id", reason, "blocked", way_out)]
        if any(loss.grade == "blocked" for loss in losses):
            decision = self._block(action, entity, adapted, existing, as_read, losses)
        else:
            before = losses
            before += self.mention_losses(entity, adapted)
            if existing is None or as_read is None:
                decision = self._create(entity, action, parent)
            else:
                decision = self._compare(entity, adapted, existing, as_read, action)
        return replace(decision, losses=(*before, *decision.losses), facts=facts_of(entity))

    def adapt(self, entity: Entity) -> tuple[Entity, list[Loss]]:
        """The object in the form of the target, with ids of the source, and its losses."""
        adapted, losses = self.codec.adapt(entity, self.target)
        losses = with_restore_hints(losses) if self.restore else losses
        return adapted, list(with_snapshot_losses(entity, losses, self.source))

    def changed_fields(self, adapted: Entity, existing: Entity) -> set[str]:
        """The fields in which an object of the target differs from the adapted one."""
        existing = remove_owner_secrets(existing)
        fields = {path.field for path in self.differences(adapted, existing)}
        names = adapted.fields.get("filename"), existing.fields.get("filename")
        if adapted.kind == "file" and is_same_filename(*names):
            fields.discard("filename")  # moved before endings were written as vector stores require
        if adapted.kind == "assistant" and connections_in_other_project(adapted.fields, existing.fields):
            fields.add("tools")
        return fields - {"sha256"}

    def differences(self, adapted: Entity, existing: Entity) -> list[FieldDifference]:
        """What changes in an object of the target that becomes as the adapted one, from old to new."""
        expected = normalize_entity(self._with_target_ids(adapted))
        return diff_objects(normalize_written_fields(remove_owner_secrets(existing)), expected)

    def conflict(self, entity: Entity, adapted: Entity, existing: Entity) -> Conflict:
        """The conflict of an object that others changed, with the source's value first at each path."""
        unsupported, differences = self._unsupported(entity), self.differences(adapted, existing)
        paths = tuple(
            replace(path, left=path.right, right=path.left)
            for path in differences
            if path.field not in unsupported
        )
        by_other_tool = self._is_by_other_tool(entity) and entity.key not in self.journal.fingerprints
        return Conflict(entity.kind, entity.id, existing.id, entity.name, paths, by_other_tool)

    def keep(
        self, action: Action, as_read: Entity, left: tuple[str, ...] = (), may_change: bool = True
    ) -> Action:
        """The action that changes nothing: skip, or adopt where the journal lacks a row about it.

        The id map needs a row for the pair. A copy that this program created for this target, and that the
        source shows too, has a row with its origin already. Where the object `may_change` one day, its
        fingerprint must be known too, so that a later change by others is a conflict."""
        is_itself = action.id == as_read.id
        known = self._is_in_id_map(action, as_read.id)
        if is_itself:
            keys = (action.kind, action.id), ("vector_store", action.parent)
            known |= any(key in self.journal.created for key in keys)
        key = (action.kind, action.parent, action.id)
        has_fingerprint = key in self.journal.fingerprints or is_itself or not may_change
        if known and has_fingerprint:
            return _on_target(action, as_read, action="skip", left=left)
        return _on_target(action, as_read, action="adopt", left=left, before=object_fingerprint(as_read))

    def is_untouched(self, entity: Entity, existing: Entity) -> bool:
        """Whether the source was read at the target itself, and the object is still as it was read."""
        return self.same_place and is_unchanged(entity, existing)

    def is_renamed(self, kind: str, id_: str) -> bool:
        """Whether an object has another id on the target."""
        return (kind, id_) not in self.settings.in_place and self.pairs.right(kind, id_) != id_

    def different_matches(self, target: Estate) -> list[str]:
        """Assistants that only a stamp pairs with one of the target, and that differ from it.

        Such a stamp may have been written for another project, so the object must not be changed."""
        different = []
        for kind, id_ in sorted(self.pairs.unproven_matches):
            existing = target.objects(kind).get(self.pairs.right(kind, id_) or "")
            entity = self.source.objects(kind)[id_]
            adapted = self.codec.adapt(entity, self.target)[0]
            if existing is not None and self.changed_fields(adapted, existing) - self._unsupported(entity):
                different.append(id_)
        return different

    def _without_kind(self, entity: Entity, action: Action) -> Decision:
        plural = KINDS[entity.kind].plural
        reason = f"the target has no {plural}: they are retired there, or its API version does not know them"
        loss = object_loss(entity, EVERY_OBJECT, reason, "blocked", "plan for a service that has them")
        return Decision(replace(action, action="blocked"), (loss,))

    def _block(
        self,
        action: Action,
        entity: Entity,
        adapted: Entity,
        existing: Entity | None,
        as_read: Entity | None,
        losses: list[Loss],
    ) -> Decision:
        """An object that cannot be created. One that arrived before stays usable for what refers to it, such
        as a file whose bytes are gone since, or an agent whose model is no longer deployed. Where it does not
        differ, nothing is lost."""
        blocked = Decision(replace(action, action="blocked"), tuple(losses))
        if existing is None or as_read is None or not self._is_in_id_map(action, existing.id):
            return blocked
        if entity.kind != "file" and self.changed_fields(adapted, as_read):
            return replace(blocked, action=_on_target(blocked.action, as_read))
        prefix = "it arrived before; it could not be moved today:"
        for number, loss in enumerate(losses):
            if loss.grade == "blocked":
                losses[number] = replace(loss, grade="adapted", reason=f"{prefix} {loss.reason}")
        return Decision(self.keep(action, as_read), tuple(losses))

    def _create(self, entity: Entity, action: Action, parent: str) -> Decision:
        losses: tuple[Loss, ...] = ()
        conflict, change = None, None
        lookalike = self.lookalikes.get(entity.id) if entity.kind == "assistant" else None
        if replaced := self.journal.unproven_matches.get((entity.kind, entity.id)):
            difference = FieldDifference(
                "(the whole object)", "what the last move left", "another object; one is created beside it"
            )
            conflict = Conflict(entity.kind, entity.id, replaced, entity.name, (difference,))
            change = change_row(entity, replace(entity, id=replaced), (difference,), "created beside")
            reason = f"{replaced} on the target is not what the last move left: one is created beside it"
            losses = (object_loss(entity, "id", reason, "adapted", DUPLICATE_HINT),)
        elif lookalike:
            reason = (
                f"{lookalike} on the target has it as its origin but differs, and nothing proves that "
                "it is its copy: one is created beside it"
            )
            losses = (object_loss(entity, "id", reason, "adapted", DUPLICATE_HINT),)
        address = self.settings.names.get(entity.id, "") if entity.kind == "assistant" else ""
        action = replace(action, target_parent=parent, target_name=address)
        return Decision(action, losses, conflict, change)

    def _compare(
        self, entity: Entity, adapted: Entity, existing: Entity, as_read: Entity, action: Action
    ) -> Decision:
        """Compare an object with its counterpart: update what differs and can be updated."""
        merged = merge_existing_metadata(adapted, existing, self.target.capabilities)
        losses = [*self._match_losses(entity, existing)]
        if merged is not adapted:
            losses += metadata_losses(entity, adapted, merged, existing)
        changed = self.changed_fields(merged, existing) - self._unsupported(entity)
        if self._is_shared(entity):
            losses += shared_losses(entity, changed, self.source.codec.files_immutable)
            return Decision(self.keep(action, existing, may_change=False), tuple(losses))
        writable = self._writable_fields(merged)
        left, left_losses = unwritten_fields(entity, existing, changed - writable)
        losses += left_losses
        fields = tuple(sorted(changed & writable))
        if not fields:
            return Decision(self.keep(action, as_read, left), tuple(losses))
        portal_keys = len(existing.facts.get("portal") or {})
        pairs = portal_keys + len(merged.fields.get("metadata") or {})
        excess = pairs - self.target.capabilities.metadata_pairs
        if excess > 0 and portal_keys:
            reason = f"no room for {excess} key(s) that the portal wrote there"
            losses.append(object_loss(entity, "metadata", reason))
        is_conflict = self._is_changed_by_others(entity, merged, existing, as_read)
        conflict = self.conflict(entity, merged, existing) if is_conflict else None
        if conflict and self.on_conflict == "keep":
            reason = "others changed it on the target since the last move; their version is kept"
            hint = "--on-conflict overwrite replaces it"
            losses.append(object_loss(entity, fields[0], reason, "adapted", hint))
            name = "skip" if self._is_in_id_map(action, existing.id) else "adopt"
            changes: dict[str, Any] = {"action": name, "left": tuple(sorted({*fields, *left}))}
        else:
            before = object_fingerprint(as_read)
            changes = {"action": "update", "fields": fields, "left": left, "before": before}
        differences = [path for path in self.differences(merged, existing) if path.field in fields]
        outcome: ConflictOutcome = "kept" if changes["action"] != "update" else "overwritten"
        change = change_row(entity, existing, differences, outcome if conflict else "")
        return Decision(_on_target(action, existing, **changes), tuple(losses), conflict, change)

    def _is_in_id_map(self, action: Action, target_id: str) -> bool:
        return (action.kind, action.parent, action.id, target_id) in self.journal.id_map_rows

    def _is_shared(self, entity: Entity) -> bool:
        """Whether the target uses the source's own object, or the object is in such a store."""
        shared = self.settings.in_place
        return (entity.kind, entity.id) in shared or ("vector_store", entity.parent) in shared

    def _is_by_other_tool(self, entity: Entity) -> bool:
        """Whether its counterpart is known only by an id that another tool noted in it."""
        return self.pairs.matched_by.get((entity.kind, entity.id)) == BY_ORIGINAL_ID

    def _is_equal(self, entity: Entity, existing: Entity) -> bool:
        """Whether a config directory describes exactly what the target has."""

        def lookup(kind: str, key: str) -> str | None:
            known = self.pairs.right(kind, key)
            return known or (self._id_on_target(kind, key) if key in self.source.objects(kind) else None)

        maps = self.settings.models, self.settings.connections
        compared = self.source.codec.ids_are_keys and entity.kind != "file"
        return compared and is_equal_on_target(entity, existing, *maps, lookup)

    def _is_changed_by_others(
        self, entity: Entity, adapted: Entity, existing: Entity, as_read: Entity
    ) -> bool:
        """Whether others changed the object since the last move, or it is unknown how that move left it."""
        if self.journal.fingerprints.get(entity.key) == object_fingerprint(as_read):
            return False
        return not (self._is_by_other_tool(entity) and self._only_adds_metadata(entity, adapted, existing))

    def _only_adds_metadata(self, entity: Entity, adapted: Entity, existing: Entity) -> bool:
        """Whether an update adds metadata to an agent and removes nothing. The name of an agent is in
        metadata where its address is another one."""
        before, after = remove_stamp_keys(existing.fields["metadata"]), adapted.fields["metadata"]
        return (
            entity.id in self.settings.names
            and self.changed_fields(adapted, existing) <= {"name", "metadata"}
            and all(after.get(key) == value for key, value in before.items())
        )

    def _unsupported(self, entity: Entity) -> frozenset[str]:
        return unsupported_fields_of(entity, self.target.capabilities)

    def _writable_fields(self, adapted: Entity) -> set[str]:
        writable = set(self.codec.updatable.get(adapted.kind, ()))
        if len(adapted.fields.get("instructions") or "") > self.target.capabilities.instructions_modify_max:
            writable.discard("instructions")
        return writable

    def _with_target_ids(self, adapted: Entity) -> Entity:
        return with_target_ids(adapted, self.target, self._id_on_target)

    def _id_on_target(self, kind: str, id_: str) -> str:
        """The counterpart of an id. One that will be created differs from every existing id."""
        return self.pairs.right(kind, id_) or f"(to be created: {id_})"

    def _newer_losses(self, entity: Entity, existing: Entity) -> Iterable[Loss]:
        """An object that is not as the snapshot has it stays as it is. New ids of others are no change."""
        if not self.same_place or entity.kind == "vector_store_file":
            return
        adapted = self.codec.adapt(entity, self.target)[0]
        existing = with_ids_in_use(existing, self.journal.former_ids, self._id_on_target)
        if self.changed_fields(adapted, existing) - self._unsupported(entity):
            yield changed_since_loss(entity, existing)

    def _reference_losses(self, entity: Entity) -> Iterable[Loss]:
        """A kept object refers to objects that are created again. In a restore, `RelinkPlanner` re-points
        or reports it."""
        return () if self.restore else recreated_reference_losses(entity, self._is_recreated)

    def _is_recreated(self, kind: str, id_: str) -> bool:
        return id_ in self.source.objects(kind) and self.pairs.right(kind, id_) is None

    def _match_losses(self, entity: Entity, existing: Entity) -> Iterable[Loss]:
        """How an uncertain pair was found."""
        if self.pairs.is_guess(entity.kind, entity.id):
            key = self.pairs.matched_by[entity.kind, entity.id]
            by = "bytes" if key == MATCHED_BY_BYTES else "size"
            reason = f"recognised as {existing.id} on the target by name and {by}"
            yield object_loss(entity, "id", reason, "adapted")
        if self._is_by_other_tool(entity):
            reason = f"{existing.id} on the target was created from it by another tool, and is used for it"
            hint = "what that tool wrote into its metadata stays"
            yield object_loss(entity, "id", reason, "adapted", hint)

    def mention_losses(self, entity: Entity, adapted: Entity) -> Iterable[Loss]:
        """Ids and addresses of the source in the texts of an object: they stay, or are replaced."""
        if self._is_shared(entity):
            return
        deployments = self.settings.deployments or ()
        for name, reason, way_out in source_references(adapted, deployments, self._source_location):
            yield object_loss(entity, name, reason, "adapted", way_out)
        for mention in self.source_ids.mentions(adapted):
            kind, id_ = mention.kind, mention.id
            if not self.is_renamed(kind, id_):
                continue
            new_id = self.pairs.right(kind, id_)
            is_blocked = (kind, id_) in self.blocked or kind in self.settings.absent
            outcome = "it will not be on the target" if is_blocked else mention_outcome(new_id)
            reason = f"{'.'.join(mention.place)} refers to the {kind.replace('_', ' ')} {id_}; {outcome}"
            if not is_blocked and self.settings.rewrite_ids and kind in REPLACEABLE_KINDS[entity.kind]:
                yield object_loss(entity, mention.field, f"{reason}, and the new id is written", "adapted")
            else:
                yield object_loss(entity, mention.field, reason, "adapted", REWRITE_IDS_HINT)


def _on_target(create: Action, existing: Entity, **changes: Any) -> Action:
    """An action of `decide`, for an object that exists on the target."""
    return replace(create, target_id=existing.id, target_parent=existing.parent, **changes)
