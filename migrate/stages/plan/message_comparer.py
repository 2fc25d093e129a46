"""Compare a message with its counterpart on the target: what changes in it, and what it arrived without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migrate.codecs import Target
from migrate.model import Entity
from migrate.model.loss import ARRIVED_WITHOUT_PREFIX, Loss
from migrate.stages.estate import LazyMessage
from migrate.stages.object_fingerprints import message_fingerprint
from migrate.stages.plan.adaptation import alternative_targets
from migrate.stages.plan.changes import ConflictOutcome, change_row
from migrate.stages.plan.decision import DecisionLog, MessageComparison, existing_action
from migrate.stages.plan.journal_state import ArrivedMessage
from migrate.stages.plan.object_decider import ObjectDecider


class MessageComparer:
    """Compares one message after the other. Losses and conflicts are noted in `log`."""

    def __init__(self, decider: ObjectDecider, log: DecisionLog) -> None:
        self.decider, self.log = decider, log

    def compare(
        self,
        result: MessageComparison,
        message: Entity,
        adapted: Entity,
        counterpart: LazyMessage,
        arrived: ArrivedMessage | None,
    ) -> None:
        """Compare a message with its counterpart. One that is in the journal and was not changed since is the
        one that arrived, even if the source would be adapted otherwise today."""
        existing = counterpart.entity
        changed = self.decider.changed_fields(adapted, existing)
        if not changed:
            return
        is_known = arrived is not None and arrived.id == counterpart.id
        fingerprint = arrived.fingerprint if arrived is not None and is_known else ""
        is_as_left = self.is_as_left(counterpart, arrived)
        if (other := self.other_form(message, adapted, existing)) is not None:
            self._replace_losses(message, other, is_as_left)
            return
        if content := sorted(changed - {"metadata"}):
            if not (is_as_left or (is_known and not fingerprint)):
                result.mismatch = message, counterpart.id, content[0]
                return
            reason = "the source would give another one today; it stays as it arrived"
            self.log.add_loss(message, content[0], reason, "adapted")
        if "metadata" in changed:
            self.compare_metadata(result, message, adapted, counterpart, arrived)

    def is_as_left(self, counterpart: LazyMessage, arrived: ArrivedMessage | None) -> bool:
        """Whether a message of the target is as the journal knows it."""
        if arrived is None or arrived.id != counterpart.id or not arrived.fingerprint:
            return False
        codec, thread = self.decider.codec, counterpart.entity.parent
        return arrived.fingerprint == message_fingerprint(codec, counterpart.body, thread)

    def compare_metadata(
        self,
        result: MessageComparison,
        message: Entity,
        adapted: Entity,
        counterpart: LazyMessage,
        arrived: ArrivedMessage | None,
    ) -> None:
        """Update the metadata of a message, which differs from that of its counterpart."""
        existing = counterpart.entity
        if self.decider.restore == "missing":
            since = "since the snapshot" if existing.id == message.id else "since it came back"
            reason = f"it changed {since}; it stays as it is"
            self.log.add_loss(message, "metadata", reason, "adapted", "--changed writes the archived state")
            return
        place = {"parent": message.parent, "target_parent": existing.parent}
        # nothing but the metadata of a message can be changed
        update = existing_action("update", "message", message.id, existing, fields=("metadata",), **place)
        outcome: ConflictOutcome = ""
        if not self.is_as_left(counterpart, arrived):
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

    def other_form(self, message: Entity, adapted: Entity, existing: Entity) -> Target | None:
        """The rules for the other form in which a message was written; None where it has none of them."""
        decider = self.decider
        for target in alternative_targets(decider.codec, decider.target, adapted):
            if not decider.changed_fields(decider.codec.adapt(message, target)[0], existing):
                return target
        return None

    def _replace_losses(self, message: Entity, other: Target, is_as_left: bool) -> None:
        """Replace the losses of the message that was adapted last by those of the form that arrived."""
        losses, key = self.log.losses, (message.parent, message.id)
        start = len(losses)
        while start and (losses[start - 1].parent, losses[start - 1].id) == key:
            start -= 1
        losses[start:] = self.losses_of_form(message, other, is_as_left, losses[start:])

    def losses_of_form(
        self, message: Entity, other: Target, is_as_left: bool, tried: Sequence[Loss]
    ) -> list[Loss]:
        """The losses of a message in the form that arrived. `tried`: those of the form that was tried."""
        losses = []
        for loss in self.decider.codec.adapt(message, other)[1]:
            if loss not in tried:
                loss = replace(loss, reason=f"{ARRIVED_WITHOUT_PREFIX}{loss.reason}")
                self.log.arrived_without |= {loss} if is_as_left else set()
            losses.append(loss)
        return losses
