"""Plan to update references to objects that get a new id.

A service gives every new object a new id. Each object that still refers to a recreated file, vector store or
assistant by an id that is gone is updated to refer to the new id; nothing else of it is changed. In the place
that the snapshot was read from, the id that is gone is that of the snapshot, or of an earlier restore; in
another place it is that of what was created there from the object of the snapshot. The threads that refer to
it are those of the snapshot, and each is confirmed as it is now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from migrate.model import KINDS, Entity
from migrate.model.entity import ObjectKey
from migrate.model.input_limits import loads
from migrate.model.loss import EVERY_OBJECT
from migrate.model.normalize import normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.references import named_keys, remap_references
from migrate.model.results.plan import Action
from migrate.stages.estate import Estate
from migrate.stages.match.lineage import KINDS_SHARED_BY_GENERATIONS
from migrate.stages.plan.adaptation import replayed_messages
from migrate.stages.plan.changes import change_row
from migrate.stages.plan.dead_mentions import DeadMentions
from migrate.stages.plan.decision import DecisionLog, existing_action
from migrate.stages.plan.object_decider import ObjectDecider
from migrate.stages.plan.options import PlanOptions

# Kinds of which objects come back under a new id, if the service does not let us choose it.
RECREATED_KINDS = ("file", "vector_store", "assistant")
CANNOT_BE_CHANGED = "the target does not let us change it"
NOT_WANTED = "--no-relink leaves it as it is"
STAYS_WITHOUT = "--no-relink leaves the store without it"
NOT_IN_SNAPSHOT = "the snapshot does not have it, so it is left as it is"
UNLISTED_NOTE = (
    "threads were not listed: one that is newer than the snapshot is not found, also where it names an id "
    "that is gone"
)
MESSAGES_STAY = "a message cannot be changed"
NEW_ID_HINT = "`ids` shows the new id"
ADD_BY_HAND = f"add it by hand; {NEW_ID_HINT}"
CHANGE_BY_HAND = f"change it by hand; {NEW_ID_HINT}"

# Ids of threads -> those that the target has, as they are now.
ThreadLookup = Callable[[Collection[str]], Mapping[str, Entity]]
# (kind, id on the target that is gone) -> id on the source of the object that takes its place.
Recreated = Mapping[ObjectKey, str]


class RelinkPlanner:
    """Adds what must be changed to the actions of a plan. `threads_now` finds threads of the target."""

    def __init__(
        self,
        decider: ObjectDecider,
        log: DecisionLog,
        target: Estate,
        threads_now: ThreadLookup,
        conversations: Estate | None,
    ) -> None:
        self._decider, self._log, self._target, self._threads_now = decider, log, target, threads_now
        self._conversations = conversations
        self._source = decider.source
        # Id on the target -> id on the source.
        self._assistants = {new: old for old, new in decider.pairs.ids.get("assistant", {}).items()}
        self._threads = {new: old for old, new in decider.pairs.ids.get("thread", {}).items()}

    def add_to(self, actions: Sequence[Action], relink: bool) -> list[Action]:
        """The actions, and those that relink. Without `relink`, a loss reports each object that is left."""
        recreated = self._recreated(actions)
        planned = {(a.kind, a.parent, a.id): a for a in actions}
        result = dict(planned)
        self._note_unknown_ids(planned)
        if not recreated:
            return list(actions)
        new_threads = {a.id for a in actions if (a.kind, a.action) == ("thread", "create")}
        messages = dict(self._messages_naming(recreated, planned, new_threads))
        threads = self._present_threads(recreated, messages, new_threads)
        for present in (*self._target.objects("assistant").values(), *threads.values()):
            relinks = _named_keys(present, recreated)
            entity = self._counterpart(present) if relinks else None
            if not relinks:
                continue
            if entity is None:
                self._note_left(present, relinks, NOT_IN_SNAPSHOT)
                continue
            action = planned.get(entity.key)
            if action is not None and (action.action == "create" or action.fields):
                continue  # it is written with the new ids anyway
            update = self._relinked(entity, present, relinks, recreated)
            if not (relink and update.fields):
                self._note_left(entity, relinks, CANNOT_BE_CHANGED if relink else NOT_WANTED)
                continue
            if action is not None and action.messages:  # a thread that also gets messages back
                update = replace(action, fields=update.fields, relinks=update.relinks)
            result[entity.key] = update
            self._note_change(entity, present, recreated)
            self._log.replaced_ids |= {(*key, recreated[key]) for key in relinks if recreated[key] != key[1]}
        sources = {(kind, id_) for (kind, _), id_ in recreated.items()}
        for store, present, row in self._missing_store_files(sources, planned):
            if relink:
                action = self._log.add(self._decider.decide(row, None, present.id))
                result[row.key] = replace(action, needed_by=f"vector_store {store.id}")
            else:
                what = f"had file {row.label} [{row.fields['file_id']}], which comes back; {STAYS_WITHOUT}"
                self._log.add_loss(store, "files", what, "adapted", ADD_BY_HAND)
        self._note_messages(messages, threads)
        return list(result.values())

    def _recreated(self, actions: Sequence[Action]) -> Recreated:
        """Objects that get a new id, or got one from an earlier restore, which may have been interrupted
        before it changed the objects that refer to them. An agent comes back under its name."""
        ranked = sorted(
            (rank, number, (action.kind, id_), action.id)
            for number, action in enumerate(actions)
            if action.kind in RECREATED_KINDS and (action.action == "create" or action.target_id)
            for rank, id_ in enumerate(self._former_ids(action))
        )
        recreated: dict[ObjectKey, str] = {}
        for _, _, key, source_id in ranked:
            recreated.setdefault(key, source_id)
        return recreated

    def _former_ids(self, action: Action) -> Iterator[str]:
        """Ids that the object had on the target and that are gone, the likeliest first."""
        decider, kind = self._decider, action.kind
        sides = decider.source.side, decider.target_side
        if decider.same_place or (kind in KINDS_SHARED_BY_GENERATIONS and sides[0].url == sides[1].url):
            yield from {action.id} - self._target.objects(kind).keys() - {action.target_name}
        known = decider.journal.former_ids.get((kind, action.id), ())
        yield from (id_ for id_ in known if id_ not in (action.id, action.target_name))

    def _counterpart(self, present: Entity) -> Entity | None:
        """The object of the source that one of the target is paired with. A thread of the snapshot's own
        place may not be paired because it was not listed."""
        if present.kind != "thread":
            return self._source.objects(present.kind).get(self._assistants.get(present.id, ""))
        own_id = present.id if self._decider.same_place else ""
        return self._source.threads_by_id.get(self._threads.get(present.id, own_id))

    def _present_threads(
        self,
        recreated: Recreated,
        messages: Mapping[str, Sequence[tuple[Entity, str]]],
        new_threads: Set[str],
    ) -> dict[str, Entity]:
        """Threads of the target that may refer to a recreated object: those of the snapshot that do so, or
        that have `messages` which do; and those that were listed."""
        sources = {(kind, id_) for (kind, _), id_ in recreated.items()}
        existing = (thread for thread in self._source.iter_threads() if thread.id not in new_threads)
        naming = [thread.id for thread in existing if _named_keys(thread, sources)]
        ids: dict[str, None] = {}
        for thread in (*naming, *messages):
            for id_ in self._ids_on_target(thread):
                ids[id_] = None
                self._threads.setdefault(id_, thread)
        listed = self._target.threads_by_id
        return {**listed, **self._threads_now([id_ for id_ in ids if id_ not in listed])}

    def _ids_on_target(self, thread: str) -> Sequence[str]:
        """The id of a thread of the source on the target; where the threads there were not listed, each that
        it may have."""
        if known := self._decider.pairs.right("thread", thread):
            return (known,)
        own_id = [thread] if self._decider.same_place else []
        journal = self._decider.journal
        written = journal.trusted_ids.get(("thread", thread))
        return [*own_id, *([written] if written else []), *journal.thread_ids(thread)]

    def _relinked(
        self, entity: Entity, present: Entity, relinks: Set[ObjectKey], recreated: Recreated
    ) -> Action:
        """The update with the new ids. Its fields are empty where they cannot be changed."""
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
            relinks=tuple(sorted(relinks)),
        )

    def _note_change(self, entity: Entity, present: Entity, recreated: Recreated) -> None:
        """Note the references of an object, from old to new."""
        forms = (normalize_written_fields(form) for form in (present, _with_new_ids(present, recreated)))
        self._log.changes.add(change_row(entity, present, diff_objects(*forms)))

    def _missing_store_files(
        self, recreated: Set[ObjectKey], planned: Mapping[tuple[str, str, str], Action]
    ) -> Iterator[tuple[Entity, Entity, Entity]]:
        """Recreated files belong into the stores that had them and still exist: the store of the snapshot,
        its counterpart, and the file in the store."""
        for store in self._source.objects("vector_store").values():
            present = self._decider.counterpart(store, self._target.objects("vector_store"))
            for row in self._source.members("vector_store_file", store.id) if present else ():
                file = str(row.fields["file_id"])
                if present and ("file", file) in recreated and not self._is_planned(row, present, planned):
                    yield store, present, replace(row, label=self._source.objects("file")[file].name)

    def _is_planned(self, row: Entity, store: Entity, planned: Mapping[tuple[str, str, str], Action]) -> bool:
        """Whether a file of a store is in the plan, or is in the store already."""
        file = self._decider.pairs.right("file", str(row.fields["file_id"]))
        members = self._target.members("vector_store_file", store.id)
        return row.key in planned or any(file == str(member.fields["file_id"]) for member in members)

    def _note_left(self, entity: Entity, relinks: Iterable[ObjectKey], reason: str) -> None:
        named = ", ".join(f"{kind} {id_}" for kind, id_ in sorted(relinks))
        what = f"names {named}, which comes back under another id; {reason}"
        self._log.add_loss(entity, "id", what, "adapted", CHANGE_BY_HAND)

    def _note_unknown_ids(self, planned: Mapping[tuple[str, str, str], Action]) -> None:
        """Report assistants that refer to something that is gone and that no journal of this archive knows,
        where the snapshot's refer to what is created again: it may have been its counterpart."""
        lost = {
            (a.kind, a.id) for a in planned.values() if a.kind in RECREATED_KINDS and a.action == "create"
        }
        known = {(key[0], id_) for key, ids in self._decider.journal.former_ids.items() for id_ in ids}
        for assistant in self._source.objects("assistant").values() if lost else ():
            present = self._decider.counterpart(assistant, self._target.objects("assistant"))
            action = planned.get(assistant.key)
            named = _named_keys(assistant, lost)
            if present is None or not named or (action is not None and action.fields):
                continue
            own = {(kind, id_) for kind, id_ in lost if self._decider.same_place}
            unknown = sorted(
                id_
                for kind, id_ in named_keys(present) - known - own
                if kind in {kind for kind, _ in named} and id_ not in self._target.objects(kind)
            )
            if unknown:
                again = ", ".join(f"{kind} {id_}" for kind, id_ in sorted(named))
                reason = (
                    f"names {', '.join(unknown)}, which is gone and which this archive does not know; "
                    f"the snapshot's names {again}, which is created again"
                )
                hint = "--changed writes the state of the snapshot, with the new id"
                self._log.add_loss(assistant, "id", reason, "lost", hint)

    def _messages_naming(
        self,
        recreated: Recreated,
        planned: Mapping[tuple[str, str, str], Action],
        new_threads: Set[str],
    ) -> Iterator[tuple[str, list[tuple[Entity, str]]]]:
        """Each thread of the snapshot with the messages that refer to a recreated object, and the ids on the
        target to which they refer. A text search comes first, because there may be a million messages.
        Messages that this plan writes get the new ids."""
        mentions = DeadMentions(recreated, self._ids_on_target, self._conversations)
        gone, named_kinds = mentions.ids, self._source.codec.message_references
        words = {id_ for kind, id_ in gone if kind in named_kinds}
        found: dict[str, list[tuple[Entity, str]]] = {}
        for thread, text in self._source.snapshot.texts_with("message", words):
            if thread in new_threads:
                continue
            message = self._source.decode("message", loads(text), thread)
            adapted = message if self._decider.same_place else self._decider.adapt(message)[0]
            if named := mentions.named(thread, _named_keys(adapted, gone)):
                found.setdefault(thread, []).append((message, ", ".join(named)))
        for thread, messages in sorted(found.items()):
            written = self._written_messages(planned.get(("thread", "", thread)), thread)
            if kept := [(message, named) for message, named in messages if message.id not in written]:
                yield thread, kept

    def _written_messages(self, action: Action | None, thread: str) -> Set[str]:
        """Ids of the messages that a plan appends to a thread: its last ones."""
        if action is None or not action.messages:
            return set()
        decider = self._decider
        messages = replayed_messages(self._source, decider.codec, decider.target, thread)
        return set([message.id for message in messages][-action.messages :])

    def _note_messages(
        self, messages: Mapping[str, Sequence[tuple[Entity, str]]], threads: Mapping[str, Entity]
    ) -> None:
        """Messages of existing threads that refer to a recreated object are listed: no service changes
        one."""
        lost = {(row.parent, row.id) for row in self._log.losses if row.field == EVERY_OBJECT}
        for thread, rows in messages.items():
            if not any(id_ in threads for id_ in self._ids_on_target(thread)):
                continue
            for message, named in rows:
                if (thread, message.id) in lost:
                    continue  # it is gone, and reported
                reason = f"names {named}, which comes back under another id; {MESSAGES_STAY}"
                self._log.add_loss(message, "content", reason, "adapted", NEW_ID_HINT)


def unlisted_thread_notes(options: PlanOptions, target: Estate, actions: Iterable[Action]) -> Iterator[str]:
    """What a restore cannot see without a list of threads, where it recreates what a thread can refer to."""
    kinds = {ref.kind for ref in KINDS["thread"].refs}
    comes_back = any(action.action == "create" and action.kind in kinds for action in actions)
    if options.restore and comes_back and not target.snapshot.info.options.get("threads", True):
        yield UNLISTED_NOTE


def _with_new_ids(present: Entity, recreated: Recreated) -> Entity:
    """An object with a placeholder for each new id, which is not known yet."""
    return remap_references(
        present, lambda kind, id_: f"(new id of {id_})" if (kind, id_) in recreated else None
    )


def _named_keys(entity: Entity, keys: Collection[ObjectKey]) -> Set[ObjectKey]:
    """Those of the keys that an object refers to."""
    return {key for key in named_keys(entity) if key in keys}


def relinked(present: Entity, relinks: Set[ObjectKey], lookup: Callable[[str, str], str | None]) -> Entity:
    """An object as it is now, with the new ids of recreated objects. `lookup`: kind and old id -> new id."""
    return remap_references(present, lambda kind, id_: lookup(kind, id_) if (kind, id_) in relinks else None)
