"""List the threads of a snapshot page by page: sorted and filtered by the index, else as they are listed.

A page costs no more than its own threads, and those that a filter leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Literal

from migrate.archive.packs import BodyReader
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.text_index.documents import parse_object
from migrate.archive.text_index.thread_states import SummaryRow, ThreadListing
from migrate.errors import BadUsage
from migrate.model.document_texts import read_document
from migrate.model.results.archive import StoredBody
from migrate.model.results.text_search import ThreadFilters, ThreadPage, ThreadRow
from migrate.model.thread_summary import ThreadSummary, whole_seconds
from migrate.stages.query.list_cursor import read_list_cursor, write_list_cursor
from migrate.stages.query.masked_conversation import masked_metadata
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.text_search import BUILD_ADVICE, is_indexed

ThreadSort = Literal["newest", "oldest", "listed"]
# Messages at each end of a thread that are read for its row where no index tells.
READ_MESSAGES = 3
# Threads that are looked up one by one for a page of those that fit a filter.
WALKED_THREADS = 1_000


def list_threads(
    snapshot: SnapshotReader,
    filters: ThreadFilters,
    sort: ThreadSort = "newest",
    after: str = "",
    limit: int = 50,
) -> ThreadPage:
    """A page of threads. `sort`: by the newest message, or in the order of the listing; `after`: the
    `next_cursor` of the page before.

    Without an index the order is that of the listing, whatever `sort` says. Raises `BadUsage` for a cursor of
    another list, and for a filter that needs the index.
    """
    indexed = is_indexed(snapshot)
    if not indexed and filters != ThreadFilters():
        raise BadUsage(
            "threads are filtered by the full-text index", "this snapshot is not in it", BUILD_ADVICE
        )
    order = sort if indexed else "listed"
    cursor = _read_cursor(after, order)
    pages = _ThreadPages(snapshot, filters, indexed)
    found = list(islice(pages.rows(order, cursor), limit + 1))
    rows = tuple(pages.row(body, summary) for _, body, summary in found[:limit])
    last = found[limit - 1][0] if len(found) > limit else None
    return ThreadPage(rows, write_list_cursor(order, *last) if last else "", indexed)


# The place of a thread in its order: time and number of the row of the index, or position in the listing.
Place = tuple[int, ...]
FoundThread = tuple[Place, StoredBody, SummaryRow | None]


class _ThreadPages:
    """Reads the threads of one snapshot in an order, and makes rows of them."""

    def __init__(self, snapshot: SnapshotReader, filters: ThreadFilters, indexed: bool) -> None:
        self._snapshot, self._filters = snapshot, filters
        self._bodies = BodyReader(snapshot.conn)
        self._listing = ThreadListing(snapshot.conn, snapshot.info.id) if indexed else None
        self._names = NamedObjects(snapshot)

    def rows(self, order: ThreadSort, cursor: Place | None) -> Iterator[FoundThread]:
        """Threads behind a place: that place, the body, and the summary of each."""
        if self._listing is None or order == "listed":
            yield from self._listed(cursor[0] + 1 if cursor else 0)
            return
        after = (cursor[0], cursor[1]) if cursor else None
        for summary in self._listing.sorted_rows(self._filters, order == "newest", after):
            body = parse_object(self._bodies.read(summary.body)[1])
            if body is not None:
                yield (summary.sorted_at, summary.id), body, summary

    def _listed(self, start: int) -> Iterator[FoundThread]:
        manifest = ThreadListing(self._snapshot.conn, self._snapshot.info.id).manifest
        has_filters = self._filters != ThreadFilters()
        for position, (number, text) in enumerate(self._bodies.listing(manifest, start), start):
            summary = self._listing.find(number, self._filters) if self._listing else None
            body = parse_object(text) if summary or not has_filters else None
            if body is not None:
                yield (position,), body, summary
            if has_filters and position - start >= WALKED_THREADS:
                yield from self._listed_and_filtered(position + 1)
                return

    def _listed_and_filtered(self, start: int) -> Iterator[FoundThread]:
        """The rest of the threads that fit: few do, so that not each is looked up."""
        assert self._listing is not None
        for position, summary in self._listing.listed_rows(self._filters, start):
            body = parse_object(self._bodies.read(summary.body)[1])
            if body is not None:
                yield (position,), body, summary

    def row(self, body: StoredBody, summary: SummaryRow | None) -> ThreadRow:
        """The row of a thread."""
        id_ = str(body.get("id", ""))
        ends = ThreadSummary() if summary else self._read_ends(id_)
        assistants = summary.assistant_ids if summary else list(ends.assistants)
        return ThreadRow(
            id=id_,
            newest_at=(summary.newest_at if summary else ends.newest_at) or None,
            created_at=whole_seconds(body) or None,
            first_words=summary.first_words if summary else ends.first_words,
            count=summary.messages if summary else self._snapshot.count("message", id_),
            assistants=tuple((id_, self._names.author(id_)) for id_ in assistants),
            metadata=masked_metadata(body.get("metadata")),
            has_files=bool(summary.has_files) if summary else None,
            has_errors=bool(summary.has_errors) if summary else None,
            gap=self._snapshot.message_gap(id_),
        )

    def _read_ends(self, thread: str) -> ThreadSummary:
        """What is known from the first and the last messages of a thread."""
        summary = ThreadSummary()
        placed = self._snapshot.listing_bodies("message", thread)
        count = len(placed)
        for place in sorted(
            {*range(min(READ_MESSAGES, count)), *range(max(0, count - READ_MESSAGES), count)}
        ):
            body = placed.read(place)
            summary.add_message(body, read_document("message", body), whole_seconds(body))
        return summary


def _read_cursor(text: str, order: ThreadSort) -> Place | None:
    """The place of a cursor. Raises `BadUsage`."""
    if not text:
        return None
    place = [number for number in read_list_cursor(text, order) or () if isinstance(number, int)]
    if len(place) != (1 if order == "listed" else 2):
        raise BadUsage("the cursor does not belong to this list of threads", todo="begin with the first page")
    return tuple(place)
