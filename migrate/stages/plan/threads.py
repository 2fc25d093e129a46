"""Plan threads: what happens to a thread, which of its messages arrived, and which are appended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from migrate.codecs import Target
from migrate.model import Entity
from migrate.model.loss import ARRIVED_WITHOUT_PREFIX, EVERY_OBJECT
from migrate.model.references import tool_resource_ids
from migrate.model.results.plan import Action
from migrate.stages.estate import Estate, LazyMessage
from migrate.stages.match.messages import pair_messages, target_order
from migrate.stages.object_fingerprints import is_unchanged, message_fingerprint, object_fingerprint
from migrate.stages.plan.adaptation import (
    adapted_for_target,
    alternative_targets,
    replayed_messages,
    without_folded_attachments,
)
from migrate.stages.plan.changes import ConflictOutcome, change_row
from migrate.stages.plan.decision import DecisionLog, existing_action, facts_of
from migrate.stages.plan.journal_state import ArrivedMessage
from migrate.stages.plan.object_decider import ObjectDecider


@dataclass
class MessageComparison:
    """The messages of a thread beside those of its counterpart.

    `count`: messages that are replayed. `attached`: source ids of the files that they attach. `matched`: how
    many have a counterpart. `gone`: messages on the target that the source no longer has. `extra`: messages
    on the target that others wrote. `mismatch`: the first message that differs, the id of its counterpart and
    a field. `updates`: actions for messages whose metadata differs."""

    count: int = 0
    attached: set[str] = field(default_factory=set)
    matched: int = 0
    gone: int = 0
    extra: int = 0
    mismatch: tuple[Entity, str, str] | None = None
    updates: list[Action] = field(default_factory=list)


class ThreadPlanner:
    """Plans one thread after the other. `conversations`: messages of the target, None if none were read."""

    def __init__(self, decider: ObjectDecider, log: DecisionLog, conversations: Estate | None) -> None:
        self.decider, self.log, self.conversations = decider, log, conversations
        self.source, self.journal = decider.source, decider.journal
        # Actions for messages whose metadata differs; nothing else of a message can be changed.
        self.message_updates: list[Action] = []
        # Thread -> its messages that name an id of the source.
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
        if existing and decider.restore and decider.same_place and not self._can_append(thread, existing):
            return self.log.add(decider.decide(thread, existing))
        self._note_unwritable_messages(thread.id)
        order = self._target_order(thread, existing.id) if existing else ()
        messages = self._compare_messages(thread.id, existing.id if existing else "")
        as_written = existing and self._without_service_additions(existing, thread)
        action = self.log.add(decider.decide(thread, as_written, as_read=existing))
        if state != "complete":
            self.log.add_loss(thread, "messages", f"not read to the end: {reason or 'not read'}")
        self._note_folded_files(thread, messages.attached)
        limit = decider.target.capabilities.messages_max
        if 0 < limit < messages.count:
            reason = f"{messages.count:,}, the target accepts {limit:,} in a thread"
            self.log.add_loss(thread, "messages", reason)
        new = messages.count - (self._arrived_count(thread, messages) if action.target_id else 0)
        if action.action == "blocked":
            return action
        action = replace(action, messages=new, standing=messages.matched + messages.gone, order=order)
        if existing and action.target_id and new > 0:
            action = replace(action, action="update", before=action.before or object_fingerprint(existing))
        return action

    def _can_append(self, thread: Entity, existing: Entity) -> bool:
        """Whether the messages that a thread lacks are its last ones, so that they can be put in their place.
        Otherwise each is reported: a service only appends.

        A thread that came back has other ids. Of its messages the journal knows those that arrived; what
        never arrived, because the restore was interrupted, is appended."""
        wanted = [message.id for message in self._replayed(thread.id)]
        messages = self.conversations.iter_lazy_messages(existing.id) if self.conversations else iter(())
        present = [message.id for message in messages]
        if existing.id == thread.id:
            lost = set(wanted).difference(present)
            if lost and present == wanted[: len(present)]:
                return True
        else:
            arrived = self.journal.arrived_messages(thread.id, existing.id)
            lost = {id_ for id_, message in arrived.items() if message.id not in set(present)}
            if not lost:
                return any(id_ not in arrived for id_ in wanted)
        for message in self._replayed(thread.id) if lost else ():
            if message.id in lost:
                reason = "it is gone from within a thread that exists, and a service only appends"
                self.log.add_loss(message, EVERY_OBJECT, reason, "lost", "the archive has it: transcript")
        return False

    def _messages_are_untouched(self, thread: Entity) -> bool:
        """Whether a thread of the very place that was read has its messages as they were, in order. Messages
        that were added since stay, and are reported."""
        if self.conversations is None:
            return False
        existing = self.conversations.iter_members("message", thread.id)
        for message in self.source.iter_members("message", thread.id):
            counterpart = next(existing, None)
            if counterpart is None or not is_unchanged(message, counterpart):
                return False
        if added := sum(1 for _ in existing):
            reason = f"{added:,} were added since the snapshot; they stay"
            self.log.add_loss(thread, "messages", reason, "adapted")
        return True

    def _target_order(self, thread: Entity, target_thread: str) -> tuple[str, ...]:
        """The order in which messages are read where the source lists them otherwise than the target.

        Messages that arrived keep their order on the target, and new ones come last."""
        arrived = self.journal.arrived_messages(thread.id, target_thread)
        source_ids = {message.id: source_id for source_id, message in arrived.items()}
        if not source_ids or self.conversations is None:
            return ()
        listed = [message.id for message in self.source.iter_lazy_messages(thread.id)]
        existing = [
            source_ids.get(message.id, "") for message in self.conversations.iter_lazy_messages(target_thread)
        ]
        if target_order(listed, existing) == listed:
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
        source_ids = {message.id: source_id for source_id, message in arrived.items()}
        existing: Iterator[LazyMessage] = iter(())
        if self.conversations is not None and target_thread:
            existing = self.conversations.iter_lazy_messages(target_thread)

        def listed_ids() -> set[str]:
            return {message.id for message in self._replayed(thread)}

        for message, counterpart in pair_messages(self._replayed(thread), existing, source_ids, listed_ids):
            if message is None:
                assert counterpart is not None
                if result.mismatch is None:
                    result.gone += counterpart.id in source_ids
                    result.extra += counterpart.id not in source_ids
                continue
            losses = len(self.log.losses)
            adapted = self._adapt_message(message)
            if target_thread and counterpart is None and len(self.log.losses) > losses:
                self.log.new_messages.add((thread, message.id))
            result.count += 1
            if any(self.decider.is_renamed(*key) for key in self.decider.source_ids.in_message(message)):
                self.mentions.setdefault(thread, []).append(message.id)
            result.attached |= _attached_file_ids(adapted)
            if result.mismatch is None and counterpart is not None:
                result.matched += 1
                is_itself = bool(self.decider.restore) and counterpart.id == message.id
                # else the source's was created from it, or it is the archived message itself
                if origins.get(message.id) != counterpart.id and not is_itself:
                    self._compare_message(result, message, adapted, counterpart, arrived.get(message.id))
        return result

    def _adapt_message(self, message: Entity) -> Entity:
        adapted, losses = self.decider.adapt(message)
        self.log.losses += losses
        self.log.facts.setdefault(message.kind, set()).update(facts_of(message))
        return adapted

    def _compare_message(
        self,
        result: MessageComparison,
        message: Entity,
        adapted: Entity,
        counterpart: LazyMessage,
        arrived: ArrivedMessage | None,
    ) -> None:
        """Compare a message with its counterpart. One that the journal knows, and that nobody changed since,
        is the one that arrived, even if the source would be adapted otherwise today."""
        existing = counterpart.entity
        changed = self.decider.changed_fields(adapted, existing)
        if not changed:
            return
        is_known = arrived is not None and arrived.id == counterpart.id
        fingerprint = arrived.fingerprint if arrived is not None and is_known else ""
        is_as_left = fingerprint != "" and fingerprint == message_fingerprint(
            self.decider.codec, counterpart.body, existing.parent
        )
        if (other := self._other_form(message, adapted, existing)) is not None:
            self._replace_losses(message, other, is_as_left)
            return
        if content := sorted(changed - {"metadata"}):
            if not (is_as_left or (is_known and not fingerprint)):
                result.mismatch = message, counterpart.id, content[0]
                return
            reason = "the source would give another one today; it stays as it arrived"
            self.log.add_loss(message, content[0], reason, "adapted")
        if "metadata" not in changed:
            return
        if self.decider.restore == "missing":
            reason = "it changed since it came back; it stays as it is"
            self.log.add_loss(message, "metadata", reason, "adapted", "--changed writes the archived state")
            return
        place = {"parent": message.parent, "target_parent": existing.parent}
        # nothing but the metadata of a message can be changed
        update = existing_action("update", "message", message.id, existing, fields=("metadata",), **place)
        outcome: ConflictOutcome = ""
        if not is_as_left:
            outcome = "overwritten"
            self.log.conflicts.append(self.decider.conflict(message, adapted, existing))
            if self.decider.on_conflict == "keep":
                outcome = "kept"
                reason = "others may have changed it on the target since it arrived; their version is kept"
                hint = "--on-conflict overwrite replaces it"
                self.log.add_loss(message, "metadata", reason, "adapted", hint)
                update = replace(update, action="skip", fields=(), left=update.fields)
        differences = self.decider.differences(adapted, existing)
        changes = [path for path in differences if path.field == "metadata"]
        self.log.changes.add(change_row(message, existing, changes, outcome))
        result.updates.append(update)

    def _other_form(self, message: Entity, adapted: Entity, existing: Entity) -> Target | None:
        """The rules for the other form in which a message was written; None where it has none of them."""
        decider = self.decider
        for target in alternative_targets(decider.codec, decider.target, adapted):
            if not decider.changed_fields(decider.codec.adapt(message, target)[0], existing):
                return target
        return None

    def _replace_losses(self, message: Entity, other: Target, is_as_left: bool) -> None:
        """Replace the losses of the message that was adapted last by those of the form that arrived."""
        log = self.log
        start = len(log.losses)
        while start and (log.losses[start - 1].parent, log.losses[start - 1].id) == (
            message.parent,
            message.id,
        ):
            start -= 1
        tried = log.losses[start:]
        del log.losses[start:]
        for loss in self.decider.codec.adapt(message, other)[1]:
            if loss not in tried:
                loss = replace(loss, reason=f"{ARRIVED_WITHOUT_PREFIX}{loss.reason}")
                log.arrived_without |= {loss} if is_as_left else set()
            log.losses.append(loss)

    def _note_folded_files(self, thread: Entity, attached: set[str]) -> None:
        """The service adds files that messages attach to the thread's own."""
        adapted, _ = self.decider.codec.adapt(thread, self.decider.target)
        own = tool_resource_ids(adapted.fields.get("tool_resources"), "code_interpreter")
        if added := sorted(attached - set(own)):
            reason = f"the service adds files that messages attach: {', '.join(added)}"
            self.log.add_loss(thread, "tool_resources", reason, "adapted")

    def _note_unwritable_messages(self, thread: str) -> None:
        for message in self.source.iter_members("message", thread):
            if reason := self.decider.codec.why_not_replayed(message, self.decider.target):
                self.log.add_loss(message, EVERY_OBJECT, reason)

    def _replayed(self, thread: str) -> Iterator[Entity]:
        return replayed_messages(self.source, self.decider.codec, self.decider.target, thread)

    def _without_service_additions(self, existing: Entity, thread: Entity) -> Entity:
        decider = self.decider

        def as_written(entity: Entity) -> Entity:
            return adapted_for_target(entity, decider.codec, decider.target, decider.pairs.right)

        messages = map(as_written, self._replayed(thread.id))
        return without_folded_attachments(existing, as_written(thread), messages)

    def _arrived_count(self, thread: Entity, messages: MessageComparison) -> int:
        """How many messages of a thread need not be sent: those that arrived, in order."""
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
            reason = f"{messages.gone:,} that the source no longer has stay on the target"
            self.log.add_loss(thread, "messages", reason, "adapted")
        if messages.extra:
            reason = f"{messages.extra} on the target are not from the source"
            self.log.add_loss(thread, "messages", reason)
        return messages.matched


def _attached_file_ids(message: Entity) -> set[str]:
    """Files that a message attaches for tools."""
    attachments = message.fields.get("attachments") or []
    return {str(attachment.get("file_id")) for attachment in attachments if attachment.get("tools")}
