"""Recreates threads: messages strictly in order, long threads a request at a time, order read back.

A thread's messages are never sent in parallel, since order within a second is the server's. What is
there already is read back, not remembered, so a killed apply goes on behind the last message that arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice

from migrate.archive.journal import THREAD_STATE_ACTION, JournalEntry, JournalJob
from migrate.errors import NotFound, OutcomeUnknown, RequestFailed
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
from migrate.stages.apply.thread_messages import ThreadMessages
from migrate.stages.fingerprints import object_fingerprint
from migrate.stages.snapshot.live_estate import lists_threads

FIRST_LOOK_DELAY_S = 0.15
"""Seconds before a look at what became of a lost answer; doubled each time."""
REFUSED_STATUSES = (400, 413, 422)
"""Statuses that say there is something wrong with what was sent."""
JOURNAL_LINES_PER_COMMIT = 500
"""Journal lines per commit when a finished thread's messages are noted."""


class OutOfOrder(RequestFailed):
    """The messages on the target are not the ones that should stand there."""


def write_thread(ctx: ApplyContext, action: Action, thread: Entity) -> None:
    """Create a thread or append to one, until it holds every message of its source."""
    there, place = action.target_id, None
    talk = ThreadMessages(ctx, thread)
    try:
        if action.action == "create":
            there, place = _created(ctx, action, thread, talk)
            ctx.settle(thread, there)
        if action.messages:
            _append(ctx, action, thread, there, talk, place)
        if action.messages or action.action == "adopt":
            note_messages(ctx, action, thread, there, talk, whole=not ctx.same_place)
        if action.action == "create" or action.messages:
            _note_as_left(ctx, action, thread, there, talk)
    except RequestFailed as failed:
        ctx.fail("thread", thread.id, thread.name, f"{failed}{_where(there)}")


def _note_as_left(
    ctx: ApplyContext, action: Action, thread: Entity, there: str, talk: ThreadMessages
) -> None:
    """A thread's files and stores show only when it is read, those that the service added for attachments
    among them: how it was left is noted anew, unless it stands as others have it."""
    fitted = ctx.fitted(thread)
    if not (talk.attaches or normalize_entity(fitted).get("tool_resources")):
        return
    found = ctx.codec.decode("thread", ctx.writer.get("thread", there), "", None)[0]
    if _changes_files(action, talk):
        ctx.journal.record_created([(_stood(thread), there, "", object_fingerprint(found))])
    if not action.left and normalize_entity(found).get("metadata") == normalize_entity(fitted).get(
        "metadata"
    ):
        how = action.action if action.fields or action.action == "create" else "adopt"
        job = (how, "thread", "", thread.id, thread.name)
        ctx.journal.record_created([(job, there, "", object_fingerprint(found))])
    if stores_of_thread(fitted):
        return
    if action.action == "create":
        note_implicit_stores(ctx, thread, found, lambda: talk.searched, request_time(ctx.record(action)))
    elif action.messages:
        searched = partial(searched_files, ctx, thread, _first(action, talk))
        note_implicit_stores(ctx, thread, found, searched, ctx.journal.first_applied_at())


def _changes_files(action: Action, talk: ThreadMessages) -> bool:
    """Whether messages are appended to a thread that stands on the target, and the service may add what they
    attach to the thread's own files and stores."""
    return action.action != "create" and action.messages > 0 and talk.attaches


def _stood(thread: Entity) -> JournalJob:
    return (THREAD_STATE_ACTION, "thread", "", thread.id, thread.name)


def _note_as_it_stood(ctx: ApplyContext, thread: Entity, there: str) -> None:
    """Keep how a thread stood before the first message was appended, for a rollback."""
    if (THREAD_STATE_ACTION, "thread", "", thread.id) not in ctx.earlier:
        (entry,) = ctx.journal.intend([_stood(thread)], ctx.writer.get("thread", there))
        ctx.journal.record_done(entry, there)


def _where(there: str) -> str:
    return f"; what arrived is in {there}, run apply again to go on" if there else ""


