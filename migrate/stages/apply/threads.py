"""Create threads, and append messages to threads.

The messages of one thread are sent strictly in order, one request after the other: within one second only the
service decides on their order. What arrived is read back, not remembered, so an apply that was killed
continues after the last message that arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import partial
from itertools import islice

from migrate.archive.journal import THREAD_STATE_ACTION, JournalEntry, JournalJob
from migrate.errors import NotFound, NotSent, OutcomeUnknown, RequestFailed
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from migrate.model.results.plan import Action
from migrate.stages.apply.context import ApplyContext, RequestBody
from migrate.stages.apply.create import (
    GATEWAY_LOOK_DELAYS_S,
    GATEWAY_TIMEOUT_STATUSES,
    MAX_CREATE_TRIES,
    create_and_claim,
    fail_object,
    find_by_stamp,
    left_fingerprint,
    request_time,
    request_was_sent,
)
from migrate.stages.apply.implicit_vector_stores import note_implicit_stores, searched_files, stores_of_thread
from migrate.stages.apply.message_sender import REFUSED_STATUSES, MessageSender
from migrate.stages.apply.outgoing_messages import OutgoingMessage, ThreadMessages, before_citations
from migrate.stages.object_fingerprints import message_fingerprint, object_fingerprint
from migrate.stages.snapshot.live_estate import lists_threads

# Before the thread is read after a lost answer; doubled each time.
FIRST_LOOK_DELAY_S = 0.15
# Messages of a finished thread that are recorded in the journal in one commit.
JOURNAL_LINES_PER_COMMIT = 500


class OutOfOrder(RequestFailed):
    """The messages on the target are not the expected ones."""


class ThreadWriter:
    """Writes one thread with its messages. `target_id` is '' until the thread exists."""

    def __init__(self, ctx: ApplyContext, action: Action, thread: Entity) -> None:
        self._ctx, self._action, self._thread = ctx, action, thread
        self._messages = ThreadMessages(ctx, thread)
        self._sender = MessageSender(ctx, thread)
        self._creates = action.action == "create"
        self._target_id = action.target_id

    def write(self) -> None:
        """Create the thread or append to it, until it has every message of its source."""
        action, place = self._action, None
        try:
            if self._creates:
                place = self._create()
                self._ctx.map_id(self._thread, self._target_id)
            if action.messages:
                self._append(self._first_missing() if place is None else place)
            if action.messages or action.action == "adopt":
                self.note_messages(whole=not self._ctx.same_place)
            if action.messages or self._creates:
                self._note_final_state()
        except NotSent:
            return  # what is left is listed when the apply has stopped
        except RequestFailed as failed:
            where = f"; what arrived is in {self._target_id}, run apply again to continue"
            reason = f"{failed}{where if self._target_id else ''}"
            self._ctx.fail("thread", self._thread.id, self._thread.name, reason)

    def _create(self) -> int | None:
        """Create the thread with as many messages as one request takes. Returns their number, or None where
        the answer was lost or is of an earlier run, so that only reading the thread shows the number."""
        ctx = self._ctx
        earlier = ctx.entry_of(self._action)
        if earlier and ctx.is_done(self._action):
            self._target_id = earlier.target_id
            return None
        adapted = ctx.adapted(self._thread)
        first = self.first_messages()
        entry = ctx.record_intent(self._action)
        try:
            try:
                body, was_found = self._send_thread(adapted, first, earlier)
            except RequestFailed as failed:
                if not first or failed.status not in REFUSED_STATUSES:
                    raise
                first = []  # one of them is refused: sent one by one, it is found and reported
                body, was_found = self._send_thread(adapted, first, None)
        except RequestFailed as failed:
            if not isinstance(failed, OutcomeUnknown):
                ctx.journal.record_failed([entry], str(failed))
            raise
        self._target_id = str(body["id"])
        ctx.journal.record_done(entry, self._target_id, written=left_fingerprint(ctx, "thread", body))
        ctx.count("adopted" if was_found and earlier is None else "created", kind="thread")
        if was_found:
            return None
        ctx.count("created", len(first), "message")
        self._note_arrived(len(first))
        return len(first)

    def _note_arrived(self, place: int) -> None:
        """Note how many of the planned messages are there: those before a place."""
        self._ctx.messages_there[self._thread.id] = place - self._first_planned()

    def first_messages(self) -> list[OutgoingMessage]:
        """The messages that the request creating the thread brings. The probe of citations is not in it."""
        return self._sender.ready(self._all_first_messages())

    def _all_first_messages(self) -> list[OutgoingMessage]:
        return list(islice(self._messages.iterate(), self._ctx.target.capabilities.messages_per_create_max))

    def first_message_counts(self) -> set[int]:
        """How many messages an earlier run may have sent with the request that creates the thread: all that
        fit, those before the first citation, or none where one of them was refused."""
        first = self._all_first_messages()
        return {len(first), len(before_citations(first)), 0}

    def _send_thread(
        self, adapted: Entity, first: list[OutgoingMessage], earlier: JournalEntry | None
    ) -> tuple[RequestBody, bool]:
        """Create the thread once. Returns the body, and whether it was found rather than answered."""
        ctx, since = self._ctx, request_time(earlier)
        request = ctx.codec.create_request(adapted)
        if first:
            messages = [ctx.codec.create_request(message.entity) for message in first]
            request[ctx.codec.first_messages_key] = messages
        counts = self.first_message_counts() if earlier else {len(first)}
        return create_and_claim(
            ctx,
            adapted,
            lambda: ctx.writer.create("thread", request),
            lambda: self.find(adapted, since, counts),
            request_was_sent(earlier),
        )

    def find(self, adapted: Entity, since: float, message_counts: Set[int]) -> RequestBody | None:
        """The thread after a lost answer. It has one of these numbers of messages, which distinguishes it
        from others where threads have no stamp. Where the service lists no threads, a possible duplicate is
        reported."""
        if lists_threads(self._ctx.writer):
            has_messages = partial(self._has_only_first_messages, counts=message_counts)
            return find_by_stamp(self._ctx, adapted, since, has_messages)
        self._ctx.note(
            f"thread {adapted.id}: the answer to its creation was lost and this service does not list "
            "threads, so an unused duplicate of it may exist"
        )
        return None

    def _has_only_first_messages(self, body: RequestBody, counts: Set[int]) -> bool:
        try:
            rows = list(islice(self._target_messages(str(body["id"])), max(counts) + 1))
        except NotFound:
            return False
        return len(rows) in counts and all(map(self._messages.matches_at, range(len(rows)), rows))

    def _target_messages(self, target_id: str) -> Iterator[RequestBody]:
        return (body for page in self._ctx.writer.pages("message", target_id) for body in page.bodies)

    def _append(self, place: int) -> None:
        """Send the messages from a place on, as many in one request as the service takes. After a lost answer
        the thread is read: equal messages can only be distinguished by their place."""
        ctx, losses = self._ctx, 0
        self._note_arrived(place)
        if self._may_add_files():
            self._note_original_state()
        size = ctx.target.capabilities.messages_per_append_max
        rest, pending = self._messages.iterate(place), list[OutgoingMessage]()
        while pending := pending or list(islice(rest, size)):
            batch = self._sender.ready(pending[:size]) or pending[:1]
            try:
                arrived = self._sender.send(self._target_id, batch)
            except OutcomeUnknown as lost:
                losses += 1
                if losses == MAX_CREATE_TRIES:
                    raise self._stopped(batch[0], lost) from None
                arrived = self._arrived_after_loss(place, FIRST_LOOK_DELAY_S * 2**losses, lost)
            except NotSent:
                raise
            except RequestFailed as refusal:
                if refusal.status in REFUSED_STATUSES and len(batch) > 1:
                    size = 1  # to find the one that is refused; some of the others may have been stored
                    arrived = self._first_missing() - place
                elif refusal.status in REFUSED_STATUSES and self._sender.use_next_form(batch[0], refusal):
                    arrived = 0
                else:
                    raise self._stopped(batch[0], refusal) from None
            if arrived > len(pending):  # another writer sent the same messages
                rest = self._messages.iterate(place + arrived)
            losses = 0 if arrived else losses
            place, pending = place + arrived, pending[arrived:]
            self._note_arrived(place)
            ctx.count("created", arrived, "message")

    def _arrived_after_loss(self, place: int, delay: float, lost: OutcomeUnknown) -> int:
        """How many messages from a place on arrived although no answer came. When a gateway gave up, the
        service may still be working, so the thread is read several times."""
        arrived = 0
        for seconds in GATEWAY_LOOK_DELAYS_S if lost.status in GATEWAY_TIMEOUT_STATUSES else (delay,):
            self._ctx.writer.limiter.sleep(seconds)
            try:
                arrived = self._first_missing() - place
            except (OutOfOrder, NotSent):
                raise
            except RequestFailed as failed:
                raise OutOfOrder(f"whether a message arrived could not be checked: {failed}") from None
            if arrived:
                break
        return arrived

    def _stopped(self, message: OutgoingMessage, failed: RequestFailed) -> OutOfOrder:
        action = Action("create", "message", message.id, self._thread.id, message.label)
        fail_object(self._ctx, action, [], failed)
        refused = failed.status in REFUSED_STATUSES
        hint = f"; to leave it out: snapshot --exclude 'message:{message.id}'" if refused else ""
        return OutOfOrder(f"stopped before message {message.id}: the later ones must wait for it{hint}")

    def _first_planned(self) -> int:
        """Place of the first message that the plan appends; those before it are on the target already."""
        return 0 if self._creates else self._messages.count() - self._action.messages

    def _first_missing(self) -> int:
        """Place of the first message that is not on the target. Those that were there when the plan was made
        were compared then, and are only counted. Raises `OutOfOrder` when the messages differ."""
        target_id, standing = self._target_id, self._action.standing
        first, count = self._first_planned(), 0
        for count, body in enumerate(self._target_messages(target_id), 1):
            place = count - 1
            if place >= standing and not self._messages.matches_at(first + place - standing, body):
                raise OutOfOrder(
                    f"message {body.get('id')} in {target_id} is not the one expected at place {place}"
                )
        if count < standing:
            raise OutOfOrder(f"{target_id} has {count:,} messages; it had {standing:,} when it was planned")
        return first + count - standing

    def note_messages(self, whole: bool) -> None:
        """Read the thread and note each message of the source in the journal, for the id map. With `whole`
        every message must be there; else the first one that differs ends it. Raises `OutOfOrder`."""
        ctx, source_id, standing = self._ctx, self._thread.id, self._action.standing
        first = self._first_planned()
        known = ctx.journal.mapped_message_ids(source_id) if first or standing else frozenset()
        lines: list[tuple[JournalJob, str, str, str]] = []
        place = first - standing
        for body in self._target_messages(self._target_id):
            if place < first:  # it was there before this plan
                new = first == standing and str(body["id"]) not in known
                if new and self._messages.matches_at(place, body):
                    lines.append(self._journal_line("adopt", place, body))
            elif self._messages.matches_at(place, body):
                lines.append(self._journal_line("create", place, body))
                self._note_losses(place, body)
            elif whole:
                raise OutOfOrder(f"message {body.get('id')} in {self._target_id} is not where it was sent")
            else:
                break
            if len(lines) >= JOURNAL_LINES_PER_COMMIT:
                ctx.journal.record_created(lines)
                lines = []
            place += 1
        ctx.journal.record_created(lines)
        missing = self._messages.fingerprint_at(place) if place >= 0 else None
        if whole and missing is not None:
            raise OutOfOrder(f"message {missing.id} was sent but is not in {self._target_id}")

    def _note_losses(self, place: int, body: RequestBody) -> None:
        """Report what the message at a place arrived without."""

        def read() -> OutgoingMessage:
            message = self._messages.read(place)
            assert message is not None
            return message

        expected = self._messages.fingerprint_at(place)
        assert expected is not None
        self._sender.note_losses(expected, body, read)

    def _journal_line(self, action: str, place: int, body: RequestBody) -> tuple[JournalJob, str, str, str]:
        expected = self._messages.fingerprint_at(place)
        assert expected is not None
        written = message_fingerprint(self._ctx.codec, body, self._thread.id)
        job = (action, "message", self._thread.id, expected.id, "")
        return job, str(body["id"]), self._target_id, written

    def _may_add_files(self) -> bool:
        """Whether the service may add files that new messages attach to a thread that was there before."""
        return not self._creates and self._action.messages > 0 and self._messages.attaches_files

    def _state_job(self) -> JournalJob:
        return (THREAD_STATE_ACTION, "thread", "", self._thread.id, self._thread.name)

    def _note_original_state(self) -> None:
        """Note the thread as it is before the first message is appended, for a rollback."""
        job = self._state_job()
        if job[:4] not in self._ctx.entries:
            (entry,) = self._ctx.journal.record_intent([job], self._ctx.writer.get("thread", self._target_id))
            self._ctx.journal.record_done(entry, self._target_id)

    def _note_final_state(self) -> None:
        """Note the thread as it is now. The files and stores of a thread show only when it is read, and the
        service adds those that messages attach. Not noted where the thread differs from the source."""
        ctx, action, thread, target_id = self._ctx, self._action, self._thread, self._target_id
        adapted = ctx.adapted(thread)
        if not (self._messages.attaches_files or normalize_entity(adapted).get("tool_resources")):
            return
        present = ctx.decode("thread", ctx.writer.get("thread", target_id))
        fingerprint = object_fingerprint(present)
        if self._may_add_files():
            ctx.journal.record_created([(self._state_job(), target_id, "", fingerprint)])
        metadata, expected = (normalize_entity(entity).get("metadata") for entity in (present, adapted))
        if not action.left and metadata == expected:
            name = action.action if action.fields or self._creates else "adopt"
            ctx.journal.record_created(
                [((name, "thread", "", thread.id, thread.name), target_id, "", fingerprint)]
            )
        if stores_of_thread(adapted):
            return
        if self._creates:
            searched, since = lambda: self._messages.searched_file_ids, request_time(ctx.entry_of(action))
            note_implicit_stores(ctx, thread, present, searched, since)
        elif action.messages:
            appended = partial(searched_files, ctx, thread, self._first_planned())
            note_implicit_stores(ctx, thread, present, appended, ctx.journal.first_applied_at())


def find_by_messages(ctx: ApplyContext, action: Action, adapted: Entity, since: float) -> RequestBody | None:
    """The thread that an earlier run may have created, with its first messages or without any."""
    writer = ThreadWriter(ctx, action, ctx.source.threads_by_id[action.id])
    counts = writer.first_message_counts() if lists_threads(ctx.writer) else set[int]()
    return writer.find(adapted, since, counts)
