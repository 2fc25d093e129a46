"""Decide how to roll a plan back: which objects to remove or restore, and which were changed by others since.
Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, dropwhile

from migrate.archive.journal import SERVICE_ACTION, THREAD_STATE_ACTION, UNDO_ACTION, JournalEntry
from migrate.model import KINDS, Entity, EntityKey
from migrate.model.message import count_citations, without_citations
from migrate.model.message_label import object_label
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.references import references_of
from migrate.model.results.apply import UndoStep
from migrate.model.results.archive import LaterChange
from migrate.model.results.plan import ChangeRow, Plan
from migrate.stages.apply.context import ApplyContext
from migrate.stages.apply.implicit_vector_stores import stores_of_thread
from migrate.stages.estate import Estate
from migrate.stages.object_fingerprints import message_fingerprint, object_fingerprint
from migrate.stages.plan.adaptation import (
    adapted_for_target,
    alternative_targets,
    replayed_messages,
    without_folded_attachments,
)
from migrate.stages.plan.changes import change_row

# An object is removed before those that it refers to.
REMOVAL_ORDER = ("message", "thread", "assistant", "vector_store_file", "vector_store", "file")

# How an object differs from the state this program left ('' if not), and the later apply that changed it.
_Change = tuple[str, LaterChange | None]
_UNCHANGED: _Change = ("", None)


@dataclass
class UndoPlan:
    """Finds the steps of a rollback. `target`: the live configuration. `messages`: those of its threads."""

    plan: Plan
    ctx: ApplyContext
    target: Estate
    messages: Estate
    _threads: dict[str, Entity] = field(default_factory=dict)
    _updated_fields: dict[EntityKey, tuple[str, ...]] = field(default_factory=dict)
    # The members of the thread or store that was read last; the journal is ordered by them.
    _members: dict[str, Entity] = field(default_factory=dict)
    _members_of: tuple[str, str] = ("", "")

    def steps(self) -> list[UndoStep]:
        """First what is restored, then what is removed, each kind before those that it refers to."""
        self._threads = {thread.id: thread for thread in self.target.iter_threads()}
        updates = [a for a in self.plan.actions if a.action == "update"]
        self._updated_fields = {(a.kind, a.parent, a.id): a.fields for a in updates}
        done = [e for e in self.ctx.entries.values() if e.state == "done"]
        undone = {(e.kind, e.source_parent, e.source_id) for e in done if e.action == UNDO_ACTION}
        entries = [e for e in done if e.target_id and (e.kind, e.source_parent, e.source_id) not in undone]
        created = {(e.kind, e.source_id) for e in entries if e.action == "create"}
        for thread, _, new in self.ctx.journal.threads_with_messages():
            if new and ("thread", thread) not in created:  # else they are removed with the thread
                entries += self.ctx.journal.created_messages(thread)
        states = {e.source_id: e for e in entries if e.action == THREAD_STATE_ACTION}
        restored = [self._restoration(e, states) for e in entries if e.action == "update"]
        updated = {e.source_id for e in entries if e.action == "update" and e.kind == "thread"}
        restored += self._thread_restorations([e for id_, e in states.items() if id_ not in updated])
        removed = [
            self._removal(e)
            for e in entries
            if e.action == "create" and (KINDS[e.kind].parent, e.source_parent) not in created
        ]
        removed += self._implicit_store_removals(removed)
        removed.sort(key=lambda step: REMOVAL_ORDER.index(step.kind))
        return [*restored, *removed]

    def _removal(self, entry: JournalEntry) -> UndoStep:
        present = self._present(entry)
        changed, later = self._change(entry, present) if present else _UNCHANGED
        name = entry.name or (object_label(present) if present else "")
        return UndoStep(
            "remove", entry.kind, entry.source_id, entry.source_parent, name,
            entry.target_id, entry.target_parent, present is None, changed, later=later,
        )  # fmt: skip

    def _restoration(self, entry: JournalEntry, states: Mapping[str, JournalEntry]) -> UndoStep:
        present = self._present(entry)
        # An interrupted rollback may have restored it already.
        expected = present is None or self._is_as_left(entry, present)
        changed = "" if expected or self._is_as_before(entry, present) else "its fields"
        fields = self._updated_fields.get((entry.kind, entry.source_parent, entry.source_id), ())
        if entry.kind == "thread" and entry.source_id in states:
            fields = (*fields, "tool_resources")
        return UndoStep(
            "restore", entry.kind, entry.source_id, entry.source_parent, entry.name, entry.target_id,
            entry.target_parent, present is None, changed, entry.before, fields, entry.written,
            self._later_change(entry) if changed else None, change=self._restored(entry, present, fields),
        )  # fmt: skip

    def _restored(
        self, entry: JournalEntry, present: Entity | None, fields: tuple[str, ...]
    ) -> ChangeRow | None:
        """What restoring an object changes in it, from today to what it was before."""
        if present is None:
            return None
        before = normalize_written_fields(
            self.ctx.decode(entry.kind, entry.before or {}, entry.target_parent)
        )
        differences = diff_objects(normalize_written_fields(present), before)
        moved = replace(present, id=entry.source_id, parent=entry.source_parent)
        return change_row(moved, present, [path for path in differences if path.field in fields])

    def _thread_restorations(self, states: list[JournalEntry]) -> Iterator[UndoStep]:
        """Threads to which the service added what appended messages attach, if they were not changed
        since."""
        for entry in states:
            present = self._threads.get(entry.target_id)
            if present is None or self._is_as_before(entry, present):
                continue
            if object_fingerprint(present) == entry.written:
                yield UndoStep(
                    "restore", "thread", entry.source_id, "", entry.name, entry.target_id,
                    before=entry.before, fields=("tool_resources",), written=entry.written,
                    change=self._restored(entry, present, ("tool_resources",)),
                )  # fmt: skip
                continue
            why = "others changed it since" if entry.written else "the apply was stopped before it was noted"
            self.ctx.note(f"thread {entry.target_id}: its files and stores stay as they are: {why}")

    def _implicit_store_removals(self, removed: list[UndoStep]) -> list[UndoStep]:
        """Stores that the service created for attachments in threads that this plan created or appended to,
        according to the journal. Those that others created, changed or use stay, and are reported."""
        noted = {e.target_id: e for e in self.ctx.entries.values() if e.action == SERVICE_ACTION}
        removed_threads = {step.id: step.target_id for step in removed if step.kind == "thread"}
        kept_threads = {step.parent: step.target_parent for step in removed if step.kind == "message"}
        known = self.ctx.preexisting_ids | set(self.ctx.ids.values()) | noted.keys()
        for thread_id in removed_threads.values():
            thread = self._threads.get(thread_id)
            for store in stores_of_thread(thread) if thread else ():
                if store not in known:
                    self._note_kept_store(store, thread_id, "it was not created for this plan")
        found: list[UndoStep] = []
        for entry in noted.values():
            stays = entry.source_parent not in removed_threads
            thread_id = (kept_threads if stays else removed_threads).get(entry.source_parent, "")
            if not thread_id or entry.target_id not in self.target.objects("vector_store"):
                continue
            if why := self._why_store_is_kept(entry, thread_id, stays):
                self._note_kept_store(entry.target_id, thread_id, why)
                continue
            id_, detach = f"{entry.source_parent}.store", thread_id if stays else ""
            found.append(UndoStep("remove", "vector_store", id_, "", "", entry.target_id, detach=detach))
        return found

    def _why_store_is_kept(self, entry: JournalEntry, thread_id: str, thread_stays: bool) -> str:
        """Why a store that the service created must not be removed, or ''."""
        store = self.target.objects("vector_store")[entry.target_id]
        if object_fingerprint(store) != entry.written or self._foreign_files(store.id):
            return "others changed it since the service created it"
        assistants = self.target.objects("assistant").values()
        if any(id_ == store.id for entity in assistants for _, _, id_ in references_of(entity)):
            return "others use it too"
        rest = (thread for id_, thread in self._threads.items() if id_ != thread_id)
        if any(store.id in stores_of_thread(thread) for thread in rest):
            return "others use it too"
        if not thread_stays:
            return ""
        messages = self.ctx.journal.created_messages(entry.source_parent)
        created = {message.target_id for message in messages}
        ids = (message.id for message in self.messages.iter_members("message", thread_id))
        appended = dropwhile(lambda id_: id_ not in created, ids)
        return "others wrote in the thread since" if any(id_ not in created for id_ in appended) else ""

    def _note_kept_store(self, store: str, thread_id: str, why: str) -> None:
        self.ctx.note(f"vector_store {store}, which thread {thread_id} searches, is kept: {why}")

    def _is_as_left(self, entry: JournalEntry, present: Entity) -> bool:
        """Whether an object is as the journal line says that it was left."""
        if entry.kind != "message":
            return object_fingerprint(present) == entry.written
        messages = self.messages.iter_lazy_messages(entry.target_parent)
        body = next(message.body for message in messages if message.id == present.id)
        return message_fingerprint(self.ctx.codec, body, entry.target_parent) == entry.written

    def _is_as_before(self, entry: JournalEntry, present: Entity | None) -> bool:
        before = self.ctx.decode(entry.kind, entry.before or {}, entry.target_parent)
        return present is not None and (normalize_written_fields(present) == normalize_written_fields(before))

    def _present(self, entry: JournalEntry) -> Entity | None:
        """The object on the target that a journal line is about."""
        kind, parent = entry.kind, entry.target_parent
        if kind == "thread":
            return self._threads.get(entry.target_id)
        if not KINDS[kind].parent:
            return self.target.objects(kind).get(entry.target_id)
        if self._members_of != (kind, parent):
            estate = self.messages if kind == "message" else self.target
            self._members = {entity.id: entity for entity in estate.iter_members(kind, parent)}
            self._members_of = (kind, parent)
        return self._members.get(entry.target_id)

    def _change(self, entry: JournalEntry, present: Entity) -> _Change:
        """How an object that this plan created differs from what was created."""
        if entry.kind in ("message", "vector_store_file"):
            return _UNCHANGED
        if entry.written != object_fingerprint(present) and not self._is_as_planned(entry, present):
            return "its fields", self._later_change(entry)
        if entry.kind == "thread":
            return self._added_stores(entry, present) or self._added_message(entry)
        if entry.kind == "vector_store" and (files := self._foreign_files(present.id, entry.source_id)):
            changes = (
                self.ctx.journal.later_change(entry.id, "vector_store_file", present.id, id_) for id_ in files
            )
            later = next((change for change in changes if change), None)
            return f"files that this plan did not add: {', '.join(files)}", later
        return _UNCHANGED

    def _is_as_planned(self, entry: JournalEntry, present: Entity) -> bool:
        """Whether an object has the planned form, although the service added something to it."""
        entity = self.ctx.source.objects(entry.kind).get(entry.source_id)
        if entity is None:
            return False
        planned = self._adapted(entity)
        if entry.kind == "thread":
            messages = self._planned_messages(entry.source_id)
            present = without_folded_attachments(present, planned, messages)
        form = {key: value for key, value in normalize_entity(planned).items() if key != "sha256"}
        return not diff_objects(form, normalize_written_fields(present))

    def _later_change(self, entry: JournalEntry) -> LaterChange | None:
        return self.ctx.journal.later_change(entry.id, entry.kind, entry.target_parent, entry.target_id)

    def _foreign_files(self, store: str, source_store: str = "") -> list[str]:
        """Files in a store of the target that this plan did not put there. `source_store`: '' for a store
        that the service created: any file of this plan may be in it."""
        known = {e.target_id for e in self.ctx.entries.values() if e.target_parent == store}
        source_files = self.ctx.source.store_files.get(source_store, frozenset()) if source_store else None
        known |= {
            target_id
            for (kind, id_), target_id in self.ctx.ids.items()
            if kind == "file" and (source_files is None or id_ in source_files)
        }
        return [row.id for row in self.target.members("vector_store_file", store) if row.id not in known]

    def _added_stores(self, entry: JournalEntry, present: Entity) -> _Change | None:
        """Stores in a thread that neither this plan nor, because of it, the service attached."""
        source = self.ctx.source.threads_by_id.get(entry.source_id)
        known = {e.target_id for e in self.ctx.entries.values() if e.action == SERVICE_ACTION}
        known |= set(stores_of_thread(self._adapted(source))) if source else set()
        added = [store for store in stores_of_thread(present) if store not in known]
        if not added:
            return None
        return f"stores that this plan did not attach: {', '.join(added)}", self._later_change(entry)

    def _added_message(self, entry: JournalEntry) -> _Change:
        """The first message in a thread that this plan did not write: the conversation continued."""
        ctx = self.ctx
        planned = replayed_messages(ctx.source, ctx.codec, ctx.target, entry.source_id)
        for present in self.messages.iter_members("message", entry.target_id):
            message = next(planned, None)
            if message is None or not self._is_written(message, present):
                later = self.ctx.journal.later_change(entry.id, "message", entry.target_id, present.id)
                return f"message {present.id} is not one that this plan wrote", later
        return _UNCHANGED

    def _is_written(self, message: Entity, present: Entity) -> bool:
        """Whether a message on the target has one of the forms in which this plan may have written it. Of
        citations nothing is compared: the service may have dropped them."""
        adapted = self._adapted(message)
        form = normalize_written_fields(without_citations(present) if count_citations(adapted) else present)
        targets = alternative_targets(self.ctx.codec, self.ctx.target, adapted)
        others = (
            adapted_for_target(message, self.ctx.codec, target, self.ctx.target_id) for target in targets
        )
        return any(
            normalize_written_fields(without_citations(written)) == form
            for written in chain((adapted,), others)
        )

    def _adapted(self, entity: Entity) -> Entity:
        return adapted_for_target(entity, self.ctx.codec, self.ctx.target, self.ctx.target_id)

    def _planned_messages(self, thread: str) -> Iterator[Entity]:
        ctx = self.ctx
        return map(self._adapted, replayed_messages(ctx.source, ctx.codec, ctx.target, thread))
