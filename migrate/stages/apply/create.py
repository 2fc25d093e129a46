"""Sends a creating request until its outcome is known: after a lost answer it looks for what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime

from migrate.archive.journal import JournalEntry
from migrate.errors import NotFound, OutcomeUnknown, RequestFailed
from migrate.model import Entity
from migrate.model.entity import creation_time
from migrate.model.normalize import json_digest, normalize_written_fields
from migrate.model.results.plan import Action
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.estate import stamp
from migrate.stages.fingerprints import object_fingerprint

MAX_CREATE_TRIES = 4
GATEWAY_TIMEOUT_STATUSES = (408, 504)
"""Statuses of a gateway that stopped waiting: the service behind it may still be at work."""
GATEWAY_LOOK_DELAYS_S = (1.0, 4.0, 10.0, 15.0)
"""Seconds between looks at what became of such a request, before it is sent again."""
CLOCK_DIFFERENCE_S = 6 * 3600
"""Seconds by which the service's clock and ours may disagree: what is older is not looked at."""


class AddressInUse(RequestFailed):
    """Where an object was to be made lies somebody else's."""


def create_once(
    ctx: ApplyContext,
    send: Callable[[], RequestBody],
    find: Callable[[], RequestBody | None],
    resumed: bool,
    waiting: float = 0.3,
) -> tuple[RequestBody, bool]:
    """Send a creating request until its outcome is known. The answer, and whether it was found
    rather than received. Raises `RequestFailed`."""
    if resumed and (found := _looked(find)):
        return found, True
    for attempt in range(MAX_CREATE_TRIES):
        if ctx.stop.is_set():
            raise RequestFailed("stopped before it was sent")
        try:
            answer = send()
            if not answer.get("id"):
                raise OutcomeUnknown("the answer to a creating request names no id")
            return answer, False
        except OutcomeUnknown as lost:
            slow = lost.status in GATEWAY_TIMEOUT_STATUSES
            for seconds in GATEWAY_LOOK_DELAYS_S if slow else (waiting * 2**attempt,):
                ctx.writer.limiter.sleep(seconds)
                if found := _looked(find):
                    return found, True
            if attempt + 1 == MAX_CREATE_TRIES:
                raise
    raise AssertionError("unreachable")


def create_and_claim(
    ctx: ApplyContext,
    fitted: Entity,
    send: Callable[[], RequestBody],
    find: Callable[[], RequestBody | None],
    resumed: bool,
) -> tuple[RequestBody, bool]:
    """Create an object once, and claim it. Of those without a stamp that look the same, one at a time is
    created: what another thread just made and has not noted must not be found by its looks."""
    unmarked = () if stamp(fitted) else (fitted.kind, json_digest(normalize_written_fields(fitted)))
    with ctx.alike(*unmarked) if unmarked else nullcontext():
        body, found = create_once(ctx, send, find, resumed)
        ctx.claim(fitted.kind, str(body["id"]), fitted.id)
    return body, found


def find_by_stamp(
    ctx: ApplyContext, fitted: Entity, since: float, fits: Callable[[RequestBody], bool] = lambda body: True
) -> Callable[[], RequestBody | None]:
    """Finds an object that may have been made: by its stamp; where it has no room for one, by
    being new, alike and nobody else's; `fits` looks at more than the object itself."""
    wanted, mark = normalize_written_fields(fitted), stamp(fitted)

    def find() -> RequestBody | None:
        taken = set(ctx.ids.values())
        for body in ctx.writer.newest(fitted.kind, fitted.parent):
            if creation_time(body, since) < since - CLOCK_DIFFERENCE_S:
                return None
            if str(body.get("id")) in ctx.preexisting_ids:
                continue
            present = ctx.codec.decode(fitted.kind, body, fitted.parent, None)[0]
            if mark and stamp(present) == mark:
                return body
            alike = not mark and present.id not in taken and normalize_written_fields(present) == wanted
            if alike and fits(body) and ctx.claim(fitted.kind, present.id, fitted.id):
                return body
        return None

    return find


