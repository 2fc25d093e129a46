"""Send messages to a thread, in the forms that the service accepts.

A message may have several forms: the first one is tried, the next one is sent where it is refused. Whether
citations are accepted is determined once for a whole apply, see `citations.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import islice

from migrate.archive.journal import CITATIONS_DROPPED, CITATIONS_REFUSED, CITATIONS_TAKEN
from migrate.errors import OutcomeUnknown, RequestFailed
from migrate.model import Entity
from migrate.model.message import count_citations
from migrate.stages.apply.context import ApplyContext, RequestBody
from migrate.stages.apply.outgoing_messages import MessageFingerprint, OutgoingMessage, before_citations

log = logging.getLogger(__name__)

# Statuses with which a service refuses the content of a request.
REFUSED_STATUSES = (400, 413, 422)
# How many of the newest messages are searched for the one with the first citations: others may write too.
PROBE_ROWS = 20


class MessageSender:
    """Sends the messages of one thread of the source. `target_id` is the thread on the target."""

    def __init__(self, ctx: ApplyContext, thread: Entity) -> None:
        self._ctx, self._thread = ctx, thread

    def ready(self, messages: list[OutgoingMessage]) -> list[OutgoingMessage]:
        """The messages in the forms in which they are sent now, up to the first one with citations while it
        is unknown whether the service accepts them."""
        if self._ctx.citations.are_lost:
            for message in messages:
                message.drop_citations()
        return messages if self._ctx.citations.answer else before_citations(messages)

    def use_next_form(self, message: OutgoingMessage, refusal: RequestFailed) -> bool:
        """Write the next form of a message that was refused; False where there is none."""
        has_other = message.use_next_form()
        if has_other:
            log.info("message %s was refused, and is sent in its next form: %s", message.id, refusal)
            self._ctx.note_refusal(
                f"message {message.id} was the first that was refused in the form that was tried first, and "
                f"was sent in the form that the plan names: {refusal}"
            )
        return has_other

    def send(self, target_id: str, batch: list[OutgoingMessage]) -> int:
        """Send messages in one request; returns how many were stored. While it is unknown whether the service
        takes citations, one worker at a time sends one message that has some. Returns 0 if another worker has
        determined it meanwhile."""
        citations = self._ctx.citations
        if citations.are_taken or not batch[0].has_citations:
            return self._send_messages(target_id, batch)
        with citations.turn:
            return 0 if citations.answer else self._send_probe(target_id, batch[0])

    def _send_probe(self, target_id: str, message: OutgoingMessage) -> int:
        """Send the first message that has citations, and read it back.

        That they are refused is proved only by a 400 after which the same request without them succeeds, or
        by a message that is read back without them.
        """
        refused_with_citations = False
        while True:
            has_citations = message.has_citations
            try:
                stored = self._send_messages(target_id, [message])
                break
            except OutcomeUnknown:
                raise
            except RequestFailed as refusal:
                if refusal.status not in REFUSED_STATUSES or not self.use_next_form(message, refusal):
                    raise
                refused_with_citations = has_citations and refusal.status == 400
        if has_citations:
            self._read_probe_back(target_id, message)
        elif refused_with_citations:
            self._ctx.citations.settle(CITATIONS_REFUSED, self._thread.id, message.id)
        return stored

    def _read_probe_back(self, target_id: str, message: OutgoingMessage) -> None:
        """Determine whether citations are accepted. If the message cannot be read now, this follows when the
        whole thread is read back."""
        expected = message.full_fingerprint()
        try:
            rows = islice(self._ctx.writer.newest("message", target_id, PROBE_ROWS), PROBE_ROWS)
            for present in (self._ctx.decode("message", body, self._thread.id) for body in rows):
                if expected.matches(present):
                    self._settle_citations(message.id, count_citations(present))
                    return
        except RequestFailed as failed:
            log.info("the first message with citations could not be read back: %s", failed)

    def _settle_citations(self, message_id: str, present: int) -> None:
        answer = CITATIONS_TAKEN if present else CITATIONS_DROPPED
        self._ctx.citations.settle(answer, self._thread.id, message_id)

    def note_losses(
        self, expected: MessageFingerprint, body: RequestBody, read: Callable[[], OutgoingMessage]
    ) -> None:
        """Report what a message of this plan lacks on the target, although it was tried. `read`: gives the
        message."""
        if len(expected.contents) == 1 and not expected.planned_citations:
            return  # it has one form only
        present = self._ctx.decode("message", body, self._thread.id)
        citations = count_citations(present)
        if expected.citations:
            self._settle_citations(expected.id, citations)
        self._ctx.citations.count(expected.planned_citations, citations)
        if citations < expected.planned_citations or not expected.is_in_first_form(present):
            self._ctx.add_losses(read().losses_of(present, expected.planned_citations - citations))

    def _send_messages(self, target_id: str, batch: list[OutgoingMessage]) -> int:
        requests = [self._ctx.codec.create_request(message.entity) for message in batch]
        stored = self._ctx.writer.append(target_id, requests)
        if stored != len(batch):
            raise OutcomeUnknown(f"{stored} of {len(batch)} messages were stored, according to the answer")
        return stored
