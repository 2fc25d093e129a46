"""Walks the source in the order of references and decides about each object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from migrate.codecs import Capabilities
from migrate.model import KINDS, Entity
from migrate.model.loss import EVERY_OBJECT, Loss
from migrate.model.references import remap_references
from migrate.model.results.plan import Action, TargetSettings
from migrate.stages.estate import Estate, LazyMessage
from migrate.stages.fingerprints import is_unchanged, message_fingerprint, object_fingerprint
from migrate.stages.match.messages import pair_messages, target_order
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.adaptation import (
    AssistantDependencies,
    accepted_forms_only,
    replayed_messages,
    without_folded_attachments,
)
from migrate.stages.plan.decision import Decider
from migrate.stages.plan.journal_state import ArrivedMessage, JournalState
from migrate.stages.plan.message_comparison import MessageComparison, attached_file_ids, metadata_update
from migrate.stages.plan.served_versions import agents_of, source_version_notes, target_version_notes

MAX_FILES_NAMED = 5
"""Files that a store lacks are named up to this number."""


class Planner(Decider):
    """`actions` gives the plan's actions; the losses are there when it has ended."""

    def __init__(
        self,
        source: Estate,
        target: Estate,
        conversations: Estate | None,
        pairs: ObjectPairs,
        known: JournalState,
        capabilities: Capabilities,
        decided: TargetSettings,
    ) -> None:
        super().__init__(source, pairs, known, capabilities, decided)
        self.target, self.conversations = target, conversations
        self._agents_here, self._agents_there = agents_of(source), agents_of(target)
        self.relabelled: list[Action] = []
        """Updates of messages whose metadata changed; nothing else of a message can be rewritten."""
        self.naming: dict[str, list[str]] = {}
        """Thread -> its messages that name an id of the source."""

    def actions(self) -> Iterator[Action]:
        """Files, stores and what is in them, assistants, threads with their messages."""
        for kind in ("file", "vector_store"):
            for entity in self.source.objects(kind).values():
                if (kind, entity.id) in self.known.further:
                    self._tell_further(entity)
                    continue
                there = self.counterpart(entity, self.target.objects(kind))
                if kind == "file" and there is None:
                    self._tell_unclear(entity)
                yield self.decide(entity, there)
        for store in self.source.objects("vector_store"):
            if ("vector_store", store) not in self.known.further:
                yield from self._store_files(store)
        assistants = self.source.objects("assistant")
        for wave in AssistantDependencies(assistants).waves():
            for entity in map(assistants.__getitem__, wave):
                row = self.decide(entity, self.counterpart(entity, self.target.objects("assistant")))
                self._tell_effect(entity, row)
                yield row
        present = self.target.threads_by_id
        for entity in self.source.iter_threads():
            yield from self._thread(entity, present)
        yield from self.relabelled

    def _tell_further(self, entity: Entity) -> None:
        """A second copy of one origin is not copied back beside that origin."""
        origin = self.known.further[entity.kind, entity.id]
        reason = f"a second copy of {origin}, which stands on the target; what names it names that one there"
        self.add_loss(entity, "id", reason, "adapted")

    def _tell_unclear(self, file: Entity) -> None:
        """Of several files of one name and size none is taken for another by a guess."""
        if there := self.pairs.ambiguous_matches.get(file.id):
            more = f" and {len(there) - MAX_FILES_NAMED:,} more" if len(there) > MAX_FILES_NAMED else ""
            reason = (
                f"{len(there):,} on the target have its name and size, and neither their bytes nor where "
                f"they lie tell which is its copy: none is taken for it "
                f"({', '.join(there[:MAX_FILES_NAMED])}{more})"
            )
            way_out = "compare them by hand, and delete there what nobody needs"
            self.add_loss(file, "id", reason, "adapted", way_out)

    def _tell_effect(self, entity: Entity, row: Action) -> None:
        """Which version of an agent users get, on both sides, and whether it is on."""
        there = self._agents_there.get(row.target_id, {})
        lines = [
            *source_version_notes(self._agents_here.get(entity.id, {}), self.decided.agent_version),
            *target_version_notes(there, row.action == "update"),
        ]
        for name, grade, reason, way_out in lines if row.action != "blocked" else ():
            self.add_loss(entity, name, reason, grade, way_out)

    def general(self, actions: list[Action]) -> list[Loss]:
        """What is true of many objects, told once."""
        found = self.of_every_object()
        made = [a for a in actions if a.kind == "assistant" and a.action == "create"]
        if made and self.fit.capabilities.creates_identities:
            reason = f"each of the {len(made):,} new agents also makes an Entra identity in the tenant"
            found.append(
                Loss("assistant", EVERY_OBJECT, "identity", "adapted", reason, "tell who governs identities")
            )
        if made and self.decided.deployments is None:
            used = {str(self.source.objects("assistant")[a.id].fields.get("model")) for a in made}
            names = ", ".join(sorted(self.decided.models.get(name, name) for name in used))
            why = f" ({self.decided.unseen})" if self.decided.unseen else ""
            reason = f"whether the target has these models cannot be seen{why}: {names}"
            found.append(
                Loss("assistant", EVERY_OBJECT, "model", "adapted", reason, "map others in [models]")
            )
        if self.naming:
            number = sum(map(len, self.naming.values()))
            first = next(iter(self.naming))
            reason = (
                f"{number:,} name ids of the source (the first is {self.naming[first][0]} in {first}); "
                "what was said is never rewritten"
            )
            found.append(
                Loss("message", EVERY_OBJECT, "content", "adapted", reason, "ids FILE.db tells the new ids")
            )
        total = sum(int(f.fields.get("bytes") or 0) for f in self.source.objects("file").values())
        if 0 < self.fit.capabilities.files_total < total:
            reason = f"{total:,} bytes in all, the target holds {self.fit.capabilities.files_total:,}"
            found.append(Loss("file", EVERY_OBJECT, "bytes", "lost", reason, "leave files out: --exclude"))
        if self.decided.in_place and self.source.codec.files_immutable:
            reason = (
                f"{len(self.decided.in_place):,} files and stores are shared with the source's project and "
                "used where they are: deleting one there deletes it here"
            )
            found.append(Loss("file", EVERY_OBJECT, "id", "adapted", reason, "--copy-files copies them"))
        return found

    def _store_files(self, store: str) -> Iterator[Action]:
        there = self.pairs.right("vector_store", store)
        present = {
            str(e.fields["file_id"]): e
            for e in (self.target.members("vector_store_file", there) if there else ())
        }
        owner = self.source.objects("vector_store")[store]
        blocked = ("vector_store", store) in self.blocked
        if not self.source.is_complete("vector_store_file", store):
            reason = self.source.snapshot.scope("vector_store_file", store)[1] or "not read"
            self.add_loss(owner, "files", f"not read to the end: {reason}")
        lacking: list[str] = []
        most = self.fit.capabilities.store_files_max
        for number, entity in enumerate(self.source.members("vector_store_file", store)):
            entity = self._named(entity)
            if number >= most:
                self.add_loss(entity, "file_id", f"beyond {most:,} files", "blocked")
            gone = ("vector_store", store) in self.decided.in_place and self._file(entity) not in present
            if gone:
                reason = "the source's own store, which is used where it is, no longer holds it"
                self.add_loss(entity, "file_id", reason, "blocked")
            if blocked or gone or number >= most:
                row = Action(action="blocked", kind=entity.kind, id=entity.id, parent=store, name=entity.name)
            else:
                found = present.get(self._file(entity))
                if found is not None and not self.source.codec.reports_state:  # its ending is no bar any more
                    entity = replace(entity, facts={"status": "completed"})
                row = self.decide(entity, found, there or "")
            if row.action == "blocked":
                lacking.append(entity.name or entity.id)
            yield row
        if lacking and not blocked:
            more = f" and {len(lacking) - MAX_FILES_NAMED:,} more" if len(lacking) > MAX_FILES_NAMED else ""
            names = ", ".join(lacking[:MAX_FILES_NAMED])
            reason = f"{len(lacking):,} of its files will not be in it: {names}{more}"
            self.add_loss(owner, "files", reason, way_out="see the lines of these files")

    def _file(self, row: Entity) -> str:
        """The id on the target of the file that a row of a store names."""
        return self.pairs.right("file", str(row.fields["file_id"])) or ""

    def _named(self, row: Entity) -> Entity:
        """A store's file under the name of the file: for people who read the plan."""
        held = self.source.objects("file").get(str(row.fields.get("file_id")))
        return replace(row, label=held.name) if held else row

    def _thread(self, entity: Entity, present: Mapping[str, Entity]) -> Iterator[Action]:
        state, reason = self.source.snapshot.scope("message", entity.id)
        if state == "gone":
            return
        if entity.kind in self.decided.absent:
            yield self.decide(entity, None)
            return
        there = self.counterpart(entity, present)
        if there is not None and self._is_untouched(entity, there) and self._talk_is_untouched(entity):
            yield self._as_it_is(Action(action="skip", kind="thread", id=entity.id), there)
            return
        self._tell_unsaid(entity.id)
        order = self._arranged(entity, there.id) if there else ()
        talk = self._walked(entity.id, there.id if there else "")
        row = self.decide(entity, self._as_sent(there, entity), seen=there)
        if state != "complete":
            self.add_loss(entity, "messages", f"not read to the end: {reason or 'not read'}", "lost")
        self._tell_folded(entity, talk.attached)
        most = self.fit.capabilities.messages_max
        if 0 < most < talk.count:
            self.add_loss(entity, "messages", f"{talk.count:,}, the target holds {most:,} in a thread")
        done = self._arrived(entity, talk) if row.target_id else 0
        if row.action in ("create", "update", "skip", "adopt"):
            action = (
                "update" if row.target_id and talk.count > done and row.action != "create" else row.action
            )
            standing = talk.beside + talk.gone
            row = replace(row, messages=talk.count - done, action=action, standing=standing, order=order)
            if action == "update" and not row.before:
                row = replace(row, before=object_fingerprint(present[row.target_id]))
        yield row

    def _talk_is_untouched(self, thread: Entity) -> bool:
        """Whether a thread of the very place that was read holds its messages as they were, in order. What
        came behind them since stays, and is told."""
        if self.conversations is None:
            return False
        beside = self.conversations.iter_members("message", thread.id)
        for message in self.source.iter_members("message", thread.id):
            found = next(beside, None)
            if found is None or not is_unchanged(message, found):
                return False
        if more := sum(1 for _ in beside):
            self.add_loss(thread, "messages", f"{more:,} came since the snapshot; they stay", "adapted")
        return True

    def _arranged(self, thread: Entity, there: str) -> tuple[str, ...]:
        """Messages that arrived keep their order on the target: where the source lists them otherwise by now,
        it is read in theirs, and what is new comes last."""
        made_from = {arrived.id: old for old, arrived in self.known.arrived(thread.id).items()}
        if not made_from or self.conversations is None:
            return ()
        ids = [message.id for message in self.source.iter_lazy_messages(thread.id)]
        standing = [made_from.get(message.id, "") for message in self.conversations.iter_lazy_messages(there)]
        order = target_order(ids, standing)
        if order == ids:
            return ()
        ids = [message.id for message in self._said(thread.id)]  # what nobody can write never arrives
        order = target_order(ids, standing)
        if order == ids:
            return ()
        self.source.set_message_order(thread.id, order)
        reason = (
            "the source lists them in another order by now; what arrived keeps its own, new ones come last"
        )
        self.add_loss(thread, "messages", reason, "lost", "the archive has the order of the source")
        return tuple(order)

    def _walked(self, thread: str, there: str) -> MessageComparison:
        """The messages of a thread, adapted, beside those on the target: one at a time, of maybe 100,000."""
        talk = MessageComparison()
        origins = self.known.origins(thread, there) if there else {}
        arrived = self.known.arrived(thread) if there and self.conversations else {}
        made_from = {message.id: old for old, message in arrived.items()}
        theirs = self.conversations.iter_lazy_messages(there) if there and self.conversations else iter(())
        here = partial(self._ids_said, thread)
        for message, found in pair_messages(self._said(thread), theirs, made_from, here):
            if message is None:
                assert found is not None
                talk.gone += found.id in made_from and talk.unlike is None
                talk.more += found.id not in made_from and talk.unlike is None
                continue
            fitted = self.fitted(message)[0]
            talk.count += 1
            if any(map(self.is_renamed, self.old_ids.in_message(message))):
                self.naming.setdefault(thread, []).append(message.id)
            talk.attached |= attached_file_ids(fitted)
            if talk.unlike is None and found is not None:
                talk.beside += 1
                if origins.get(message.id) != found.id:  # else ours was made from it
                    self._beside(talk, message, fitted, found, arrived.get(message.id))
        return talk

    def _ids_said(self, thread: str) -> set[str]:
        return {message.id for message in self._said(thread)}

    def _beside(
        self,
        talk: MessageComparison,
        message: Entity,
        fitted: Entity,
        found: LazyMessage,
        arrived: ArrivedMessage | None,
    ) -> None:
        """Compare a message with the one in its place on the target. One that the journal knows, and that
        nobody changed there since, is the one that arrived, whatever the source makes of it today."""
        there = found.entity
        changed = self._unlike(message, fitted, there)
        if not changed:
            return
        known = arrived is not None and arrived.id == found.id
        mark = arrived.mark if arrived is not None and known else ""
        as_left = mark != "" and mark == message_fingerprint(self.codec, found.body, there.parent)
        if changed - {"metadata"}:
            name = sorted(changed - {"metadata"})[0]
            if not (as_left or (known and not mark)):
                talk.unlike = message, found.id, name
                return
            reason = "the source would give another one today; it stays as it arrived"
            self.add_loss(message, name, reason, "adapted")
        if "metadata" not in changed:
            return
        if not as_left:
            self.conflict(message, fitted, there)
            if self.on_conflict == "keep":
                reason = "others may have changed it on the target since it arrived; it is kept as it is"
                self.add_loss(
                    message, "metadata", reason, "adapted", "--on-conflict overwrite writes it again"
                )
                row = metadata_update(message, there)
                talk.relabelled.append(replace(row, action="skip", fields=(), left=row.fields))
                return
        talk.relabelled.append(metadata_update(message, there))

    def _unlike(self, message: Entity, fitted: Entity, found: Entity) -> set[str]:
        """Fields in which a message is not what it should be, in the form that was tried or the sure one."""
        changed = self.changed(fitted, found)
        if changed and self.codec.is_unproven(fitted):
            sure = self.codec.adapt(message, accepted_forms_only(self.fit))[0]
            return changed if self.changed(sure, found) else set()
        return changed

    def _tell_folded(self, thread: Entity, attached: set[str]) -> None:
        """A service puts files that messages attach among the thread's own."""
        own = (self.fit_only(thread).fields.get("tool_resources") or {}).get("code_interpreter") or {}
        if more := sorted(attached - set(own.get("file_ids") or [])):
            reason = f"the service adds files that messages attach: {', '.join(more)}"
            self.add_loss(thread, "tool_resources", reason, "adapted")

    def _tell_unsaid(self, thread: str) -> None:
        """What nobody said and nobody can write."""
        for message in self.source.iter_members("message", thread):
            if reason := self.codec.why_not_replayed(message, self.fit):
                self.add_loss(message, EVERY_OBJECT, reason)

    def _said(self, thread: str) -> Iterator[Entity]:
        return replayed_messages(self.source, self.codec, self.fit, thread)

    def _as_sent(self, there: Entity | None, thread: Entity) -> Entity | None:
        def written(entity: Entity) -> Entity:
            return remap_references(KINDS[entity.kind], self.fit_only(entity), self.pairs.right)

        return there and without_folded_attachments(
            there, written(thread), map(written, self._said(thread.id))
        )

    def _arrived(self, thread: Entity, talk: MessageComparison) -> int:
        """How many of a thread's messages are on the target already, in order."""
        self.relabelled += talk.relabelled
        if talk.unlike is not None:
            message, there, name = talk.unlike
            reason = (
                f"message {there} on the target is not the one expected there, and no message can be "
                "rewritten; nothing is appended to this thread"
            )
            self.add_loss(message, name, reason, "blocked")
            return talk.count
        if talk.gone:
            reason = f"{talk.gone:,} that the source no longer has stay on the target"
            self.add_loss(thread, "messages", reason, "adapted")
        if talk.more:
            self.add_loss(thread, "messages", f"{talk.more} on the target are not from here", "lost")
        return talk.beside
