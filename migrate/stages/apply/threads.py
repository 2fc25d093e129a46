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
from migrate.stages.apply.context import ApplyContext, Body
from migrate.stages.apply.create import (
    GATEWAY,
    GATEWAY_LOOKS,
    TRIES,
    create_and_claim,
    find_by_stamp,
    give_up,
    sent_at,
    was_sent,
    written,
)
from migrate.stages.apply.implicit_vector_stores import note_derived, searched_in, stores_of
from migrate.stages.apply.thread_messages import ThreadMessages
from migrate.stages.plan.plan_file import Action
from migrate.stages.plan.target_fingerprints import fingerprint
from migrate.stages.snapshot.live_estate import lists_threads

PAUSE = 0.15
"""Seconds before a look at what became of a lost answer; doubled each time."""
REFUSED = (400, 413, 422)
"""Statuses that say there is something wrong with what was sent."""
FLUSH = 500
"""Journal lines per commit when a finished thread's messages are noted."""


class OutOfOrder(RequestFailed):
    """The messages on the target are not the ones that should stand there."""


def recreate(shop: ApplyContext, action: Action, thread: Entity) -> None:
    """Create a thread or append to one, until it holds every message of its source."""
    there, place = action.target_id, None
    talk = ThreadMessages(shop, thread)
    try:
        if action.action == "create":
            there, place = _created(shop, action, thread, talk)
            shop.settle(thread, there)
        if action.messages:
            _append(shop, action, thread, there, talk, place)
        if action.messages or action.action == "adopt":
            note_messages(shop, action, thread, there, talk, whole=not shop.same_place)
        if action.action == "create" or action.messages:
            _note_as_left(shop, action, thread, there, talk)
    except RequestFailed as failed:
        shop.fail("thread", thread.id, thread.name, f"{failed}{_where(there)}")


def _note_as_left(
    shop: ApplyContext, action: Action, thread: Entity, there: str, talk: ThreadMessages
) -> None:
    """A thread's files and stores show only when it is read, those that the service added for attachments
    among them: how it was left is noted anew, unless it stands as others have it."""
    fitted = shop.fitted(thread)
    if not (talk.attaches or normalize_entity(fitted).get("tool_resources")):
        return
    found = shop.codec.decode("thread", shop.writer.get("thread", there), "", None)[0]
    if _changes_files(action, talk):
        shop.journal.record_created([(_stood(thread), there, "", fingerprint(found))])
    if not action.left and normalize_entity(found).get("metadata") == normalize_entity(fitted).get(
        "metadata"
    ):
        how = action.action if action.fields or action.action == "create" else "adopt"
        job = (how, "thread", "", thread.id, thread.name)
        shop.journal.record_created([(job, there, "", fingerprint(found))])
    if stores_of(fitted):
        return
    if action.action == "create":
        note_derived(shop, thread, found, lambda: talk.searched, sent_at(shop.record(action)))
    elif action.messages:
        searched = partial(searched_in, shop, thread, _first(action, talk))
        note_derived(shop, thread, found, searched, shop.journal.first_applied_at())


def _changes_files(action: Action, talk: ThreadMessages) -> bool:
    """Whether messages are appended to a thread that stands on the target, and the service may add what they
    attach to the thread's own files and stores."""
    return action.action != "create" and action.messages > 0 and talk.attaches


def _stood(thread: Entity) -> JournalJob:
    return (THREAD_STATE_ACTION, "thread", "", thread.id, thread.name)


def _note_as_it_stood(shop: ApplyContext, thread: Entity, there: str) -> None:
    """Keep how a thread stood before the first message was appended, for a rollback."""
    if (THREAD_STATE_ACTION, "thread", "", thread.id) not in shop.earlier:
        (entry,) = shop.journal.intend([_stood(thread)], shop.writer.get("thread", there))
        shop.journal.record_done(entry, there)


def _where(there: str) -> str:
    return f"; what arrived is in {there}, run apply again to go on" if there else ""