def _created(
    ctx: ApplyContext, action: Action, thread: Entity, talk: ThreadMessages
) -> tuple[str, int | None]:
    """The thread on the target, with as many messages as one request takes, and how many those are; None
    where only reading tells, since its creation was not answered just now."""
    earlier = ctx.record(action)
    if earlier and earlier.state == "done":
        ctx.count("skipped", kind="thread")
        return earlier.target_id, None
    fitted = ctx.fitted(thread)
    first = talk.next_batch(ctx.fit.capabilities.messages_per_create_max)
    wire = ctx.codec.create_request(fitted)
    if first:
        wire[ctx.codec.first_messages_key] = [ctx.codec.create_request(message) for message in first]
    (entry,) = ctx.journal.intend([("create", "thread", "", thread.id, thread.name)])
    try:
        try:
            body, found = _sent(
                ctx, fitted, wire, first_messages_match(ctx, talk, len(first), earlier), earlier
            )
        except RequestFailed as failed:
            if not first or failed.status not in REFUSED_STATUSES:
                raise
            talk.push_back(first)
            first = []  # one of them is refused: it is named when they are sent one by one
            opening = first_messages_match(ctx, talk, 0, None)
            body, found = _sent(ctx, fitted, ctx.codec.create_request(fitted), opening, None)
    except RequestFailed as failed:
        if not isinstance(failed, OutcomeUnknown):
            ctx.journal.record_failed([entry], str(failed))
        raise
    ctx.journal.record_done(entry, str(body["id"]), written=left_fingerprint(ctx, "thread", body))
    ctx.count("adopted" if found and earlier is None else "created", kind="thread")
    if not found:
        ctx.count("created", len(first), "message")
    return str(body["id"]), None if found else len(first)


def first_messages_match(
    ctx: ApplyContext, talk: ThreadMessages, sent: int, earlier: JournalEntry | None
) -> Callable[[RequestBody], bool]:
    """Whether a thread holds the messages that it was to begin with: where there is no room for a stamp,
    nothing else tells it from its like. An earlier run may have had them refused, and sent none."""
    counts = {sent, 0} if earlier else {sent}

    def fits(body: RequestBody) -> bool:
        try:
            pages = ctx.writer.pages("message", str(body["id"]))
            there = list(islice((row for page in pages for row in page.bodies), sent + 1))
        except NotFound:
            return False
        return len(there) in counts and all(talk.matches_at(place, row) for place, row in enumerate(there))

    return fits


def find_unanswered_thread(
    ctx: ApplyContext, thread: Entity, fitted: Entity, entry: JournalEntry
) -> RequestBody | None:
    """The thread that an earlier run may have made, if the service can say."""
    if not lists_threads(ctx.writer):
        note_duplicate_thread(ctx, thread.id)
        return None
    talk = ThreadMessages(ctx, thread)
    first = talk.next_batch(ctx.fit.capabilities.messages_per_create_max)
    return find_by_stamp(
        ctx, fitted, request_time(entry), first_messages_match(ctx, talk, len(first), entry)
    )()


def _sent(
    ctx: ApplyContext,
    fitted: Entity,
    wire: RequestBody,
    fits: Callable[[RequestBody], bool],
    earlier: JournalEntry | None,
) -> tuple[RequestBody, bool]:
    listed = lists_threads(ctx.writer)
    lost: list[str] = []
    look = find_by_stamp(ctx, fitted, request_time(earlier), fits)

    def find() -> RequestBody | None:
        if listed:
            return look()
        lost.append(fitted.id)
        return None

    try:
        return create_and_claim(
            ctx, fitted, lambda: ctx.writer.create("thread", wire), find, request_was_sent(earlier)
        )
    finally:
        if lost:
            note_duplicate_thread(ctx, fitted.id)


def note_duplicate_thread(ctx: ApplyContext, thread: str) -> None:
    """Tell that a lost answer may have left a thread which nobody can find."""
    ctx.note(
        f"thread {thread}: an answer to its creation was lost and this service does not list threads, so an "
        "unused twin of it may exist"
    )


def _append(
    ctx: ApplyContext, action: Action, thread: Entity, there: str, talk: ThreadMessages, place: int | None
) -> None:
    """Send what is not there yet, as many messages a request as the service takes, one request after the
    other. After a lost answer the thread is read: a message may have no mark that tells it from its like,
    so only its place says whether it arrived."""
    place = _already(ctx, action, there, talk) if place is None else place
    if _changes_files(action, talk):
        _note_as_it_stood(ctx, thread, there)
    talk.seek(place)
    size, lost = ctx.fit.capabilities.messages_per_append_max, 0
    held: list[Entity] = []
    while held := held or talk.next_batch(size):
        batch = held[:size]
        try:
            stored = ctx.writer.append(there, [ctx.codec.create_request(message) for message in batch])
            if stored != len(batch):
                raise OutcomeUnknown(f"{stored} of {len(batch)} messages were stored, as the answer says")
            arrived = stored
        except OutcomeUnknown as failed:
            lost += 1
            if lost == MAX_CREATE_TRIES:
                raise _stopped(ctx, thread, batch[0], failed) from None
            arrived = _after_loss(ctx, action, there, talk, place, FIRST_LOOK_DELAY_S * 2**lost, failed)
        except RequestFailed as failed:
            if len(batch) > 1 and failed.status in REFUSED_STATUSES:
                size = 1  # to name the one that is refused; it is promised nowhere that none was kept
                arrived = _already(ctx, action, there, talk) - place
            elif failed.status in REFUSED_STATUSES and (sure := talk.sure.pop(batch[0].id, None)):
                ctx.note(
                    f"message {sure.id} was refused as it was tried, and arrives as the plan says: {failed}"
                )
                held, arrived = [sure, *held[1:]], 0
            else:
                raise _stopped(ctx, thread, batch[0], failed) from None
        lost = 0 if arrived else lost
        place += arrived
        held = held[arrived:]
        talk.seek(place + len(held))  # a look at the thread after a loss draws messages to its end
        ctx.count("created", arrived, "message")


