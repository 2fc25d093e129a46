"""One object in, what happens to it out: created, changed, left alone or blocked, with every loss told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from migrate.codecs import CODECS, Capabilities, Codec, Target
from migrate.codecs.adapt.metadata import merge_existing_metadata
from migrate.codecs.capabilities import unsupported_fields_of
from migrate.model import KINDS, Entity
from migrate.model.entity import usability
from migrate.model.file import is_same_filename
from migrate.model.loss import EVERY_OBJECT, Grade, Loss
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.object_diff import FieldDifference, diff_objects
from migrate.model.project_resources import connections_in_other_project
from migrate.model.references import references_of, remap_references
from migrate.model.results.plan import Action, ActionName, TargetSettings
from migrate.model.secrets import remove_owner_secrets, with_target_credentials
from migrate.model.stamp import remove_stamp_keys
from migrate.stages.config_directory.match import is_equal_on_target
from migrate.stages.estate import Estate
from migrate.stages.fingerprints import is_unchanged, object_fingerprint
from migrate.stages.match.files import MATCHED_BY_BYTES
from migrate.stages.match.pairs import BY_ORIGINAL_ID, ObjectPairs
from migrate.stages.plan.adaptation import adaptation_target, with_snapshot_losses
from migrate.stages.plan.journal_state import Conflict, JournalState
from migrate.stages.plan.source_mentions import REPLACED, SourceIds, source_references

INFORMATIONAL_FIELDS = frozenset({("file", "purpose")})
"""Kind and field of what only says what an object is for: on one that is there already it may differ."""
INTERNAL_FACTS = frozenset({"object", "bytes_from", "bytes_told"})
"""Facts that are nobody's loss."""
REWRITE_IDS_HINT = "--rewrite-ids writes new ids where they are known by then; ids FILE.db tells all of them"