def _created(
    shop: ApplyContext, action: Action, thread: Entity, talk: ThreadMessages
) -> tuple[str, int | None]:
    """The thread on the target, with as many messages as one request takes, and how many those are; None
    where only reading tells, since its creation was not answered just now."""
    earlier = shop.record(action)
    if earlier and earlier.state == "done":
        shop.count("skipped", kind="thread")
        return earlier.target_id, None
    fitted = shop.fitted(thread)
    first = talk.take(shop.fit.profile.messages_per_create)
    wire = shop.codec.create_wire(fitted)
    if first:
        wire[shop.codec.opening] = [shop.codec.create_wire(message) for message in first]
    (entry,) = shop.journal.intend([("create", "thread", "", thread.id, thread.name)])
    try:
        try:
            body, found = _sent(shop, fitted, wire, opening_of(shop, talk, len(first), earlier), earlier)
        except RequestFailed as failed:
            if not first or failed.status not in REFUSED:
                raise
            talk.give_back(first)
            first = []  # one of them is refused: it is named when they are sent one by one
            opening = opening_of(shop, talk, 0, None)
            body, found = _sent(shop, fitted, shop.codec.create_wire(fitted), opening, None)
    except RequestFailed as failed:
        if not isinstance(failed, OutcomeUnknown):
            shop.journal.record_failed([entry], str(failed))
        raise
    shop.journal.record_done(entry, str(body["id"]), written=written(shop, "thread", body))
    shop.count("adopted" if found and earlier is None else "created", kind="thread")
    if not found:
        shop.count("created", len(first), "message")
    return str(body["id"]), None if found else len(first)


def opening_of(
    shop: ApplyContext, talk: ThreadMessages, sent: int, earlier: JournalEntry | None
) -> Callable[[Body], bool]:
    """Whether a thread holds the messages that it was to begin with: where there is no room for a stamp,
    nothing else tells it from its like. An earlier run may have had them refused, and sent none."""
    counts = {sent, 0} if earlier else {sent}

    def fits(body: Body) -> bool:
        try:
            pages = shop.writer.pages("message", str(body["id"]))
            there = list(islice((row for page in pages for row in page.bodies), sent + 1))
        except NotFound:
            return False
        return len(there) in counts and all(talk.is_at(place, row) for place, row in enumerate(there))

    return fits


def unanswered(shop: ApplyContext, thread: Entity, fitted: Entity, entry: JournalEntry) -> Body | None:
    """The thread that an earlier run may have made, if the service can say."""
    if not lists_threads(shop.writer):
        note_twin(shop, thread.id)
        return None
    talk = ThreadMessages(shop, thread)
    first = talk.take(shop.fit.profile.messages_per_create)
    return find_by_stamp(shop, fitted, sent_at(entry), opening_of(shop, talk, len(first), entry))()


def _sent(
    shop: ApplyContext, fitted: Entity, wire: Body, fits: Callable[[Body], bool], earlier: JournalEntry | None
) -> tuple[Body, bool]:
    listed = lists_threads(shop.writer)
    lost: list[str] = []
    look = find_by_stamp(shop, fitted, sent_at(earlier), fits)

    def find() -> Body | None:
        if listed:
            return look()
        lost.append(fitted.id)
        return None

    try:
        return create_and_claim(
            shop, fitted, lambda: shop.writer.create("thread", wire), find, was_sent(earlier)
        )
    finally:
        if lost:
            note_twin(shop, fitted.id)


def note_twin(shop: ApplyContext, thread: str) -> None:
    """Tell that a lost answer may have left a thread which nobody can find."""
    shop.note(
        f"thread {thread}: an answer to its creation was lost and this service does not list threads, so an "
        "unused twin of it may exist"
    )


def _append(
    shop: ApplyContext, action: Action, thread: Entity, there: str, talk: ThreadMessages, place: int | None
) -> None:
    """Send what is not there yet, as many messages a request as the service takes, one request after the
    other. After a lost answer the thread is read: a message may have no mark that tells it from its like,
    so only its place says whether it arrived."""
    place = _already(shop, action, there, talk) if place is None else place
    if _changes_files(action, talk):
        _note_as_it_stood(shop, thread, there)
    talk.go_to(place)
    size, lost = shop.fit.profile.messages_per_append, 0
    held: list[Entity] = []
    while held := held or talk.take(size):
        batch = held[:size]
        try:
            stored = shop.writer.append(there, [shop.codec.create_wire(message) for message in batch])
            if stored != len(batch):
                raise OutcomeUnknown(f"{stored} of {len(batch)} messages were stored, as the answer says")
            arrived = stored
        except OutcomeUnknown as failed:
            lost += 1
            if lost == TRIES:
                raise _stopped(shop, thread, batch[0], failed) from None
            arrived = _after_loss(shop, action, there, talk, place, PAUSE * 2**lost, failed)
        except RequestFailed as failed:
            if len(batch) > 1 and failed.status in REFUSED:
                size = 1  # to name the one that is refused; it is promised nowhere that none was kept
                arrived = _already(shop, action, there, talk) - place
            elif failed.status in REFUSED and (sure := talk.sure.pop(batch[0].id, None)):
                shop.note(
                    f"message {sure.id} was refused as it was tried, and arrives as the plan says: {failed}"
                )
                held, arrived = [sure, *held[1:]], 0
            else:
                raise _stopped(shop, thread, batch[0], failed) from None
        lost = 0 if arrived else lost
        place += arrived
        held = held[arrived:]
        talk.go_to(place + len(held))  # a look at the thread after a loss draws messages to its end
        shop.count("created", arrived, "message")


