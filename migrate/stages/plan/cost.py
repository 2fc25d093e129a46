"""Estimate what it will cost to carry out a plan, from its actions.

Counted as `stages/apply` and `endpoints` send them: a test compares the number with the requests that
emulated services received.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from math import ceil

from migrate.archive.applies import last_apply_duration
from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import RowDamaged
from migrate.archive.id_map import Side
from migrate.archive.registered_plans import read_plan_document
from migrate.codecs import Capabilities
from migrate.codecs.capabilities import batches_of_store_files
from migrate.model import JSON
from migrate.model.results.cost import Cost, PaceSource
from migrate.model.results.plan import Action
from migrate.stages.estate import Estate
from migrate.stages.plan.object_decider import ObjectDecider

STORE_FILE_KIND = "vector_store_file"


def estimate_cost(
    decider: ObjectDecider,
    actions: Sequence[Action],
    conversations: Estate | None,
    reading_pace: float | None,
) -> Cost | None:
    """Estimate the cost of these actions; None where there is no live target, so that nothing is applied.

    `conversations`: messages of threads on the target. `reading_pace`: requests per second that this run
    measured, None where it did not."""
    if not decider.target_side.url:
        return None
    source, capabilities = decider.source, decider.target.capabilities
    requests = sum(_requests(action, capabilities) for action in actions)
    requests += _attach_requests(decider, actions)
    requests += _item_deletions(actions, capabilities, conversations)
    uploads = [a.id for a in actions if (a.kind, a.action) == ("file", "create")]
    blobs = (source.snapshot.blob(id_) for id_ in uploads)
    agents = sum((a.kind, a.action) == ("assistant", "create") for a in actions)
    per_s, pace = _pace(source.snapshot.conn, decider.target_side, reading_pace)
    return Cost(
        requests=requests,
        bytes=sum(blob.size for blob in blobs if blob),
        minutes=round(requests / per_s / 60, 1) if per_s else None,
        pace=pace,
        identities=agents if capabilities.creates_identities else 0,
    )


def _requests(action: Action, capabilities: Capabilities) -> int:
    """Writing requests of one action; those of files in stores are sent together, and counted elsewhere."""
    if action.kind == "thread" and action.action in ("create", "update", "adopt"):
        if action.action == "create":
            rest = max(0, action.messages - capabilities.messages_per_create_max)
            return 1 + ceil(rest / capabilities.messages_per_append_max)
        return bool(action.fields) + ceil(action.messages / capabilities.messages_per_append_max)
    if action.action == "create":
        return 0 if action.kind == STORE_FILE_KIND else 1
    return 1 if action.action in ("update", "delete") else 0


def _attach_requests(decider: ObjectDecider, actions: Iterable[Action]) -> int:
    """Requests that attach files to vector stores: batches of files with one chunking strategy."""
    planned: dict[str, set[str]] = {}
    for action in actions:
        if (action.kind, action.action) == (STORE_FILE_KIND, "create"):
            planned.setdefault(action.parent, set()).add(action.id)
    capabilities, total = decider.target.capabilities, 0
    for store, ids in planned.items():
        rows = _attached_rows(decider, store, ids)
        with_attributes = ((bool(row.get("attributes")), row) for row in rows)
        for batch in batches_of_store_files(with_attributes, capabilities):
            total += _batch_requests(batch, capabilities)
    return total


def _attached_rows(decider: ObjectDecider, store: str, ids: set[str]) -> Iterator[dict[str, JSON]]:
    for member in decider.source.iter_members(STORE_FILE_KIND, store):
        if member.id in ids:
            yield decider.codec.create_request(decider.adapt(member)[0])


def _batch_requests(with_attributes: list[bool], capabilities: Capabilities) -> int:
    """A service that takes attributes only in a later update needs one request more for each file with some;
    one whose batches have no rows takes files with attributes one by one."""
    updates = sum(with_attributes) if capabilities.attributes == "update" else 0
    needs_rows = any(with_attributes) and capabilities.attributes == "create"
    one_by_one = len(with_attributes) == 1 or (needs_rows and not capabilities.batch_rows)
    return (len(with_attributes) if one_by_one else 1) + updates


def _item_deletions(
    actions: Iterable[Action], capabilities: Capabilities, conversations: Estate | None
) -> int:
    """Items of conversations are deleted one by one before their conversation."""
    deleted = [a.target_id for a in actions if (a.kind, a.action) == ("thread", "delete")]
    if conversations is None or not capabilities.keeps_deleted_items:
        return 0
    return sum(len(conversations.snapshot.listing_bodies("message", id_)) for id_ in deleted)


def _pace(conn: SqlConnection, target: Side, reading: float | None) -> tuple[float | None, PaceSource]:
    """Requests per second, and where they were measured. An apply is preferred: its time contains the reading
    that belongs to writing."""
    if (last := last_apply_duration(conn, target)) and (sent := _planned_requests(conn, last[0])):
        return sent / last[1], "last apply"
    return (reading, "reading") if reading else (None, "")


def _planned_requests(conn: SqlConnection, digest: str) -> int:
    """The requests of an earlier plan; 0 where it is not kept, or was made by an earlier version."""
    try:
        document = read_plan_document(conn, digest)
    except RowDamaged:
        return 0
    cost = json.loads(document).get("cost") if document else None
    return int(cost["requests"]) if cost else 0
