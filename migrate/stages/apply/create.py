"""Create objects exactly once: after a lost answer the target is searched before anything is sent again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from functools import partial

from migrate.archive.journal import JournalEntry
from migrate.errors import NotFound, NotSent, OutcomeUnknown, RequestFailed
from migrate.model import JSON, Entity
from migrate.model.entity import creation_time
from migrate.model.normalize import normalize_written_fields
from migrate.model.results.plan import Action
from migrate.model.stamp import stamp
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.object_fingerprints import object_fingerprint, written_fingerprint

MAX_CREATE_TRIES = 4
# Seconds before the first search after a lost answer; doubled each time.
FIRST_SEARCH_DELAY_S = 0.3
# A gateway gave up; the service behind it may still be working.
GATEWAY_TIMEOUT_STATUSES = (408, 504)
# After such a status: seconds before each search, before the request is sent again.
GATEWAY_LOOK_DELAYS_S = (1.0, 4.0, 10.0, 15.0)
# The clocks of the service and of this machine may differ by this much: older objects are not searched.
CLOCK_DIFFERENCE_S = 6 * 3600

# Searches the target for what a request without an answer created. Raises `RequestFailed`.
Finder = Callable[[], "RequestBody | None"]


class AddressInUse(RequestFailed):
    """The address of a new object is used by an object that this program did not create."""


def create_once(
    ctx: ApplyContext,
    send: Callable[[], RequestBody],
    find: Finder,
    resumed: bool,
) -> tuple[RequestBody, bool]:
    """Send a creating request until its outcome is known. Returns the body, and whether it was found rather
    than answered. `resumed`: an earlier run sent the request, so search first. Raises `RequestFailed`."""
    if resumed and (found := _search(find)):
        return found, True
    for attempt in range(MAX_CREATE_TRIES):
        if ctx.stop.is_set():
            raise NotSent
        try:
            answer = send()
            if not answer.get("id"):
                raise OutcomeUnknown("the answer to a creating request has no id")
            return answer, False
        except OutcomeUnknown as lost:
            slow = lost.status in GATEWAY_TIMEOUT_STATUSES
            for seconds in GATEWAY_LOOK_DELAYS_S if slow else (FIRST_SEARCH_DELAY_S * 2**attempt,):
                ctx.writer.limiter.sleep(seconds)
                if found := _search(find):
                    return found, True
            if attempt + 1 == MAX_CREATE_TRIES:
                raise
    raise AssertionError("unreachable")


def _search(find: Finder) -> RequestBody | None:
    """Search for an object. When the search fails, the outcome of the request stays unknown."""
    try:
        return find()
    except AddressInUse:
        raise
    except RequestFailed as failed:
        raise OutcomeUnknown(f"whether it was carried out could not be checked: {failed}") from None


def create_and_claim(
    ctx: ApplyContext, adapted: Entity, send: Callable[[], RequestBody], find: Finder, resumed: bool
) -> tuple[RequestBody, bool]:
    """Create an object once, and claim its target id. Equal objects without a stamp are created one at a
    time: else the search for one could find another that a second worker has just created."""
    same_content = () if stamp(adapted) else (adapted.kind, written_fingerprint(adapted))
    with ctx.one_at_a_time(*same_content) if same_content else nullcontext():
        body, was_found = create_once(ctx, send, find, resumed)
        ctx.claim(adapted.kind, str(body["id"]), adapted.id)
    return body, was_found


def find_by_stamp(
    ctx: ApplyContext,
    adapted: Entity,
    since: float,
    accept: Callable[[RequestBody], bool] = lambda body: True,
) -> RequestBody | None:
    """Search the newest objects by stamp. Without a stamp: by equal content, if the object is new, belongs to
    no other object of the source, and `accept` agrees."""
    expected, expected_stamp = normalize_written_fields(adapted), stamp(adapted)
    used_ids = set(ctx.ids.values())
    for body in ctx.writer.newest(adapted.kind, adapted.parent):
        if creation_time(body, since) < since - CLOCK_DIFFERENCE_S:
            return None
        if str(body.get("id")) in ctx.preexisting_ids:
            continue
        present = ctx.decode(adapted.kind, body, adapted.parent)
        if expected_stamp and stamp(present) == expected_stamp:
            return body
        if expected_stamp or present.id in used_ids or normalize_written_fields(present) != expected:
            continue
        if accept(body) and ctx.claim(adapted.kind, present.id, adapted.id):
            return body
    return None


def find_by_address(ctx: ApplyContext, adapted: Entity, address: str) -> RequestBody | None:
    """Read the address of a new object, where names are addresses. Raises `AddressInUse` when an object that
    this program did not create has it: it must not be overwritten."""
    try:
        body = ctx.writer.get(adapted.kind, address)
    except NotFound:
        return None
    present, expected_stamp = ctx.decode(adapted.kind, body), stamp(adapted)
    if ctx.source.names_are_ids or not expected_stamp:
        same = normalize_written_fields(present) == normalize_written_fields(adapted)
    else:
        same = stamp(present) == expected_stamp
    if same:
        return body
    raise AddressInUse(f"{address} is the name of another {adapted.kind}, created after the plan was made")


def find_by_address_or_stamp(
    ctx: ApplyContext, action: Action, adapted: Entity, since: float
) -> RequestBody | None:
    """Search at the address that the plan gives, or by stamp where it gives none."""
    if action.target_name:
        return find_by_address(ctx, adapted, action.target_name)
    return find_by_stamp(ctx, adapted, since)


def request_was_sent(earlier: JournalEntry | None) -> bool:
    """Whether an earlier run sent a request whose outcome is unknown."""
    return earlier is not None and earlier.state == "intended"


def request_time(earlier: JournalEntry | None) -> float:
    """Seconds since 1970 when an object may have been created at the earliest."""
    return datetime.fromisoformat(earlier.started_at).timestamp() if earlier else time.time()


def create_planned(
    ctx: ApplyContext,
    action: Action,
    adapted: Entity,
    send: Callable[[], RequestBody],
    find: Callable[[ApplyContext, Action, Entity, float], RequestBody | None],
    before: JSON = None,
) -> tuple[RequestBody, bool] | None:
    """Create an object once, and add it to the journal, the id map and the result. Returns the body, and
    whether it was found rather than answered; None after a failure, which is reported."""
    earlier, entry = ctx.entry_of(action), ctx.record_intent(action, before)
    search = partial(find, ctx, action, adapted, request_time(earlier))
    resumed = request_was_sent(earlier) or bool(action.target_name)
    try:
        body, was_found = create_and_claim(ctx, adapted, send, search, resumed)
    except RequestFailed as failed:
        fail_object(ctx, action, [entry], failed)
        return None
    ctx.journal.record_done(entry, str(body["id"]), written=left_fingerprint(ctx, action.kind, body))
    ctx.map_id(adapted, str(body["id"]))
    ctx.count("adopted" if was_found and earlier is None else "created", kind=action.kind)
    return body, was_found


def create_object(ctx: ApplyContext, action: Action, entity: Entity) -> None:
    """Create an object of a kind that has its own address and metadata (assistant, vector store)."""
    if ctx.is_done(action, entity):
        return
    try:
        adapted = ctx.adapted(entity)
    except UnresolvedReference as failed:
        ctx.fail(action.kind, action.id, action.name, str(failed))
        return
    kind, address, request = action.kind, action.target_name, ctx.codec.create_request(adapted)
    created = create_planned(
        ctx, action, adapted, lambda: ctx.writer.create(kind, request, address), find_by_address_or_stamp
    )
    if created and address and not created[1]:
        version = ctx.decode(kind, created[0]).facts.get("version")
        if version not in (None, "1"):
            ctx.note(f"{kind} {address} existed already: a further version of it was written")


def left_fingerprint(ctx: ApplyContext, kind: str, body: RequestBody, parent: str = "") -> str:
    """The fingerprint of an object as the target has it now."""
    return object_fingerprint(ctx.decode(kind, body, parent))


def fail_object(ctx: ApplyContext, action: Action, entries: list[int], failed: RequestFailed) -> None:
    """Report a failure. The journal notes a refusal as failed. An unknown outcome stays an intent, which the
    next run of the same apply checks. What was not sent is listed with the rest of a stopped apply."""
    if not isinstance(failed, OutcomeUnknown):
        ctx.journal.record_failed(entries, str(failed))
    if not isinstance(failed, NotSent):
        ctx.fail(action.kind, action.id, action.name, str(failed))
