"""Find out how an object changed from snapshot to snapshot.

Who changed it is not known: services do not tell. Equal bodies are not read twice.
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
from migrate.model import JSON, Entity
from migrate.model.normalize import normalize_entity
from migrate.model.object_diff import diff_objects
from migrate.model.results.query import HistoryEvent, ObjectHistory


def object_histories(conn: SqlConnection, object_id: str) -> list[ObjectHistory]:
    """What became of an object, in every place and on every endpoint that held it; none where no snapshot
    did."""
    return [_trace_history(conn, trace) for trace in trace_object(conn, object_id)]


def _trace_history(conn: SqlConnection, trace: ObjectTrace) -> ObjectHistory:
    eyes = _BodyComparer(conn, trace)
    below = {change.snapshot: change for change in _content_changes(conn, trace)}
    events: list[HistoryEvent] = []
    for sight in trace.sightings:
        seen = eyes.look(sight)
        change = below.pop(sight.snapshot.id, None)
        if seen is None and change is not None:
            seen = HistoryEvent(sight.snapshot, "changed")
        if seen is None:
            continue
        if change is not None and seen.what != "gone":
            seen = replace(seen, messages=change.messages, added=change.added, removed=change.removed)
        if change is None and events and _continues(events[-1], seen, eyes.before):
            events[-1] = replace(events[-1], until=seen.snapshot.id)
        else:
            events.append(seen)
    changes = [event.snapshot for event in events if event.what in ("first seen", "changed", "back")]
    times = sum(sight.body is not None for sight in trace.sightings)
    return ObjectHistory(
        trace.type, trace.url, trace.kind, trace.parent, trace.id, eyes.name, changes[-1], times,
        len(trace.sightings), tuple(events),
    )  # fmt: skip


def _continues(last: HistoryEvent, seen: HistoryEvent, before: int) -> bool:
    """Whether a snapshot could not see for the same reason as the one before it."""
    both = last.what == seen.what == "not read"
    return both and last.reason == seen.reason and last.until == before


class _BodyComparer:
    """Looks at one snapshot after the other and holds the last body that was seen, decoded."""

    def __init__(self, conn: SqlConnection, trace: ObjectTrace) -> None:
        self._conn, self._trace = conn, trace
        self._decode = CODECS[trace.type].decode
        self._number = 0
        self._entity: Entity | None = None
        self._there = False
        self._at = 0
        self.before = 0
        """Number of the snapshot before the one looked at last."""

    @property
    def name(self) -> str:
        """What it was called when it was last seen."""
        return self._entity.name if self._entity else ""

    def look(self, sight: ObjectSighting) -> HistoryEvent | None:
        """What is new in a snapshot, if anything is."""
        self.before, self._at = self._at, sight.snapshot.id
        if sight.body is None:
            return self._missed(sight)
        was, self._there = self._there, True
        if sight.body == self._number:
            return None if was else HistoryEvent(sight.snapshot, "back")
        before = self._entity
        self._number, self._entity = sight.body, self._decoded(sight.body)
        if before is None:
            return HistoryEvent(sight.snapshot, "first seen")
        paths = tuple(diff_objects(normalize_entity(before), normalize_entity(self._entity)))
        facts = tuple(diff_objects(before.facts, self._entity.facts))
        return HistoryEvent(sight.snapshot, "changed" if was else "back", paths=paths, facts=facts)

    def _missed(self, sight: ObjectSighting) -> HistoryEvent | None:
        if sight.gap:
            return HistoryEvent(sight.snapshot, "not read", sight.snapshot.id, sight.gap)
        was, self._there = self._there, False
        return HistoryEvent(sight.snapshot, "gone") if was else None

    def _decoded(self, number: int) -> Entity:
        found: JSON = read_body(self._conn, number)
        return self._decode(self._trace.kind, found, self._trace.parent, None)[0]


@dataclass(frozen=True)
class _ContentChange:
    """What came to lie in an object, and what does not lie there any more."""

    snapshot: int
    messages: tuple[int, int] | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def _content_changes(conn: SqlConnection, trace: ObjectTrace) -> Iterator[_ContentChange]:
    """Each change of what lies in an object; listings that are the same one are not looked into."""
    last: ChildListing | None = None
    held: dict[str, None] = {}
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
            came = tuple(id_ for id_ in now if id_ not in held)
            went = tuple(id_ for id_ in held if id_ not in now)
            if came or went:
                yield _ContentChange(content.snapshot, None, came, went)
            held = now
        last = content