def find_by_address(ctx: ApplyContext, fitted: Entity, address: str) -> Callable[[], RequestBody | None]:
    """Looks at the address that an object is to get, where names are addresses. What lies there and
    is not ours must not be written on: raises `RequestFailed`."""
    wanted, mark = normalize_written_fields(fitted), stamp(fitted)

    def find() -> RequestBody | None:
        try:
            body = ctx.writer.get(fitted.kind, address)
        except NotFound:
            return None
        present = ctx.codec.decode(fitted.kind, body, "", None)[0]
        same = normalize_written_fields(present) == wanted
        if same if ctx.source.names_are_ids or not mark else stamp(present) == mark:
            return body
        raise AddressInUse(f"{address} is the name of another {fitted.kind}, made since the plan")

    return find


def _looked(find: Callable[[], RequestBody | None]) -> RequestBody | None:
    """A look for what became of a request; while nobody can look, its outcome stays unknown."""
    try:
        return find()
    except AddressInUse:
        raise
    except RequestFailed as failed:
        raise OutcomeUnknown(f"whether it was carried out could not be seen: {failed}") from None


def request_was_sent(earlier: JournalEntry | None) -> bool:
    """Whether an earlier run sent a request whose outcome nobody knows."""
    return earlier is not None and earlier.state == "intended"


def request_time(earlier: JournalEntry | None) -> float:
    """When an object may have been made at the earliest, in seconds since 1970."""
    return datetime.fromisoformat(earlier.started_at).timestamp() if earlier else time.time()


def create_object(ctx: ApplyContext, action: Action, entity: Entity) -> None:
    """Create an object of a kind that has its own address and metadata (assistant, vector store)."""
    earlier = ctx.record(action)
    if earlier and earlier.state == "done":
        ctx.settle(entity, earlier.target_id)
        ctx.count("skipped", kind=action.kind)
        return
    try:
        fitted = ctx.fitted(entity)
    except UnresolvedReference as failed:
        ctx.fail(action.kind, action.id, action.name, str(failed))
        return
    (entry,) = ctx.journal.intend([("create", action.kind, action.parent, action.id, action.name)])
    wire, address = ctx.codec.create_request(fitted), action.target_name
    find = (
        find_by_address(ctx, fitted, address)
        if address
        else find_by_stamp(ctx, fitted, request_time(earlier))
    )
    try:
        body, found = create_and_claim(
            ctx,
            fitted,
            lambda: ctx.writer.create(action.kind, wire, address),
            find,
            resumed=request_was_sent(earlier) or bool(address),
        )
    except RequestFailed as failed:
        fail_object(ctx, action, [entry], failed)
        return
    target_id = str(body["id"])
    if address and not found and not _is_first(ctx, action.kind, body):
        ctx.note(f"{action.kind} {address} was there already: what was written is a further version of it")
    ctx.journal.record_done(entry, target_id, written=left_fingerprint(ctx, action.kind, body))
    ctx.settle(entity, target_id)
    ctx.count("adopted" if found and earlier is None else "created", kind=action.kind)


def _is_first(ctx: ApplyContext, kind: str, body: RequestBody) -> bool:
    version = ctx.codec.decode(kind, body, "", None)[0].facts.get("version")
    return version in (None, "1")


def left_fingerprint(ctx: ApplyContext, kind: str, body: RequestBody, parent: str = "") -> str:
    """The fingerprint of what the target now holds."""
    return object_fingerprint(ctx.codec.decode(kind, body, parent, None)[0])


def fail_object(ctx: ApplyContext, action: Action, entries: list[int], failed: RequestFailed) -> None:
    """A certain refusal is noted as failed; an unknown outcome stays an intent, to be looked into by
    the next run of the same apply."""
    if not isinstance(failed, OutcomeUnknown):
        ctx.journal.record_failed(entries, str(failed))
    ctx.fail(action.kind, action.id, action.name, str(failed))