def _after_loss(
    ctx: ApplyContext,
    action: Action,
    there: str,
    talk: ThreadMessages,
    place: int,
    pause: float,
    lost: OutcomeUnknown,
) -> int:
    """How many messages arrived though their answer was lost. Behind a gateway that stopped waiting the
    service may still be at work, so the look is repeated."""
    arrived = 0
    for seconds in GATEWAY_LOOK_DELAYS_S if lost.status in GATEWAY_TIMEOUT_STATUSES else (pause,):
        ctx.writer.limiter.sleep(seconds)
        try:
            arrived = _already(ctx, action, there, talk) - place
        except OutOfOrder:
            raise
        except RequestFailed as failed:
            raise OutOfOrder(f"whether a message arrived could not be seen: {failed}") from None
        if arrived:
            break
    return arrived


def _stopped(ctx: ApplyContext, thread: Entity, message: Entity, failed: RequestFailed) -> OutOfOrder:
    action = Action(action="create", kind="message", id=message.id, parent=thread.id)
    fail_object(ctx, action, [], failed)
    way_out = (
        f"; to leave it out: snapshot --exclude 'message:{message.id}'"
        if failed.status in REFUSED_STATUSES
        else ""
    )
    return OutOfOrder(f"stopped before message {message.id}: the ones behind it wait for it{way_out}")


def _first(action: Action, talk: ThreadMessages) -> int:
    """Place among a thread's messages of the first that the plan appends; those before it stood there."""
    return 0 if action.action == "create" else talk.count() - action.messages


def _already(ctx: ApplyContext, action: Action, there: str, talk: ThreadMessages) -> int:
    """The place of the first message that is not on the target yet. Those that stood there when the plan was
    made were compared then and are counted. Raises `OutOfOrder` when some are gone, or others not ours."""
    first, count = _first(action, talk), 0
    for page in ctx.writer.pages("message", there):
        for body in page.bodies:
            if count >= action.standing and not talk.matches_at(first + count - action.standing, body):
                raise OutOfOrder(
                    f"message {body.get('id')} in {there} is not the one expected at place {count}"
                )
            count += 1
    if count < action.standing:
        raise OutOfOrder(f"{there} holds {count:,} messages; it held {action.standing:,} when it was planned")
    return first + count - action.standing


def note_messages(
    ctx: ApplyContext,
    action: Action,
    thread: Entity,
    there: str,
    talk: ThreadMessages | None = None,
    whole: bool = True,
) -> None:
    """Read the thread back: every message in its place; then the id map holds each of them. Those before
    the ones that this plan appends were not made by it. Unless it must be `whole`, it may end early, and
    what stands behind may be another's. Raises `OutOfOrder`."""
    talk = talk or ThreadMessages(ctx, thread)
    first = _first(action, talk)
    known = ctx.journal.mapped_message_ids(thread.id) if first or action.standing else frozenset()
    waiting: list[tuple[JournalJob, str, str, str]] = []
    place = first - action.standing
    for body in (body for page in ctx.writer.pages("message", there) for body in page.bodies):
        if place < first:
            if first == action.standing and str(body["id"]) not in known and talk.matches_at(place, body):
                waiting.append(_line("adopt", thread, talk, place, body, there))
        elif not talk.matches_at(place, body):
            if not whole:
                break
            raise OutOfOrder(f"message {body.get('id')} in {there} does not stand where it was sent")
        else:
            waiting.append(_line("create", thread, talk, place, body, there))
        if len(waiting) >= JOURNAL_LINES_PER_COMMIT:
            ctx.journal.record_created(waiting)
            waiting = []
        place += 1
    ctx.journal.record_created(waiting)
    left = talk.at(place) if place >= 0 else None
    if whole and left is not None:
        raise OutOfOrder(f"message {left.id} was sent but is not in {there}")


def _line(
    how: str, thread: Entity, talk: ThreadMessages, place: int, body: RequestBody, there: str
) -> tuple[JournalJob, str, str, str]:
    """A line of the journal for a message that stands in its place."""
    expected = talk.at(place)
    assert expected is not None
    return (how, "message", thread.id, expected.id, ""), str(body["id"]), there, talk.mark(body)
