"""Add what the index does not have yet of a snapshot, in small steps that a caller commits in batches.

A killed program loses the steps that were not committed. The remaining work is determined again, in the same
order.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping

from migrate.archive.blobs import read_chunks
from migrate.archive.hashes import body_key_range, storable_text
from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.text_index.digest import unseal_index
from migrate.archive.text_index.documents import (
    CACHED_CHARS,
    FILE_PACK,
    parse_object,
    remove_file_document,
)
from migrate.archive.text_index.segment_times import pack_times
from migrate.archive.text_index.unindexed_content import (
    PendingFile,
    PendingListing,
    ThreadState,
    find_pending_threads,
    iter_pending_files,
    iter_pending_listings,
    iter_pending_threads,
    kind_number,
    uncovered_places,
)
from migrate.model import JSON
from migrate.model.document_texts import TextDocument, iter_metadata, read_document
from migrate.model.file_text import content_document, file_text
from migrate.model.index_words import index_columns
from migrate.model.thread_summary import ThreadSummary, whole_seconds

# Documents and characters that are collected before they are given to SQLite.
WRITTEN_DOCUMENTS, WRITTEN_CHARS = 2_000, 1 << 20


class _SegmentDraft:
    """Documents of neighbours in a pack that will be one segment."""

    def __init__(self, pack: int, place: int) -> None:
        self.pack, self.place = pack, place
        self.columns: list[tuple[str, str | None] | None] = []
        self.times: list[int] = []

    @property
    def end(self) -> int:
        return self.place + len(self.times)


class IndexWriter:
    """Writes documents, summaries of threads, and metadata. `documents`, `characters` and `files` count what
    was added; `uncommitted` and `uncommitted_chars` count objects and characters since the last `flush`."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._bodies = BodyReader(conn, CACHED_CHARS)
        self._next = self._first_free_number()
        self._kinds: dict[str, int] = {}
        self._rows: list[tuple[int, str, str | None]] = []
        self._pairs: list[tuple[str, str, int]] = []
        self._chars = 0
        self._no_parent = self._parent_number("")
        self.has_changed = False
        self.documents = self.characters = self.files = self.uncommitted = self.uncommitted_chars = 0

    def find_threads(self, snapshot: int) -> int:
        """Find the threads of a snapshot whose state the index does not have, and return how many."""
        return find_pending_threads(self._conn, snapshot, self._bodies)

    def index_threads(self) -> Iterator[Iterator[int]]:
        """Add the threads that were found: for each, its steps. A step is a number of objects."""
        for state in iter_pending_threads(self._conn):
            yield self._index_thread(state)

    def index_rest(self, snapshot: int) -> Iterator[int]:
        """Add everything of a snapshot that is outside of threads. A step is a number of objects."""
        for listing in iter_pending_listings(self._conn, snapshot):
            yield from self._index_listing(listing)

    def index_files(self, endpoint: int) -> Iterator[int]:
        """Add the texts of files of an estate. All its snapshots have them that have the files."""
        for file in iter_pending_files(self._conn, endpoint):
            self._index_file(file)
            self._conn.execute(
                "UPDATE indexed_snapshots SET last_document = ? WHERE snapshot_id IN "
                "(SELECT id FROM snapshots WHERE endpoint_id = ?)",
                (self._next - 1, endpoint),
            )
            yield 1

    def mark_snapshot(self, snapshot: int) -> None:
        """Note that everything of a snapshot is in the index."""
        self.flush()
        self._conn.execute(
            "INSERT OR REPLACE INTO indexed_snapshots SELECT id, digest, ? FROM snapshots WHERE id = ?",
            (self._next - 1, snapshot),
        )

    def flush(self) -> None:
        """Give everything that was collected to SQLite. Called before each commit."""
        self._write_rows()
        self.uncommitted = self.uncommitted_chars = 0

    def _index_thread(self, state: ThreadState) -> Iterator[int]:
        summary = ThreadSummary()
        created_at = self._index_thread_body(state.body) if state.body else 0
        for kind, manifest in (
            ("message", state.messages),
            ("run", state.runs),
            ("run_step", state.run_steps),
        ):
            if manifest:
                yield from self._index_bodies(kind, state.parent_id, manifest, created_at, summary)
        self._write_summary(state, summary, created_at)

    def _index_thread_body(self, number: int) -> int:
        """Index the thread itself, where it has text; returns when it was created."""
        pack, place = divmod(number, BODIES_PER_PACK)
        body = parse_object(self._bodies.pack(pack, place + 1)[1][place])
        if body is None:
            return 0
        at = whole_seconds(body)
        document = read_document("thread", body)
        has_words = document.fields or document.files
        if has_words and uncovered_places(self._conn, pack, self._no_parent, place, 1):
            draft = _SegmentDraft(pack, place)
            self._add_object(draft, "thread", number, body, document, at)
            self._write_segment("thread", self._no_parent, draft)
        return at

    def _index_bodies(
        self, kind: str, parent_id: int, manifest: int, default_at: int, summary: ThreadSummary | None
    ) -> Iterator[int]:
        """Index the bodies of a listing that no segment has. All of them count for the summary."""
        for pack, first, count in list(self._bodies.spans(manifest)):
            draft: _SegmentDraft | None = None
            new = {
                place
                for start, length in uncovered_places(self._conn, pack, parent_id, first, count)
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
                    self._write_segment(kind, parent_id, draft)
                    draft = _SegmentDraft(pack, place)
                number = pack * BODIES_PER_PACK + place
                self._add_object(draft, kind, number, body or {}, document, at or default_at)
            self._write_segment(kind, parent_id, draft)
            yield len(new)

    def _index_listing(self, listing: PendingListing) -> Iterator[int]:
        yield from self._index_bodies(listing.kind, listing.parent_id, listing.manifest, 0, None)

    def _add_object(
        self,
        draft: _SegmentDraft,
        kind: str,
        number: int,
        body: Mapping[str, JSON],
        document: TextDocument,
        at: int,
    ) -> None:
        draft.columns.append(index_columns(kind, document))
        draft.times.append(at)
        self.characters += sum(len(text) for _, text in document.fields)
        if body.get("metadata") or body.get("attributes") or kind == "assistant":
            self._pairs += [
                (storable_text(key), storable_text(value), number) for key, value in iter_metadata(kind, body)
            ]

    def _write_segment(self, kind: str, parent_id: int, draft: _SegmentDraft | None) -> None:
        if draft is None:
            return
        self._unseal()
        known = [at for at in draft.times if at]
        oldest, newest = (min(known), max(known)) if known else (0, 0)
        self._conn.execute(
            "INSERT INTO text_segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._next, len(draft.times), self._kind_number(kind), parent_id, draft.pack, draft.place,
                oldest, newest, pack_times(draft.times, oldest),
            ),
        )  # fmt: skip
        documents, chars = len(self._rows), 0
        for number, columns in enumerate(draft.columns, self._next):
            if columns:
                self._rows.append((number, *columns))
                chars += len(columns[0]) + len(columns[1] or "")
        self.documents += len(self._rows) - documents
        self._chars += chars
        self.uncommitted_chars += chars
        self._next += len(draft.columns)
        self.uncommitted += len(draft.columns)
        if len(self._rows) >= WRITTEN_DOCUMENTS or self._chars >= WRITTEN_CHARS:
            self._write_rows()

    def _write_rows(self) -> None:
        self._conn.executemany("INSERT INTO text_words (rowid, text, name) VALUES (?, ?, ?)", self._rows)
        self._conn.executemany("INSERT OR IGNORE INTO metadata_pairs VALUES (?, ?, ?)", self._pairs)
        self._rows, self._pairs, self._chars = [], [], 0

    def _write_summary(self, state: ThreadState, summary: ThreadSummary, created_at: int) -> None:
        self._unseal()
        assistants = [storable_text(id_) for id_ in summary.assistants]
        row = self._conn.execute(
            "INSERT INTO thread_summaries (body, parent_id, messages, runs, run_steps, newest_at, oldest_at, "
            "sorted_at, count, first_words, assistants, has_files, has_errors) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *state[:5], summary.newest_at, summary.oldest_at, summary.newest_at or created_at,
                summary.count, storable_text(summary.first_words), json.dumps(assistants),
                summary.has_files, summary.has_errors,
            ),
        )  # fmt: skip
        self._conn.executemany(
            "INSERT OR IGNORE INTO thread_assistants VALUES (?, ?)",
            [(id_, row.lastrowid) for id_ in assistants],
        )

    def _index_file(self, file: PendingFile) -> None:
        """Index the text of a file, instead of that of its earlier bytes."""
        self._unseal()
        if file.previous:
            remove_file_document(self._conn, file.previous)
        read = file_text(read_chunks(self._conn, file.blob))
        document, is_cut = (self._next, read[1]) if read else (None, False)
        row = self._conn.execute(
            "INSERT INTO text_files (endpoint_id, file_id, blob_id, id_key, document, is_cut) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (file.endpoint, file.file_id, file.blob, body_key_range(file.file_id)[0], document, is_cut),
        ).lastrowid
        if read:
            draft = _SegmentDraft(FILE_PACK, int(row or 0))
            draft.columns.append(index_columns("file", content_document(file.file_id, read[0])))
            self.characters += len(read[0])
            found = self._bodies.find_by_id(file.file_id)
            draft.times.append(
                max((_file_time(text) for _, kind, text in found if kind == "file"), default=0)
            )
            self._write_segment("file", self._no_parent, draft)
            self.files += 1

    def _unseal(self) -> None:
        if not self.has_changed:
            unseal_index(self._conn)
            self.has_changed = True

    def _kind_number(self, kind: str) -> int:
        if kind not in self._kinds:
            self._kinds[kind] = kind_number(self._conn, kind)
        return self._kinds[kind]

    def _parent_number(self, parent: str) -> int:
        row = self._conn.execute("SELECT id FROM parents WHERE object_id = ?", (parent,)).fetchone()
        return int(row[0]) if row else 0

    def _first_free_number(self) -> int:
        row = self._conn.execute(
            "SELECT first, count FROM text_segments ORDER BY first DESC LIMIT 1"
        ).fetchone()
        return int(row[0]) + int(row[1]) if row else 1


def _file_time(text: str) -> int:
    body = parse_object(text)
    return whole_seconds(body) if body else 0


def _summarize(
    summary: ThreadSummary, kind: str, body: Mapping[str, JSON], document: TextDocument, at: int
) -> None:
    if kind == "message":
        summary.add_message(body, document, at)
    elif kind == "run":
        summary.add_run(body)
