"""Plan threads: what happens to a thread, which of its messages arrived, and which are appended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from migrate.model import Entity
from migrate.model.loss import EVERY_OBJECT, Loss
from migrate.model.references import tool_resource_ids
from migrate.model.results.plan import Action
from migrate.stages.estate import Estate, LazyMessage
from migrate.stages.match.messages import LostMessages, find_lost, pair_messages, target_order
from migrate.stages.object_fingerprints import is_unchanged, object_fingerprint
from migrate.stages.plan.adaptation import (
    adapted_for_target,
    replayed_messages,
    without_folded_attachments,
)
from migrate.stages.plan.decision import (
    DecisionLog,
    MessageComparison,
    facts_of,
    object_loss,
)
from migrate.stages.plan.message_comparer import MessageComparer
from migrate.stages.plan.object_decider import ObjectDecider


class ThreadPlanner:
    """Plans one thread after the other. `conversations`: messages of the target, None if none were read."""

    def __init__(self, decider: ObjectDecider, log: DecisionLog, conversations: Estate | None) -> None:
        self.decider, self.log, self.conversations = decider, log, conversations
        self.source, self.journal = decider.source, decider.journal
        self.comparer = MessageComparer(decider, log)
        # Actions for messages whose metadata differs; nothing else of a message can be changed.
        self.message_updates: list[Action] = []
        # Thread -> its messages with an id of the source in their text.
        self.mentions: dict[str, list[str]] = {}

    def plan_thread(self, thread: Entity, existing_threads: Mapping[str, Entity]) -> Action | None:
        """The action for a thread with its messages; None for a thread that is gone on the source."""
        decider = self.decider
        state, reason = self.source.snapshot.listing_state("message", thread.id)
        if state == "gone":
            return None
        if thread.kind in decider.settings.absent:
            return self.log.add(decider.decide(thread, None))
        existing = decider.counterpart(thread, existing_threads)
        if existing and decider.is_untouched(thread, existing) and self._messages_are_untouched(thread):
            return decider.keep(Action("skip", "thread", thread.id), existing)
        if existing and decider.restore and (source_ids := self._source_ids(thread.id, existing.id)):
            self._note_unread(thread, state, reason)
            return self._plan_restored(thread, existing, source_ids)
        self.log.losses += self._unwritable_messages(thread.id)
        order = self._target_order(thread, existing.id) if existing else ()
        messages = self._compare_messages(thread.id, existing.id if existing else "")
        as_written = existing and self._without_service_additions(existing, thread)
        action = self.log.add(decider.decide(thread, as_written, as_read=existing))
        self._note_unread(thread, state, reason)
        self._note_folded_files(thread, messages.attached)
        limit = decider.target.capabilities.messages_max
        if 0 < limit < messages.count:
            reason = f"{messages.count:,}, the target accepts {limit:,} in a thread"
            self.log.add_loss(thread, "messages", reason)
        is_complete = state == "complete"
        new = messages.count - (self._arrived_count(thread, messages, is_complete) if action.target_id else 0)
        if action.action == "blocked":
            return action
        action = replace(action, messages=new, standing=messages.standing, order=order)
        if existing and action.target_id and new > 0:
            action = replace(action, action="update", before=action.before or object_fingerprint(existing))
        return action

    def _note_unread(self, thread: Entity, state: str, reason: str, more: int = 0) -> None:
        """Note that the snapshot may not have all messages of a thread. `more`: how many are there now beyond
        those that it has."""
        if state != "complete":
            text = f"not read to the end: {reason or 'not read'}"
            if more:
                text += f"; the snapshot {'could' if state else 'did'} not read {more:,} that are there now"
            self.log.add_loss(thread, "messages", text)

    def _source_ids(self, thread: str, target_thread: str) -> dict[str, str]:
        """Id of each message on the target -> id of the one on the source that it was created from, or that
        it is."""
        arrived = self.journal.arrived_messages(thread, target_thread)
        ids = {message.id: source_id for source_id, message in arrived.items()}
        if self._is_itself(thread, target_thread):
            ids = {message.id: message.id for message in self.source.iter_lazy_messages(thread)} | ids
        return ids

    def _is_itself(self, thread: str, target_thread: str) -> bool:
        return self.decider.same_place and thread == target_thread

    def _plan_restored(self, thread: Entity, existing: Entity, source_ids: Mapping[str, str]) -> Action:
        """A thread of a restore that exists. The messages that it lacks are appended if they are its last
        ones; otherwise each is reported, since a service only appends. What is there was not written."""
        decider = self.decider
        present = [source_ids.get(message.id, "") for message in self._present(existing.id)]
        listed = (message.id for message in self.source.iter_lazy_messages(thread.id))
        replayed = [message.id for message in self._replayed(thread.id)]
        is_itself = self._is_itself(thread.id, existing.id)
        lost = find_lost(listed if is_itself else (), replayed, present)
        self._compare_present(thread.id, existing.id, present, set(replayed))
        self.log.earlier_losses += () if is_itself else self._unwritable_messages(thread.id)
        attached = self._note_lost(thread.id, lost)
        as_written = self._without_service_additions(existing, thread)
        action = self.log.add(decider.decide(thread, as_written, as_read=existing))
        if not (lost.replayed and lost.at_end):
            action = replace(action, order=self._target_order(thread, existing.id))
            return action if is_itself else replace(action, standing=len(present))
        self._note_folded_files(thread, attached)
        before = action.before or object_fingerprint(existing)
        number, standing = len(lost.replayed), len(present)
        return replace(action, action="update", messages=number, standing=standing, before=before)

    def _present(self, target_thread: str) -> Iterator[LazyMessage]:
        return self.conversations.iter_lazy_messages(target_thread) if self.conversations else iter(())

    def _note_lost(self, thread: str, lost: LostMessages) -> set[str]:
        """Note what is lost, and the losses of what is appended. Returns the files that this attaches."""
        attached: set[str] = set()
        missing = {*lost.replayed, *lost.others}
        for message in self.source.iter_members("message", thread) if missing else ():
            if message.id not in missing:
                continue
            if message.id in lost.others:
                reason = self.decider.codec.why_not_replayed(message, self.decider.target)
                self.log.add_loss(message, EVERY_OBJECT, reason)
            elif lost.at_end:
                attached |= _attached_file_ids(self._adapt_message(message))
                self.log.new_messages.add((thread, message.id))
                self._note_mentions(message)
            else:
                reason = "it is gone from within a thread that exists, and a service only appends"
                self.log.add_loss(message, EVERY_OBJECT, reason, "lost", "the archive has it: transcript")
        return attached

    def _compare_present(
        self, thread: str, target_thread: str, present: Sequence[str], replayed: Set[str]
    ) -> None:
        """Compare the metadata of the messages that are there, the only part that can be changed. `present`:
        their ids on the source, in order."""
        arrived = self.journal.arrived_messages(thread, target_thread)
        result, comparer = MessageComparison(), self.comparer
        messages, wanted = self._replayed(thread), replayed & set(present)
        passed: dict[str, Entity] = {}  # read before their turn: the target may list them in another order
        for source_id, counterpart in zip(present, self._present(target_thread), strict=True):
            if source_id not in wanted:
                continue
            while source_id not in passed and (read := next(messages, None)) is not None:
                if read.id in wanted:
                    passed[read.id] = read
            message = passed.pop(source_id, None)
            if message is None or is_unchanged(message, counterpart.entity):
                continue
            adapted, losses = self.decider.adapt(message)
            changed = self.decider.changed_fields(adapted, counterpart.entity)
            as_written = arrived.get(message.id)
            if "metadata" in changed:
                comparer.compare_metadata(result, message, adapted, counterpart, as_written)
            if changed and (other := comparer.other_form(message, adapted, counterpart.entity)) is not None:
                is_as_left = comparer.is_as_left(counterpart, as_written)
                losses = comparer.losses_of_form(message, other, is_as_left, losses)
            self.log.earlier_losses += losses
        self.message_updates += result.updates

    def _messages_are_untouched(self, thread: Entity) -> bool:
        """Whether a thread of the very place that was read has its messages as they were, in order. Messages
        that the snapshot does not have stay, and are reported: as added since, if it read all of them."""
        if self.conversations is None:
            return False
        existing = self.conversations.iter_members("message", thread.id)
        for message in self.source.iter_members("message", thread.id):
            counterpart = next(existing, None)
            if counterpart is None or not is_unchanged(message, counterpart):
                return False
        more = sum(1 for _ in existing)
        state, reason = self.source.snapshot.listing_state("message", thread.id)
        self._note_unread(thread, state, reason, more)
        if more and state == "complete":
            reason = f"{more:,} were added since the snapshot; they stay"
            self.log.add_loss(thread, "messages", reason, "adapted")
        return True

    def _target_order(self, thread: Entity, target_thread: str) -> tuple[str, ...]:
        """The order in which messages are read where the source lists them otherwise than the target.

        Messages that arrived keep their order on the target, and new ones come last."""
        source_ids = self._source_ids(thread.id, target_thread)
        if not source_ids or self.conversations is None:
            return ()
        listed = [message.id for message in self.source.iter_lazy_messages(thread.id)]
        existing = [source_ids.get(message.id, "") for message in self._present(target_thread)]
        # A restore appends nothing here: a message that is lost changes no order.
        known = set(existing if self.decider.restore else listed)
        kept = [id_ for id_ in listed if id_ in known]
        if target_order(kept, existing) == kept:
            return ()
        listed = [message.id for message in self._replayed(thread.id)]  # unwritable messages never arrive
        order = target_order(listed, existing)
        if order == listed:
            return ()
        self.source.set_message_order(thread.id, order)
        reason = (
            "the source lists them in another order now; those that arrived keep their order, "
            "and new ones come last"
        )
        self.log.add_loss(thread, "messages", reason, "lost", "the archive has the order of the source")
        return tuple(order)

    def _compare_messages(self, thread: str, target_thread: str) -> MessageComparison:
        """Adapt the messages of a thread and compare them with the target's, one at a time: a thread may have
        100,000."""
        result = MessageComparison()
        origins = self.journal.message_origins(thread, target_thread) if target_thread else {}
        reads_target = bool(target_thread) and self.conversations is not None
        arrived = self.journal.arrived_messages(thread, target_thread) if reads_target else {}
        source_ids = self._source_ids(thread, target_thread) if reads_target else {}
        existing = self._present(target_thread) if target_thread else iter(())
        left = "left" if self._is_itself(thread, target_thread) else "gone"

        def listed_ids() -> set[str]:
            return {message.id for message in self._replayed(thread)}

        for message, counterpart in pair_messages(self._replayed(thread), existing, source_ids, listed_ids):
            if message is None:
                assert counterpart is not None
                if result.mismatch is None:
                    name = left if counterpart.id in source_ids else "extra"
                    setattr(result, name, getattr(result, name) + 1)
                continue
            losses = len(self.log.losses)
            adapted = self._adapt_message(message)
            if target_thread and counterpart is None and len(self.log.losses) > losses:
                self.log.new_messages.add((thread, message.id))
            result.count += 1
            self._note_mentions(message)
            result.attached |= _attached_file_ids(adapted)
            if result.mismatch is None and counterpart is not None:
                result.matched += 1
                # else the source's was created from it
                if origins.get(message.id) != counterpart.id:
                    self.comparer.compare(result, message, adapted, counterpart, arrived.get(message.id))
        return result

    def _note_mentions(self, message: Entity) -> None:
        """Record a message whose text has an id that its object does not keep."""
        if any(self.decider.is_renamed(*key) for key in self.decider.source_ids.in_message(message)):
            self.mentions.setdefault(message.parent, []).append(message.id)

    def _adapt_message(self, message: Entity) -> Entity:
        adapted, losses = self.decider.adapt(message)
        self.log.losses += losses
        self.log.facts.setdefault(message.kind, set()).update(facts_of(message))
        return adapted

    def _note_folded_files(self, thread: Entity, attached: set[str]) -> None:
        """The service adds files that messages attach to the thread's own."""
        adapted, _ = self.decider.codec.adapt(thread, self.decider.target)
        own = tool_resource_ids(adapted.fields.get("tool_resources"), "code_interpreter")
        if added := sorted(attached - set(own)):
            reason = f"the service adds files that messages attach: {', '.join(added)}"
            self.log.add_loss(thread, "tool_resources", reason, "adapted")

    def _unwritable_messages(self, thread: str) -> Iterator[Loss]:
        for message in self.source.iter_members("message", thread):
            if reason := self.decider.codec.why_not_replayed(message, self.decider.target):
                yield object_loss(message, EVERY_OBJECT, reason)

    def _replayed(self, thread: str) -> Iterator[Entity]:
        return replayed_messages(self.source, self.decider.codec, self.decider.target, thread)

    def _without_service_additions(self, existing: Entity, thread: Entity) -> Entity:
        decider = self.decider

        def as_written(entity: Entity) -> Entity:
            return adapted_for_target(entity, decider.codec, decider.target, decider.pairs.right)

        messages = map(as_written, self._replayed(thread.id))
        return without_folded_attachments(existing, as_written(thread), messages)

    def _arrived_count(self, thread: Entity, messages: MessageComparison, is_complete: bool) -> int:
        """How many messages of a thread need not be sent: those that arrived, in order. `is_complete`: the
        snapshot read all messages, so one that it does not have is gone on the source."""
        self.message_updates += messages.updates
        if messages.mismatch is not None:
            message, target_id, name = messages.mismatch
            reason = (
                f"message {target_id} on the target is not the one expected there, and no message can be "
                "rewritten; nothing is appended to this thread"
            )
            self.log.add_loss(message, name, reason, "blocked")
            return messages.count
        if messages.gone:
            words = "the source no longer has" if is_complete else "the snapshot could not read"
            reason = f"{messages.gone:,} that {words} stay on the target"
            self.log.add_loss(thread, "messages", reason, "adapted")
        if messages.extra:
            reason = f"{messages.extra} on the target are not from the source"
            if not is_complete:
                reason = f"{messages.extra} on the target are not in the snapshot, which did not read all"
            self.log.add_loss(thread, "messages", reason)
        return messages.matched


def _attached_file_ids(message: Entity) -> set[str]:
    """Files that a message attaches for tools."""
    attachments = message.fields.get("attachments") or []
    return {str(attachment.get("file_id")) for attachment in attachments if attachment.get("tools")}
