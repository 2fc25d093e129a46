"""What a plan did in, what undoing it takes out: which objects to remove or restore, and which were
changed by others since. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import dropwhile

from migrate.archive.journal import SERVICE_ACTION, THREAD_STATE_ACTION, UNDO_ACTION, JournalEntry
from migrate.model import KINDS, Entity, EntityKey
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.references import references_of, remap_references
from migrate.model.results.apply import UndoStep
from migrate.model.results.archive import LaterChange
from migrate.model.results.plan import Plan
from migrate.stages.apply.context import ApplyContext
from migrate.stages.apply.implicit_vector_stores import stores_of_thread
from migrate.stages.estate import Estate
from migrate.stages.fingerprints import object_fingerprint
from migrate.stages.plan.adaptation import replayed_messages, without_folded_attachments

REMOVAL_ORDER = ("message", "thread", "assistant", "vector_store_file", "vector_store", "file")
"""Nothing is removed before what names it."""


@dataclass
class UndoPlan:
    """Finds the steps. `target` is the live configuration, `talks` the messages of the threads we wrote."""

    plan: Plan
    ctx: ApplyContext
    target: Estate
    talks: Estate
    _threads: dict[str, Entity] = field(default_factory=dict)
    _fields: dict[EntityKey, tuple[str, ...]] = field(default_factory=dict)
    _held: tuple[str, str] = ("", "")
    _members: dict[str, Entity] = field(default_factory=dict)

    def steps(self) -> list[UndoStep]:
        """Restorations first, then removals, each kind before what it refers to."""
        self._threads = {thread.id: thread for thread in self.target.iter_threads()}
        self._fields = {(a.kind, a.parent, a.id): a.fields for a in self.plan.actions if a.action == "update"}
        entries = list(self.ctx.entries.values())
        done = [e for e in entries if e.state == "done"]
        undone = {(e.kind, e.source_parent, e.source_id) for e in done if e.action == UNDO_ACTION}
        mine = [e for e in done if e.target_id and (e.kind, e.source_parent, e.source_id) not in undone]
        made = {(e.kind, e.source_id) for e in mine if e.action == "create"}
        for thread, _, new in self.ctx.journal.threads_with_messages():
            if new and ("thread", thread) not in made:  # else they disappear with it
                mine += self.ctx.journal.created_messages(thread)
        stood = {e.source_id: e for e in mine if e.action == THREAD_STATE_ACTION}
        restored = [self._restored(e, stood) for e in mine if e.action == "update"]
        changed = {e.source_id for e in mine if e.action == "update" and e.kind == "thread"}
        restored += self._grown([e for id_, e in stood.items() if id_ not in changed])
        removed = [self._removed(e) for e in mine if e.action == "create" and not _goes_along(e, made)]
        removed += self._made_by_service(removed)
        removed.sort(key=lambda step: REMOVAL_ORDER.index(step.kind))
        return [*restored, *removed]

    def _made_by_service(self, removed: list[UndoStep]) -> list[UndoStep]:
        """Stores that the service made by itself for attachments in threads of ours, or in messages that we
        appended, as the journal noted them. What others put into one, or attached to our thread, is theirs
        and stays, which is told; so does what others use."""
        noted = {e.target_id: e for e in self.ctx.entries.values() if e.action == SERVICE_ACTION}
        gone = {step.id: step.target_id for step in removed if step.kind == "thread"}
        grown = {step.parent: step.target_parent for step in removed if step.kind == "message"}
        known = self.ctx.preexisting_ids | set(self.ctx.ids.values()) | noted.keys()
        for there in gone.values():
            thread = self._threads.get(there)
            for store in stores_of_thread(thread) if thread else ():
                if store not in known:
                    self._tell_left(store, there, "it was not made for us")
        found: list[UndoStep] = []
        for entry in noted.values():
            there = gone.get(entry.source_parent) or grown.get(entry.source_parent, "")
            if not there or entry.target_id not in self.target.objects("vector_store"):
                continue
            if why := self._in_use(entry, there, entry.source_parent not in gone):
                self._tell_left(entry.target_id, there, why)
            else:
                detach = "" if entry.source_parent in gone else there
                id_ = f"{entry.source_parent}.store"
                found.append(UndoStep("remove", "vector_store", id_, "", "", entry.target_id, detach=detach))
        return found

    def _in_use(self, entry: JournalEntry, there: str, stays: bool) -> str:
        """Why a store that the service made for us must not be removed, or ''. `stays`: its thread stays."""
        store = self.target.objects("vector_store")[entry.target_id]
        if object_fingerprint(store) != entry.written or self._strange_rows(store.id):
            return "others changed it since the service made it for us"
        form = KINDS["assistant"]
        named = (references_of(form, one) for one in self.target.objects("assistant").values())
        threads = (stores_of_thread(thread) for id_, thread in self._threads.items() if id_ != there)
        used = any(id_ == store.id for refs in named for _, _, id_ in refs)
        if used or any(store.id in stores for stores in threads):
            return "others use it too"
        ours = {message.target_id for message in self.ctx.journal.created_messages(entry.source_parent)}
        messages = (
            (message.id for message in self.talks.iter_members("message", there)) if stays else iter(())
        )
        behind = dropwhile(lambda id_: id_ not in ours, messages)
        return "others wrote in the thread since" if any(id_ not in ours for id_ in behind) else ""

    def _tell_left(self, store: str, thread: str, why: str) -> None:
        self.ctx.note(f"vector_store {store}, which thread {thread} searches, is left: {why}")

    def _removed(self, entry: JournalEntry) -> UndoStep:
        found = self._found(entry.kind, entry.target_id, entry.target_parent)
        changed, later = self._changed(entry, found) if found else ("", None)
        return UndoStep(
            "remove", entry.kind, entry.source_id, entry.source_parent, entry.name,
            entry.target_id, entry.target_parent, found is None, changed, later=later,
        )  # fmt: skip

    def _grown(self, stood: list[JournalEntry]) -> Iterator[UndoStep]:
        """Threads to which the service added what messages of ours attach, and nobody changed since."""
        for entry in stood:
            found = self._threads.get(entry.target_id)
            if found is None or normalize_written_fields(found) == normalize_written_fields(
                self._before(entry)
            ):
                continue
            if object_fingerprint(found) == entry.written:
                yield UndoStep(
                    "restore", "thread", entry.source_id, "", entry.name, entry.target_id,
                    before=entry.before, fields=("tool_resources",), written=entry.written,
                )  # fmt: skip
            else:
                why = (
                    "others changed it since"
                    if entry.written
                    else "the apply was stopped before it was noted"
                )
                text = "its files and stores are left as they are"
                self.ctx.note(f"thread {entry.target_id}: {text}: {why}")

    def _restored(self, entry: JournalEntry, stood: Mapping[str, JournalEntry]) -> UndoStep:
        found = self._found(entry.kind, entry.target_id, entry.target_parent)
        changed = "" if found is None or self._left_or_restored(entry, found) else "its fields"
        later = self._later(entry) if changed else None
        fields = self._fields.get((entry.kind, entry.source_parent, entry.source_id), ())
        if entry.kind == "thread" and entry.source_id in stood:
            fields = (*fields, "tool_resources")
        return UndoStep(
            "restore", entry.kind, entry.source_id, entry.source_parent, entry.name, entry.target_id,
            entry.target_parent, found is None, changed, entry.before, fields, entry.written, later,
        )  # fmt: skip

    def _left_or_restored(self, entry: JournalEntry, found: Entity) -> bool:
        """Whether an object is as we left it, or as it was before: an interrupted rollback restored it."""
        if object_fingerprint(found) == entry.written:
            return True
        return normalize_written_fields(found) == normalize_written_fields(self._before(entry))

    def _before(self, entry: JournalEntry) -> Entity:
        return self.ctx.codec.decode(entry.kind, entry.before or {}, entry.target_parent, None)[0]

    def _found(self, kind: str, id_: str, parent: str) -> Entity | None:
        if kind == "thread":
            return self._threads.get(id_)
        if KINDS[kind].parent:
            return self._lying_in(kind, parent).get(id_)
        return self.target.objects(kind).get(id_)

    def _lying_in(self, kind: str, parent: str) -> dict[str, Entity]:
        """What lies in a thread or store. The last one is held: the journal goes from one to the next."""
        if self._held != (kind, parent):
            estate = self.talks if kind == "message" else self.target
            self._members = {entity.id: entity for entity in estate.iter_members(kind, parent)}
            self._held = (kind, parent)
        return self._members

    def _changed(self, entry: JournalEntry, found: Entity) -> tuple[str, LaterChange | None]:
        """In what an object that we made is not as we made it, and the later apply of ours that did it."""
        if entry.kind in ("message", "vector_store_file"):
            return "", None
        if entry.written != object_fingerprint(found) and not self._as_written(entry, found):
            return "its fields", self._later(entry)
        if entry.kind == "thread":
            return self._strange_stores(entry, found) or self._strange_messages(entry)
        if entry.kind == "vector_store":
            strange = self._strange_rows(found.id, entry.source_id)
            if strange:
                rows = (
                    self.ctx.journal.later_change(entry.id, "vector_store_file", found.id, id_)
                    for id_ in strange
                )
                later = next((row for row in rows if row), None)
                return f"files that are not ours: {', '.join(strange)}", later
        return "", None

    def _later(self, entry: JournalEntry) -> LaterChange | None:
        return self.ctx.journal.later_change(entry.id, entry.kind, entry.target_parent, entry.target_id)

    def _strange_rows(self, store: str, of: str = "") -> list[str]:
        """Files in a store of the target that this plan did not put there. `of`: the store on the source; one
        that the service made for attachments has none, and holds files of ours."""
        ours = {e.target_id for e in self.ctx.entries.values() if e.target_parent == store}
        if of:
            held = self.ctx.source.store_files.get(of, frozenset())
            ours |= {new for (kind, old), new in self.ctx.ids.items() if kind == "file" and old in held}
        else:
            ours |= {new for (kind, _), new in self.ctx.ids.items() if kind == "file"}
        return [row.id for row in self.target.members("vector_store_file", store) if row.id not in ours]

    def _strange_stores(self, entry: JournalEntry, found: Entity) -> tuple[str, LaterChange | None] | None:
        """Stores that our thread searches now and that neither we nor the service for us attached."""
        source = self.ctx.source.threads_by_id.get(entry.source_id)
        ours = {e.target_id for e in self.ctx.entries.values() if e.action == SERVICE_ACTION}
        ours |= set(stores_of_thread(self._fitted(source))) if source else set()
        strange = [store for store in stores_of_thread(found) if store not in ours]
        if not strange:
            return None
        return f"stores that we did not attach: {', '.join(strange)}", self._later(entry)

    def _as_written(self, entry: JournalEntry, found: Entity) -> bool:
        """Whether it is what it should be, though the service added something of its own."""
        source = self.ctx.source
        known = source.threads_by_id if entry.kind == "thread" else source.objects(entry.kind)
        entity = known.get(entry.source_id)
        if entity is None:
            return False
        wanted = self._fitted(entity)
        if entry.kind == "thread":
            found = without_folded_attachments(found, wanted, map(self._fitted, self._said(entry.source_id)))
        return not diff_objects(
            {k: v for k, v in normalize_entity(wanted).items() if k != "sha256"},
            normalize_written_fields(found),
        )

    def _fitted(self, entity: Entity) -> Entity:
        adapted, _ = self.ctx.codec.adapt(entity, self.ctx.target)

        def lookup(kind: str, old: str) -> str | None:
            return self.ctx.ids.get((kind, old))

        return self.ctx.target.with_new_ids(remap_references(KINDS[entity.kind], adapted, lookup), lookup)

    def _said(self, thread: str) -> Iterator[Entity]:
        return replayed_messages(self.ctx.source, self.ctx.codec, self.ctx.target, thread)

    def _strange_messages(self, entry: JournalEntry) -> tuple[str, LaterChange | None]:
        """Messages in our thread that we did not write: the conversation went on."""
        wanted = map(self._fitted, self._said(entry.source_id))
        for found in self.talks.iter_members("message", entry.target_id):
            expected = next(wanted, None)
            if expected is None or normalize_written_fields(expected) != normalize_written_fields(found):
                later = self.ctx.journal.later_change(entry.id, "message", entry.target_id, found.id)
                return f"message {found.id} is not one that this plan wrote", later
        return "", None


def _goes_along(entry: JournalEntry, made: set[tuple[str, str]]) -> bool:
    """Whether it disappears with the thread or store it lies in, which is among what we `made`."""
    return (KINDS[entry.kind].parent, entry.source_parent) in made
