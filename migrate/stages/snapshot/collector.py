"""Writes what the fetchers bring, and spawns what it calls for. Runs on the one thread that writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial, singledispatchmethod
from typing import TYPE_CHECKING

from migrate.archive import blobs
from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.previous import TAIL_BODIES, PreviousSnapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model import KINDS
from migrate.model.entity import COUNT_MISMATCH_REASON, RESTART_FROM_FIRST_PAGE
from migrate.model.file import BYTES_FROM_DOWNLOAD, BYTES_FROM_ORIGINAL, BYTES_FROM_PARSED_TEXT
from migrate.model.run import run_has_ended
from migrate.stages.concurrency.worker_pool import WorkerPool
from migrate.stages.progress import Progress
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

if TYPE_CHECKING:
    from migrate.endpoints.interface import Probe, Reader


import ntpath
import posixpath
from collections.abc import Iterator
from pathlib import Path

from migrate.errors import BadUsage

THREAD_LISTINGS = "listings of threads"
"""What is counted of threads whose number is known: their messages, and their runs with steps."""
ONLY_GIVEN_THREADS = "threads were not listed, only read by the ids that were given"


THREADS_NOT_LISTED = "threads could not be listed; give their ids with --threads FILE"


COUNTED_KIND = next(kind for kind, form in KINDS.items() if form.parent == COUNTING_KIND)
HALF_CHARACTER_PAIR = "it holds half of a character pair, which has no form on the wire"
TOTAL_KNOWN_AFTER = {"thread": THREAD_LISTINGS, "file": "bytes"}
"""Listing -> what is known to have its total when it has ended."""


class Collector:
    """One snapshot in the making. `gaps` counts what could not be read."""

    def __init__(
        self,
        reader: Reader,
        wanted: SnapshotOptions,
        writer: SnapshotWriter,
        crew: WorkerPool[Event],
        progress: Progress,
    ) -> None:
        self._wanted, self._writer, self._crew, self._progress = wanted, writer, crew, progress
        self._probe: Probe = reader.probe()
        self._fetcher = Fetcher(reader, wanted, crew.emit)
        self._read = self._fetcher.listing  # once: each look at a method makes another object of it
        self._originals = Originals(wanted.originals)
        self._coming: dict[str, blobs.BlobWriter] = {}
        self._earlier = PreviousSnapshot(writer.archive, writer)
        self._without_bytes: list[FileEnded] = []
        self._totals: dict[str, int] = {}
        self.gaps = 0
        self.carried_over: set[str] = set()
        """Kinds of which a listing is that of an earlier snapshot."""

    def start(self) -> None:
        """Spawn the estate's own listings; their rows call for the rest."""
        for kind in ("file", "vector_store", "assistant"):
            if self._wanted.kind(kind):
                self._top(kind)
        if self._wanted.kind("thread"):
            self._threads()
        if self._wanted.messages_of:
            self._progress.expect(THREAD_LISTINGS, len(self._wanted.messages_of))
            self._progress.total_known(THREAD_LISTINGS)
        for thread in self._wanted.messages_of:
            self._listing("message", thread)

    def fall_back(self) -> None:
        """After everything else, when it is known which stores hold which files: spawn the reading of
        parsed text for files whose bytes nobody has."""
        for ended in self._without_bytes:
            stores = self._writer.holders("vector_store_file", ended.file.id)
            self._crew.submit(self._fetcher.parsed, ended, stores)
        self._without_bytes = []

    def _top(self, kind: str) -> None:
        state = self._probe.routes.get(kind)
        if state == "works":
            self._listing(kind)
        elif state == "gone":
            self._unread(kind, "retired, or not in this API version: the service has no such route")
        else:
            self._unread(kind, self._probe.reasons.get(kind, "the service did not answer"))

    def _threads(self) -> None:
        given = tuple(filter(self._wanted.includes_thread, self._wanted.thread_ids))
        listed = self._wanted.list_threads and self._probe.routes.get("thread") == "works"
        if self._probe.routes.get("assistant") == "gone" and not listed and self._probe.retired:
            self._unread("thread", "retired, or not in this API version: the service has no such route")
        elif listed or self._wanted.thread_ids:
            self._thread_listing(listed, given)
        elif self._wanted.list_threads:
            said = self._probe.reasons.get("thread", "")
            self._unread("thread", f"{THREADS_NOT_LISTED}: {said}" if said else THREADS_NOT_LISTED)

    def _unread(self, kind: str, reason: str) -> None:
        self.gaps += 1
        self._writer.end(kind, state="failed", reason=reason)
        self._writer.missing(kind, "*", reason)

    def _thread_listing(self, listed: bool, given: tuple[str, ...]) -> None:
        state, cursor = self._writer.scope("thread")
        if state == "failed" or cursor == RESTART_FROM_FIRST_PAGE:
            self._writer.restart("thread", "")
            state, cursor = None, ""
        known = frozenset(self._writer.ids("thread")) if state else frozenset()
        self._follow("thread", known)
        unread = listed and (state is None or (state == "reading" and cursor != ""))
        if unread or set(given) - known or state != "complete":
            read = partial(self._fetcher.threads, cursor, unread, given, known)
            self._crew.submit(read, self._remark(listed))
        else:
            self._settle("thread")

    def _remark(self, listed: bool) -> str:
        """Why a thread that is not in our list may be there all the same, or ''."""
        shard = self._wanted.shard
        return "; ".join(filter(None, ("" if listed else ONLY_GIVEN_THREADS, shard.remark if shard else "")))

    def _listing(self, kind: str, parent: str = "") -> None:
        """Read a listing, or go on where an interrupted snapshot left it. One whose rows are counted is
        counted from its start."""
        state, cursor = self._writer.scope(kind, parent)
        total = self._totals.pop(parent, 0) if kind == COUNTED_KIND else 0
        begun = total and state == "reading"
        if state == "failed" or cursor == RESTART_FROM_FIRST_PAGE or begun:
            self._writer.restart(kind, parent)
            state, cursor = None, ""
        if state is not None:
            self._continue(kind, parent)
        if state is None or (state == "reading" and cursor):
            self._crew.submit(self._read, kind, parent, cursor, total)
        elif state == "reading":
            self.take(ListingEnded(kind, parent, "complete"))
        elif kind == "run":
            self._steps(parent)
        elif kind == "message":
            self._progress.count(THREAD_LISTINGS)
        else:
            self._settle(kind)

    def _settle(self, kind: str) -> None:
        """Nothing more will be announced of what a listing calls for."""
        if kind in TOTAL_KNOWN_AFTER:
            self._progress.total_known(TOTAL_KNOWN_AFTER[kind])

    def _continue(self, kind: str, parent: str) -> None:
        if kind == "file":
            self._contents(map(FileFacts.from_body, self._writer.bodies("file")))
        if kind == COUNTING_KIND:
            self._totals |= {
                str(body.get("id")): file_count(body) for body in self._writer.bodies(COUNTING_KIND)
            }
        self._follow(kind, self._writer.ids(kind, parent))

    def _follow(self, kind: str, ids: Iterable[str], unaskable: Collection[str] = ()) -> None:
        """Spawn the listings that lie below these objects; those below ids without a form are named."""
        children = [k for k, form in KINDS.items() if form.parent == kind and k != "run_step"]
        ids = list(ids)
        if kind == "thread":
            self._progress.expect(THREAD_LISTINGS, len(ids) * sum(map(self._wanted.kind, children)))
        for id_ in ids:
            if id_ in unaskable or storable_text(id_) != id_:
                for child in filter(self._wanted.kind, children):
                    self._not_asked(child, storable_text(id_))
                continue
            for child in filter(self._wanted.kind, children):
                known = self._known_end(child, id_) if kind == "thread" else None
                if known:
                    self._crew.submit(self._fetcher.again, child, id_, known, TAIL_BODIES)
                else:
                    self._listing(child, id_)

    def _not_asked(self, kind: str, parent: str) -> None:
        """A listing below an id that has no form on the wire."""
        if self._writer.scope(kind, parent)[0] is not None:  # an interrupted snapshot named it already
            self._writer.restart(kind, parent)
        self.take(
            ListingEnded(
                kind, parent, "failed", f"the id {parent} cannot be asked for: {HALF_CHARACTER_PAIR}"
            )
        )

    def _known_end(self, kind: str, thread: str) -> bytes | None:
        """The end of a thread's messages, or runs, in an earlier snapshot, if it may stand for all of them.
        Each listing is looked at by itself: a run ends without any message."""
        if self._wanted.full or self._writer.scope(kind, thread)[0]:
            return None
        if kind == "run" and not all(map(run_has_ended, self._earlier.before_end("run", thread))):
            return None
        return self._earlier.end_of(kind, thread)

    def _steps(self, thread: str) -> None:
        runs = self._writer.ids("run", thread)
        state, _ = self._writer.scope("run_step", thread)
        if not runs or not self._wanted.kind("run_step") or state in ("complete", "gone"):
            self._progress.count(THREAD_LISTINGS)
            return
        self._writer.restart("run_step", thread)
        self._crew.submit(self._fetcher.steps, thread, runs)

    def _contents(self, files: Iterable[FileFacts]) -> None:
        for file in files if self._wanted.bytes else ():
            held = blobs.blob_of(self._writer.archive.conn, self._writer.endpoint, file.id)
            if held is None or held.origin == BYTES_FROM_PARSED_TEXT:
                self._crew.submit(self._fetcher.content, file)
                self._progress.expect("bytes", file.size or 0)

    @singledispatchmethod
    def take(self, event: Event) -> None:
        """Write one event."""
        raise AssertionError(f"no rule for {event!r}")

    @take.register
    def _(self, event: PageFetched) -> None:
        self._writer.page(event.kind, event.parent, event.rows, event.cursor)
        self._progress.count(event.kind, len(event.rows))
        self._contents(event.files)
        self._totals.update(event.totals)
        self._follow(event.kind, [row.object_id for row in event.rows], event.unaskable)

    @take.register
    def _(self, event: ListingEnded) -> None:
        self._writer.end(event.kind, event.parent, event.state, event.reason)
        if event.state == "failed" or event.reason.startswith(COUNT_MISMATCH_REASON):
            self.gaps += 1
            self._writer.missing(event.kind, "*", event.reason, event.parent)
        elif event.state == "gone":
            self._writer.missing(event.kind, "*", event.reason, event.parent)
        if event.kind == "run" and event.state != "gone":
            self._steps(event.parent)
        elif event.kind in ("message", "run", "run_step"):
            self._progress.count(THREAD_LISTINGS)
        self._settle(event.kind)

    @take.register
    def _(self, event: ListingUnchanged) -> None:
        alike = event.same and event.shown == self._earlier.shows(event.kind)
        if not (alike and self._shared(event.kind, event.thread)):
            self._listing(event.kind, event.thread)
        elif event.kind == "run" and not (not event.underway and self._shared("run_step", event.thread)):
            self._steps(event.thread)
        else:
            self._progress.count(THREAD_LISTINGS)

    def hides(self, reader: Reader) -> dict[str, tuple[str, ...]]:
        """Kind -> what the service does not show: seen now, or when what is carried over was read."""
        found = dict(reader.withheld_includes())
        for kind in self.carried_over:
            held = tuple(
                value for value in self._earlier.hides(kind) if value in reader.granted_includes(kind)
            )
            if both := tuple(dict.fromkeys([*found.get(kind, ()), *held])):
                found[kind] = both
        return found

    def _shared(self, kind: str, parent: str) -> bool:
        """Whether a listing is the one of an earlier snapshot, and is held by this one too."""
        shared = self._earlier.share(kind, parent)
        if shared:
            self.carried_over.add(kind)
            self.gaps += self._earlier.carry_gaps(kind, parent)
            self._progress.count(kind, self._earlier.size(kind, parent))
        return shared

    @take.register
    def _(self, event: ObjectFailed) -> None:
        self.gaps += 1
        self._writer.missing(event.kind, event.id, event.reason, event.parent)

    @take.register
    def _(self, event: FileChunk) -> None:
        if event.start:
            if event.file.id in self._coming:
                self._coming.pop(event.file.id).discard()
            self._coming[event.file.id] = blobs.BlobWriter(self._writer.archive)
        if event.data:
            self._coming[event.file.id].write(event.data)
            self._progress.count("bytes", len(event.data))

    @take.register
    def _(self, event: FileEnded) -> None:
        writer = self._coming.pop(event.file.id, None)
        if not event.reason and writer:
            self._keep(event.file, writer.finish(), BYTES_FROM_DOWNLOAD)
            return
        if writer:
            writer.discard()
        original = self._originals.find(event.file.name, event.file.size)
        if original is not None:
            self._keep(event.file, blobs.store_blob(self._writer.archive, original), BYTES_FROM_ORIGINAL)
        else:
            self._without_bytes.append(event)

    @take.register
    def _(self, event: ParsedTextFetched) -> None:
        self.gaps += int(not event.expected)
        reason = f"its bytes: {event.reason}"
        if event.text is not None:
            self._keep(
                event.file,
                blobs.store_blob(self._writer.archive, [event.text.encode("utf-8", "replace")]),
                BYTES_FROM_PARSED_TEXT,
            )
            reason = f"only its parsed text is kept; {reason}"
        self._writer.missing("file", event.file.id, reason, name=event.file.name, expected=event.expected)

    def _keep(self, file: FileFacts, blob: int, origin: str) -> None:
        blobs.link_file_to_blob(self._writer.archive, self._writer.endpoint, file.id, blob, origin)


CHUNK = 1 << 18


class Originals:
    """The files below a folder; without a folder, nothing is ever found."""

    def __init__(self, folder: Path | None) -> None:
        self._files: dict[tuple[str, int], list[Path]] = {}
        if folder is None:
            return
        if not folder.is_dir():
            raise BadUsage(
                f"{folder} is not a folder", todo="--originals takes the folder that holds the files"
            )
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self._files.setdefault((path.name, path.stat().st_size), []).append(path)

    def find(self, name: str, size: int | None) -> Iterator[bytes] | None:
        """The bytes of the one file with this name and size; None where there is none, or where two
        with different content fit (a guess would be worse than a gap)."""
        if size is None:
            return None
        base = posixpath.basename(ntpath.basename(name))
        found = self._files.get((base, size), [])
        if not found or any(not _same(found[0], other) for other in found[1:]):
            return None
        return _chunks(found[0])


def _same(one: Path, other: Path) -> bool:
    return all(a == b for a, b in zip(_chunks(one), _chunks(other), strict=False))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            yield data
