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
from migrate.stages.apply.context import ApplyContext, Body, Unresolved
from migrate.stages.estate import stamp
from migrate.stages.plan.plan_file import Action
from migrate.stages.plan.target_fingerprints import fingerprint

TRIES = 4
GATEWAY = (408, 504)
"""Statuses of a gateway that stopped waiting: the service behind it may still be at work."""
GATEWAY_LOOKS = (1.0, 4.0, 10.0, 15.0)
"""Seconds between looks at what became of such a request, before it is sent again."""
CLOCKS = 6 * 3600
"""Seconds by which the service's clock and ours may disagree: what is older is not looked at."""


class AddressInUse(RequestFailed):
    """Where an object was to be made lies somebody else's."""


def create_once(
    shop: ApplyContext,
    send: Callable[[], Body],
    find: Callable[[], Body | None],
    resumed: bool,
    waiting: float = 0.3,
) -> tuple[Body, bool]:
    """Send a creating request until its outcome is known. The answer, and whether it was found
    rather than received. Raises `RequestFailed`."""
    if resumed and (found := _looked(find)):
        return found, True
    for attempt in range(TRIES):
        if shop.stop.is_set():
            raise RequestFailed("stopped before it was sent")
        try:
            answer = send()
            if not answer.get("id"):
                raise OutcomeUnknown("the answer to a creating request names no id")
            return answer, False
        except OutcomeUnknown as lost:
            slow = lost.status in GATEWAY
            for seconds in GATEWAY_LOOKS if slow else (waiting * 2**attempt,):
                shop.writer.pace.nap(seconds)
                if found := _looked(find):
                    return found, True
            if attempt + 1 == TRIES:
                raise
    raise AssertionError("unreachable")


def create_and_claim(
    shop: ApplyContext,
    fitted: Entity,
    send: Callable[[], Body],
    find: Callable[[], Body | None],
    resumed: bool,
) -> tuple[Body, bool]:
    """Create an object once, and claim it. Of those without a stamp that look the same, one at a time is
    created: what another thread just made and has not noted must not be found by its looks."""
    unmarked = () if stamp(fitted) else (fitted.kind, json_digest(normalize_written_fields(fitted)))
    with shop.alike(*unmarked) if unmarked else nullcontext():
        body, found = create_once(shop, send, find, resumed)
        shop.claim(fitted.kind, str(body["id"]), fitted.id)
    return body, found


def find_by_stamp(
    shop: ApplyContext, fitted: Entity, since: float, fits: Callable[[Body], bool] = lambda body: True
) -> Callable[[], Body | None]:
    """Finds an object that may have been made: by its stamp; where it has no room for one, by
    being new, alike and nobody else's; `fits` looks at more than the object itself."""
    wanted, mark = normalize_written_fields(fitted), stamp(fitted)

    def find() -> Body | None:
        taken = set(shop.ids.values())
        for body in shop.writer.newest(fitted.kind, fitted.parent):
            if creation_time(body, since) < since - CLOCKS:
                return None
            if str(body.get("id")) in shop.strangers:
                continue
            present = shop.codec.decode(fitted.kind, body, fitted.parent, None)[0]
            if mark and stamp(present) == mark:
                return body
            alike = not mark and present.id not in taken and normalize_written_fields(present) == wanted
            if alike and fits(body) and shop.claim(fitted.kind, present.id, fitted.id):
                return body
        return None

    return find


def find_by_address(shop: ApplyContext, fitted: Entity, address: str) -> Callable[[], Body | None]:
    """Looks at the address that an object is to get, where names are addresses. What lies there and
    is not ours must not be written on: raises `RequestFailed`."""
    wanted, mark = normalize_written_fields(fitted), stamp(fitted)

    def find() -> Body | None:
        try:
            body = shop.writer.get(fitted.kind, address)
        except NotFound:
            return None
        present = shop.codec.decode(fitted.kind, body, "", None)[0]
        same = normalize_written_fields(present) == wanted
        if same if shop.source.names_are_ids or not mark else stamp(present) == mark:
            return body
        raise AddressInUse(f"{address} is the name of another {fitted.kind}, made since the plan")

    return find


def _looked(find: Callable[[], Body | None]) -> Body | None:
    """A look for what became of a request; while nobody can look, its outcome stays unknown."""
    try:
        return find()
    except AddressInUse:
        raise
    except RequestFailed as failed:
        raise OutcomeUnknown(f"whether it was carried out could not be seen: {failed}") from None


def was_sent(earlier: JournalEntry | None) -> bool:
    """Whether an earlier run sent a request whose outcome nobody knows."""
    return earlier is not None and earlier.state == "intended"


def sent_at(earlier: JournalEntry | None) -> float:
    """When an object may have been made at the earliest, in seconds since 1970."""
    return datetime.fromisoformat(earlier.started_at).timestamp() if earlier else time.time()


def make(shop: ApplyContext, action: Action, entity: Entity) -> None:
    """Create an object of a kind that has its own address and metadata (assistant, vector store)."""
    earlier = shop.record(action)
    if earlier and earlier.state == "done":
        shop.settle(entity, earlier.target_id)
        shop.count("skipped", kind=action.kind)
        return
    try:
        fitted = shop.fitted(entity)
    except Unresolved as failed:
        shop.fail(action.kind, action.id, action.name, str(failed))
        return
    (entry,) = shop.journal.intend([("create", action.kind, action.parent, action.id, action.name)])
    wire, address = shop.codec.create_wire(fitted), action.target_name
    find = (
        find_by_address(shop, fitted, address) if address else find_by_stamp(shop, fitted, sent_at(earlier))
    )
    try:
        body, found = create_and_claim(
            shop,
            fitted,
            lambda: shop.writer.create(action.kind, wire, address),
            find,
            resumed=was_sent(earlier) or bool(address),
        )
    except RequestFailed as failed:
        give_up(shop, action, [entry], failed)
        return
    target_id = str(body["id"])
    if address and not found and not _is_first(shop, action.kind, body):
        shop.note(f"{action.kind} {address} was there already: what was written is a further version of it")
    shop.journal.record_done(entry, target_id, written=written(shop, action.kind, body))
    shop.settle(entity, target_id)
    shop.count("adopted" if found and earlier is None else "created", kind=action.kind)


def _is_first(shop: ApplyContext, kind: str, body: Body) -> bool:
    version = shop.codec.decode(kind, body, "", None)[0].facts.get("version")
    return version in (None, "1")


def written(shop: ApplyContext, kind: str, body: Body, parent: str = "") -> str:
    """The fingerprint of what the target now holds."""
    return fingerprint(shop.codec.decode(kind, body, parent, None)[0])


def give_up(shop: ApplyContext, action: Action, entries: list[int], failed: RequestFailed) -> None:
    """A certain refusal is noted as failed; an unknown outcome stays an intent, to be looked into by
    the next run of the same apply."""
    if not isinstance(failed, OutcomeUnknown):
        shop.journal.record_failed(entries, str(failed))
    shop.fail(action.kind, action.id, action.name, str(failed))
