"""Prepare what the index does not have yet of a snapshot, as batches of rows.

It only reads, on a connection of its own, and may run ahead of the thread that writes: what is prepared and
not committed yet, it knows by itself. A killed program loses the batches that were not committed; the
remaining work is determined again, in the same order.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from migrate.archive.hashes import storable_text
from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.text_index.documents import CACHED_CHARS, parse_object
from migrate.archive.text_index.index_batch import IndexBatch, SegmentDraft
from migrate.archive.text_index.unindexed_content import (
    ThreadState,
    find_pending_threads,
    iter_pending_listings,
    iter_pending_threads,
    kind_number,
    parent_number,
    uncovered_places,
)
from migrate.model import JSON
from migrate.model.document_texts import TextDocument, iter_metadata, read_document
from migrate.model.index_words import index_columns
from migrate.model.thread_summary import ThreadSummary, whole_seconds

# Segments of one batch: number of the pack and of the parent -> first place and count of each.
_Places = dict[tuple[int, int], list[tuple[int, int]]]


@dataclass(frozen=True)
class BatchLimits:
    """A batch ends when it has so many objects, or so many bytes of words."""

    objects: int
    text_bytes: int


class BatchSource:
    """Makes the batches of snapshots. `committed` is the number of the last one that is committed; the thread
    that writes sets it."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        next_document: int,
        limits: BatchLimits,
        check_stopped: Callable[[], None] = lambda: None,
    ) -> None:
        """`check_stopped` is called often, and raises where the work is to end."""
        self._conn, self._limits, self._check_stopped = conn, limits, check_stopped
        self._bodies = BodyReader(conn, CACHED_CHARS)
        self._kinds: dict[str, int] = {}
        self._no_parent = parent_number(conn, "")
        self._next_summary = 1 + _last_summary(conn)
        self._batch = IndexBatch(next_document)
        self._places: _Places = {}
        # The last batches, by their numbers, until they are committed.
        self._uncommitted: deque[tuple[int, _Places]] = deque()
        self.committed = 0

    def batches(self, snapshot: int) -> Iterator[IndexBatch]:
        """Everything of a snapshot except the texts of files, which belong to the estate. The first batch has
        only the number of threads."""
        self._batch.found_threads = find_pending_threads(
            self._conn, snapshot, self._bodies, self._check_stopped
        )
        yield self._take()
        for _ in self._steps(snapshot):
            self._check_stopped()
            if (
                self._batch.objects >= self._limits.objects
                or self._batch.text_bytes >= self._limits.text_bytes
            ):
                yield self._take()
        if not self._batch.is_empty:
            yield self._take()

    def _take(self) -> IndexBatch:
        batch, places = self._batch, self._places
        self._uncommitted.append((batch.number, places))
        self._batch, self._places = IndexBatch(batch.next_document, batch.number + 1), {}
        return batch

    def _steps(self, snapshot: int) -> Iterator[None]:
        for state in iter_pending_threads(self._conn):
            yield from self._index_thread(state)
        for listing in iter_pending_listings(self._conn, snapshot):
            yield from self._index_bodies(listing.kind, listing.parent_id, listing.manifest, 0, None)

    def _index_thread(self, state: ThreadState) -> Iterator[None]:
        summary = ThreadSummary()
        created_at = self._index_thread_body(state.body) if state.body else 0
        for kind, manifest in (
            ("message", state.messages),
            ("run", state.runs),
            ("run_step", state.run_steps),
        ):
            if manifest:
                yield from self._index_bodies(kind, state.parent_id, manifest, created_at, summary)
        self._add_summary(state, summary, created_at)
        self._batch.threads += 1
        yield

    def _index_thread_body(self, number: int) -> int:
        """Index the thread itself, where it has text; returns when it was created."""
        pack, place = divmod(number, BODIES_PER_PACK)
        body = parse_object(self._bodies.pack(pack, place + 1)[1][place])
        if body is None:
            return 0
        at = whole_seconds(body)
        document = read_document("thread", body)
        has_words = document.fields or document.files
        if has_words and self._uncovered_places(pack, self._no_parent, place, 1):
            draft = SegmentDraft(pack, place)
            self._add_object(draft, "thread", number, body, document, at)
            self._add_segment("thread", self._no_parent, draft)
        return at

    def _index_bodies(
        self, kind: str, parent_id: int, manifest: int, default_at: int, summary: ThreadSummary | None
    ) -> Iterator[None]:
        """Index the bodies of a listing that no segment has. All of them count for the summary."""
        for pack, first, count in list(self._bodies.spans(manifest)):
            draft: SegmentDraft | None = None
            new = {
                place
                for start, length in self._uncovered_places(pack, parent_id, first, count)
                for place in range(start, start + length)
            }
            if not new and (summary is None or kind == "run_step"):
                continue
            texts = self._bodies.pack(pack, first + count)[1]
            for place in range(first, first + count):
                body = parse_object(texts[place])
                document = read_document(kind, body) if body is not None else TextDocument()
                at = whole_seconds(body) if body else 0
                if summary is not None and body is not None:
                    _summarize(summary, kind, body, document, at)
                if place not in new:
                    continue
                if draft is None or draft.end != place:
                    self._add_segment(kind, parent_id, draft)
                    draft = SegmentDraft(pack, place)
                number = pack * BODIES_PER_PACK + place
                self._add_object(draft, kind, number, body or {}, document, at or default_at)
            self._add_segment(kind, parent_id, draft)
            yield

    def _uncovered_places(self, pack: int, parent_id: int, place: int, count: int) -> list[tuple[int, int]]:
        # Before the table is read: what is committed in between is then in both, and not in neither.
        while self._uncommitted and self._uncommitted[0][0] <= self.committed:
            self._uncommitted.popleft()
        key = pack, parent_id
        unwritten = [
            part
            for places in (self._places, *(places for _, places in self._uncommitted))
            for part in places.get(key, ())
        ]
        return uncovered_places(self._conn, pack, parent_id, place, count, unwritten)

    def _add_object(
        self,
        draft: SegmentDraft,
        kind: str,
        number: int,
        body: Mapping[str, JSON],
        document: TextDocument,
        at: int,
    ) -> None:
        draft.columns.append(index_columns(kind, document))
        draft.times.append(at)
        self._batch.characters += sum(len(text) for _, text in document.fields)
        if body.get("metadata") or body.get("attributes") or kind == "assistant":
            self._batch.pairs += [
                (storable_text(key), storable_text(value), number) for key, value in iter_metadata(kind, body)
            ]

    def _add_segment(self, kind: str, parent_id: int, draft: SegmentDraft | None) -> None:
        if draft is not None:
            if kind not in self._kinds:
                self._kinds[kind] = kind_number(self._conn, kind)
            self._batch.add_segment(self._kinds[kind], parent_id, draft)
            part = draft.place, len(draft.times)
            self._places.setdefault((draft.pack, parent_id), []).append(part)

    def _add_summary(self, state: ThreadState, summary: ThreadSummary, created_at: int) -> None:
        assistants = [storable_text(id_) for id_ in summary.assistants]
        id_, self._next_summary = self._next_summary, self._next_summary + 1
        self._batch.summaries.append(
            (
                id_, *state[:5], summary.newest_at, summary.oldest_at, summary.newest_at or created_at,
                summary.count, storable_text(summary.first_words), json.dumps(assistants),
                summary.has_files, summary.has_errors,
            )
        )  # fmt: skip
        self._batch.assistants += [(assistant, id_) for assistant in assistants]


def _last_summary(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT coalesce(max(id), 0) FROM thread_summaries").fetchone()[0])


def _summarize(
    summary: ThreadSummary, kind: str, body: Mapping[str, JSON], document: TextDocument, at: int
) -> None:
    if kind == "message":
        summary.add_message(body, document, at)
    elif kind == "run":
        summary.add_run(body)
