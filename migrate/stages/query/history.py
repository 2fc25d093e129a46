"""Find out how an object changed from snapshot to snapshot.

Who changed it is unknown: services do not record it. Equal bodies are not read twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrate.archive.connections import SqlConnection
from migrate.archive.snapshots.history import (
    ChildListing,
    ObjectSighting,
    ObjectTrace,
    listing_ids,
    read_body,
    trace_object,
)
from migrate.archive.snapshots.listings import listing_size
from migrate.codecs import CODECS
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from migrate.model.object_diff import diff_objects
from migrate.model.results.query import HistoryEvent, ObjectHistory
from migrate.model.secrets import mask_text
from migrate.stages.object_lookup import ObjectLookup


def object_histories(conn: SqlConnection, object_id: str) -> list[ObjectHistory]:
    """The history of an object in every place and on every endpoint where a snapshot has it. `object_id`: its
    id, or a name or a beginning of an id that only one object had. Raises `BadUsage` where several fit."""
    traces = trace_object(conn, object_id) or trace_object(conn, ObjectLookup(conn).resolve(object_id))
    return [_trace_history(conn, trace) for trace in traces]


def _trace_history(conn: SqlConnection, trace: ObjectTrace) -> ObjectHistory:
    comparer = _BodyComparer(conn, trace)
    contents = {change.snapshot: change for change in _content_changes(conn, trace)}
    events: list[HistoryEvent] = []
    for sight in trace.sightings:
        event = comparer.compare(sight)
        change = contents.pop(sight.snapshot.id, None)
        if event is None and change is not None:
            event = HistoryEvent(sight.snapshot, "changed")
        if event is None:
            continue
        if change is not None and event.what != "gone":
            event = replace(event, messages=change.messages, added=change.added, removed=change.removed)
        if change is None and events and _continues(events[-1], event, comparer.previous_snapshot):
            events[-1] = replace(events[-1], until=event.snapshot.id)
        else:
            events.append(event)
    changes = [event.snapshot for event in events if event.what in ("first seen", "changed", "back")]
    times = sum(sight.body is not None for sight in trace.sightings)
    return ObjectHistory(
        trace.type, trace.url, trace.kind, trace.parent, trace.id, comparer.name, changes[-1], times,
        len(trace.sightings), tuple(events),
    )  # fmt: skip


def _continues(last: HistoryEvent, event: HistoryEvent, previous_snapshot: int) -> bool:
    """Whether the object was not read for the same reason as in the snapshot before."""
    both = last.what == event.what == "not read"
    return both and last.reason == event.reason and last.until == previous_snapshot


class _BodyComparer:
    """Compares the body in each snapshot with the one before. `previous_snapshot`: the number of the snapshot
    before the one that was compared last."""

    def __init__(self, conn: SqlConnection, trace: ObjectTrace) -> None:
        self._conn, self._trace = conn, trace
        self._decode = CODECS[trace.type].decode
        self._number = 0
        self._entity: Entity | None = None
        self._exists = False
        self._snapshot = 0
        self.previous_snapshot = 0

    @property
    def name(self) -> str:
        """Its name when it was last seen, without credentials."""
        return mask_text(self._entity.name) if self._entity else ""

    def compare(self, sight: ObjectSighting) -> HistoryEvent | None:
        """The event in a snapshot; None where nothing changed."""
        self.previous_snapshot, self._snapshot = self._snapshot, sight.snapshot.id
        if sight.body is None:
            return self._absent_event(sight)
        existed, self._exists = self._exists, True
        if sight.body == self._number:
            return None if existed else HistoryEvent(sight.snapshot, "back")
        before = self._entity
        self._number, self._entity = sight.body, self._read_entity(sight.body)
        if before is None:
            return HistoryEvent(sight.snapshot, "first seen")
        paths = tuple(diff_objects(normalize_entity(before), normalize_entity(self._entity)))
        facts = tuple(diff_objects(before.facts, self._entity.facts))
        return HistoryEvent(sight.snapshot, "changed" if existed else "back", paths=paths, facts=facts)

    def _absent_event(self, sight: ObjectSighting) -> HistoryEvent | None:
        if sight.gap:
            return HistoryEvent(sight.snapshot, "not read", sight.snapshot.id, sight.gap)
        existed, self._exists = self._exists, False
        return HistoryEvent(sight.snapshot, "gone") if existed else None

    def _read_entity(self, number: int) -> Entity:
        body = read_body(self._conn, number)
        return self._decode(self._trace.kind, body, self._trace.parent, None)[0]


@dataclass(frozen=True)
class _ContentChange:
    """Members that were added to an object or removed from it. `messages`: their number now and before."""

    snapshot: int
    messages: tuple[int, int] | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def _content_changes(conn: SqlConnection, trace: ObjectTrace) -> Iterator[_ContentChange]:
    """Each change of the members of an object; listings that are the same are not read."""
    last: ChildListing | None = None
    previous: dict[str, None] = {}
    for content in trace.children:
        if last is not None and content.listing == last.listing:
            continue
        if trace.kind == "thread":
            number = listing_size(conn, content.listing)
            before = listing_size(conn, last.listing) if last else 0
            if number != before or last is None:
                yield _ContentChange(content.snapshot, (number, before))
        else:
            now = dict.fromkeys(listing_ids(conn, content.listing))
            added = tuple(id_ for id_ in now if id_ not in previous)
            removed = tuple(id_ for id_ in previous if id_ not in now)
            if added or removed:
                yield _ContentChange(content.snapshot, None, added, removed)
            previous = now
        last = content