def _after_loss(
    shop: ApplyContext,
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
    for seconds in GATEWAY_LOOKS if lost.status in GATEWAY else (pause,):
        shop.writer.pace.nap(seconds)
        try:
            arrived = _already(shop, action, there, talk) - place
        except OutOfOrder:
            raise
        except RequestFailed as failed:
            raise OutOfOrder(f"whether a message arrived could not be seen: {failed}") from None
        if arrived:
            break
    return arrived


def _stopped(shop: ApplyContext, thread: Entity, message: Entity, failed: RequestFailed) -> OutOfOrder:
    action = Action(action="create", kind="message", id=message.id, parent=thread.id)
    give_up(shop, action, [], failed)
    way_out = (
        f"; to leave it out: snapshot --exclude 'message:{message.id}'" if failed.status in REFUSED else ""
    )
    return OutOfOrder(f"stopped before message {message.id}: the ones behind it wait for it{way_out}")


def _first(action: Action, talk: ThreadMessages) -> int:
    """Place among a thread's messages of the first that the plan appends; those before it stood there."""
    return 0 if action.action == "create" else talk.count() - action.messages


def _already(shop: ApplyContext, action: Action, there: str, talk: ThreadMessages) -> int:
    """The place of the first message that is not on the target yet. Those that stood there when the plan was
    made were compared then and are counted. Raises `OutOfOrder` when some are gone, or others not ours."""
    first, count = _first(action, talk), 0
    for page in shop.writer.pages("message", there):
        for body in page.bodies:
            if count >= action.standing and not talk.is_at(first + count - action.standing, body):
                raise OutOfOrder(
                    f"message {body.get('id')} in {there} is not the one expected at place {count}"
                )
            count += 1
    if count < action.standing:
        raise OutOfOrder(f"{there} holds {count:,} messages; it held {action.standing:,} when it was planned")
    return first + count - action.standing


def note_messages(
    shop: ApplyContext,
    action: Action,
    thread: Entity,
    there: str,
    talk: ThreadMessages | None = None,
    whole: bool = True,
) -> None:
    """Read the thread back: every message in its place; then the id map holds each of them. Those before
    the ones that this plan appends were not made by it. Unless it must be `whole`, it may end early, and
    what stands behind may be another's. Raises `OutOfOrder`."""
    talk = talk or ThreadMessages(shop, thread)
    first = _first(action, talk)
    known = shop.journal.mapped_message_ids(thread.id) if first or action.standing else frozenset()
    waiting: list[tuple[JournalJob, str, str, str]] = []
    place = first - action.standing
    for body in (body for page in shop.writer.pages("message", there) for body in page.bodies):
        if place < first:
            if first == action.standing and str(body["id"]) not in known and talk.is_at(place, body):
                waiting.append(_line("adopt", thread, talk, place, body, there))
        elif not talk.is_at(place, body):
            if not whole:
                break
            raise OutOfOrder(f"message {body.get('id')} in {there} does not stand where it was sent")
        else:
            waiting.append(_line("create", thread, talk, place, body, there))
        if len(waiting) >= FLUSH:
            shop.journal.record_created(waiting)
            waiting = []
        place += 1
    shop.journal.record_created(waiting)
    left = talk.at(place) if place >= 0 else None
    if whole and left is not None:
        raise OutOfOrder(f"message {left.id} was sent but is not in {there}")


def _line(
    how: str, thread: Entity, talk: ThreadMessages, place: int, body: Body, there: str
) -> tuple[JournalJob, str, str, str]:
    """A line of the journal for a message that stands in its place."""
    expected = talk.at(place)
    assert expected is not None
    return (how, "message", thread.id, expected.id, ""), str(body["id"]), there, talk.mark(body)
