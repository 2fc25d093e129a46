"""Write what the fetcher reads into a snapshot, and submit the tasks that follow from it.

All of this runs on the one thread that writes to the archive. A folder of originals has the bytes that a
service accepts but never returns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import TYPE_CHECKING

from migrate.archive import blobs
from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.previous import TAIL_BODIES, PreviousSnapshot
from migrate.archive.snapshots.reader import open_snapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model import KINDS
from migrate.model.entity import COUNT_MISMATCH_REASON, RESTART_FROM_FIRST_PAGE
from migrate.model.file import BYTES_FROM_DOWNLOAD, BYTES_FROM_ORIGINAL, BYTES_FROM_PARSED_TEXT
from migrate.model.run import run_has_ended
from migrate.stages.estate import Estate
from migrate.stages.progress import Progress
from migrate.stages.selection import referenced_ids
from migrate.stages.snapshot.fetcher import (
    COUNTING_KIND,
    Event,
    Fetcher,
    FileChunk,
    FileEnded,
    FileFacts,
    ListingEnded,
    ListingUnchanged,
    ObjectFailed,
    PageFetched,
    ParsedTextFetched,
    file_count,
)
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.snapshot.originals import Originals
from migrate.stages.worker_pool import WorkerPool

if TYPE_CHECKING:
    from migrate.endpoints.interface import Probe, Reader

# The progress counts these for threads whose number is known: messages, and runs with their steps.
THREAD_LISTINGS = "listings of threads"
# Listing -> the count of the progress whose total is final when the listing has ended.
TOTAL_KNOWN_AFTER = {"thread": THREAD_LISTINGS, "file": "bytes"}

ONLY_GIVEN_THREADS = "threads were not listed, only read by the ids that were given"
THREADS_NOT_LISTED = "threads could not be listed; give their ids with --threads FILE"
NO_SUCH_ROUTE = "retired, or not in this API version: the service has no such route"
HALF_CHARACTER_PAIR = "it contains half of a surrogate pair, which UTF-8 cannot encode"

COUNTED_KIND = next(kind for kind, form in KINDS.items() if form.parent == COUNTING_KIND)


class Collector:
    """One snapshot while it is taken. `gaps` counts what could not be read."""

    def __init__(
        self,
        reader: Reader,
        options: SnapshotOptions,
        writer: SnapshotWriter,
        pool: WorkerPool[Event],
        progress: Progress,
    ) -> None:
        self._options, self._writer, self._pool, self._progress = options, writer, pool, progress
        self._probe: Probe = reader.probe()
        self._fetcher = Fetcher(reader, options, pool.emit)
        # Bound once: each access to a method creates an object, and there is one task for each thread.
        self._read_listing = self._fetcher.read_listing
        self._originals = Originals(options.originals)
        self._open_blobs: dict[str, blobs.BlobWriter] = {}
        self._previous = PreviousSnapshot(writer.archive, writer)
        self._files_without_bytes: list[FileEnded] = []
        self._totals: dict[str, int] = {}
        self.gaps = 0
        # Kinds of which a listing is that of an earlier snapshot.
        self.carried_over: set[str] = set()

    def start(self) -> None:
        """Submit the listings of the estate itself; the others follow from their rows."""
        selected = self._options.selected
        for kind in ("vector_store", "assistant") if selected else ("file", "vector_store", "assistant"):
            if self._options.reads_kind(kind):
                self._submit_root_listing(kind)
        for gap in selected.gaps if selected else ():
            self.write(ObjectFailed(gap.kind, gap.id, gap.reason))
        if self._options.reads_kind("thread"):
            self._submit_threads()
        if self._options.messages_of:
            self._progress.expect(THREAD_LISTINGS, len(self._options.messages_of))
            self._progress.total_known(THREAD_LISTINGS)
        for thread in self._options.messages_of:
            self._submit_listing("message", thread)

    def submit_selected_files(self) -> None:
        """Submit the listing of files where only some are kept: everything else is read, so it is known which
        files it needs."""
        selected = self._options.selected
        if selected is None or not selected.reads_kind("file"):
            return
        if selected.selection.dependencies:
            self._writer.archive.packer.flush()
            estate = Estate(open_snapshot(self._writer.archive.conn, self._writer.id))
            selected.ids["file"].update(referenced_ids(estate, "file"))
        self._submit_root_listing("file")

    def submit_parsed_texts(self) -> None:
        """Submit the reading of parsed text for files without bytes. Called after everything else, when the
        vector stores that hold each file are known."""
        for ended in self._files_without_bytes:
            stores = self._writer.parents_of("vector_store_file", ended.file.id)
            self._pool.submit(self._fetcher.read_parsed_text, ended, stores)
        self._files_without_bytes = []

    def write(self, event: Event) -> None:
        """Write one event, and submit what follows from it."""
        match event:
            case PageFetched():
                self._write_page(event)
            case FileChunk():
                self._write_chunk(event)
            case ListingEnded():
                self._end_listing(event)
            case ListingUnchanged():
                self._carry_over(event)
            case FileEnded():
                self._end_file(event)
            case ParsedTextFetched():
                self._write_parsed_text(event)
            case ObjectFailed():
                self.gaps += 1
                self._writer.add_missing(event.kind, event.id, event.reason, event.parent)

    def hidden_includes(self, reader: Reader) -> dict[str, tuple[str, ...]]:
        """Kind -> values of `include[]` that the service does not show: in this snapshot, or in the earlier
        one from which listings are carried over."""
        hidden = dict(reader.withheld_includes())
        for kind in self.carried_over:
            granted = reader.granted_includes(kind)
            before = [value for value in self._previous.hidden(kind) if value in granted]
            if values := tuple(dict.fromkeys([*hidden.get(kind, ()), *before])):
                hidden[kind] = values
        return hidden

    def _submit_root_listing(self, kind: str) -> None:
        state = self._probe.routes.get(kind)
        if state == "works":
            self._submit_listing(kind)
        elif state == "gone":
            self._mark_unread(kind, NO_SUCH_ROUTE)
        else:
            self._mark_unread(kind, self._probe.reasons.get(kind, "the service did not answer"))

    def _submit_threads(self) -> None:
        lists_threads, thread_ids = self._options.requested_threads
        given = tuple(filter(self._options.includes_thread, thread_ids))
        listed = lists_threads and self._probe.routes.get("thread") == "works"
        if self._probe.routes.get("assistant") == "gone" and not listed and self._probe.retired:
            self._mark_unread("thread", NO_SUCH_ROUTE)
        elif listed or thread_ids:
            self._submit_thread_listing(listed, given)
        elif lists_threads:
            reason = self._probe.reasons.get("thread", "")
            self._mark_unread("thread", f"{THREADS_NOT_LISTED}: {reason}" if reason else THREADS_NOT_LISTED)

    def _mark_unread(self, kind: str, reason: str) -> None:
        self.gaps += 1
        self._writer.end_listing(kind, state="failed", reason=reason)
        self._writer.add_missing(kind, "*", reason)

    def _submit_thread_listing(self, listed: bool, given: tuple[str, ...]) -> None:
        state, cursor = self._writer.listing_state("thread")
        if state == "failed" or cursor == RESTART_FROM_FIRST_PAGE:
            self._writer.restart_listing("thread", "")
            state, cursor = None, ""
        known = frozenset(self._writer.ids("thread")) if state else frozenset()
        self._submit_children("thread", known)
        unread = listed and (state is None or (state == "reading" and cursor != ""))
        if unread or set(given) - known or state != "complete":
            read = partial(self._fetcher.read_threads, cursor, unread, given, known)
            self._pool.submit(read, self._thread_remark(listed))
        else:
            self._note_total_known("thread")

    def _thread_remark(self, listed: bool) -> str:
        """Why a thread that is not in this listing may exist, or ''."""
        shard = self._options.shard
        return "; ".join(filter(None, ("" if listed else ONLY_GIVEN_THREADS, shard.remark if shard else "")))

    def _submit_listing(self, kind: str, parent: str = "") -> None:
        """Read a listing, or continue it where an interrupted snapshot stopped. A listing whose rows are
        counted by its parent is read again from its start."""
        state, cursor = self._writer.listing_state(kind, parent)
        total = self._totals.pop(parent, 0) if kind == COUNTED_KIND else 0
        begun = total and state == "reading"
        if state == "failed" or cursor == RESTART_FROM_FIRST_PAGE or begun:
            self._writer.restart_listing(kind, parent)
            state, cursor = None, ""
        if state is not None:
            self._submit_stored_rows(kind, parent)
        if state is None or (state == "reading" and cursor):
            self._pool.submit(self._read_listing, kind, parent, cursor, total)
        elif state == "reading":
            self._end_listing(ListingEnded(kind, parent, "complete"))
        elif kind == "run":
            self._submit_run_steps(parent)
        elif kind == "message":
            self._progress.count(THREAD_LISTINGS)
        else:
            self._note_total_known(kind)

    def _note_total_known(self, kind: str) -> None:
        if kind in TOTAL_KNOWN_AFTER:
            self._progress.total_known(TOTAL_KNOWN_AFTER[kind])

    def _submit_stored_rows(self, kind: str, parent: str) -> None:
        """Submit what follows from the rows that an interrupted snapshot stored."""
        if kind == "file":
            self._submit_downloads(map(FileFacts.from_body, self._writer.bodies("file")))
        if kind == COUNTING_KIND:
            bodies = self._writer.bodies(COUNTING_KIND)
            self._totals |= {str(body.get("id")): file_count(body) for body in bodies}
        self._submit_children(kind, self._writer.ids(kind, parent))

    def _submit_children(self, kind: str, ids: Iterable[str], unencodable_ids: Collection[str] = ()) -> None:
        """Submit the listings below these objects. Listings below ids that cannot be sent become gaps."""
        children = [k for k, form in KINDS.items() if form.parent == kind and k != "run_step"]
        children = list(filter(self._options.reads_kind, children))
        ids = list(ids)
        if kind == "thread":
            self._progress.expect(THREAD_LISTINGS, len(ids) * len(children))
        for id_ in ids:
            for child in children:
                if id_ in unencodable_ids or storable_text(id_) != id_:
                    self._end_unencodable(child, storable_text(id_))
                elif kind == "thread" and (tail := self._previous_tail(child, id_)):
                    self._pool.submit(self._fetcher.compare_newest, child, id_, tail, TAIL_BODIES)
                else:
                    self._submit_listing(child, id_)

    def _end_unencodable(self, kind: str, parent: str) -> None:
        """End a listing below an id that cannot be sent."""
        if (
            self._writer.listing_state(kind, parent)[0] is not None
        ):  # an interrupted snapshot recorded it already
            self._writer.restart_listing(kind, parent)
        reason = f"the id {parent} cannot be requested: {HALF_CHARACTER_PAIR}"
        self._end_listing(ListingEnded(kind, parent, "failed", reason))

    def _previous_tail(self, kind: str, thread: str) -> bytes | None:
        """The hash of the newest messages, or runs, of a thread in an earlier snapshot, if an equal one means
        that the whole listing is unchanged. Messages and runs are tested apart: a run may end without a new
        message."""
        if self._options.full or self._writer.listing_state(kind, thread)[0]:
            return None
        if kind == "run" and not all(map(run_has_ended, self._previous.bodies_before_tail("run", thread))):
            return None
        return self._previous.tail_sha(kind, thread)

    def _submit_run_steps(self, thread: str) -> None:
        runs = self._writer.ids("run", thread)
        state, _ = self._writer.listing_state("run_step", thread)
        if not runs or not self._options.reads_kind("run_step") or state in ("complete", "gone"):
            self._progress.count(THREAD_LISTINGS)
            return
        self._writer.restart_listing("run_step", thread)
        self._pool.submit(self._fetcher.read_run_steps, thread, runs)

    def _submit_downloads(self, files: Iterable[FileFacts]) -> None:
        for file in files if self._options.bytes else ():
            blob = blobs.find_blob(self._writer.archive.conn, self._writer.endpoint, file.id)
            if blob is None or blob.origin == BYTES_FROM_PARSED_TEXT:
                self._pool.submit(self._fetcher.download, file)
                self._progress.expect("bytes", file.size or 0)

    def _write_page(self, event: PageFetched) -> None:
        self._writer.add_page(event.kind, event.parent, event.rows, event.cursor)
        self._progress.count(event.kind, len(event.rows))
        self._submit_downloads(event.files)
        self._totals.update(event.totals)
        self._submit_children(event.kind, [row.object_id for row in event.rows], event.unencodable_ids)

    def _end_listing(self, event: ListingEnded) -> None:
        self._writer.end_listing(event.kind, event.parent, event.state, event.reason)
        if event.state == "failed" or event.reason.startswith(COUNT_MISMATCH_REASON):
            self.gaps += 1
            self._writer.add_missing(event.kind, "*", event.reason, event.parent)
        elif event.state == "gone":
            self._writer.add_missing(event.kind, "*", event.reason, event.parent)
        if event.kind == "run" and event.state != "gone":
            self._submit_run_steps(event.parent)
        elif event.kind in ("message", "run", "run_step"):
            self._progress.count(THREAD_LISTINGS)
        self._note_total_known(event.kind)

    def _carry_over(self, event: ListingUnchanged) -> None:
        """Take a listing over from an earlier snapshot where it is unchanged; else read it."""
        unchanged = event.same and event.granted_includes == self._previous.granted(event.kind)
        if not (unchanged and self._share(event.kind, event.thread)):
            self._submit_listing(event.kind, event.thread)
        elif event.kind == "run" and (event.may_add_steps or not self._share("run_step", event.thread)):
            self._submit_run_steps(event.thread)
        else:
            self._progress.count(THREAD_LISTINGS)

    def _share(self, kind: str, parent: str) -> bool:
        """Use a listing of an earlier snapshot for this one too, with its gaps. False where there is none."""
        shared = self._previous.share(kind, parent)
        if shared:
            self.carried_over.add(kind)
            self.gaps += self._previous.carry_gaps(kind, parent)
            self._progress.count(kind, self._previous.size(kind, parent))
        return shared

    def _write_chunk(self, event: FileChunk) -> None:
        if event.start:
            if event.file.id in self._open_blobs:
                self._open_blobs.pop(event.file.id).discard()
            self._open_blobs[event.file.id] = blobs.BlobWriter(self._writer.archive)
        if event.data:
            self._open_blobs[event.file.id].write(event.data)
            self._progress.count("bytes", len(event.data))

    def _end_file(self, event: FileEnded) -> None:
        blob = self._open_blobs.pop(event.file.id, None)
        if not event.reason and blob:
            self._link_bytes(event.file, blob.finish(), BYTES_FROM_DOWNLOAD)
            return
        if blob:
            blob.discard()
        original = self._originals.find(event.file.name, event.file.size)
        if original is not None:
            self._link_bytes(
                event.file, blobs.store_blob(self._writer.archive, original), BYTES_FROM_ORIGINAL
            )
        else:
            self._files_without_bytes.append(event)

    def _write_parsed_text(self, event: ParsedTextFetched) -> None:
        self.gaps += int(not event.expected)
        reason = f"its bytes: {event.reason}"
        if event.text is not None:
            blob = blobs.store_blob(self._writer.archive, [event.text.encode("utf-8", "replace")])
            self._link_bytes(event.file, blob, BYTES_FROM_PARSED_TEXT)
            reason = f"only its parsed text is kept; {reason}"
        self._writer.add_missing("file", event.file.id, reason, name=event.file.name, expected=event.expected)

    def _link_bytes(self, file: FileFacts, blob: int, origin: str) -> None:
        blobs.link_file_to_blob(self._writer.archive, self._writer.endpoint, file.id, blob, origin)
