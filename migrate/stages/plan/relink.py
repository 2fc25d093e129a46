"""Plan to update references to objects that get a new id.

A service gives every new object a new id. Each object that still refers to a recreated file, vector store or
assistant by its old id is updated to refer to the new id; nothing else of it is changed. The references are
those of the snapshot, each confirmed in the object as it is now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from migrate.model import KINDS, Entity
from migrate.model.entity import ObjectKey
from migrate.model.input_limits import loads
from migrate.model.normalize import normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.references import references_of, remap_references
from migrate.model.results.plan import Action
from migrate.stages.estate import Estate
from migrate.stages.plan.changes import change_row
from migrate.stages.plan.decision import DecisionLog, existing_action
from migrate.stages.plan.object_decider import ObjectDecider

# Kinds of which objects come back under a new id, if the service does not let us choose it.
RECREATED_KINDS = ("file", "vector_store", "assistant")
CANNOT_BE_CHANGED = "the target does not let us change it"
NOT_WANTED = "--no-relink leaves it as it is"
MESSAGES_STAY = "a message cannot be changed"
NEW_ID_HINT = "`ids` shows the new id"

# Id of a thread -> the thread as it is now, or None if it is gone.
ThreadLookup = Callable[[str], Entity | None]


class RelinkPlanner:
    """Adds what must be changed to the actions of a plan. `thread_now` finds a thread of the target."""

    def __init__(
        self, decider: ObjectDecider, log: DecisionLog, target: Estate, thread_now: ThreadLookup
    ) -> None:
        self._decider, self._log, self._target, self._thread_now = decider, log, target, thread_now
        self._source = decider.source

    def add_to(self, actions: Sequence[Action], relink: bool) -> list[Action]:
        """The actions, and those that relink. Without `relink`, a loss reports each object that is left."""
        recreated = self._recreated(actions)
        if not recreated:
            return list(actions)
        planned = {(a.kind, a.parent, a.id): a for a in actions}
        result = dict(planned)
        for entity, present in self._referrers(recreated):
            action = planned.get(entity.key)
            if action is not None and (action.action == "create" or action.fields):
                continue  # it is written with the new ids anyway
            if action is not None and action.action == "blocked" and not action.target_id:
                continue
            update = self._relinked(entity, present, recreated)
            if update is None:
                continue
            if relink and update.fields:
                if action is not None and action.messages:  # a thread that also gets messages back
                    update = replace(action, fields=update.fields, relinks=update.relinks)
                result[entity.key] = update
                self._note_change(entity, present, recreated)
            else:
                self._note_left(entity, update, CANNOT_BE_CHANGED if relink else NOT_WANTED)
        for row in self._missing_store_files(recreated, planned) if relink else ():
            result[row.kind, row.parent, row.id] = row
        self._note_messages({key for key in recreated if key[0] == "file"})
        return list(result.values())

    def _recreated(self, actions: Sequence[Action]) -> Set[ObjectKey]:
        """Objects that get a new id, or got one from an earlier restore, which may have been interrupted
        before it changed the objects that refer to them. An agent comes back under its name."""
        keeps_id = self._target.names_are_ids
        return {
            (a.kind, a.id)
            for a in actions
            if a.kind in RECREATED_KINDS
            and not (keeps_id and a.kind == "assistant")
            and (a.action == "create" or self._came_back(a))
        }

    def _came_back(self, action: Action) -> bool:
        is_other = action.target_id not in ("", action.id)
        return is_other and action.id not in self._target.objects(action.kind)

    def _referrers(self, recreated: Set[ObjectKey]) -> Iterator[tuple[Entity, Entity]]:
        """Objects of the snapshot that refer to a recreated one, with their counterparts as they are now."""
        for assistant in self._source.objects("assistant").values():
            present = self._decider.counterpart(assistant, self._target.objects("assistant"))
            if present is not None and _names(assistant, recreated):
                yield assistant, present
        for thread in self._source.iter_threads():
            if _names(thread, recreated):
                target_id = self._decider.pairs.right("thread", thread.id) or thread.id
                present = self._thread_now(target_id)
                if present is not None:
                    yield thread, present

    def _relinked(self, entity: Entity, present: Entity, recreated: Set[ObjectKey]) -> Action | None:
        """The update with the new ids; None where the object no longer refers to an old id. Its fields
        are empty where they cannot be changed."""
        used = [(kind, id_) for _, kind, id_ in references_of(KINDS[entity.kind], present)]
        relinks = tuple(sorted({key for key in used if key in recreated}))
        if not relinks:
            return None
        renamed = _with_new_ids(present, recreated)
        fields = [name for name, value in renamed.fields.items() if value != present.fields.get(name)]
        writable = set(self._decider.codec.updatable.get(entity.kind, ()))
        return existing_action(
            "update",
            entity.kind,
            entity.id,
            present,
            name=entity.name,
            fields=tuple(sorted(fields)) if writable.issuperset(fields) else (),
            relinks=relinks,
        )

    def _note_change(self, entity: Entity, present: Entity, recreated: Set[ObjectKey]) -> None:
        """Note the references of an object, from old to new."""
        forms = (normalize_written_fields(form) for form in (present, _with_new_ids(present, recreated)))
        self._log.changes.add(change_row(entity, present, diff_objects(*forms)))

    def _missing_store_files(
        self, recreated: Set[ObjectKey], planned: Mapping[tuple[str, str, str], Action]
    ) -> Iterator[Action]:
        """Recreated files belong into the stores that had them and still exist."""
        for store in self._source.objects("vector_store").values():
            present = self._decider.counterpart(store, self._target.objects("vector_store"))
            for row in self._source.members("vector_store_file", store.id) if present else ():
                file = str(row.fields["file_id"])
                if present and ("file", file) in recreated and not self._is_planned(row, present, planned):
                    label = self._source.objects("file")[file].name
                    action = self._decider.decide(replace(row, label=label), None, present.id)
                    yield replace(self._log.add(action), needed_by=f"vector_store {store.id}")

    def _is_planned(self, row: Entity, store: Entity, planned: Mapping[tuple[str, str, str], Action]) -> bool:
        """Whether a file of a store is in the plan, or is in the store already."""
        file = self._decider.pairs.right("file", str(row.fields["file_id"]))
        members = self._target.members("vector_store_file", store.id)
        return row.key in planned or any(file == str(member.fields["file_id"]) for member in members)

    def _note_left(self, entity: Entity, update: Action, reason: str) -> None:
        named = ", ".join(f"{kind} {id_}" for kind, id_ in update.relinks)
        what = f"names {named}, which comes back under another id; {reason}"
        self._log.add_loss(entity, "id", what, "adapted", f"change it by hand; {NEW_ID_HINT}")

    def _note_messages(self, files: Set[ObjectKey]) -> None:
        """Messages that refer to a recreated file are listed: no service changes one. A text search comes
        first, because there may be a million messages."""
        if not files:
            return
        pattern = re.compile("|".join(re.escape(id_) for _, id_ in sorted(files)))
        for thread, text in self._source.snapshot.texts("message", None):
            if not pattern.search(text):
                continue
            message = self._source.decode("message", loads(text), thread)
            references = references_of(KINDS["message"], message)
            if named := sorted({id_ for _, kind, id_ in references if (kind, id_) in files}):
                reason = f"names file {', '.join(named)}, which comes back under another id; {MESSAGES_STAY}"
                self._log.add_loss(message, "content", reason, "adapted", NEW_ID_HINT)


def _with_new_ids(present: Entity, recreated: Set[ObjectKey]) -> Entity:
    """An object with a text in the place of each new id, which nobody knows yet."""
    return remap_references(
        KINDS[present.kind],
        present,
        lambda kind, id_: f"(new id of {id_})" if (kind, id_) in recreated else None,
    )


def _names(entity: Entity, keys: Set[ObjectKey]) -> bool:
    return any((kind, id_) in keys for _, kind, id_ in references_of(KINDS[entity.kind], entity))


def relinked(present: Entity, relinks: Set[ObjectKey], lookup: Callable[[str, str], str | None]) -> Entity:
    """An object as it is now, with the new ids of recreated objects. `lookup`: kind and old id -> new id."""
    return remap_references(
        KINDS[present.kind],
        present,
        lambda kind, id_: lookup(kind, id_) if (kind, id_) in relinks else None,
    )
