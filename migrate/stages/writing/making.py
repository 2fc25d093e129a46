"""Creates one object exactly once, with its intent noted first."""

from __future__ import annotations

from migrate.errors import OutcomeUnknown, RequestFailed
from migrate.model import Entity
from migrate.stages.apply.context import Body, Unresolved, Workshop
from migrate.stages.apply.create import at, lookup, made, sent_at, was_sent
from migrate.stages.plan.plan_file import Action
from migrate.stages.plan.target_fingerprints import fingerprint


def make(shop: Workshop, action: Action, entity: Entity) -> None:
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
    find = at(shop, fitted, address) if address else lookup(shop, fitted, sent_at(earlier))
    try:
        body, found = made(
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
    shop.journal.done(entry, target_id, written=written(shop, action.kind, body))
    shop.settle(entity, target_id)
    shop.count("adopted" if found and earlier is None else "created", kind=action.kind)


def _is_first(shop: Workshop, kind: str, body: Body) -> bool:
    version = shop.codec.decode(kind, body, "", None)[0].facts.get("version")
    return version in (None, "1")


def written(shop: Workshop, kind: str, body: Body, parent: str = "") -> str:
    """The fingerprint of what the target now holds."""
    return fingerprint(shop.codec.decode(kind, body, parent, None)[0])


def give_up(shop: Workshop, action: Action, entries: list[int], failed: RequestFailed) -> None:
    """A certain refusal is noted as failed; an unknown outcome stays an intent, to be looked into by
    the next run of the same apply."""
    if not isinstance(failed, OutcomeUnknown):
        shop.journal.failed(entries, str(failed))
    shop.fail(action.kind, action.id, action.name, str(failed))