class Decider:
    """Knows both sides and what was decided about the target; collects losses."""

    def __init__(
        self, source: Estate, pairs: ObjectPairs, known: JournalState, capabilities: Capabilities,
        decided: TargetSettings,
    ) -> None:  # fmt: skip
        self.source, self.pairs, self.known, self.decided = source, pairs, known, decided
        self.same_place = source.side == known.target
        self.codec: Codec = CODECS[capabilities.service]
        self.blocked: set[tuple[str, str]] = set()
        self.fit: Target = adaptation_target(source, capabilities, decided, self.blocked)
        self.old_ids = SourceIds(source)
        self.losses: list[Loss] = []
        self.conflicts: list[Conflict] = []
        self.on_conflict = "overwrite"
        self.beside: Mapping[str, str] = {}
        """Assistant -> one on the target whose stamp names it, which nothing else proves to be its copy."""
        self.seen_facts: dict[str, set[str]] = {}

    def counterpart(self, entity: Entity, present: Mapping[str, Entity]) -> Entity | None:
        """The object on the target that is this one."""
        return present.get(self.pairs.right(entity.kind, entity.id) or "")

    def decide(
        self, entity: Entity, there: Entity | None, parent: str = "", seen: Entity | None = None
    ) -> Action:
        """The action for one object. `seen`: the target's object just as it was read, where `there` is that
        without what the service added."""
        seen = seen or there
        row = Action(action="create", kind=entity.kind, id=entity.id, parent=entity.parent, name=entity.name)
        if entity.kind in self.decided.absent:
            return self._without_a_place(entity, row)
        if there is not None and seen is not None:
            if self._is_untouched(entity, there):
                self._tell_old_names(entity)
                return self._as_it_is(row, seen)
            if self._is_as_read(entity, there):
                return self._as_it_is(row, seen)
        if there is not None and not self.source.codec.stores_secrets:
            entity = with_target_credentials(entity, there)
        fitted, losses = self.fitted(entity)
        if unclear := self.known.ambiguous_matches.get((entity.kind, entity.id)):
            self.add_loss(entity, "id", unclear[0], "blocked", unclear[1])
            losses = self.losses[-1:]
        if any(loss.grade == "blocked" for loss in losses):
            if there is not None and seen is not None and self._is_noted(row, there.id):
                return self._blocked_by_now(row, entity, fitted, seen, len(losses))
            self.blocked.add((entity.kind, entity.id))
            return replace(row, action="blocked")
        if not self._is_shared(entity):
            self._tell_what_it_names(entity, fitted)
        if there is None or seen is None:
            return self._created(entity, row, parent)
        if self.pairs.is_guess(entity.kind, entity.id):
            by = "bytes" if self.pairs.matched_by[entity.kind, entity.id] == MATCHED_BY_BYTES else "size"
            self.add_loss(entity, "id", f"recognised as {there.id} on the target by name and {by}", "adapted")
        own, fitted = fitted, merge_existing_metadata(fitted, there, self.fit.capabilities)
        if self._is_made_from(entity):
            self._tell_made_by_others(entity, there)
        if fitted is not own:
            self._tell_no_room(entity, own, fitted, there)
        changed = self.changed(fitted, there) - self._unheld(entity)
        if self._is_shared(entity):
            return self._left_alone(entity, row, there, changed)
        allowed = set(self.codec.updatable.get(entity.kind, ()))
        if len(fitted.fields.get("instructions") or "") > self.fit.capabilities.instructions_modify_max:
            allowed.discard("instructions")
        place: dict[str, Any] = {"target_id": there.id, "target_parent": there.parent}
        left = self._left(entity, there, changed - allowed)
        if not changed & allowed:
            return self._as_it_is(row, seen, left)
        portal = there.facts.get("portal") or {}
        beyond = len(portal) + len(fitted.fields.get("metadata") or {}) - self.fit.capabilities.metadata_pairs
        if beyond > 0 and portal:
            self.add_loss(entity, "metadata", f"no room for {beyond} key(s) that the portal wrote there")
        fields = tuple(sorted(changed & allowed))
        if self._conflicts(entity, fitted, there, seen) and self.on_conflict == "keep":
            reason = "others changed it on the target since the last move; it is kept as they left it"
            self.add_loss(entity, fields[0], reason, "adapted", "--on-conflict overwrite writes it again")
            how: ActionName = "skip" if self._is_noted(row, there.id) else "adopt"
            return replace(row, **place, action=how, left=tuple(sorted({*fields, *left})))
        place["before"] = object_fingerprint(seen)
        return replace(row, **place, action="update", fields=fields, left=left)

    def _created(self, entity: Entity, row: Action, parent: str) -> Action:
        """What is not on the target, or not any more where its name was taken since."""
        if beside := self.known.unproven_matches.get((entity.kind, entity.id)):
            unlike = (
                FieldDifference("(all of it)", "what the last move left", "another; ours is made beside it"),
            )
            self.conflicts.append(Conflict(entity.kind, entity.id, beside, entity.name, unlike))
            reason = f"{beside} on the target is not what was left there, or is another's: made beside it"
            self.add_loss(entity, "id", reason, "adapted", "look at both, and delete one too many")
        elif there := self.beside.get(entity.id) if entity.kind == "assistant" else None:
            reason = (
                f"{there} on the target names it as its origin and is unlike it; nobody can say whether it is"
            )
            way_out = "look at both, and delete one too many"
            self.add_loss(entity, "id", f"{reason} ours: made beside it", "adapted", way_out)
        address = self.decided.names.get(entity.id, "") if entity.kind == "assistant" else ""
        return replace(row, target_parent=parent, target_name=address)

    def _left(self, entity: Entity, there: Entity, changed: set[str]) -> tuple[str, ...]:
        """Tell what of an object on the target is otherwise and stays so; these fields."""
        for name in sorted(changed):
            grade: Grade = "adapted" if (entity.kind, name) in INFORMATIONAL_FIELDS else "lost"
            self.add_loss(entity, name, "differs on the target and cannot be changed there", grade)
        state = usability(there)
        if entity.kind != "vector_store" or state == "usable":
            return tuple(sorted(changed))
        reason = f"{there.id} on the target has {state}, and nothing can be searched in it"
        self.add_loss(entity, "status", reason, "lost", "delete it there; the next plan makes it anew")
        return (*sorted(changed), "status")

    def _tell_old_names(self, entity: Entity) -> None:
        """An object that is left as it is still names what comes back under another id."""
        for path, kind, id_ in references_of(KINDS[entity.kind], entity):
            if id_ in self.source.objects(kind) and self.pairs.right(kind, id_) is None:
                reason = f"names {kind} {id_}, which is gone and comes back under another id"
                field = re.split(r"[.\[]", path)[0]
                self.add_loss(entity, field, reason, "adapted", "change it by hand; `ids` tells the id")

    def _is_untouched(self, entity: Entity, there: Entity) -> bool:
        """Whether it is an object of the very place that the source was read from, still as it was read."""
        return self.same_place and is_unchanged(entity, there)

    def _without_a_place(self, entity: Entity, row: Action) -> Action:
        """The target does not have the kind any more; what else it has is moved all the same."""
        plural = KINDS[entity.kind].plural
        reason = f"the target has no {plural}: they are retired there, or its API version does not know them"
        self.add_loss(entity, EVERY_OBJECT, reason, "blocked", "plan for a service that has them")
        self.blocked.add((entity.kind, entity.id))
        return replace(row, action="blocked")

    def _is_noted(self, row: Action, there: str) -> bool:
        """Whether the id map has a line for this very pair."""
        return (row.kind, row.parent, row.id, there) in self.known.noted

    def _blocked_by_now(
        self, row: Action, entity: Entity, fitted: Entity, seen: Entity, losses: int
    ) -> Action:
        """An object that arrived before and could not be moved today: a file whose bytes are gone, a model
        that is not deployed any more. What names it still finds it. Where nothing of it differs, nothing is
        lost. `losses`: how many of the last ones are its."""
        if entity.kind != "file" and self.changed(fitted, seen):
            return replace(row, action="blocked", target_id=seen.id, target_parent=seen.parent)
        self.losses[-losses:] = [
            replace(loss, grade="adapted", reason=f"it arrived before; today it could not be: {loss.reason}")
            if loss.grade == "blocked"
            else loss
            for loss in self.losses[-losses:]
        ]
        return self._as_it_is(row, seen)

    def _is_as_read(self, entity: Entity, there: Entity) -> bool:
        """Whether a config directory says what is there already, word for word."""

        def lookup(kind: str, old: str) -> str | None:
            known = self.pairs.right(kind, old)
            return known or (self._right_or_new(kind, old) if old in self.source.objects(kind) else None)

        maps = self.decided.models, self.decided.connections
        own = self.source.codec.ids_are_keys and entity.kind != "file"
        return own and is_equal_on_target(entity, there, *maps, lookup)

    def _conflicts(self, entity: Entity, fitted: Entity, there: Entity, seen: Entity) -> bool:
        """Whether others changed the object since we left it there, or nobody knows how we left it; it is
        noted, both sides side by side."""
        if self.known.written.get(entity.key) == object_fingerprint(seen):
            return False
        if self._is_made_from(entity) and self._only_adds(entity, fitted, there):
            return False
        self.conflict(entity, fitted, there)
        return True

    def conflict(self, entity: Entity, fitted: Entity, there: Entity) -> None:
        """Note that others changed an object which this move would write over, both sides side by side."""
        wanted = normalize_entity(self._with_ids(fitted))
        found = diff_objects(wanted, normalize_written_fields(remove_owner_secrets(there)))
        paths = [path for path in found if path.field not in self._unheld(entity)]
        by_other_tool = self._is_made_from(entity) and entity.key not in self.known.written
        row = Conflict(entity.kind, entity.id, there.id, entity.name, tuple(paths), by_other_tool)
        self.conflicts.append(row)

    def _is_made_from(self, entity: Entity) -> bool:
        """Whether its counterpart is known by nothing but the word of another tool."""
        return self.pairs.matched_by.get((entity.kind, entity.id)) == BY_ORIGINAL_ID

    def _only_adds(self, entity: Entity, fitted: Entity, there: Entity) -> bool:
        """Whether an update takes nothing away that stands there: it adds metadata to an agent, whose own
        name is in metadata where its address is another."""
        before, after = remove_stamp_keys(there.fields["metadata"]), fitted.fields["metadata"]
        named = entity.id in self.decided.names
        return (
            named
            and self.changed(fitted, there) <= {"name", "metadata"}
            and all(after.get(key) == value for key, value in before.items())
        )

    def _tell_made_by_others(self, entity: Entity, there: Entity) -> None:
        """An agent that another tool made from this assistant is taken over, and said to be."""
        reason = f"{there.id} on the target says that another tool made it from this one: it is taken over"
        self.add_loss(entity, "id", reason, "adapted", "what that tool wrote into its metadata stays")

    def _tell_no_room(self, entity: Entity, own: Entity, fitted: Entity, there: Entity) -> None:
        """What metadata cannot hold where another tool wrote into it as well."""
        left = remove_stamp_keys(there.fields["metadata"]).keys() - fitted.fields["metadata"].keys()
        if left:
            self.add_loss(
                entity, "metadata", f"no room for what another tool wrote there: {', '.join(sorted(left))}"
            )
        if own.fields.get("name") != fitted.fields.get("name"):
            reason = "metadata has no room for the original name beside what another tool wrote there"
            self.add_loss(entity, "name", reason, "lost", "the archive has it")

    def _unheld(self, entity: Entity) -> frozenset[str]:
        return unsupported_fields_of(entity, self.fit.capabilities)

    def _is_shared(self, entity: Entity) -> bool:
        """Whether it is the source's own object, used where it is, or lies in one."""
        shared = self.decided.in_place
        return (entity.kind, entity.id) in shared or ("vector_store", entity.parent) in shared

    def _left_alone(self, entity: Entity, row: Action, there: Entity, changed: set[str]) -> Action:
        """What both generations share is never written to; what changed since the snapshot is told."""
        reason = "changed on the source since the snapshot; it is used as it is"
        if not self.source.codec.files_immutable:
            reason = "differs on the target, and no file can be changed; it is used as it is"
        for name in sorted(changed):
            self.add_loss(entity, name, reason, "adapted")
        return self._as_it_is(row, there, written_to=False)

    def _as_it_is(
        self, row: Action, seen: Entity, left: tuple[str, ...] = (), written_to: bool = True
    ) -> Action:
        """Nothing is done to it. Where the id map has no line for this very pair, it gets one; what we made
        for this target and see on the source too has one that says what it was made from. Where none says how
        the object was left, and it may be `written_to` one day, it gets one as well: what others make of it
        later is a conflict then."""
        known, itself = self._is_noted(row, seen.id), row.id == seen.id
        if itself:
            known |= (row.kind, row.id) in self.known.made or ("vector_store", row.parent) in self.known.made
        marked = (row.kind, row.parent, row.id) in self.known.written or itself or not written_to
        place: dict[str, Any] = {"target_id": seen.id, "target_parent": seen.parent, "left": left}
        if known and marked:
            return replace(row, **place, action="skip")
        return replace(row, **place, action="adopt", before=object_fingerprint(seen))

    def unlike(self, target: Estate) -> list[str]:
        """Assistants whose counterpart only a stamp names that another project may have written, and that
        are not the same: somebody else's, not to be changed."""
        found = []
        for kind, id_ in sorted(self.pairs.unproven_matches):
            there = target.objects(kind).get(self.pairs.right(kind, id_) or "")
            ours = self.source.objects(kind)[id_]
            if there is not None and self.changed(self.fit_only(ours), there) - self._unheld(ours):
                found.append(id_)
        return found

    def changed(self, fitted: Entity, there: Entity) -> set[str]:
        """Fields in which the object on the target is not what it should be."""
        wanted = normalize_entity(self._with_ids(fitted))
        there = remove_owner_secrets(there)
        present = normalize_written_fields(there)
        paths = {path.field for path in diff_objects(wanted, present)}
        if fitted.kind == "file" and is_same_filename(
            fitted.fields.get("filename"), there.fields.get("filename")
        ):
            paths.discard("filename")  # moved before endings were spelled as vector stores want them
        if fitted.kind == "assistant" and connections_in_other_project(fitted.fields, there.fields):
            paths.add("tools")
        return paths - {"sha256"}

    def _with_ids(self, fitted: Entity) -> Entity:
        """An adapted object with the ids of the target, as it is to be there."""
        found = remap_references(KINDS[fitted.kind], fitted, self._right_or_new)
        return self.fit.with_new_ids(found, self._right_or_new)

    def is_renamed(self, named: tuple[str, str]) -> bool:
        """Whether an object (kind and id) is called otherwise on the target."""
        return named not in self.decided.in_place and self.pairs.right(*named) != named[1]

    def _tell_what_it_names(self, entity: Entity, fitted: Entity) -> None:
        """Old ids and old places that stay in the texts of an object, or are replaced there."""
        deployments = self.decided.deployments or ()
        for name, reason, way_out in source_references(fitted, deployments, self.decided.place):
            self.add_loss(entity, name, reason, "adapted", way_out)
        for mention in self.old_ids.mentions(fitted):
            if not self.is_renamed((mention.kind, mention.id)):
                continue
            new = self.pairs.right(mention.kind, mention.id)
            blocked = (mention.kind, mention.id) in self.blocked or mention.kind in self.decided.absent
            called = mention.kind.replace("_", " ")
            becomes = f"it is {new} on the target" if new else "it gets another id on the target"
            if blocked:
                becomes = "it will not be on the target"
            reason = f"{'.'.join(mention.place)} names the {called} {mention.id}; {becomes}"
            if not blocked and self.decided.rewrite_ids and mention.kind in REPLACED[entity.kind]:
                self.add_loss(entity, mention.field, f"{reason}, and the new id is written", "adapted")
            else:
                self.add_loss(entity, mention.field, reason, "adapted", REWRITE_IDS_HINT)

    def _right_or_new(self, kind: str, old: str) -> str:
        """The counterpart of an id. One that is still to be made is unlike any that is there."""
        return self.pairs.right(kind, old) or f"(to be made: {old})"

    def fit_only(self, entity: Entity) -> Entity:
        """The object as the target will hold it, nothing told."""
        return self.codec.adapt(entity, self.fit)[0]

    def fitted(self, entity: Entity) -> tuple[Entity, list[Loss]]:
        """The object as the target will hold it; its losses are kept."""
        fitted, losses = self.codec.adapt(entity, self.fit)
        losses = with_snapshot_losses(entity, losses, self.source)
        self.losses += losses
        told = self.seen_facts.setdefault(entity.kind, set())
        told.update(
            name
            for name, value in entity.facts.items()
            if name not in INTERNAL_FACTS and value not in (None, "", {}, [])
        )
        return fitted, losses

    def add_loss(
        self, entity: Entity, name: str, reason: str, grade: Grade = "lost", way_out: str = ""
    ) -> None:
        """Tell something that only the plan can see."""
        self.losses.append(
            Loss(entity.kind, entity.id, name, grade, reason, way_out, entity.parent, entity.name)
        )

    def of_every_object(self) -> list[Loss]:
        """What no service lets anybody write, once per kind and field that occurs."""
        if not self.source.codec.reports_state:
            return []
        found = [
            Loss(kind, EVERY_OBJECT, name, "adapted", KINDS[kind].facts[name], "kept in the archive")
            for kind, names in sorted(self.seen_facts.items())
            for name in sorted(names)
        ]
        counts = self.source.snapshot.counts()
        if self.decided.bytes_later:
            reason = "runs and their steps are archived, never replayed: creating a run executes a model"
            found.append(
                Loss("run", EVERY_OBJECT, EVERY_OBJECT, "adapted", reason, "read them in the archive")
            )
        for kind in ("run", "run_step"):
            if counts.get(kind):
                reason = f"{counts[kind]:,} are archived, never replayed: creating a run executes a model"
                found.append(
                    Loss(kind, EVERY_OBJECT, EVERY_OBJECT, "adapted", reason, "read them in the archive")
                )
        return found
